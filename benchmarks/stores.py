"""Holds a second: ``python -m benchmarks.stores [--postgres URL]``.

A hold is a ``Reserve`` against a wallet and a budget, durable before its caller goes on. Fifty
callers each wait for their own; over many accounts each has its own wallet and budget, on one hot
account they all share one. *Awaiting* callers are tasks of one event loop, *blocking* ones threads.
The last column is what a hold costs this process, callers included, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from hyperroute.canon.money import BudgetKey, Deposit, HoldKey, PostingKey, Purse, Reserve
from hyperroute.ledger.book import book
from hyperroute.stores.base import Store
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

CALLERS = 50
LIMIT = 10**15


def reserve(owner: str, name: str) -> Reserve:
    """Write a hold of one account."""
    budget = BudgetKey("key-month", (("key", owner),), "2026-11")
    return Reserve(HoldKey(name), 1_000, ((budget, LIMIT),), Purse(owner))


def owners(*, hot: bool) -> list[str]:
    """Name the account of each caller."""
    return ["user:hot" if hot else f"user:{number}" for number in range(CALLERS)]


def awaiting(store: Store, seconds: float, *, hot: bool) -> float:
    """Count holds a second of fifty tasks."""

    async def run() -> float:
        twin, run_name = store.awaiting(), uuid4().hex
        until = time.perf_counter() + seconds

        async def caller(number: int, owner: str) -> int:
            done = 0
            while time.perf_counter() < until:
                commit = await twin.commit([reserve(owner, f"{run_name}/{number}/{done}")])
                assert commit.done
                done += 1
            return done

        began = time.perf_counter()
        total = sum(
            await asyncio.gather(*(caller(n, owner) for n, owner in enumerate(owners(hot=hot))))
        )
        return total / (time.perf_counter() - began)

    return asyncio.run(run())


def blocking(store: Store, seconds: float, *, hot: bool) -> float:
    """Count holds a second of fifty threads."""
    run_name = uuid4().hex
    until = time.perf_counter() + seconds

    def caller(number: int, owner: str) -> int:
        done = 0
        while time.perf_counter() < until:
            assert store.commit([reserve(owner, f"{run_name}/{number}/{done}")]).done
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        total = sum(pool.map(caller, range(CALLERS), owners(hot=hot)))
    return total / (time.perf_counter() - began)


def main() -> None:
    """Print a row for each store."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", metavar="URL")
    parser.add_argument("--seconds", type=float, default=3.0)
    said = parser.parse_args()
    schema = f"bench_{uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        makers: dict[str, Callable[[], Store]] = {
            "memory": lambda: MemoryStore(now=time.time_ns, book=book),
            "sqlite": lambda: SqliteStore(path, now=time.time_ns, book=book),
        }
        if said.postgres:
            makers["postgres"] = lambda: PostgresStore(said.postgres, schema=schema, book=book)
        columns = ("awaiting", "hot", "blocking", "hot", "CPU us")
        print(f"{'holds a second':14} " + " ".join(f"{one:>9}" for one in columns))
        for name, make in makers.items():
            store = make()
            for owner in {*owners(hot=True), *owners(hot=False)}:
                store.commit([Deposit(PostingKey(f"pay/{owner}"), owner, LIMIT)])
            began, spent = time.perf_counter(), time.process_time()
            told = [
                measure(store, said.seconds, hot=hot)
                for measure in (awaiting, blocking)
                for hot in (False, True)
            ]
            total = sum(told) / len(told) * (time.perf_counter() - began)
            told.append((time.process_time() - spent) / total * 1e6)
            store.close()
            print(f"{name:14} " + " ".join(f"{one:9.0f}" for one in told), flush=True)
    if said.postgres:
        import psycopg

        with psycopg.connect(said.postgres) as connection:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


if __name__ == "__main__":
    main()
