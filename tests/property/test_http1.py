"""Our HTTP reader against h11, and against bytes that nobody meant."""

from contextlib import suppress

import h11
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.runtime.http1 import ResponseReader
from hyperroute.runtime.ports import TransportError

PIECES = (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204 No\r\n", b"content-length: 3\r\n", b"abc", b"3\r\n",
          b"transfer-encoding: chunked\r\n", b"0\r\n", b"\r\n", b"x: y\r\n", b"\n", b" ")  # fmt: skip


@st.composite
def answers(draw):
    """Let h11 write an answer, and return its body with it."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n")
    while not isinstance(server.next_event(), h11.EndOfMessage):
        pass
    chunks = draw(st.lists(st.binary(max_size=40), max_size=5))
    body = b"".join(chunks)
    framing = draw(st.sampled_from(("content-length", "transfer-encoding", "connection")))
    value = {"content-length": str(len(body)), "transfer-encoding": "chunked"}.get(framing, "close")
    status = draw(st.sampled_from((200, 404, 529)))
    out = server.send(h11.Response(status_code=status, headers=[(framing, value)])) or b""
    for chunk in chunks:
        out += server.send(h11.Data(data=chunk)) or b""
    return out + (server.send(h11.EndOfMessage()) or b""), body, status


@given(answers(), st.data())
def test_what_h11_writes_is_read_wherever_it_is_cut(answer, data):
    out, body, status = answer
    reader, got, at = ResponseReader("POST"), b"", 0
    while at < len(out):
        step = data.draw(st.integers(1, len(out)))
        got += b"".join(reader.feed(out[at : at + step]))
        at += step
    assert reader.eof() is None
    assert reader.head is not None
    assert (got, reader.done, reader.head.status) == (body, True, status)


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=12))
def test_invariant_31_no_bytes_make_the_reader_raise_anything_but_a_fault(pieces):
    reader = ResponseReader("POST")
    with suppress(TransportError):
        for piece in pieces:
            reader.feed(piece)
    assert reader.eof() in {None, "reset", "cut"}
