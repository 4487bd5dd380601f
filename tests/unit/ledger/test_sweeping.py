"""Holds that nobody vouches for are ended, by whoever comes first, and the store is not pestered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from hyperroute.canon.money import (
    OPEN,
    Checkpoint,
    Dispatch,
    End,
    Hold,
    HoldKey,
    Overdue,
    Reserve,
)
from hyperroute.canon.mutation import Commit, Found, Key, Mutation
from hyperroute.canon.units import SECOND
from hyperroute.errors import StoreError
from hyperroute.gateway.sweeper import AsyncSweeper, Sweeper
from hyperroute.ledger.book import book
from hyperroute.ledger.sweeping import Swept, sweep, sweep_awaiting, wait_ns
from hyperroute.stores.base import AsyncStore, Immediate, Store
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.world import World


@dataclass
class Faulty:
    """A store that says of some commits what a broken line would."""

    store: Store
    declines: Callable[[Mutation], StoreError | None] = lambda _: None
    reads: list[Key] = field(default_factory=list)
    down: bool = False

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        self.reads += keys
        if self.down:
            raise StoreError("down")
        return self.store.read(keys)

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        error = self.declines(mutations[0]) if mutations else None
        if error is not None and not error.unknown:
            raise error
        commit = self.store.commit(mutations)
        if error is not None:
            raise error
        return commit

    def awaiting(self) -> AsyncStore:
        return Immediate(self)

    def close(self) -> None:
        self.store.close()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def store(world: World) -> Faulty:
    return Faulty(MemoryStore(now=world.now, book=book))


@pytest.fixture(params=["blocking", "awaiting"])
def sweeps(request: pytest.FixtureRequest) -> Callable[..., Swept]:
    if request.param == "blocking":
        return sweep
    return lambda store, page=100: asyncio.run(sweep_awaiting(store.awaiting(), page))


def left_behind(store: Faulty, number: int) -> None:
    """So many holds: the even ones were answered in part, every fourth was never sent."""
    for at in range(number):
        key = HoldKey(f"h{at:03}")
        store.store.commit([Reserve(key, 100, lease_ns=SECOND)])
        if at % 4 != 3:
            store.store.commit([Dispatch(key, 1, lease_ns=SECOND)])
        if at % 2 == 0:
            store.store.commit([Checkpoint(key, 10 + at, lease_ns=SECOND)])


def phases(store: Faulty, number: int) -> list[tuple[str, int | None]]:
    found = store.store.read([HoldKey(f"h{at:03}") for at in range(number)])
    return [(hold.phase, hold.charged) for hold in found if isinstance(hold, Hold)]


def test_invariant_52_what_is_overdue_is_ended_page_by_page_and_once(
    store: Faulty, world: World, sweeps: Callable[..., Swept]
) -> None:
    left_behind(store, 25)
    assert sweeps(store, 10) == Swept()
    world.sleep(SECOND)
    store.store.commit([Reserve(HoldKey("young"), 1, lease_ns=SECOND)])
    store.reads.clear()
    assert sweeps(store, 10) == Swept(settled=13, released=12)
    assert store.reads == [Overdue(10)] * 3
    after = phases(store, 25)
    assert after == [("settled", 10 + at) if at % 2 == 0 else ("released", 0) for at in range(25)]
    assert sweeps(store, 10) == Swept()
    assert phases(store, 25) == after
    (young,) = store.read([HoldKey("young")])
    assert isinstance(young, Hold)
    assert young.phase in OPEN


def test_a_lost_answer_keeps_nobody_from_the_next_hold(
    store: Faulty, world: World, sweeps: Callable[..., Swept]
) -> None:
    left_behind(store, 8)
    world.sleep(SECOND)
    store.declines = lambda said: StoreError("?", unknown=True) if "h001" in str(said) else None
    assert sweeps(store) == Swept(settled=4, released=3, unknown=1)
    store.declines = lambda _: None
    assert sweeps(store) == Swept(), "it was done, though nobody heard of it"


def test_a_page_of_which_nothing_is_heard_ends_the_round(
    store: Faulty, world: World, sweeps: Callable[..., Swept]
) -> None:
    left_behind(store, 8)
    world.sleep(SECOND)
    store.declines = lambda _: StoreError("?", unknown=True)
    assert sweeps(store, 2) == Swept(unknown=2)
    assert len(store.reads) == 1


def test_a_hold_that_another_ends_or_vouches_for_is_passed_by(
    store: Faulty, world: World, sweeps: Callable[..., Swept]
) -> None:
    left_behind(store, 2)
    world.sleep(SECOND)

    def meanwhile(said: Mutation) -> None:
        if isinstance(said, End):
            store.declines = lambda _: None
            store.store.commit([End(HoldKey("h000"), 99)])
            store.store.commit([Dispatch(HoldKey("h001"), 2, lease_ns=SECOND)])

    store.declines = meanwhile
    assert sweeps(store) == Swept(passed=2)
    assert phases(store, 2) == [("settled", 99), ("dispatched", None)]


def test_a_store_that_is_down_ends_a_round_at_once(
    store: Faulty, world: World, sweeps: Callable[..., Swept]
) -> None:
    left_behind(store, 8)
    world.sleep(SECOND)
    store.declines = lambda said: StoreError("down") if "h003" in str(said) else None
    with pytest.raises(StoreError):
        sweeps(store)
    ended = [phase for phase, _ in phases(store, 8) if phase not in OPEN]
    assert len(ended) == 3
    store.declines = lambda _: None
    assert sweeps(store) == Swept(settled=2, released=3)


def test_waits_differ_by_a_fifth_and_double_while_the_store_does_not_answer() -> None:
    period = 30 * SECOND
    assert [wait_ns(period, 0, dice) // SECOND for dice in (0, 500, 1_000)] == [24, 30, 36]
    assert [wait_ns(period, failed, 500) // SECOND for failed in (1, 2, 3, 4, 99)] == [
        60,
        120,
        240,
        300,
        300,
    ]


def test_the_task_sweeps_at_its_pace_backs_off_and_stops(store: Faulty, world: World) -> None:
    rounds: list[int] = []

    class Noting(Faulty):
        def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
            rounds.append(world.now() // SECOND)
            self.down = 40 < rounds[-1] < 200
            return super().read(keys)

    async def main() -> None:
        twin = world.awaiting()
        sweeper = AsyncSweeper(Noting(store.store).awaiting(), twin, dice=lambda: 500)
        sweeper.start()
        sweeper.start()
        await twin.sleep(370 * SECOND)
        await sweeper.close()
        await twin.sleep(600 * SECOND)

    asyncio.run(main())
    assert rounds == [30, 60, 120, 240, 270, 300, 330, 360]


def test_the_thread_sweeps_and_stops(store: Faulty, world: World) -> None:
    left_behind(store, 4)
    world.sleep(SECOND)
    before = threading.active_count()
    sweeper = Sweeper(store, period_ns=1_000_000)
    sweeper.start()
    while any(phase in OPEN for phase, _ in phases(store, 4)):
        store.down = False
    sweeper.close()
    sweeper.close()
    assert threading.active_count() == before
