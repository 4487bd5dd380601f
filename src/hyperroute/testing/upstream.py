"""A scripted provider on a real loopback socket: the same scripts as in a World, in real time.

HTTP/1.1 by hand, on purpose: a server that can be made to reset, to lie about its length or to
answer with rubbish cannot be one that takes care to do nothing of the kind. It runs in a thread of
its own and writes down every request, and when the client hung up, so that a test can compare
what was sent with what the engine says it sent (invariant 14) and time a cancellation.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, cast

from hyperroute.canon.wire import HttpRequest
from hyperroute.testing.script import SECOND, Answer, Book, Script

SOCKET_FAULTS: Final = frozenset({"reset", "first_byte"})
"""Faults that a server can play once it was reached; for ``connect`` there is ``nowhere``."""

REQUEST_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Seen:
    """A request as it arrived.

    Attributes:
        request: ``url`` is the path with its query, header names are in lower case.
        at: Monotonic nanoseconds of its arrival.
        answered: The script was played to its end.
        gone_at: When the client hung up before that; ``None`` if it did not.
    """

    request: HttpRequest
    script: Script
    at: int
    answered: bool = False
    gone_at: int | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def wait_over(self, seconds: float = 5.0) -> bool:
        """Wait until it is answered or given up by the client; say whether that happened."""
        return self.over.wait(seconds)


class Upstream:
    """A provider to test against; a context manager.

    An exception of the script's function, or a path nobody serves, is answered with status 599
    and kept in ``errors``, so that a test fails where it looks.
    """

    def __init__(self, answer: Answer | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        """Answer every path with ``answer``; ``tls`` makes it speak https."""
        self._tls = tls
        self.seen: list[Seen] = []
        self.errors: list[Exception] = []
        self.connections = 0
        self._book = Book()
        if answer is not None:
            self._book.serve("/", answer)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._open: set[_Connection] = set()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)

    @property
    def url(self) -> str:
        """Return the base URL, without a trailing slash."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def serve(self, prefix: str, answer: Answer) -> None:
        """Say what is answered at paths that begin so; the longest prefix decides.

        Raises:
            ValueError: The sequence of scripts is empty.
        """
        self._book.serve(prefix, answer)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def choose(self, request: HttpRequest) -> Script:
        """Return the script of a request."""
        try:
            script = self._book.choose(request)
            if script.fault is not None and script.fault not in SOCKET_FAULTS:
                raise ValueError(f"{script.fault!r} needs a World")  # noqa: TRY301 - kept below
            return script  # noqa: TRY300 - one way in, two out
        except Exception as error:  # noqa: BLE001 - whatever the test's function raised
            self.errors.append(error)
            return Script(status=599, chunks=(repr(error).encode(),))

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await self._loop.create_server(
            lambda: _Connection(self), sock=self._listener, ssl=self._tls
        )
        await self._stopping.wait()
        server.close()
        connections = list(self._open)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(c.playing for c in connections if c.playing), return_exceptions=True)
        await asyncio.sleep(0)

    def entered(self, connection: _Connection) -> None:
        """Count a connection."""
        self.connections += 1
        self._open.add(connection)

    def left(self, connection: _Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)


class _Connection(asyncio.Protocol):
    """One connection: read a request, play its script, read the next."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._buffer = bytearray()
        self._seen: Seen | None = None
        self._transport: asyncio.Transport
        self.playing: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # asyncio does this for sockets that it made itself; without it a second small write waits
        # 40 ms for an acknowledgement that the client delays.
        plain = transport.get_extra_info("socket")
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._upstream.entered(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self.playing is None:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._upstream.left(self)
        if self.playing is not None:
            self.playing.cancel()
        seen = self._seen
        if seen is not None and not seen.answered and seen.gone_at is None:
            seen.gone_at = time.monotonic_ns()
            seen.over.set()

    def abort(self) -> None:
        """Hang up."""
        if self.playing is not None:
            self.playing.cancel()
        self._transport.abort()

    def _next(self) -> None:
        request = self._request()
        if request is None:
            return
        script = self._upstream.choose(request)
        self._seen = Seen(request, script, time.monotonic_ns())
        self._upstream.seen.append(self._seen)
        self.playing = asyncio.get_running_loop().create_task(self._play(script, self._seen))

    def _request(self) -> HttpRequest | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if self._buffer[:1] == b"\x16" or len(self._buffer) > 65536:
                self._transport.close()  # a TLS greeting, or nothing that will ever end
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        length = int(dict(headers).get("content-length", "0"))
        assert length <= REQUEST_BYTES_MAX
        start = end + 4
        if len(self._buffer) < start + length:
            return None
        body = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return HttpRequest(method=method, url=path, headers=headers, body=body)

    async def _play(self, script: Script, seen: Seen) -> None:
        await _wait(script.head_after_ns)
        if script.fault is not None or script.end == "reset":
            await self._reset_after(script, seen)
            return
        if script.raw is not None:
            self._finish(script.raw, seen, hang_up=True)
            return
        self._transport.write(_head(script))
        for index, chunk in enumerate(script.chunks):
            await _wait(script.wait_ns(index))
            self._transport.write(_framed(script, chunk))
        if script.end == "stall":
            await asyncio.Event().wait()
        short = script.length is not None and len(script.body) < script.length
        last = b"0\r\n\r\n" if script.length is None and script.end == "clean" else b""
        if script.status in {204, 304}:
            last = b""
        self._finish(last, seen, hang_up=short or script.end == "cut")

    async def _reset_after(self, script: Script, seen: Seen) -> None:
        if script.fault == "first_byte":
            await asyncio.Event().wait()
        if script.fault is None:
            self._transport.write(_head(script))
            for index, chunk in enumerate(script.chunks):
                await _wait(script.wait_ns(index))
                self._transport.write(_framed(script, chunk))
            # A reset discards what the peer has not read yet; let it read.
            await asyncio.sleep(0.03)
        self._answered(seen)
        with contextlib.suppress(OSError):
            plain = self._transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _finish(self, last: bytes, seen: Seen, *, hang_up: bool) -> None:
        self._answered(seen)
        self._transport.write(last)
        if hang_up:
            self._transport.close()
            return
        self.playing = None
        if self._buffer:
            self._next()

    def _answered(self, seen: Seen) -> None:
        seen.answered = True
        seen.over.set()


def _head(script: Script) -> bytes:
    head = script.head()
    lines: Iterable[str] = (f"{name}: {value}" for name, value in head.headers)
    return "\r\n".join((f"HTTP/1.1 {head.status} Scripted", *lines, "", "")).encode("latin-1")


def _framed(script: Script, chunk: bytes) -> bytes:
    if script.length is not None:
        return chunk
    return b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunk else b""


async def _wait(ns: int) -> None:
    if ns > 0:
        await asyncio.sleep(ns / SECOND)


def nowhere() -> str:
    """Return a base URL at which nobody listens: every connection is refused."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
