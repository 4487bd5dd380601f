"""What the drivers need from the world."""

from __future__ import annotations

from typing import Literal, Protocol

from hyperroute.canon.quick import quick
from hyperroute.canon.wire import HttpHead, HttpRequest

TransportFault = Literal[
    "dns",  # the name did not resolve
    "connect",  # refused
    "connect_timeout",
    "tls",
    "pool",  # no free connection on our side
    "unsent",  # broke before any request byte went out
    "goaway",  # HTTP/2 refused the stream
    "reset",  # broke after the request may have been delivered
    "first_byte",  # no status in time
    "idle",  # no data in time
    "cut",  # the body was shorter than promised
    "encoding",  # bad gzip, bomb
    "protocol",  # not HTTP
]


class TransportError(Exception):
    """The bytes did not get through. ``fault`` is a row of the catalogue, 1 to 9 and 52 to 60."""

    def __init__(self, fault: TransportFault) -> None:
        """Keep the fault only: the client's own text may hold addresses."""
        super().__init__(fault)
        self.fault: TransportFault = fault


class Unfetchable(Exception):
    """A URL of our caller's may not be fetched; the reason says nothing of our side."""

    def __init__(self, why: str) -> None:
        """Say why, in words for whoever wrote the URL."""
        super().__init__(why)
        self.why = why


@quick(frozen=True, slots=True)
class Limits:
    """Phase limits of one exchange, in nanoseconds; ``total_until`` is an instant."""

    connect_ns: int
    first_byte_ns: int
    idle_ns: int
    total_until: int


class Clock(Protocol):
    """Monotonic nanoseconds."""

    def now(self) -> int:
        """Return the current instant."""
        ...

    def unix_ns(self) -> int:
        """Return Unix time in nanoseconds."""
        ...

    def sleep(self, ns: int) -> None:
        """Block."""
        ...


class AsyncClock(Protocol):
    """Monotonic nanoseconds, awaited."""

    def now(self) -> int:
        """Return the current instant."""
        ...

    def unix_ns(self) -> int:
        """Return Unix time in nanoseconds."""
        ...

    async def sleep(self, ns: int) -> None:
        """Suspend."""
        ...


class Exchange(Protocol):
    """An open HTTP exchange."""

    @property
    def head(self) -> HttpHead:
        """Status and headers."""
        ...

    def read(self, *, timeout_ns: int) -> bytes:
        """Return some body, or ``b""`` at its end. Raises ``TransportError``."""
        ...

    def close(self) -> None:
        """Let go of the connection; an unfinished body cancels the upstream request."""
        ...


class Transport(Protocol):
    """Opens exchanges."""

    def open(self, request: HttpRequest, *, limits: Limits) -> Exchange:
        """Send and wait for the head. Raises ``TransportError``."""
        ...

    def close(self) -> None:
        """Let go of every pooled connection that it owns."""
        ...


class AsyncExchange(Protocol):
    """An open HTTP exchange, awaited."""

    @property
    def head(self) -> HttpHead:
        """Status and headers."""
        ...

    async def read(self, *, timeout_ns: int) -> bytes:
        """Return some body, or ``b""`` at its end. Raises ``TransportError``."""
        ...

    async def close(self) -> None:
        """Let go of the connection; an unfinished body cancels the upstream request."""
        ...


class AsyncTransport(Protocol):
    """Opens exchanges, awaited."""

    async def open(self, request: HttpRequest, *, limits: Limits) -> AsyncExchange:
        """Send and wait for the head. Raises ``TransportError``."""
        ...

    async def close(self) -> None:
        """Let go of every pooled connection that it owns."""
        ...
