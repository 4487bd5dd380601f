"""One SQLite file: durable before it is answered, whatever happens to the process."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from hyperroute.canon.journal import (
    Log,
    Selection,
    Tallies,
    UsagePage,
    UsageQuery,
    UsageRow,
    UsageSums,
)
from hyperroute.canon.money import Deposit, PostingKey, Wallet, WalletKey
from hyperroute.canon.mutation import (
    Charge,
    Commit,
    Key,
    Mutation,
    Pace,
    Put,
    RateKey,
    Row,
    RowKey,
    Shelved,
    Tat,
)
from hyperroute.canon.units import MINUTE, SECOND
from hyperroute.errors import StoreError
from hyperroute.ledger.book import book
from hyperroute.stores.browsing import BROWSERS_MAX
from hyperroute.stores.grouping import SWEEP_NS
from hyperroute.stores.lapsing import LAPSED_MAX, LAPSED_NS
from hyperroute.stores.sqlite import SqliteStore
from hyperroute.stores.waiting import Waiting

TWO = Pace(2, MINUTE, 2)


def opened(path: Path, **said: Any) -> SqliteStore:
    return SqliteStore(path, now=lambda: 0, **said)


def put(name: str, expected: int | None = 0) -> Put:
    return Put(RowKey("key", name), "{}", (("prefix", name),), expected=expected)


def charge(number: int) -> Charge:
    return Charge(RateKey("l", "req/min", (("user", str(number)),)), TWO, 1)


def ids(store: SqliteStore) -> list[str]:
    (rows,) = store.read([Shelved("key")])
    assert isinstance(rows, tuple)
    return [row.key.id for row in rows]


def test_what_was_answered_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(opened(path)) as store:
        assert store.commit([put("a"), charge(1)]).done
        found = store.read([RowKey("key", "a"), charge(1).key])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with closing(opened(path)) as store:
        assert store.read([RowKey("key", "a"), charge(1).key]) == found
        assert isinstance(found[0], Row)
        assert isinstance(found[1], Tat)
        assert store.commit([put("b")]).done
        assert ids(store) == ["a", "b"]


WRITER = """
import sys
from hyperroute.canon.money import Deposit, PostingKey, Wallet, WalletKey
from hyperroute.canon.mutation import Charge, Pace, Put, RateKey, RowKey
from hyperroute.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1], now=lambda: 0)
rate = RateKey("l", "req/min", ())
print("ready", flush=True)
for number in range(int(sys.argv[3])):
    name = sys.argv[2] + str(number)
    taken = store.commit([Charge(rate, Pace(100, 60_000_000_000, 100), 1)]).done
    assert store.commit([Put(RowKey("key", name), "{}", expected=0)]).done
    print(name, taken, flush=True)
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_processes_of_one_host_share_counters_and_records_exactly(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    told = [one.communicate(timeout=60)[0] for one in [writer(path, name, 60) for name in "ab"]]
    with closing(opened(path)) as store:
        assert len(ids(store)) == 120
    assert sum(line.endswith("True") for text in told for line in text.splitlines()) == 100


def test_a_process_that_is_killed_loses_nothing_that_it_was_told(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for round_, lines in enumerate((1, 4, 9)):
        process = writer(path, f"r{round_}-", 1_000_000)
        assert process.stdout is not None
        told = [process.stdout.readline().split()[0] for _ in range(lines + 1)][1:]
        process.send_signal(signal.SIGKILL)
        told += [line.split()[0] for line in process.stdout.read().splitlines() if " " in line]
        process.stdout.close()
        process.wait(timeout=60)
        with closing(opened(path)) as store:
            kept = [name for name in ids(store) if name.startswith(f"r{round_}-")]
        assert set(told) <= set(kept)
        assert len(kept) - len(told) in (0, 1), "the one that was not told of may be kept"


def test_many_callers_share_their_transactions(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "state.db")) as store, ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda n: store.commit([charge(n // 4)]).done, range(400)))
    assert done.count(True) == 200


def test_a_file_of_a_newer_release_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    opened(path).close()
    with closing(sqlite3.connect(path)) as file:
        file.execute("INSERT INTO schema_steps VALUES (97), (98), (99)")
        file.commit()
    with pytest.raises(StoreError, match="this release knows"):
        opened(path)


def test_what_is_no_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text(
        "no database, and long enough to be seen as something else\n" * 40
    )
    for path, said in (
        (tmp_path / "text.db", "is not a database"),
        (tmp_path / "none" / "state.db", "No such file"),
        (tmp_path, "cannot be opened"),
    ):
        with pytest.raises(StoreError, match=said):
            opened(path)


def test_a_lock_that_nobody_lets_go_of_is_a_clear_error_and_nothing_was_done(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    with closing(opened(path, patience_ns=1_000_000_000)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError) as caught:
                store.commit([put("a")])
            with pytest.raises(StoreError):
                asyncio.run(store.awaiting().commit([put("a")]))
            assert str(path) in str(caught.value)
            assert not caught.value.unknown
        assert store.read([Shelved("key")]) == ((),)


def test_nobody_waits_behind_more_than_may_wait(tmp_path: Path) -> None:
    with (
        closing(opened(tmp_path / "state.db", waiting_max=0)) as store,
        pytest.raises(StoreError, match="0 commits wait"),
    ):
        store.commit([put("a")])


def test_a_commit_that_was_given_up_in_time_is_not_carried_out(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(opened(path)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            first = store.submit([put("a")])
            while not first.running():
                pass
            second = store.submit([put("b")])
            assert not store.gave_up(second).unknown
            assert store.gave_up(first).unknown
            other.execute("COMMIT")
        assert first.result(5).done
        assert ids(store) == ["a"]


def test_a_closed_store_answers_nobody(tmp_path: Path) -> None:
    store = opened(tmp_path / "state.db")
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.commit([put("a")])
    asked: list[Key] = [Shelved("key"), UsageQuery()]
    for key in asked:
        with pytest.raises(StoreError, match="closed"):
            store.read([key])
        with pytest.raises(StoreError, match="closed"):
            asyncio.run(store.awaiting().read([key]))


def test_a_clock_that_falls_back_gives_nobody_more_or_less(tmp_path: Path) -> None:
    now = 2 * MINUTE
    with closing(SqliteStore(tmp_path / "state.db", now=lambda: now)) as store:
        assert store.commit([charge(1)]).done
        before = store.read([charge(1).key])
        now = MINUTE
        assert store.commit([charge(1)]).done
        now = 2 * MINUTE
        assert not store.commit([charge(1)]).done
        assert before != store.read([charge(1).key])


def test_counters_that_are_full_again_are_swept(tmp_path: Path) -> None:
    now = SWEEP_NS
    with closing(SqliteStore(tmp_path / "state.db", now=lambda: now)) as store:
        assert store.commit([charge(1)]).done
        now += SWEEP_NS
        assert store.commit([charge(2)]).done
        assert store.read([charge(1).key]) == (None,)


def test_what_no_database_holds_is_an_error_of_its_own_batch_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    huge = Charge(RateKey("l", "tok/month", ()), Pace(1, 10**18, 10**6), 10**6)
    with closing(opened(path)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            first = store.submit([put("a")])
            while not first.running():
                pass
            group = [
                store.submit(batch) for batch in ([put("b")], [huge], [put("\udc80")], [put("c")])
            ]
            other.execute("COMMIT")
        for future in (group[1], group[2]):
            with pytest.raises(StoreError, match="cannot be written") as caught:
                future.result(5)
            assert not caught.value.unknown
        assert first.result(5).done
        assert group[0].result(5).done
        assert group[3].result(5).done
        assert ids(store) == ["a", "b", "c"]


def test_a_defect_is_told_to_who_made_it_and_the_writer_lives_on(tmp_path: Path) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("a defect of ours")

    with closing(opened(tmp_path / "state.db", book=broken)) as store:
        with pytest.raises(RuntimeError, match="a defect of ours"):
            store.commit([Deposit(PostingKey("p"), "user:ada", 1)])
        assert store.commit([put("a")]).done


def test_a_defect_is_that_of_one_batch_and_not_of_those_beside_it(tmp_path: Path) -> None:
    def broken(mutation: Any, find: Any, now: int) -> Any:
        if mutation.amount == 13:
            raise RuntimeError("a defect of ours")
        return book(mutation, find, now)

    said = [Deposit(PostingKey(f"p{amount}"), "user:ada", amount) for amount in (11, 12, 13, 14)]
    with closing(opened(tmp_path / "state.db", book=broken)) as store:
        group = [Waiting[Sequence[Mutation], Commit]([one]) for one in said]
        store._carry_out(group)
        with pytest.raises(RuntimeError, match="a defect of ours"):
            group[2].result(0)
        assert all(group[at].result(0).done for at in (0, 1, 3))
        assert store.read([WalletKey("user:ada")]) == (Wallet(37),)


def test_a_caller_that_goes_away_leaves_its_commit_to_be_done(tmp_path: Path) -> None:
    async def leave(store: SqliteStore) -> None:
        task = asyncio.create_task(store.awaiting().commit([put("a")]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await store.awaiting().commit([put("b")])).done

    with closing(opened(tmp_path / "state.db")) as store:
        asyncio.run(leave(store))
        assert ids(store) == ["a", "b"]


def test_records_that_have_lapsed_are_removed_a_few_at_a_time(tmp_path: Path) -> None:
    now, path = 0, tmp_path / "state.db"
    with closing(SqliteStore(path, now=lambda: now)) as store, closing(sqlite3.connect(path)) as db:
        store.commit(
            [
                Put(RowKey("idempotency", str(number)), "{}", (("a", "b"),), keep_ns=1)
                for number in range(2 * LAPSED_MAX + 50)
            ]
        )
        now = LAPSED_NS
        store.commit([Put(RowKey("idempotency", "late"), "{}", keep_ns=1), put("stays")])
        left = []
        for _ in range(3):
            store.commit([])
            store.commit([])  # within the second: one looks once
            now += LAPSED_NS
            ((rows, tags),) = db.execute(
                "SELECT (SELECT COUNT(*) FROM records), (SELECT COUNT(*) FROM record_tags)"
            )
            left.append((rows, tags))
        assert left == [(252, 251), (52, 51), (1, 1)]
        assert ids(store) == ["stays"]
        assert db.execute("SELECT COUNT(*) FROM records").fetchone() == (1,)


def test_a_key_is_read_while_somebody_asks_about_many_rows(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "s.db", now=lambda: 0)) as store:
        with store.browsing:
            assert store.read([RowKey("key", "k1")]) == (None,)
            assert asyncio.run(store.awaiting().read([RowKey("key", "k1")])) == (None,)
        assert store.read([UsageQuery(), Shelved("key")]) == (UsagePage(()), ())


def test_only_so_many_wait_to_ask_about_many_rows(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "s.db", now=lambda: 0)) as store:

        async def ask() -> list[Any]:
            twin = store.awaiting()
            asking = [twin.read([UsageQuery()]) for _ in range(BROWSERS_MAX + 3)]
            with store.browsing:  # the first of those who wait
                tasks = [asyncio.ensure_future(one) for one in asking]
                for done in islice(asyncio.as_completed(tasks), 4):
                    with pytest.raises(StoreError, match="too many"):
                        await done
                assert await twin.read([RowKey("key", "k1")]) == (None,)
            return list(await asyncio.gather(*tasks, return_exceptions=True))

        told = asyncio.run(ask())
    assert sum(isinstance(one, StoreError) for one in told) == 4
    assert sum(one == (UsagePage(()),) for one in told) == BROWSERS_MAX - 1


def test_a_question_that_takes_too_long_is_given_up_and_the_next_is_answered(
    tmp_path: Path,
) -> None:
    clock = [0]
    patience = 5 * SECOND

    def hurried() -> int:
        clock[0] += patience if late else 0
        return clock[0]

    late = False
    rows = [UsageRow(id=f"r{number}", at=number) for number in range(2_000)]
    asked = UsageSums(selection=Selection(text="r1"))
    with closing(SqliteStore(tmp_path / "s.db", now=hurried, patience_ns=patience)) as store:
        store.commit([Log(row) for row in rows])
        late = True
        with pytest.raises(StoreError, match="interrupted"):
            store.read([asked])
        assert store.commit([Log(UsageRow(id="r_new", at=0))]).done
        late = False
        (found,) = store.read([asked])
        assert isinstance(found, Tallies)
        assert found.tallies[0].requests == 1_111
