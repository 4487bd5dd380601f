"""Any document through any pair of dialects: what comes back is what went in, minus its losses.

Invariants 27, 31 and 32, and law 7. Answers are drawn a hundred times here, and more with
``HYPERROUTE_PROFILE=main``; every recorded stream is cut at every frame and at fifty further bytes.
"""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.content import (
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Sealed,
    Text,
    ToolUse,
)
from hyperroute.canon.events import (
    Choice,
    Finished,
    FinishReason,
    PartDelta,
    PartEnded,
    PartStarted,
    Reply,
    Started,
    StreamEvent,
    UsageReported,
    collect,
    replay,
)
from hyperroute.canon.grammar import violations
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Conversation, Request
from hyperroute.canon.usage import Usage
from hyperroute.dialects import translate
from hyperroute.dialects.base import ClientError, Dialect, ErrorInStream
from hyperroute.dialects.returning import Returning
from hyperroute.dialects.sealing import NATIVE
from hyperroute.dialects.translating import DIALECTS
from hyperroute.dialects.unsaid import Unsaid
from hyperroute.errors import ProviderWireError, Untranslatable
from hyperroute.testing import likeness
from hyperroute.testing.matrix import features
from hyperroute.testing.subtraction import minus

RANDOM_CUTS = 50
FIXTURES = Path(__file__).parents[1] / "fixtures"
NAMES = list(DIALECTS)
pairs = st.sampled_from([(a, b) for a in NAMES for b in NAMES if a != b])

# --- one dialect: nothing changes ------------------------------------------------------------------
words = st.text(st.characters(codec="utf-8"), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def strange(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    """A document with members that nobody knows, anywhere in it."""
    kind = draw(st.sampled_from(["request", "response", "stream"]))
    said = draw(st.sampled_from(list(features(kind).values())))  # type: ignore[arg-type]
    dialect = draw(st.sampled_from(list(said)))
    document = copy.deepcopy(dict(said[dialect]))
    holder: Any = document
    while draw(st.booleans()):
        inner = [v for v in (holder.values() if isinstance(holder, dict) else holder) if v and isinstance(v, dict | list)]  # fmt: skip
        if not inner:
            break
        holder = draw(st.sampled_from(inner))
    if isinstance(holder, dict):
        holder[draw(words)] = draw(json_values)
    return kind, dialect, document


@given(strange())
def test_parsed_and_emitted_in_its_own_dialect_a_document_is_itself(given):
    kind, dialect, document = given
    made = translate(document, source=dialect, target=dialect, kind=kind)
    assert made.document == document
    assert made.losses == ()


@given(strange(), st.sampled_from(NAMES))
def test_invariant_31_any_document_is_translated_or_refused_in_the_client_s_words(given, target):
    kind, source, document = given
    try:
        json.dumps(translate(document, source=source, target=target, kind=kind).document)
    except Untranslatable as error:
        refusal = error
    else:
        return
    assert 400 <= refusal.status < 600
    assert refusal.dialect == (source if kind == "request" else target)
    assert isinstance(refusal.body, dict)
    assert "error" in refusal.body


# --- any answer, any pair --------------------------------------------------------------------------
objects = st.dictionaries(words, json_values, max_size=3).map(json.dumps)
seals = st.none() | st.builds(
    Sealed,
    st.just("signature"),
    st.sampled_from(["c2lnbmVk", "hr1.not.a.tag", "a.b.c.d", "AQ=="]),
)
pages = st.builds(
    lambda title, at: {
        "type": "url_citation",
        "url": "https://example.org/a",
        "title": title,
        "start_index": at,
        "end_index": at + 2,
    },
    words,
    st.integers(0, 4),
)
parts = st.one_of(
    st.builds(Text, words),
    st.builds(lambda text, sealed: Text(text, sealed=sealed), words, seals),
    st.builds(lambda text, sealed: Reasoning(text=text, sealed=sealed), words.filter(bool), seals),
    st.builds(lambda text: Reasoning(text=text, summary=True), words),
    st.just(Reasoning(redacted=True, sealed=Sealed("redacted", "ZGF0YQ"))),
    st.builds(Refusal, words.filter(bool)),
    st.builds(
        lambda n, said, sealed: ToolUse(
            id=f"call_{n}", name=f"tool_{n % 3}", arguments=said, sealed=sealed
        ),
        st.integers(0, 99),
        objects | st.just("") | st.just('{"broken":'),
        seals,
    ),
    st.builds(
        lambda n, said: ToolUse(id=f"free_{n}", name="patch", arguments=said, custom=True),
        st.integers(0, 99),
        words,
    ),
    st.just(Opaque("strange", {"a": 1})),
)
cited = st.builds(lambda text, page: Text(text, (page,)), words.filter(bool), pages)
"""Comes last: chat and Gemini tell citations beside the parts, so that they belong to the last text."""
reasons: st.SearchStrategy[FinishReason] = st.sampled_from(
    ["stop", "stop_sequence", "length", "context_full", "refusal", "filter", "pause", "other"]
)
counts = st.none() | st.integers(0, 50)


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    told = draw(st.lists(parts, max_size=5, unique_by=lambda p: p.id if isinstance(p, ToolUse) else object()))  # fmt: skip
    if any(isinstance(part, Reasoning) and part.redacted for part in told):
        # Gemini tells both as thoughts, one running into the other where neither is sealed.
        told = [part for part in told if not isinstance(part, Reasoning) or part.sealed]
    told += draw(st.lists(cited, max_size=1))
    if any(isinstance(part, ToolUse) for part in told):
        reason: FinishReason = "tool_calls"
    elif any(isinstance(part, Refusal) for part in told):
        reason = "refusal"
    else:
        reason = draw(reasons)
    detail = draw(words) if reason == "stop_sequence" else None
    usage = Usage(
        input_tokens=100,
        output_tokens=60,
        cache_read_tokens=draw(counts),
        cache_write_tokens=draw(counts),
        reasoning_tokens=draw(counts),
        searches=draw(counts),
    )
    choice = Choice(index=0, parts=tuple(told), finish=Finished(reason, "", detail=detail))
    return Reply(id="x1", model="m", created=None, choices=(choice,), usage=usage)


def in_pieces(reply: Reply) -> list[StreamEvent]:
    """Tell a reply as a stream, text and arguments in two pieces each."""
    out: list[StreamEvent] = []
    for event in replay(reply):
        if not isinstance(event, PartStarted):
            out.append(event)
            continue
        part: Part = event.part
        text = ""
        match part:
            case Text(text=text):
                part = Text("", part.citations, sealed=part.sealed)
            case Reasoning(text=text, redacted=False):
                part = Reasoning(summary=part.summary, sealed=part.sealed)
            case Refusal(text=text):
                part = Refusal()
            case ToolUse(arguments=text):
                part = ToolUse(id=part.id, name=part.name, custom=part.custom, sealed=part.sealed)
            case _:
                pass
        out.append(PartStarted(event.index, part, event.choice))
        out += [PartDelta(event.index, piece) for piece in (text[:2], text[2:]) if piece]
    return out


def nobody(dialect: Dialect) -> Request:
    return Request(
        dialect=dialect.name,
        endpoint=dialect.endpoint,
        raw={},
        decode=lambda _: Conversation(),
    )


@given(replies(), pairs, st.booleans())
def test_an_answer_comes_back_minus_what_was_declared_lost(reply, pair, streamed):
    source, target = pair
    dialect = DIALECTS[target]
    losses: list[Loss] = []
    returning = Returning(
        "elsewhere",
        "",
        objects=dialect.speech.objects,
        losses=losses,
        unsaid=Unsaid(dialect.speech, losses, source=source),
    )
    events = list(returning.passed(in_pieces(reply) if streamed else replay(reply)))
    if streamed:
        encoder = dialect.encoder(request=nobody(dialect), model="m")
        written = b"".join(encoder.feed(event) for event in events)
    else:
        written = dialect.emit_reply(collect(events), request=nobody(dialect), model="m")
    decoder = dialect.decoder(stream=streamed)
    read = [*decoder.feed(written), *decoder.close()]
    assert violations(read) == []
    told = collect(Returning(NATIVE[target], "").passed(read))
    asked = minus(likeness.reply(collect(events)), losses)
    assert minus(likeness.reply(told), losses) == asked


# --- cuts ------------------------------------------------------------------------------------------
STREAMS = sorted(
    path
    for name in NAMES
    for path in (FIXTURES / name).glob("*.stream.txt")
    if path.read_bytes().lstrip()[:1] != b"["  # a JSON array is not framed
)


def relayed(body: bytes, source: str, target: str) -> tuple[bytes, bool]:
    """Send bytes through a pair as a run would, and say whether the input was whole."""
    dialect = DIALECTS[target]
    encoder = dialect.encoder(request=nobody(dialect), model="m")
    decoder = DIALECTS[source].decoder(stream=True)
    returning = Returning(NATIVE[source], "")
    out: list[bytes] = []
    try:
        for part in (decoder.feed(body), decoder.close()):
            out.extend(encoder.feed(event) for event in returning.passed(part))
    except (ProviderWireError, ErrorInStream):
        out.append(encoder.fail(ClientError(status=502, kind="truncated", message="cut")))
        return b"".join(out), False
    return b"".join(out), True


def is_whole(body: bytes, dialect: str) -> bool:
    decoder = DIALECTS[dialect].decoder(stream=True)
    try:
        return any(isinstance(e, Finished) for e in [*decoder.feed(body), *decoder.close()])
    except (ProviderWireError, ErrorInStream):
        return False


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("path", STREAMS, ids=lambda p: f"{p.parent.name}/{p.name.split('.')[0]}")
def test_invariant_27_no_cut_stream_reads_as_whole_in_any_dialect(path, target):
    body, source = path.read_bytes(), path.parent.name
    ends = [i + 2 for i in range(len(body)) if body[i : i + 2] == b"\n\n"]
    ends += [i + 4 for i in range(len(body)) if body[i : i + 4] == b"\r\n\r\n"]
    drawn = random.Random(path.name).choices(range(len(body)), k=RANDOM_CUTS)  # noqa: S311 - which bytes does not matter
    whole, _ = relayed(body, source, target)
    for cut in {*ends, *drawn}:
        written, was_whole = relayed(body[:cut], source, target)
        assert is_whole(written, target) <= was_whole, f"cut at byte {cut}"
        if was_whole:
            assert written == whole or is_whole(written, target)


def test_the_cut_streams_are_all_there():
    assert {path.parent.name for path in STREAMS} == set(NAMES)


@given(replies(), pairs)
def test_a_stream_that_is_abandoned_anywhere_is_never_whole(reply, pair):
    """Not the bytes but the events are cut: what an upstream's death leaves the encoder with."""
    source, target = pair
    dialect = DIALECTS[target]
    events = list(Returning(NATIVE[source], "").passed(in_pieces(reply)))
    for count in range(len(events)):
        if any(isinstance(event, Finished) for event in events[:count]):
            break
        encoder = dialect.encoder(request=nobody(dialect), model="m")
        written = b"".join(encoder.feed(event) for event in events[:count])
        failed = encoder.fail(ClientError(status=502, kind="truncated", message="cut"))
        assert not is_whole(written, target)
        assert not is_whole(written + failed, target)


def test_the_building_blocks_say_what_they_mean():
    reply = Reply(id="x1", model="m", created=None, choices=(Choice(index=0, parts=(Text("Hello"),), finish=Finished("stop")),), usage=Usage(input_tokens=1))  # fmt: skip
    assert in_pieces(reply) == [
        Started("x1", "m"),
        PartStarted(0, Text()),
        PartDelta(0, "He"),
        PartDelta(0, "llo"),
        PartEnded(0),
        UsageReported(Usage(input_tokens=1)),
        Finished("stop"),
    ]
