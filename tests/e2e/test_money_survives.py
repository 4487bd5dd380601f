"""Real processes over one database: no overspend, and no crash loses or doubles anything."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from hyperroute.canon.money import (
    BudgetKey,
    Deposit,
    Hold,
    HoldKey,
    Overdue,
    Overdues,
    PostingKey,
    Spend,
    Sums,
    Totals,
    Wallet,
    WalletKey,
)
from hyperroute.ledger.book import book
from hyperroute.ledger.recovery import endings
from hyperroute.stores.grouping import GroupStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

KILLS = int(os.environ.get("HYPERROUTE_KILLS", "6"))
LIMIT = 100_000_000
"""1.00 USD."""
BUDGET = BudgetKey("key-month", (("key", "k1"),), "2026-11")
OWNER = "user:ada"

WORKER = """
import os, random, sys, time
from concurrent.futures import ThreadPoolExecutor
from hyperroute.canon.money import *
from hyperroute.ledger.book import book
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

place, schema, name, requests, limit = *sys.argv[1:4], *map(int, sys.argv[4:])
if schema:
    store = PostgresStore(place, schema=schema, book=book)
else:
    store = SqliteStore(place, now=time.time_ns, book=book)
budget = BudgetKey("key-month", (("key", "k1"),), "2026-11")
purse = Purse("user:ada")

def one(number):
    dice = random.Random(f"{name}/{number}")
    key, amount = HoldKey(f"{name}/{number}"), dice.randrange(1, 3_000_000)
    terms = ((budget, limit),) if limit else ()
    held = store.commit([Reserve(key, amount, terms, purse, lease_ns=0)])
    if not held.done:
        return None
    store.commit([Dispatch(key, 1, lease_ns=0)])
    store.commit([Checkpoint(key, amount // 3, lease_ns=0)])
    store.commit([End(key, dice.randrange(amount + 1), (Cost("p", 7, True),))])
    os.write(1, f"ended {key.id}\\n".encode())  # whole lines, whichever thread

print("ready", flush=True)
with ThreadPoolExecutor(8) as pool:
    list(pool.map(one, range(requests)))
store.close()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    if request.param == "sqlite":
        return str(tmp_path / "state.db"), ""
    found: tuple[str, str] = request.getfixturevalue("postgres")
    return found


def opened(place: tuple[str, str]) -> GroupStore:
    if place[1]:
        return PostgresStore(place[0], schema=place[1], book=book)
    return SqliteStore(place[0], now=time.time_ns, book=book)


def worker(place: tuple[str, str], name: str, requests: int, limit: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WORKER, *place, name, str(requests), str(limit)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def deposited(place: tuple[str, str], amount: int) -> None:
    with closing(opened(place)) as store:
        assert store.commit([Deposit(PostingKey("pay/1"), OWNER, amount)]).done


def books(store: GroupStore) -> dict[str, int]:
    sums, wallet = store.read([Totals(), WalletKey(OWNER)])
    assert isinstance(sums, Sums)
    assert isinstance(wallet, Wallet)
    accounts = dict(sums.accounts)
    assert sum(accounts.values()) == 0
    assert accounts.get(f"wallet/{OWNER}", 0) == wallet.free >= 0
    assert accounts.get(f"held/{OWNER}", 0) == wallet.held >= 0
    return accounts


def test_invariant_36_processes_that_share_a_budget_never_overspend_it(
    place: tuple[str, str],
) -> None:
    deposited(place, 10 * LIMIT)
    workers = [worker(place, name, 30, LIMIT) for name in "abcdefgh"]  # 64 callers
    told = [one.communicate(timeout=120)[0] for one in workers]
    assert [one.returncode for one in workers] == [0] * 8
    with closing(opened(place)) as store:
        (spend,) = store.read([BUDGET])
        assert isinstance(spend, Spend)
        assert spend.held == 0
        assert LIMIT // 2 < spend.settled <= LIMIT
        ended = [line.split()[1] for text in told for line in text.splitlines()[1:]]
        holds = store.read([HoldKey(name) for name in ended])
        assert len(ended) < 240, "some were refused"
        charged = sum(hold.charged or 0 for hold in holds if isinstance(hold, Hold))
        assert books(store)["sales"] == charged == spend.settled


def test_invariant_34_a_process_that_is_killed_leaves_every_hold_to_end_once(
    place: tuple[str, str],
) -> None:
    dice = random.Random(34)  # noqa: S311 - when to kill, not what to hide
    deposited(place, 1_000 * LIMIT)
    told: set[str] = set()
    for round_ in range(KILLS):
        process = worker(place, f"w{round_}", 1_000_000, 0)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(dice.uniform(0.01, 0.2))
        process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().split("\n")[:-1]
        told |= {line.split()[1] for line in lines if line.startswith("ended ")}
        process.stdout.close()
        process.wait(timeout=60)
    with closing(opened(place)) as store:
        before = books(store)
        for hold in store.read([HoldKey(name) for name in told]):
            assert isinstance(hold, Hold)
            assert hold.phase == "settled", "what was answered is kept"
        (overdue,) = store.read([Overdue(10_000)])
        assert isinstance(overdue, Overdues)
        expected = sum(hold.charged or 0 for _, hold in overdue.holds)
        for end in endings(overdue):
            assert store.commit([end]).done
            assert not store.commit([end]).done
        after = books(store)
        assert after.get("sales", 0) == before.get("sales", 0) + expected
        assert after.get(f"held/{OWNER}", 0) == 0
        assert store.read([Overdue(10_000)]) == (Overdues(()),)
