"""Opcodes and Python frames of one whole call through the engine: a figure that no neighbour disturbs.

Run ``python -m benchmarks.counting``, with ``--by function`` for where they go. The transport gives its
bytes at once, so that what is counted is ours: reading, planning, the machine, the provider's
flow, the decoder, the record. The same call counts the same each time, on one version of Python.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import hyperroute
from benchmarks.contenders import BODY, MESSAGES, TABLE
from benchmarks.server import ERROR, WHOLE
from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.ports import Limits

JSON = (("content-type", "application/json"),)


@dataclass(slots=True)
class Exchange:
    """An answer that is there already."""

    head: HttpHead
    body: bytes

    async def read(self, *, timeout_ns: int) -> bytes:
        """Give all of it, then its end."""
        del timeout_ns
        body, self.body = self.body, b""
        return body

    async def close(self) -> None:
        """Nothing is held."""


class Transport:
    """Answers at once: 500 where the address says ``fail``, else the usual whole answer."""

    async def open(self, request: HttpRequest, *, limits: Limits) -> Exchange:
        """Give the answer."""
        del limits
        if "/fail/" in request.url:
            return Exchange(HttpHead(500, JSON), ERROR)
        return Exchange(HttpHead(200, JSON), WHOLE)

    async def close(self) -> None:
        """Nothing is held."""


def finished(work: Coroutine[Any, Any, object]) -> None:
    """Carry out what never waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError("it waited")


def counted(work: Callable[[], Coroutine[Any, Any, object]]) -> tuple[Counter[CodeType], int]:
    """Count opcodes by function, and frames that were entered."""
    opcodes: Counter[CodeType] = Counter()
    frames = 0

    def inside(frame: FrameType, event: str, _: object) -> Any:
        if event == "opcode":
            opcodes[frame.f_code] += 1
        return inside

    def entered(frame: FrameType, _event: str, _: object) -> Any:
        nonlocal frames
        frames += 1
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return inside

    coroutine = work()
    sys.settrace(entered)
    try:
        finished(coroutine)
    finally:
        sys.settrace(None)
    return opcodes, frames


def fastest(work: Callable[[], Coroutine[Any, Any, object]], *, rounds: int = 40) -> float:
    """Give the least CPU microseconds of a call, over some rounds of fifty."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(50):
            finished(work())
        best = min(best, (time.process_time() - began) / 50 * 1e6)
    return best


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--by", choices=["function", "file"], help="show where opcodes go")
    parser.add_argument("--top", type=int, default=60)
    arguments = parser.parse_args()
    os.environ["BENCH_KEY"] = "sk-bench"
    router = hyperroute.Router.loads(TABLE.format(base="http://127.0.0.1:9"))
    client = hyperroute.AsyncClient(router, transport=Transport())
    works: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "one call": lambda: client.send(BODY),
        "fallback 500→200": lambda: client.send({"model": "fall-1", "messages": MESSAGES}),
    }
    for name, work in works.items():
        for _ in range(50):
            finished(work())
        opcodes, frames = counted(work)
        print(f"{name}: {opcodes.total()} opcodes, {frames} frames, {fastest(work):.0f} µs at best")
        shown: Counter[str] = Counter()
        for code, count in opcodes.items():
            file = code.co_filename.rpartition("hyperroute/")[2]
            where = f"{file}:{code.co_qualname}" if arguments.by == "function" else file
            shown[where] += count
        for where, count in shown.most_common(arguments.top if arguments.by else 0):
            print(f"  {count:6} {where}")


if __name__ == "__main__":
    main()
