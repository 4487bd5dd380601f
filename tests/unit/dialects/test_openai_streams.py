"""Single rules of both stream readers and writers."""

import json
from typing import Any

import pytest

from hyperroute.canon.content import Media, Reasoning, Refusal, Sealed, Text, ToolUse
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
from hyperroute.canon.usage import Usage
from hyperroute.dialects.base import ClientError, Dialect, ErrorInStream
from hyperroute.dialects.openai_chat import OPENAI_CHAT, OpenAiChat
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES
from hyperroute.dialects.sse import frame
from hyperroute.errors import ProviderWireError

DONE = b"data: [DONE]\n\n"


def chunk(delta: Any = None, finish: Any = None, index: int = 0, **more: Any) -> bytes:
    entry = {"index": index, "delta": delta or {}, "finish_reason": finish}
    return frame(json.dumps({"id": "c-1", "model": "m", "choices": [entry], **more}).encode())


def call(index: int | None, **members: Any) -> dict[str, Any]:
    function = {k: members.pop(k) for k in ("name", "arguments") if k in members}
    entry = {**members, "function": function}
    return {"tool_calls": [entry if index is None else {"index": index, **entry}]}


def read(dialect: Dialect, body: bytes) -> list[StreamEvent]:
    decoder = dialect.decoder(stream=True)
    return [*decoder.feed(body), *decoder.close()]


def chat(*pieces: bytes) -> Any:
    return collect(read(OPENAI_CHAT, b"".join(pieces))).choices[0]


def calls(*pieces: bytes) -> list[tuple[str, str, str]]:
    return [(p.id, p.name, p.arguments) for p in chat(*pieces).parts if isinstance(p, ToolUse)]


STOP = chunk(finish="stop")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "filter"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("error", "error"),
        ("eos", "other"),
    ],
)
def test_finishes_of_chat(raw: str, reason: str) -> None:
    finish = chat(chunk({"content": "x"}), chunk(finish=raw)).finish
    assert (finish.reason, finish.raw) == (reason, raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "tool_calls"),
        ("eos", "tool_calls"),
        ("length", "length"),
        ("content_filter", "filter"),
    ],
)
def test_calls_make_it_tool_calls_unless_it_was_stopped_short(raw: str, reason: str) -> None:
    pieces = (chunk(call(0, id="a", name="f", arguments="{}")), chunk(finish=raw))
    assert chat(*pieces).finish.reason == reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        DONE,
        chunk({"content": "x"}),
        chunk({"content": "x"}) + DONE,
        chunk({"content": "x"}, finish=""),
        chunk({}, "stop") + chunk({"content": "x"}, index=1) + DONE,
        STOP[:-10],
    ],
)
def test_a_chat_stream_without_its_finish_is_cut(body: bytes) -> None:
    with pytest.raises(ProviderWireError) as raised:
        read(OPENAI_CHAT, body)
    assert raised.value.cut


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"Internal Server Error",
        frame(b"oops"),
        frame(b"[1]"),
        frame(b'{"choices":{}}'),
        frame(b'{"choices":[1]}'),
        frame(b'{"choices":[{"delta":[]}]}'),
        chunk({"content": 5}),
        chunk({"tool_calls": {}}),
        chunk({"tool_calls": [1]}),
        chunk({"tool_calls": [{"function": 3}]}),
        chunk(call(0, id="a", arguments="{}")) + STOP,
        chunk(call(0, id="a", name="f", arguments=[1])),
        chunk(finish=3),
        b'{"choices":[]}',
        b'{"choices":[{"message":{"content":"x"}}]}',
        b'{"id":"x"}',
        b"[]",
        b'{"choices":[{}]}}',
        chunk({"tool_calls": [{"id": f"{n}", "function": {"name": "f"}} for n in range(5_000)]}),
        b"".join(chunk({"content": "x"}, index=n) for n in range(200)),
    ],
    ids=lambda body: body[:40],
)
def test_malformed_chat_is_a_wire_error(body: bytes) -> None:
    with pytest.raises(ProviderWireError):
        read(OPENAI_CHAT, body)


@pytest.mark.parametrize("body", [b"<html>", b"Bad gateway", b"\n\nOops", b"42", b"\xff"])
def test_a_page_or_text_is_malformed_and_not_cut(body: bytes) -> None:
    for dialect in (OPENAI_CHAT, OPENAI_RESPONSES):
        with pytest.raises(ProviderWireError) as raised:
            read(dialect, body)
        assert not raised.value.cut


@pytest.mark.parametrize("body", [b'{"choices":[{"mess', b'{"error":'])
def test_a_body_that_breaks_off_is_cut_and_not_malformed(body: bytes) -> None:
    for dialect in (OPENAI_CHAT, OPENAI_RESPONSES):
        with pytest.raises(ProviderWireError) as raised:
            read(dialect, body)
        assert raised.value.cut


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"m","code":"slow_down"}}',
        frame(b'{"error":{"message":"m","code":"slow_down"}}'),
        frame(b'{"message":"m","code":"slow_down"}', name="error"),
        chunk({"content": "x"})
        + frame(b'{"error":{"message":"m","code":"slow_down"},"choices":[]}'),
    ],
)
def test_an_error_inside_a_200_is_reported(body: bytes) -> None:
    for dialect in (OPENAI_CHAT, OPENAI_RESPONSES):
        with pytest.raises(ErrorInStream) as raised:
            list(read(dialect, body))
        assert (raised.value.report.code, raised.value.report.message) == ("slow_down", "m")


def test_an_error_behind_the_finish_changes_nothing() -> None:
    assert (
        chat(chunk({"content": "x"}), STOP, frame(b'{"error":{"message":"m"}}'), frame(b"?")).text
        == "x"
    )


def test_usage_behind_the_finish_is_waited_for() -> None:
    decoder = OPENAI_CHAT.decoder(stream=True)
    assert list(decoder.feed(chunk({"content": "x"}) + STOP))[-1] == PartEnded(0)
    usage = frame(b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}')
    assert list(decoder.feed(usage)) == [
        UsageReported(Usage(input_tokens=1, output_tokens=2)),
        Finished("stop", "stop"),
    ]
    assert list(decoder.feed(DONE + usage)) == []
    assert list(decoder.close()) == []


def test_usage_on_every_chunk_is_cumulative() -> None:
    pieces = [
        chunk({"content": "x"}, usage={"prompt_tokens": 3, "completion_tokens": n}) for n in (1, 2)
    ]
    last = chunk(finish="stop", usage={"prompt_tokens": 3, "completion_tokens": 1})
    assert collect(read(OPENAI_CHAT, b"".join(pieces) + last)).usage.output_tokens == 2


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        # OpenAI's way
        ([call(0, id="a", name="f", arguments=""), call(0, arguments="{}")], [("a", "f", "{}")]),
        # id and name repeated in every fragment
        ([call(0, id="a", name="f", arguments="{"), call(0, id="a", name="f", arguments="}")],
         [("a", "f", "{}")]),
        # id, name and arguments one after the other
        ([call(0, id="a"), call(0, name="f"), call(0, arguments="{}")], [("a", "f", "{}")]),
        ([call(0, name="f"), call(0, id="a"), call(0, arguments="{}")], [("a", "f", "{}")]),
        # no id at all
        ([call(0, name="f", arguments="{"), call(0, arguments="}")], [("call_c1_0", "f", "{}")]),
        # no index: by id, or by what came last
        ([call(None, id="a", name="f", arguments="{"), call(None, arguments="}"),
          call(None, id="b", name="g", arguments="[]"), call(None, id="a", arguments=" ")],
         [("a", "f", "{} "), ("b", "g", "[]")]),
        ([call(None, name="f", arguments="{}"), call(None, name="f", arguments="[]")],
         [("call_c1_0", "f", "{}"), ("call_c1_1", "f", "[]")]),
        # the same index for calls of different ids
        ([call(0, id="a", name="f", arguments="{}"), call(0, id="b", name="g", arguments="[]")],
         [("a", "f", "{}"), ("b", "g", "[]")]),
        # a gap in the index
        ([call(1, id="a", name="f", arguments="{}"), call(5, id="b", name="g", arguments="[]")],
         [("a", "f", "{}"), ("b", "g", "[]")]),
        # one id for two calls
        ([call(0, id="f", name="f", arguments="{}"), call(1, id="f", name="f", arguments="[]")],
         [("f", "f", "{}"), ("call_c1_1", "f", "[]")]),
        # arguments as an object, absent, null
        ([call(0, id="a", name="f", arguments={"k": 1})], [("a", "f", '{"k":1}')]),
        ([call(0, id="a", name="f")], [("a", "f", "")]),
        ([call(0, id="a", name="f", arguments=None)], [("a", "f", "")]),
        # the form of before tool calls
        ([{"function_call": {"name": "f", "arguments": "{"}}, {"function_call": {"arguments": "}"}}],
         [("call_c1_0", "f", "{}")]),
    ],
)  # fmt: skip
def test_row_67_calls_are_repaired(pieces: list[Any], expected: list[Any]) -> None:
    assert calls(*(chunk(piece) for piece in pieces), STOP) == expected


def test_a_call_is_told_as_it_comes_and_the_next_one_waits() -> None:
    decoder = OPENAI_CHAT.decoder(stream=True)
    first = list(decoder.feed(chunk(call(0, id="a", name="f", arguments="{"))))
    assert first[1:] == [PartStarted(0, ToolUse(id="a", name="f")), PartDelta(0, "{")]
    assert list(decoder.feed(chunk(call(1, id="b", name="g", arguments="[")))) == []
    assert list(decoder.feed(chunk(call(0, arguments="}")))) == [PartDelta(0, "}")]


def test_usage_on_the_finish_does_not_end_the_wait_for_the_last_word() -> None:
    pieces = (
        chunk({"content": "x"}),
        chunk(finish="stop", usage={"prompt_tokens": 3, "completion_tokens": 1}),
        frame(b'{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9}}'),
    )
    assert collect(read(OPENAI_CHAT, b"".join(pieces))).usage.output_tokens == 9


def test_a_choice_that_finished_is_not_told_more() -> None:
    """Row 64, while another choice goes on."""
    pieces = (
        chunk({"content": "a"}), chunk({"content": "b"}, index=1), STOP, chunk({"content": "more"}),
        chunk(finish="length"), chunk(finish="stop", index=1), DONE,
    )  # fmt: skip
    reply = collect(read(OPENAI_CHAT, b"".join(pieces)))
    assert [(c.text, c.finish.reason) for c in reply.choices] == [("a", "stop"), ("b", "stop")]


def test_text_beside_an_open_call_waits_for_its_end() -> None:
    pieces = (
        chunk(call(0, id="a", name="f", arguments="{")),
        chunk({"content": "x"}),
        chunk(call(0, arguments="}")),
        chunk({"reasoning_content": "hm"}),
        STOP,
    )
    assert chat(*pieces).parts == (
        ToolUse(id="a", name="f", arguments="{}"),
        Text("x"),
        Reasoning(text="hm"),
    )


def test_custom_calls_and_their_input() -> None:
    entry = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls"}}
    (part,) = chat(chunk({"tool_calls": [entry]}), STOP).parts
    assert part == ToolUse(id="a", name="sh", arguments="ls", custom=True)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_thinking_of_compatible_servers(key: str) -> None:
    parts = chat(chunk({key: "hm"}), chunk({key: None, "content": "x"}), STOP).parts
    assert parts == (Reasoning(text="hm"), Text("x"))


def test_thinking_told_under_both_names_is_told_once() -> None:
    assert chat(chunk({"reasoning_content": "a", "reasoning": "a"}), STOP).parts == (
        Reasoning(text="a"),
    )


def test_content_in_parts_images_and_sound() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "x"},
        {"type": "refusal", "refusal": "no"},
        "odd",
    ]
    image = {"type": "image_url", "image_url": {"url": "data:image/webp;base64,QUJD"}}
    pieces = (
        chunk({"content": content}),
        chunk({"images": [image, {"image_url": {"url": "https://e.org/a.png"}}, 7]}),
        chunk({"audio": {"id": "au", "transcript": "hel"}}),
        chunk({"audio": {"data": "QUI=", "transcript": "lo", "expires_at": 5}}),
        STOP,
    )
    *said, first, second, sound = chat(*pieces).parts
    assert said == [Reasoning(text="hm"), Text("x"), Refusal("no")]
    assert first == Media(kind="image", source="data", value="QUJD", mime="image/webp")
    assert (second.source, second.value) == ("url", "https://e.org/a.png")
    assert (sound.value, dict(sound.extra)["transcript"]) == ("QUI=", "hello")


def test_a_stream_that_was_not_asked_for_is_read_and_a_whole_body_too() -> None:
    assert chat(b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}').text == "x"
    decoder = OPENAI_CHAT.decoder(stream=False)
    assert collect([*decoder.feed(chunk({"content": "x"}) + STOP), *decoder.close()]).text == "x"


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert chat(chunk({"content": "x"}), STOP.rstrip()).text == "x"


# --- writing chat


def written(events: list[StreamEvent], **raw: Any) -> list[Any]:
    return [json.loads(p) for p in payloads(OPENAI_CHAT, events, **raw) if p != b"[DONE]"]


def payloads(dialect: Dialect, events: list[StreamEvent], **raw: Any) -> list[bytes]:
    request = dialect.parse_request({"model": "a", "messages": [], "input": [], **raw})
    encoder = dialect.encoder(request=request, model="told")
    body = b"".join(map(encoder.feed, events))
    return [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]


TEXT: list[StreamEvent] = [
    Started("i", "m", 7),
    PartStarted(0, Text()),
    PartDelta(0, "x"),
    PartEnded(0),
]
USAGE = UsageReported(Usage(input_tokens=1, output_tokens=2))


def test_usage_rides_on_the_finish_unless_it_was_asked_for() -> None:
    *_, last = written([*TEXT, USAGE, Finished("stop")])
    assert (last["choices"][0]["finish_reason"], last["usage"]["total_tokens"]) == ("stop", 3)
    asked = {"stream_options": {"include_usage": True}}
    *before, finish, last = written([*TEXT, USAGE, Finished("stop")], **asked)
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 3)
    assert all(piece["usage"] is None for piece in (*before, finish))
    assert all("usage" not in piece for piece in written([*TEXT, Finished("stop")]))


def test_two_choices_share_one_end() -> None:
    events: list[StreamEvent] = [
        *TEXT[:1], PartStarted(0, Text("a"), 0), PartStarted(1, Text("b"), 1), PartEnded(0),
        PartEnded(1), USAGE, Finished("stop"), Finished("length", choice=1),
    ]  # fmt: skip
    told = payloads(OPENAI_CHAT, events)
    assert told[-1] == b"[DONE]"
    finishes = [json.loads(p) for p in told[:-1] if b'finish_reason":"' in p]
    assert ["usage" in piece for piece in finishes] == [False, True]


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        ("stop", "stop"), ("stop_sequence", "stop"), ("pause", "stop"), ("length", "length"),
        ("context_full", "length"), ("tool_calls", "tool_calls"), ("filter", "content_filter"),
        ("refusal", "content_filter"), ("malformed", "content_filter"), ("error", "content_filter"),
        ("other", "content_filter"),
    ],
)  # fmt: skip
def test_finishes_are_written_in_chats_five_words(finish: Any, word: str) -> None:
    assert written([*TEXT, Finished(finish)])[-1]["choices"][0]["finish_reason"] == word


def test_a_refusal_in_words_is_a_stop() -> None:
    events = [TEXT[0], PartStarted(0, Refusal("no")), PartEnded(0), Finished("refusal")]
    *_, said, last = written(events)
    assert said["choices"][0]["delta"] == {"refusal": "no"}
    assert last["choices"][0]["finish_reason"] == "stop"


def test_thinking_never_becomes_text() -> None:
    events = [TEXT[0], PartStarted(0, Reasoning(text="hm")), PartEnded(0), Finished("stop")]
    assert b"hm" not in b"".join(payloads(OPENAI_CHAT, events))
    assert b'"reasoning_content":"hm"' in b"".join(
        payloads(OpenAiChat(shows_thinking=True), events)
    )


def test_citations_of_any_vendor_are_annotations() -> None:
    notes = (
        {"type": "web_search_result_location", "url": "https://a", "title": "A", "cited_text": "q"},
        {
            "type": "url_citation",
            "url_citation": {"url": "https://b", "start_index": 0, "end_index": 1},
        },
        {"type": "char_location", "cited_text": "no address"},
    )
    told = written([*TEXT[:-1], PartEnded(0, citations=notes), Finished("stop")])
    found = [
        a["url_citation"] for p in told for a in p["choices"][0]["delta"].get("annotations", ())
    ]
    assert found == [
        {"start_index": 1, "end_index": 1, "title": "A", "url": "https://a"},
        {"start_index": 0, "end_index": 1, "title": "", "url": "https://b"},
    ]


def test_a_failed_stream_says_nothing_more() -> None:
    error = ClientError(status=502, kind="server_error", message="m")
    for dialect in (OPENAI_CHAT, OPENAI_RESPONSES):
        request = dialect.parse_request({"model": "a", "messages": [], "input": []})
        encoder = dialect.encoder(request=request, model="told")
        encoder.feed(TEXT[0])
        assert encoder.fail(error)
        assert encoder.fail(error) == b""
        assert encoder.feed(TEXT[1]) == b""
        done = dialect.encoder(request=request, model="told")
        for event in (*TEXT, Finished("stop")):
            done.feed(event)
        assert done.fail(error) == b""


def test_the_callers_tool_names_come_back() -> None:
    tools = [{"type": "function", "function": {"name": "my.tool/1"}}]
    request = OPENAI_CHAT.parse_request({"model": "a", "messages": [], "tools": tools})
    from hyperroute.dialects.renaming import fitted

    short = fitted(["my.tool/1"])["my.tool/1"]
    encoder = OPENAI_CHAT.encoder(request=request, model="told")
    encoder.feed(TEXT[0])
    assert b'"name":"my.tool/1"' in encoder.feed(PartStarted(0, ToolUse(id="c", name=short)))


# --- Responses


def event(kind: str, **members: Any) -> bytes:
    return frame(json.dumps({"type": kind, **members}).encode(), name=kind)


CREATED = event("response.created", response={"id": "resp_1", "model": "m", "created_at": 5})
COMPLETED = event("response.completed", response={"output": []})


def response(*pieces: bytes) -> Any:
    return collect(read(OPENAI_RESPONSES, b"".join((CREATED, *pieces)))).choices[0]


@pytest.mark.parametrize(
    ("terminal", "reason", "raw"),
    [
        (event("response.completed", response={}), "stop", "completed"),
        (event("response.incomplete", response={"incomplete_details": {"reason": "max_output_tokens"}}),
         "length", "max_output_tokens"),
        (event("response.incomplete", response={"incomplete_details": {"reason": "content_filter"}}),
         "filter", "content_filter"),
        (event("response.incomplete", response={"incomplete_details": {"reason": "steered"}}),
         "other", "steered"),
        (event("response.incomplete", response={}), "other", "incomplete"),
    ],
)  # fmt: skip
def test_terminals_of_responses(terminal: bytes, reason: str, raw: str) -> None:
    finish = response(terminal).finish
    assert (finish.reason, finish.raw) == (reason, raw)


@pytest.mark.parametrize(
    "body",
    [
        event("response.failed", response={"error": {"code": "slow_down", "message": "m"}}),
        event("error", code="slow_down", message="m", param=None),
        event("error", error={"code": "slow_down", "message": "m"}),
        b'{"status":"failed","error":{"code":"slow_down","message":"m"},"output":[]}',
    ],
)
def test_failures_of_responses(body: bytes) -> None:
    with pytest.raises(ErrorInStream) as raised:
        read(OPENAI_RESPONSES, body)
    assert (raised.value.report.code, raised.value.report.message) == ("slow_down", "m")


@pytest.mark.parametrize("body", [CREATED, CREATED + DONE, COMPLETED[:-9], b""])
def test_a_response_without_its_terminal_is_cut(body: bytes) -> None:
    with pytest.raises(ProviderWireError) as raised:
        read(OPENAI_RESPONSES, body)
    assert raised.value.cut


@pytest.mark.parametrize(
    "body",
    [
        frame(b"oops"),
        frame(b"[]"),
        event("response.output_text.delta", output_index=0, delta=5),
        event("response.output_text.delta", delta="x"),
        event("response.function_call_arguments.delta", output_index=0, delta="x"),
        event("response.output_item.added", output_index=0),
        event("response.output_item.added", output_index=0, item={"type": "function_call"}),
        b'{"status":"in_progress","output":[]}',
        b'{"output":[]}',
        b'{"status":"completed"}',
        json.dumps({"status": "completed", "output": [{}] * 5_000}).encode(),
    ],
    ids=lambda body: body[:40],
)
def test_malformed_responses_are_wire_errors(body: bytes) -> None:
    with pytest.raises(ProviderWireError):
        read(OPENAI_RESPONSES, body)


def test_servers_that_send_less_are_read_from_what_repeats_it() -> None:
    said = {"type": "message", "content": [{"type": "output_text", "text": "hello"}]}
    done = event("response.output_item.done", output_index=0, item=said)
    delta = event("response.output_text.delta", output_index=0, content_index=0, delta="hel")
    last = event("response.completed", response={"output": [said]})
    for pieces in (
        (done, COMPLETED),
        (delta, done, COMPLETED),
        (delta, last),
        (last,),
        (done, last),
    ):
        assert response(*pieces).text == "hello"
    assert response(delta, COMPLETED).text == "hel"


def test_an_item_that_waited_is_told_live_once_its_turn_comes() -> None:
    def added(index: int) -> bytes:
        item = {"type": "function_call", "id": f"fc_{index}", "call_id": f"c{index}", "name": "f"}
        return event("response.output_item.added", output_index=index, item=item)

    def delta(index: int, text: str) -> bytes:
        kind = "response.function_call_arguments.delta"
        return event(kind, output_index=index, delta=text)

    decoder = OPENAI_RESPONSES.decoder(stream=True)
    list(decoder.feed(CREATED + added(0) + added(1) + delta(0, "{")))
    assert list(decoder.feed(delta(1, "[") + added(2))) == []
    done = event("response.output_item.done", output_index=0, item={"type": "function_call"})
    told = list(decoder.feed(done))
    assert [type(e) for e in told] == [PartEnded, PartStarted, PartDelta]
    assert list(decoder.feed(delta(1, "]"))) == [PartDelta(1, "]")]
    last = list(decoder.feed(COMPLETED))
    assert [type(e) for e in last] == [PartEnded, PartStarted, PartEnded, Finished]


def test_a_call_without_arguments_is_told_as_an_empty_object() -> None:
    events = [
        TEXT[0],
        PartStarted(0, ToolUse(id="c", name="f")),
        PartEnded(0),
        Finished("tool_calls"),
    ]
    deltas = [piece["choices"][0]["delta"] for piece in written(events)]
    assert {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]} in deltas


def test_one_call_id_for_two_calls_is_repaired() -> None:
    items = [
        {"type": "function_call", "id": f"fc_{n}", "call_id": "x", "name": "f", "arguments": "{}"}
        for n in range(2)
    ]
    parts = response(event("response.completed", response={"output": items})).parts
    assert [part.id for part in parts] == ["x", "fc_1"]


def test_a_foreign_seal_is_tagged_and_our_own_is_bare() -> None:
    for vendor, group, expected in (("anthropic", "g", "hr1.anthropic.g.S"), ("", "", "S")):
        sealed = Sealed("signature", "S", vendor, group)
        events = [
            TEXT[0],
            PartStarted(0, Reasoning(text="hm")),
            PartEnded(0, sealed),
            Finished("stop"),
        ]
        last = json.loads(payloads(OPENAI_RESPONSES, events)[-1])
        assert last["response"]["output"][0]["encrypted_content"] == expected


def test_a_signature_on_a_call_rides_before_it() -> None:
    call_part = ToolUse(
        id="c", name="f", arguments="{}", sealed=Sealed("signature", "S", "google", "g")
    )
    events = [TEXT[0], PartStarted(0, call_part), PartEnded(0), Finished("tool_calls")]
    output = json.loads(payloads(OPENAI_RESPONSES, events)[-1])["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "function_call"]
    assert output[0]["encrypted_content"] == "hr1.google.g.S"


def test_thinking_of_one_item_stays_one_item() -> None:
    events: list[StreamEvent] = [TEXT[0]]
    for number in range(2):
        events += [
            PartStarted(number, Reasoning(text="t", summary=True, id="rs_7")),
            PartEnded(number),
        ]
    output = json.loads(payloads(OPENAI_RESPONSES, [*events, Finished("stop")])[-1])["response"][
        "output"
    ]
    assert [len(item["summary"]) for item in output] == [2]


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None), ("tool_calls", "completed", None),
        ("length", "incomplete", "max_output_tokens"), ("filter", "incomplete", "content_filter"),
        ("refusal", "incomplete", "content_filter"), ("pause", "incomplete", None),
        ("other", "incomplete", None), ("malformed", "failed", None),
    ],
)  # fmt: skip
def test_statuses_are_written(finish: Any, status: str, reason: str | None) -> None:
    last = json.loads(payloads(OPENAI_RESPONSES, [*TEXT, Finished(finish)])[-1])
    assert (last["type"], last["response"]["status"]) == (f"response.{status}", status)
    details = last["response"]["incomplete_details"]
    assert (details or {}).get("reason") == reason
    assert (last["response"]["error"] is not None) == (status == "failed")


def test_a_response_that_never_began_is_created_before_it_fails() -> None:
    request = OPENAI_RESPONSES.parse_request({"model": "a", "input": []})
    encoder = OPENAI_RESPONSES.encoder(request=request, model="told")
    body = encoder.fail(ClientError(status=429, kind="rate_limited", message="m"))
    told = [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: ")]
    kinds = ["response.created", "response.in_progress", "response.failed"]
    assert [event["type"] for event in told] == kinds
    assert [event["sequence_number"] for event in told] == [0, 1, 2]
    assert len({event["response"]["id"] for event in told}) == 1
    assert told[-1]["response"]["error"] == {"code": "rate_limit_exceeded", "message": "m"}


def test_what_a_provider_told_is_gone_on_with_when_it_breaks() -> None:
    request = OPENAI_RESPONSES.parse_request({"model": "a", "input": []})
    encoder = OPENAI_RESPONSES.encoder(request=request, model="told")
    response = {
        "id": "resp_9",
        "object": "response",
        "created_at": 7,
        "model": "theirs",
        "tools": [],
    }
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
    told: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": response}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
    ]
    for number, (kind, more) in enumerate(told):
        event = {"type": kind, "sequence_number": number + 4, **more}
        encoder.passed(frame(json.dumps(event).encode(), name=kind))
    assert encoder.pulse().startswith(b"event: keepalive\n")
    body = encoder.fail(ClientError(status=502, kind="server_error", message="m"))
    last = json.loads(body.decode().split("data: ")[1])
    assert (last["type"], last["sequence_number"]) == ("response.failed", 6)
    failed = last["response"]
    assert (failed["id"], failed["model"], failed["created_at"]) == ("resp_9", "theirs", 7)
    assert failed["output"] == [item]
