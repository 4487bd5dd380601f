"""Gemini replies: recorded bytes to events, the terminal, errors, and what we write ourselves."""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from hyperroute.canon.content import Media, Reasoning, Sealed, ServerTool, Text, ToolUse
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
from hyperroute.dialects.base import ClientError, ErrorInStream, ErrorReport
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.dialects.renaming import fitted
from hyperroute.errors import ProviderWireError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "gemini.generate"
RECORDED = sorted([*FIXTURES.glob("*.stream.txt"), *FIXTURES.glob("*.reply.json")])


def chunk(*parts: dict[str, Any], reason: str | None = None, index: int = 0) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": index}
    if reason is not None:
        candidate["finishReason"] = reason
    return {"candidates": [candidate]}


def sse(*documents: dict[str, Any]) -> bytes:
    return "".join(f"data: {json.dumps(document)}\n\n" for document in documents).encode()


def read(body: bytes) -> list[StreamEvent]:
    decoder = GEMINI_GENERATE.decoder(stream=True)
    return [*decoder.feed(body), *decoder.close()]


def plain(value: Any) -> Any:
    """Write a value as events.json does: only what differs from its default."""
    if not is_dataclass(value) or isinstance(value, type):
        return [plain(item) for item in value] if isinstance(value, list | tuple) else value
    told: dict[str, Any] = {"is": type(value).__name__}
    for member in fields(value):
        said = getattr(value, member.name)
        if said not in (member.default, ()) and not (member.name == "extra" and not said):
            told[member.name] = plain(said)
    return told


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_bytes_read_as_their_events(path):
    expected = path.with_name(path.name.split(".")[0] + ".events.json")
    assert [plain(event) for event in read(path.read_bytes())] == json.loads(expected.read_text())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "filter"),
        ("MODEL_ARMOR", "filter"),
        ("IMAGE_PROHIBITED_CONTENT", "filter"),
        ("MALFORMED_FUNCTION_CALL", "malformed"),
        ("TOO_MANY_TOOL_CALLS", "malformed"),
        ("CONTINUATION", "pause"),
        ("OTHER", "other"),
        ("SOMETHING_NEW", "other"),
    ],
)
def test_reasons(raw, reason):
    assert read(sse(chunk({"text": "a"}, reason=raw)))[-1] == Finished(reason, raw)


def test_a_candidate_without_content_still_says_why():
    body = b'{"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL"}]}'
    assert read(body) == [Started("", ""), Finished("malformed", "UNEXPECTED_TOOL_CALL")]


@pytest.mark.parametrize(("raw", "told"), [("STOP", "tool_calls"), ("MAX_TOKENS", "length")])
def test_calls_decide_the_reason_but_for_a_length(raw, told):
    finish = read(sse(chunk({"functionCall": {"name": "f"}}, reason=raw)))[-1]
    assert isinstance(finish, Finished)
    assert finish.reason == told


@pytest.mark.parametrize(
    "documents",
    [[], [{}], [chunk({"text": "a"})], [chunk(reason="FINISH_REASON_UNSPECIFIED")], [{"usageMetadata": {}}]],
)  # fmt: skip
def test_invariant_27_no_terminal_is_a_cut(documents):
    with pytest.raises(ProviderWireError) as caught:
        read(sse(*documents))
    assert caught.value.cut


def test_what_follows_the_terminal_is_ignored():
    body = sse(chunk({"text": "a"}, reason="STOP"))
    more = sse(
        chunk({"text": "b"}, reason="SAFETY"),
        {"error": {}},
        {"usageMetadata": {"promptTokenCount": 3}},
    )
    assert read(body + more + b"data: nonsense\n\ndata: 3\n\n") == read(body)


def test_several_candidates_are_kept_apart_and_may_come_late():
    events = read(
        sse(
            chunk({"text": "a"}),
            chunk({"text": "b"}, reason="STOP"),
            chunk({"text": "c"}, index=1),
            chunk({"text": "d"}, reason="MAX_TOKENS", index=1),
        )
    )
    reply = collect(events)
    assert [(c.text, c.finish.reason) for c in reply.choices] == [("ab", "stop"), ("cd", "length")]


def test_text_and_thinking_take_turns_as_parts():
    events = read(
        sse(
            chunk({"text": "x", "thought": True}, {"text": "a"}),
            chunk({"text": "b", "thoughtSignature": "c2ln"}, {"text": "c"}, reason="STOP"),
        )
    )
    sealed = Sealed("signature", "c2ln", "google")
    assert collect(events).choices[0].parts == (
        Reasoning(text="x"),
        Text("ab", sealed=sealed),
        Text("c"),
    )


def test_ids_are_made_where_google_gives_none_and_differ_between_replies():
    def ids(response_id: str) -> list[str]:
        call = {"functionCall": {"name": "f", "args": {}}}
        body = sse({**chunk(call, call, reason="STOP"), "responseId": response_id})
        return [p.id for p in collect(read(body)).choices[0].parts if isinstance(p, ToolUse)]

    assert len({*ids("a"), *ids("b")}) == 4
    assert ids("a") == ids("a")


def test_grounding_is_kept_with_the_text():
    document = chunk({"text": "a"}, reason="STOP")
    document["candidates"][0]["groundingMetadata"] = {"webSearchQueries": ["q"]}
    assert PartEnded(0, citations=({"groundingMetadata": {"webSearchQueries": ["q"]}},)) in read(
        sse(document)
    )


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({}, None),
        ({"promptTokenCount": 4, "totalTokenCount": 4}, Usage(input_tokens=4, output_tokens=0)),
        ({"promptTokenCount": 4}, Usage(input_tokens=4)),
        (
            {"promptTokenCount": 4, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "totalTokenCount": 6},
            Usage(input_tokens=4, output_tokens=5, reasoning_tokens=3),
        ),
        (
            {"prompt_token_count": 4, "tool_use_prompt_token_count": 1, "cached_content_token_count": 3, "candidates_token_count": -1},
            Usage(input_tokens=5, cache_read_tokens=3, output_tokens=0),
        ),
        (
            {"promptTokenCount": "7", "candidatesTokenCount": True, "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 5}, 3]},
            Usage(input_tokens=7, input_image_tokens=5),
        ),
    ],
)  # fmt: skip
def test_counts(counts, usage):
    events = read(sse({**chunk(reason="STOP"), "usageMetadata": counts}))
    assert [e.usage for e in events if isinstance(e, UsageReported)] == ([usage] if usage else [])


def test_counts_are_cumulative():
    first = {
        **chunk({"text": "a"}),
        "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 9},
    }
    last = {
        **chunk(reason="STOP"),
        "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 7},
    }
    assert collect(read(sse(first, last))).usage == Usage(input_tokens=4, output_tokens=7)


@pytest.mark.parametrize("wrap", [sse, lambda d: json.dumps(d).encode()])
def test_a_blocked_prompt_is_raised_to_be_classified(wrap):
    feedback = {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "no"}
    with pytest.raises(ErrorInStream) as caught:
        read(wrap({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 3}}))
    assert caught.value.report == ErrorReport(
        code="PROHIBITED_CONTENT",
        type="promptFeedback",
        message="no",
        details={"blockReason": "PROHIBITED_CONTENT"},
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}',
        b'[{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}]',
        b'data: {"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}\n\n',
    ],
)
def test_an_error_object_with_status_200_is_an_error(body):
    with pytest.raises(ErrorInStream) as caught:
        read(body)
    report = caught.value.report
    assert (report.status, report.type, report.message) == (503, "UNAVAILABLE", "x")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>busy</html>",
        b'{"candidates":{}}',
        b'{"candidates":[3]}',
        b'{"candidates":[{"content":3}]}',
        b'{"candidates":[{"content":{"parts":{}}}]}',
        b'{"candidates":[{"content":{"parts":[3]}}]}',
        b'{"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]}',
        b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":[]}}]}}]}',
        b"[3]",
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
        read(b'[{"candidates":[{"content":{"parts":[{"text":"a')
    assert caught.value.cut


def test_the_last_event_may_lack_its_blank_line():
    assert read(sse(chunk({"text": "a"}, reason="STOP")).rstrip())[-1] == Finished("stop", "STOP")


# ---- errors


def test_an_error_reply_is_extracted():
    body = {
        "error": {
            "code": 429,
            "message": "quota",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [
                        {
                            "quotaMetric": "metric",
                            "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
                            "quotaValue": "50",
                        }
                    ],
                },
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"},
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "RATE_LIMIT_EXCEEDED",
                    "domain": "googleapis.com",
                    "metadata": {"service": "x", "n": 3},
                },
                {"fieldViolations": [{"field": "contents"}]},
                "strange",
            ],
        }
    }
    expected = ErrorReport(
        status=429,
        code="RATE_LIMIT_EXCEEDED",
        type="RESOURCE_EXHAUSTED",
        param="contents",
        message="quota",
        hint_ns=34_500_000_000,
        details={
            "quotaMetric": "metric",
            "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            "quotaValue": "50",
            "retryDelay": "34.5s",
            "reason": "RATE_LIMIT_EXCEEDED",
            "domain": "googleapis.com",
            "service": "x",
            "field": "contents",
        },
    )
    for shape in (body, [body]):
        found = GEMINI_GENERATE.parse_error(HttpHead(429), json.dumps(shape).encode())
        assert found == expected


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[3]", b"{}", b'{"error":3}', b"\xff"])
def test_a_page_is_no_error_shape(body):
    report = GEMINI_GENERATE.parse_error(HttpHead(502), body)
    assert (report.status, report.json, report.message) == (502, False, "")


def test_our_errors_tell_wait_place_and_reason():
    error = ClientError(
        status=429,
        kind="rate_limited",
        message="m",
        code="too_fast",
        param="/contents",
        retry_after_s=3,
        request_id="r",
        extra={"limits": [1]},
    )
    assert json.loads(GEMINI_GENERATE.emit_error(error)) == {
        "error": {
            "code": 429,
            "message": "m",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "domain": "hyperroute",
                    "reason": "TOO_FAST",
                    "metadata": {"limits": "[1]", "requestId": "r"},
                },
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{"field": "/contents", "description": "m"}],
                },
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"},
            ],
        },
        "limits": [1],
    }


# ---- writing


def request_of(*tools: Tool) -> Request:
    asked = Conversation(tools=tools)
    return Request(dialect="openai.chat", endpoint="chat", raw={}, decode=lambda _: asked)


def written(*events: StreamEvent, request: Request | None = None) -> list[dict[str, Any]]:
    encoder = GEMINI_GENERATE.encoder(request=request or request_of(), model="mine")
    body = b"".join(encoder.feed(event) for event in events)
    frames = body.split(b"\n\n")[:-1]
    assert all(frame.startswith(b"data: {") for frame in frames)
    return [json.loads(frame.removeprefix(b"data: ")) for frame in frames]


def test_a_stream_is_written_in_chunks():
    chunks = written(
        Started("r1", "theirs"),
        PartStarted(0, Reasoning()),
        PartDelta(0, "hm"),
        PartEnded(0, Sealed("signature", "Eq", "anthropic")),
        PartStarted(1, Text("a")),
        PartDelta(1, 'b"\n'),
        PartEnded(1),
        PartStarted(2, ToolUse(id="t", name="f")),
        PartDelta(2, '{"x":'),
        PartDelta(2, "1}"),
        PartEnded(2),
        UsageReported(Usage(input_tokens=9, output_tokens=5, reasoning_tokens=2)),
        Finished("tool_calls"),
    )
    parts = [part for said in chunks for part in said["candidates"][0]["content"]["parts"]]
    assert parts == [
        {"text": "hm", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": "aHIxLmFudGhyb3BpYy4uRXE="},
        {"text": "a"},
        {"text": 'b"\n'},
        {"functionCall": {"id": "t", "name": "f", "args": {"x": 1}}},
    ]
    assert all(said["modelVersion"] == "mine" and said["responseId"] == "r1" for said in chunks)
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"
    assert chunks[-1]["usageMetadata"] == {
        "promptTokenCount": 9,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 2,
        "totalTokenCount": 14,
    }


def test_what_the_encoder_writes_keeps_thinking_signed_across_the_caller():
    chunks = written(
        Started("r", "m"),
        PartStarted(0, Reasoning(text="x")),
        PartEnded(0, Sealed("redacted", "d", "anthropic")),
    )
    signature = chunks[-1]["candidates"][0]["content"]["parts"][0]["thoughtSignature"]
    part = {"text": "", "thought": True, "thoughtSignature": signature}
    raw = {"contents": [{"role": "model", "parts": [part]}]}
    (read_back,) = GEMINI_GENERATE.parse_request(raw).conversation.turns[0].parts
    assert read_back == Reasoning(sealed=Sealed("redacted", "d", "anthropic"))


def test_media_goes_inline_and_foreign_parts_have_no_place():
    foreign = ServerTool(dialect="anthropic.messages", kind="x", phase="call", value={})
    chunks = written(
        Started("r", "m"),
        PartStarted(0, foreign),
        PartEnded(0),
        PartStarted(1, Media(kind="image", source="data", value="aGk=", mime="image/png")),
        PartEnded(1),
        Finished("filter"),
    )
    assert [said["candidates"][0]["content"]["parts"] for said in chunks] == [
        [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
        [],
    ]
    assert chunks[-1]["candidates"][0]["finishReason"] == "SAFETY"


def test_a_call_that_is_not_json_is_not_written():
    chunks = written(
        Started("r", "m"),
        PartStarted(0, ToolUse(id="t", name="f", arguments='{"a":')),
        PartEnded(0),
        Finished("tool_calls"),
    )
    assert len(chunks) == 1
    assert chunks[0]["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"


def test_a_tool_is_called_by_the_name_the_caller_gave_it():
    short = fitted(["1st"])["1st"]
    chunks = written(
        Started("r", "m"),
        PartStarted(0, ToolUse(id="t", name=short)),
        PartEnded(0),
        request=request_of(Tool(name="1st")),
    )
    assert chunks[0]["candidates"][0]["content"]["parts"][0]["functionCall"]["name"] == "1st"


def test_nothing_follows_an_error():
    encoder = GEMINI_GENERATE.encoder(request=request_of(), model="mine")
    told = encoder.fail(ClientError(status=529, kind="overloaded", message="m"))
    assert json.loads(told.removeprefix(b"data: "))["error"]["status"] == "UNAVAILABLE"
    assert encoder.feed(Finished("stop")) == b""
