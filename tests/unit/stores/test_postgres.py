"""What only a server can do: go away and come back, and know the time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from hyperroute.canon.money import (
    Deposit,
    HoldKey,
    Overdue,
    Overdues,
    PostingKey,
    Purse,
    Reserve,
    Wallet,
    WalletKey,
)
from hyperroute.canon.mutation import Commit, Found, Key, Mutation, Put, RowKey, Shelved
from hyperroute.errors import StoreError
from hyperroute.ledger.book import book
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sql import Statement
from hyperroute.stores.waiting import Waiting

Batch = Waiting[Sequence[Mutation], Commit]
Question = Waiting[Sequence[Key], tuple[Found, ...]]


def put(name: str) -> Put:
    return Put(RowKey("key", name), "{}", (("prefix", name),), expected=0)


def test_a_connection_that_breaks_is_made_anew(postgres: tuple[str, str]) -> None:
    url, schema = postgres
    with closing(PostgresStore(url, schema=schema)) as store:
        assert store.commit([put("a")]).done
        assert store.read([RowKey("key", "a")]) != (None,)
        with psycopg.connect(url, autocommit=True) as admin:
            ours = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
            )
            admin.execute(ours, (f"hyperroute/{schema}",))
        with pytest.raises(StoreError, match="cannot be written") as caught:
            store.commit([put("b")])
        assert not caught.value.unknown
        with pytest.raises(StoreError, match="cannot be read"):
            store.read([RowKey("key", "a")])
        assert store.commit([put("b")]).done
        (rows,) = store.read([Shelved("key")])
        assert isinstance(rows, tuple)
        assert len(rows) == 2


def test_replicas_wait_for_one_another_and_none_for_ever(postgres: tuple[str, str]) -> None:
    url, schema = postgres
    with closing(PostgresStore(url, schema=schema, patience_ns=1_000_000_000)) as store:
        lock = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
        with psycopg.connect(url) as other:
            other.execute(lock, (f"hyperroute/{schema}",))
            with pytest.raises(StoreError, match="cannot be written") as caught:
                store.commit([put("a")])
            assert not caught.value.unknown
        for _ in range(20):  # until the server has let go of what was given up
            try:
                assert store.commit([put("b")]).done
                break
            except StoreError:
                continue
        assert store.read([RowKey("key", "a")]) == (None,)


def test_what_fits_no_column_spoils_nothing_of_those_beside_it_nor_of_those_after(
    postgres: tuple[str, str],
) -> None:
    url, schema = postgres
    with closing(PostgresStore(url, schema=schema, now=lambda: 0, book=book)) as store:
        for number in range(8):
            good, late, nul = (
                Deposit(PostingKey(f"{number}/{n}"), "user:ada", 5) for n in range(3)
            )
            huge = replace(late, amount=2**63)
            group = [Batch([one]) for one in (good, huge, replace(nul, owner="a\0b"))]
            store._carry_out(group)
            assert group[0].result(0).done
            for waiting in group[1:]:
                with pytest.raises(StoreError, match="cannot be written") as caught:
                    waiting.result(0)
                assert not caught.value.unknown
            with pytest.raises(StoreError, match="cannot be read"):
                store.read([WalletKey("user:ada"), WalletKey("a\0b")])
            assert store.read([WalletKey("user:ada")]) == (Wallet(5 * (number + 1)),)


def test_questions_that_gather_share_a_journey_and_each_has_its_own_answer(
    postgres: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, schema = postgres
    with closing(PostgresStore(url, schema=schema)) as store:
        store.commit([put(name) for name in "abc"])
        journeys: list[int] = []
        read = store._reader.read

        def noted(statements: Sequence[Statement]) -> list[Sequence[Any]]:
            journeys.append(len(statements))
            return read(statements)

        monkeypatch.setattr(store._reader, "read", noted)
        asked: list[list[Key]] = [
            [RowKey("key", "a")],
            [],
            [RowKey("key", "b"), RowKey("key", "none"), RowKey("key", "c")],
        ]
        group = [Question(keys) for keys in asked]
        store._answer_group(group)
        assert journeys == [4]
        told = [[row and row.key for row in one.result(0)] for one in group]  # type: ignore[union-attr]
        assert told == [asked[0], [], [asked[2][0], None, asked[2][2]]]
        wrong = [Question([RowKey("key", name)]) for name in ("a", "a\0b", "c")]
        store._answer_group(wrong)
        assert wrong[0].result(0)[0] is not None
        assert wrong[2].result(0)[0] is not None
        with pytest.raises(StoreError, match="cannot be read"):
            wrong[1].result(0)


@pytest.mark.parametrize("when", ["as it begins", "as it commits", "as it is told"])
def test_a_connection_that_breaks_leaves_its_caller_in_doubt_only_of_what_may_be_done(
    postgres: tuple[str, str], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    url, schema = postgres
    with closing(PostgresStore(url, schema=schema)) as store:
        assert store.commit([put("a")]).done
        session: Any = store._writer
        leave = psycopg.Pipeline.__exit__

        def breaks(pipeline: psycopg.Pipeline, *why: Any) -> None:
            if when != "as it begins" and not session._committing:
                leave(pipeline, *why)
                return
            if when == "as it is told":
                leave(pipeline, *why)
            session._connection.close()
            raise psycopg.OperationalError("the network is gone")

        monkeypatch.setattr(psycopg.Pipeline, "__exit__", breaks)
        with pytest.raises(StoreError, match="the network is gone") as caught:
            store.commit([put("b")])
        monkeypatch.undo()
        assert caught.value.unknown is (when != "as it begins")
        (row,) = store.read([RowKey("key", "b")])
        if when != "as it commits":  # which the server may have heard, or not
            assert (row is not None) is (when == "as it is told")
        assert store.commit([put("c")]).done


def test_what_is_read_is_what_stands_when_the_lock_is_had(postgres: tuple[str, str]) -> None:
    url, schema = postgres
    with closing(PostgresStore(url, schema=schema, book=book)) as store:
        store.commit([Deposit(PostingKey("pay/1"), "user:ada", 5)])
        default = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ"
        store._writer.execute(default, ())
        with psycopg.connect(url) as other:
            other.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"hyperroute/{schema}",)
            )
            waiting = store.submit([Reserve(HoldKey("r1"), 5, purse=Purse("user:ada"))])
            waits = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event = 'advisory'"
            while other.execute(waits, (f"hyperroute/{schema}",)).fetchone() is None:
                time.sleep(0.01)
            other.execute(f"UPDATE {schema}.wallets SET free = 0")  # noqa: S608 - a name of ours
        assert not waiting.result(5).done


def test_the_time_is_the_servers(postgres: tuple[str, str]) -> None:
    url, schema = postgres
    with closing(PostgresStore(url, schema=schema, book=book)) as store:
        store.commit([Deposit(PostingKey("pay/1"), "user:ada", 5)])
        before = time.time_ns()
        store.commit([Reserve(HoldKey("r1"), 5, purse=Purse("user:ada"), lease_ns=0)])
        (overdue,) = store.read([Overdue(9)])
        assert isinstance(overdue, Overdues)
        ((key, hold),) = overdue.holds
        assert key == HoldKey("r1")
        assert abs(hold.due - before) < 60_000_000_000
