"""Fetch what a flow wishes for through the guard, in both colours; the conversation is not ours.

The time comes out of the attempt's. Whatever goes wrong is about the address that our caller named,
never about the provider that waits for the bytes: its health has no part in it.
"""

from __future__ import annotations

from typing import Final

from hyperroute.canon.units import SECOND, Instant
from hyperroute.canon.wire import HttpRequest
from hyperroute.errors import ClientWireError
from hyperroute.providers.flow import Fetch, Fetched
from hyperroute.providers.media import fetching
from hyperroute.runtime.ports import (
    AsyncClock,
    AsyncExchange,
    AsyncTransport,
    Clock,
    Exchange,
    Limits,
    Transport,
    TransportError,
    Unfetchable,
)

FETCH_NS: Final = 20 * SECOND
"""All the time that one address gets, with its redirects."""

SILENCE_NS: Final = 10 * SECOND
CONNECT_NS: Final = 5 * SECOND


def fetch(wish: Fetch, guard: Transport | None, clock: Clock, *, until: Instant) -> Fetched | None:
    """Fetch, blocking; ``None`` where there is no guard, because nothing may be fetched.

    Raises:
        ClientWireError: It cannot be fetched, or is not what it should be.
    """
    if guard is None:
        return None
    flow = fetching(wish)
    exchange: Exchange | None = None
    grant: object = None
    until = min(until, clock.now() + FETCH_NS)
    try:
        while True:
            try:
                ask = flow.send(grant)
            except StopIteration as end:
                got: Fetched = end.value
                return got
            limits = _limits(clock.now(), until)
            if isinstance(ask, HttpRequest):
                if exchange is not None:
                    exchange.close()
                    exchange = None
                exchange = guard.open(ask, limits=limits)
                grant = exchange.head
            else:
                assert exchange is not None
                grant = exchange.read(timeout_ns=limits.idle_ns)
    except (TransportError, Unfetchable) as error:
        raise _told(error, wish) from None
    finally:
        if exchange is not None:
            exchange.close()


async def fetch_awaiting(
    wish: Fetch, guard: AsyncTransport | None, clock: AsyncClock, *, until: Instant
) -> Fetched | None:
    """Fetch, awaiting; as ``fetch``, line by line.

    Raises:
        ClientWireError: It cannot be fetched, or is not what it should be.
    """
    if guard is None:
        return None
    flow = fetching(wish)
    exchange: AsyncExchange | None = None
    grant: object = None
    until = min(until, clock.now() + FETCH_NS)
    try:
        while True:
            try:
                ask = flow.send(grant)
            except StopIteration as end:
                got: Fetched = end.value
                return got
            limits = _limits(clock.now(), until)
            if isinstance(ask, HttpRequest):
                if exchange is not None:
                    await exchange.close()
                    exchange = None
                exchange = await guard.open(ask, limits=limits)
                grant = exchange.head
            else:
                assert exchange is not None
                grant = await exchange.read(timeout_ns=limits.idle_ns)
    except (TransportError, Unfetchable) as error:
        raise _told(error, wish) from None
    finally:
        if exchange is not None:
            await exchange.close()


def _limits(now: Instant, until: Instant) -> Limits:
    left = until - now
    if left <= 0:
        raise TransportError("idle")
    return Limits(
        connect_ns=min(CONNECT_NS, left),
        first_byte_ns=min(SILENCE_NS, left),
        idle_ns=min(SILENCE_NS, left),
        total_until=until,
    )


def _told(error: TransportError | Unfetchable, wish: Fetch) -> ClientWireError:
    """Say it to our caller; of the network no more than that it did not work."""
    why = "it did not answer in full, or not in time"
    if isinstance(error, Unfetchable):
        why = error.why
    return ClientWireError(f"this address is not fetched: {why}", pointer=wish.pointer)


__all__ = ["CONNECT_NS", "FETCH_NS", "SILENCE_NS", "fetch", "fetch_awaiting"]
