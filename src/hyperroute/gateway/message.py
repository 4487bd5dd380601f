"""What goes back: a status, headers, and a body that is whole or still to come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from hyperroute.canon.loss import Loss
from hyperroute.canon.mutation import Mutation
from hyperroute.canon.quick import quick
from hyperroute.canon.wire import Headers
from hyperroute.dialects.base import ClientError
from hyperroute.errors import RequestError
from hyperroute.gateway.kept import Remember
from hyperroute.routing.plan import Plan
from hyperroute.routing.record import Record


@quick(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """One response. Header names are lower case.

    Attributes:
        body: The whole of it, ``b""`` where there is none.
        pieces: The body as it comes, instead of ``body``; ``None`` where it is whole.
    """

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    pieces: AsyncIterator[bytes] | Iterator[bytes] | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by its lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


@quick(frozen=True, slots=True, kw_only=True)
class Paged:
    """A response that is written while its store is read.

    Attributes:
        pages: Yields pieces of the body, and what it wishes to read, which it is sent.
    """

    status: int
    headers: Headers
    pages: Generator[Any, Any, None]


class AnyFrames(Protocol):
    """What the handler needs to know of a stream that a driver opened."""

    @property
    def served(self) -> str | None:
        """The offer that delivers, as the caller may know it."""
        ...

    @property
    def attempts(self) -> int:
        """How many calls were made so far."""
        ...

    @property
    def plan(self) -> Plan:
        """What was decided."""
        ...

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be said so far."""
        ...

    @property
    def home(self) -> tuple[str, bool] | None:
        """Whose account answers, and whether in the caller's own dialect."""
        ...


F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Opening(Generic[F]):
    """A stream whose head may be sent: its first frames came, or it has been silent for so long.

    Attributes:
        frames: The rest.
        first: ``None``: nothing has come yet, and the head goes out so that a keep-alive can.
    """

    frames: F
    first: bytes | None


class Reframing(Protocol):
    """How frames of a stream are put on the wire, where that is not as they come. For one stream."""

    @property
    def opening(self) -> bytes:
        """What goes before everything."""
        ...

    @property
    def pulse(self) -> bytes:
        """What keeps the line alive."""
        ...

    @property
    def closing(self) -> bytes:
        """What goes behind everything."""
        ...

    def each(self, frames: bytes) -> bytes:
        """Write whole frames."""
        ...


def _nothing(_record: Record) -> Sequence[Mutation]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flowing(Generic[F]):
    """A streamed response that a driver has yet to pour.

    Attributes:
        told: Turns what ended the run into what the caller is told of it.
        reframing: ``None``: frames go out as they come.
        noting: What is to be remembered before these frames are written; ``None``: never anything.
        settle: What the store is to be told once the record is there.
        keep: The same of a copy of the answer, by itself; ``None``: there is none.
    """

    status: int
    headers: Headers
    opening: Opening[F]
    told: Callable[[RequestError], ClientError]
    reframing: Reframing | None = None
    noting: Callable[[bytes], Remember | None] | None = None
    settle: Callable[[Record], Sequence[Mutation]] = _nothing
    keep: Callable[[Record | None], Sequence[Mutation]] | None = None
