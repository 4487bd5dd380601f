"""httpx behind the ports: the HTTP client that is always there.

A caller's own client is accepted, also one of httpx2, its successor with the same interface: its
proxies, certificates and headers are the caller's business. Whatever client it is, redirects are
not followed, nothing is sent twice, and every phase has its limit.

Faults are read from the *name* of an exception, along its ancestors, because httpx and httpx2 have
the same names and different classes; a name that is in no row is a programming error and passes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import MappingProxyType
from typing import Any, Final

import httpx

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.http_body import Body, outgoing_headers
from hyperroute.runtime.ports import Limits, TransportError, TransportFault

CONNECTIONS_MAX: Final = 1000
KEEPALIVE_CONNECTIONS_MAX: Final = 100
KEEPALIVE_S: Final = 30.0
POOL_WAIT_S: Final = 0.25
"""How long to wait for a free connection of ours (reliability.md, row 5)."""

_SECOND: Final = 1_000_000_000

FAULTS: Final[MappingProxyType[str, tuple[TransportFault, TransportFault]]] = MappingProxyType(
    {
        # Name of the exception: fault before the head, fault after it.
        "ConnectTimeout": ("connect_timeout", "connect_timeout"),
        "PoolTimeout": ("pool", "pool"),
        "ReadTimeout": ("first_byte", "idle"),
        "WriteTimeout": ("first_byte", "idle"),
        "TimeoutException": ("first_byte", "idle"),
        "ConnectError": ("connect", "reset"),
        "ProxyError": ("connect", "reset"),
        "ReadError": ("reset", "reset"),
        "WriteError": ("reset", "reset"),
        "CloseError": ("reset", "reset"),
        "NetworkError": ("reset", "reset"),
        "UnsupportedProtocol": ("protocol", "protocol"),
        "LocalProtocolError": ("protocol", "protocol"),
        "RemoteProtocolError": ("protocol", "cut"),
        "ProtocolError": ("protocol", "protocol"),
        "InvalidURL": ("protocol", "protocol"),
        "DecodingError": ("encoding", "encoding"),
        "TransportError": ("reset", "reset"),
    }
)
"""Every ``TransportError`` of httpx has a row (a test goes through its subclasses)."""


def fault_of(error: BaseException, *, headed: bool) -> TransportFault | None:
    """Read a fault from an exception of the client; ``None`` for what is not its fault.

    ``ConnectError`` hides whether the name, the port or the certificate was wrong: the chain of
    causes tells. ``RemoteProtocolError`` before the head is a hang-up if it says so, and after the
    head a body that is shorter than promised unless it was framed wrongly.
    """
    names = [kind.__name__ for kind in type(error).__mro__]
    name = next((name for name in names if name in FAULTS), None)
    if name is None:
        return None
    if name == "ConnectError" and not headed:
        return _connecting(error)
    if name == "RemoteProtocolError":
        return _protocol(str(error), headed=headed)
    return FAULTS[name][headed]


def _connecting(error: BaseException) -> TransportFault:
    cause: BaseException | None = error
    for _ in range(8):
        if cause is None:
            break
        if isinstance(cause, socket.gaierror):
            return "dns"
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return "connect"


def _protocol(text: str, *, headed: bool) -> TransportFault:
    # Source: h11 0.16 and httpcore 1.0 messages, h2 4 event names; read 2026-11-22.
    if "REFUSED_STREAM" in text:
        return "goaway"
    if "ConnectionTerminated" in text or "StreamReset" in text:
        return "reset"
    if not headed:
        return "reset" if "disconnected" in text else "protocol"
    return "cut" if "closed connection" in text else "protocol"


def _raise(error: Exception, *, headed: bool) -> None:
    """Raise our fault for theirs; return if it is none, for the caller to let it pass."""
    if isinstance(error, TransportError):
        raise error
    if isinstance(error, RuntimeError) and "has been closed" in str(error):
        raise TransportError("unsent") from error
    fault = fault_of(error, headed=headed)
    if fault is not None:
        raise TransportError(fault) from error


def no_cookies() -> CookieJar:
    """Refuse cookies: one customer's answer must not colour another's request."""
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))


def _pool() -> httpx.Limits:
    return httpx.Limits(
        max_connections=CONNECTIONS_MAX,
        max_keepalive_connections=KEEPALIVE_CONNECTIONS_MAX,
        keepalive_expiry=KEEPALIVE_S,
    )


def _built(client: Any, request: HttpRequest, limits: Limits, first_byte_s: float) -> Any:
    timeout = {
        "connect": limits.connect_ns / _SECOND,
        "pool": POOL_WAIT_S,
        "write": first_byte_s,
        "read": first_byte_s,
    }
    return client.build_request(
        request.method,
        request.url,
        headers=outgoing_headers(request),
        content=request.body,
        extensions={"timeout": timeout},
    )


def _head(response: Any) -> HttpHead:
    pairs = response.headers.raw
    return HttpHead(
        response.status_code,
        tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in pairs),
    )


class HttpxTransport:
    """Open exchanges on an ``httpx.Client``.

    httpx gives a sync caller one limit for each wait on the socket, none for a phase. A head that
    trickles in is therefore noticed late, at its end; ``AsyncHttpxTransport`` notices at once.
    """

    def __init__(self, client: Any = None) -> None:
        """Use a client of the caller's, which stays the caller's to close, or make one."""
        self._client = client or httpx.Client(limits=_pool(), cookies=no_cookies())
        self._owned = client is None

    def open(self, request: HttpRequest, *, limits: Limits) -> HttpxExchange:
        """Send and wait for the head.

        Raises:
            TransportError: The head did not come, or not in time.
        """
        began = time.monotonic_ns()
        patience = min(limits.first_byte_ns, limits.total_until - began)
        if patience <= 0:
            raise TransportError("first_byte")
        try:
            built = _built(self._client, request, limits, patience / _SECOND)
            response = self._client.send(built, stream=True, follow_redirects=False)
        except Exception as error:
            _raise(error, headed=False)
            raise
        if time.monotonic_ns() - began > patience:
            response.close()
            raise TransportError("first_byte")
        # httpcore reads the limit anew when the body begins, so this one is for the body.
        built.extensions["timeout"]["read"] = limits.idle_ns / _SECOND
        return HttpxExchange(response, limits)

    def close(self) -> None:
        """Close the client, if it is ours."""
        if self._owned:
            self._client.close()


class HttpxExchange:
    """An open exchange on an ``httpx.Client``."""

    def __init__(self, response: Any, limits: Limits) -> None:
        self.head = _head(response)
        self._response = response
        self._idle_ns = limits.idle_ns
        self._chunks: Iterator[bytes] = response.iter_raw()
        self._body = Body(self.head)

    def read(self, *, timeout_ns: int) -> bytes:
        """Return some body, or ``b""`` at its end.

        Raises:
            TransportError: The rest did not come, or not in time.
        """
        body = self._body
        if body.ready():
            return body.take()
        until = time.monotonic_ns() + timeout_ns
        guard = None if timeout_ns >= self._idle_ns else _Guard(self._response, timeout_ns)
        try:
            while not body.ready():
                chunk = _within(until, self._chunks)
                if chunk:
                    body.feed(chunk)
                else:
                    body.end()
        except Exception as error:
            if guard is not None and guard.struck:
                raise TransportError("idle") from None
            _raise(error, headed=True)
            raise
        finally:
            if guard is not None:
                guard.stop()
        return body.take()

    def close(self) -> None:
        """Close the connection, unless the body has been read to its end."""
        self._response.close()


def _within(until: int, chunks: Iterator[bytes]) -> bytes:
    if time.monotonic_ns() >= until:
        raise TransportError("idle")
    return next(chunks, b"")


class _Guard:
    """Shut a socket down when time is up: the only way to shorten a wait that has its limit.

    Needed for the last reads before the deadline of a call only, where less time is left than the
    idle limit that the connection was opened with.
    """

    def __init__(self, response: Any, ns: int) -> None:
        self.struck = False
        stream = response.extensions.get("network_stream")
        self._socket = stream and stream.get_extra_info("socket")
        self._timer = threading.Timer(ns / _SECOND, self._strike)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Call it off."""
        self._timer.cancel()

    def _strike(self) -> None:
        self.struck = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it may have gone away by itself
                # Not SSLSocket.shutdown, which would pull the TLS state from under the reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class AsyncHttpxTransport:
    """Open exchanges on an ``httpx.AsyncClient``."""

    def __init__(self, client: Any = None) -> None:
        """Use a client of the caller's, which stays the caller's to close, or make one."""
        self._client = client or httpx.AsyncClient(limits=_pool(), cookies=no_cookies())
        self._owned = client is None

    async def open(self, request: HttpRequest, *, limits: Limits) -> AsyncHttpxExchange:
        """Send and wait for the head.

        Raises:
            TransportError: The head did not come, or not in time.
        """
        patience = min(limits.first_byte_ns, limits.total_until - time.monotonic_ns())
        if patience <= 0:
            raise TransportError("first_byte")
        try:
            built = _built(self._client, request, limits, patience / _SECOND)
            async with asyncio.timeout(patience / _SECOND):
                response = await self._client.send(built, stream=True, follow_redirects=False)
        except TimeoutError:
            raise TransportError("first_byte") from None
        except Exception as error:
            _raise(error, headed=False)
            raise
        # Each read has its own limit below; httpx's would only cost time.
        built.extensions["timeout"]["read"] = None
        return AsyncHttpxExchange(response)

    async def close(self) -> None:
        """Close the client, if it is ours."""
        if self._owned:
            await self._client.aclose()


class AsyncHttpxExchange:
    """An open exchange on an ``httpx.AsyncClient``."""

    def __init__(self, response: Any) -> None:
        self.head = _head(response)
        self._response = response
        self._chunks: AsyncIterator[bytes] = response.aiter_raw()
        self._body = Body(self.head)

    async def read(self, *, timeout_ns: int) -> bytes:
        """Return some body, or ``b""`` at its end.

        Raises:
            TransportError: The rest did not come, or not in time.
        """
        body = self._body
        if body.ready():
            return body.take()
        try:
            async with asyncio.timeout(timeout_ns / _SECOND):
                while not body.ready():
                    chunk = await anext(self._chunks, b"")
                    if chunk:
                        body.feed(chunk)
                    else:
                        body.end()
        except TimeoutError:
            raise TransportError("idle") from None
        except Exception as error:
            _raise(error, headed=True)
            raise
        return body.take()

    async def close(self) -> None:
        """Close the connection, unless the body has been read to its end."""
        await self._response.aclose()


__all__ = [
    "CONNECTIONS_MAX",
    "FAULTS",
    "AsyncHttpxExchange",
    "AsyncHttpxTransport",
    "HttpxExchange",
    "HttpxTransport",
    "fault_of",
    "no_cookies",
]
