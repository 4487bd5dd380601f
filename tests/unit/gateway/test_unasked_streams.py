"""Providers that stream although nobody asked: gathered, or handed on where the table says so."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.conftest import opened

from hyperroute.client import Router
from hyperroute.errors import TableError
from hyperroute.testing.replies import streamed
from hyperroute.testing.script import Script
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers:
  gathers: {plugin: openai, url: "https://one.test/v1", keys: [env:A], speaks: [chat, responses]}
  passes:
    plugin: openai
    url: https://one.test/v1
    keys: [env:B]
    speaks: [chat, responses]
    options: {sse_when_not_requested: passthrough}
models:
  gathered: {kind: chat, endpoints: [chat, responses, messages], offers: [{at: gathers, sends: m}]}
  passed: {kind: chat, endpoints: [chat, responses, messages], offers: [{at: passes, sends: m}]}
"""
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "openai.chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
    "openai.responses": ("/v1/responses", {"input": "hi"}),
}


@pytest.fixture
def door(colour, registry):
    return opened(colour, Router.loads(TABLE, registry=registry), World())


@pytest.mark.parametrize("dialect", BODIES)
def test_by_default_it_is_gathered_into_a_whole_answer(door, dialect):
    path, body = BODIES[dialect]
    door.world.serve("https://one.test", streamed(dialect))
    answer = door.post(path, {"model": "gathered", **body})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["model"] == "gathered"


@pytest.mark.parametrize("dialect", BODIES)
def test_where_the_table_says_so_it_passes(door, dialect):
    path, body = BODIES[dialect]
    script = streamed(dialect)
    door.world.serve("https://one.test", script)
    answer = door.post(path, {"model": "passed", **body})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body.count(b"data:") == script.body.count(b"data:")
    assert b'"passed"' in answer.body
    assert door.visits[0].record.usage.output_tokens is not None
    if dialect == "openai.responses":
        told = {"model": "passed", "input": "x", "previous_response_id": "resp_1"}
        names = [name for name in (b'"id":"resp_', b'"id": "resp_') if name in answer.body]
        assert names
        start = answer.body.index(names[0]) + len(names[0]) - 5
        told["previous_response_id"] = answer.body[start:].partition(b'"')[0].decode()
        assert door.post(path, told).status == 200


def test_a_stream_that_was_cut_is_never_handed_on(door):
    script = streamed("openai.chat")
    cut = Script(headers=script.headers, chunks=script.chunks[:2], end="cut")
    door.world.serve("https://one.test", cut)
    path, body = BODIES["openai.chat"]
    answer = door.post(path, {"model": "passed", **body})
    assert answer.status >= 500
    assert b"data:" not in answer.body


def test_what_is_translated_is_gathered_all_the_same(door):
    door.world.serve("https://one.test", streamed("openai.chat"))
    body = {"model": "passed", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    assert door.post("/v1/messages", body).json["type"] == "message"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("sse_when_not_requested: gather", "aggregate or passthrough"),
        ("cancel_stops_billing: maybe", "true or false"),
        ("cancel_stop_billing: true", "cancel_stops_billing"),
    ],
)
def test_a_wrong_option_is_told_with_the_right_one(registry, option, message):
    text = TABLE.replace("sse_when_not_requested: passthrough", option)
    with pytest.raises(TableError, match=message):
        Router.loads(text, registry=registry)
