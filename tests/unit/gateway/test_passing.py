"""Embeddings and text completions: they pass as bytes, through the same plan, run and record."""

from __future__ import annotations

import json

import pytest

from hyperroute.client import Router
from hyperroute.testing.script import Script

TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:ONE], speaks: [chat, embeddings, completions]}
  two: {plugin: openai, url: "https://two.test/v1", keys: [env:TWO], speaks: [embeddings, completions]}
  deaf: {plugin: openai, url: "https://deaf.test/v1", keys: [env:DEAF], speaks: [chat]}
models:
  small:
    kind: embed
    offers: [{at: one, sends: text-small, price: small}, {at: two, sends: text-small, price: small}]
  lost: {kind: embed, offers: [{at: deaf, sends: text-small}, {at: two, sends: text-small}]}
  gpt: {kind: chat, offers: [{at: one}]}
  davinci: {kind: chat, endpoints: [completions], offers: [{at: one}, {at: two}]}
prices:
  small: [{from: 2026-01-01, per: 1M tok, in: 0.02, out: 0, source: test}]
"""
BODY = b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2e-3]}],"model":"text-small",  "usage":{"prompt_tokens":8,"total_tokens":8}}'
ASKED = b'{ "model" : "small", "input": ["a", "b"], "encoding_format":"float", "x": 1.10 }'


@pytest.fixture(scope="module")
def router(registry):
    return Router.loads(TABLE, registry=registry)


def answered(body: bytes, **more) -> Script:
    return Script(headers=(("content-type", "application/json"),), chunks=(body,), **more)


def chunk(text: str, finish: str | None = None, index: int = 0, **more) -> bytes:
    choice = {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
    head = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "davinci"}
    return b"data: " + json.dumps({**head, "choices": [choice], **more}).encode() + b"\n\n"


def test_embeddings_pass_byte_for_byte_but_for_the_model(door):
    door.world.serve("https://one.test", answered(BODY))
    answer = door.post("/v1/embeddings", ASKED)
    assert answer.status == 200
    assert answer.body == BODY.replace(b'"text-small"', b'"small"')
    sent = door.world.sent[0].request
    assert sent.url == "https://one.test/v1/embeddings"
    assert sent.body == ASKED.replace(b'"small"', b'"text-small"')


def test_embeddings_are_metered_and_priced(door):
    door.world.serve("https://one.test", answered(BODY))
    door.post("/v1/embeddings", ASKED)
    record = door.visits[0].record
    assert (record.kind, record.dialect, record.outcome) == ("embed", "openai.embeddings", "served")
    assert (record.usage.input_tokens, record.usage.output_tokens) == (8, 0)
    assert record.cost * 1_000_000 == 8 * 2 * record.scale // 100


def test_embeddings_fail_over(door):
    door.world.serve("https://one.test", answered(b'{"error":{"message":"no"}}', status=503))
    door.world.serve("https://two.test", answered(BODY))
    answer = door.post("/v1/embeddings", ASKED)
    assert answer.status == 200
    assert answer.headers["x-hyperroute-served-by"] == "small@two"


@pytest.mark.parametrize(
    "body", [BODY[:-20], b"{}", b'{"data":[]}', b"data: {}\n\n", b"<html>", b'{"error":{"code":1}}']
)
def test_what_is_no_embedding_is_never_an_answer(door, body):
    for host in ("https://one.test", "https://two.test"):
        door.world.serve(host, answered(body))
    assert door.post("/v1/embeddings", ASKED).status >= 500


def test_an_account_that_does_not_speak_it_is_passed_over(door):
    door.world.serve("https://two.test", answered(BODY))
    answer = door.post("/v1/embeddings", {"model": "lost", "input": "x"})
    assert answer.headers["x-hyperroute-served-by"] == "lost@two"
    assert [sent.request.url for sent in door.world.sent] == ["https://two.test/v1/embeddings"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v1/embeddings", {"model": "small"}, "/input"),
        ("/v1/embeddings", {"model": "small", "input": "x", "stream": True}, "not streamed"),
        ("/v1/embeddings", {"model": "gpt", "input": "x"}, "/v1/chat/completions"),
        ("/v1/chat/completions", {"model": "small", "messages": []}, "/v1/embeddings"),
        ("/v1/chat/completions", {"model": "davinci", "messages": []}, "/v1/completions"),
        ("/v1/completions", {"model": "gpt", "prompt": "x"}, "/v1/chat/completions"),
    ],
)
def test_the_wrong_body_or_door_is_told(door, path, body, message):
    answer = door.post(path, body)
    assert answer.status == 400
    assert message in answer.json["error"]["message"]
    assert not door.world.sent


def test_a_completion_passes_byte_for_byte(door):
    told = chunk("hi", "stop", usage={"prompt_tokens": 2, "completion_tokens": 1})[6:-2]
    door.world.serve("https://one.test", answered(told))
    asked = b'{"prompt":"say", "model":"davinci","echo" : true}'
    answer = door.post("/v1/completions", asked)
    assert (answer.status, answer.body) == (200, told)
    assert door.world.sent[0].request.body == asked
    assert door.visits[0].record.usage.output_tokens == 1


def test_a_completion_streams_with_usage_on_its_last_chunk(door):
    usage = {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
    last = b"data: " + json.dumps({"id": "cmpl-1", "choices": [], "usage": usage}).encode()
    script = Script(
        headers=(("content-type", "text/event-stream"),),
        chunks=(chunk("a"), chunk("b"), chunk("", "stop"), last + b"\n\n", b"data: [DONE]\n\n"),
    )
    door.world.serve("https://one.test", script)
    answer = door.post("/v1/completions", {"model": "davinci", "prompt": "x", "stream": True})
    events = [line[6:] for line in answer.body.decode().split("\n\n") if line]
    assert events.pop() == "[DONE]"
    told = [json.loads(event) for event in events]
    assert "".join(event["choices"][0]["text"] for event in told) == "ab"
    assert told[-1]["choices"][0]["finish_reason"] == "stop"
    assert told[-1]["usage"]["total_tokens"] == 4
    assert answer.body.startswith(chunk("a") + chunk("b"))
    assert json.loads(door.world.sent[0].request.body)["stream_options"] == {"include_usage": True}


def test_a_completion_that_is_cut_says_so(door):
    headers = (("content-type", "text/event-stream"),)
    door.world.serve("https://one.test", Script(headers=headers, chunks=(chunk("a"),)))
    answer = door.post("/v1/completions", {"model": "davinci", "prompt": "x", "stream": True})
    assert b"[DONE]" not in answer.body
    assert b'"error"' in answer.body
    assert door.visits[0].record.outcome == "interrupted"


def test_every_prompt_of_a_list_is_answered(door):
    script = Script(
        headers=(("content-type", "text/event-stream"),),
        chunks=(chunk("a", "stop"), chunk("b", "length", 1), b"data: [DONE]\n\n"),
    )
    door.world.serve("https://one.test", script)
    body = {"model": "davinci", "prompt": ["x", "y"], "stream": True}
    answer = door.post("/v1/completions", body)
    assert b'"text": "b", "index": 1' in answer.body
    assert answer.body.endswith(b"[DONE]\n\n")
