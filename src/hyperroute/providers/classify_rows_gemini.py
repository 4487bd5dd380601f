"""What Google's canonical statuses and ``ErrorInfo`` reasons mean.

Sources, read 2026-11-22: ai.google.dev/gemini-api/docs/troubleshooting; google/rpc/code.proto and
google/api/error_reason.proto in googleapis (f8291d2). ``RESOURCE_EXHAUSTED`` is a short limit or a
daily one; only the quota id tells which.
"""

from __future__ import annotations

from typing import Final

from hyperroute.canon.failure import Failure
from hyperroute.providers import verdicts
from hyperroute.providers.classify_rows import Row


def _word(word: str, verdict: Failure, *, text: str = "") -> Row:
    return Row(type=(word,), text=text, verdict=verdict)


GEMINI_ROWS: Final = (
    Row(
        detail=("API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED", "CONSUMER_SUSPENDED"),
        verdict=verdicts.AUTH,
    ),
    Row(
        detail=("API_KEY_SERVICE_BLOCKED", "SERVICE_DISABLED", "API_KEY_IP_ADDRESS_BLOCKED"),
        verdict=verdicts.PERMISSION,
    ),
    Row(detail=("BILLING_DISABLED",), verdict=verdicts.FUNDS),
    Row(detail=("PerDay",), verdict=verdicts.DAILY_QUOTA),
    # A prompt that was blocked has no answer: a 200 whose decoder names the reason as the code.
    _word("promptFeedback", verdicts.CONTENT_POLICY),
    _word("INVALID_ARGUMENT", verdicts.AUTH, text="api key not valid"),
    _word("INVALID_ARGUMENT", verdicts.AUTH, text="api key expired"),
    _word("PERMISSION_DENIED", verdicts.AUTH, text="api key was reported as leaked"),
    _word("FAILED_PRECONDITION", verdicts.LOCATION, text="user location is not supported"),
    _word("RESOURCE_EXHAUSTED", verdicts.FUNDS, text="prepayment credits are depleted"),
    _word("INVALID_ARGUMENT", verdicts.CONTEXT_LENGTH, text="exceeds the maximum number of tokens"),
    _word("INVALID_ARGUMENT", verdicts.OUR_TRANSLATION, text="unknown name"),
    _word("INVALID_ARGUMENT", verdicts.OUR_TRANSLATION, text="missing a thought_signature"),
    _word("INVALID_ARGUMENT", verdicts.SEAL_REFUSED, text="thought signature is not valid"),
    _word("INVALID_ARGUMENT", verdicts.SEAL_REFUSED, text="corrupted thought signature"),
    _word("INVALID_ARGUMENT", verdicts.SEAL_REFUSED, text="invalid thought signature"),
    Row(
        type=("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"),
        bare=True,
        verdict=verdicts.BAD_REQUEST,
    ),
    _word("UNAUTHENTICATED", verdicts.AUTH),
    _word("PERMISSION_DENIED", verdicts.PERMISSION),
    _word("NOT_FOUND", verdicts.UNKNOWN_MODEL),
    _word("ABORTED", verdicts.LOCKED),
    _word("RESOURCE_EXHAUSTED", verdicts.RATE_LIMITED),
    _word("CANCELLED", verdicts.RESET),
    Row(type=("INTERNAL", "UNKNOWN"), bare=True, verdict=verdicts.SERVER_ERROR),
    _word("UNAVAILABLE", verdicts.OVERLOADED),
    _word("DEADLINE_EXCEEDED", verdicts.SLOW_START),
)
