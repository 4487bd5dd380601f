"""Laws of the OpenAI decoders over all bytes and all cuts: invariants 27 and 31."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.events import Finished, StreamEvent
from hyperroute.canon.grammar import violations
from hyperroute.canon.wire import HttpHead
from hyperroute.dialects.base import Dialect, ErrorInStream
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES
from hyperroute.dialects.sse import frame
from hyperroute.errors import ProviderWireError

FIXTURES = Path(__file__).parents[1] / "fixtures"
DIALECTS: tuple[Dialect, ...] = (OPENAI_CHAT, OPENAI_RESPONSES)
RECORDED = [
    (dialect, path.read_bytes(), path.name)
    for dialect in DIALECTS
    for path in sorted((FIXTURES / dialect.name).iterdir())
    if path.name.endswith((".stream.txt", ".reply.json"))
]


def decode(
    dialect: Dialect, body: bytes, cuts: Sequence[int] = ()
) -> tuple[list[StreamEvent], str | None]:
    """Decode in pieces: the events, and how it broke if it did. Any other exception escapes."""
    decoder = dialect.decoder(stream=True)
    events: list[StreamEvent] = []
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    try:
        for begin, end in itertools.pairwise(places):
            events.extend(decoder.feed(body[begin:end]))  # keeps what came before a failure
        events.extend(decoder.close())
    except ProviderWireError as error:
        return events, f"wire cut={error.cut}"
    except ErrorInStream as error:
        return events, f"error {error.report}"
    return events, None


words = st.text(max_size=6)
junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["choices", "delta", "content", "index", "error", "usage", "tool_calls", "function",
             "type", "item", "response", "output", "output_index", "id", "text", "name"]
        ),
        inner,
        max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Dialect, bytes]:
    """A recorded stream in which one JSON value somewhere was replaced by anything."""
    dialect, body, _ = draw(st.sampled_from([r for r in RECORDED if r[2].endswith("txt")]))
    lines = body.replace(b"\r\n", b"\n").split(b"\n")
    places = [n for n, line in enumerate(lines) if line.startswith(b"data: {")]
    place = draw(st.sampled_from(places))
    value = json.loads(lines[place][6:])
    node: Any = value
    parent: Any = {}
    key: Any = None
    for _ in range(draw(st.integers(1, 5))):
        if not isinstance(node, dict | list) or not node:
            break
        parent = node
        keys = sorted(node) if isinstance(node, dict) else range(len(node))
        key = draw(st.sampled_from(list(keys)))
        node = parent[key]
    if draw(st.booleans()):
        parent[key] = draw(junk)
    elif isinstance(parent, dict):
        del parent[key]
    lines[place] = b"data: " + json.dumps(value).encode()
    if draw(st.booleans()):
        other = draw(st.sampled_from(places))
        lines[other] = lines[draw(st.sampled_from(places))]
    return dialect, b"\n".join(lines)


@pytest.mark.parametrize(
    ("dialect", "body"), [r[:2] for r in RECORDED], ids=[r[2] for r in RECORDED]
)
def test_invariant_31_a_cut_at_every_byte_changes_nothing(dialect: Dialect, body: bytes) -> None:
    whole = decode(dialect, body)
    assert whole[1] is None
    assert decode(dialect, body, range(len(body))) == whole
    for cut in range(0, len(body), 7):
        assert decode(dialect, body, [cut]) == whole


@given(st.sampled_from(RECORDED), st.lists(st.integers(0, 100_000), max_size=12))
def test_invariant_31_any_chunking_of_recorded_bytes_gives_equal_events(recorded, cuts) -> None:
    dialect, body, _ = recorded
    assert decode(dialect, body, cuts) == decode(dialect, body)


@given(mutated(), st.lists(st.integers(0, 100_000), max_size=6))
def test_invariant_31_mutated_streams_break_only_as_wire_errors(case, cuts) -> None:
    """Totality over anything JSON can hold; what comes out obeys the grammar, however it is cut."""
    dialect, body = case
    events, broken = decode(dialect, body)
    assert violations(events, whole=broken is None) == []
    assert decode(dialect, body, cuts) == (events, broken)


@given(st.sampled_from(DIALECTS), st.lists(junk, max_size=5), st.booleans())
def test_invariant_31_streams_of_garbage_break_only_as_wire_errors(dialect, values, done) -> None:
    body = b"".join(frame(json.dumps(value).encode()) for value in values)
    events, broken = decode(dialect, body + (frame(b"[DONE]") if done else b""))
    assert violations(events, whole=broken is None) == []


@given(
    st.sampled_from(DIALECTS), st.binary(max_size=60) | junk.map(lambda v: json.dumps(v).encode())
)
def test_invariant_31_any_bytes_are_events_or_a_wire_error(dialect, body) -> None:
    events, broken = decode(dialect, body, range(len(body)))
    assert violations(events, whole=broken is None) == []
    assert (events, broken) == decode(dialect, body)


@given(st.sampled_from([r for r in RECORDED if r[2].endswith("txt")]), st.integers(0, 100_000))
def test_invariant_27_a_stream_cut_before_its_terminal_never_finishes(recorded, cut) -> None:
    """Every finish comes with the whole answer; a shorter one is told to be cut."""
    dialect, body, _ = recorded
    cut %= len(body)
    events, broken = decode(dialect, body[:cut])
    whole, _ = decode(dialect, body)
    finished = [event for event in events if isinstance(event, Finished)]
    if finished:
        assert broken is None
        assert finished == [event for event in whole if isinstance(event, Finished)]
    else:
        assert broken == "wire cut=True"


@given(st.sampled_from(RECORDED), st.binary(max_size=40))
def test_nothing_behind_the_terminal_is_read(recorded, tail) -> None:
    """Invariant 27's other half: rows 63 and 64, a second terminal and what follows."""
    dialect, body, name = recorded
    if not name.endswith("txt") or (dialect is OPENAI_CHAT and b"[DONE]" not in body):
        return
    whole = decode(dialect, body)
    assert decode(dialect, body + tail) == whole
    assert decode(dialect, body + body) == whole


@given(
    st.sampled_from(DIALECTS), st.integers(100, 599), st.binary(max_size=60) | junk.map(json.dumps)
)
def test_invariant_31_error_bodies_of_any_bytes_are_read(dialect, status, body) -> None:
    data = body if isinstance(body, bytes) else body.encode()
    report = dialect.parse_error(HttpHead(status), data)
    assert report.status is not None
