"""Holds a second: ``python -m benchmarks.stores [--postgres URL] [--end] [--threads]``.

A hold is a ``Reserve`` against a strict wallet and a budget, durable before its caller goes on; with
``--end`` each is settled too, and a figure counts both. Fifty callers each wait for their own: tasks
of one event loop, or threads. Over *many* accounts each has its own wallet and budget, on one *hot*
account they all share one.

Beside each rate stands what a commit costs this process in CPU, callers included, of which the
system's part is mostly the writing of pages: on a machine that others use too it says more. The
names of holds begin with the time, as those of requests should, so that what is written together
lies together.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from hyperroute.canon.money import (
    BudgetKey,
    Cost,
    Deposit,
    End,
    HoldKey,
    MoneyMutation,
    PostingKey,
    Purse,
    Reserve,
)
from hyperroute.ledger.book import book
from hyperroute.stores.base import Store
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

CALLERS = 50
LIMIT = 10**15


def commits(owner: str, number: int, *, end: bool) -> list[MoneyMutation]:
    """Write a hold of one account, and its end if that counts too."""
    key = HoldKey(f"req_{time.time_ns():016x}{number:04x}")
    budget = BudgetKey("key-month", (("key", owner),), "2026-11")
    hold = Reserve(key, 1_000, ((budget, LIMIT),), Purse(owner))
    return [hold, End(key, 700, (Cost("p", 300, True),))] if end else [hold]


def owners(*, hot: bool) -> list[str]:
    """Name the account of each caller."""
    return ["user:hot" if hot else f"user:{number}" for number in range(CALLERS)]


def awaiting(store: Store, seconds: float, *, hot: bool, end: bool) -> int:
    """Count the commits of fifty tasks."""

    async def run() -> int:
        twin = store.awaiting()
        until = time.perf_counter() + seconds

        async def caller(number: int, owner: str) -> int:
            done = 0
            while time.perf_counter() < until:
                for mutation in commits(owner, number, end=end):
                    assert (await twin.commit([mutation])).done
                    done += 1
            return done

        callers = [caller(number, owner) for number, owner in enumerate(owners(hot=hot))]
        return sum(await asyncio.gather(*callers))

    return asyncio.run(run())


def blocking(store: Store, seconds: float, *, hot: bool, end: bool) -> int:
    """Count the commits of fifty threads."""
    until = time.perf_counter() + seconds

    def caller(number: int, owner: str) -> int:
        done = 0
        while time.perf_counter() < until:
            for mutation in commits(owner, number, end=end):
                assert store.commit([mutation]).done
                done += 1
        return done

    with ThreadPoolExecutor(CALLERS) as pool:
        return sum(pool.map(caller, range(CALLERS), owners(hot=hot)))


def measured(count: Callable[[], int]) -> str:
    """Say how many a second, and the CPU of each: all of it, and the system's part."""
    began, spent = time.perf_counter(), os.times()
    done = count()
    seconds, after = time.perf_counter() - began, os.times()
    system = (after.system - spent.system) / done * 1e6
    user = (after.user - spent.user) / done * 1e6
    return f"{done / seconds:8.0f}/s {user + system:4.0f} us ({system:3.0f})"


def main() -> None:
    """Print a row for each store."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", metavar="URL")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--end", action="store_true", help="settle each hold, and count that too")
    parser.add_argument("--threads", action="store_true", help="callers are threads and not tasks")
    said = parser.parse_args()
    schema = f"bench_{uuid4().hex[:8]}"
    played = blocking if said.threads else awaiting
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        makers: dict[str, Callable[[], Store]] = {
            "memory": lambda: MemoryStore(now=time.time_ns, book=book),
            "sqlite": lambda: SqliteStore(path, now=time.time_ns, book=book),
        }
        if said.postgres:
            makers["postgres"] = lambda: PostgresStore(said.postgres, schema=schema, book=book)
        print(f"load {os.getloadavg()[0]:.1f}   {'many accounts':>24} {'one hot account':>26}")
        for name, make in makers.items():
            store = make()
            for owner in {*owners(hot=True), *owners(hot=False)}:
                store.commit([Deposit(PostingKey(f"pay/{owner}"), owner, LIMIT)])
            told = []
            for hot in (False, True):

                def count(store: Store = store, hot: bool = hot) -> int:
                    return played(store, said.seconds, hot=hot, end=said.end)

                told.append(measured(count))
            store.close()
            print(f"{name:10} " + "  ".join(f"{one:>24}" for one in told), flush=True)
    if said.postgres:
        import psycopg

        with psycopg.connect(said.postgres) as connection:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


if __name__ == "__main__":
    main()
