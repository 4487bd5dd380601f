"""What replicas share, in figures: ``python -m benchmarks.shared [--url redis://…] [--seconds S]``.

A batch is what a request of a user with two limits takes: one of its calls and a hundred of its
tokens. Its latency is that of one caller who asks again and again; its rate that of fifty, tasks of
one event loop or threads. An exchange is a round of one replica that has a word to say and a lease
to keep. Beside each stands what it costs this process in CPU: on a machine that others use too it
says more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from hyperroute.canon.mutation import Charge, Mutation, Pace, RateKey
from hyperroute.canon.units import MINUTE
from hyperroute.stores.base import Store
from hyperroute.stores.gossiping import Outgoing
from hyperroute.stores.guarding import Guard, GuardedStore
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.valkey import ValkeyStore
from hyperroute.stores.valkey_gossip import ValkeyGossip

CALLERS = 50
PACE = Pace(10**9, MINUTE, 10**9)


def batch(number: int) -> list[Mutation]:
    """What one request takes; a thousand users take turns."""
    subject = (("user", f"u{number % 1_000}"),)
    return [
        Charge(RateKey("user-speed", "req/min", subject), PACE, 1),
        Charge(RateKey("user-speed", "tok/min", subject), PACE, 100),
    ]


def row(name: str, count: Callable[[], tuple[int, list[float]]]) -> None:
    """Print how many there were, how long each took, and what it cost."""
    began, cpu = time.perf_counter(), time.process_time()
    done, lasted = count()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    lasted.sort()
    median, late = (lasted[int(len(lasted) * share)] * 1e6 for share in (0.5, 0.99))
    told = f"{done / seconds:>10,.0f}/s {cpu / done * 1e6:>8,.0f} µs of CPU"
    print(f"{name:32} {told} {median:>9,.0f} µs median {late:>9,.0f} µs at 99 %", flush=True)


def blocking(store: Store, seconds: float, callers: int) -> tuple[int, list[float]]:
    """Ask in threads."""
    lasted: list[float] = []
    until = time.perf_counter() + seconds
    lock = threading.Lock()

    def ask(caller: int) -> int:
        done, mine = 0, []
        while (began := time.perf_counter()) < until:
            assert store.commit(batch(caller * 7 + done)).done
            mine.append(time.perf_counter() - began)
            done += 1
        with lock:
            lasted.extend(mine)
        return done

    with ThreadPoolExecutor(callers) as pool:
        return sum(pool.map(ask, range(callers))), lasted


def awaiting(store: Store, seconds: float, callers: int) -> tuple[int, list[float]]:
    """Ask in tasks."""
    lasted: list[float] = []

    async def ask(twin: object, caller: int, until: float) -> int:
        done = 0
        while (began := time.perf_counter()) < until:
            commit = await twin.commit(batch(caller * 7 + done))  # type: ignore[attr-defined]
            assert commit.done
            lasted.append(time.perf_counter() - began)
            done += 1
        return done

    async def everybody() -> int:
        twin = store.awaiting()
        await twin.read([])
        until = time.perf_counter() + seconds
        done = await asyncio.gather(*[ask(twin, one, until) for one in range(callers)])
        return sum(done)

    return asyncio.run(everybody()), lasted


def exchanges(url: str, seconds: float) -> tuple[int, list[float]]:
    """Make rounds."""
    way, since, lasted = ValkeyGossip(url), "", list[float]()
    way.exchange(Outgoing(wanted=("offer",)))
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        out = Outgoing(words=('["circuit","x",1,0,0,5,9,1,0,0]',), kept=("offer",), since=since)
        since = way.exchange(out).since
        lasted.append(time.perf_counter() - began)
    way.close()
    return len(lasted), lasted


def main() -> None:
    """Print a row for each way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default="redis://127.0.0.1:6379/0")
    parser.add_argument("--seconds", type=float, default=2.0)
    said = parser.parse_args()
    prefix = f"bench_{uuid4().hex[:8]}"
    url = f"{said.url}?prefix={prefix}"
    print(f"load {os.getloadavg()[0]:.1f}")
    memory = MemoryStore(now=time.time_ns)
    valkey = ValkeyStore(url)
    guarded = GuardedStore(valkey, Guard("limits", now=time.monotonic_ns))
    row("memory, one thread", lambda: blocking(memory, said.seconds, 1))
    for name, store in (("valkey", valkey), ("valkey, guarded", guarded)):
        row(f"{name}, one task", lambda store=store: awaiting(store, said.seconds, 1))  # type: ignore[misc]
        row(f"{name}, {CALLERS} tasks", lambda store=store: awaiting(store, said.seconds, CALLERS))  # type: ignore[misc]
    row("valkey, one thread", lambda: blocking(valkey, said.seconds, 1))
    row(f"valkey, {CALLERS} threads", lambda: blocking(valkey, said.seconds, CALLERS))
    row("exchange of health", lambda: exchanges(url, said.seconds))
    valkey.close()
    import redis

    with redis.Redis.from_url(said.url) as client:
        for name in client.scan_iter(match=f"{{{prefix}}}*", count=1_000):
            client.delete(name)


if __name__ == "__main__":
    main()
