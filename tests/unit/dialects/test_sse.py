"""The event-stream grammar of the WHATWG standard (HTML, 9.2.6), case by case and cut everywhere."""

import itertools

import pytest

from hyperroute.dialects.sse import EVENT_BYTES_MAX, BodyReader, SseReader, frame
from hyperroute.errors import ProviderWireError

Event = tuple[str, bytes]

CASES: list[tuple[str, list[Event]]] = [
    ("", []),
    ("\n", []),
    ("\n\n\n", []),
    ("data: a\n\n", [("", b"a")]),
    ("data:a\n\n", [("", b"a")]),
    ("data:  a\n\n", [("", b" a")]),
    ("data:\ta\n\n", [("", b"\ta")]),
    ("data: a \n\n", [("", b"a ")]),
    ("data\n\n", [("", b"")]),
    ("data:\n\n", [("", b"")]),
    ("data: \n\n", [("", b"")]),
    ("data\ndata\n\n", [("", b"\n")]),
    ("data: a\ndata: b\n\n", [("", b"a\nb")]),
    ("data: a\ndata:\ndata: b\n\n", [("", b"a\n\nb")]),
    ("data: a\n\ndata: b\n\n", [("", b"a"), ("", b"b")]),
    ("data: a\n\n\n\ndata: b\n\n", [("", b"a"), ("", b"b")]),
    ("data: a", []),
    ("data: a\n", []),
    ("data: a\n\ndata: b\n", [("", b"a")]),
    ("event: e\ndata: a\n\n", [("e", b"a")]),
    ("event:e\ndata: a\n\n", [("e", b"a")]),
    ("event:  e\ndata: a\n\n", [(" e", b"a")]),
    ("data: a\nevent: e\n\n", [("e", b"a")]),
    ("event: e\n\ndata: a\n\n", [("", b"a")]),
    ("event: e\ndata: a\n\ndata: b\n\n", [("e", b"a"), ("", b"b")]),
    ("event: e\nevent: f\ndata: a\n\n", [("f", b"a")]),
    ("event: e\nevent\ndata: a\n\n", [("", b"a")]),
    ("event: e\nevent:\ndata: a\n\n", [("", b"a")]),
    ("event\ndata: a\n\n", [("", b"a")]),
    (": comment\n\n", []),
    (":\n\n", []),
    (": a\ndata: b\n\n", [("", b"b")]),
    ("data: a\n: b\ndata: c\n\n", [("", b"a\nc")]),
    (":data: a\n\n", []),
    (" data: a\n\n", []),
    ("data : a\n\n", []),
    ("Data: a\n\n", []),
    ("DATA: a\n\n", []),
    ("datas: a\n\n", []),
    ("dat: a\n\n", []),
    ("id: 1\ndata: a\n\n", [("", b"a")]),
    ("id\ndata: a\n\n", [("", b"a")]),
    ("retry: 10\ndata: a\n\n", [("", b"a")]),
    ("retry: x\ndata: a\n\n", [("", b"a")]),
    ("foo\ndata: a\n\n", [("", b"a")]),
    ("foo: bar\ndata: a\n\n", [("", b"a")]),
    ("{\ndata: a\n\n", [("", b"a")]),
    ("data: a: b\n\n", [("", b"a: b")]),
    ("data: data: a\n\n", [("", b"data: a")]),
    ("data: :a\n\n", [("", b":a")]),
    ("data:: a\n\n", [("", b": a")]),
    ("data: [DONE]\n\n", [("", b"[DONE]")]),
    ("event: ä\ndata: ö\n\n", [("ä", "ö".encode())]),
    ("data: a\u2028b\n\n", [("", "a\u2028b".encode())]),
    ("data: a\u2029b\n\n", [("", "a\u2029b".encode())]),
    ("data: a\x0bb\x0cc\x85d\n\n", [("", "a\x0bb\x0cc\x85d".encode())]),
    ("data: a\x00b\n\n", [("", b"a\x00b")]),
    ("data: \ufeffa\n\n", [("", "\ufeffa".encode())]),
    ("data: a\n\n\ufeffdata: b\n\n", [("", b"a")]),
    ("eventdata: a\n\n", []),
    ("event: \ndata: a\n\n", [("", b"a")]),
]  # fmt: skip
ENDS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}
MIXED: list[tuple[bytes, list[Event]]] = [
    (b"data: a\r\n\ndata: b\n\r\n", [("", b"a"), ("", b"b")]),
    (b"data: a\r\rdata: b\r\n\r\n", [("", b"a"), ("", b"b")]),
    (b"data: a\n\r", [("", b"a")]),
    (b"data: a\r\n\r", [("", b"a")]),
    (b"data: a\r\r", [("", b"a")]),
    (b"data: a\r\n", []),
    (b"data: a\n\rdata: b\r\n\n", [("", b"a"), ("", b"b")]),
    (b"\r\n\r\ndata: a\r\n\r\n", [("", b"a")]),
    (b"\r\ndata: a\n\n", [("", b"a")]),
    (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
    (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    (b"\xef\xbbdata: a\n\n", []),
    (b"\xef\xbb\xbf\r\ndata: a\r\n\r\n", [("", b"a")]),
    (b"\xef\xbb\xbf", []),
    (b"\xef", []),
    (b"data: \xff\xfe\n\n", [("", b"\xff\xfe")]),
    (b"event: \xff\ndata: a\n\n", [("\ufffd", b"a")]),
]
ALL = [
    *(
        pytest.param(text.replace("\n", end).encode(), events, id=f"{name}-{number}")
        for name, end in ENDS.items()
        for number, (text, events) in enumerate(CASES)
    ),
    *(pytest.param(body, events, id=f"mixed-{n}") for n, (body, events) in enumerate(MIXED)),
]


def read(body: bytes, *cuts: int) -> list[Event]:
    reader = SseReader()
    places = [0, *cuts, len(body)]
    return [e for a, b in itertools.pairwise(places) for e in reader.feed(body[a:b])]


@pytest.mark.parametrize(("body", "events"), ALL)
def test_the_grammar(body: bytes, events: list[Event]) -> None:
    assert read(body) == events
    assert read(body, *range(len(body))) == events
    for cut in range(len(body)):
        assert read(body, cut) == events


def test_an_event_is_dispatched_with_the_cr_that_ends_it() -> None:
    """A server that ends lines in CR must not be read one event late."""
    reader = SseReader()
    assert list(reader.feed(b"data: a\r\r")) == [("", b"a")]
    assert list(reader.feed(b"\ndata: b\r\r")) == [("", b"b")]


def test_the_end_hands_over_what_no_blank_line_ended() -> None:
    reader = SseReader()
    assert list(reader.feed(b"event: e\ndata: a\ndata: b")) == []
    assert reader.close() == ("e", b"a\nb")
    assert reader.close() is None
    assert list(reader.feed(b"data: c\n\n")) == [("", b"c")]


def test_the_end_of_a_whole_stream_hands_over_nothing() -> None:
    reader = SseReader()
    assert list(reader.feed(b"data: a\n\n: bye")) == [("", b"a")]
    assert reader.close() is None


@pytest.mark.parametrize("step", [EVENT_BYTES_MAX * 2, 1 << 20])
@pytest.mark.parametrize(
    "body",
    [
        b"data: " + b"x" * EVENT_BYTES_MAX + b"\n\n",
        b": " + b"x" * EVENT_BYTES_MAX + b"\n\n",
        b"x" * (EVENT_BYTES_MAX + 1),
        (b"data: " + b"x" * (1 << 20) + b"\n") * 17 + b"\n",
    ],
    ids=["data", "comment", "no-end", "many-lines"],
)
def test_a_giant_event_is_refused_however_it_comes(body: bytes, step: int) -> None:
    reader = SseReader()
    events: list[Event] = []
    pieces = [
        b"data: a\n\n" + body[:step],
        *(body[n : n + step] for n in range(step, len(body), step)),
    ]
    with pytest.raises(ProviderWireError, match="exceeds"):
        events.extend(event for piece in pieces for event in reader.feed(piece))
    assert events == [("", b"a")]


def test_a_large_line_in_small_chunks_costs_no_more_than_its_size() -> None:
    """Quadratic joining would copy 16 GiB here and never end."""
    reader = SseReader()
    size = 1 << 22
    for _ in range(size // 512):
        assert list(reader.feed(b"x" * 512)) == []
    assert list(reader.feed(b"\ndata: a\n\n")) == [("", b"a")]


def test_a_frame_is_read_back() -> None:
    assert read(frame(b"{}") + frame(b"[]", name="e")) == [("", b"{}"), ("e", b"[]")]


@pytest.mark.parametrize("lead", [b"", b" \n\t", b"\xef\xbb\xbf"])
def test_a_document_is_told_from_a_stream(lead: bytes) -> None:
    for body in (b'{"a": 1}', b"[1]", b'"text"'):
        reader = BodyReader()
        for byte in lead + body:
            assert list(reader.feed(bytes([byte]))) == []
        whole, last = reader.close()
        assert whole is not None
        assert (whole.strip(), last) == (body, None)


def test_a_stream_is_told_from_a_document() -> None:
    reader = BodyReader()
    events = [
        event for byte in b"\n: hi\ndata: {}\n\ndata: x" for event in reader.feed(bytes([byte]))
    ]
    assert events == [("", b"{}")]
    assert reader.close() == (None, ("", b"x"))


def test_a_web_page_is_neither() -> None:
    reader = BodyReader()
    with pytest.raises(ProviderWireError, match="web page"):
        list(reader.feed(b"  <!doctype html>"))


def test_endless_white_space_is_refused() -> None:
    reader = BodyReader()
    with pytest.raises(ProviderWireError, match="white space"):
        list(itertools.chain.from_iterable(reader.feed(b" " * (1 << 20)) for _ in range(18)))
