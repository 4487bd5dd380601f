"""One connection of our own HTTP client: one request at a time, its answer taken in as it comes.

Two things are known here that a library would keep to itself: whether the end of a request was
handed to the kernel at all (``unsent``, safe to repeat, or ``reset``, which may have been acted
on), and whether a connection that was idle has been closed behind our back.
"""

from __future__ import annotations

import asyncio
import select
import socket
import time
from typing import Final, Protocol, cast

from hyperroute.canon.wire import HttpHead
from hyperroute.runtime.http1 import ResponseReader
from hyperroute.runtime.ports import TransportError, TransportFault

HELD_BYTES_MAX: Final = 1024 * 1024
"""How much a connection takes in before its reader has caught up."""

_SECOND: Final = 1_000_000_000

Origin = tuple[str, str, int]
"""Scheme, host, port: what a connection can be used for."""


class Owner(Protocol):
    """Whoever keeps connections between requests."""

    def keep(self, line: Line) -> None:
        """Take a connection back for the next exchange."""
        ...

    def gone(self, line: Line) -> None:
        """Take note that a connection has ended."""
        ...


class Line(asyncio.Protocol):
    """One connection: one request at a time, its answer taken in as it comes."""

    def __init__(self, owner: Owner, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self.idle_since = 0
        self.lost = False
        self.counted = False
        self._owner = owner
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._pieces: list[bytes] = []
        self._held = 0
        self._fault: TransportFault | None = None
        self._waiter: asyncio.Future[bool] | None = None
        self._unsent = False
        self._paused = False

    async def ask(self, data: bytes, method: str, until: int) -> HttpHead:
        """Send a request and wait for the head of its answer."""
        assert self._transport is not None
        reader = self._reader = ResponseReader(method)
        self._fault = None
        self._transport.write(data)
        while reader.head is None:
            if self._fault is not None:
                raise TransportError(self._fault)
            if not await self._wait(until):
                raise TransportError("first_byte")
        return reader.head

    async def more(self, until: int) -> None:
        """Wait until there is body, or its end."""
        while not self._pieces and not self.finished:
            if self._fault is not None:
                raise TransportError(self._fault)
            if not await self._wait(until):
                raise TransportError("idle")

    @property
    def finished(self) -> bool:
        """Say whether the answer has come to its end, whatever of it has not been taken."""
        return self._reader is not None and self._reader.done

    def take(self) -> list[bytes]:
        """Hand over the body that has come."""
        pieces, self._pieces, self._held = self._pieces, [], 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return pieces

    def quiet(self) -> bool:
        """Say whether it can carry another request: nothing has come that the loop has not seen.

        A provider that closes an idle connection at the very moment we use it makes a request
        whose fate nobody knows; most of these are avoided by looking first.
        """
        if self.lost or self._transport is None or self._transport.is_closing():
            return False
        plain = self._transport.get_extra_info("socket")
        if plain is None or not hasattr(select, "poll"):
            return True
        poll = select.poll()
        poll.register(plain.fileno(), select.POLLIN)
        return not poll.poll(0)

    def release(self) -> None:
        """Give the connection back after a whole answer."""
        keeps = self._reader is not None and self._reader.keeps
        self._reader = None
        if keeps and not self._unsent:
            self._owner.keep(self)
        else:
            self.hang_up()

    def hang_up(self) -> None:
        """Close at once: what is unfinished is cancelled."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, the handshake done."""
        self._transport = cast("asyncio.Transport", transport)
        # We are told of every byte that was not handed on (at 0 a TLS transport tells of none,
        # always); what is above one byte when the connection breaks was not sent: see _ended.
        self._transport.set_write_buffer_limits(high=1, low=0)
        plain = transport.get_extra_info("socket")
        if plain is not None and plain.family != socket.AF_UNIX:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def pause_writing(self) -> None:
        """Note that some of the request has not been handed on."""
        self._unsent = True

    def resume_writing(self) -> None:
        """Note that all of the request has been handed on."""
        self._unsent = False

    def data_received(self, data: bytes) -> None:
        """Read what has come; what nobody asked for ends the connection."""
        reader = self._reader
        if reader is None or reader.done:
            self.hang_up()  # nobody asked
            return
        try:
            pieces = reader.feed(data)
        except TransportError as error:
            self._fail(error.fault)
            self.hang_up()
            return
        self._pieces += pieces
        self._held += sum(map(len, pieces))
        if self._held > HELD_BYTES_MAX and not self.finished and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake(came=True)

    def eof_received(self) -> bool:
        """Take an end of the other side as the end: nobody answers on half a connection."""
        self._ended(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Say what that breaks, if anything, and leave the pool."""
        self._ended(exc)
        if self.counted:
            self.counted = False
            self._owner.gone(self)

    def _ended(self, exc: Exception | None) -> None:
        self.lost = True
        reader = self._reader
        if reader is None or self._fault:
            return
        fault = reader.eof() if exc is None or reader.done else "reset"
        if self._unsent and fault == "reset":
            # The kernel did not take the end of the request: nobody can have acted on it.
            fault = "reset" if reader.head else "unsent"
        reader.keeps = False
        if fault is not None:
            self._fail(fault)
        self._wake(came=True)

    def _fail(self, fault: TransportFault) -> None:
        self._fault = fault
        self._wake(came=True)

    async def _wait(self, until: int) -> bool:
        left = until - time.monotonic_ns()
        if left <= 0:
            return False
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_later(left / _SECOND, self._wake_with, waiter, False)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self, *, came: bool) -> None:
        if self._waiter is not None:
            self._wake_with(self._waiter, came)

    @staticmethod
    def _wake_with(waiter: asyncio.Future[bool], came: bool) -> None:
        if not waiter.done():
            waiter.set_result(came)
