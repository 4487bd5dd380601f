"""Frames that pass: which edits are made, what is withheld, and what readers are spared."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from hyperroute.canon.events import Delivery, Finished, PartDelta, Passage, UsageReported
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import Dialect, Tapping
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES
from hyperroute.dialects.sse import EVENT_BYTES_MAX, FrameCutter, frame
from hyperroute.errors import ProviderWireError
from hyperroute.testing.replies import streamed


def tap_of(dialect: Dialect, *, model: str | None = None, **raw: Any) -> Tapping:
    body = {"model": "asked", "messages": [], "input": "x", "contents": [], "max_tokens": 1, **raw}
    tap = dialect.tap(request=dialect.parse_request(body), model=model)
    assert tap is not None
    return tap


def read(tap: Tapping, chunks: Iterable[bytes]) -> list[Delivery]:
    told: list[Delivery] = []
    for chunk in chunks:
        told.extend(tap.feed(chunk))
    told.extend(tap.close())
    return told


def shown(told: Iterable[Delivery]) -> bytes:
    return b"".join(one.frame or b"" for one in told)


def values(body: bytes) -> list[Any]:
    lines = body.replace(b"\r\n", b"\n").split(b"\n")
    data = [line[6:] for line in lines if line.startswith(b"data: ")]
    return [json.loads(one) if one != b"[DONE]" else "DONE" for one in data]


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    entry = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return frame(json.dumps(head | {"choices": [entry]} | more).encode())


HELLO = [chunk({"role": "assistant", "content": ""}), chunk({"content": "hi"})]
STOP = chunk({}, "stop")
COUNTS = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "mine": {"a": [1, "x"]}}
USAGE = frame(json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [],
                          "usage": COUNTS}).encode())  # fmt: skip
DONE = b"data: [DONE]\n\n"


# --- chat: usage and the end ------------------------------------------------------------------------
def test_usage_that_nobody_asked_for_is_told_on_the_chunk_that_finishes():
    told = read(tap_of(OPENAI_CHAT), [*HELLO, STOP, USAGE, DONE])
    *_, last, done = values(shown(told))
    assert done == "DONE"
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"] == COUNTS  # the provider's own, every member of it
    assert b'"choices": []' not in shown(told)
    (counted,) = [one for one in told if isinstance(one, UsageReported)]
    assert counted.usage.output_tokens == 4


def test_usage_that_was_asked_for_passes_as_it_came():
    tap = tap_of(OPENAI_CHAT, stream_options={"include_usage": True})
    body = [*HELLO, STOP, USAGE, DONE]
    assert shown(read(tap, body)) == b"".join(body)


def test_usage_null_is_replaced_on_the_chunk_that_finishes():
    told = read(tap_of(OPENAI_CHAT), [*HELLO, chunk({}, "stop", usage=None), USAGE, DONE])
    assert values(shown(told))[-2]["usage"] == COUNTS


def test_done_is_added_where_a_server_forgets_it():
    assert shown(read(tap_of(OPENAI_CHAT), [*HELLO, STOP])) == b"".join([*HELLO, STOP, DONE])


def test_a_last_frame_without_its_blank_line_is_made_whole():
    body = b"".join([*HELLO, STOP])
    assert shown(read(tap_of(OPENAI_CHAT), [body.rstrip()])) == body + DONE


def test_what_was_cut_behind_the_finish_is_not_handed_on():
    told = read(tap_of(OPENAI_CHAT), [*HELLO, STOP, USAGE[:40]])
    assert shown(told) == b"".join([*HELLO, STOP, DONE])


def test_a_finish_waits_for_the_proof_of_the_end():
    tap = tap_of(OPENAI_CHAT)
    before = [one for piece in (*HELLO, STOP) for one in tap.feed(piece)]
    assert shown(before) == b"".join(HELLO)
    assert shown([*tap.feed(DONE), *tap.close()]) == STOP + DONE


def test_nothing_behind_the_terminal_is_handed_on():
    told = read(tap_of(OPENAI_CHAT), [*HELLO, STOP, HELLO[1], DONE, HELLO[1], STOP, DONE])
    assert shown(told) == b"".join([*HELLO, STOP, DONE])


def test_a_choice_that_begins_late_releases_the_finish_of_the_first():
    late = frame(json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [
        {"index": 1, "delta": {"content": "too"}, "finish_reason": None}]}).encode())  # fmt: skip
    end = late.replace(b'"finish_reason": null', b'"finish_reason": "stop"')
    tap = tap_of(OPENAI_CHAT, n=2)
    before = [one for piece in (*HELLO, STOP, late) for one in tap.feed(piece)]
    assert shown(before) == b"".join([*HELLO, STOP, late])
    assert shown([*tap.feed(end), *tap.close()]) == end + DONE


# --- chat: what would break a reader's sum ----------------------------------------------------------
def test_a_role_is_said_once():
    again = [chunk({"role": "assistant", "content": text}) for text in ("a", "b", "c", "d")]
    body = values(shown(read(tap_of(OPENAI_CHAT), [*again, STOP])))
    deltas = [value["choices"][0]["delta"] for value in body[:4]]
    assert deltas[0] == {"role": "assistant", "content": "a"}
    assert deltas[1:] == [{"content": "b"}, {"content": "c"}, {"content": "d"}]


def calls(*fragments: dict[str, Any]) -> bytes:
    return chunk({"tool_calls": list(fragments)})


def test_a_call_is_named_once_and_counted_by_its_place():
    one = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a"'}}
    more = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ":1}"}}
    two = {"index": 7, "id": "call_2", "type": "function", "function": {"name": "g"}}
    told = shown(read(tap_of(OPENAI_CHAT), [calls(one), calls(more), calls(two), STOP]))
    first, second, third = [v["choices"][0]["delta"]["tool_calls"][0] for v in values(told)[:3]]
    assert (first["index"], first["id"], first["function"]["name"]) == (0, "call_1", "f")
    assert second == {"index": 0, "type": "function", "function": {"arguments": ":1}"}}
    assert (third["index"], third["id"]) == (1, "call_2")


def test_a_call_without_an_id_gets_the_canons():
    tap = tap_of(OPENAI_CHAT)
    body = [calls({"index": 0, "function": {"name": "f", "arguments": ""}}),
            calls({"index": 0, "function": {"arguments": "{}"}}), STOP]  # fmt: skip
    told = values(shown(read(tap, body)))
    ids = [v["choices"][0]["delta"]["tool_calls"][0].get("id") for v in told[:2]]
    assert [one for one in ids if one] == ["call_c_0"]


def test_a_chunk_is_called_one():
    told = shown(read(tap_of(OPENAI_CHAT), [*HELLO, STOP.replace(b"chat.completion.chunk", b"x")]))
    assert values(told)[-2]["object"] == "chat.completion.chunk"


# --- framing ----------------------------------------------------------------------------------------
def test_comments_ids_and_empty_events_are_left_out():
    noise = [b": hm\n\n", b"event: ping\n\n", b"id: 7\n" + HELLO[1], b"retry: 3\n\n", b"\n\n"]
    told = shown(read(tap_of(OPENAI_CHAT), [HELLO[0], *noise, STOP, DONE]))
    assert told == b"".join([*HELLO, STOP, DONE])


def test_gemini_gets_nothing_but_data_with_its_space():
    good = streamed("gemini.generate").chunks
    odd = [b": hm\n\n", good[0].replace(b"data: ", b"event: x\ndata:"), *good[1:], DONE]
    told = shown(read(tap_of(GEMINI_GENERATE), odd))
    assert told == b"".join(good)


@pytest.mark.parametrize("dialect", [ANTHROPIC_MESSAGES, OPENAI_RESPONSES])
def test_events_get_the_names_that_readers_ask_for(dialect):
    good = streamed(dialect.name).chunks
    bare = [b"data:" + piece.partition(b"data:")[2] for piece in good]
    assert shown(read(tap_of(dialect), bare)) == b"".join(good)


def test_a_message_that_stops_is_stopped():
    good = streamed("anthropic.messages").chunks
    assert shown(read(tap_of(ANTHROPIC_MESSAGES), good[:-1])) == b"".join(good)


def test_lines_that_end_in_any_way_pass_byte_for_byte():
    for end in (b"\n", b"\r\n"):
        body = b"".join([*HELLO, STOP, DONE]).replace(b"\n", end)
        tap = tap_of(OPENAI_CHAT)
        assert shown(read(tap, [body[at : at + 1] for at in range(len(body))])) == body


def test_a_frame_without_end_is_refused():
    cutter = FrameCutter()
    assert cutter.cut(b"x" * EVENT_BYTES_MAX) == []
    with pytest.raises(ProviderWireError, match="exceeds"):
        cutter.cut(b"x")


# --- what says nothing in the canon -----------------------------------------------------------------
def test_what_the_canon_does_not_know_passes_at_once_behind_content():
    good = streamed("openai.responses").chunks
    at = next(n for n, piece in enumerate(good) if b"output_text.delta" in piece) + 1
    odd = frame(
        b'{"type":"response.vendor.news","sequence_number":99}', name="response.vendor.news"
    )
    tap = tap_of(OPENAI_RESPONSES)
    for piece in good[:at]:
        list(tap.feed(piece))
    assert list(tap.feed(odd)) == [Passage(odd)]


def test_a_keep_alive_of_the_provider_goes_with_what_follows_it():
    good = streamed("anthropic.messages").chunks
    at = next(n for n, piece in enumerate(good) if b"text_delta" in piece) + 1
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    tap = tap_of(ANTHROPIC_MESSAGES)
    for piece in good[:at]:
        list(tap.feed(piece))
    assert list(tap.feed(ping)) == []
    assert shown(tap.feed(good[at])) == ping + good[at]


# --- straight on ------------------------------------------------------------------------------------
BEGUN = [*HELLO, chunk({"content": " you"})]
"""The second text on its own is the pattern of those to come."""


def test_text_goes_straight_on_and_is_counted():
    tap = tap_of(OPENAI_CHAT)
    for piece in BEGUN:
        assert tap.straight(piece) is None
        list(tap.feed(piece))
    for text in ("a", "bö", 'c\\"\n', "👋"):
        piece = chunk({"content": text}).replace(rb"\u00f6", "ö".encode())
        if "👋" in text:
            assert tap.straight(piece) is None  # half a character each: parsed
        else:
            assert tap.straight(piece) == tap.last == piece
    assert tap.size == len("abö" + 'c\\"\n')


def test_half_a_frame_does_not_go_straight_on():
    tap = tap_of(OPENAI_CHAT)
    read_so_far = [one for piece in BEGUN for one in tap.feed(piece)]
    assert read_so_far
    assert tap.straight(HELLO[1][:30]) is None
    assert list(tap.feed(HELLO[1][:30])) == []
    assert tap.straight(HELLO[1]) is None


def test_the_callers_name_is_told_straight_on():
    tap = tap_of(OPENAI_CHAT, model="theirs")
    for piece in BEGUN:
        list(tap.feed(piece))
    assert tap.straight(chunk({"content": "x"})) == chunk({"content": "x"}).replace(
        b'"model": "m"', b'"model": "theirs"'
    )


def test_events_are_counted_on():
    def delta(number: int) -> bytes:
        event = {"type": "response.output_text.delta", "sequence_number": number, "item_id": "m",
                 "output_index": 0, "content_index": 0, "delta": "x", "logprobs": []}  # fmt: skip
        return frame(json.dumps(event).encode(), name="response.output_text.delta")

    tap = tap_of(OPENAI_RESPONSES)
    list(tap.feed(frame(b'{"type":"response.created","response":{}}', name="response.created")))
    for number in (3, 4):
        list(tap.feed(delta(number)))
    assert tap.straight(delta(5)) == delta(5)
    assert tap.straight(delta(6)) == delta(6)
    assert tap.straight(delta(8)) is None


def test_many_frames_in_one_chunk_become_one_event():
    tap = tap_of(OPENAI_CHAT)
    for piece in BEGUN:
        list(tap.feed(piece))
    three = b"".join(chunk({"content": text}) for text in "abc")
    assert [*tap.feed(three)] == [PartDelta(0, "abc")]
    assert [one.frame for one in tap.feed(three)] == [three]


def test_every_event_tells_that_its_frames_pass():
    told = read(tap_of(OPENAI_CHAT), [*HELLO, STOP, DONE])
    assert all(isinstance(one.frame, bytes) for one in told)
    assert isinstance(told[-1], Finished)
    assert told[-1].frame == STOP + DONE
