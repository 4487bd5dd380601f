"""A batch over two stores that is not done counts for nothing, whatever fails in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.mutation import (
    Changed,
    Charge,
    Charged,
    Commit,
    Correct,
    Exceeded,
    Found,
    Key,
    Mutation,
    Pace,
    Put,
    RateKey,
    RowKey,
    Stored,
    Tat,
    Untried,
)
from hyperroute.canon.units import MINUTE, SECOND
from hyperroute.errors import StoreError
from hyperroute.routing.gcra import untouched
from hyperroute.stores.base import AsyncStore, Immediate
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.split import SplitStore

KEYS = [RateKey("speed", "req/min", (("user", name),)) for name in "abc"]
ROWS = [RowKey("key", name) for name in "kl"]
PACE = Pace(5, MINUTE, 5)


@dataclass
class Flaky:
    """A store in memory whose verbs take time, and which is down when it is told to be."""

    clock: list[int]
    waits: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    store: MemoryStore = field(init=False)
    asked: int = 0

    def __post_init__(self) -> None:
        self.store = MemoryStore(now=lambda: self.clock[0])

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        return self.store.read(keys)

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        self.asked += 1
        self.clock[0] += self.waits.pop() if self.waits else 0
        match self.faults.pop() if self.faults else "":
            case "refused":
                raise StoreError("down")
            case "lost":
                self.store.commit(mutations)
                raise StoreError("no answer", unknown=True)
            case _:
                return self.store.commit(mutations)

    def awaiting(self) -> AsyncStore:
        return Immediate(self)

    def close(self) -> None:
        pass


charging = st.tuples(st.just(Charge), st.sampled_from(KEYS), st.just(PACE), st.integers(1, 7))
correcting = st.tuples(st.just(Correct), st.sampled_from(KEYS), st.just(PACE), st.integers(-7, 7))
putting = st.tuples(
    st.just(Put), st.sampled_from(ROWS), st.just("{}"), st.just(()), st.integers(0, 2)
)
batches = st.lists(
    st.one_of(charging, correcting, putting), max_size=4, unique_by=lambda one: one[1]
).map(lambda them: [kind(*rest) for kind, *rest in them])  # type: ignore[arg-type]
waits = st.lists(st.sampled_from([0, 1, SECOND, 13 * SECOND, MINUTE]), max_size=3)


def standing(found: Found, now: int) -> object:
    """Read a counter as it counts, and of a record only whether it is there."""
    if isinstance(found, Tat):
        return None if untouched(found, now=now) else found
    return found is not None or None


def committed(split: SplitStore, batch: list[Mutation], *, awaited: bool) -> Commit | StoreError:
    try:
        if awaited:
            return asyncio.run(_awaited(split, batch))
        return split.commit(batch)
    except StoreError as error:
        return error


async def _awaited(split: SplitStore, batch: list[Mutation]) -> Commit:
    return await split.awaiting().commit(batch)


@given(
    st.lists(st.tuples(st.integers(0, 90), batches), max_size=3),
    batches,
    waits,
    st.sampled_from(["", "refused", "lost"]),
    st.booleans(),
)
def test_what_is_not_done_counts_for_nothing(
    before: list[tuple[int, list[Mutation]]],
    batch: list[Mutation],
    delays: list[int],
    fault: str,
    awaited: bool,
) -> None:
    clock = [0]
    rates, rest = Flaky(clock), Flaky(clock)
    split = SplitStore(rates, rest)
    for later, one in before:
        clock[0] += later * SECOND
        split.commit(one)
    counted, kept = rates.read(KEYS), rest.read(ROWS)
    rates.waits, rest.waits, rest.faults = list(delays), list(delays), [fault]
    told = committed(split, batch, awaited=awaited)
    if isinstance(told, Commit) and told.done:
        assert Untried() not in told.outcomes
        return
    for before_it, after_it in zip(counted, rates.read(KEYS), strict=True):
        assert standing(before_it, clock[0]) == standing(after_it, clock[0])
    if isinstance(told, StoreError):
        assert told.unknown == (fault == "lost")
    if fault != "lost":
        assert rest.read(ROWS) == kept


@given(st.lists(st.tuples(st.integers(0, 90), batches), max_size=5))
def test_without_faults_it_is_one_store_but_for_what_nobody_looked_at(
    history: list[tuple[int, list[Mutation]]],
) -> None:
    clock = [0]
    whole, split = MemoryStore(now=lambda: clock[0]), SplitStore(Flaky(clock), Flaky(clock))
    keys: list[Key] = [ROWS[0], KEYS[0], KEYS[1], ROWS[1], KEYS[2]]
    for later, batch in history:
        clock[0] += later * SECOND
        told, expected = split.commit(batch), whole.commit(batch)
        assert told.done == expected.done
        for one, other in zip(told.outcomes, expected.outcomes, strict=True):
            assert type(one) is type(other) or (not told.done and isinstance(one, Untried))
            if isinstance(one, Charged | Exceeded):
                assert one == other
        for mine, theirs in zip(split.read(keys), whole.read(keys), strict=True):
            assert standing(mine, clock[0]) == standing(theirs, clock[0])


def test_money_is_not_asked_where_a_rate_declines() -> None:
    clock = [0]
    rates, rest = Flaky(clock), Flaky(clock)
    told = SplitStore(rates, rest).commit([Put(ROWS[0], "{}"), Charge(KEYS[0], PACE, 6)])
    assert told == Commit(False, (Untried(), Exceeded(None, 5, 0)))
    assert (rates.asked, rest.asked) == (1, 0)


def test_a_charge_is_given_back_where_money_declines() -> None:
    clock = [0]
    rates, rest = Flaky(clock), Flaky(clock)
    told = SplitStore(rates, rest).commit(
        [Charge(KEYS[0], PACE, 5), Put(ROWS[0], "{}", expected=3)]
    )
    assert told == Commit(False, (Charged(0, MINUTE), Changed(0)))
    assert rates.read([KEYS[0]]) == (None,)


@pytest.mark.parametrize("fault", ["refused", "lost"])
def test_money_that_is_committed_outlives_a_correction_that_is_lost(fault: str) -> None:
    clock = [0]
    rates, rest = Flaky(clock), Flaky(clock)
    rates.faults = [fault]
    told = SplitStore(rates, rest).commit([Correct(KEYS[0], PACE, 2), Put(ROWS[0], "{}")])
    assert told == Commit(True, (Untried(), Stored(1)))
    assert rest.read([ROWS[0]]) != (None,)


def test_of_nothing_both_must_answer() -> None:
    class Down(Flaky):
        def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
            raise StoreError("down")

    clock = [0]
    for stores in ((Down(clock), Flaky(clock)), (Flaky(clock), Down(clock))):
        split = SplitStore(*stores)
        with pytest.raises(StoreError):
            split.read([])
        with pytest.raises(StoreError):
            asyncio.run(_read(split))
    assert SplitStore(Flaky(clock), Flaky(clock)).read([]) == ()


async def _read(split: SplitStore) -> Any:
    return await split.awaiting().read([])
