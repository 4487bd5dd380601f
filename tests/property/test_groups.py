"""Commits that share a transaction do what each would do alone, one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyperroute.canon.journal import Log, UsageQuery, UsageRow, UsageSums
from hyperroute.canon.money import (
    BudgetKey,
    Checkpoint,
    Cost,
    Deposit,
    Dispatch,
    End,
    HoldKey,
    Overdue,
    PostingKey,
    Purse,
    Reserve,
    Totals,
    WalletKey,
)
from hyperroute.canon.mutation import (
    Charge,
    Commit,
    Correct,
    Delete,
    Key,
    Mutation,
    Pace,
    Put,
    RateKey,
    RowKey,
    Shelved,
)
from hyperroute.canon.units import DAY
from hyperroute.ledger.book import book
from hyperroute.stores.base import Store
from hyperroute.stores.grouping import GroupStore
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

OWNERS = ('user:"ada"\\', "org:{a,b}", "NULL")
"""With what an array of Postgres has to spell out."""
BUDGETS = tuple(
    BudgetKey("key-month", (("key", name), ("user", "é")), "2026-11") for name in ("k1", "k2")
)
SLOTS = (BudgetKey("open", (("key", "k1"),), "now"),)
HOLDS = tuple(HoldKey(f"h{number}") for number in range(4))
RATES = tuple(RateKey("speed", "req/min", (("user", name),)) for name in ("ada", "bob"))
ROWS = tuple(RowKey("key", name) for name in ("a", "b"))
KEYS: tuple[Key, ...] = (
    *map(WalletKey, OWNERS),
    *BUDGETS,
    *SLOTS,
    *HOLDS,
    *RATES,
    *ROWS,
    *[PostingKey(f"{hold.id}/{kind}") for hold in HOLDS for kind in ("hold", "end")],
    *[PostingKey(f"pay/{number}") for number in range(3)],
    Shelved("key"),
    Overdue(9),
    Totals(),
    UsageQuery(),
    UsageQuery(order="dearest"),
    UsageSums(by=("owner", "day", "model")),
    UsageSums(by=("owner", "status")),
)
PACE = Pace(3, 60_000_000_000, 3)

amounts = st.integers(0, 300)
holds = st.sampled_from(HOLDS)
purses = st.one_of(st.none(), st.builds(Purse, st.sampled_from(OWNERS), st.sampled_from([None, 0])))
reserve = st.builds(
    Reserve,
    holds,
    amounts,
    st.lists(st.sampled_from(BUDGETS), max_size=2, unique=True).map(
        lambda keys: tuple((key, 500) for key in keys)
    ),
    purses,
    lease_ns=st.just(0),
    attempt=st.integers(0, 1),
    slots=st.sampled_from([(), tuple((key, 2) for key in SLOTS)]),
)
end = st.builds(
    End,
    holds,
    st.one_of(st.none(), amounts),
    st.lists(st.builds(Cost, st.just("p"), amounts, st.booleans()), max_size=1).map(tuple),
    st.booleans(),
)
log = st.builds(
    Log,
    st.builds(
        UsageRow,
        id=st.sampled_from(["u1", "u2", "u3", "u4"]),
        at=st.sampled_from([1, DAY]),
        owner=st.sampled_from(OWNERS),
        model=st.sampled_from(["m", ""]),
        status=st.sampled_from([200, 429]),
        credits=amounts,
        cost=st.one_of(st.none(), amounts),
    ),
)
expected = st.one_of(st.none(), st.integers(0, 3))
mutation: st.SearchStrategy[Mutation] = st.one_of(
    reserve,
    end,
    reserve,
    end,
    log,
    st.builds(Dispatch, holds, st.integers(1, 3), st.just(0)),
    st.builds(Checkpoint, holds, amounts, st.just(0)),
    st.builds(
        Deposit,
        st.integers(0, 2).map(lambda number: PostingKey(f"pay/{number}")),
        st.sampled_from(OWNERS),
        st.integers(1, 900),
    ),
    st.builds(Charge, st.sampled_from(RATES), st.just(PACE), st.integers(1, 3)),
    st.builds(Correct, st.sampled_from(RATES), st.just(PACE), st.integers(-3, 3)),
    st.builds(Put, st.sampled_from(ROWS), st.just("{}"), st.just((("p", "1"),)), expected),
    st.builds(Delete, st.sampled_from(ROWS), expected),
)
batches = st.lists(st.lists(mutation, max_size=3), min_size=8, max_size=40)


def told(commit: Commit | Exception) -> Commit | str:
    """A defect of the caller is told as a text: several may have their own."""
    return commit if isinstance(commit, Commit) else type(commit).__name__


def one_by_one(store: Store, batch: Sequence[Mutation]) -> Commit | str:
    try:
        return store.commit(batch)
    except ValueError as error:
        return told(error)


def together(store: GroupStore, batches: Sequence[Sequence[Mutation]]) -> list[Commit | str]:
    """Hand all over before the first is answered, so that most of them share a transaction."""
    answers: list[Commit | str] = []
    for waiting in [store.submit(batch) for batch in batches]:
        try:
            answers.append(waiting.result(10))
        except ValueError as error:
            answers.append(told(error))
    return answers


def compare(store: GroupStore, batches: Sequence[Sequence[Mutation]]) -> None:
    memory = MemoryStore(now=lambda: 1, book=book)
    try:
        assert together(store, batches) == [one_by_one(memory, batch) for batch in batches]
        assert store.read(KEYS) == memory.read(KEYS)
    finally:
        store.close()


@settings(max_examples=25)
@given(batches)
def test_invariants_33_and_34_and_36_hold_of_commits_that_share_a_transaction_of_sqlite(
    batches: list[list[Mutation]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare(SqliteStore(Path(folder) / "state.db", now=lambda: 1, book=book), batches)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches)
def test_invariants_33_and_34_and_36_hold_of_commits_that_share_a_transaction_of_postgres(
    postgres: tuple[str, str], batches: list[list[Mutation]]
) -> None:
    url, schema = postgres
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    compare(PostgresStore(url, schema=schema, now=lambda: 1, book=book), batches)
