"""The guard on real sockets: the certificate is that of the name, whatever address it came to."""

import asyncio
import ssl
import time
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from hyperroute.canon.wire import HttpRequest
from hyperroute.errors import ClientWireError
from hyperroute.providers.flow import Fetch
from hyperroute.runtime.addresses import Rules
from hyperroute.runtime.clock import AsyncSystemClock
from hyperroute.runtime.fetching import fetch_awaiting
from hyperroute.runtime.guard import AsyncGuard, guard, look_up
from hyperroute.runtime.ports import Limits, TransportError, Unfetchable
from hyperroute.testing.script import SECOND, Answer, Script
from hyperroute.testing.upstream import Upstream

TLS = Path(__file__).parents[1] / "fixtures" / "tls"
HERE = (ip_network("127.0.0.1/32"),)
IMAGE = Script(headers=(("content-type", "image/png"),), chunks=(b"\x89PNG",), length=4)


def limits() -> Limits:
    second = 2 * SECOND
    return Limits(second, second, second, time.monotonic_ns() + 10 * SECOND)


async def here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


async def fetched(upstream: Upstream, name: str, *, trusted=HERE, pem: str = "media.pem") -> bytes:
    trust = ssl.create_default_context(cafile=str(TLS / pem))
    rules = Rules(ports=frozenset({upstream.port}), trusted=trusted)
    door = AsyncGuard(rules, resolve=here, trust=trust)
    try:
        request = HttpRequest(method="GET", url=f"https://{name}:{upstream.port}/a?b=c")
        exchange = await door.open(request, limits=limits())
        body = b""
        while chunk := await exchange.read(timeout_ns=SECOND):
            body += chunk
        await exchange.close()
        return body
    finally:
        await door.close()


def served(answer: Answer = IMAGE) -> Upstream:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(TLS / "media.pem")
    return Upstream(answer, tls=server)


def test_the_name_is_kept_in_the_certificate_the_handshake_and_the_host_header() -> None:
    with served() as upstream:
        assert asyncio.run(fetched(upstream, "media.example")) == b"\x89PNG"
        [seen] = upstream.seen
        assert dict(seen.request.headers)["host"] == f"media.example:{upstream.port}"
        assert seen.request.url == "/a?b=c"


def test_another_name_at_the_same_address_has_the_wrong_certificate() -> None:
    with served() as upstream:
        with pytest.raises(TransportError, match="tls"):
            asyncio.run(fetched(upstream, "other.example"))
        assert upstream.seen == []


def test_a_chain_of_redirects_that_ends_inside_is_refused_at_its_last_link() -> None:
    """A public host (one that is trusted here) sends us on to where cloud machines keep their keys."""
    inside = "https://169.254.169.254/latest/meta-data/iam"

    def page(request: HttpRequest) -> Script:
        number = int(request.url.rpartition("/")[2])
        return Script(status=302, headers=(("location", inside if number else "/1"),), length=0)

    async def main(upstream: Upstream) -> None:
        trust = ssl.create_default_context(cafile=str(TLS / "media.pem"))
        rules = Rules(ports=frozenset({443, upstream.port}), trusted=HERE)
        door = AsyncGuard(rules, resolve=here, trust=trust)
        url = f"https://media.example:{upstream.port}/0"
        wish = Fetch(url=url, pointer="/messages/0", kind="image", bytes_max=100)
        clock = AsyncSystemClock()
        try:
            with pytest.raises(ClientWireError, match="addresses are not fetched from"):
                await fetch_awaiting(wish, door, clock, until=clock.now() + 5 * SECOND)
        finally:
            await door.close()

    with served(page) as upstream:
        asyncio.run(main(upstream))
        assert [seen.request.url for seen in upstream.seen] == ["/0", "/1"]


def test_a_private_address_is_not_even_connected_to() -> None:
    with served() as upstream:
        with pytest.raises(Unfetchable):
            asyncio.run(fetched(upstream, "media.example", trusted=()))
        assert upstream.connections == 0


def test_nothing_of_one_fetch_is_told_to_the_next() -> None:
    cookie = replace(IMAGE, headers=(*IMAGE.headers, ("set-cookie", "who=ada; Path=/")))

    async def main(upstream: Upstream) -> None:
        rules = Rules(ports=frozenset({upstream.port}), trusted=HERE)
        trust = ssl.create_default_context(cafile=str(TLS / "media.pem"))
        door = AsyncGuard(rules, resolve=here, trust=trust)
        for _ in range(2):
            request = HttpRequest(method="GET", url=f"https://media.example:{upstream.port}/")
            exchange = await door.open(request, limits=limits())
            while await exchange.read(timeout_ns=SECOND):
                pass
            await exchange.close()
        await door.close()

    with served(cookie) as upstream:
        asyncio.run(main(upstream))
        assert upstream.connections == 2, "a connection is never used twice"
        for seen in upstream.seen:
            assert set(dict(seen.request.headers)) & {"cookie", "referer", "authorization"} == set()


def test_blocking_callers_get_the_same_door_and_the_system_lookup() -> None:
    with Upstream(IMAGE) as upstream:
        door = guard(Rules(http=True, ports=frozenset({upstream.port})))
        try:
            for host in ("localhost", "127.0.0.1"):
                request = HttpRequest(method="GET", url=f"http://{host}:{upstream.port}/")
                with pytest.raises(Unfetchable):
                    door.open(request, limits=limits())
        finally:
            door.close()
        assert upstream.connections == 0
    assert "127.0.0.1" in asyncio.run(look_up("localhost", 80))
