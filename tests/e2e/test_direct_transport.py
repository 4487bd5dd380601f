"""What only our own HTTP client has: its pool, its certainty about sending, its TLS."""

import asyncio
import socket
import ssl
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hyperroute.canon.wire import HttpRequest
from hyperroute.runtime import http_direct
from hyperroute.runtime.http_direct import AsyncDirectTransport
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
    transport = AsyncDirectTransport(**options)
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


def test_a_request_that_the_kernel_never_took_in_full_is_unsent():
    """A peer that reads nothing and resets: a video job may be sent again after that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def refuse():
            connection, _ = listener.accept()
            time.sleep(0.05)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()

        async def main():
            async with opened() as transport:
                url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
                return await fault(call(transport, url, body=b"x" * 32 * 1024 * 1024))

        assert asyncio.run(main()) == "unsent"
        thread.join()


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


def test_a_hang_up_that_the_loop_has_not_seen_yet_is_found_by_looking():
    async def main(upstream):
        async with opened() as transport:
            await call(transport, upstream.url)
            time.sleep(0.08)  # noqa: ASYNC251 - the loop must not notice
            return await call(transport, upstream.url)

    with Upstream([Script(headers=JSON, length=0, end="cut"), WHOLE]) as upstream:
        assert asyncio.run(main(upstream)) == WHOLE.body
        assert upstream.connections == 2


def test_connections_are_limited_and_waiting_for_one_ends_as_pool(monkeypatch):
    monkeypatch.setattr(http_direct, "CONNECTIONS_MAX", 2)

    async def main(upstream):
        async with opened() as transport:
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
    transport = AsyncDirectTransport()

    async def once(upstream):
        closing = (("connection", "close"),)
        upstream.serve("/", Script(headers=closing, chunks=(b"x",), length=1))
        body = await call(transport, upstream.url)
        await asyncio.sleep(0.01)
        return body

    with Upstream() as upstream:
        assert [asyncio.run(once(upstream)) for _ in range(2)] == [b"x", b"x"]


@pytest.mark.parametrize(
    "more",
    [
        {"headers": (("x-a", "1\r\nx-b: 2"),)},
        {"headers": (("x-a\r\nx-b", "1"),)},
        {"headers": (("x-a", "\N{SNOWMAN}"),)},
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


def test_framing_headers_of_a_caller_are_ours_to_write():
    async def main(upstream):
        headers = (("Content-Length", "999"), ("Transfer-Encoding", "chunked"), ("host", "evil"))
        async with opened() as transport:
            return await call(transport, upstream.url, headers=headers)

    with Upstream(WHOLE) as upstream:
        assert asyncio.run(main(upstream)) == WHOLE.body
        sent = dict(upstream.seen[0].request.headers)
    assert (sent["content-length"], sent["host"]) == ("2", f"127.0.0.1:{upstream.port}")
    assert "transfer-encoding" not in sent
