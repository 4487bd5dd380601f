"""What we write as Messages is read by Anthropic's own SDK, types and stream accumulator alike.

Invariant 32: every emitted stream is accepted by the reference accumulator of its dialect, every
emitted body validates.
"""

import json
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import Message, MessageCreateParams, MessageParam, ToolUseBlock
from pydantic import TypeAdapter

from hyperroute.canon.content import (
    Json,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Sealed,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from hyperroute.canon.events import Choice, Finished, Reply, replay
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.request import Conversation, OutputSpec, Request, Thinking, Tool, ToolChoice
from hyperroute.canon.usage import Usage
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import ClientError, Profile

USAGE = Usage(input_tokens=30, cache_read_tokens=10, cache_write_tokens=5, output_tokens=7)


def request_of(conversation: Conversation | None = None, *, stream: bool = False) -> Request:
    return Request(
        model="claude-sonnet-4-6",
        dialect="openai.chat",
        endpoint="chat",
        raw={},
        stream=stream,
        decode=lambda _: conversation or Conversation(),
    )


def reply_of(*parts: Part, finish: Finished | None = None) -> Reply:
    choice = Choice(index=0, parts=parts, finish=finish or Finished("stop"))
    return Reply(id="msg_1", model="m", created=None, choices=(choice,), usage=USAGE)


def client_of(
    body: bytes, *, status: int = 200, kind: str = "application/json"
) -> anthropic.Anthropic:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=body, headers={"content-type": kind})

    transport = httpx2.MockTransport(answer)
    return anthropic.Anthropic(
        api_key="k",
        base_url="http://localhost",
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
    )


def streamed(reply: Reply) -> bytes:
    encoder = ANTHROPIC_MESSAGES.encoder(request=request_of(), model="claude-sonnet-4-6")
    return b"".join(encoder.feed(event) for event in replay(reply))


ASK: dict[str, Any] = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}
SIGNED = Sealed("signature", "c2ln", "anthropic")
REPLIES = {
    "text": reply_of(Text("Hello \u2028 there")),
    "empty": reply_of(),
    "thinking": reply_of(Reasoning(text="hm", sealed=SIGNED), Text("42")),
    "redacted": reply_of(
        Reasoning(redacted=True, sealed=Sealed("redacted", "ZGF0YQ", "anthropic")), Text("42")
    ),
    "unsigned thinking": reply_of(Reasoning(text="hm", summary=True), Text("42")),
    "calls": reply_of(
        Text("Looking."),
        ToolUse(id="call_1", name="weather", arguments='{"city":"Oslo"}'),
        ToolUse(id="call_2", name="weather", arguments=""),
        finish=Finished("tool_calls"),
    ),
    "a signed call of Gemini": reply_of(
        ToolUse(id="c", name="f", arguments="{}", sealed=Sealed("signature", "Zm9v", "google")),
        finish=Finished("tool_calls"),
    ),
    "refusal": reply_of(Refusal("No."), finish=Finished("refusal", detail="bio")),
    "stop sequence": reply_of(Text("a"), finish=Finished("stop_sequence", detail="END")),
    "length": reply_of(Text("a"), finish=Finished("length")),
    "custom call": reply_of(
        ToolUse(id="c", name="patch", arguments="*** Begin", custom=True),
        finish=Finished("tool_calls"),
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_invariant_32_a_whole_reply_validates(name):
    body = ANTHROPIC_MESSAGES.emit_reply(
        REPLIES[name], request=request_of(), model="claude-sonnet-4-6"
    )
    message = Message.model_validate_json(body, strict=True)
    assert message.usage.input_tokens == 15
    assert message.usage.cache_read_input_tokens == 10
    assert client_of(body).messages.create(**ASK) == message


@pytest.mark.parametrize("name", REPLIES)
def test_invariant_32_the_accumulator_makes_the_whole_reply_of_a_stream(name):
    reply = REPLIES[name]
    whole = Message.model_validate_json(
        ANTHROPIC_MESSAGES.emit_reply(reply, request=request_of(), model="claude-sonnet-4-6")
    )
    client = client_of(streamed(reply), kind="text/event-stream")
    with client.messages.stream(**ASK) as stream:
        message = stream.get_final_message()
    assert json.loads(message.to_json())["content"] == json.loads(whole.to_json())["content"]
    assert message.stop_reason == whole.stop_reason
    assert message.stop_sequence == whole.stop_sequence
    assert message.usage.output_tokens == 7
    assert message.usage.input_tokens == 15
    assert message.model == "claude-sonnet-4-6"


def test_a_call_streams_its_arguments_to_the_sdk():
    with client_of(streamed(REPLIES["calls"]), kind="text/event-stream").messages.stream(
        **ASK
    ) as stream:
        message = stream.get_final_message()
    calls = [block for block in message.content if isinstance(block, ToolUseBlock)]
    assert [call.input for call in calls] == [{"city": "Oslo"}, {}]


@pytest.mark.parametrize(
    ("error", "raised", "kind"),
    [
        (ClientError(status=400, kind=FailureClass.BAD_REQUEST, message="m"), "BadRequestError", "invalid_request_error"),
        (ClientError(status=401, kind="unauthorized", message="m"), "AuthenticationError", "authentication_error"),
        (ClientError(status=402, kind="insufficient_credits", message="m"), "APIStatusError", "billing_error"),
        (ClientError(status=403, kind="forbidden", message="m"), "PermissionDeniedError", "permission_error"),
        (ClientError(status=409, kind="conflict", message="m"), "ConflictError", "conflict_error"),
        (ClientError(status=413, kind="too_large", message="m"), "ContentTooLargeError", "request_too_large"),
        (ClientError(status=429, kind=FailureClass.RATE_LIMITED, message="m"), "RateLimitError", "rate_limit_error"),
        (ClientError(status=502, kind=FailureClass.SERVER_ERROR, message="m"), "InternalServerError", "api_error"),
        (ClientError(status=504, kind=FailureClass.DEADLINE, message="m"), "GatewayTimeoutError", "timeout_error"),
        (ClientError(status=529, kind=FailureClass.OVERLOADED, message="m"), "OverloadedError", "overloaded_error"),
    ],
)  # fmt: skip
def test_the_sdk_raises_the_class_of_each_error(error, raised, kind):
    client = client_of(ANTHROPIC_MESSAGES.emit_error(error), status=error.status)
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(**ASK)
    assert raised in {cls.__name__ for cls in type(caught.value).__mro__}
    assert caught.value.type == kind


def test_an_error_in_a_stream_raises_with_its_type():
    encoder = ANTHROPIC_MESSAGES.encoder(request=request_of(), model="m")
    events = list(replay(REPLIES["text"]))[:2]
    body = b"".join(encoder.feed(event) for event in events)
    body += encoder.fail(ClientError(status=529, kind=FailureClass.OVERLOADED, message="busy"))
    with (
        client_of(body, kind="text/event-stream").messages.stream(**ASK) as stream,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        stream.get_final_message()
    assert caught.value.type == "overloaded_error"


def test_a_refused_thread_tells_the_runner_to_stop_threading():
    body = ANTHROPIC_MESSAGES.emit_error(
        ClientError(status=400, kind=FailureClass.BAD_REQUEST, message="no", param="/thread")
    )
    with pytest.raises(anthropic.BadRequestError) as caught:
        client_of(body, status=400).messages.create(**ASK)
    assert caught.value.error_code == "thread_unsupported_request"


PNG: Json = {}
CONVERSATION = Conversation(
    system=(Text("Be brief."), Text("Be kind.")),
    turns=(
        Turn(role="user", parts=(Text("Look."), Media(kind="image", source="data", value="aGk=", mime="image/png"))),
        Turn(
            role="assistant",
            parts=(
                Reasoning(text="hm", sealed=SIGNED),
                Text("One moment."),
                ToolUse(id="call.1", name="weather", arguments='{"city":"Oslo"}'),
                ToolUse(id="call.2", name="1st", arguments=""),
            ),
        ),
        Turn(role="user", parts=(ToolResult(id="call.1", parts=(Text("rain"),)),)),
        Turn(role="user", parts=(ToolResult(id="call.2", parts=(Text("x"), Text("y")), failed=True),)),
        Turn(role="user", parts=(Text("And?"), Media(kind="file", source="url", value="https://e.org/a.pdf"))),
    ),
    tools=(
        Tool(name="weather", description="d", schema={"type": "object", "properties": {}}),
        Tool(name="1st"),
        Tool(kind="custom", name="patch"),
        Tool(kind="server", name="web_search", dialect="openai.responses", config={"filters": {"allowed_domains": ["a.org"]}}),
    ),
    tool_choice=ToolChoice(mode="auto"),
    parallel=False,
    output=OutputSpec(form="json_schema", schema={"type": "object"}),
    max_output=40_000,
    stop=("END",),
    thinking=Thinking(effort="high"),
    user="u",
)  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"thinking_types": ["adaptive"]},
        {"thinking_types": ["enabled"]},
        {"anthropic_version": "2026-10-21"},
    ],
)
def test_invariant_32_a_translated_request_validates(options):
    profile = Profile(vendor="anthropic", options=options)
    emission = ANTHROPIC_MESSAGES.emit_request(
        request_of(CONVERSATION), model="claude-sonnet-4-6", profile=profile
    )
    body = json.loads(emission.body)
    checked = TypeAdapter(MessageCreateParams).validate_python(body)
    assert body.keys() == checked.keys()
    for message in body["messages"]:
        TypeAdapter(MessageParam).validate_python(message)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    results = [block["type"] for block in body["messages"][2]["content"]]
    assert results == ["tool_result", "tool_result", "text", "document"]
    assert not isinstance(body["messages"][0]["content"], Opaque)
