"""The generic cell rate algorithm, exact: a counter that is one instant.

A charge of ``c`` units moves the counter's instant by ``c`` times the period over the amount; it
fits as long as the instant is not further ahead of now than a whole burst. Laws (invariant 45): in
any window of length ``w`` at most ``burst + w * rate`` units fit; what does not fit changes nothing;
the wait that is told is the least after which the same charge fits.

Reckoned in units of ``1 / amount`` nanoseconds, in which every quantity is an integer, so that
nothing is rounded: seven a minute are seven, and not six and a remainder. A counter that was kept
under another amount is rounded up once, against the caller, by less than a nanosecond.

Source: reliability 5.7, after the ATM Forum's Traffic Management 4.0, virtual scheduling.

Example:
    >>> pace = Pace(amount=2, period_ns=1_000_000_000, burst=1)
    >>> counter, told = charged(None, pace, 1, now=0)
    >>> told
    Charged(left=0, full_ns=500000000)
    >>> charged(counter, pace, 1, now=100_000_000)[1]
    Exceeded(wait_ns=400000000, left=0, full_ns=400000000)
"""

from __future__ import annotations

from hyperroute.canon.mutation import Charged, Exceeded, Pace, Tat
from hyperroute.canon.units import Instant


def charged(
    counter: Tat | None, pace: Pace, units: int, *, now: Instant
) -> tuple[Tat | None, Charged | Exceeded]:
    """Take units if they fit.

    Args:
        counter: ``None``: untouched, or forgotten because it was full.
        pace: How much, in what time, and how much of it at once.
        units: At least 1.
        now: On the clock on which the counter has always been charged.

    Returns:
        The counter to keep, which is the same object if nothing was taken, and what to tell.
    """
    assert units >= 1
    ahead = _ahead(counter, pace, now)
    after, room = ahead + units * pace.period_ns, pace.burst * pace.period_ns
    if after <= room:
        return _at(after, pace, now), Charged((room - after) // pace.period_ns, _ns(after, pace))
    wait = None if units > pace.burst else _ns(after - room, pace)
    left = max(0, room - ahead) // pace.period_ns
    return counter, Exceeded(wait, left, _ns(ahead, pace))


def corrected(
    counter: Tat | None, pace: Pace, units: int, *, now: Instant
) -> tuple[Tat | None, Charged]:
    """Take or give back units whatever the counter says.

    A counter never falls below untouched: who gives back more than was taken has gained nothing.
    """
    after = max(0, _ahead(counter, pace, now) + units * pace.period_ns)
    left = max(0, pace.burst * pace.period_ns - after) // pace.period_ns
    return _at(after, pace, now) if after else None, Charged(left, _ns(after, pace))


def untouched(counter: Tat, *, now: Instant) -> bool:
    """Say whether a counter is as good as none, and may be forgotten."""
    return counter.ns < now or (counter.ns == now and counter.part == 0)


def _ahead(counter: Tat | None, pace: Pace, now: Instant) -> int:
    """How far the counter is ahead of now, in ``1 / amount`` nanoseconds; never behind it."""
    if counter is None or counter.ns < now:
        return 0
    part = counter.part
    if counter.of != pace.amount:
        part = -(-part * pace.amount // counter.of)
    return (counter.ns - now) * pace.amount + part


def _at(ahead: int, pace: Pace, now: Instant) -> Tat:
    whole, part = divmod(ahead, pace.amount)
    return Tat(now + whole, part, pace.amount)


def _ns(ahead: int, pace: Pace) -> int:
    return -(-ahead // pace.amount)


__all__ = ["charged", "corrected", "untouched"]
