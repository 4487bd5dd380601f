"""Ends the holds that nobody vouches for any longer, a bounded page of them at a time.

Any number of processes may sweep one store, and any of them may die over it: each hold is ended by a
commit of its own, which the book declines where another was quicker, or where the hold's owner has
spoken again. So a round that broke off is simply begun again (invariant 52).

A round is a generator of what it asks the store, the same for both colours::

    yield Overdue(…)  -> Overdues   what the store finds
    yield End(…)      -> Commit     what it makes of it; a ``StoreError`` is thrown in
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Final

from hyperroute.canon.money import End, Overdue, Overdues
from hyperroute.canon.mutation import Mutation
from hyperroute.canon.quick import quick
from hyperroute.canon.units import SECOND
from hyperroute.errors import StoreError
from hyperroute.ledger.recovery import endings
from hyperroute.stores.base import AsyncStore, Store

PAGE: Final = 100
PERIOD_NS: Final = 30 * SECOND
PERIODS_MAX: Final = 10
"""How many times the period a sweeper waits at most, while the store does not answer."""


@quick(frozen=True, slots=True, kw_only=True)
class Swept:
    """What came of a round.

    Attributes:
        settled: Holds that were charged for what had been delivered by their last checkpoint.
        released: Holds that were given back whole.
        passed: Holds that another ended, or vouched for, between our look and our word.
        unknown: Holds of which the store's answer was lost; the next round finds them if they stand.
    """

    settled: int = 0
    released: int = 0
    passed: int = 0
    unknown: int = 0


Asks = Generator[Overdue | End, Any, Swept]


def sweeping(page: int = PAGE) -> Asks:
    """Go through all that is overdue, once.

    Raises:
        StoreError: The store does not answer; what was ended stays ended.
    """
    settled = released = passed = unknown = 0
    while True:
        overdue: Overdues = yield Overdue(page)
        gone = settled + released
        for end in endings(overdue):
            try:
                commit = yield end
            except StoreError as error:
                if not error.unknown:
                    raise
                unknown += 1
                continue
            if not commit.done:
                passed += 1
            elif end.charged is None:
                released += 1
            else:
                settled += 1
        if len(overdue.holds) < page or settled + released == gone:
            return Swept(settled=settled, released=released, passed=passed, unknown=unknown)


def sweep(store: Store, page: int = PAGE) -> Swept:
    """Go through all that is overdue, once, and let the store forget what has lapsed.

    Raises:
        StoreError: The store does not answer; what was ended stays ended.
    """
    asks = sweeping(page)
    got: Any = None
    error: StoreError | None = None
    try:
        while True:
            ask = asks.send(got) if error is None else asks.throw(error)
            got, error = None, None
            try:
                got = store.read([ask])[0] if isinstance(ask, Overdue) else store.commit([ask])
            except StoreError as failed:
                error = failed
    except StopIteration as end:
        store.commit(NOTHING)
        swept: Swept = end.value
        return swept


async def sweep_awaiting(store: AsyncStore, page: int = PAGE) -> Swept:
    """Go through all that is overdue, once; the twin of ``sweep``.

    Raises:
        StoreError: The store does not answer; what was ended stays ended.
    """
    asks = sweeping(page)
    got: Any = None
    error: StoreError | None = None
    try:
        while True:
            ask = asks.send(got) if error is None else asks.throw(error)
            got, error = None, None
            try:
                if isinstance(ask, Overdue):
                    (got,) = await store.read([ask])
                else:
                    got = await store.commit([ask])
            except StoreError as failed:
                error = failed
    except StopIteration as end:
        await store.commit(NOTHING)
        swept: Swept = end.value
        return swept


NOTHING: Final[Sequence[Mutation]] = ()
"""Committing it lets a store that nobody writes to forget what has lapsed."""


def wait_ns(period_ns: int, failures: int, dice: int) -> int:
    """Say how long to wait before the next round.

    Args:
        period_ns: Between two rounds, give or take a fifth, so that replicas do not march in step.
        failures: Rounds in a row that the store did not answer: each doubles the wait.
        dice: From 0 to 1,000, by chance.
    """
    periods = min(PERIODS_MAX, 1 << min(failures, 10))
    return period_ns * periods * (800 + dice * 400 // 1_000) // 1_000


__all__ = ["PAGE", "PERIOD_NS", "Swept", "sweep", "sweep_awaiting", "sweeping", "wait_ns"]
