"""Laws of answers that pass as bytes, over recorded streams, all cuts and damaged bytes.

The decoder of the dialect is the oracle: whatever the tap makes of bytes, it hands up the events that
the decoder reads in them, and it breaks where the decoder breaks.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.events import Delivery, Finished, PartDelta, Passage, StreamEvent, collect
from hyperroute.canon.request import Request
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import Decoder, Dialect, ErrorInStream, Tapping
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES
from hyperroute.errors import ProviderWireError
from hyperroute.testing.replies import streamed

FIXTURES = Path(__file__).parents[1] / "fixtures"
DIALECTS: tuple[Dialect, ...] = (
    OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI_GENERATE,
)  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    "openai.chat": {"messages": [], "stream_options": {"include_usage": True}},
    "openai.responses": {"input": "x"},
    "anthropic.messages": {"max_tokens": 5, "messages": []},
    "gemini.generate": {"contents": []},
}
MENDED = {"interleaved.stream.txt", "reasoning.stream.txt"}
"""A call without an id, and comments: of ``openai.chat``."""
RECORDED = [
    *(
        (dialect, path.read_bytes(), path.name)
        for dialect in DIALECTS
        for path in sorted((FIXTURES / dialect.name).glob("*.stream.txt"))
        if path.name != "array.stream.txt"
    ),
    *((dialect, streamed(dialect.name).body, "written by hand") for dialect in DIALECTS),
]
WELL_FORMED = [
    (dialect, body, name)
    for dialect, body, name in RECORDED
    if dialect is not OPENAI_CHAT or name not in MENDED
]
each_recorded = pytest.mark.parametrize(
    ("dialect", "body"), [r[:2] for r in RECORDED], ids=[f"{r[0].name} {r[2]}" for r in RECORDED]
)
cuts = st.lists(st.integers(0, 10**6), max_size=30)


def request_of(dialect: Dialect) -> Request:
    raw = {"model": "asked", "stream": True, **BODIES[dialect.name]}
    return dialect.parse_request(raw, body=json.dumps(raw).encode())


def tap_of(dialect: Dialect, model: str | None = None) -> Tapping:
    tap = dialect.tap(request=request_of(dialect), model=model)
    assert tap is not None
    return tap


def read(
    reader: Decoder | Tapping, body: bytes, places: Sequence[int] = ()
) -> tuple[list[Delivery], str]:
    """Read in pieces: what came, and how it ended. Any other exception escapes."""
    told: list[Delivery] = []
    places = sorted({0, len(body), *(place % (len(body) + 1) for place in places)})
    try:
        for begin, end in itertools.pairwise(places):
            told.extend(reader.feed(body[begin:end]))
        told.extend(reader.close())
    except ProviderWireError as error:
        return told, f"wire cut={error.cut}"
    except ErrorInStream as error:
        return told, f"error {error.report}"
    return told, "whole"


def handed_on(told: Sequence[Delivery], end: str) -> bytes:
    """What our caller gets: nothing of a finish that was not the end."""
    shown = (one for one in told if end == "whole" or not isinstance(one, Finished))
    return b"".join(one.frame or b"" for one in shown)


def canonical(told: Sequence[Delivery]) -> list[StreamEvent]:
    """The events, adjacent text joined."""
    events: list[StreamEvent] = []
    for one in told:
        if isinstance(one, Passage):
            continue
        last = events[-1] if events else None
        if isinstance(one, PartDelta) and isinstance(last, PartDelta) and one.index == last.index:
            events[-1] = PartDelta(one.index, last.text + one.text)
        else:
            events.append(one)
    return events


@pytest.mark.parametrize(("dialect", "body", "name"), WELL_FORMED)
@given(places=cuts)
def test_frames_pass_byte_for_byte_however_they_were_cut(dialect, body, name, places):
    del name
    told, end = read(tap_of(dialect), body, places)
    assert end == "whole"
    assert handed_on(told, end) == body


@each_recorded
def test_frames_pass_alike_one_byte_at_a_time(dialect, body):
    whole, _ = read(tap_of(dialect), body)
    told, end = read(tap_of(dialect), body, range(len(body)))
    assert handed_on(told, end) == handed_on(whole, "whole")


@each_recorded
def test_what_passes_reads_as_what_came(dialect, body):
    told, end = read(tap_of(dialect), body)
    events, _ = read(dialect.decoder(stream=True), body)
    assert canonical(told) == canonical(events)
    again, _ = read(dialect.decoder(stream=True), handed_on(told, end))
    assert collect(canonical(again)) == collect(canonical(events))


@each_recorded
def test_the_callers_name_of_the_model_is_all_that_changes(dialect, body):
    plain, end = read(tap_of(dialect), body)
    told, _ = read(tap_of(dialect, model="theirs"), body)
    shown = re.sub(rb'("model(?:Version)?": ?)"[^"]*"', rb'\1"theirs"', handed_on(plain, end))
    assert handed_on(told, end) == shown


@each_recorded
def test_invariant_27_frames_of_a_cut_stream_never_read_as_an_end(dialect, body):
    """At every byte of a short stream, at some of a long one; what is handed on are whole frames."""
    good, _ = read(tap_of(dialect), body)
    step = 1 if len(body) < 1_500 or "HYPERROUTE_PROFILE" in os.environ else 5
    for size in range(0, len(body), step):
        told, end = read(tap_of(dialect), body[:size])
        shown = handed_on(told, end)
        _, expected = read(dialect.decoder(stream=True), body[:size])
        assert (end == "whole") == (expected == "whole"), size
        assert not shown or shown.endswith((b"\n\n", b"\r\n\r\n")), size
        if end != "whole":
            assert handed_on(good, "whole").startswith(shown), size
            _, again = read(dialect.decoder(stream=True), shown)
            assert again != "whole", size


PIECES = (b"\n", b"\n\n", b"\r\n", b"\r", b": hm\n\n", b"id: 7\n", b"data:", b"data: {}\n\n",
          b"event: ping\n", b'"', b"\\", b"}", b'"role":"assistant",', b"\xff", b"data: [DONE]\n\n",
          b'{"error":{"message":"m"}}', b"null", b"\x00", b"\\u00e4", b"\xc3\xa4")  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Dialect, bytes]:
    """A recorded stream, damaged in a few places; whole frames may move, come twice or go."""
    dialect, body, _ = draw(st.sampled_from(RECORDED))
    frames = body.split(b"\n\n")
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(frames) - 1))
        other = draw(st.integers(0, len(frames)))
        frames[other:other] = [frames[place]] * draw(st.integers(0, 2))
        if draw(st.booleans()):
            del frames[place]
        frames = frames or [b""]
    data = bytearray(b"\n\n".join(frames))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        size = draw(st.sampled_from((0, 0, 1, 2, 9)))
        data[at : at + size] = draw(st.sampled_from((*PIECES, b"")))
    return dialect, bytes(data)


@given(damaged(), cuts)
def test_invariant_31_the_tap_reads_any_bytes_as_the_decoder_does(case, places):
    dialect, body = case
    if body.lstrip()[:1] in (b"{", b"[", b'"'):
        return  # a whole body is never tapped
    told, end = read(tap_of(dialect), body, places)
    events, expected = read(dialect.decoder(stream=True), body)
    assert end == expected
    assert canonical(told) == canonical(events)
    assert all(one.frame is not None for one in told)


texts = st.lists(st.text(max_size=8), min_size=1, max_size=8)


@given(texts, st.booleans(), st.sampled_from((None, "theirs")), st.booleans())
def test_text_of_any_kind_passes_unparsed_as_it_would_parsed(said, ascii_only, model, noisy):
    def chunk(number: int, text: str) -> bytes:
        entry = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        body: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "model": "m"}
        body["choices"] = [entry]
        if noisy:
            body["obfuscation"] = "x" * (number % 5)
        return b"data: " + json.dumps(body, ensure_ascii=ascii_only).encode() + b"\n\n"

    said = [text.encode("utf-8", "replace").decode() for text in said]
    body = b"".join(itertools.starmap(chunk, enumerate(said)))
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    body += b"data: " + json.dumps({"id": "c", "choices": [end]}).encode() + b"\n\n"
    told, how = read(tap_of(OPENAI_CHAT, model=model), body, range(0, len(body), 40))
    again, _ = read(OPENAI_CHAT.decoder(stream=True), handed_on(told, how))
    assert canonical(told) == canonical(read(OPENAI_CHAT.decoder(stream=True), body)[0])
    assert "".join(e.text for e in canonical(again) if isinstance(e, PartDelta)) == "".join(said)
