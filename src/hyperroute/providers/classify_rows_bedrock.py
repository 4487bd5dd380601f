"""What the exception names of AWS Bedrock mean; no other vendor uses them, so every table holds them.

Source: the bedrock-runtime service model in botocore, read 2026-11-22.
"""

from __future__ import annotations

from typing import Final

from hyperroute.canon.failure import Failure
from hyperroute.providers import verdicts
from hyperroute.providers.classify_rows import Row


def _named(verdict: Failure, *names: str, text: str = "") -> tuple[Row, ...]:
    # Gateways in front of it put the name into either member.
    return (
        Row(code=names, text=text, verdict=verdict),
        Row(type=names, text=text, verdict=verdict),
    )


BEDROCK_ROWS: Final = (
    *_named(verdicts.RATE_LIMITED, "ThrottlingException"),
    *_named(verdicts.DAILY_QUOTA, "ServiceQuotaExceededException"),
    *_named(verdicts.CAPACITY, "ModelNotReadyException"),
    *_named(verdicts.MODEL_ERROR, "ModelErrorException", "ModelStreamErrorException"),
    *_named(verdicts.SLOW_START, "ModelTimeoutException"),
    *_named(verdicts.OVERLOADED, "ServiceUnavailableException"),
    *_named(verdicts.SERVER_ERROR, "InternalServerException"),
    *_named(verdicts.UNKNOWN_MODEL, "ResourceNotFoundException"),
    *_named(verdicts.PERMISSION, "AccessDeniedException"),
    *_named(
        verdicts.AUTH,
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "ExpiredTokenException",
    ),
    *_named(verdicts.CONTEXT_LENGTH, "ValidationException", text="input is too long"),
    *_named(verdicts.BAD_REQUEST, "ValidationException"),
)
