"""How fast a provider is sent to once it has asked us to slow down (reliability.md, row 33).

Attempts are counted in windows of ten seconds. When a provider asks us to slow down, seven tenths of
what the busier of the last two windows held is the most that one may hold, from the end of the
cool-down on. Each further window allows a tenth more, at least one, and after five minutes the
provider is sent to as before. A provider that never asked is only counted.
"""

from __future__ import annotations

from typing import Final

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.quick import quick
from hyperroute.canon.units import SECOND, Instant

WINDOW_NS: Final = 10 * SECOND
WINDOWS_MAX: Final = 30
"""So long a wish to slow down is remembered."""

_KEPT_PERCENT: Final = 70
_MORE_PERCENT: Final = 110


@quick(frozen=True, slots=True)
class Pace:
    """What was sent to one provider lately.

    Attributes:
        window: Number of the window that was counted last.
        sent: Attempts in it; ``before`` those in the one before.
        limit: The most that a window may hold; ``None``: nobody asked us to slow down.
        since: The window from which the limit holds.
    """

    window: int = 0
    sent: int = 0
    before: int = 0
    limit: int | None = None
    since: int = 0


EVEN: Final = Pace()


def asks_to_slow_down(failure: Failure) -> bool:
    """Tell a wish to slow down from a limit of one key: it is about the whole provider."""
    cool = failure.cool
    return (
        failure.kind is FailureClass.RATE_LIMITED and cool is not None and cool.scope == "provider"
    )


def counted(pace: Pace, now: Instant) -> Pace:
    """Take an attempt that is about to be made."""
    window, sent, before = _now(pace, now)
    return Pace(window, sent + 1, before, pace.limit, pace.since)


def slowed(pace: Pace, now: Instant, *, until: Instant) -> Pace:
    """Take a wish to slow down; ``until`` is when the provider's cool-down ends.

    Several attempts in flight are told the same: together they slow us once for each cool-down.
    """
    window, sent, before = _now(pace, now)
    if pace.limit is not None and window <= pace.since:
        return Pace(window, sent, before, pace.limit, max(pace.since, until // WINDOW_NS))
    limit = max(1, max(sent, before) * _KEPT_PERCENT // 100)
    return Pace(window, sent, before, limit, until // WINDOW_NS)


def most(pace: Pace, now: Instant) -> int | None:
    """Say how many attempts the window of an instant may hold; ``None``: as many as wanted."""
    grown = now // WINDOW_NS - pace.since
    if pace.limit is None or grown >= WINDOWS_MAX:
        return None
    limit = pace.limit
    for _ in range(grown):
        limit = max(limit + 1, limit * _MORE_PERCENT // 100)
    return limit


def due(pace: Pace, now: Instant) -> Instant | None:
    """Say when another attempt may be made; ``None``: now."""
    limit = most(pace, now)
    window, sent, _ = _now(pace, now)
    return None if limit is None or sent < limit else (window + 1) * WINDOW_NS


def _now(pace: Pace, now: Instant) -> tuple[int, int, int]:
    """Give the window of an instant, what it holds so far, and what the one before held."""
    window = max(pace.window, now // WINDOW_NS)
    if window == pace.window:
        return window, pace.sent, pace.before
    return window, 0, pace.sent if window == pace.window + 1 else 0


__all__ = [
    "EVEN",
    "WINDOWS_MAX",
    "WINDOW_NS",
    "Pace",
    "asks_to_slow_down",
    "counted",
    "due",
    "most",
    "slowed",
]
