"""The journal of requests in every store: rows that are written once, and their sums by day."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hyperroute.canon.journal import (
    Dimension,
    Forget,
    Forgotten,
    Log,
    Logged,
    Order,
    Selection,
    Tallies,
    Tally,
    UsageKey,
    UsagePage,
    UsageQuery,
    UsageRow,
    UsageSums,
)
from hyperroute.canon.money import Deposit, Held, HoldKey, Posted, PostingKey, Purse, Reserve
from hyperroute.canon.mutation import Mutation, Put, RowKey
from hyperroute.canon.units import DAY
from hyperroute.canon.usage import Usage
from hyperroute.ledger.book import book
from hyperroute.stores.base import Store
from hyperroute.stores.file import FileStore
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

NOON = 20_000 * DAY + DAY // 2
FULL = UsageRow(
    id="req_full",
    at=NOON,
    owner="user:ada",
    key="key_1",
    endpoint="chat",
    requested="Größe-100%_sicher!",
    model="gpt-5.5",
    offer="gpt-5.5@openai",
    provider="openai",
    region="eu",
    status=200,
    latency_ms=1_234,
    ttft_ms=56,
    usage=Usage(input_tokens=1_000, cache_read_tokens=800, output_tokens=50, images=2, run_ms=7),
    credits=12_345_678,
    cost=9_000_000,
    lost=0,
    attempts=2,
    stream=True,
    job="job_1",
    error="stalled",
    left="drained",
)
ALL = Selection()
BARE = UsageRow(id="req_bare", at=NOON + 1, status=401, error="unauthorized")


@pytest.fixture(params=["memory", "file", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store
    match request.param:
        case "memory":
            opened = MemoryStore(now=lambda: 1, book=book)
        case "file":
            opened = FileStore(tmp_path / "records.json", now=lambda: 1)
        case "sqlite":
            opened = SqliteStore(tmp_path / "state.db", now=lambda: 1, book=book)
        case _:
            url, schema = request.getfixturevalue("postgres")
            opened = PostgresStore(url, schema=schema, now=lambda: 1, book=book)
    yield opened
    opened.close()


def logged(store: Store, *rows: UsageRow) -> None:
    assert store.commit([Log(row) for row in rows]).done


def ids(store: Store, selection: Selection = ALL, order: Order = "newest") -> list[str]:
    (found,) = store.read([UsageQuery(selection=selection, order=order)])
    assert isinstance(found, UsagePage)
    return [row.id for row in found.rows]


def tallies(store: Store, sums: UsageSums) -> tuple[Tally, ...]:
    (found,) = store.read([sums])
    assert isinstance(found, Tallies)
    return found.tallies


def test_a_row_comes_back_as_it_was_written(store: Store) -> None:
    assert store.read([UsageKey("req_full"), UsageQuery(), UsageSums()]) == (
        None,
        UsagePage(()),
        Tallies(()),
    )
    commit = store.commit([Log(FULL), Log(BARE)])
    assert commit.done
    assert commit.outcomes == (Logged(), Logged())
    assert store.read([UsageKey("req_full"), UsageKey("req_bare")]) == (FULL, BARE)
    assert store.read([UsageQuery()]) == (UsagePage((BARE, FULL)),)
    assert FULL.served == "gpt-5.5"
    assert BARE.served is None


def test_zero_and_unknown_stay_different(store: Store) -> None:
    zero = replace(FULL, id="zero", cost=0, lost=0, usage=Usage(input_tokens=0, estimated=True))
    unknown = replace(zero, id="unknown", cost=None, lost=None, usage=Usage(), ttft_ms=None)
    logged(store, zero, unknown)
    assert store.read([UsageKey("zero"), UsageKey("unknown")]) == (zero, unknown)
    (tally,) = tallies(store, UsageSums())
    assert tally == Tally(group=(), requests=2, credits=2 * FULL.credits, uncosted=1)


def test_the_same_id_twice_is_one_row_and_nothing_is_added(store: Store) -> None:
    logged(store, FULL)
    commit = store.commit([Log(replace(FULL, credits=1, status=500))])
    assert commit.done
    assert commit.outcomes == (Logged(again=True),)
    assert store.read([UsageKey(FULL.id)]) == (FULL,)
    (tally,) = tallies(store, UsageSums(by=("status",)))
    assert (tally.group, tally.requests, tally.credits) == ((200,), 1, FULL.credits)
    with pytest.raises(ValueError, match="twice"):
        store.commit([Log(BARE), Log(BARE)])


def test_many_rows_of_one_day_and_group_go_in_one_batch(store: Store) -> None:
    rows = [replace(FULL, id=f"r{number}", at=NOON + number) for number in range(20)]
    logged(store, *rows)
    (tally,) = tallies(store, UsageSums(by=("day", "key")))
    assert tally.group == (20_000, "key_1")
    assert (tally.requests, tally.credits) == (20, 20 * FULL.credits)
    assert (tally.input_tokens, tally.output_tokens, tally.cache_read_tokens) == (
        20_000,
        1_000,
        16_000,
    )


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(), "dcba"),
        (Selection(since=NOON + 1), "dcb"),
        (Selection(until=NOON + 1), "a"),
        (Selection(since=NOON, until=NOON), ""),
        (Selection(owner="user:ada"), "ba"),
        (Selection(owner="user:ad"), ""),
        (Selection(key="k2"), "db"),
        (Selection(endpoint="messages"), "c"),
        (Selection(model="opus"), "dc"),
        (Selection(status=(429, 429)), "b"),
        (Selection(status=(400, 499)), "dba"),
        (Selection(latency_ms_min=30), "dc"),
        (Selection(credits_min=31), "d"),
        (Selection(credits_min=30, owner="org:acme"), "dc"),
        (Selection(text="OPUS"), "dc"),
        (Selection(text="rate_L"), "b"),
        (Selection(text="rate%l"), ""),
        (Selection(text="r_te"), ""),
        (Selection(text="100%"), "a"),
        (Selection(text="!"), "a"),
        (Selection(text="Größe"), "a"),
        (Selection(text="MESSAGES"), "c"),
        (Selection(text="D"), "dba"),
        (Selection(text="'; DROP TABLE usage_rows; --"), ""),
        (Selection(since=NOON, owner="user:ada", key="k2", status=(429, 429), text="x"), ""),
    ],
)
def test_each_filter_selects_what_it_says(store: Store, selection: Selection, found: str) -> None:
    logged(
        store,
        replace(BARE, id="a", at=NOON, owner="user:ada", key="k1", requested="Größe-100%!"),
        replace(
            BARE,
            id="b",
            at=NOON + 1,
            owner="user:ada",
            key="k2",
            status=429,
            latency_ms=20,
            error="rate_limited",
        ),
        replace(
            BARE,
            id="c",
            at=NOON + 2,
            owner="org:acme",
            key="k1",
            endpoint="messages",
            model="opus",
            status=200,
            latency_ms=30,
            credits=30,
            error=None,
        ),
        replace(
            BARE,
            id="d",
            at=NOON + 3,
            owner="org:acme",
            key="k2",
            model="opus",
            status=499,
            latency_ms=40,
            credits=40,
            error=None,
        ),
    )
    wanted = list(found)
    assert ids(store, selection) == wanted
    counted = sum(tally.requests for tally in tallies(store, UsageSums(selection=selection)))
    assert counted == len(wanted)


def test_rows_are_handed_out_in_every_order_and_page_by_page(store: Store) -> None:
    prices = [5, 9, 9, 1, 7]
    rows = [
        replace(BARE, id=f"r{number}", at=NOON + number // 2, credits=price)
        for number, price in enumerate(prices)
    ]
    logged(store, *rows)
    assert ids(store) == ["r4", "r3", "r2", "r1", "r0"]
    assert ids(store, order="oldest") == ["r0", "r1", "r2", "r3", "r4"]
    assert ids(store, order="dearest") == ["r2", "r1", "r4", "r0", "r3"]
    for order in ("oldest", "newest"):
        found, after = list[str](), None
        while True:
            (page,) = store.read([UsageQuery(order=order, limit=2, after=after)])
            assert isinstance(page, UsagePage)
            if not page.rows:
                break
            assert len(page.rows) <= 2
            found += [row.id for row in page.rows]
            after = (page.rows[-1].at, page.rows[-1].id)
        assert found == ids(store, order=order)


def test_sums_are_ordered_by_their_groups(store: Store) -> None:
    for number, (day, model, status) in enumerate(
        [(9, "b", 500), (10, "B", 200), (10, "a", 99), (9, "a", 200)]
    ):
        logged(store, replace(BARE, id=str(number), at=day * DAY, model=model, status=status))
    asked: tuple[tuple[tuple[Dimension, ...], list[tuple[object, ...]]], ...] = (
        (("day",), [(9,), (10,)]),
        (("model", "day"), [("B", 10), ("a", 9), ("a", 10), ("b", 9)]),
        (("status",), [(99,), (200,), (500,)]),
        (("owner", "key", "endpoint"), [("", "", "")]),
    )
    for by, groups in asked:
        for selection in (Selection(), Selection(latency_ms_min=0)):
            told = tallies(store, UsageSums(selection=selection, by=by))
            assert [tally.group for tally in told] == groups


def test_what_is_forgotten_leaves_its_sums(store: Store) -> None:
    logged(store, *[replace(BARE, id=f"r{number}", at=NOON + number) for number in range(5)])
    whole = tallies(store, UsageSums())
    commit = store.commit([Forget(before=NOON + 4, most=3)])
    assert commit.done
    assert commit.outcomes == (Forgotten(),)
    assert ids(store) == ["r4", "r3"]
    assert store.commit([Forget(before=NOON + 4)]).done
    assert store.commit([Forget(before=NOON + 4)]).done
    assert ids(store) == ["r4"]
    assert store.read([UsageKey("r0")]) == (None,)
    assert tallies(store, UsageSums()) == whole
    assert tallies(store, UsageSums(selection=Selection(latency_ms_min=0)))[0].requests == 1


def test_a_row_goes_along_with_other_mutations_or_not_at_all(store: Store) -> None:
    if isinstance(store, FileStore):
        batch: list[Mutation] = [Put(RowKey("key", "k"), "1", expected=0), Log(FULL)]
        assert not store.commit([Put(RowKey("key", "k"), "1", expected=3), Log(FULL)]).done
    else:
        store.commit([Deposit(PostingKey("pay"), "user:ada", 100)])
        batch = [Reserve(HoldKey("h"), 40, purse=Purse("user:ada")), Log(FULL)]
        assert not store.commit(
            [Reserve(HoldKey("h"), 140, purse=Purse("user:ada")), Log(FULL)]
        ).done
    assert store.read([UsageKey(FULL.id), UsageSums()]) == (None, Tallies(()))
    commit = store.commit(batch)
    assert commit.done
    assert commit.outcomes[1] == Logged()
    assert isinstance(commit.outcomes[0], Held | Posted) or isinstance(store, FileStore)
    assert store.read([UsageKey(FULL.id)]) == (FULL,)
    assert tallies(store, UsageSums())[0].requests == 1


def test_the_awaiting_twin_reads_and_writes_the_same_journal(store: Store) -> None:
    async def both() -> None:
        twin = store.awaiting()
        commits = await asyncio.gather(
            *[twin.commit([Log(replace(FULL, id=f"r{number % 7}"))]) for number in range(21)]
        )
        assert sum(commit.outcomes == (Logged(),) for commit in commits) == 7
        found, sums = await twin.read([UsageQuery(limit=3), UsageSums()])
        assert isinstance(found, UsagePage)
        assert len(found.rows) == 3
        assert isinstance(sums, Tallies)
        assert sums.tallies[0].requests == 7

    asyncio.run(both())


def test_a_year_of_numbers_adds_up_beyond_32_bits(store: Store) -> None:
    large = 10**15
    rows = [
        replace(FULL, id=f"r{number}", credits=large, cost=large, usage=Usage(input_tokens=large))
        for number in range(3)
    ]
    logged(store, *rows)
    for selection in (Selection(), Selection(latency_ms_min=0)):
        (tally,) = tallies(store, UsageSums(selection=selection))
        assert tally.credits == tally.cost == tally.input_tokens == 3 * large
