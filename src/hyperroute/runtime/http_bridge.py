"""An async transport behind the sync ports: a thread of its own waits, the callers wait for it.

One implementation of timeouts and faults serves both colours, and Ctrl-C in a waiting caller
cancels the exchange, which few sync clients can do. A whole answer comes with its head, so that a
call costs one change of threads.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hyperroute.canon.wire import HttpRequest
from hyperroute.runtime.http_body import WHOLE_BYTES_MAX, streams
from hyperroute.runtime.ports import AsyncExchange, AsyncTransport, Limits, TransportError

_T = TypeVar("_T")


class BridgedTransport:
    """Open exchanges of an async transport from sync callers, from any number of threads."""

    def __init__(self, make: Callable[[], AsyncTransport]) -> None:
        """Start the thread; the transport is made at once and used on its loop only."""
        self._inner = make()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=_spin, args=(self._loop,), name="hyperroute-http", daemon=True
        )
        self._thread.start()
        self._stop = weakref.finalize(self, _halt, self._loop)

    def open(self, request: HttpRequest, *, limits: Limits) -> BridgedExchange:
        """Send and wait for the head.

        Raises:
            TransportError: The head did not come, or not in time.
        """
        inner, early = self.wait(_open(self._inner, request, limits))
        return BridgedExchange(self, inner, early)

    def close(self) -> None:
        """Close every connection and end the thread; a second time does nothing."""
        if self._stop.alive:
            self.wait(self._inner.close())
            self._stop()
            self._thread.join()

    def wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the loop; whatever interrupts the caller cancels it.

        Raises:
            TransportError: ``unsent``, after ``close``.
        """
        if not self._stop.alive:
            work.close()
            raise TransportError("unsent")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


class BridgedExchange:
    """An open exchange, driven from another thread."""

    def __init__(
        self,
        transport: BridgedTransport,
        inner: AsyncExchange,
        early: list[bytes | TransportError],
    ) -> None:
        self.head = inner.head
        self._transport = transport
        self._inner = inner
        self._early = early
        self._over = False

    def read(self, *, timeout_ns: int) -> bytes:
        """Return some body, or ``b""`` at its end.

        Raises:
            TransportError: The rest did not come, or not in time.
        """
        if self._over:
            return b""
        if self._early:
            data = self._early.pop(0)
            if isinstance(data, TransportError):
                raise data
        else:
            data = self._transport.wait(self._inner.read(timeout_ns=timeout_ns))
        self._over = not data
        return data

    def close(self) -> None:
        """Close the connection, unless the body has been read to its end."""
        if not self._over:
            self._over = True
            self._transport.wait(self._inner.close())


async def _open(
    transport: AsyncTransport, request: HttpRequest, limits: Limits
) -> tuple[AsyncExchange, list[bytes | TransportError]]:
    exchange = await transport.open(request, limits=limits)
    early: list[bytes | TransportError] = []
    if streams(exchange.head):
        return exchange, early
    size = 0
    try:
        while size < WHOLE_BYTES_MAX:
            data = await exchange.read(timeout_ns=limits.idle_ns)
            early.append(data)
            size += len(data)
            if not data:
                break
    except TransportError as error:
        early.append(error)
    except BaseException:
        await exchange.close()
        raise
    return exchange, early


def _spin(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _halt(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon_threadsafe(loop.stop)
