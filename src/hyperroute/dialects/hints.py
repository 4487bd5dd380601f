"""Where providers write how long to wait, read in one order (reliability.md, 2.2).

``retry-after-ms``, ``retry-after``, OpenAI's and Anthropic's rate-limit resets, Google's
``RetryInfo``, ``x-amz-retry-after``. An unreadable value (also NaN, negative, infinite) is no hint
and the next field is asked. Instants are compared with the reply's own ``Date``, never with a clock
of ours; without a ``Date`` they say nothing.

A reset of a rate limit counts only where its ``remaining`` is absent, unreadable or 0: these headers
come with every reply, and the one that is not exhausted did not refuse us. Of several that count the
longest is taken, because all of them must have passed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from hyperroute.canon.units import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from hyperroute.canon.wire import Headers

HINT_NS_MAX: Final = 366 * DAY
"""Longer waits are read as this one, so that a hint always is a sensible integer."""

_TEXT_MAX = 64
_OPENAI = ("requests", "tokens")
_ANTHROPIC = ("requests", "tokens", "input-tokens", "output-tokens")
_GO_UNITS: Final[Mapping[str, int]] = {
    "h": HOUR,
    "m": MINUTE,
    "s": SECOND,
    "ms": MILLISECOND,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ns": 1,
}
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_GO = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ms|us|µs|μs|ns|h|m|s)")
_HTTP_DATE = re.compile(
    r"[A-Za-z]{3,9},? (\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}|\d{2}) (\d\d):(\d\d):(\d\d)(?: GMT| UTC)"
)
_ASCTIME = re.compile(r"[A-Za-z]{3} ([A-Za-z]{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})")
_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def wait_ns(headers: Headers, *, retry_delay: object = None) -> int | None:
    """Read the provider's wish for a wait from whichever field carries it, first come.

    Args:
        headers: Of the error reply, names in lower case.
        retry_delay: ``retryDelay`` of a Google ``RetryInfo``, if the body held one.
    """
    found = _first(headers)
    date = instant_ns(found.get("date", ""))
    # A walrus for each field would read no better; the later ones are cheap and rarely there.
    asked = (
        number_ns(found.get("retry-after-ms", ""), MILLISECOND),
        retry_after_ns(found.get("retry-after", ""), date_ns=date),
        _reset(found, "x-ratelimit-reset-{}", "x-ratelimit-remaining-{}", _OPENAI, date),
        _reset(
            found,
            "anthropic-ratelimit-{}-reset",
            "anthropic-ratelimit-{}-remaining",
            _ANTHROPIC,
            date,
        ),
        proto_duration_ns(retry_delay),
        number_ns(found.get("x-amz-retry-after", ""), MILLISECOND),
    )
    return next((hint for hint in asked if hint is not None), None)


def pushback(headers: Headers) -> bool:
    """Say whether the provider asked not to be tried again (``x-should-retry: false``)."""
    return _first(headers).get("x-should-retry", "").strip().lower() == "false"


def number_ns(text: str, unit_ns: int) -> int | None:
    """Read a decimal number of units; floats occur."""
    text = text.strip()
    if not text or len(text) > _TEXT_MAX or not _NUMBER.fullmatch(text):
        return None
    return _bounded(Decimal(text), unit_ns)


def retry_after_ns(text: str, *, date_ns: int | None) -> int | None:
    """Read ``Retry-After``: seconds, or an HTTP date against the reply's own ``Date``."""
    if (seconds := number_ns(text, SECOND)) is not None:
        return seconds
    return _until(instant_ns(text), date_ns)


def go_duration_ns(text: str) -> int | None:
    """Read a Go duration (``120ms``, ``6m0s``), or a bare number of seconds."""
    text = text.strip()
    if len(text) > _TEXT_MAX:
        return None
    total, at = 0, 0
    while at < len(text) and (piece := _GO.match(text, at)):
        total += _bounded(Decimal(piece[1]), _GO_UNITS[piece[2]])
        at = piece.end()
    if at and at == len(text):
        return min(total, HINT_NS_MAX)
    return number_ns(text, SECOND)


def proto_duration_ns(value: object) -> int | None:
    """Read a protobuf duration as JSON writes it: ``"34.5s"``, or ``{seconds, nanos}``."""
    match value:
        case str() if value.endswith("s"):
            return number_ns(value[:-1], SECOND)
        case {"seconds": int() | str() as seconds, **rest}:
            nanos = rest.get("nanos", 0)
            whole = number_ns(str(seconds), SECOND)
            part = nanos if isinstance(nanos, int) and 0 <= nanos < SECOND else 0
            return None if whole is None else min(whole + part, HINT_NS_MAX)
        case _:
            return None


def instant_ns(text: str) -> int | None:
    """Read an HTTP date (all three forms of RFC 9110) or an RFC 3339 instant, as Unix time."""
    text = text.strip()
    if not text or len(text) > _TEXT_MAX:
        return None
    try:
        if match := _HTTP_DATE.fullmatch(text):
            day, month, year, *clock = match.groups()
            return _unix(_year(year), month, day, clock)
        if match := _ASCTIME.fullmatch(text):
            month, day, hour, minute, second, year = match.groups()
            return _unix(int(year), month, day, [hour, minute, second])
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return _ns(moment - _EPOCH)


def _first(headers: Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in reversed(headers)}


def _bounded(number: Decimal, unit_ns: int) -> int:
    if number.adjusted() > 18:  # comparing first keeps 1e999999 from being computed
        return HINT_NS_MAX
    return min(int(number * unit_ns), HINT_NS_MAX)


def _until(instant: int | None, date: int | None) -> int | None:
    if instant is None or date is None:
        return None
    return min(max(instant - date, 0), HINT_NS_MAX)


def _reset(
    found: Mapping[str, str],
    reset: str,
    remaining: str,
    meters: tuple[str, ...],
    date_ns: int | None,
) -> int | None:
    longest: int | None = None
    for meter in meters:
        text = found.get(reset.format(meter), "")
        left = number_ns(found.get(remaining.format(meter), ""), 1)
        if not text or left:
            continue
        wait = go_duration_ns(text)
        if wait is None:
            wait = _until(instant_ns(text), date_ns)
        if wait is not None:
            longest = wait if longest is None else max(longest, wait)
    return longest


def _year(text: str) -> int:
    # RFC 9110, 5.6.7: a two-digit year more than 50 years ahead is in the past. No clock here, so
    # the pivot stands still, which is right until 2076.
    year = int(text)
    return year if len(text) == 4 else (2000 + year if year < 76 else 1900 + year)


def _unix(year: int, month: str, day: str, clock: list[str]) -> int:
    place = _MONTHS.find(month.lower())
    if place < 0 or place % 3:
        raise ValueError(month)
    hour, minute, second = (int(piece) for piece in clock)
    moment = datetime(year, place // 3 + 1, int(day), hour, minute, min(second, 59), tzinfo=UTC)
    return _ns(moment - _EPOCH)


def _ns(since: timedelta) -> int:
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
