"""The two dialects whose requests only pass: what their answers are read as, and written."""

from __future__ import annotations

import json

import pytest

from hyperroute.canon.content import Opaque, Text
from hyperroute.canon.events import collect
from hyperroute.canon.grammar import violations
from hyperroute.dialects.base import NO_PROFILE, ClientError, ErrorInStream
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_completions import OPENAI_COMPLETIONS
from hyperroute.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from hyperroute.errors import ClientWireError, ProviderWireError

VECTORS = {"object": "list", "data": [{"embedding": [1.0]}], "model": "m", "usage": {"prompt_tokens": 3}}  # fmt: skip
ANSWER = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 5,
    "model": "m",
    "choices": [
        {"text": "a", "index": 0, "logprobs": None, "finish_reason": "stop"},
        {"text": "b", "index": 1, "logprobs": None, "finish_reason": "length"},
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


def read(dialect, body: bytes, size: int = 7):
    decoder = dialect.decoder(stream=False)
    events = []
    for at in range(0, len(body), size):
        events += decoder.feed(body[at : at + size])
    return [*events, *decoder.close()]


@pytest.mark.parametrize("size", [1, 5, 999])
def test_vectors_are_one_part_and_their_tokens_are_counted(size):
    events = read(OPENAI_EMBEDDINGS, json.dumps(VECTORS).encode(), size)
    assert not violations(events)
    reply = collect(events)
    assert reply.choices[0].parts == (Opaque("openai.embeddings", VECTORS),)
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (3, 0)


@pytest.mark.parametrize("size", [1, 5, 999])
def test_a_whole_completion_is_read_and_written_again(size):
    events = read(OPENAI_COMPLETIONS, json.dumps(ANSWER).encode(), size)
    assert not violations(events)
    reply = collect(events)
    assert [choice.parts for choice in reply.choices] == [(Text("a"),), (Text("b"),)]
    request = OPENAI_COMPLETIONS.parse_request({"model": "m"})
    written = json.loads(OPENAI_COMPLETIONS.emit_reply(reply, request=request, model="m"))
    assert written == ANSWER


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n"])
def test_a_stream_that_ends_before_a_finish_is_cut(end):
    body = b'data: {"choices":[{"text":"a","index":0,"finish_reason":null}]}\n\n' + end
    with pytest.raises(ProviderWireError) as caught:
        read(OPENAI_COMPLETIONS, body)
    assert caught.value.cut


@pytest.mark.parametrize("body", [b"[1]", b'{"choices":{}}', b'{"choices":[1]}', b'{"choices":[{"text":1}]}'])  # fmt: skip
def test_nonsense_is_malformed(body):
    with pytest.raises(ProviderWireError):
        read(OPENAI_COMPLETIONS, body)


@pytest.mark.parametrize("dialect", [OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS])
def test_an_error_inside_a_success_is_one(dialect):
    with pytest.raises(ErrorInStream):
        read(dialect, b'{"error":{"message":"no","code":503}}')


def test_prompts_times_n_answers_are_wanted():
    def wanted(**body):
        return OPENAI_COMPLETIONS.parse_request({"model": "m", **body}).parameters.get("n")

    assert wanted(prompt="x") is None
    assert wanted(prompt=[1, 2, 3]) is None
    assert wanted(prompt=["x", "y"], n=3) == 6
    assert wanted(prompt=[[1], [2]]) == 2


def test_ours_is_taken_out_and_usage_asked_for():
    raw = {"model": "a", "prompt": "x", "stream": True, "hyperroute": {"fallback": False}}
    request = OPENAI_COMPLETIONS.parse_request(raw, body=json.dumps(raw).encode())
    sent = OPENAI_COMPLETIONS.emit_request(request, model="b", profile=NO_PROFILE)
    assert sent.path == "/completions"
    assert json.loads(sent.body) == {
        "model": "b",
        "prompt": "x",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize("dialect", [OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS])
def test_nothing_translates_into_it_or_out_of_it(dialect):
    chat = OPENAI_CHAT.parse_request({"model": "m", "messages": []})
    with pytest.raises(ClientWireError):
        dialect.emit_request(chat, model="m", profile=NO_PROFILE)
    with pytest.raises(ClientWireError):
        _ = dialect.parse_request({"model": "m", "input": "x", "prompt": "x"}).conversation


def test_a_broken_stream_ends_in_an_error_and_without_done():
    request = OPENAI_COMPLETIONS.parse_request({"model": "m", "stream": True})
    encoder = OPENAI_COMPLETIONS.encoder(request=request, model="m")
    told = encoder.fail(ClientError(status=502, kind="server_error", message="gone"))
    assert json.loads(told[6:])["error"]["message"] == "gone"
    assert encoder.fail(ClientError(status=502, kind="server_error", message="gone")) == b""
