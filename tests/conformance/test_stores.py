"""One suite over every store: what read and commit mean, whatever stands behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hyperroute.canon.mutation import (
    Changed,
    Charge,
    Charged,
    Commit,
    Correct,
    Delete,
    Exceeded,
    Key,
    Mutation,
    Pace,
    Put,
    RateKey,
    Row,
    RowKey,
    Shelved,
    Stored,
    Tagged,
    Tat,
)
from hyperroute.canon.units import MINUTE, SECOND
from hyperroute.stores.base import Store
from hyperroute.stores.file import FileStore
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore
from hyperroute.stores.valkey import ValkeyStore

SPEED = RateKey("speed", "req/min", (("user", "ada"),))
OTHER = RateKey("speed", "req/min", (("user", "bob"),))
TWO = Pace(2, MINUTE, 2)
ONE = RowKey("key", "k1")
RED, BLUE = (("colour", "red"),), (("colour", "blue"), ("size", "l"))


class Clock:
    now = 0

    def read(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


ALL = ["memory", "file", "sqlite", "postgres"]


@pytest.fixture(params=ALL)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A store of everything."""
    yield from opened_store(request, tmp_path, clock)


@pytest.fixture(params=[*ALL, "valkey"])
def counters(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A store of rate counters at least."""
    yield from opened_store(request, tmp_path, clock)


def opened_store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened: Store
    match request.param:
        case "valkey":
            url = request.getfixturevalue("valkey")
            # The server's own time goes on, and what it thinks full again must not expire yet.
            opened = ValkeyStore(url, now=clock.read, slack_ms=3_600_000)
        case "memory":
            opened = MemoryStore(now=clock.read)
        case "file":
            opened = FileStore(tmp_path / "records.json", now=clock.read)
        case "sqlite":
            opened = SqliteStore(tmp_path / "state.db", now=clock.read)
        case _:
            url, schema = request.getfixturevalue("postgres")
            opened = PostgresStore(url, schema=schema, now=clock.read)
    yield opened
    opened.close()
    opened.close()


def test_what_was_never_written_is_nothing(store: Store) -> None:
    keys: list[Key] = [SPEED, ONE, Tagged("key", "colour", "red"), Shelved("key")]
    assert store.read(keys) == (None, None, (), ())
    assert store.read([]) == ()
    assert store.commit([]) == Commit(done=True, outcomes=())


def test_answers_stand_by_the_position_of_their_keys(store: Store) -> None:
    store.commit([Put(ONE, "1", RED), Charge(SPEED, TWO, 1)])
    record, counter, none, again = store.read([ONE, SPEED, OTHER, ONE])
    assert record == again == Row(ONE, "1", RED, 1)
    assert counter is not None
    assert none is None


def test_a_record_is_written_whole_and_found_by_its_tags(store: Store) -> None:
    assert store.commit([Put(ONE, '{"a": 1}', RED)]).outcomes == (Stored(1),)
    assert store.commit([Put(ONE, '{"b": "é"}', BLUE)]).outcomes == (Stored(2),)
    row = Row(ONE, '{"b": "é"}', BLUE, 2)
    red, blue, large, every = store.read(
        [
            Tagged("key", "colour", "red"),
            Tagged("key", "colour", "blue"),
            Tagged("key", "size", "l"),
            Shelved("key"),
        ]
    )
    assert red == ()
    assert blue == large == every == (row,)


def test_records_are_listed_by_id(store: Store) -> None:
    store.commit([Put(RowKey("key", name), "0", RED) for name in ("b", "c", "a")])
    for key in (Shelved("key"), Tagged("key", "colour", "red")):
        (rows,) = store.read([key])
        assert isinstance(rows, tuple)
        assert [row.key.id for row in rows] == ["a", "b", "c"]


def test_a_version_that_is_not_expected_changes_nothing(store: Store) -> None:
    assert store.commit([Put(ONE, "1", RED, expected=3)]).outcomes == (Changed(0),)
    assert store.commit([Put(ONE, "1", RED, expected=0)]).done
    assert store.commit([Put(ONE, "2", RED, expected=0)]).outcomes == (Changed(1),)
    assert store.commit([Delete(ONE, expected=7)]).outcomes == (Changed(1),)
    assert store.read([ONE]) == (Row(ONE, "1", RED, 1),)
    assert store.commit([Put(ONE, "2", RED, expected=1)]).outcomes == (Stored(2),)


def test_no_two_writings_have_one_version_though_a_deletion_is_between(store: Store) -> None:
    store.commit([Put(ONE, "1")])
    assert store.commit([Delete(ONE)]).done
    assert store.read([ONE, Shelved("key")]) == (None, ())
    assert store.commit([Put(ONE, "1")]).outcomes == (Stored(3),)
    assert store.commit([Delete(RowKey("key", "none"))]).done


def test_a_batch_is_done_whole_or_not_at_all_and_every_reason_is_told(store: Store) -> None:
    batch: list[Charge | Put | Correct] = [
        Charge(SPEED, TWO, 2),
        Charge(OTHER, TWO, 3),
        Put(ONE, "1", RED),
        Put(RowKey("key", "k2"), "1", expected=9),
        Correct(RateKey("tokens", "tok/min", ()), TWO, 5),
    ]
    commit = store.commit(batch)
    assert not commit.done
    assert commit.outcomes == (
        Charged(0, MINUTE),
        Exceeded(None, 2, 0),
        commit.outcomes[2],
        Changed(0),
        Charged(0, 150 * SECOND),
    )
    assert store.read([m.key for m in batch]) == (None,) * 5
    assert store.read([Shelved("key")]) == ((),)


def test_a_counter_refuses_beyond_its_pace_and_tells_the_least_wait(
    counters: Store, clock: Clock
) -> None:
    assert counters.commit([Charge(SPEED, TWO, 2)]).outcomes == (Charged(0, MINUTE),)
    before = counters.read([SPEED])
    clock.now = 10 * SECOND
    refused = counters.commit([Charge(SPEED, TWO, 1)])
    assert refused == Commit(done=False, outcomes=(Exceeded(20 * SECOND, 0, 50 * SECOND),))
    assert counters.read([SPEED]) == before
    clock.now = 30 * SECOND
    assert counters.commit([Charge(SPEED, TWO, 1)]).done


def test_a_third_of_a_nanosecond_is_kept(counters: Store) -> None:
    thirds = Pace(3, 1, 9)
    assert [counters.commit([Charge(SPEED, thirds, 1)]).done for _ in range(10)] == [True] * 9 + [
        False
    ]


def test_a_correction_is_never_declined(counters: Store) -> None:
    assert counters.commit([Correct(SPEED, TWO, 4)]).outcomes == (Charged(0, 2 * MINUTE),)
    assert not counters.commit([Charge(SPEED, TWO, 1)]).done
    assert counters.commit([Correct(SPEED, TWO, -9)]).outcomes == (Charged(2, 0),)
    assert counters.commit([Charge(SPEED, TWO, 2)]).done


def test_counters_of_a_batch_are_charged_whole_or_not_at_all(counters: Store) -> None:
    tokens = RateKey("tokens", "tok/min", ())
    batch: list[Mutation] = [
        Charge(SPEED, TWO, 2),
        Charge(OTHER, TWO, 3),
        Correct(tokens, TWO, 5),
    ]
    told = counters.commit(batch)
    assert told == Commit(
        False, (Charged(0, MINUTE), Exceeded(None, 2, 0), Charged(0, 150 * SECOND))
    )
    assert counters.read([SPEED, OTHER, tokens]) == (None,) * 3
    told = counters.commit([batch[0], batch[2]])
    assert told == Commit(True, (Charged(0, MINUTE), Charged(0, 150 * SECOND)))
    assert counters.read([OTHER, tokens, SPEED]) == (
        None,
        Tat(150 * SECOND, 0, 2),
        Tat(MINUTE, 0, 2),
    )
    assert counters.read([]) == ()
    assert counters.commit([]) == Commit(done=True, outcomes=())


def test_two_mutations_of_one_thing_are_a_defect_of_the_caller(store: Store) -> None:
    with pytest.raises(ValueError, match="twice"):
        store.commit([Put(ONE, "1"), Delete(ONE)])
    assert store.read([ONE]) == (None,)


def test_two_charges_of_one_counter_are_a_defect_of_the_caller(counters: Store) -> None:
    with pytest.raises(ValueError, match="twice"):
        counters.commit([Charge(SPEED, TWO, 1), Correct(SPEED, TWO, 1)])
    assert counters.read([SPEED]) == (None,)


def test_what_is_kept_for_a_time_is_nothing_after_it(store: Store, clock: Clock) -> None:
    if isinstance(store, FileStore):
        pytest.skip("a keys file keeps nothing for a time")
    one = RowKey("idempotency", "i1")
    keys: list[Key] = [one, Tagged("idempotency", "colour", "red"), Shelved("idempotency")]
    assert store.commit([Put(one, "1", RED, keep_ns=10 * SECOND)]).done
    row = Row(one, "1", RED, 1, 10 * SECOND)
    clock.now = 10 * SECOND - 1
    assert store.read(keys) == (row, (row,), (row,))
    assert store.commit([Put(one, "1", RED, expected=0)]).outcomes == (Changed(1),)
    clock.now = 10 * SECOND
    assert store.read(keys) == (None, (), ())
    assert store.commit([Put(one, "late", expected=1)]).outcomes == (Changed(0),)
    assert store.commit([Delete(one, expected=1)]).outcomes == (Changed(0),)
    assert store.commit([Put(one, "2", BLUE, expected=0)]).outcomes == (Stored(2),)
    clock.now = 10 * MINUTE
    assert store.commit([Put(one, "late", expected=1)]).outcomes == (Changed(2),)
    assert store.read(keys) == (Row(one, "2", BLUE, 2), (), (Row(one, "2", BLUE, 2),))


def test_many_threads_take_exactly_what_there_is(counters: Store) -> None:
    pace = Pace(40, MINUTE, 40)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: counters.commit([Charge(SPEED, pace, 1)]).done, range(100)))
    assert done.count(True) == 40


def test_of_many_threads_that_make_one_record_one_does(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(
            pool.map(lambda n: store.commit([Put(ONE, str(n), expected=0)]).done, range(12))
        )
    assert done.count(True) == 1


def test_the_awaiting_twin_answers_the_same(store: Store) -> None:
    async def both() -> tuple[object, ...]:
        twin = store.awaiting()
        commit = await twin.commit([Put(ONE, "1", RED)])
        found = await twin.read([ONE])
        await twin.close()
        return commit, found

    assert asyncio.run(both()) == (
        Commit(done=True, outcomes=(Stored(1),)),
        (Row(ONE, "1", RED, 1),),
    )


def test_the_awaiting_twin_counts_the_same(counters: Store) -> None:
    async def both() -> tuple[object, ...]:
        twin = counters.awaiting()
        told = await asyncio.gather(*[twin.commit([Charge(SPEED, TWO, 1)]) for _ in range(5)])
        found = await twin.read([SPEED])
        await twin.close()
        return sum(commit.done for commit in told), *found

    assert asyncio.run(both()) == (2, Tat(MINUTE, 0, 2))
