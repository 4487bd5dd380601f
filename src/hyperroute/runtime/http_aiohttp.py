"""aiohttp behind the ports: the fast HTTP client, used where it is installed (extra ``fast``).

A call costs a fraction of what it costs with httpx, and cancelling one closes its connection at
once, before the head as well as after it. Redirects, cookies, decompression, ``.netrc`` and
aiohttp's own second try of a GET are switched off.

A session belongs to an event loop, so one is made on first use and again on another loop. Proxies
are read from the environment once a session: aiohttp's ``trust_env`` would ask for them, and for
``.netrc``, in a thread and for each request.

Source: aiohttp 3.14.5, read and measured 2026-11-22.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.http_body import Body, outgoing_headers
from hyperroute.runtime.ports import Limits, TransportError, TransportFault

CONNECTIONS_MAX: Final = 1000
KEEPALIVE_S: Final = 30.0
POOL_WAIT_S: Final = 0.25
"""How long to wait for a free connection of ours (reliability.md, row 5)."""

DNS_CACHE_S: Final = 30
HEAD_LINE_BYTES_MAX: Final = 32 * 1024
"""The longest header that is read: policies and cookies of a proxy outgrow aiohttp's 8 KiB."""

_SECOND: Final = 1_000_000_000

FAULTS: Final[MappingProxyType[type[Exception], tuple[TransportFault, TransportFault]]] = (
    MappingProxyType(
        {
            # Exception: fault before the head, fault after it.
            aiohttp.ClientConnectorDNSError: ("dns", "dns"),
            aiohttp.ClientConnectorCertificateError: ("tls", "tls"),
            aiohttp.ClientSSLError: ("tls", "tls"),
            aiohttp.ServerFingerprintMismatch: ("tls", "tls"),
            aiohttp.ClientHttpProxyError: ("connect", "connect"),
            aiohttp.ClientConnectorError: ("connect", "reset"),
            aiohttp.ConnectionTimeoutError: ("connect_timeout", "connect_timeout"),
            aiohttp.ServerTimeoutError: ("first_byte", "idle"),
            aiohttp.ClientConnectionError: ("reset", "reset"),
            aiohttp.ClientPayloadError: ("protocol", "cut"),
            aiohttp.UploadAbortedError: ("reset", "reset"),
            aiohttp.ClientResponseError: ("protocol", "protocol"),
            aiohttp.InvalidURL: ("protocol", "protocol"),
            aiohttp.NonHttpUrlClientError: ("protocol", "protocol"),
            aiohttp.RedirectClientError: ("protocol", "protocol"),
            HttpProcessingError: ("protocol", "protocol"),
        }
    )
)
"""Every ``ClientError`` has a row, its own or its nearest ancestor's (a test goes through them)."""


def fault_of(error: BaseException, *, headed: bool) -> TransportFault | None:
    """Read a fault from an exception of the client; ``None`` for what is not its fault.

    What broke while connecting is told by the error beneath. A body that ended early was cut if
    the connection was closed in an orderly way, and reset if not: aiohttp adds the socket's error
    to the text in that case, after the parser's.
    """
    if isinstance(error, aiohttp.ClientPayloadError) and headed:
        return "cut" if str(error).endswith(repr(error.__cause__)) else "reset"
    kind = next((kind for kind in type(error).__mro__ if kind in FAULTS), None)
    if kind is None:
        return None
    if kind is aiohttp.ClientConnectorError and not headed:
        return _connecting(getattr(error, "os_error", None))
    return FAULTS[kind][headed]


def _connecting(cause: OSError | None) -> TransportFault:
    match cause:
        case socket.gaierror():
            return "dns"
        case TimeoutError():
            return "connect_timeout"
        case ConnectionResetError() | ConnectionAbortedError():
            return "tls"  # the port had answered: what broke off is the handshake
        case _:
            return "connect"


async def _once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from trying again what it holds to be safe: each try is ours to count."""
    try:
        return await send(request)
    except aiohttp.ClientConnectionError as error:
        raise TransportError(fault_of(error, headed=False) or "reset") from error


class AsyncAiohttpTransport:
    """Open exchanges on a session of aiohttp."""

    def __init__(
        self, *, trust: ssl.SSLContext | None = None, connections: int = CONNECTIONS_MAX
    ) -> None:
        """Trust the certificates that httpx trusts, or those of ``trust``."""
        self._trust = trust
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free = asyncio.Semaphore(connections)
        self._proxies: dict[str, str] = {}
        self._timeout = aiohttp.ClientTimeout(total=None)
        self._connect_ns = 0
        self._closed = False

    async def open(self, request: HttpRequest, *, limits: Limits) -> AsyncAiohttpExchange:
        """Send and wait for the head.

        Raises:
            TransportError: The head did not come, or not in time.
        """
        loop = asyncio.get_running_loop()
        session = self._session
        if session is None or loop is not self._loop:
            session = self._begin(loop)
        now = loop.time()
        # Our clock and the loop's are the same one: monotonic seconds and nanoseconds.
        until = min(now + limits.first_byte_ns / _SECOND, limits.total_until / _SECOND)
        if until <= now:
            raise TransportError("first_byte")
        if limits.connect_ns != self._connect_ns:
            self._connect_ns = limits.connect_ns
            self._timeout = aiohttp.ClientTimeout(total=None, connect=limits.connect_ns / _SECOND)
        await self._admit()
        free = self._free
        try:
            response = await self._ask(session, request, until)
        except BaseException:
            free.release()
            raise
        return AsyncAiohttpExchange(response, loop, free)

    async def close(self) -> None:
        """Close every connection."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()
            await asyncio.sleep(0)  # connections are closed in the loop's next turn
        elif session is not None:
            self._abandon(session)

    async def _ask(
        self, session: aiohttp.ClientSession, request: HttpRequest, until: float
    ) -> aiohttp.ClientResponse:
        url = _address(request.url)
        try:
            async with asyncio.timeout_at(until):
                return await session.request(
                    request.method,
                    url,
                    headers=outgoing_headers(request),
                    data=request.body or None,
                    allow_redirects=False,
                    timeout=self._timeout,
                    ssl=self._context() if url.scheme == "https" else True,
                    proxy=self._proxy(url) if self._proxies else None,
                    middlewares=None if request.method == "POST" else (_once,),
                )
        except TransportError:
            raise
        except (aiohttp.ClientError, HttpProcessingError) as error:
            fault = fault_of(error, headed=False)
            if fault is None:
                raise
            raise TransportError(fault) from error
        except TimeoutError:
            raise TransportError("first_byte") from None
        except ValueError as error:  # a method, address or header that would leave its line
            raise TransportError("protocol") from error

    def _begin(self, loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
        if self._closed:
            raise TransportError("unsent")
        if self._session is not None:
            self._abandon(self._session)
        self._loop = loop
        self._free = asyncio.Semaphore(self._connections)
        self._proxies = environment_proxies()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # the limit is _free, so that waiting for it can be told from connecting
                keepalive_timeout=KEEPALIVE_S,
                ttl_dns_cache=DNS_CACHE_S,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            raise_for_status=False,
            skip_auto_headers=("Accept", "Content-Type"),
            max_line_size=HEAD_LINE_BYTES_MAX,
            max_field_size=HEAD_LINE_BYTES_MAX,
        )
        return self._session

    @staticmethod
    def _abandon(session: aiohttp.ClientSession) -> None:
        # Its loop is over or not ours: connections can be let go of, and not be closed in order.
        connector = session.connector
        session.detach()
        if isinstance(connector, aiohttp.TCPConnector):
            closing = connector.close(abort_ssl=True)
            with contextlib.suppress(
                RuntimeError, StopIteration
            ):  # the loop is closed; all is done
                closing.send(None)  # what would be awaited after this are farewells
            closing.close()

    async def _admit(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(POOL_WAIT_S):
                await self._free.acquire()
        except TimeoutError:
            raise TransportError("pool") from None

    def _context(self) -> ssl.SSLContext:
        if self._trust is None:
            import httpx  # it knows where certificates are, in every environment

            self._trust = httpx.create_ssl_context()
            self._trust.set_alpn_protocols(["http/1.1"])
        return self._trust

    def _proxy(self, url: URL) -> str | None:
        if url.host is None or proxy_bypass(url.host):
            return None
        return self._proxies.get(url.scheme) or self._proxies.get("all")


class AsyncAiohttpExchange:
    """An open exchange on a session of aiohttp.

    One timer watches over all reads: a read moves the limit, and the timer, when it rings early,
    sets itself again. It breaks the stream and cancels nobody, so no data are lost to a race.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        loop: asyncio.AbstractEventLoop,
        free: asyncio.Semaphore,
    ) -> None:
        self.head = HttpHead(
            response.status,
            tuple((name.lower(), value) for name, value in response.headers.items()),
        )
        self._response = response
        self._content = response.content
        self._loop = loop
        self._free: asyncio.Semaphore | None = free
        self._body = Body(self.head)
        self._timer: asyncio.TimerHandle | None = None
        self._until: float | None = None

    async def read(self, *, timeout_ns: int) -> bytes:
        """Return some body, or ``b""`` at its end.

        Raises:
            TransportError: The rest did not come, or not in time.
        """
        body, content = self._body, self._content
        until: float | None = None
        try:
            while not body.ready():
                if content.at_eof():
                    body.end()
                    self._done()
                elif chunk := content._read_nowait(-1):  # noqa: SLF001 - see below
                    # read_nowait() would drop what had come before the connection broke.
                    body.feed(chunk)
                else:
                    if until is None:
                        until = self._loop.time() + timeout_ns / _SECOND
                    self._watch(until)
                    body.feed(await content.readany())
        except BaseException as error:
            self._hang_up()
            fault = fault_of(error, headed=True)
            if fault is None:
                raise
            raise TransportError(fault) from error
        finally:
            self._until = None
        return body.take()

    async def close(self) -> None:
        """Close the connection, unless the body has been read to its end."""
        self._hang_up()

    def _hang_up(self) -> None:
        if self._free is not None:
            self._done()
            self._response.close()

    def _done(self) -> None:
        free, self._free = self._free, None
        if free is not None:
            free.release()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _watch(self, until: float) -> None:
        self._until = until
        timer = self._timer
        if timer is None or timer.when() > until:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(until, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._until is None:
            return  # nobody waits; the next read sets it again
        if self._until > self._loop.time():
            self._timer = self._loop.call_at(self._until, self._ring)
        else:
            self._content.set_exception(TransportError("idle"))


def environment_proxies() -> dict[str, str]:
    """Return the proxies that the environment names for our schemes, each with its own scheme."""
    found = {name: url for name, url in getproxies().items() if name in {"http", "https", "all"}}
    return {name: url if "://" in url else f"http://{url}" for name, url in found.items() if url}


def _address(text: str) -> URL:
    # As it is: aiohttp would write an address in its own way, and some are part of a signature.
    try:
        if text.isascii() and text.isprintable() and " " not in text and urlsplit(text).port != 0:
            return URL(text, encoded=True)
    except ValueError:
        pass
    raise TransportError("protocol")


__all__ = [
    "CONNECTIONS_MAX",
    "FAULTS",
    "AsyncAiohttpExchange",
    "AsyncAiohttpTransport",
    "environment_proxies",
    "fault_of",
]
