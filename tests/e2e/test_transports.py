"""Both colours of every HTTP library against a real socket, fault by fault.

Every test is written once: ``Wire`` makes an async transport look like a sync one by running each
of its calls on a loop, so that six transports have to give one answer.
"""

import asyncio
import gzip
import signal
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.http import default_async_transport, default_transport
from hyperroute.runtime.http_body import RATIO_FREE_BYTES
from hyperroute.runtime.ports import Limits, TransportError
from hyperroute.testing.script import MS, SECOND, Script
from hyperroute.testing.upstream import Upstream, nowhere

JSON = (("content-type", "application/json"),)
SSE = (("content-type", "text/event-stream"),)
WHOLE = Script(headers=JSON, chunks=(b'{"ok":', b"true}"), length=11)


def limits(connect=2 * SECOND, first_byte=2 * SECOND, idle=2 * SECOND, total=10 * SECOND):
    return Limits(connect, first_byte, idle, time.monotonic_ns() + total)


class Wire:
    """A transport of either colour, called in the sync way."""

    def __init__(self, colour, library):
        self.carrier = library
        self.runner = asyncio.Runner() if colour == "async" else None
        make = default_async_transport if self.runner else default_transport
        self.transport = make(library)

    def run(self, made):
        return self.runner.run(made) if self.runner else made

    def open(self, url, within=None, **request):
        asked = HttpRequest(**{"method": "POST", "url": url, "body": b"{}", **request})
        return Held(self, self.run(self.transport.open(asked, limits=within or limits())))

    def close(self):
        self.run(self.transport.close())
        if self.runner:
            self.runner.close()


class Held:
    def __init__(self, wire, exchange):
        self.wire, self.exchange, self.head = wire, exchange, exchange.head

    def read(self, timeout_ns=2 * SECOND):
        return self.wire.run(self.exchange.read(timeout_ns=timeout_ns))

    def rest(self):
        return b"".join(iter(self.read, b""))

    def close(self):
        self.wire.run(self.exchange.close())


WIRES = [
    f"{colour}-{library}"
    for colour in ("sync", "async")
    for library in ("aiohttp", "httpx", "pyreqwest")
]


@pytest.fixture(params=WIRES)
def wire(request) -> Iterator[Wire]:
    wire = Wire(*request.param.split("-"))
    yield wire
    wire.close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream
    assert upstream.errors == []


def fault(function) -> str:
    with pytest.raises(TransportError) as caught:
        function()
    return caught.value.fault


def serve(upstream: Upstream, **script) -> str:
    upstream.serve("/", Script(**script))
    return upstream.url + "/v1/chat"


def test_a_whole_answer_comes_with_its_head_and_in_one_read(wire, upstream):
    upstream.serve("/", Script(status=201, headers=(*JSON, ("X-Twice", "1"), ("x-twice", "2")),
                               chunks=WHOLE.chunks, length=11))  # fmt: skip
    held = wire.open(upstream.url + "/v1/chat?a=b", headers=(("X-Mine", "yes"),), body=b'{"q":1}')
    assert held.head.status == 201
    assert [v for k, v in held.head.headers if k == "x-twice"] == ["1", "2"]
    assert held.head.header("content-type") == "application/json"
    assert held.read() == b'{"ok":true}'
    assert held.read() == b""
    assert held.read() == b""
    held.close()
    [seen] = upstream.seen
    assert (seen.request.method, seen.request.url) == ("POST", "/v1/chat?a=b")
    assert seen.request.body == b'{"q":1}'
    sent = dict(seen.request.headers)
    assert (sent["x-mine"], sent["accept-encoding"]) == ("yes", "identity")
    assert sent["user-agent"] == "hyperroute"
    assert "cookie" not in sent


def test_a_connection_is_used_again_after_a_whole_answer(wire, upstream):
    upstream.serve("/", WHOLE)
    for _ in range(3):
        held = wire.open(upstream.url)
        assert held.rest() == WHOLE.body
        held.close()
    assert (len(upstream.seen), upstream.connections) == (3, 1)


def test_a_connection_is_used_again_when_the_deadline_comes_near(wire, upstream):
    upstream.serve("/", WHOLE)
    for shorter in range(3):
        left = 1900 * MS - shorter * 10 * MS
        wire.open(upstream.url, limits(left, left, left, left)).rest()
    assert upstream.connections == 1


def test_cookies_of_one_answer_are_not_sent_with_the_next(wire, upstream):
    upstream.serve("/", Script(headers=(*JSON, ("set-cookie", "a=b; Path=/")), length=0))
    for _ in range(2):
        wire.open(upstream.url).rest()
    assert [dict(seen.request.headers).get("cookie") for seen in upstream.seen] == [None, None]


def test_chunks_of_a_stream_arrive_while_it_is_being_made(wire, upstream):
    url = serve(upstream, headers=SSE, chunks=(b"data: 1\n\n", b"data: 2\n\n"),
                waits_ns=(0, 60 * MS))  # fmt: skip
    held = wire.open(url)
    began = time.monotonic()
    assert held.read() == b"data: 1\n\n"
    assert time.monotonic() - began < 0.05
    assert held.rest() == b"data: 2\n\n"


def test_a_head_that_takes_too_long_is_first_byte(wire, upstream):
    url = serve(upstream, fault="first_byte")
    began = time.monotonic()
    assert fault(lambda: wire.open(url, limits(first_byte=40 * MS))) == "first_byte"
    assert time.monotonic() - began < 0.5
    if wire.carrier != "pyreqwest":  # which lets it run on (http_pyreqwest.py)
        assert upstream.seen[0].wait_over()
        assert upstream.seen[0].gone_at is not None


@pytest.mark.parametrize("body", ["stream", "whole"])
def test_a_body_that_stops_is_idle(wire, upstream, body):
    url = (
        serve(upstream, headers=SSE, chunks=(b"data: 1\n\n",), end="stall")
        if body == "stream"
        else serve(upstream, headers=JSON, chunks=(b"{",), length=9, end="stall")
    )
    held = wire.open(url, limits(idle=40 * MS))
    if body == "stream":
        assert held.read(40 * MS) == b"data: 1\n\n"
    began = time.monotonic()
    assert fault(lambda: held.read(40 * MS)) == "idle"
    assert time.monotonic() - began < 0.5


def test_a_read_may_have_less_time_than_the_idle_limit(wire, upstream):
    held = wire.open(serve(upstream, headers=SSE, chunks=(b"data: 1\n\n",), end="stall"))
    assert held.read() == b"data: 1\n\n"
    began = time.monotonic()
    assert fault(lambda: held.read(40 * MS)) == "idle"
    assert time.monotonic() - began < 0.5
    held.close()


def test_a_first_byte_limit_below_the_idle_limit_is_kept(wire, upstream):
    url = serve(upstream, head_after_ns=30 * SECOND)
    within = limits(first_byte=40 * MS, idle=5 * SECOND)
    began = time.monotonic()
    assert fault(lambda: wire.open(url, within)) == "first_byte"
    assert time.monotonic() - began < 0.5


def test_the_deadline_of_the_whole_ends_a_head_and_a_body(wire, upstream):
    upstream.serve("/head", Script(head_after_ns=30 * SECOND))
    upstream.serve("/body", Script(headers=SSE, chunks=(b"x",), end="stall"))
    assert fault(lambda: wire.open(upstream.url + "/head", limits(total=40 * MS))) == "first_byte"
    within = limits(total=300 * MS)
    held = wire.open(upstream.url + "/body", within)
    assert held.read() == b"x"
    assert fault(lambda: held.read(within.total_until - time.monotonic_ns())) == "idle"
    assert fault(lambda: wire.open(upstream.url + "/body", limits(total=-1))) == "first_byte"


def test_a_reset_before_the_head_is_a_reset_and_is_not_sent_again(wire, upstream):
    url = serve(upstream, fault="reset")
    assert fault(lambda: wire.open(url)) == "reset"
    time.sleep(0.02)
    assert len(upstream.seen) == 1


def test_a_clean_hang_up_before_the_head_is_a_reset_and_is_not_sent_again(wire, upstream):
    url = serve(upstream, raw=b"")
    assert fault(lambda: wire.open(url)) == "reset"
    time.sleep(0.02)
    assert len(upstream.seen) == 1


def test_a_hang_up_on_a_used_connection_is_a_reset_and_is_not_sent_again(wire, upstream):
    upstream.serve("/", [WHOLE, Script(raw=b"")])
    wire.open(upstream.url).rest()
    assert fault(lambda: wire.open(upstream.url)) == "reset"
    assert (len(upstream.seen), upstream.connections) == (2, 1)


def test_a_reset_in_the_body_is_a_reset(wire, upstream):
    held = wire.open(serve(upstream, headers=SSE, chunks=(b"data: 1\n\n",), end="reset"))
    assert held.read() == b"data: 1\n\n"
    assert fault(held.rest) == "reset"


@pytest.mark.parametrize(
    "script",
    [
        Script(headers=SSE, chunks=(b"data: 1\n\n",), end="cut"),
        Script(headers=SSE, chunks=(b"data: 1\n\n",), length=100),
        Script(headers=JSON, chunks=(b'{"a"',), length=100),
    ],
    ids=["chunked", "length", "whole"],
)
def test_a_body_shorter_than_its_framing_promised_is_cut(wire, upstream, script):
    upstream.serve("/", script)
    held = wire.open(upstream.url)
    assert fault(held.rest) == "cut"


def test_nobody_listening_is_connect(wire):
    assert fault(lambda: wire.open(nowhere())) == "connect"


def test_a_name_that_does_not_resolve_is_dns(wire):
    assert fault(lambda: wire.open("http://nowhere.invalid/")) == "dns"


def test_a_port_that_does_not_speak_tls_is_tls(wire, upstream):
    assert fault(lambda: wire.open(upstream.url.replace("http:", "https:"))) == "tls"


def test_an_answer_that_is_not_http_is_protocol(wire, upstream):
    assert fault(lambda: wire.open(serve(upstream, raw=b"SSH-2.0\r\n\r\n"))) == "protocol"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "nonsense"])
def test_an_address_that_no_client_can_use_is_protocol(wire, url):
    assert fault(lambda: wire.open(url)) == "protocol"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_shown_and_not_followed(wire, upstream, status):
    url = serve(upstream, status=status, headers=(("location", "/elsewhere"),), length=0)
    held = wire.open(url)
    assert (held.head.status, held.head.header("location")) == (status, "/elsewhere")
    assert held.rest() == b""
    assert len(upstream.seen) == 1


def test_a_204_has_no_body(wire, upstream):
    held = wire.open(serve(upstream, status=204))
    assert (held.head, held.read()) == (HttpHead(204), b"")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_body_is_opened_though_nobody_asked(wire, upstream, coding):
    packed = gzip.compress(WHOLE.body) if coding == "gzip" else zlib.compress(WHOLE.body)
    headers = (*JSON, ("content-encoding", coding))
    held = wire.open(serve(upstream, headers=headers, chunks=(packed,), length=len(packed)))
    assert held.rest() == WHOLE.body


@pytest.mark.parametrize("chunks", [(b"not gzip",), (gzip.compress(b"x" * 99)[:-9],)])
def test_a_bad_gzip_body_is_encoding(wire, upstream, chunks):
    headers = (*JSON, ("content-encoding", "gzip"))
    held = wire.open(serve(upstream, headers=headers, chunks=chunks, length=len(chunks[0])))
    assert fault(held.rest) == "encoding"


def test_a_coding_that_we_did_not_ask_for_still_shows_its_status(wire, upstream):
    headers = (*JSON, ("content-encoding", "br"))
    held = wire.open(serve(upstream, status=429, headers=headers, chunks=(b"?",), length=1))
    assert held.head.status == 429
    assert fault(held.rest) == "encoding"


def test_a_bomb_is_refused_before_it_is_unpacked(wire, upstream):
    bomb = gzip.compress(b"\0" * (16 * RATIO_FREE_BYTES))
    headers = (*SSE, ("content-encoding", "gzip"))
    held = wire.open(serve(upstream, headers=headers, chunks=(bomb,)))
    got = 0

    def unpack():
        nonlocal got
        while chunk := held.read():
            got += len(chunk)

    assert fault(unpack) == "encoding"
    assert got <= 8 * RATIO_FREE_BYTES
    held.close()


def test_closing_an_unfinished_exchange_reaches_the_upstream_within_a_second(wire, upstream):
    held = wire.open(serve(upstream, headers=SSE, chunks=(b"data: 1\n\n",), end="stall"))
    assert held.read() == b"data: 1\n\n"
    closed_at = time.monotonic_ns()
    held.close()
    held.close()
    [seen] = upstream.seen
    assert seen.wait_over(1.0)
    assert seen.gone_at is not None
    assert seen.gone_at - closed_at < SECOND


def test_a_closed_transport_sends_nothing(wire, upstream):
    upstream.serve("/", WHOLE)
    wire.open(upstream.url).rest()
    wire.run(wire.transport.close())
    assert fault(lambda: wire.open(upstream.url)) == "unsent"
    assert len(upstream.seen) == 1


@pytest.mark.parametrize(
    ("library", "phase"),
    [("aiohttp", "head"), ("aiohttp", "body"), ("httpx", "head"), ("httpx", "body"),
     ("pyreqwest", "body")],
)  # fmt: skip
def test_cancelling_a_task_reaches_the_upstream_within_a_second(upstream, library, phase):
    upstream.serve("/head", Script(fault="first_byte"))
    upstream.serve("/body", Script(headers=SSE, chunks=(b"x",), end="stall"))

    async def call(transport):
        request = HttpRequest(method="POST", url=f"{upstream.url}/{phase}", body=b"{}")
        exchange = await transport.open(request, limits=limits())
        try:
            while await exchange.read(timeout_ns=2 * SECOND):
                pass
        finally:
            await exchange.close()

    async def main():
        transport = default_async_transport(library)
        task = asyncio.create_task(call(transport))
        await asyncio.sleep(0.1)
        cancelled_at = time.monotonic_ns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(upstream.seen[0].wait_over, 1.0)
        await transport.close()
        return upstream.seen[0].gone_at - cancelled_at

    assert asyncio.run(main()) < SECOND


def test_known_gap_pyreqwest_does_not_tell_the_upstream_of_a_cancellation_before_the_head(upstream):
    """Why pyreqwest is not the default. When this fails, it has been mended: see decision 0017."""
    upstream.serve("/", Script(fault="first_byte"))

    async def main():
        transport = default_async_transport("pyreqwest")
        request = HttpRequest(method="POST", url=upstream.url, body=b"{}")
        task = asyncio.create_task(transport.open(request, limits=limits(first_byte=20 * SECOND)))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        told = await asyncio.to_thread(upstream.seen[0].wait_over, 1.0)
        await transport.close()
        return told

    assert not asyncio.run(main())


@pytest.mark.parametrize("library", ["aiohttp", "httpx"])
@pytest.mark.parametrize("phase", ["head", "body"])
def test_an_interrupted_sync_caller_cancels_within_a_second(upstream, library, phase):
    upstream.serve("/head", Script(fault="first_byte"))
    upstream.serve("/body", Script(headers=SSE, chunks=(b"x",), end="stall"))

    def interrupt(*_):
        raise KeyboardInterrupt

    def call(transport):
        request = HttpRequest(method="POST", url=f"{upstream.url}/{phase}", body=b"{}")
        exchange = transport.open(request, limits=limits())
        try:
            while exchange.read(timeout_ns=2 * SECOND):
                pass
        finally:
            exchange.close()

    transport = default_transport(library)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.15)
        with pytest.raises(KeyboardInterrupt):
            call(transport)
    finally:
        signal.signal(signal.SIGALRM, before)
    interrupted_at = time.monotonic_ns()
    [seen] = upstream.seen
    assert seen.wait_over(1.0)
    assert seen.gone_at is not None
    assert seen.gone_at - interrupted_at < SECOND
    transport.close()


@pytest.mark.parametrize("library", ["aiohttp", "httpx", "pyreqwest"])
def test_many_streams_share_one_sync_transport(upstream, library):
    chunks = tuple(b"data: %d\n\n" % n for n in range(20))
    upstream.serve("/", Script(headers=SSE, chunks=chunks, chunk_after_ns=MS))
    transport = default_transport(library)
    bodies = []

    def call():
        request = HttpRequest(method="POST", url=upstream.url, body=b"{}")
        exchange = transport.open(request, limits=limits())
        bodies.append(b"".join(iter(lambda: exchange.read(timeout_ns=SECOND), b"")))
        exchange.close()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    transport.close()
    assert bodies == [b"".join(chunks)] * 8


def test_a_client_of_the_caller_is_used_and_left_open(upstream):
    upstream.serve("/", WHOLE)
    with httpx.Client(headers={"x-proxy-key": "k"}, follow_redirects=True) as client:
        transport = default_transport(client=client)
        request = HttpRequest(method="POST", url=upstream.url, body=b"{}")
        exchange = transport.open(request, limits=limits())
        assert exchange.read(timeout_ns=SECOND) == WHOLE.body
        transport.close()
        assert not client.is_closed
    assert dict(upstream.seen[0].request.headers)["x-proxy-key"] == "k"


def test_a_client_of_the_caller_must_be_one_of_httpx():
    with pytest.raises(ValueError, match="httpx"):
        default_transport("pyreqwest", client=object())


@pytest.mark.parametrize("library", ["aiohttp", "httpx"])
def test_a_proxy_in_the_environment_is_honoured(upstream, monkeypatch, library):
    forget_proxies(monkeypatch)
    monkeypatch.setenv("http_proxy", upstream.url)
    upstream.serve("http://elsewhere.invalid/", WHOLE)
    transport = default_transport(library)
    request = HttpRequest(method="POST", url="http://elsewhere.invalid/v1", body=b"{}")
    exchange = transport.open(request, limits=limits())
    assert exchange.read(timeout_ns=SECOND) == WHOLE.body
    exchange.close()
    transport.close()


def test_the_default_is_aiohttp_unless_the_environment_names_what_it_cannot_do(monkeypatch):
    forget_proxies(monkeypatch)
    assert type(default_async_transport()).__name__ == "AsyncAiohttpTransport"
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert type(default_async_transport()).__name__ == "AsyncAiohttpTransport"
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    # httpx needs an extra of its own for these, and says so.
    with pytest.raises(ImportError, match="socks"):
        default_async_transport()


def test_a_library_that_does_not_exist_is_refused():
    unknown: Any = "curl"
    with pytest.raises(ValueError, match="curl"):
        default_transport(unknown)


def forget_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_closing_a_transport_twice_is_harmless():
    transport = default_transport()
    transport.close()
    transport.close()
