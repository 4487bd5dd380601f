"""Answers as frames of the caller's dialect: what goes out, what may stand between, how they end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hyperroute.canon.events import collect
from hyperroute.client import AsyncClient, Client, Router
from hyperroute.dialects.base import ClientError
from hyperroute.errors import Exhausted, Interrupted, Refused, RequestError
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.routing.record import Record
from hyperroute.testing.replies import DIALECTS, HELLO, refusal, streamed, whole
from hyperroute.testing.script import Script
from hyperroute.testing.world import World

WORDS = {
    "openai.chat": ("openai", "chat"),
    "openai.responses": ("openai", "responses"),
    "anthropic.messages": ("anthropic", "messages"),
    "gemini.generate": ("gemini", "gemini"),
}
PROVIDERS = "\n".join(
    f'  {word}-{at}: {{plugin: {plugin}, url: "https://{word}-{at}.test", keys: [env:K],'
    f" speaks: [{word}], hidden: {'true' if at == 'two' else 'false'}}}"
    for plugin, word in WORDS.values()
    for at in ("one", "two")
)
MODELS = "\n".join(
    f"  m-{word}: {{kind: chat, endpoints: [chat, responses, messages, gemini],"
    f" offers: [{{at: {word}-one, sends: model-1}}, {{at: {word}-two, sends: model-1}}]}}"
    for _, word in WORDS.values()
)
TABLE = f"hyperroute: 1\nproviders:\n{PROVIDERS}\nmodels:\n{MODELS}\n"
BODIES: dict[str, dict[str, Any]] = {
    "openai.chat": {"messages": [{"role": "user", "content": "hi"}]},
    "openai.responses": {"input": "hi"},
    "anthropic.messages": {"max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]},
    "gemini.generate": {"contents": [{"parts": [{"text": "hi"}]}]},
}
BEFORE = {
    "openai.chat": b": keep-alive\n\n",
    "openai.responses": b": keep-alive\n\n",
    "anthropic.messages": b'event: ping\ndata: {"type":"ping"}\n\n',
    "gemini.generate": b"\n",
}
AFTER = BEFORE | {"openai.responses": b'event: keepalive\ndata: {"type":"keepalive"}\n\n'}
BROKEN = ClientError(status=502, kind="server_error", message="it broke")
TERMINALS = {
    "openai.chat": (b"[DONE]", b'"finish_reason":"'),
    "openai.responses": (b"response.completed",),
    "anthropic.messages": (b"message_stop",),
    "gemini.generate": (b'"finishReason"',),
}
PAIRS = [(caller, upstream) for caller in DIALECTS for upstream in DIALECTS]
SAID = "".join(HELLO.text)
NAMES: list[str] = list(DIALECTS)
each_dialect = pytest.mark.parametrize("dialect", NAMES)


def keys(reference: str) -> Secret | None:
    return Secret(f"sk-{reference}")


@pytest.fixture(scope="module")
def router():
    registry = discover(entry_points=True).with_secrets(keys)
    return Router.loads(TABLE, registry=registry)


def cut(dialect: str) -> Script:
    """Script an answer that breaks off behind its first text."""
    begun = {"openai.chat": 2, "openai.responses": 5, "anthropic.messages": 4}.get(dialect, 1)
    good = streamed(dialect)
    return Script(headers=good.headers, chunks=good.chunks[:begun], end="cut")


def asked(upstream: str, caller: str) -> dict[str, Any]:
    return {"model": f"m-{WORDS[upstream][1]}", **BODIES[caller]}


def world_of(dialect: str, one: Script, two: Script | None = None) -> World:
    world = World()
    word = WORDS[dialect][1]
    world.serve(f"https://{word}-one.test", one)
    world.serve(f"https://{word}-two.test", two or one)
    return world


def events_of(router: Router, dialect: str, frames: bytes):
    decoder = router.dialect(dialect).decoder(stream=True)
    return [*decoder.feed(frames), *decoder.close()]


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
def test_an_answer_in_any_dialect_comes_as_whole_frames_of_the_callers(router, caller, upstream):
    world = world_of(upstream, streamed(upstream).split(11))
    with Client(router, transport=world, clock=world) as client:
        stream = client.frames(asked(upstream, caller), dialect=caller)
        assert (stream.served, stream.attempts, stream.record) == (None, 0, None)
        items = []
        for item in stream:
            assert item.endswith(b"\n\n")
            assert stream.served == f"m-{WORDS[upstream][1]}@{WORDS[upstream][1]}-one"
            items.append(item)
    assert stream.record is not None
    assert (stream.record.outcome, stream.attempts) == ("served", 1)
    assert collect(events_of(router, caller, b"".join(items))).text == SAID


@each_dialect
def test_both_colours_hand_out_the_same_items(router, dialect):
    def here(script):
        world = world_of(dialect, script)
        with Client(router, transport=world, clock=world) as client:
            yield from client.frames(asked(dialect, dialect), dialect=dialect)

    async def there(script):
        world = world_of(dialect, script).awaiting()
        async with AsyncClient(router, transport=world, clock=world) as client:
            frames = client.frames(asked(dialect, dialect), dialect=dialect)
            return [item async for item in frames]

    for script in (streamed(dialect), whole(dialect), streamed(dialect).split(7)):
        assert list(here(script)) == asyncio.run(there(script))


@each_dialect
def test_a_keep_alive_fits_before_the_first_item_and_behind_each(router, dialect):
    world = world_of(dialect, streamed(dialect))
    with Client(router, transport=world, clock=world) as client:
        stream = client.frames(asked(dialect, dialect), dialect=dialect)
        assert stream.pulse() == BEFORE[dialect]
        told = [stream.pulse()]
        for item in stream:
            assert stream.pulse() == AFTER[dialect]
            told += [item, stream.pulse()]
        assert stream.pulse() == b""
    if dialect != "gemini.generate":
        told = [item for item in told if item != AFTER[dialect]]
    assert collect(events_of(router, dialect, b"".join(told))).text == SAID


@each_dialect
def test_an_answer_that_breaks_off_ends_with_an_error_and_nothing_behind_it(router, dialect):
    world = world_of(dialect, cut(dialect))
    with Client(router, transport=world, clock=world) as client:
        stream = client.frames(asked(dialect, dialect), dialect=dialect)
        items: list[bytes] = []
        with pytest.raises(Interrupted):
            items.extend(stream)
        assert stream.record is not None
        assert (stream.record.outcome, stream.attempts) == ("interrupted", 1)
        assert stream.served is not None
        ending = stream.fail(BROKEN)
        assert stream.fail(BROKEN) == stream.pulse() == b""
    body = b"".join(items) + ending
    assert b"it broke" in ending
    assert not any(mark in body for mark in TERMINALS[dialect])


@each_dialect
def test_what_never_began_ends_with_an_error_too(router, dialect):
    no = refusal(dialect, 500, kind="server_error")
    world = world_of(dialect, no)
    with Client(router, transport=world, clock=world) as client:
        stream = client.frames(asked(dialect, dialect), dialect=dialect)
        with pytest.raises(Exhausted):
            next(stream)
        assert (stream.served, stream.attempts) == (None, 4)
        assert b"it broke" in stream.fail(BROKEN)


@each_dialect
def test_a_refusal_is_raised_before_anything_else(router, dialect):
    world = World()
    with Client(router, transport=world, clock=world) as client:
        stream = client.frames({"model": "none", **BODIES[dialect]}, dialect=dialect)
        with pytest.raises(Refused):
            next(stream)
        assert (stream.attempts, stream.served) == (0, None)
        assert stream.fail(BROKEN)


def test_a_response_that_breaks_off_keeps_its_id_and_its_numbers(router):
    dialect = "openai.responses"
    world = world_of(dialect, cut(dialect))
    with Client(router, transport=world, clock=world) as client:
        stream = client.frames(asked(dialect, dialect), dialect=dialect)
        items: list[bytes] = []
        with pytest.raises(Interrupted):
            items.extend(item + stream.pulse() for item in stream)
        body = b"".join(items) + stream.fail(BROKEN)
    told = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: ")]
    numbers = [event["sequence_number"] for event in told if event["type"] != "keepalive"]
    assert numbers == list(range(len(numbers)))
    assert told[-1]["type"] == "response.failed"
    assert told[-1]["response"]["id"] == told[0]["response"]["id"]


@each_dialect
def test_failing_over_before_the_first_content_shows_nothing_of_the_first(router, dialect):
    begun = streamed(dialect).chunks[:1] if dialect != "gemini.generate" else ()
    first = Script(headers=streamed(dialect).headers, chunks=begun, end="reset")
    world = world_of(dialect, first, streamed(dialect))
    with Client(router, transport=world, clock=world) as client:
        stream = client.frames(asked(dialect, dialect), dialect=dialect)
        body = b"".join(stream)
    assert stream.attempts == 2
    assert stream.served is not None
    assert "two" not in stream.served  # a hidden provider, by its digest
    assert collect(events_of(router, dialect, body)).text == SAID


@each_dialect
def test_hanging_up_closes_the_exchange_and_is_recorded(router, dialect):
    world = world_of(dialect, cut(dialect))
    records: list[Record] = []
    with Client(router, transport=world, clock=world, sink=records.append) as client:
        with client.frames(asked(dialect, dialect), dialect=dialect) as stream:
            next(stream)
        client.frames(asked(dialect, dialect), dialect=dialect).close()
    assert [record.outcome for record in records] == ["abandoned", "abandoned"]
    assert world.open_now == 0


def test_a_request_that_was_read_before_is_streamed(router):
    dialect = "openai.chat"
    world = world_of(dialect, streamed(dialect))
    with Client(router, transport=world, clock=world) as client:
        request = router.read(asked(dialect, dialect), dialect=dialect)
        body = b"".join(client.frames(request))
    assert body.endswith(b"data: [DONE]\n\n")


@each_dialect
def test_an_awaited_answer_ends_and_hangs_up_alike(router, dialect):
    async def scene():
        world = world_of(dialect, cut(dialect)).awaiting()
        async with AsyncClient(router, transport=world, clock=world) as client:
            async with client.frames(asked(dialect, dialect), dialect=dialect) as stream:
                await anext(stream)
            left = stream.record
            stream = client.frames(asked(dialect, dialect), dialect=dialect)
            error: RequestError | None = None
            try:
                async for _ in stream:
                    pass
            except RequestError as raised:
                error = raised
            return left, error, stream.fail(BROKEN)

    left, error, ending = asyncio.run(scene())
    assert left is not None
    assert left.outcome == "abandoned"
    assert isinstance(error, Interrupted)
    assert b"it broke" in ending
