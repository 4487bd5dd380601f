"""What a relayed chunk costs between transport and caller: tap, flow, machine, driver; no sockets.

Run ``uv run python -m benchmarks.frames``. A transport that costs next to nothing hands out recorded
chunks; CPU is this process's, and the empty transport's own share is measured and told beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from collections.abc import Awaitable, Callable

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.client import AsyncClient, Client, Router
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.runtime.ports import Limits

CHUNKS = 1_000
TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:K], speaks: [chat]}
  two: {plugin: openai, url: "https://two.test/v1", keys: [env:K], speaks: [responses]}
  claude: {plugin: anthropic, url: "https://claude.test", keys: [env:K]}
  google: {plugin: gemini, url: "https://google.test", keys: [env:K]}
models:
  bench-1: {kind: chat, endpoints: [chat], offers: [{at: one}]}
  named: {kind: chat, endpoints: [chat], offers: [{at: one, sends: bench-1}]}
  resp: {kind: chat, endpoints: [responses], offers: [{at: two}]}
  opus: {kind: chat, endpoints: [messages, chat], offers: [{at: claude}]}
  flash: {kind: chat, endpoints: [gemini], offers: [{at: google}]}
"""
MESSAGES = [{"role": "user", "content": "hi"}]


def _event(value: object, name: str = "") -> bytes:
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _chat() -> list[bytes]:
    def chunk(delta: dict[str, str], finish: str | None) -> bytes:
        entry = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "bench-1"}
        return _event({**head, "choices": [entry], "usage": None})

    middle = [chunk({"content": f" word{number}"}, None) for number in range(CHUNKS)]
    usage = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "bench-1",
             "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 9}}  # fmt: skip
    first = chunk({"role": "assistant", "content": ""}, None)
    return [first, *middle, chunk({}, "stop"), _event(usage), b"data: [DONE]\n\n"]


def _responses() -> list[bytes]:
    item = {"type": "message", "id": "msg", "role": "assistant", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    response = {"id": "resp", "object": "response", "created_at": 1, "model": "resp", "output": []}
    at = {"item_id": "msg", "output_index": 0, "content_index": 0}
    told: list[dict[str, object]] = [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **at, "part": part},
        *(
            {"type": "response.output_text.delta", **at, "delta": f" word{n}", "logprobs": []}
            for n in range(CHUNKS)
        ),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]
    events = ({"type": e["type"], "sequence_number": n, **e} for n, e in enumerate(told))
    return [_event(event, str(event["type"])) for event in events]


def _messages() -> list[bytes]:
    message = {"id": "msg", "type": "message", "role": "assistant", "model": "opus", "content": []}
    usage = {"input_tokens": 9, "output_tokens": 9}
    told: list[dict[str, object]] = [
        {"type": "message_start", "message": {**message, "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0,
             "delta": {"type": "text_delta", "text": f" word{n}"}}
            for n in range(CHUNKS)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]  # fmt: skip
    return [_event(event, str(event["type"])) for event in told]


def _gemini() -> list[bytes]:
    def chunk(number: int, **more: str) -> bytes:
        part = {"content": {"parts": [{"text": f" word{number}"}], "role": "model"}, **more}
        counts = {"promptTokenCount": 9, "candidatesTokenCount": number}
        return _event({"candidates": [part], "usageMetadata": counts, "modelVersion": "flash"})

    return [*map(chunk, range(CHUNKS)), chunk(CHUNKS, finishReason="STOP")]


class Line:
    """An exchange that hands out chunks."""

    head = HttpHead(200, (("content-type", "text/event-stream"),))

    def __init__(self, chunks: list[bytes]) -> None:
        self._next = iter([*chunks, b""]).__next__

    def read(self, *, timeout_ns: int) -> bytes:
        del timeout_ns
        return self._next()

    def close(self) -> None:
        """Nothing is open."""


class AwaitedLine:
    """Its twin."""

    head = Line.head

    def __init__(self, chunks: list[bytes]) -> None:
        self._next = iter([*chunks, b""]).__next__

    async def read(self, *, timeout_ns: int) -> bytes:
        del timeout_ns
        return self._next()

    async def close(self) -> None:
        """Nothing is open."""


class Silent:
    """A transport of such exchanges."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def open(self, request: HttpRequest, *, limits: Limits) -> Line:
        del request, limits
        return Line(self.chunks)

    def close(self) -> None:
        """Nothing is open."""


class AwaitedSilent:
    """Its twin."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    async def open(self, request: HttpRequest, *, limits: Limits) -> AwaitedLine:
        del request, limits
        return AwaitedLine(self.chunks)

    async def close(self) -> None:
        """Nothing is open."""


CASES: dict[str, tuple[str, str, dict[str, object], Callable[[], list[bytes]]]] = {
    "chat": ("bench-1", "openai.chat", {"messages": MESSAGES}, _chat),
    "chat, model renamed": ("named", "openai.chat", {"messages": MESSAGES}, _chat),
    "responses": ("resp", "openai.responses", {"input": "hi"}, _responses),
    "messages": ("opus", "anthropic.messages", {"max_tokens": 9, "messages": MESSAGES}, _messages),
    "gemini, usage on each": ("flash", "gemini.generate", {"contents": [{"parts": []}]}, _gemini),
    "messages to chat, anew": ("opus", "openai.chat", {"messages": MESSAGES}, _messages),
}


def _router() -> Router:
    def keys(reference: str) -> Secret | None:
        return Secret(f"sk-{reference}")

    return Router.loads(TABLE, registry=discover().with_secrets(keys))


def _awaited(router: Router, case: str) -> Callable[[], Awaitable[int]]:
    model, dialect, body, chunks = CASES[case]
    client = AsyncClient(router, transport=AwaitedSilent(chunks()))

    async def once() -> int:
        size = 0
        async for item in client.frames({"model": model, **body}, dialect=dialect):
            size += len(item)
        return size

    return once


def _blocked(router: Router, case: str) -> Callable[[], int]:
    model, dialect, body, chunks = CASES[case]
    client = Client(router, transport=Silent(chunks()))

    def once() -> int:
        return sum(map(len, client.frames({"model": model, **body}, dialect=dialect)))

    return once


def _empty(case: str) -> Callable[[], Awaitable[int]]:
    chunks = CASES[case][3]()

    async def once() -> int:
        line = AwaitedLine(chunks)
        size = 0
        while chunk := await line.read(timeout_ns=0):
            size += len(chunk)
        return size

    return once


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    router = _router()
    figures: dict[str, dict[str, list[float]]] = {}

    async def rounds() -> None:
        for case in CASES:
            there, nothing = _awaited(router, case), _empty(case)
            here = _blocked(router, case)
            row = figures.setdefault(case, {"awaited": [], "blocking": [], "transport": []})
            for _ in range(arguments.rounds):
                for name, what in (("awaited", there), ("transport", nothing)):
                    gc.collect()
                    began = time.process_time()
                    await what()
                    row[name].append((time.process_time() - began) / CHUNKS * 1e6)
                gc.collect()
                began = time.process_time()
                here()
                row["blocking"].append((time.process_time() - began) / CHUNKS * 1e6)

    asyncio.run(rounds())
    for case, row in figures.items():
        told = (f"{n} {statistics.median(v):5.2f} ({min(v):.2f})" for n, v in row.items())
        print(f"{case:24}", "  ".join(told))


if __name__ == "__main__":
    main()
