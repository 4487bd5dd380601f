"""pyreqwest behind the ports: the fast HTTP client, used where it is installed.

Its network runs in Rust; what Python pays is two awaits a call. The limits are therefore kept in
Rust as well wherever it can: a client has one limit for connecting and one for silence, a request
one for the whole, so there is a client for each pair of limits, rounded up to a rung of ``RUNGS_S``,
and a Python timer only where a limit is finer than that. Redirects, cookies, decompression and referers are
switched off.

Two things it cannot do. Its sync client cannot be interrupted, neither by Ctrl-C nor by a deadline
of ours, so sync callers get the async one through ``http_bridge``. And a request that is cancelled
before its head has come goes on in the background until the head or a limit does: whoever needs a
cancellation to reach the provider at once, and that is the default, uses another transport.

Source: pyreqwest 0.15.1, measured 2026-11-22.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.http_body import WHOLE_BYTES_MAX, Body, outgoing_headers, streams
from hyperroute.runtime.ports import Limits, TransportError, TransportFault

CONNECTIONS_MAX: Final = 1000
KEEPALIVE_CONNECTIONS_MAX: Final = 100
KEEPALIVE_S: Final = 30
POOL_WAIT_MS: Final = 250
"""How long to wait for a free connection of ours (reliability.md, row 5)."""

CLIENTS_MAX: Final = 16
"""Pairs of limits that have a client; the eldest goes when a new one comes."""

RUNGS_S: Final = (1, 2, 5, 10, 30, 60, 120, 180, 300, 600, 3600)
"""Limits that clients are made for. A deadline that comes near makes every limit a little shorter
than the last: a client for each would be a connection for each."""

_SECOND: Final = 1_000_000_000

FAULTS: Final[MappingProxyType[str, tuple[TransportFault, TransportFault]]] = MappingProxyType(
    {
        # Name of the exception: fault before the head, fault after it.
        "PoolTimeoutError": ("pool", "pool"),
        "ConnectTimeoutError": ("first_byte", "idle"),
        "ReadTimeoutError": ("first_byte", "idle"),
        "WriteTimeoutError": ("first_byte", "idle"),
        "RequestTimeoutError": ("first_byte", "idle"),
        "ConnectError": ("reset", "reset"),
        "ReadError": ("reset", "reset"),
        "WriteError": ("reset", "reset"),
        "NetworkError": ("reset", "reset"),
        "TransportError": ("reset", "reset"),
        "BodyDecodeError": ("protocol", "cut"),
        "DecodeError": ("protocol", "cut"),
        "RedirectError": ("protocol", "protocol"),
        "BuilderError": ("protocol", "protocol"),
        "ClientClosedError": ("unsent", "reset"),
        "RequestPanicError": ("reset", "reset"),
        "RequestError": ("reset", "reset"),
    }
)
"""What an exception means if its causes say nothing better (a test goes through all of them)."""

_CAUSES: Final[tuple[tuple[str, TransportFault], ...]] = (
    # Read in this order. Source: reqwest 0.13, hyper 1, h2 0.4 error texts; read 2026-11-22.
    ("dns error", "dns"),
    ("refused stream", "goaway"),
    ("operation was canceled", "unsent"),
    ("invalid HTTP version", "protocol"),
    ("end of file before message length reached", "cut"),
    ("unexpected EOF during chunk", "cut"),
    ("connection closed before message completed", "reset"),
    ("Connection reset", "reset"),
    ("Broken pipe", "reset"),
    ("invalid chunk", "protocol"),
    ("Invalid chunk", "protocol"),
)


def fault_of(error: PyreqwestError, *, headed: bool) -> TransportFault:
    """Read a fault from an exception and its causes.

    The class alone misleads: a hang-up after the request was sent is a ``ConnectError`` there, and
    to resend it may cost somebody a second video. What came to pass while connecting is marked
    ``client error (Connect)`` in the causes; only that is known to have sent nothing.
    """
    details = getattr(error, "details", None) or {}
    causes = [str(cause.get("message", "")) for cause in details.get("causes") or ()]
    name = next(k.__name__ for k in type(error).__mro__ if k.__name__ in FAULTS)
    for text, fault in _CAUSES:
        if any(text in cause for cause in causes):
            return fault
    if not headed and any("(Connect)" in cause for cause in causes):
        return _connecting(causes)
    return FAULTS[name][headed]


def _connecting(causes: list[str]) -> TransportFault:
    if any("timed out" in cause for cause in causes):
        return "connect_timeout"
    if any("tcp connect error" in cause or "tunnel" in cause for cause in causes):
        return "connect"
    return "tls"  # the name was found and the port answered: what is left is the handshake


def _build(connect_ns: int, silence_ns: int) -> Client:
    return (
        ClientBuilder()
        .follow_redirects(enable=False)
        .referer(enable=False)
        .gzip(enable=False)
        .brotli(enable=False)
        .zstd(enable=False)
        .deflate(enable=False)
        .http1_lower_case_headers()
        .connect_timeout(timedelta(microseconds=connect_ns / 1000))
        .read_timeout(timedelta(microseconds=silence_ns / 1000))
        .max_connections(CONNECTIONS_MAX)
        .pool_timeout(timedelta(milliseconds=POOL_WAIT_MS))
        .pool_max_idle_per_host(KEEPALIVE_CONNECTIONS_MAX)
        .pool_idle_timeout(timedelta(seconds=KEEPALIVE_S))
        .build()
    )


class AsyncPyreqwestTransport:
    """Open exchanges on pyreqwest clients."""

    def __init__(self) -> None:
        self._clients: dict[tuple[int, int], Client] = {}
        self._closed = False

    async def open(self, request: HttpRequest, *, limits: Limits) -> AsyncPyreqwestExchange:
        """Send and wait for the head.

        Raises:
            TransportError: The head did not come, or not in time.
        """
        left = limits.total_until - time.monotonic_ns()
        if left <= 0:
            raise TransportError("first_byte")
        silence = _rung(max(limits.first_byte_ns, limits.idle_ns))
        try:
            sending = (
                self._client(_rung(limits.connect_ns), silence)
                .request(request.method, request.url)
                .headers(outgoing_headers(request))
                .body_bytes(request.body)
                .timeout(timedelta(microseconds=left / 1000))
                .streamed_read_buffer_limit(0)
                .build_streamed()
            )
        except (PyreqwestError, ValueError) as error:
            raise TransportError("protocol") from error
        try:
            if limits.first_byte_ns < min(silence, left):  # else Rust keeps a limit as short
                async with asyncio.timeout(limits.first_byte_ns / _SECOND):
                    response = await sending.__aenter__()
            else:
                response = await sending.__aenter__()
        except PyreqwestError as error:
            raise TransportError(fault_of(error, headed=False)) from error
        except TimeoutError:
            raise TransportError("first_byte") from None
        return AsyncPyreqwestExchange(sending, response, silence, limits.total_until)

    async def close(self) -> None:
        """Close every client."""
        self._closed = True
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()

    def _client(self, connect_ns: int, silence_ns: int) -> Client:
        key = (connect_ns, silence_ns)
        client = self._clients.get(key)
        if client is None:
            if self._closed:
                raise TransportError("unsent")
            if len(self._clients) >= CLIENTS_MAX:
                # Let go, not closed: exchanges that are open keep it alive until they end.
                del self._clients[next(iter(self._clients))]
            client = self._clients[key] = _build(connect_ns, silence_ns)
        return client


class AsyncPyreqwestExchange:
    """An open exchange on a pyreqwest client."""

    def __init__(
        self, sending: StreamRequest, response: Response, silence_ns: int, total_until: int
    ) -> None:
        self.head = HttpHead(response.status, tuple(response.headers.items()))
        self._sending = sending
        self._reader = response.body_reader
        self._silence_ns = silence_ns
        self._total_until = total_until
        self._body = Body(self.head)
        self._at_once = _fits(self.head)
        self._closed = False

    async def read(self, *, timeout_ns: int) -> bytes:
        """Return some body, or ``b""`` at its end.

        Raises:
            TransportError: The rest did not come, or not in time.
        """
        body = self._body
        if body.ready():
            return body.take()
        try:
            if timeout_ns < self._silence_ns and (
                timeout_ns < self._total_until - time.monotonic_ns()
            ):
                async with asyncio.timeout(timeout_ns / _SECOND):
                    await self._fill(body)
            else:
                await self._fill(body)  # Rust keeps a limit that is as short
        except PyreqwestError as error:
            raise TransportError(fault_of(error, headed=True)) from error
        except TimeoutError:
            raise TransportError("idle") from None
        return body.take()

    async def close(self) -> None:
        """Close the connection, unless the body has been read to its end."""
        if not self._body.ended and not self._closed:
            self._closed = True
            await self._sending.__aexit__(None, None, None)

    async def _fill(self, body: Body) -> None:
        reader = self._reader
        if self._at_once:
            body.feed((await reader.bytes()).to_bytes())
            body.end()
            return
        while not body.ready():
            chunk = await reader.read_chunk()
            if chunk is None:
                body.end()
            elif chunk:
                body.feed(chunk.to_bytes())


def _rung(ns: int) -> int:
    rungs = (rung * _SECOND for rung in RUNGS_S)
    return next((rung for rung in rungs if rung >= ns), RUNGS_S[-1] * _SECOND)


def _fits(head: HttpHead) -> bool:
    """Say whether a body is whole and small enough to be read in one await."""
    if streams(head):
        return False
    length = head.header("content-length") or ""
    return length.isascii() and length.isdigit() and int(length) <= WHOLE_BYTES_MAX
