"""A store that is down is not asked for ever, and nobody waits behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from hyperroute.canon.journal import UsageQuery
from hyperroute.canon.mutation import (
    Charge,
    Charged,
    Commit,
    Exceeded,
    Found,
    Key,
    Mutation,
    Pace,
    Put,
    RateKey,
    RowKey,
)
from hyperroute.canon.units import MILLISECOND, MINUTE, SECOND
from hyperroute.errors import StoreError
from hyperroute.stores.base import AsyncStore, Store
from hyperroute.stores.guarding import Guard, GuardedStore
from hyperroute.stores.memory import MemoryStore

KEY = RateKey("speed", "req/min", (("user", "ada"),))
ONE = [Charge(KEY, Pace(2, MINUTE, 2), 1)]


class Troubled:
    """A store that answers, fails or stalls as it is told, and counts how often it was asked."""

    def __init__(self) -> None:
        self.now = 0
        self.error: Exception | None = None
        self.stalls = False
        self.asked = 0
        self.kept = MemoryStore(now=lambda: 0)

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.kept.read(keys)

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        self.read([])
        return self.kept.commit(mutations)

    def awaiting(self) -> AsyncStore:
        return _Twin(self)

    def close(self) -> None:
        self.kept.close()


class _Twin:
    def __init__(self, store: Troubled) -> None:
        self._store = store

    async def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        await self._stall()
        return self._store.read(keys)

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        await self._stall()
        return self._store.commit(mutations)

    async def close(self) -> None:
        self._store.close()

    async def _stall(self) -> None:
        if self._store.stalls:
            self._store.asked += 1
            await asyncio.Event().wait()


def guarded(
    store: Troubled, *, fallback: Store | None = None, flying_max: int = 9
) -> tuple[Guard, GuardedStore]:
    guard = Guard("limits", now=lambda: store.now, flying_max=flying_max)
    return guard, GuardedStore(store, guard, patience_ns=5 * MILLISECOND, fallback=fallback)


def verbs(store: GuardedStore) -> list[Callable[[], object]]:
    """Both verbs in both colours."""
    return [
        lambda: store.read([KEY]),
        lambda: store.commit(ONE),
        lambda: asyncio.run(_done(store.awaiting().read([KEY]))),
        lambda: asyncio.run(_done(store.awaiting().commit(ONE))),
    ]


@pytest.mark.parametrize("verb", range(4))
def test_after_five_failures_in_a_row_a_store_is_left_alone_until_it_answers(verb: int) -> None:
    store = Troubled()
    guard, door = guarded(store)
    ask = verbs(door)[verb]
    ask()
    assert not guard.down
    store.error = StoreError("refused")
    for _ in range(5):
        with pytest.raises(StoreError, match="refused"):
            ask()
        assert guard.down
    asked = store.asked
    with pytest.raises(StoreError, match="the store of limits is down"):
        ask()
    assert store.asked == asked
    store.now += 2 * SECOND
    with pytest.raises(StoreError, match="refused"):
        ask()  # the probe
    with pytest.raises(StoreError, match="is down"):
        ask()
    assert store.asked == asked + 1
    store.error = None
    with pytest.raises(StoreError, match="is down"):
        ask()
    store.now += 3 * SECOND
    stood = []
    for _ in range(2):
        ask()
        stood.append(guard.down)
    assert stood == [True, False]
    ask()


def test_only_one_probe_is_let_through() -> None:
    store = Troubled()
    guard, door = guarded(store)
    store.error = StoreError("refused")
    for _ in range(5):
        with pytest.raises(StoreError):
            door.read([])
    store.now += 2 * SECOND
    with guard.asking(), pytest.raises(StoreError, match="is down"):
        door.read([])
    store.error = None
    door.read([])
    assert not guard.down


def test_failures_that_are_not_in_a_row_open_nothing() -> None:
    store = Troubled()
    guard, door = guarded(store)
    for number in range(30):
        store.error = StoreError("refused") if number % 5 else None
        if store.error is None:
            door.read([])
            assert not guard.down
        else:
            with pytest.raises(StoreError, match="refused"):
                door.read([])


@pytest.mark.parametrize("error", [StoreError("no such column", misfit=True), ValueError("twice")])
def test_a_batch_that_is_itself_at_fault_says_nothing_of_the_store(error: Exception) -> None:
    store = Troubled()
    guard, door = guarded(store, fallback=MemoryStore(now=lambda: 0))
    store.error = error
    for _ in range(9):
        for ask in verbs(door):
            with pytest.raises(type(error), match=str(error)):
                ask()
    assert not guard.down


def test_a_stall_is_given_up_and_its_commit_is_of_unknown_fate() -> None:
    store = Troubled()
    guard, door = guarded(store)
    store.stalls = True
    for ask, unknown in ((verbs(door)[2], False), (verbs(door)[3], True)):
        with pytest.raises(StoreError, match=r"limits did not answer within 0\.005 s") as caught:
            ask()
        assert caught.value.unknown is unknown
    assert guard.down


def test_a_crowd_behind_a_stalled_store_is_turned_away() -> None:
    store = Troubled()
    _, door = guarded(store, flying_max=3)
    store.stalls = True

    async def crowd() -> list[BaseException | Commit]:
        twin = door.awaiting()
        return await asyncio.gather(*[twin.commit(ONE) for _ in range(8)], return_exceptions=True)

    said = [str(error) for error in asyncio.run(crowd())]
    assert sum("did not answer" in one for one in said) == 3
    assert sum("3 callers wait" in one for one in said) == 5
    assert store.asked == 3


def test_who_leaves_a_stalled_store_frees_a_place_and_says_nothing_of_it() -> None:
    store = Troubled()
    guard, door = guarded(store, flying_max=1)
    store.stalls = True

    async def leaves() -> None:
        twin = door.awaiting()
        for _ in range(9):
            task = asyncio.ensure_future(twin.commit(ONE))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

    asyncio.run(leaves())
    assert not guard.down


@pytest.mark.parametrize("awaited", [False, True])
def test_limits_that_degrade_open_are_counted_by_each_process_for_itself(awaited: bool) -> None:
    store = Troubled()
    guard, door = guarded(store, fallback=MemoryStore(now=lambda: 0))
    read, charge = verbs(door)[2 * awaited : 2 * awaited + 2]
    charge()
    store.error = StoreError("lost", unknown=True)
    told = [charge() for _ in range(9)]
    assert told[:2] == [
        Commit(done=True, outcomes=(Charged(1, 30 * SECOND),)),
        Commit(done=True, outcomes=(Charged(0, MINUTE),)),
    ]
    assert told[2:] == [Commit(done=False, outcomes=(Exceeded(30 * SECOND, 0, MINUTE),))] * 7
    assert read() != (None,)
    assert guard.down


def test_records_never_degrade_open() -> None:
    store = Troubled()
    _, door = guarded(store, fallback=MemoryStore(now=lambda: 0))
    store.error = StoreError("refused")
    record = Put(RowKey("key", "k"), "{}")
    twin = door.awaiting()
    refused: list[Callable[[], object]] = [
        lambda: door.commit([*ONE, record]),
        lambda: door.commit([record]),
        lambda: door.read([KEY, RowKey("key", "k")]),
        lambda: door.read([]),
        lambda: asyncio.run(_done(twin.commit([*ONE, record]))),
        lambda: asyncio.run(_done(twin.read([KEY, RowKey("key", "k")]))),
        lambda: asyncio.run(_done(twin.read([]))),
    ]
    for ask in refused:
        with pytest.raises(StoreError, match=r"refused|down"):
            ask()


async def _done(verb: Coroutine[Any, Any, object]) -> object:
    return await verb


@pytest.mark.parametrize("stalls", [False, True])
def test_reports_that_are_given_up_shut_the_door_for_nobody(stalls: bool) -> None:
    store = Troubled()
    guard, door = guarded(store)
    store.error, store.stalls = StoreError("interrupted"), stalls
    for _ in range(9):
        with pytest.raises(StoreError):
            asyncio.run(_done(door.awaiting().read([UsageQuery()])))
    store.error, store.stalls = None, False
    assert not guard.down
    assert door.read([KEY]) == (None,)
