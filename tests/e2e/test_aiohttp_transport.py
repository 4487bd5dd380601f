"""What one suite for all libraries cannot say of aiohttp: its pool, its proxies, its TLS."""

import asyncio
import base64
import ssl
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hyperroute.canon.wire import HttpRequest
from hyperroute.runtime.http_aiohttp import AsyncAiohttpTransport, environment_proxies
from hyperroute.runtime.ports import Limits, TransportError
from hyperroute.testing.script import MS, SECOND, Script
from hyperroute.testing.upstream import Upstream

PEM = Path(__file__).parents[1] / "fixtures" / "tls" / "loopback.pem"
JSON = (("content-type", "application/json"),)
WHOLE = Script(headers=JSON, chunks=(b'{"ok":true}',), length=11)


def limits(connect=2 * SECOND, first_byte=2 * SECOND, idle=2 * SECOND):
    return Limits(connect, first_byte, idle, time.monotonic_ns() + 10 * SECOND)


@asynccontextmanager
async def opened(**options):
    transport = AsyncAiohttpTransport(**options)
    try:
        yield transport
    finally:
        await transport.close()
        await asyncio.sleep(0.01)


async def call(transport, url, **more):
    request = HttpRequest(**{"method": "POST", "url": url, "body": b"{}", **more})
    exchange = await transport.open(request, limits=limits())
    body = b""
    while chunk := await exchange.read(timeout_ns=2 * SECOND):
        body += chunk
    await exchange.close()
    return body


async def fault(awaitable):
    with pytest.raises(TransportError) as caught:
        await awaitable
    return caught.value.fault


def test_tls_is_spoken_where_the_certificate_is_trusted():
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(PEM)
    trust = ssl.create_default_context(cafile=str(PEM))

    async def main(upstream):
        async with opened(trust=trust) as transport:
            first = await call(transport, upstream.url)
            return first, await call(transport, upstream.url)

    with Upstream(WHOLE, tls=server) as upstream:
        assert asyncio.run(main(upstream)) == (WHOLE.body, WHOLE.body)
        assert (len(upstream.seen), upstream.connections) == (2, 1)


def test_tls_is_refused_where_the_certificate_is_not_trusted():
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(PEM)

    async def main(upstream):
        async with opened() as transport:
            return await fault(call(transport, upstream.url))

    with Upstream(WHOLE, tls=server) as upstream:
        assert asyncio.run(main(upstream)) == "tls"
        assert upstream.seen == []


def test_an_idle_connection_that_the_provider_closed_is_not_used():
    async def main(upstream):
        async with opened() as transport:
            await call(transport, upstream.url)
            await asyncio.to_thread(time.sleep, 0.05)
            return await call(transport, upstream.url)

    closing = Script(headers=(*JSON, ("connection", "close")), chunks=WHOLE.chunks, length=11)
    with Upstream([closing, WHOLE]) as upstream:
        assert asyncio.run(main(upstream)) == WHOLE.body
        assert upstream.connections == 2


def test_connections_are_limited_and_waiting_for_one_ends_as_pool():
    async def main(upstream):
        async with opened(connections=2) as transport:
            slow = HttpRequest(method="POST", url=upstream.url + "/slow", body=b"{}")
            held = [await transport.open(slow, limits=limits()) for _ in range(2)]
            assert await fault(call(transport, upstream.url)) == "pool"
            waiting = asyncio.create_task(call(transport, upstream.url))
            await asyncio.sleep(0.02)
            await held[0].close()
            body = await waiting
            await held[1].close()
            return body

    with Upstream(WHOLE) as upstream:
        upstream.serve("/slow", Script(chunks=(b"x",), end="stall"))
        assert asyncio.run(main(upstream)) == WHOLE.body


def test_an_answer_larger_than_what_we_hold_is_taken_in_as_it_is_read():
    chunk = b"x" * 256 * 1024

    async def main(upstream):
        async with opened() as transport:
            return await call(transport, upstream.url)

    with Upstream(Script(chunks=(chunk,) * 32)) as upstream:
        assert asyncio.run(main(upstream)) == chunk * 32


def test_many_callers_at_once_each_get_their_own_answer():
    async def main(upstream):
        async with opened() as transport:
            calls = (call(transport, upstream.url, body=b"%d" % n) for n in range(100))
            return await asyncio.gather(*calls)

    with Upstream(lambda asked: Script(headers=JSON, chunks=(asked.body,),
                                       head_after_ns=MS)) as upstream:  # fmt: skip
        assert asyncio.run(main(upstream)) == [b"%d" % n for n in range(100)]
        assert len(upstream.seen) == 100
        assert upstream.errors == []


def test_one_transport_serves_one_loop_after_another():
    transport = AsyncAiohttpTransport()

    async def once(upstream):
        closing = (("connection", "close"),)
        upstream.serve("/", Script(headers=closing, chunks=(b"x",), length=1))
        body = await call(transport, upstream.url)
        await asyncio.sleep(0.01)
        return body

    with Upstream() as upstream:
        assert [asyncio.run(once(upstream)) for _ in range(2)] == [b"x", b"x"]
    asyncio.run(transport.close())  # on a third loop, and nothing is left to warn of


@pytest.mark.parametrize(
    "more",
    [
        {"headers": (("x-a", "1\r\nx-b: 2"),)},
        {"headers": (("x-a\r\nx-b", "1"),)},
        {"headers": (("x-a", "1\0"),)},
        {"method": "GET / HTTP/1.1\r\nx: y\r\n\r\nPOST"},
    ],
)
def test_a_header_that_would_leave_its_line_is_not_sent(more):
    async def main(upstream):
        async with opened() as transport:
            return await fault(call(transport, upstream.url, **more))

    with Upstream(WHOLE) as upstream:
        assert asyncio.run(main(upstream)) == "protocol"
        assert upstream.seen == []


def test_the_cancelled_task_of_a_tls_call_is_felt_by_the_upstream_at_once():
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(PEM)
    trust = ssl.create_default_context(cafile=str(PEM))

    async def main(upstream):
        async with opened(trust=trust) as transport:
            task = asyncio.create_task(call(transport, upstream.url))
            await asyncio.sleep(0.15)
            cancelled_at = time.monotonic_ns()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(upstream.seen[0].wait_over, 1.0)
            return upstream.seen[0].gone_at - cancelled_at

    with Upstream(Script(fault="first_byte"), tls=server) as upstream:
        assert asyncio.run(main(upstream)) < SECOND


def test_invariant_14_a_get_on_a_used_connection_that_breaks_is_not_sent_again():
    async def main(upstream):
        async with opened() as transport:
            await call(transport, upstream.url, method="GET", body=b"")
            return await fault(call(transport, upstream.url, method="GET", body=b""))

    with Upstream([WHOLE, Script(raw=b""), WHOLE]) as upstream:
        assert asyncio.run(main(upstream)) == "reset"
        assert len(upstream.seen) == 2


def test_what_came_before_a_reset_is_still_read():
    async def main(upstream):
        async with opened() as transport:
            request = HttpRequest(method="POST", url=upstream.url, body=b"{}")
            exchange = await transport.open(request, limits=limits())
            await asyncio.sleep(0.1)  # data and reset are both there before we look
            body = await exchange.read(timeout_ns=SECOND)
            return body, await fault(exchange.read(timeout_ns=SECOND))

    with Upstream(Script(chunks=(b"data: 1\n\n",), end="cut")) as upstream:
        assert asyncio.run(main(upstream)) == (b"data: 1\n\n", "cut")


def test_an_address_is_sent_letter_by_letter_because_some_are_signed():
    async def main(upstream):
        async with opened() as transport:
            await call(transport, upstream.url + "/model/a%3Ab%2Fc/x:y?q=%7E&r=a+b")

    with Upstream(WHOLE) as upstream:
        asyncio.run(main(upstream))
        assert upstream.seen[0].request.url == "/model/a%3Ab%2Fc/x:y?q=%7E&r=a+b"


@pytest.mark.parametrize("url", ["http://127.0.0.1/b c", "http://127.0.0.1/\N{SNOWMAN}",
                                 "http://127.0.0.1/\r\nx: y", "http://127.0.0.1:0/"])  # fmt: skip
def test_an_address_that_would_leave_its_line_is_refused(url):
    async def main():
        async with opened() as transport:
            return await fault(call(transport, url))

    assert asyncio.run(main()) == "protocol"


@pytest.fixture
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_a_proxy_is_told_who_asks_and_left_out_where_the_environment_says_so(no_proxies):
    async def main(upstream):
        async with opened() as transport:
            await call(transport, "http://elsewhere.invalid/v1")
            return await fault(call(transport, "http://near.invalid/v1"))

    with Upstream() as upstream:
        upstream.serve("http://elsewhere.invalid/", WHOLE)
        no_proxies.setenv("all_proxy", upstream.url.replace("http://", "me:secret@"))
        no_proxies.setenv("no_proxy", "near.invalid")
        assert environment_proxies()["all"].startswith("http://me:secret@")
        assert asyncio.run(main(upstream)) == "dns"
        sent = dict(upstream.seen[0].request.headers)
    assert sent["proxy-authorization"] == "Basic " + base64.b64encode(b"me:secret").decode()
