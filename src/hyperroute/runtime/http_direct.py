"""Our own HTTP/1.1 client over asyncio: as small as what we ask of one.

It exists because of two demands that no library meets together. A call may cost a fraction of what
httpx takes, and a cancelled call must reach the provider within a second, also while it is waiting
for the head, which is when a long answer is waited for; pyreqwest leaves such a request running.
It also knows for certain whether a request can have been delivered, which decides whether a video
job may be sent again (reliability.md, 2.4).

No proxies, no HTTP/2: where the environment names a proxy, httpx is used instead.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import deque
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.http1 import request_bytes
from hyperroute.runtime.http_body import Body
from hyperroute.runtime.http_line import Line, Origin
from hyperroute.runtime.ports import Limits, TransportError, TransportFault

CONNECTIONS_MAX: Final = 1000
KEEPALIVE_NS: Final = 30 * 1_000_000_000
POOL_WAIT_S: Final = 0.25
"""How long to wait for a free connection of ours (reliability.md, row 5)."""

_SECOND: Final = 1_000_000_000
_PORTS: Final = (("http", 80), ("https", 443))


class AsyncDirectTransport:
    """Open exchanges on connections of our own, which are kept for the next."""

    def __init__(self, *, trust: ssl.SSLContext | None = None) -> None:
        """Trust the certificates that httpx trusts, or those of ``trust``."""
        self._trust = trust
        self._idle: dict[Origin, deque[Line]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._closed = False

    async def open(self, request: HttpRequest, *, limits: Limits) -> AsyncDirectExchange:
        """Send and wait for the head.

        Raises:
            TransportError: The head did not come, or not in time.
        """
        until = min(time.monotonic_ns() + limits.first_byte_ns, limits.total_until)
        if until <= time.monotonic_ns():
            raise TransportError("first_byte")
        if self._closed:
            raise TransportError("unsent")
        url = _address(request.url)
        data = request_bytes(request, url)
        line = await self._line(url, min(limits.connect_ns, until - time.monotonic_ns()))
        try:
            head = await line.ask(data, request.method, until)
        except BaseException:
            line.hang_up()
            raise
        return AsyncDirectExchange(line, head)

    async def close(self) -> None:
        """Close every connection that is not in use; those in use end with their exchange."""
        self._closed = True
        for lines in self._idle.values():
            for line in lines:
                line.hang_up()
        self._idle.clear()
        await asyncio.sleep(0)

    def keep(self, line: Line) -> None:
        """Take a connection back for the next exchange."""
        if self._closed or line.lost:
            line.hang_up()
            return
        line.idle_since = time.monotonic_ns()
        self._idle.setdefault(line.origin, deque()).append(line)
        self._let_in()

    def gone(self, line: Line) -> None:
        """Take note that a connection has ended."""
        self._open -= 1
        lines = self._idle.get(line.origin)
        if lines is not None and line in lines:
            lines.remove(line)
            if not lines:
                del self._idle[line.origin]
        self._let_in()

    async def _line(self, url: SplitResult, connect_ns: int) -> Line:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # Connections of a loop that is no more cannot be used, nor be closed in its name.
            self._idle, self._open, self._loop = {}, 0, loop
        port = url.port or dict(_PORTS)[url.scheme]
        origin = (url.scheme, url.hostname or "", port)
        if (line := self._kept(origin)) is not None:
            return line
        if self._open >= CONNECTIONS_MAX:
            self._evict()
        if self._open >= CONNECTIONS_MAX:
            await self._wait_turn(loop)
            if (line := self._kept(origin)) is not None:
                return line
            if self._open >= CONNECTIONS_MAX:
                self._evict()
        self._open += 1
        try:
            async with asyncio.timeout(connect_ns / _SECOND):
                line = await self._connect(loop, origin)
        except BaseException as error:
            self._open -= 1
            self._let_in()
            fault = _connecting(error)
            if fault is None:
                raise
            raise TransportError(fault) from error
        line.counted = True
        return line

    async def _connect(self, loop: asyncio.AbstractEventLoop, origin: Origin) -> Line:
        scheme, host, port = origin
        secure = self._context() if scheme == "https" else None
        # RFC 8305; uvloop tries one address after another and does not know the word.
        eager: dict[str, Any] = {}
        if isinstance(loop, asyncio.BaseEventLoop):
            eager["happy_eyeballs_delay"] = 0.25
        line = Line(self, origin, loop)
        await loop.create_connection(lambda: line, host, port, ssl=secure, **eager)
        return line

    def _context(self) -> ssl.SSLContext:
        if self._trust is None:
            import httpx  # it knows where certificates are, in every environment

            self._trust = httpx.create_ssl_context()
            self._trust.set_alpn_protocols(["http/1.1"])
        return self._trust

    def _kept(self, origin: Origin) -> Line | None:
        lines = self._idle.get(origin)
        fresh_since = time.monotonic_ns() - KEEPALIVE_NS
        while lines:
            line = lines.pop()
            if not lines:
                del self._idle[origin]
            if line.idle_since >= fresh_since and line.quiet():
                return line
            line.hang_up()
        return None

    def _evict(self) -> None:
        for lines in self._idle.values():
            lines.popleft().hang_up()
            return

    async def _wait_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = loop.create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(POOL_WAIT_S):
                await turn
        except TimeoutError:
            raise TransportError("pool") from None

    def _let_in(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return


class AsyncDirectExchange:
    """An open exchange on a connection of our own."""

    def __init__(self, line: Line, head: HttpHead) -> None:
        self.head = head
        self._line: Line | None = line
        self._body = Body(head)

    async def read(self, *, timeout_ns: int) -> bytes:
        """Return some body, or ``b""`` at its end.

        Raises:
            TransportError: The rest did not come, or not in time.
        """
        body = self._body
        if not body.ready():
            line = self._line
            if line is None:
                raise TransportError("cut")  # after close()
            until = time.monotonic_ns() + timeout_ns
            while not body.ready():
                await line.more(until)
                for piece in line.take():
                    body.feed(piece)
                if line.finished:
                    body.end()
                    self._line = None
                    line.release()
        return body.take()

    async def close(self) -> None:
        """Close the connection, unless the body has been read to its end."""
        line, self._line = self._line, None
        if line is not None:
            line.hang_up()


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise TransportError("protocol")


def _connecting(error: BaseException) -> TransportFault | None:
    if isinstance(error, socket.gaierror):
        return "dns"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, UnicodeError):
        return "dns"  # a host name that cannot be one
    if isinstance(error, TimeoutError):
        return "connect_timeout"
    if isinstance(error, ConnectionResetError | ConnectionAbortedError):
        return "tls"  # the port had answered: what broke off is the handshake
    return "connect" if isinstance(error, OSError) else None
