"""Clients that leave: cancelled or heard out, never leaked, and the record says which (5.11)."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient, Client, Router
from hyperroute.gateway import BlockingGateway, Gateway
from hyperroute.gateway.pouring import Pouring, SlowReader
from hyperroute.gateway.visit import Visit, log_entry
from hyperroute.routing.record import Record
from hyperroute.runtime.draining import DEFAULT_PATIENCE, Patience
from hyperroute.testing.replies import streamed, whole
from hyperroute.testing.script import SECOND, Script
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers:
  bills: {plugin: openai, url: "https://bills.test/v1", keys: [env:A], speaks: [chat]}
  stops: {plugin: openai, url: "https://stops.test/v1", keys: [env:B], speaks: [chat], options: {cancel_stops_billing: true}}
  spare: {plugin: openai, url: "https://spare.test/v1", keys: [env:C], speaks: [chat]}
models:
  bills: {kind: chat, offers: [{at: bills}, {at: spare, sends: bills}]}
  stops: {kind: chat, offers: [{at: stops}]}
"""
USAGE = {"prompt_tokens": 11, "completion_tokens": 40, "total_tokens": 51}


def told(
    number: int, *, gap_ns: int = SECOND, end: Literal["clean", "cut", "reset", "stall"] = "clean"
) -> Script:
    """A stream of so many words, one a gap, whose usage comes last."""

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        return b"data: " + json.dumps({**body, "choices": choices, **more}).encode() + b"\n\n"

    words = [chunk({"content": f"w{at} "}) for at in range(number)]
    if end == "clean":
        words += [chunk({}, "stop"), chunk({}, usage=USAGE).replace(b'[{"index": 0, "delta": {}, "finish_reason": null}]', b"[]"), b"data: [DONE]\n\n"]  # fmt: skip
    kind = (("content-type", "text/event-stream"),)
    return Script(headers=kind, chunks=tuple(words), chunk_after_ns=gap_ns, end=end)


@dataclass
class Seen:
    """What was observed of one scene."""

    records: list[Record] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
def router(registry):
    return Router.loads(TABLE, registry=registry)


def asked(model: str, *, stream: bool = True) -> HttpRequest:
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    kind = (("content-type", "application/json"),)
    return HttpRequest(
        method="POST", url="/v1/chat/completions", headers=kind, body=json.dumps(body).encode()
    )


async def left(
    gateway: Gateway, http: HttpRequest, seen: Seen, *, after_ns: int, stuck: bool = False
) -> None:
    """Ask, read for a while, and go away."""

    async def write(piece: bytes) -> None:
        seen.pieces.append(piece)
        if stuck:
            await asyncio.Event().wait()

    async def go() -> None:
        response = await gateway.respond(http)
        assert isinstance(response, Pouring)
        try:
            await response.pour(write)
        finally:
            await response.close()

    task = asyncio.ensure_future(go())
    await gateway.client.clock.sleep(after_ns)
    task.cancel()
    with suppress(asyncio.CancelledError, SlowReader):
        await task


def scene(
    router: Router,
    world: World,
    http: HttpRequest,
    *,
    after_ns: int,
    patience: Patience = DEFAULT_PATIENCE,
    stuck: bool = False,
    close_ns: int | None = None,
) -> Seen:
    """Play a client that leaves, then shut down; nothing may be left of it."""
    seen = Seen()

    async def main() -> None:
        twin = world.awaiting()
        client = AsyncClient(router, transport=twin, clock=twin, sink=seen.records.append)
        gateway = Gateway(client, observer=seen.visits.append, patience=patience)
        await left(gateway, http, seen, after_ns=after_ns, stuck=stuck)
        await gateway.drains.close(close_ns)
        assert len(gateway.drains) == 0
        for _ in range(3):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert world.open_now == 0
    assert len(seen.records) == len(seen.visits) == 1
    return seen


def test_where_cancelling_stops_the_meter_the_call_is_closed_within_a_second(router):
    world = World()
    world.serve("https://stops.test", told(40))
    seen = scene(router, world, asked("stops"), after_ns=3 * SECOND + 1)
    assert (world.sent[0].ended_at or 0) <= 4 * SECOND
    assert not world.sent[0].complete
    assert (seen.records[0].outcome, seen.records[0].left) == ("abandoned", "cancelled")
    assert seen.visits[0].ended == "gone"


def test_elsewhere_it_is_heard_out_for_its_true_usage(router):
    world = World()
    world.serve("https://bills.test", told(40))
    seen = scene(router, world, asked("bills"), after_ns=3 * SECOND + 1)
    record = seen.records[0]
    assert (record.outcome, record.left) == ("abandoned", "drained")
    assert (record.usage.input_tokens, record.usage.output_tokens) == (11, 40)
    assert not record.usage.estimated
    assert world.sent[0].complete
    assert len(seen.pieces) < 6
    visit = seen.visits[0]
    assert visit.record is record
    assert visit.duration_ns == 3 * SECOND + 1
    assert log_entry(visit)["left"] == "drained"
    assert record.to_json()["left"] == "drained"


def test_a_client_that_leaves_before_the_first_word_is_treated_alike(router):
    world = World()
    world.serve("https://bills.test", told(5, gap_ns=5 * SECOND))
    seen = scene(router, world, asked("bills"), after_ns=2 * SECOND)
    assert (seen.records[0].left, seen.records[0].usage.output_tokens) == ("drained", 40)
    assert seen.pieces == []


@pytest.mark.parametrize("model", ["bills", "stops"])
def test_a_whole_answer_is_always_heard_out(router, model):
    world = World()
    script = whole("openai.chat")
    world.serve(f"https://{model}.test", Script(headers=script.headers, chunks=script.chunks, head_after_ns=9 * SECOND))  # fmt: skip
    seen = scene(router, world, asked(model, stream=False), after_ns=2 * SECOND)
    assert (seen.records[0].outcome, seen.records[0].left) == ("abandoned", "drained")
    assert seen.records[0].usage.output_tokens is not None


def test_nobody_is_heard_out_for_more_than_a_minute(router):
    world = World()
    world.serve("https://bills.test", told(500))
    seen = scene(router, world, asked("bills"), after_ns=5 * SECOND)
    assert seen.records[0].left == "cancelled"
    assert world.sent[0].ended_at == 65 * SECOND
    assert seen.records[0].usage.estimated


@pytest.mark.parametrize("patience", [Patience(bytes_max=900), Patience(at_once=0)])
def test_bytes_and_numbers_are_bounded_too(router, patience):
    world = World()
    world.serve("https://bills.test", told(40))
    seen = scene(router, world, asked("bills"), after_ns=5 * SECOND, patience=patience)
    assert seen.records[0].left == "cancelled"
    assert (world.sent[0].ended_at or 0) < 15 * SECOND


def test_nobody_else_is_asked_once_the_client_left(router):
    world = World()
    world.serve("https://bills.test", Script(status=503, head_after_ns=9 * SECOND))
    world.serve("https://spare.test", streamed("openai.chat"))
    seen = scene(router, world, asked("bills"), after_ns=2 * SECOND)
    assert len(world.sent) == 1
    assert (seen.records[0].outcome, seen.records[0].left) == ("abandoned", "cancelled")


def test_a_client_that_does_not_read_is_left_alone_and_its_answer_heard_out(router):
    world = World()
    world.serve("https://bills.test", told(20))
    seen = scene(router, world, asked("bills"), after_ns=45 * SECOND, stuck=True)
    assert (seen.visits[0].ended, seen.records[0].left) == ("slow", "drained")
    assert len(seen.pieces) == 1


def test_a_line_that_breaks_while_it_is_written_to_is_a_client_that_left(router):
    world = World()
    world.serve("https://bills.test", told(20))
    seen = Seen()

    async def main() -> None:
        twin = world.awaiting()
        client = AsyncClient(router, transport=twin, clock=twin, sink=seen.records.append)
        gateway = Gateway(client, observer=seen.visits.append)
        response = await gateway.respond(asked("bills"))
        assert isinstance(response, Pouring)

        async def write(_piece: bytes) -> None:
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            await response.pour(write)
        await gateway.close()

    asyncio.run(main())
    assert [record.left for record in seen.records] == ["drained"]
    assert len(seen.visits) == 1


def test_shutting_down_waits_so_long_and_no_longer(router):
    world = World()
    world.serve("https://bills.test", told(40))
    seen = scene(router, world, asked("bills"), after_ns=5 * SECOND, close_ns=10 * SECOND)
    assert seen.records[0].left == "cancelled"
    assert world.sent[0].ended_at == 15 * SECOND


@settings(max_examples=40)
@given(
    words=st.integers(0, 30),
    gap=st.integers(0, 4),
    after=st.integers(0, 60),
    end=st.sampled_from(("clean", "cut", "reset", "stall")),
    model=st.sampled_from(("bills", "stops")),
    stream=st.booleans(),
)
def test_nothing_leaks_whenever_whoever_leaves(router, *, words, gap, after, end, model, stream):
    world = World()
    for host in ("bills", "stops", "spare"):
        world.serve(f"https://{host}.test", told(words, gap_ns=gap * SECOND, end=end))
    seen = Seen()

    async def main() -> None:
        twin = world.awaiting()
        client = AsyncClient(router, transport=twin, clock=twin, sink=seen.records.append)
        gateway = Gateway(client, observer=seen.visits.append)
        app = asyncio.ensure_future(gateway.handle(asked(model, stream=stream)))
        await twin.sleep(after * SECOND // 2)
        app.cancel()
        with suppress(asyncio.CancelledError):
            response = await app
            if response.pieces is not None:
                pieces = response.pieces
                reading = asyncio.ensure_future(anext(pieces, None))  # type: ignore[arg-type]
                await twin.sleep(after * SECOND // 2)
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading
                await pieces.aclose()  # type: ignore[union-attr]
        await gateway.close()
        for _ in range(3):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert world.open_now == 0
    assert len(seen.records) == len(seen.visits) == 1
    record = seen.records[0]
    if record.left == "drained":
        assert record.usage.output_tokens == 40
        assert not (model == "stops" and stream)


# --- blocking ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("model", "left"), [("bills", "drained"), ("stops", "cancelled")])
def test_under_wsgi_the_reading_thread_hears_out(router, model, left):
    world = World()
    world.serve(f"https://{model}.test", told(40, gap_ns=0))
    seen = Seen()
    client = Client(router, transport=world, clock=world, sink=seen.records.append)
    gateway = BlockingGateway(client, observer=seen.visits.append)
    response = gateway.handle(asked(model))
    pieces = response.pieces
    next(pieces)  # type: ignore[arg-type]
    pieces.close()  # type: ignore[union-attr]
    gateway.close()
    assert len(gateway.drains) == 0
    for thread in threading.enumerate():
        if thread.name == "hyperroute-stream":
            thread.join(5)
    assert (seen.records[0].outcome, seen.records[0].left) == ("abandoned", left)
    assert world.open_now == 0
    if left == "drained":
        assert seen.records[0].usage.output_tokens == 40
        assert seen.visits[0].record is seen.records[0]
