"""What a bare status means, whoever says it: the last rows that are asked."""

from __future__ import annotations

from typing import Final

from hyperroute.providers import verdicts
from hyperroute.providers.classify_rows import Row

STATUS_ROWS: Final = (
    Row(status=(400, 422), verdict=verdicts.BAD_REQUEST),
    Row(status=(401,), verdict=verdicts.AUTH),
    Row(status=(402,), verdict=verdicts.FUNDS),
    Row(status=(403,), verdict=verdicts.PERMISSION),
    Row(status=(404,), verdict=verdicts.UNKNOWN_MODEL),
    Row(status=(408,), verdict=verdicts.TIMEOUT_STATUS),
    Row(status=(409,), verdict=verdicts.LOCKED),
    Row(status=(413,), verdict=verdicts.TOO_LARGE),
    Row(status=(424,), verdict=verdicts.MODEL_ERROR),
    Row(status=(429,), verdict=verdicts.RATE_LIMITED),
    Row(status=(451,), verdict=verdicts.REGION),
    Row(status=(499,), verdict=verdicts.RESET),
    Row(status=(503, 529), verdict=verdicts.OVERLOADED),
    Row(status=(504,), verdict=verdicts.SLOW_START),
    # The CDN could not get an answer from its origin; from here that is a gateway timeout.
    # Source: developers.cloudflare.com, "Cloudflare 5xx errors", read 2026-11-22.
    Row(status=(521, 522, 523, 524, 530), verdict=verdicts.SLOW_START),
    Row(status=(300, 301, 302, 303, 304, 305, 306, 307, 308), verdict=verdicts.REDIRECT),
)
