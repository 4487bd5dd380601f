"""Paired CPU and wall times of whole calls: ours, raw httpx, and the peers that are installed.

Run ``uv run --with litellm --with tensorzero python -m benchmarks.calls``. Each round times every contender in
turn, so that a ratio compares neighbours in time; medians over rounds are printed with their spread.
CPU is the whole client process, all threads (``time.process_time``); the upstream is another process.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from benchmarks.contenders import CONTENDERS, Contender, installed

Figures = dict[str, dict[str, list[float]]]


@contextlib.contextmanager
def upstream() -> Iterator[str]:
    """Run the loopback upstream and give its base URL."""
    server = Path(__file__).with_name("server.py")
    with subprocess.Popen(
        [sys.executable, str(server)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


async def timed(work: Callable[[], Awaitable[object]], per: int) -> tuple[float, float]:
    """Give CPU and wall microseconds per unit."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu / per * 1e6, wall / per * 1e6


def scenarios(one: Contender, calls: int) -> dict[str, tuple[Callable[[], Awaitable[object]], int]]:
    """Name to what is run and how many units it holds."""

    async def repeat(what: Callable[[], Awaitable[object]], times: int) -> None:
        for _ in range(times):
            await what()

    async def crowd() -> None:
        await asyncio.gather(*(repeat(one.call, calls // 16) for _ in range(32)))

    streams = max(2, calls // 20)
    return {
        "call": (lambda: repeat(one.call, calls), calls),
        "32 callers": (crowd, calls // 16 * 32),
        "stream, per chunk": (lambda: repeat(one.stream, streams), streams * 203),
        "fallback 500→200": (lambda: repeat(one.fallback, calls), calls),
    }


async def measure(rounds: int, calls: int, only: list[str]) -> Figures:
    """Time every contender in every scenario, interleaved."""
    figures: Figures = {}
    async with contextlib.AsyncExitStack() as stack:
        base = stack.enter_context(upstream())
        opened = {
            name: await stack.enter_async_context(opener(base))
            for name, opener in installed().items()
            if not only or name in only
        }
        for one in opened.values():  # warm up: connections, imports, caches
            await one.call()
            await one.stream()
            await one.fallback()
        for _ in range(rounds):
            for name, one in opened.items():
                for scenario, (work, per) in scenarios(one, calls).items():
                    cpu, wall = await timed(work, per)
                    figures.setdefault(f"{scenario}: cpu µs", {}).setdefault(name, []).append(cpu)
                    figures.setdefault(f"{scenario}: wall µs", {}).setdefault(name, []).append(wall)
    return figures


def report(figures: Figures) -> None:
    """Print medians, spread, and each contender's ratio to raw httpx, pair by pair."""
    for scenario, by_name in figures.items():
        print(f"\n{scenario}")
        base = by_name.get("httpx")
        for name, values in by_name.items():
            ratio = ""
            if base:
                pairs = [mine / theirs for mine, theirs in zip(values, base, strict=True)]
                ratio = f"  ratio {statistics.median(pairs):5.2f}"
            middle, low, high = statistics.median(values), min(values), max(values)
            print(f"  {name:22} {middle:9.1f}  ({low:.1f} to {high:.1f}){ratio}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}", file=sys.stderr)
    for name in CONTENDERS.keys() - installed().keys():
        print(f"not installed: {name}", file=sys.stderr)
    figures = asyncio.run(measure(arguments.rounds, arguments.calls, arguments.only))
    if arguments.json:
        print(json.dumps(figures))
    else:
        report(figures)


if __name__ == "__main__":
    main()
