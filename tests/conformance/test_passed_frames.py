"""Invariant 32 for frames that pass: the vendors' own SDKs read them, also from servers that err.

The SDK's reader and accumulator are real; only its transport is ours, which is the door it offers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import types

from hyperroute.canon.content import ToolUse
from hyperroute.canon.events import Passage, Reply, StreamEvent, collect
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import Dialect
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES
from hyperroute.dialects.sse import frame

FIXTURES = Path(__file__).parents[1] / "fixtures"
RAW: dict[str, Any] = {"model": "m", "messages": [], "input": "x", "contents": [], "max_tokens": 9}
ASK: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "x"}],
}


def recorded(dialect: Dialect, *but: str) -> list[Any]:
    paths = sorted((FIXTURES / dialect.name).glob("*.stream.txt"))
    return [
        pytest.param(p.read_bytes(), id=p.name) for p in paths if p.name.split(".")[0] not in but
    ]


def passed(dialect: Dialect, body: bytes) -> tuple[bytes, Reply]:
    """What our caller gets, and what the canon makes of it."""
    tap = dialect.tap(request=dialect.parse_request(RAW), model=None)
    assert tap is not None
    told = [*tap.feed(body), *tap.close()]
    events: list[StreamEvent] = [one for one in told if not isinstance(one, Passage)]
    return b"".join(one.frame or b"" for one in told), collect(events)


def http_of(body: bytes) -> httpx2.Client:
    def answer(request: httpx2.Request) -> httpx2.Response:
        del request
        return httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def calls_of(reply: Reply) -> list[tuple[str, str, str]]:
    parts = [part for part in reply.choices[0].parts if isinstance(part, ToolUse)]
    return [(part.id, part.name, part.arguments) for part in parts]


def _odd(delta: dict[str, Any], finish: str | None = None) -> bytes:
    entry = {"delta": delta, "finish_reason": finish}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [entry]}
    return b": still there\n\nid: 9\n" + frame(json.dumps(body).encode())


CALL = {"id": "call_9", "type": "function"}
ODD = b"".join(
    [
        _odd({"role": "assistant", "content": "one"}),
        _odd({"role": "assistant", "content": " two"}),
        _odd({"role": "assistant", "content": " three"}),
        _odd({"tool_calls": [{**CALL, "function": {"name": "f", "arguments": '{"a":'}}]}),
        _odd({"tool_calls": [{**CALL, "function": {"name": "f", "arguments": "1}"}}]}),
        _odd({}, "tool_calls"),
    ]
)
"""No index anywhere, a wrong object, a role and a name told again and again, comments and ids."""


@pytest.mark.parametrize(
    "body", [*recorded(OPENAI_CHAT, "two_choices", "azure_filter"), pytest.param(ODD, id="odd")]
)
def test_invariant_32_chunks_that_pass_add_up_in_the_sdk(body):
    told, reply = passed(OPENAI_CHAT, body)
    with (
        openai.OpenAI(api_key="k", base_url="http://t/v1", http_client=http_of(told)) as client,
        client.chat.completions.stream(model="m", messages=[]) as stream,
    ):
        final = stream.get_final_completion()
    message = final.choices[0].message
    assert message.role == "assistant"
    assert (message.content or "") == reply.text
    calls = [(c.id, c.function.name, c.function.arguments) for c in message.tool_calls or ()]
    assert calls == calls_of(reply)
    if reply.usage.output_tokens is not None:
        assert final.usage is not None
        assert final.usage.completion_tokens == reply.usage.output_tokens


@pytest.mark.parametrize("body", recorded(OPENAI_RESPONSES, "incomplete", "interleaved"))
@pytest.mark.parametrize("noise", [b"", b": still there\n\n"])
def test_invariant_32_responses_that_pass_are_complete_in_the_sdk(body, noise):
    told, reply = passed(OPENAI_RESPONSES, body.replace(b"event: ", noise + b"event: "))
    with (
        openai.OpenAI(api_key="k", base_url="http://t/v1", http_client=http_of(told)) as client,
        client.responses.stream(model="m", input="x") as stream,
    ):
        final = stream.get_final_response()
    assert final.output_text == reply.text


@pytest.mark.parametrize("body", recorded(ANTHROPIC_MESSAGES))
@pytest.mark.parametrize("named", [True, False])
def test_invariant_32_messages_that_pass_add_up_in_the_sdk(body, named):
    if not named:
        lines = [line for line in body.split(b"\n") if not line.startswith(b"event:")]
        body = b"\n".join(lines).replace(b"data: ", b": still there\ndata:")
    told, reply = passed(ANTHROPIC_MESSAGES, body)
    client = anthropic.Anthropic(api_key="k", base_url="http://t", http_client=http_of(told))
    with client.messages.stream(**ASK) as stream:
        message = stream.get_final_message()
    assert "".join(block.text for block in message.content if block.type == "text") == reply.text
    assert message.stop_reason == reply.choices[0].finish.raw


@pytest.mark.parametrize("body", recorded(GEMINI_GENERATE, "array"))
@pytest.mark.parametrize("bare", [True, False])
def test_invariant_32_gemini_chunks_that_pass_are_read_by_the_sdk(body, bare):
    if not bare:
        body = body.replace(b"data: ", b": still there\nevent: x\ndata:") + b"data: [DONE]\n\n"
    told, reply = passed(GEMINI_GENERATE, body)
    options = types.HttpOptions(base_url="http://t", httpx_client=http_of(told))
    client = genai.Client(api_key="k", http_options=options)
    chunks = list(client.models.generate_content_stream(model="m", contents="x"))
    text = [
        part.text or ""
        for chunk in chunks
        for candidate in chunk.candidates or ()
        for part in (candidate.content.parts if candidate.content else None) or ()
        if not part.thought
    ]
    assert "".join(text) == reply.text
