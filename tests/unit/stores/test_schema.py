"""The schema: brought up to date from every release, and every look-up by an index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hyperroute.canon.auditing import HoldsAfter, PostingsOf
from hyperroute.canon.journal import Log, UsageKey, UsageRow
from hyperroute.canon.money import (
    BudgetKey,
    Checkpoint,
    Cost,
    Deposit,
    Dispatch,
    End,
    Hold,
    HoldKey,
    Overdue,
    PostingKey,
    Purse,
    Reserve,
    Spend,
    Wallet,
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
    Row,
    RowKey,
    Tagged,
)
from hyperroute.errors import StoreError
from hyperroute.ledger.book import book
from hyperroute.stores import asking, bulk, sql
from hyperroute.stores.grouping import GroupStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore
from hyperroute.stores.waiting import Waiting

Batch = Waiting[Sequence[Mutation], Commit]
ADA, BUDGET = "user:ada", BudgetKey("key-month", (("key", "k1"),), "2026-11")
OLD = (
    "INSERT INTO records (shelf, id, body, tags, version) VALUES ('key', 'k1', '{}', '[]', 1)",
    "UPDATE commits SET number = 1",
    "INSERT INTO wallets (owner, free, held) VALUES ('user:ada', 300, 700)",
    """INSERT INTO spends (limit_name, subject, period, settled, held)
        VALUES ('key-month', '[["key","k1"]]', '2026-11', 0, 700)""",
    """INSERT INTO holds
        (id, amount, owner, of_wallet, bounded, budgets, phase, attempt, due, charged)
        VALUES ('h1', 700, 'user:ada', 700, 1, '[["key-month",[["key","k1"]],"2026-11"]]',
        'held', 0, 5, NULL)""",
    "INSERT INTO entries (posting, account, amount, at) VALUES ('pay/1', 'funds', -1000, 1)",
)
"""What a release of two steps left behind."""
POINTS: tuple[Key, ...] = (
    RateKey("l", "req/min", (("user", "ada"),)),
    RowKey("key", "k1"),
    WalletKey(ADA),
    BUDGET,
    HoldKey("h1"),
    PostingKey("h1/hold"),
    UsageKey("req_1"),
)


class Place:
    """A database of either kind: opened as a store, or by hand."""

    def __init__(self, path: Path | None, postgres: tuple[str, str]) -> None:
        self.path, (self.url, self.schema) = path, postgres

    def opened(self) -> GroupStore:
        if self.path is not None:
            return SqliteStore(self.path, now=lambda: 10, book=book)
        return PostgresStore(self.url, schema=self.schema, now=lambda: 10, book=book)

    def execute(self, *texts: str) -> list[Any]:
        if self.path is not None:
            with closing(sqlite3.connect(self.path, isolation_level=None)) as file:
                return [file.execute(text).fetchall() for text in texts]
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self.schema}")
            connection.execute(f"SET search_path = {self.schema}")
            told = [connection.execute(text) for text in texts]
            return [one.fetchall() if one.description else [] for one in told]

    def made(self, steps: int) -> None:
        """Make what a release of so many steps made."""
        self.execute(sql.STEPS_TABLE)
        for number, step in enumerate(sql.SCHEMA[:steps]):
            self.execute(*step, f"INSERT INTO schema_steps (step) VALUES ({number})")  # noqa: S608 - a number of ours


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield Place(tmp_path / "state.db", ("", ""))
    else:
        yield Place(None, request.getfixturevalue("postgres"))


@pytest.mark.parametrize("steps", range(len(sql.SCHEMA) + 1))
def test_a_database_of_any_older_release_is_brought_up_to_date(place: Place, steps: int) -> None:
    place.made(steps)
    if steps >= 2:
        place.execute(*OLD)
    with closing(place.opened()) as store:
        if steps >= 2:
            row, wallet, spend, hold = store.read(
                [RowKey("key", "k1"), WalletKey(ADA), BUDGET, HoldKey("h1")]
            )
            assert row == Row(RowKey("key", "k1"), "{}", (), 1)
            assert wallet == Wallet(300, 700)
            assert spend == Spend(0, 700)
            assert hold == Hold(700, ADA, 700, True, (BUDGET,), "held", 0, 5)
            assert store.commit([End(HoldKey("h1"), 500, (Cost("p", 1, True),))]).done
            assert store.read([WalletKey(ADA), BUDGET]) == (Wallet(500, 0), Spend(500, 0))
        assert store.commit([Deposit(PostingKey("pay/2"), ADA, 7)]).done
        assert store.commit([Put(RowKey("key", "k2"), "{}", (("p", "1"),))]).done
    (found,) = place.execute("SELECT step FROM schema_steps ORDER BY step")
    assert [step for (step,) in found] == list(range(len(sql.SCHEMA)))


def test_a_database_of_a_newer_release_is_refused_and_left_as_it_is(place: Place) -> None:
    place.opened().close()
    place.execute("INSERT INTO schema_steps VALUES (97), (98)")
    with pytest.raises(StoreError, match="a newer release made it") as caught:
        place.opened()
    assert f"{len(sql.SCHEMA) + 2} steps" in str(caught.value)
    assert str(len(sql.SCHEMA)) in str(caught.value)
    assert place.execute("SELECT COUNT(*) FROM schema_steps") == [[(len(sql.SCHEMA) + 2,)]]


# --- plans ---------------------------------------------------------------------------------------
def looked_up(text: str, values: Sequence[Any], path: Path | None) -> tuple[str, list[Any]]:
    """The statement for two cells of a kind, as the store would ask."""
    if path is not None:
        return bulk.look_up_listed(text, 2), [*values, *values]
    return bulk.look_up_in_arrays(text), bulk.columns_of([tuple(values)] * 2)[1]


def asked(path: Path | None) -> Iterator[tuple[str, list[Any]]]:
    for key in POINTS:
        text, values = asking.select(key, now=0)
        yield text, list(values)
        yield looked_up(text, values, path)
    for key in (
        Tagged("key", "prefix", "ck_1"),
        Overdue(10),
        HoldsAfter("h0", 10),
        PostingsOf(("h1/hold", "h1/end")),
    ):
        text, values = asking.select(key, now=0)
        yield text, list(values)
    for text, values in (
        sql.forget_full(9),
        sql.committed(9),
        *sql.write(POINTS[0], None),  # type: ignore[arg-type]
        *sql.write(POINTS[1], None),  # type: ignore[arg-type]
    ):
        yield text, list(values)


def test_every_look_up_of_sqlite_is_by_an_index(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Place(path, ("", "")).opened().close()
    with closing(sqlite3.connect(path)) as file:
        names = file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        tables = "|".join([name for (name,) in names])
        for text, values in asked(path):
            plan = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {text}", values)]
            assert any("SEARCH" in line for line in plan), (text, plan)
            assert not any(re.match(rf"SCAN ({tables})", line) for line in plan), (text, plan)
            assert not any("TEMP B-TREE" in line for line in plan), (text, plan)


def test_every_look_up_of_postgres_is_by_an_index(postgres: tuple[str, str]) -> None:
    url, schema = postgres
    with closing(PostgresStore(url, schema=schema)) as store:
        connection = store._writer._open()  # type: ignore[attr-defined]
        connection.execute("SET enable_seqscan = off")  # as in a table that is not empty
        for text, values in asked(None):
            rows = connection.execute(f"EXPLAIN {text.replace('?', '%s')}", values).fetchall()
            plan = [line for (line,) in rows]
            assert any("Index" in line for line in plan), (text, plan)
            assert not any("Seq Scan" in line for line in plan), (text, plan)


def test_writing_a_record_takes_as_long_among_many_as_among_few(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    steps = []
    with closing(Place(path, ("", "")).opened()) as store:
        for count in (10, 1_000):
            names = [RowKey("key", f"k{number}") for number in range(count)]
            store.commit([Put(name, "{}", (("prefix", name.id),)) for name in names])
            taken = 0

            def count_step() -> None:
                nonlocal taken
                taken += 1

            file = store._writer._connection  # type: ignore[attr-defined]
            file.set_progress_handler(count_step, 1)
            store.commit([Put(names[5], "[]", (("prefix", "other"),))])
            file.set_progress_handler(None, 0)
            steps.append(taken)
    assert steps[1] <= steps[0] + 10


# --- how many statements ---------------------------------------------------------------------------
def carried_out(store: GroupStore, batches: Sequence[Mutation]) -> list[str]:
    """Carry out one group of batches, and tell what was asked of the database."""
    journeys: list[str] = []
    writer, group = store._writer, [Batch([one]) for one in batches]
    store._writer = Noting(writer, journeys)
    store._carry_out(group)
    store._writer = writer
    assert all(one.result(5).done for one in group)
    return journeys


class Noting:
    def __init__(self, writer: Any, journeys: list[str]) -> None:
        self._writer, self._journeys = writer, journeys

    def __getattr__(self, name: str) -> Any:
        if name in {"begin", "look_up", "execute", "finish"}:
            self._journeys.append(name)
        return getattr(self._writer, name)


def test_a_group_of_any_size_is_three_journeys(place: Place) -> None:
    slots = ((BudgetKey("open", (), "now"), 99),)
    pace = Pace(9, 9, 9)
    holds = [
        Reserve(HoldKey(f"r{n}"), 5, ((BUDGET, 10**9),), Purse(ADA), slots=slots) for n in range(40)
    ]
    with closing(place.opened()) as store:
        money = [Deposit(PostingKey(f"pay/{n}"), ADA, 10**9) for n in range(3)]
        assert carried_out(store, money) == ["begin", "finish"]
        assert carried_out(store, holds) == ["begin", "finish"]
        later: list[Mutation] = [Dispatch(one.key, 1) for one in holds[:9]]
        later += [Checkpoint(one.key, 1) for one in holds[:9]]
        later += [Charge(RateKey("l", "m", ()), pace, 1), Correct(RateKey("l", "n", ()), pace, 1)]
        later += [Put(RowKey("key", "k1"), "{}"), Delete(RowKey("key", "k2"))]
        later += [Log(UsageRow(id=f"u{n}", at=n % 2)) for n in range(9)]
        assert carried_out(store, later) == ["begin", "finish"]
        ends = [End(one.key, 3, (Cost("p", 1, True),)) for one in holds]
        assert carried_out(store, ends) == ["begin", "look_up", "finish"]
