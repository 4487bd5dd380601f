"""What Anthropic's error types mean.

Sources, read 2026-11-22: platform.claude.com/docs/en/api/errors and the error classes of
anthropic-sdk-python 2.12. ``details.error_code`` is what Anthropic asks clients to branch on.
"""

from __future__ import annotations

from typing import Final

from hyperroute.providers import verdicts
from hyperroute.providers.classify_rows import Row

_INVALID: Final = ("invalid_request_error",)

ANTHROPIC_ROWS: Final = (
    Row(detail=("enforced_spend_limit_reached",), verdict=verdicts.FUNDS),
    Row(code=("enforced_spend_limit_reached",), verdict=verdicts.FUNDS),
    # 400 is not always the caller's fault: money that was used up is told with it, too.
    Row(type=_INVALID, text="credit balance is too low", verdict=verdicts.FUNDS),
    Row(type=_INVALID, text="reached your specified api usage limits", verdict=verdicts.FUNDS),
    Row(type=_INVALID, text="prompt is too long", verdict=verdicts.CONTEXT_LENGTH),
    Row(type=_INVALID, text="exceed context limit", verdict=verdicts.CONTEXT_LENGTH),
    Row(type=_INVALID, text="blocked by content filtering policy", verdict=verdicts.CONTENT_POLICY),
    Row(type=_INVALID, text="invalid `signature` in `thinking`", verdict=verdicts.SEAL_REFUSED),
    Row(type=_INVALID, text="extra inputs are not permitted", verdict=verdicts.OUR_TRANSLATION),
    # The key is good: a browser's Origin header came through, which we never send ourselves.
    Row(type=("authentication_error",), text="cors requests", verdict=verdicts.AUTH_UNBLAMED),
    Row(
        type=("forbidden", "permission_error"), text="request not allowed", verdict=verdicts.REGION
    ),
    Row(type=("rate_limit_error",), text="daily rate limit", verdict=verdicts.DAILY_QUOTA),
    Row(type=("rate_limit_error",), text="acceleration limit", verdict=verdicts.SLOW_DOWN),
    Row(type=("authentication_error",), verdict=verdicts.AUTH),
    Row(type=("billing_error",), verdict=verdicts.FUNDS),
    Row(type=("permission_error",), verdict=verdicts.PERMISSION),
    Row(type=("not_found_error",), verdict=verdicts.UNKNOWN_MODEL),
    Row(type=("conflict_error",), verdict=verdicts.LOCKED),
    Row(type=("request_too_large",), verdict=verdicts.TOO_LARGE),
    Row(type=("rate_limit_error",), verdict=verdicts.RATE_LIMITED),
    Row(type=("timeout_error",), verdict=verdicts.SLOW_START),
    Row(type=("overloaded_error",), verdict=verdicts.OVERLOADED),
    Row(type=("api_error",), bare=True, verdict=verdicts.SERVER_ERROR),
    Row(type=_INVALID, bare=True, verdict=verdicts.BAD_REQUEST),
)
