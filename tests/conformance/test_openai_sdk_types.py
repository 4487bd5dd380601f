"""Invariant 32: what we write to OpenAI clients is accepted by the released openai SDK itself.

Whole bodies validate against its response types. Streams go through its own HTTP client, event
reader and accumulators; only its transport is ours, which is the door it offers for that.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from hyperroute.canon.content import Part, Reasoning, Refusal, Sealed, ServerTool, Text, ToolUse
from hyperroute.canon.events import (
    Finished,
    FinishReason,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
    collect,
)
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.usage import Usage
from hyperroute.dialects.base import ClientError, Dialect
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES

RAW: Mapping[str, Mapping[str, Any]] = {
    "openai.chat": {
        "model": "alias",
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
        "stream": True,
    },
    "openai.responses": {
        "model": "alias",
        "input": "hi",
        "instructions": "be brief",
        "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "sh"}],
        "stream": True,
    },
}
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

texts = st.text(min_size=1, max_size=8)
parts = st.one_of(
    st.builds(Text, texts),
    st.builds(lambda text: Reasoning(text=text, summary=True), texts | st.just("")),
    st.builds(
        lambda text: Reasoning(text=text, sealed=Sealed("signature", "SIG", "anthropic", "g")), texts
    ),
    st.builds(lambda n, a: ToolUse(id=f"call_{n}", name="f", arguments=a), st.integers(0, 9),
              st.sampled_from(["", "{}", '{"a": [1, "ü"]}'])),
    st.builds(Refusal, texts),
)  # fmt: skip
reasons: st.SearchStrategy[FinishReason] = st.sampled_from(["stop", "stop_sequence", "pause"])
usages = st.none() | st.builds(
    lambda a, b, c: Usage(input_tokens=a, output_tokens=b, cache_read_tokens=c),
    st.integers(0, 99),
    st.integers(0, 99),
    st.none() | st.integers(0, 9),
)


more_parts = parts | st.one_of(
    st.builds(
        lambda n: ToolUse(id=f"sh_{n}", name="sh", arguments="ls", custom=True), st.integers(0, 9)
    ),
    st.builds(Text, texts, st.just(({"url": "https://e.org", "title": "E"},))),
    st.just(Reasoning(redacted=True, sealed=Sealed("redacted", "R", "anthropic", "g"))),
    st.just(
        ServerTool(
            dialect="openai.responses",
            kind="web_search",
            phase="call",
            value={
                "id": "ws_1",
                "type": "web_search_call",
                "status": "completed",
                "action": {"type": "search", "query": "q"},
            },
        )
    ),
)


@st.composite
def streams(draw: st.DrawFn, parts: st.SearchStrategy[Part] = parts) -> list[StreamEvent]:
    """Any lawful answer of one choice, its texts cut into deltas."""
    told = draw(
        st.lists(
            parts,
            max_size=5,
            unique_by=lambda p: (
                p.id
                if isinstance(p, ToolUse)
                else p.kind
                if isinstance(p, ServerTool)
                else object()
            ),
        )
    )
    events: list[StreamEvent] = [Started(draw(st.sampled_from(["msg_1", "resp_9", ""])), "m", 5)]
    for index, part in enumerate(told):
        events += spread(index, part, draw(st.booleans()))
    if (usage := draw(usages)) is not None:
        events.append(UsageReported(usage))
    called = any(isinstance(part, ToolUse) for part in told)
    return [*events, Finished("tool_calls" if called else draw(reasons), "x")]


def spread(index: int, part: Part, whole: bool) -> list[StreamEvent]:
    if whole or (isinstance(part, Text) and part.citations) or isinstance(part, ServerTool):
        return [PartStarted(index, part), PartEnded(index)]
    match part:
        case Text(text):
            empty: Part = Text()
        case Refusal(text):
            empty = Refusal()
        case Reasoning(text=text):
            empty = Reasoning(summary=part.summary)
        case ToolUse(arguments=text):
            empty = ToolUse(id=part.id, name=part.name, custom=part.custom)
        case _:
            raise AssertionError(part)
    sealed = part.sealed if isinstance(part, Reasoning) else None
    deltas = [PartDelta(index, piece) for piece in (text[:2], text[2:])]
    return [PartStarted(index, empty), *deltas, PartEnded(index, sealed)]


def client_of(body: bytes, *, stream: bool, status: int = 200) -> openai.OpenAI:
    kind = "text/event-stream" if stream else "application/json"

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=body, headers={"content-type": kind})

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://t/v1", http_client=http, max_retries=0)


def written(dialect: Dialect, events: Iterable[StreamEvent], **more: Any) -> bytes:
    raw = {**RAW[dialect.name], **more}
    encoder = dialect.encoder(request=dialect.parse_request(raw), model="alias")
    return b"".join(encoder.feed(event) for event in events)


def payloads(body: bytes) -> list[bytes]:
    return [line[6:] for line in body.split(b"\n") if line.startswith(b"data: {")]


def text_of(events: list[StreamEvent]) -> str:
    return collect(events).text


def arguments_of(events: list[StreamEvent]) -> list[str]:
    calls = [part for part in collect(events).choices[0].parts if isinstance(part, ToolUse)]
    return [part.arguments or "{}" for part in calls if not part.custom]


@settings(max_examples=40)
@given(streams(), st.booleans())
def test_invariant_32_chat_streams_through_the_sdk(events, asked) -> None:
    body = written(OPENAI_CHAT, events, stream_options={"include_usage": asked})
    for data in payloads(body):
        ChatCompletionChunk.model_validate_json(data)
    assert body.endswith(b"data: [DONE]\n\n")
    with (
        client_of(body, stream=True) as client,
        client.chat.completions.stream(model="alias", messages=[]) as stream,
    ):
        final = stream.get_final_completion()
    message = final.choices[0].message
    assert (message.content or "") == text_of(events)
    assert [call.function.arguments for call in message.tool_calls or ()] == arguments_of(events)
    assert final.model == "alias"
    reported = [event.usage for event in events if isinstance(event, UsageReported)]
    if reported:
        assert final.usage is not None
        assert final.usage.prompt_tokens == reported[-1].input_tokens
    else:
        assert final.usage is None


@settings(max_examples=40)
@given(streams(more_parts))
def test_invariant_32_responses_streams_through_the_sdk(events) -> None:
    body = written(OPENAI_RESPONSES, events)
    numbers = []
    for data in payloads(body):
        EVENTS.validate_json(data)
        numbers.append(json.loads(data)["sequence_number"])
    assert numbers == list(range(len(numbers)))
    if events[-1] == Finished("pause", "x"):
        return  # told as incomplete, which the helper raises on
    with (
        client_of(body, stream=True) as client,
        client.responses.stream(model="alias", input="hi") as stream,
    ):
        final = stream.get_final_response()
    assert final.output_text == "".join(
        part.text for part in collect(events).choices[0].parts if isinstance(part, Text)
    )
    calls = [item.arguments for item in final.output if item.type == "function_call"]
    assert calls == arguments_of(events)
    assert final.model == "alias"


@settings(max_examples=40)
@given(streams())
def test_invariant_32_whole_replies_validate_strictly(events) -> None:
    reply = collect(events)
    for dialect, kind in ((OPENAI_CHAT, ChatCompletion), (OPENAI_RESPONSES, Response)):
        request = dialect.parse_request({**RAW[dialect.name], "stream": False})
        body = dialect.emit_reply(reply, request=request, model="alias")
        validated = kind.model_validate_json(body)
        assert validated.model == "alias"


@settings(max_examples=40)
@given(streams())
def test_a_whole_reply_says_what_its_stream_says(events) -> None:
    """One mechanism: the events of both bodies collect to the same answer."""
    for dialect in (OPENAI_CHAT, OPENAI_RESPONSES):
        request = dialect.parse_request(RAW[dialect.name])
        whole = dialect.decoder(stream=False)
        body = dialect.emit_reply(collect(events), request=request, model="alias")
        from_whole = collect([*whole.feed(body), *whole.close()])
        streamed = dialect.decoder(stream=True)
        from_stream = collect([*streamed.feed(written(dialect, events)), *streamed.close()])
        # A message of chat has one text and one refusal; in a stream they may alternate.
        same = dialect is OPENAI_RESPONSES
        assert (from_whole == from_stream) or not same
        assert from_whole.text == from_stream.text
        assert from_whole.usage == from_stream.usage
        assert from_whole.choices[0].finish == from_stream.choices[0].finish


BROKEN = ClientError(status=502, kind=FailureClass.SERVER_ERROR, message="the upstream broke off")
BEGUN: list[StreamEvent] = [Started("r", "m", 5), PartStarted(0, Text()), PartDelta(0, "half")]


def test_a_broken_chat_stream_raises_in_the_sdk() -> None:
    encoder = OPENAI_CHAT.encoder(request=OPENAI_CHAT.parse_request(RAW["openai.chat"]), model="a")
    body = b"".join(map(encoder.feed, BEGUN)) + encoder.fail(BROKEN)
    assert b"[DONE]" not in body
    with client_of(body, stream=True) as client:
        stream = client.chat.completions.create(model="a", messages=[], stream=True)
        with pytest.raises(openai.APIError, match="broke off"):
            list(stream)


def test_a_broken_responses_stream_ends_failed_in_the_sdk() -> None:
    request = OPENAI_RESPONSES.parse_request(RAW["openai.responses"])
    encoder = OPENAI_RESPONSES.encoder(request=request, model="a")
    body = b"".join(map(encoder.feed, BEGUN)) + encoder.fail(BROKEN)
    for data in payloads(body):
        EVENTS.validate_json(data)
    with (
        client_of(body, stream=True) as client,
        client.responses.stream(model="a", input="hi") as stream,
    ):
        kinds = [event.type for event in stream]
        assert kinds[-1] == "response.failed"
        with pytest.raises(RuntimeError, match="completed"):
            stream.get_final_response()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ClientError(status=400, kind="unknown_model", message="no"), openai.BadRequestError),
        (ClientError(status=401, kind="unauthorized", message="no"), openai.AuthenticationError),
        (ClientError(status=403, kind="forbidden", message="no"), openai.PermissionDeniedError),
        (ClientError(status=429, kind="rate_limited", message="no"), openai.RateLimitError),
        (ClientError(status=502, kind="server_error", message="no"), openai.InternalServerError),
    ],
)
def test_errors_are_read_by_the_sdk(error: ClientError, kind: type[openai.APIStatusError]) -> None:
    for dialect in (OPENAI_CHAT, OPENAI_RESPONSES):
        body = dialect.emit_error(error)
        assert {"message", "type", "param", "code"} <= set(json.loads(body)["error"])
        with (
            client_of(body, stream=False, status=error.status) as client,
            pytest.raises(kind) as raised,
        ):
            client.chat.completions.create(model="a", messages=[])
        assert raised.value.type == json.loads(body)["error"]["type"]
