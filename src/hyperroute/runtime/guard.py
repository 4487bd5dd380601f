"""The way out for addresses that strangers name: looked up once, checked, and connected to as checked.

A name that is checked and then looked up again can have moved in between. So the one lookup is made
here, every address that it gives must be public, and the connection goes to one of exactly these,
with the name in ``Host`` and SNI, so that the certificate is still that of the name. A connection is
never used twice: the pool would know it by its address and hand one name the TLS of another.

This is httpx whatever else is installed: it connects to an address and speaks to a name (extension
``sni_hostname``). aiohttp could by a resolver of its own; one way is easier to trust than two. Sync
callers come through ``http_bridge``, because a lookup cannot be interrupted in their own thread.
Proxies of the environment are not used: behind one, the proxy does the lookup, and only it could
check. Redirects are answers like others here; who follows one comes back through this door.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import httpx

from hyperroute.canon.wire import HttpRequest
from hyperroute.runtime.addresses import RULES, Rules, checked, is_public
from hyperroute.runtime.http_bridge import BridgedTransport
from hyperroute.runtime.http_httpx import AsyncHttpxExchange, AsyncHttpxTransport, no_cookies
from hyperroute.runtime.ports import AsyncTransport, Limits, Transport, Unfetchable

ADDRESSES_MAX: Final = 16
"""A name with more is no media host."""

TRIES_MAX: Final = 3
"""How many of a name's addresses are tried until one answers."""

CONNECTIONS_MAX: Final = 100

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks a name up and returns its addresses, best first; raises ``OSError``."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system, in a thread of the loop.

    Raises:
        OSError: The name does not resolve.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Pinned(httpx.AsyncBaseTransport):
    """Carries a request to an address of its host that has just been looked up and checked."""

    def __init__(
        self, carrier: httpx.AsyncBaseTransport, *, rules: Rules, resolve: Resolve
    ) -> None:
        """Send through ``carrier``, which must keep no connection."""
        self._carrier = carrier
        self._rules = rules
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Look up, check, and send to the first address that answers.

        Raises:
            Unfetchable: The name leads nowhere, or to a place that is not public.
        """
        url = request.url
        target = checked(str(url), self._rules)
        try:
            addresses = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            addresses = ()
        public = all(is_public(address, self._rules) for address in addresses)
        if not addresses or not public or len(addresses) > ADDRESSES_MAX:
            # One text for all of these: which names exist within the house is nobody's business.
            raise Unfetchable("its name leads to no public address")
        request.extensions["sni_hostname"] = target.host
        tries = addresses[:TRIES_MAX]
        for address in tries[:-1]:
            request.url = url.copy_with(host=address)
            try:
                return await self._carrier.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        request.url = url.copy_with(host=tries[-1])
        return await self._carrier.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what carries."""
        await self._carrier.aclose()


class AsyncGuard:
    """A transport for URLs that we were given; opens GET requests, to public places only."""

    def __init__(
        self,
        rules: Rules = RULES,
        *,
        resolve: Resolve = look_up,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Connect under rules.

        Args:
            rules: Where to.
            resolve: The lookup, made once for each exchange.
            trust: Certificates; ``None``: those that httpx trusts.
        """
        self._rules = rules
        self._resolve = resolve
        self._trust = trust
        self._client: httpx.AsyncClient | None = None
        self._inner: AsyncHttpxTransport | None = None

    async def open(self, request: HttpRequest, *, limits: Limits) -> AsyncHttpxExchange:
        """Send and wait for the head.

        Raises:
            Unfetchable: Nothing may be fetched from there.
            TransportError: The head did not come, or not in time.
        """
        assert request.method == "GET", "what a stranger names is read and nothing else"
        assert not request.body
        target = checked(request.url, self._rules)
        spelled = HttpRequest(method="GET", url=target.url, headers=request.headers)
        if self._inner is None:
            self._inner = self._begin()
        return await self._inner.open(spelled, limits=limits)

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()

    def _begin(self) -> AsyncHttpxTransport:
        # Not before it is needed: certificates take a tenth of a second to read.
        carrier = httpx.AsyncHTTPTransport(
            verify=self._trust if self._trust is not None else httpx.create_ssl_context(),
            trust_env=False,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=0),
        )
        pinned = Pinned(carrier, rules=self._rules, resolve=self._resolve)
        self._client = httpx.AsyncClient(transport=pinned, trust_env=False, cookies=no_cookies())
        return AsyncHttpxTransport(self._client)


def async_guard(rules: Rules = RULES) -> AsyncTransport:
    """Make the guard for callers that await."""
    return AsyncGuard(rules)


def guard(rules: Rules = RULES) -> Transport:
    """Make the guard for callers that block."""
    return BridgedTransport(lambda: AsyncGuard(rules))


__all__ = ["AsyncGuard", "Pinned", "Resolve", "async_guard", "guard", "look_up"]
