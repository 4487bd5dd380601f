from urllib.parse import urlsplit

import pytest

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.http1 import (
    CHUNK_LINE_BYTES_MAX,
    HEAD_BYTES_MAX,
    TRAILER_BYTES_MAX,
    ResponseReader,
    request_bytes,
)
from hyperroute.runtime.ports import TransportError

INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n00A \r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


def read(data: bytes, step: int = 10**9, method: str = "POST"):
    reader = ResponseReader(method)
    body = b""
    for at in range(0, len(data), step):
        body += b"".join(reader.feed(data[at : at + step]))
    return reader, body


@pytest.mark.parametrize("step", [1, 3, 10**9])
@pytest.mark.parametrize(
    ("data", "body", "keeps"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
        (b"HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", b"", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", b"hi", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (INTERIM + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x", True),
        (CHUNKED, b"hello0123456789", True),
    ],
)  # fmt: skip
def test_answers_are_read_wherever_they_are_cut(data, body, keeps, step):
    reader, got = read(data, step)
    assert (got, reader.done, reader.keeps) == (body, True, keeps)
    assert reader.eof() is None


def test_names_are_lower_case_and_values_trimmed():
    reader, _ = read(b"HTTP/1.1 429 Slow\r\nRetry-After:  7 \r\nX-A:\r\nContent-Length: 0\r\n\r\n")
    headers = (("retry-after", "7"), ("x-a", ""), ("content-length", "0"))
    assert reader.head == HttpHead(429, headers)


def test_a_body_without_framing_ends_with_its_connection():
    reader, body = read(b"HTTP/1.1 200 OK\r\n\r\nhel")
    assert (body, reader.done, reader.keeps) == (b"hel", False, False)
    assert reader.eof() is None
    assert reader.done


def test_the_answer_to_head_has_no_body():
    reader, _ = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method="HEAD")
    assert (reader.done, reader.keeps) == (True, True)


def test_what_comes_after_an_answer_spoils_the_connection_and_not_the_answer():
    reader, body = read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n")
    assert (body, reader.done, reader.keeps) == (b"hi", True, False)


@pytest.mark.parametrize(
    "data",
    [
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nnot a header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * (CHUNK_LINE_BYTES_MAX + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        + b"a: b\r\n" * (TRAILER_BYTES_MAX // 4 + 1),
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * HEAD_BYTES_MAX,
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(data):
    with pytest.raises(TransportError, match="protocol"):
        read(data)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "reset"),
        (b"HTTP/1.1 20", "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "cut"),
    ],
)
def test_an_early_end_is_named(data, fault):
    assert read(data)[0].eof() == fault


def test_a_request_is_written_once_and_plainly():
    request = HttpRequest(method="POST", url="", headers=(("X-A", "1"),), body=b"{}")
    assert request_bytes(request, urlsplit("https://api.example/v1/x?beta=true")) == (
        b"POST /v1/x?beta=true HTTP/1.1\r\nhost: api.example\r\nX-A: 1\r\n"
        b"accept-encoding: identity\r\nuser-agent: hyperroute\r\ncontent-length: 2\r\n\r\n{}"
    )
    request = HttpRequest(method="GET", url="")
    assert b"content-length" not in request_bytes(request, urlsplit("http://a"))


@pytest.mark.parametrize("url", ["http://a/b c", "http://u:p@a/", "http://a/\N{SNOWMAN}"])
def test_an_address_that_would_leave_its_line_is_refused(url):
    with pytest.raises(TransportError, match="protocol"):
        request_bytes(HttpRequest(method="GET", url=url), urlsplit(url))
