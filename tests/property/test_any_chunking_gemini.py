"""Gemini replies read the same however their bytes are cut, and nonsense never escapes.

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
from hyperroute.dialects.base import ErrorInStream
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.errors import ProviderWireError

FIXTURES = Path(__file__).parent.parent / "fixtures" / "gemini.generate"
RECORDED = sorted([*FIXTURES.glob("*.stream.txt"), *FIXTURES.glob("*.reply.json")])

words = st.text(st.characters(codec="utf-8"), max_size=12)


def read(*chunks: bytes) -> list[StreamEvent]:
    decoder = GEMINI_GENERATE.decoder(stream=True)
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [*events, *decoder.close()]


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(body) + 1) for place in places}), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


@st.composite
def parts(draw):
    kind = draw(st.sampled_from(["text", "thought", "call", "code", "image", "strange"]))
    match kind:
        case "text":
            part = {"text": draw(words)}
        case "thought":
            part = {"text": draw(words), "thought": True}
        case "call":
            call = {"name": "f", "args": draw(st.dictionaries(words, words, max_size=2))}
            part = {"functionCall": draw(st.sampled_from([call, {**call, "id": draw(words)}]))}
        case "code":
            part = {"executableCode": {"language": "PYTHON", "code": draw(words)}}
        case "image":
            part = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
        case _:
            part = {"strange": draw(words)}
    if draw(st.booleans()):
        part["thoughtSignature"] = "c2ln"
    return part


@st.composite
def responses(draw):
    """Chunks of one answer, of one or two candidates."""
    count = draw(st.sampled_from([1, 1, 2]))
    made = []
    chunks = draw(st.integers(1, 4))
    for number in range(chunks):
        candidates = []
        for index in range(count):
            content = {"role": "model", "parts": draw(st.lists(parts(), max_size=3))}
            candidate = {"content": content, "index": index}
            if number == chunks - 1:
                reasons = ["STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL", "NEW"]
                candidate["finishReason"] = draw(st.sampled_from(reasons))
            candidates.append(candidate)
        usage = {"promptTokenCount": 3, "candidatesTokenCount": number}
        made.append(
            {
                "candidates": candidates,
                "usageMetadata": usage,
                "modelVersion": "m",
                "responseId": "r",
            }
        )
    return made


def sse(documents: list[dict[str, Any]]) -> bytes:
    lines = (f"data: {json.dumps(doc, ensure_ascii=False)}\r\n\r\n" for doc in documents)
    return "".join(lines).encode()


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


@given(documents=responses(), places=st.lists(st.integers(0), max_size=8))
def test_any_chunking_of_generated_streams_reads_the_same(documents, places):
    body = sse(documents)
    events = read(*cut(body, places))
    assert events == read(body)
    assert violations(events) == []


@given(documents=responses())
def test_an_array_reads_as_the_event_stream_does(documents):
    assert read(json.dumps(documents).encode()) == read(sse(documents))


@given(documents=responses(), place=st.integers(0))
def test_invariant_27_a_cut_before_the_terminal_is_never_an_end(documents, place):
    body = sse(documents)
    decoder = GEMINI_GENERATE.decoder(stream=True)
    events = list(decoder.feed(body[: place % body.index(b'"finishReason"')]))
    assert not any(isinstance(event, Finished) for event in events)
    with pytest.raises(ProviderWireError) as caught:
        list(decoder.close())
    assert caught.value.cut


@given(documents=responses())
def test_what_our_encoder_writes_collects_to_what_was_read(documents):
    whole = collect(read(sse(documents)))
    request = GEMINI_GENERATE.parse_request({"model": "m", "contents": []})
    encoder = GEMINI_GENERATE.encoder(request=request, model=whole.model)
    body = b"".join(encoder.feed(event) for event in read(sse(documents)))
    again = collect(read(body))
    assert [choice.text for choice in again.choices] == [choice.text for choice in whole.choices]
    assert again.usage == whole.usage


@given(body=st.binary(max_size=300))
def test_invariant_31_arbitrary_bytes_raise_only_our_errors(body):
    survive(body)


@given(
    body=st.one_of(responses().map(sse), st.sampled_from([p.read_bytes() for p in RECORDED])),
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
        "candidates",
        "content",
        "parts",
        "text",
        "thought",
        "functionCall",
        "finishReason",
        "index",
        "usageMetadata",
        "promptTokenCount",
        "thoughts_token_count",
        "error",
        "inlineData",
        "args",
        "promptFeedback",
        "blockReason",
        "thoughtSignature",
        "groundingMetadata",
        "name",
        "data",
    ]
)
values = st.one_of(st.sampled_from(["STOP", "SAFETY", "f"]), json_values)
documents_of_nonsense = st.recursive(
    st.dictionaries(members, values, max_size=5),
    lambda inner: st.dictionaries(
        members, st.one_of(values, inner, st.lists(inner, max_size=3)), max_size=5
    ),
    max_leaves=8,
)


@given(documents=st.lists(documents_of_nonsense, max_size=4))
def test_invariant_31_well_formed_nonsense_raises_only_our_errors(documents):
    survive(sse(documents))
    survive(json.dumps(documents).encode())


@given(parts=st.lists(documents_of_nonsense, max_size=3), more=documents_of_nonsense)
def test_invariant_31_nonsense_parts_raise_only_our_errors(parts, more):
    candidate = {**more, "content": {"parts": parts}, "finishReason": "STOP"}
    survive(sse([{"candidates": [candidate], "usageMetadata": more}]))


def survive(body: bytes) -> None:
    events: list[StreamEvent] = []
    decoder = GEMINI_GENERATE.decoder(stream=True)
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
