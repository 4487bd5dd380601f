"""Limits of accounts, offers and keys, counted in this process, where they are exact.

Laws: an attempt takes all that it is asked for or nothing; what it took of an *at once* it gives back
when it is over, whatever became of it; what was estimated becomes what was used; a limit that only
observes refuses nobody. ``routing.quotas`` says what is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol, assert_never

from hyperroute.canon.money import BudgetKey, Microcredits, Spend
from hyperroute.canon.mutation import Exceeded, Pace, RateKey, Tat
from hyperroute.canon.quick import quick
from hyperroute.canon.units import SECOND, Instant
from hyperroute.routing import gcra
from hyperroute.routing.quotas import RateToll, SlotToll, SpendToll, Toll, Used
from hyperroute.routing.record import Barrier

COUNTERS_MAX = 100_000
"""Counters in use at one time; beyond it an attempt is refused rather than one forgotten."""

LEARNING_NS = SECOND
"""So old may be what is known of others' spending."""

_SWEEP_FROM = 1_000

_NOTHING_FULL: Mapping[str, Instant] = MappingProxyType({})


@quick(frozen=True, slots=True)
class Full:
    """Something has not enough left. ``until`` ``None``: nobody knows when it will."""

    barrier: Barrier
    until: Instant | None


class Counters(Protocol):
    """Who counts. It must not wait: one that is shared between processes takes in advance."""

    def take(self, tolls: Sequence[Toll], now: Instant) -> Full | None:
        """Take all of it, or nothing and say what is in the way."""
        ...

    def settle(self, tolls: Sequence[Toll], used: Used | None, now: Instant) -> None:
        """Take the end of what was granted; ``None``: the attempt was never sent."""
        ...

    def full(self, now: Instant) -> Mapping[str, Instant]:
        """Say which places are used up, and until when (``Answers.full``)."""
        ...

    def asks(self, now: Instant) -> bool:
        """Say whether it is time to ask a store again what was spent."""
        ...

    def learn(self, spent: Iterable[tuple[BudgetKey, Microcredits, Instant]]) -> None:
        """Take what a store knows to be spent from budgets, and when their periods end."""
        ...

    def share(self, processes: int) -> None:
        """Hear how many processes there are, this one included."""
        ...


class Quotas:
    """The counters of one process. Safe between threads."""

    def __init__(
        self, *, workers: int = 1, learns: bool = False, counters_max: int = COUNTERS_MAX
    ) -> None:
        """Begin with nothing used.

        Args:
            workers: How many processes at least count on their own; each has its share of every
                limit, and of what cannot be divided one.
            learns: A store is asked what all of them have spent, so that budgets are not divided.
            counters_max: See ``COUNTERS_MAX``.
        """
        self._least = self._workers = workers
        self._learns = learns
        self._learned_at: Instant | None = None
        self._lock = threading.Lock()
        self._counters_max = counters_max
        self._rates: dict[RateKey, Tat] = {}
        self._open: dict[BudgetKey, int] = {}
        self._spent: dict[BudgetKey, tuple[Spend, Instant]] = {}
        self._full: dict[str, dict[RateKey | BudgetKey, Instant | None]] = {}
        self._sweep_at = min(counters_max, _SWEEP_FROM)
        self._crowded_until: Instant = 0

    def take(self, tolls: Sequence[Toll], now: Instant) -> Full | None:
        """Take all of it, or nothing and say what is in the way.

        Of several that refuse, one is told that another key would not help against, and of these
        the one with the longest wait.
        """
        tolls = self._shares(tolls)
        with self._lock:
            if not self._has_room(len(tolls), now):
                return Full("limit", None)
            refusing = [full for toll in tolls if (full := self._lacks(toll, now)) is not None]
            if refusing:
                for toll in tolls:
                    self._mark(toll, now)
                return max(refusing, key=_decisive)
            for toll in tolls:
                self._add(toll)
                if isinstance(toll, RateToll):
                    self._charge(toll, toll.units, now)
                self._mark(toll, now)
            return None

    def settle(self, tolls: Sequence[Toll], used: Used | None, now: Instant) -> None:
        """Take the end of what was granted; ``None``: the attempt was never sent."""
        tolls = self._shares(tolls)
        with self._lock:
            for toll in tolls:
                match toll:
                    case RateToll():
                        real = 0 if used is None else used.units.get(toll.unit, toll.units)
                        if real != toll.units:
                            self._charge(toll, real - toll.units, now)
                    case SlotToll():
                        left = self._open.pop(toll.key, 1) - 1
                        if left > 0:
                            self._open[toll.key] = left
                    case SpendToll():
                        self._spend(toll, used)
                    case _:
                        assert_never(toll)
                self._mark(toll, now)

    def share(self, processes: int) -> None:
        """Hear how many processes there are; what was used stays used."""
        self._workers = max(self._least, processes)

    def full(self, now: Instant) -> Mapping[str, Instant]:
        """Say which places are used up, and until when.

        When a slot is free again nobody knows; such a place is looked at again after a second.
        """
        if not self._full:
            return _NOTHING_FULL
        with self._lock:
            found: dict[str, Instant] = {}
            for place, marks in list(self._full.items()):
                ends = [now + SECOND if until is None else until for until in marks.values()]
                if max(ends) > now:
                    found[place] = max(ends)
                else:
                    del self._full[place]
            return found

    def asks(self, now: Instant) -> bool:
        """Say whether it is time to ask a store again what was spent; whoever is told so does."""
        if not self._learns:
            return False
        with self._lock:
            due = self._learned_at is None or now - self._learned_at >= LEARNING_NS
            if due:
                self._learned_at = now
            return due

    def learn(self, spent: Iterable[tuple[BudgetKey, Microcredits, Instant]]) -> None:
        """Take what a store knows to be spent from budgets, and when their periods end.

        It knows what others have spent; what was spent here a moment ago it may not have heard.
        """
        with self._lock:
            for key, settled, ends_at in spent:
                known, _ = self._spent.get(key, (Spend(), 0))
                if settled > known.settled:
                    self._spent[key] = Spend(settled, known.held), ends_at

    def _shares(self, tolls: Sequence[Toll]) -> Sequence[Toll]:
        if self._workers == 1:
            return tolls
        return [
            toll if self._learns and isinstance(toll, SpendToll) else _share(toll, self._workers)
            for toll in tolls
        ]

    # --- what is asked ---------------------------------------------------------------------------
    def _lacks(self, toll: Toll, now: Instant) -> Full | None:
        match toll:
            case RateToll():
                if toll.observed:
                    return None
                _, told = gcra.charged(self._rates.get(toll.key), toll.pace, toll.units, now=now)
                if not isinstance(told, Exceeded):
                    return None
                return Full(toll.barrier, None if told.wait_ns is None else now + told.wait_ns)
            case SlotToll():
                if toll.most is None or self._open.get(toll.key, 0) < toll.most:
                    return None
                return Full(toll.barrier, None)
            case SpendToll():
                if toll.most is None:
                    return None
                if toll.amount is None:
                    return Full(toll.barrier, None)
                spend, _ = self._spent.get(toll.key, (Spend(), 0))
                if spend.settled + spend.held + toll.amount <= toll.most and toll.most > 0:
                    return None
                return Full(toll.barrier, toll.ends_at)
            case _:
                assert_never(toll)

    def _charge(self, toll: RateToll, units: int, now: Instant) -> None:
        counter, _ = gcra.corrected(self._rates.get(toll.key), toll.pace, units, now=now)
        if counter is None:
            self._rates.pop(toll.key, None)
        else:
            self._rates[toll.key] = counter

    def _add(self, toll: Toll) -> None:
        if isinstance(toll, SlotToll):
            self._open[toll.key] = self._open.get(toll.key, 0) + 1
        if isinstance(toll, SpendToll):
            spend, _ = self._spent.get(toll.key, (Spend(), 0))
            held = spend.held + (toll.amount or 0)
            self._spent[toll.key] = Spend(spend.settled, held), toll.ends_at

    def _spend(self, toll: SpendToll, used: Used | None) -> None:
        spend, ends_at = self._spent.get(toll.key, (Spend(), toll.ends_at))
        held = toll.amount or 0
        cost = 0 if used is None else held if used.cost is None else used.cost
        self._spent[toll.key] = Spend(spend.settled + cost, max(0, spend.held - held)), ends_at

    # --- what is used up -------------------------------------------------------------------------
    def _mark(self, toll: Toll, now: Instant) -> None:
        """Note whether the least that could be asked of it would be refused now."""
        if not toll.place:
            return
        used_up, until = self._used_up(toll, now)
        if used_up:
            self._full.setdefault(toll.place, {})[toll.key] = until
        elif toll.place in self._full:
            marks = self._full[toll.place]
            marks.pop(toll.key, None)
            if not marks:
                del self._full[toll.place]

    def _used_up(self, toll: Toll, now: Instant) -> tuple[bool, Instant | None]:
        match toll:
            case RateToll():
                _, told = gcra.charged(self._rates.get(toll.key), toll.pace, 1, now=now)
                wait = told.wait_ns if isinstance(told, Exceeded) else None
                return wait is not None and not toll.observed, now + (wait or 0)
            case SlotToll():
                return toll.most is not None and self._open.get(toll.key, 0) >= toll.most, None
            case SpendToll():
                spend, _ = self._spent.get(toll.key, (Spend(), 0))
                spent = spend.settled + spend.held
                return toll.most is not None and spent >= toll.most, toll.ends_at
            case _:
                assert_never(toll)

    def _has_room(self, coming: int, now: Instant) -> bool:
        """Forget what is over, whenever there is twice as much as was left the last time."""
        if len(self._rates) + len(self._spent) + coming <= self._sweep_at:
            return True
        if now < self._crowded_until:
            return False
        self._rates = {
            key: counter
            for key, counter in self._rates.items()
            if not gcra.untouched(counter, now=now)
        }
        self._spent = {
            key: (spend, ends_at)
            for key, (spend, ends_at) in self._spent.items()
            if ends_at > now or spend.held
        }
        kept = len(self._rates) + len(self._spent) + coming
        self._sweep_at = min(self._counters_max, max(_SWEEP_FROM, 2 * kept))
        if kept <= self._counters_max:
            return True
        self._crowded_until = now + SECOND  # sweeping at every call would be the worse fault
        return False


def _share(toll: Toll, workers: int) -> Toll:
    """Divide a limit: a rate exactly, what is counted in whole numbers rounded down."""
    if isinstance(toll, RateToll):
        whole = toll.pace
        burst = max(1, whole.burst // workers)
        return replace(toll, pace=Pace(whole.amount, whole.period_ns * workers, burst))
    least = 1 if isinstance(toll, SlotToll) else 0
    return replace(toll, most=None if toll.most is None else max(least, toll.most // workers))


def _decisive(full: Full) -> tuple[bool, bool, Instant]:
    """Order refusals; of a wait that nobody knows as much is expected as of the longest."""
    return full.barrier == "limit", full.until is None, full.until or 0


__all__ = ["COUNTERS_MAX", "Counters", "Full", "Quotas"]
