"""Messages replies read the same however their bytes are cut, and nonsense never escapes.

Invariants 27 (honest end), 31 (total over any bytes) and the grammar of canon/events.py.
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.events import Finished, StreamEvent, UsageReported, collect
from hyperroute.canon.grammar import violations
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import ErrorInStream
from hyperroute.errors import ProviderWireError

FIXTURES = Path(__file__).parent.parent / "fixtures" / "anthropic.messages"
RECORDED = sorted([*FIXTURES.glob("*.stream.txt"), *FIXTURES.glob("*.reply.json")])

words = st.text(st.characters(codec="utf-8"), max_size=12)


def read(*chunks: bytes) -> list[StreamEvent]:
    decoder = ANTHROPIC_MESSAGES.decoder(stream=True)
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [*events, *decoder.close()]


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(body) + 1) for place in places}), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def written(events: list[dict[str, Any]], line_end: str) -> bytes:
    return "".join(
        f"event: {event['type']}{line_end}data: {json.dumps(event, ensure_ascii=False)}"
        f"{line_end}{line_end}"
        for event in events
    ).encode()


@st.composite
def blocks(draw, index):
    kind = draw(st.sampled_from(["text", "thinking", "tool_use", "redacted_thinking", "strange"]))
    head: dict[str, Any]
    deltas: list[dict[str, str]] = []
    match kind:
        case "text":
            head = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": w} for w in draw(st.lists(words, max_size=4))]
        case "thinking":
            head = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": w} for w in draw(st.lists(words, max_size=3))
            ]
            deltas.append({"type": "signature_delta", "signature": draw(words)})
        case "tool_use":
            head = {"type": "tool_use", "id": f"toolu_{index}", "name": "f", "input": {}}
            text = json.dumps(draw(st.dictionaries(words, words, max_size=2)))
            deltas = [{"type": "input_json_delta", "partial_json": c} for c in text]
        case "redacted_thinking":
            head = {"type": "redacted_thinking", "data": draw(words)}
        case _:
            head = {"type": "strange", "a": draw(words)}
    return [
        {"type": "content_block_start", "index": index, "content_block": head},
        *({"type": "content_block_delta", "index": index, "delta": d} for d in deltas),
        {"type": "content_block_stop", "index": index},
    ]


@st.composite
def streams(draw):
    usage = {"input_tokens": draw(st.integers(0, 99)), "output_tokens": 1}
    message = {"id": draw(words), "type": "message", "model": "m", "content": [], "usage": usage}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    for index in range(draw(st.integers(0, 3))):
        events += draw(blocks(index))
        if draw(st.booleans()):
            events.append({"type": "ping"})
    reason = draw(st.sampled_from(["end_turn", "max_tokens", "tool_use", "refusal", "new_reason"]))
    events.append(
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": draw(st.integers(0, 99))},
        }
    )
    events.append({"type": "message_stop"})
    return written(events, draw(st.sampled_from(["\n", "\r\n", "\r"])))


@given(path=st.sampled_from(RECORDED), places=st.lists(st.integers(0), max_size=8))
def test_any_chunking_of_recorded_bytes_reads_the_same(path, places):
    body = path.read_bytes()
    events = read(*cut(body, places))
    assert events == read(body)
    assert violations(events) == []


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_byte_by_byte_reads_the_same(path):
    body = path.read_bytes()
    assert read(*(body[i : i + 1] for i in range(len(body)))) == read(body)


@given(body=streams(), places=st.lists(st.integers(0), max_size=8))
def test_any_chunking_of_generated_streams_reads_the_same(body, places):
    events = read(*cut(body, places))
    assert events == read(body)
    assert violations(events) == []


@given(body=streams(), place=st.integers(0))
def test_invariant_27_a_cut_before_the_terminal_is_never_an_end(body, place):
    decoder = ANTHROPIC_MESSAGES.decoder(stream=True)
    told = body.index(b'"stop_reason": "') if b'"stop_reason": "' in body else len(body)
    events = list(decoder.feed(body[: place % told]))
    assert not any(isinstance(event, Finished) for event in events)
    with pytest.raises(ProviderWireError) as caught:
        list(decoder.close())
    assert caught.value.cut


@given(body=streams())
def test_what_our_encoder_writes_collects_to_what_was_read(body):
    events = read(body)
    whole = collect(events)
    request = ANTHROPIC_MESSAGES.parse_request({"model": "m", "messages": []})
    encoder = ANTHROPIC_MESSAGES.encoder(request=request, model=whole.model)
    again = collect(read(b"".join(encoder.feed(event) for event in events)))
    assert len(again.choices[0].parts) == len(whole.choices[0].parts)
    assert again.text == whole.text
    assert again.usage.output_tokens == whole.usage.output_tokens
    assert again.usage.input_tokens == whole.usage.input_tokens


@given(body=st.binary(max_size=300))
def test_invariant_31_arbitrary_bytes_raise_only_our_errors(body):
    survive(body)


@given(
    body=st.one_of(streams(), st.sampled_from([path.read_bytes() for path in RECORDED])),
    places=st.lists(st.tuples(st.integers(0), st.binary(max_size=3)), min_size=1, max_size=6),
)
def test_invariant_31_mutated_bytes_raise_only_our_errors(body, places):
    for place, new in places:
        at = place % (len(body) + 1)
        body = body[:at] + new + body[at + max(len(new), 1) :]
    survive(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
members = st.sampled_from(
    [
        "type",
        "index",
        "message",
        "usage",
        "content_block",
        "delta",
        "content",
        "error",
        "id",
        "text",
        "stop_reason",
        "stop_details",
        "input_tokens",
        "cache_creation",
        "partial_json",
        "input",
    ]
)
kinds = st.sampled_from(
    [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "error",
        "message_delta",
        "message_stop",
        "message",
        "text",
        "tool_use",
        "thinking",
        "text_delta",
        "input_json_delta",
        "signature_delta",
        "citations_delta",
        "server_tool_use",
    ]
)
documents = st.recursive(
    st.dictionaries(members, st.one_of(kinds, json_values), max_size=5),
    lambda inner: st.dictionaries(members, st.one_of(kinds, inner, st.lists(inner)), max_size=5),
    max_leaves=6,
)


@given(events=st.lists(documents, max_size=4))
def test_invariant_31_well_formed_nonsense_raises_only_our_errors(events):
    start = {"type": "message_start", "message": {}}
    lines = [json.dumps(event) for event in (start, *events)]
    survive("".join(f"data: {line}\n\n" for line in lines).encode())
    for line in lines:
        survive(line.encode())


def survive(body: bytes) -> None:
    events: list[StreamEvent] = []
    decoder = ANTHROPIC_MESSAGES.decoder(stream=True)
    try:
        events.extend(decoder.feed(body))
        events.extend(decoder.close())
    except (ProviderWireError, ErrorInStream):
        assert violations(events, whole=False) == []
        return
    assert violations(events) == []
    for event in events:
        if isinstance(event, UsageReported):
            assert (event.usage.input_tokens or 0) >= 0
    collect(events)
