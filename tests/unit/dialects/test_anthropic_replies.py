"""Messages replies: recorded bytes to events, the terminal, errors, and what we write ourselves."""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from hyperroute.canon.content import Reasoning, Sealed, ServerTool, Text, ToolUse
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
    collect,
)
from hyperroute.canon.request import Conversation, Request, Tool
from hyperroute.canon.usage import Usage
from hyperroute.canon.wire import HttpHead
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import ClientError, ErrorInStream, ErrorReport
from hyperroute.dialects.renaming import fitted
from hyperroute.errors import ProviderWireError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic.messages"
RECORDED = sorted([*FIXTURES.glob("*.stream.txt"), *FIXTURES.glob("*.reply.json")])
START = {
    "type": "message_start",
    "message": {"id": "m", "model": "c", "usage": {"input_tokens": 3}},
}
STOP = {"type": "message_stop"}


def delta(reason: str | None, **more: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **more}, "usage": {}}


def block(index: int, head: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": head},
        *({"type": "content_block_delta", "index": index, "delta": said} for said in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def sse(*events: dict[str, Any]) -> bytes:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()


def read(body: bytes) -> list[StreamEvent]:
    decoder = ANTHROPIC_MESSAGES.decoder(stream=True)
    return [*decoder.feed(body), *decoder.close()]


def plain(value: Any) -> Any:
    """Write a value as events.json does: only what differs from its default."""
    if not is_dataclass(value) or isinstance(value, type):
        return [plain(item) for item in value] if isinstance(value, list | tuple) else value
    told: dict[str, Any] = {"is": type(value).__name__}
    for member in fields(value):
        said = getattr(value, member.name)
        if said not in (member.default, ()):
            told[member.name] = plain(said)
    return told


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_bytes_read_as_their_events(path):
    expected = path.with_name(path.name.split(".")[0] + ".events.json")
    assert [plain(event) for event in read(path.read_bytes())] == json.loads(expected.read_text())


def test_the_end_of_the_body_ends_a_message_that_gave_its_reason():
    assert read(sse(START, delta("end_turn")))[-1] == Finished("stop", "end_turn")


@pytest.mark.parametrize(
    "events",
    [
        [],
        [START],
        [START, *block(0, {"type": "text", "text": ""})],
        [START, *block(0, {"type": "text", "text": ""})[:1]],
        [START, delta(None)],
    ],
)
def test_invariant_27_no_terminal_is_a_cut(events):
    with pytest.raises(ProviderWireError) as caught:
        read(sse(*events))
    assert caught.value.cut


def test_an_event_cut_in_its_middle_is_a_cut():
    with pytest.raises(ProviderWireError) as caught:
        read(sse(START) + b'data: {"type":"message_del')
    assert caught.value.cut


def test_what_follows_the_terminal_is_ignored():
    body = sse(START, delta("end_turn"), STOP)
    assert read(body + sse(STOP, START, {"type": "error"}) + b"data: {{{\n\n") == read(body)


@pytest.mark.parametrize(
    ("reason", "more", "finish"),
    [
        ("stop_sequence", {"stop_sequence": "END"}, Finished("stop_sequence", "stop_sequence", detail="END")),
        ("max_tokens", {}, Finished("length", "max_tokens")),
        ("model_context_window_exceeded", {}, Finished("context_full", "model_context_window_exceeded")),
        ("pause_turn", {}, Finished("pause", "pause_turn")),
        ("refusal", {"stop_details": {"category": "bio"}}, Finished("refusal", "refusal", detail="bio")),
        ("something_new", {}, Finished("other", "something_new")),
    ],
)  # fmt: skip
def test_reasons(reason, more, finish):
    assert read(sse(START, delta(reason, **more), STOP))[-1] == finish


@pytest.mark.parametrize(("said", "told"), [("end_turn", "tool_calls"), ("max_tokens", "length")])
def test_calls_decide_the_reason_but_for_a_length(said, told):
    call = block(0, {"type": "tool_use", "id": "t", "name": "f", "input": {}})
    finish = read(sse(START, *call, delta(said), STOP))[-1]
    assert isinstance(finish, Finished)
    assert finish.reason == told


def test_a_call_given_whole_at_its_start_keeps_its_arguments():
    call = block(0, {"type": "tool_use", "name": "f", "input": {"a": 1}})
    (use,) = collect(read(sse(START, *call, delta("tool_use"), STOP))).choices[0].parts
    assert isinstance(use, ToolUse)
    assert (use.arguments, use.id) == ('{"a":1}', "call_0")


def test_the_last_signature_counts():
    deltas = [{"type": "signature_delta", "signature": word} for word in ("a", "b")]
    events = read(sse(START, *block(0, {"type": "thinking"}, *deltas), delta("end_turn"), STOP))
    assert PartEnded(0, Sealed("signature", "b", "anthropic")) in events


def test_counts_are_cumulative_and_never_negative():
    counts = {"input_tokens": -5, "output_tokens": 9, "cache_read_input_tokens": 4}
    second = {**delta("end_turn"), "usage": {"output_tokens": 7, "input_tokens": None}}
    first = {"type": "message_start", "message": {"usage": counts}}
    usage = [e.usage for e in read(sse(first, second, STOP)) if isinstance(e, UsageReported)]
    assert usage == [
        Usage(input_tokens=4, cache_read_tokens=4, output_tokens=9),
        Usage(input_tokens=4, cache_read_tokens=4, output_tokens=7),
    ]


def test_unknown_counts_stay_unknown():
    events = read(sse({"type": "message_start", "message": {"usage": {}}}, delta("end_turn"), STOP))
    assert UsageReported(Usage()) in events


@pytest.mark.parametrize("name", ["", "error"])
def test_an_error_event_is_raised_to_be_classified(name):
    body = sse(START) + f'event: {name}\ndata: {{"type":"error","error":'.encode()
    body += b'{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    with pytest.raises(ErrorInStream) as caught:
        read(body)
    assert caught.value.report == ErrorReport(type="overloaded_error", message="Overloaded")


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"error","error":{"type":"api_error","message":"x"}}',
        b'{"error":{"type":"api_error","message":"x"}}',
        b'data: {"error":{"type":"api_error","message":"x"}}\n\n',
    ],
)
def test_an_error_object_with_status_200_is_an_error(body):
    with pytest.raises(ErrorInStream) as caught:
        read(body)
    assert caught.value.report.type == "api_error"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>busy</html>",
        b"{}",
        b'{"content":{}}',
        b'{"content":[3]}',
        b'{"content":[{}]}',
        b"[]",
        sse({"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}),
        sse(START, START),
        sse(START, {"type": "content_block_stop", "index": 0}),
        sse(START, *block(0, {"type": "text"}, {"type": "input_json_delta", "partial_json": "x"})),
        sse(START, *block(0, {"type": "text"}, {"type": "text_delta", "text": 3})),
        sse(START, *block(0, {"type": "tool_use", "input": {}})),
        sse(STOP),
        b"data: nonsense\n\n",
        b"data: 3\n\n",
    ],
)
def test_what_is_no_reply_is_malformed(body):
    with pytest.raises(ProviderWireError) as caught:
        read(body)
    assert not caught.value.cut


def test_a_whole_body_that_stops_in_its_middle_is_cut():
    with pytest.raises(ProviderWireError) as caught:
        read(b'{"content":[{"type":"text","text":"a')
    assert caught.value.cut


def test_pings_and_unknown_events_say_nothing():
    more: list[dict[str, Any]] = [{"type": "ping"}, {"type": "event_of_tomorrow", "a": 1}]
    assert read(sse(START, *more, delta("end_turn"), STOP)) == read(
        sse(START, delta("end_turn"), STOP)
    )
    assert read(sse(START, delta("end_turn"), STOP) + b"data: [DONE]\n\n")[-1].__class__ is Finished


# ---- errors


def test_an_error_reply_is_extracted():
    body = {
        "type": "error",
        "error": {
            "type": "rate_limit_error",
            "message": "slow",
            "details": {"error_code": "enforced_spend_limit_reached", "limit": 3, "x": [1]},
        },
        "request_id": "req_1",
    }
    head = HttpHead(429, (("retry-after", "2"), ("x-should-retry", "false")))
    assert ANTHROPIC_MESSAGES.parse_error(head, json.dumps(body).encode()) == ErrorReport(
        status=429,
        code="enforced_spend_limit_reached",
        type="rate_limit_error",
        message="slow",
        hint_ns=2 * 10**9,
        pushback=True,
        details={"error_code": "enforced_spend_limit_reached", "limit": "3"},
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"error":[]}', b"\xff"])
def test_a_page_is_no_error_shape(body):
    report = ANTHROPIC_MESSAGES.parse_error(HttpHead(502), body)
    assert (report.status, report.json, report.message) == (502, False, "")


def test_our_errors_tell_code_place_and_request():
    error = ClientError(
        status=400,
        kind="bad_request",
        message="m",
        code="model_not_found",
        param="/model",
        request_id="r",
        extra={"available_models": ["a"]},
    )
    assert json.loads(ANTHROPIC_MESSAGES.emit_error(error)) == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "m",
            "details": {
                "available_models": ["a"],
                "error_code": "model_not_found",
                "param": "/model",
            },
        },
        "request_id": "r",
        "available_models": ["a"],
    }


# ---- writing


def request_of(*tools: Tool) -> Request:
    asked = Conversation(tools=tools)
    return Request(dialect="openai.chat", endpoint="chat", raw={}, decode=lambda _: asked)


def written(*events: StreamEvent, request: Request | None = None) -> list[dict[str, Any]]:
    encoder = ANTHROPIC_MESSAGES.encoder(request=request or request_of(), model="mine")
    body = b"".join(encoder.feed(event) for event in events)
    found = []
    for frame in body.decode().split("\n\n")[:-1]:
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def test_a_stream_is_written_in_its_order():
    events = written(
        Started("m1", "theirs"),
        UsageReported(Usage(input_tokens=9, output_tokens=1)),
        PartStarted(0, Text()),
        PartDelta(0, "a"),
        PartDelta(0, 'b"\n'),
        PartEnded(0),
        UsageReported(Usage(input_tokens=9, output_tokens=5, reasoning_tokens=2)),
        Finished("stop"),
    )
    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[0]["message"]["model"] == "mine"
    assert events[0]["message"]["usage"]["input_tokens"] == 9
    assert events[3]["delta"] == {"type": "text_delta", "text": 'b"\n'}
    assert events[5] == {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {
            "input_tokens": 9,
            "output_tokens": 5,
            "output_tokens_details": {"thinking_tokens": 2},
        },
    }


def test_thinking_nobody_signed_wears_a_tag_that_nobody_takes():
    events = written(Started("m", "x"), PartStarted(0, Reasoning(text="hm")), PartEnded(0))
    assert events[-2]["delta"] == {"type": "signature_delta", "signature": "hr1.unsigned.."}


def test_another_vendor_s_parts_and_choices_have_no_place():
    foreign = ServerTool(dialect="gemini.generate", kind="x", phase="call", value={})
    events = written(
        Started("m", "x"),
        PartStarted(0, foreign),
        PartEnded(0),
        PartStarted(1, Text("a"), 0),
        PartStarted(2, Text("b"), 1),
        PartDelta(2, "b"),
        PartEnded(2),
        PartDelta(1, "c"),
        PartEnded(1),
        Finished("stop", choice=1),
        Finished("stop"),
    )
    said = [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]
    assert said == ["a", "c"]
    assert events[-1]["type"] == "message_stop"


def test_a_tool_is_called_by_the_name_the_caller_gave_it():
    short = fitted(["my.tool"])["my.tool"]
    events = written(
        Started("m", "x"),
        PartStarted(0, ToolUse(id="t", name=short)),
        PartEnded(0),
        Finished("tool_calls"),
        request=request_of(Tool(name="my.tool")),
    )
    assert events[1]["content_block"]["name"] == "my.tool"


def test_a_broken_answer_ends_as_an_error():
    events = written(Started("m", "x"), Finished("malformed"))
    assert [event["type"] for event in events] == ["message_start", "error"]


def test_nothing_follows_an_error():
    encoder = ANTHROPIC_MESSAGES.encoder(request=request_of(), model="mine")
    encoder.fail(ClientError(status=502, kind="server_error", message="m"))
    assert encoder.feed(Finished("stop")) == b""
