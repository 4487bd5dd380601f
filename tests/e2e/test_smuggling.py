"""Requests whose end two peers could see in two places, sent raw: nothing hides behind them.

Each is followed on its connection by a second request. A server that is strict either closes the
connection after its refusal, or has found the end where every strict peer finds it, and answers
the second as a request of its own.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from hyperroute.client import AsyncClient, Router
from hyperroute.gateway import Gateway
from hyperroute.gateway.asgi import asgi_app
from hyperroute.plugins.registry import discover
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers: {one: {plugin: openai, url: "https://one.test/v1", keys: [env:NONE]}}
models: {gpt: {kind: chat, offers: [{at: one}]}}
"""
BODY = b'{"model":"nobody","messages":[{"role":"user","content":"hi"}]}'
SIZE = str(len(BODY)).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
NEXT = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def sized(*lines: bytes) -> bytes:
    """Write a request with a good length, and more lines."""
    return (
        HEAD
        + b"".join(line + b"\r\n" for line in (b"Content-Length: " + SIZE, *lines))
        + b"\r\n"
        + BODY
    )


def framed(*lines: bytes, body: bytes = BODY) -> bytes:
    """Write a request whose framing is what the lines say."""
    return HEAD + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


CLOSED = {
    "length beside chunks": framed(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunks beside length": framed(b"Transfer-Encoding: chunked", b"Content-Length: " + SIZE, body=CHUNKS),
    "two equal lengths": sized(b"Content-Length: " + SIZE),
    "two lengths": sized(b"Content-Length: 0"),
    "a list of lengths": framed(b"Content-Length: " + SIZE + b", " + SIZE),
    "a length with a sign": framed(b"Content-Length: +" + SIZE),
    "a space before the colon": framed(b"Content-Length : " + SIZE),
    "a negative length": framed(b"Content-Length: -1"),
    "a length in hex": framed(b"Content-Length: 0x3e"),
    "an unknown coding": framed(b"Transfer-Encoding: xchunked", body=CHUNKS),
    "a vertical tab": framed(b"Transfer-Encoding: \x0bchunked", body=CHUNKS),
    "identity after chunked": framed(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=CHUNKS
    ),
    "a folded line": sized(b"X-A: b", b" c"),
    "a folded coding": framed(b"Transfer-Encoding:", b" chunked", body=CHUNKS),
    "a nul": sized(b"X-A: b\0c"),
    "a bare return": sized(b"X-A: b\rc"),
    "a bare newline": sized(b"X-A: b\nX-C: d"),
    "no names": sized(b": b"),
    "a name with a space": sized(b"X A: b"),
    "a chunk's extension with a newline": framed(
        b"Transfer-Encoding: chunked", body=b"3e;a\nb\r\n" + BODY + b"\r\n0\r\n\r\n"
    ),
    "a negative chunk": framed(b"Transfer-Encoding: chunked", body=b"-1\r\n\r\n"),
    "an endless chunk": framed(b"Transfer-Encoding: chunked", body=b"f" * 17 + b"\r\n"),
    "a chunk in 0x": framed(b"Transfer-Encoding: chunked", body=b"0x" + CHUNKS),
    "another version": framed(body=b"").replace(b"HTTP/1.1", b"HTTP/1.2"),
}  # fmt: skip
GOES_ON = {
    "gzip within chunks": framed(b"Transfer-Encoding: gzip, chunked", body=CHUNKS),
    "a compressed body": sized(b"Content-Encoding: gzip"),
    "two hosts": sized(b"Host: y"),
    "two keys": sized(b"X-Api-Key: a", b"X-Api-Key: b"),
    "a key that is named in Connection": sized(b"Connection: x-api-key", b"X-Api-Key: a"),
    "a model that nobody has": sized(),
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    world = World().awaiting()
    router = Router.loads(TABLE, registry=discover(entry_points=True))
    gateway = Gateway(AsyncClient(router, transport=world))
    config = uvicorn.Config(
        asgi_app(gateway), port=0, log_config=None, http="httptools", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(timeout=10)


def statuses(port: int, sent: bytes) -> list[int]:
    """Send bytes, read until the server closes, and return the status of each answer."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(sent)
        try:
            while piece := line.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass  # it closed with some of ours unread
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.mark.parametrize("name", CLOSED)
def test_what_is_ambiguous_is_refused_and_the_connection_closed(port: int, name: str) -> None:
    [status] = statuses(port, CLOSED[name] + NEXT)
    assert 400 <= status < 500


@pytest.mark.parametrize("name", GOES_ON)
def test_what_is_wrong_but_has_one_end_hides_nothing_behind_it(port: int, name: str) -> None:
    first, second = statuses(port, GOES_ON[name] + NEXT)
    assert 400 <= first < 500
    assert second == 200
