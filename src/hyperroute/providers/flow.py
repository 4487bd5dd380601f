"""A provider conversation without I/O.

A flow yields what it wants and is sent what it got::

    yield HttpRequest    -> HttpHead      send this; give me status and headers
    yield READ           -> bytes         give me more body; b"" at its end
    yield Lane(tap)      -> bytes         the same, but what the tap takes straight is not for me
    yield Pause(ns)      -> None          come back later (polling providers)
    yield Run(function)  -> its result    call this blocking function (SDKs, in-process models)
    yield Fetch(url, …)  -> Fetched       bring this stranger's media; None where that is not allowed
    yield StreamEvent    -> None          hand this to our caller; a ``Passage`` where ``call.passes``
    yield (StreamEvent…) -> None          hand all of these up, where no stream was asked for

The same generator runs under the sync driver, the async driver and the simulator.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Final, Literal

from hyperroute.canon.events import Delivery
from hyperroute.canon.failure import Failure
from hyperroute.canon.loss import Loss
from hyperroute.canon.media import Kind
from hyperroute.canon.quick import quick
from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers, HttpHead, HttpRequest
from hyperroute.dialects.base import NO_PROFILE, Dialect, Profile, Tapping
from hyperroute.dialects.unsaid import Speech

SPEC = 2
"""Version of the plugin contract; a new part, event or wish raises it."""

BODY_BYTES_MAX = 64 * 1024 * 1024
"""The largest whole body a flow gathers; beyond it the attempt fails (reliability.md, row 53)."""


class Read(Enum):
    """The one-member type of ``READ``."""

    READ = auto()


READ: Final = Read.READ


@dataclass(frozen=True, slots=True)
class Lane:
    """``READ``, but what the tap takes straight goes straight to our caller; the flow gets the rest."""

    tap: Tapping


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this long."""

    ns: int


@dataclass(frozen=True, slots=True)
class Run:
    """Call this where blocking is allowed: here if sync, in a thread if async."""

    function: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Bring what our caller only named; ``pointer`` is the place of the name in its document."""

    url: str
    pointer: str
    kind: Kind
    bytes_max: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address led to, and what that is by its own bytes."""

    data: bytes = field(repr=False)
    mime: str


Wish = (
    HttpRequest | Literal[Read.READ] | Lane | Pause | Run | Fetch | Delivery | tuple[Delivery, ...]
)
Grant = object
Flow = Generator[Wish, Grant, None]


class CallError(Exception):
    """How a flow says that its attempt failed. Never leaves the driver."""

    def __init__(self, failure: Failure) -> None:
        """Carry the verdict."""
        super().__init__(failure.kind)
        self.failure = failure


@quick(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One attempt, ready to be made.

    Attributes:
        model: The provider's own id (the offer's ``sends``).
        url: The base URL, without a trailing slash.
        speaks: Endpoints the account answers, best first; ``()`` = the plugin's own list.
        parameters: After shapes: what is filled in, ``fields`` already renamed.
        renamed: Names of ``parameters`` that are this host's own (``fields``), sent as they stand.
        adds: Members put into the upstream body.
        group: Names the credential without revealing it; tags sealed state.
        passes: Our caller takes frames: those of its own dialect may be handed on as they come.
        tells: The name that our caller knows the model by; ``None``: the provider's own.
        unix_s: Unix time, for signatures.
        seed: For what must differ between attempts and not between replays.
        lossy: ``refuse``: what the upstream dialect cannot say whole is not sent.
        speech: What the caller's dialect can say of an answer; ``None``: nobody asks what is lost.
        losses: Where the flow leaves what its dialect could not say, and what the caller's could not
            say of the answer.
        fetched: Media by its address, kept from one attempt of a run to the next.
    """

    request: Request
    model: str
    url: str
    secret: str = field(repr=False, default="")
    speaks: tuple[str, ...] = ()
    headers: Headers = field(repr=False, default=())
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    renamed: frozenset[str] = frozenset()
    adds: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    profile: Profile = NO_PROFILE
    group: str = ""
    passes: bool = False
    tells: str | None = None
    attempt: int = 1
    unix_s: int = 0
    seed: int = 0
    lossy: Literal["report", "refuse"] = "report"
    speech: Speech | None = None
    losses: list[Loss] = field(default_factory=list[Loss])
    fetched: dict[str, Fetched] = field(repr=False, default_factory=dict[str, Fetched])


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider plugin is a value: a name, one generator function, and what may be configured.

    Attributes:
        name: What a table's ``plugin:`` says.
        flow: The conversation.
        url: The default base URL; ``""`` if the table must give one.
        speaks: Endpoints it can speak upstream, best first.
        vendor: Whose sealed state it may be sent; ``""`` for hosts of other people's models.
        secret: The reference a table gets when it lists no ``keys`` (``env:ACME_API_KEY``); "" none.
        options: Names of the entry's ``options`` that it reads, with the type of each.
        cancel_stops_billing: Closing the connection stops the meter (reliability.md, 5.11).
        spec: The contract version it was written for.
    """

    name: str
    flow: Callable[[Outbound], Flow]
    url: str = ""
    speaks: tuple[str, ...] = ("chat",)
    vendor: str = ""
    secret: str = ""
    options: Mapping[str, type] = field(default_factory=lambda: MappingProxyType({}))
    cancel_stops_billing: bool = False
    dialects: Mapping[str, Dialect] = field(default_factory=lambda: MappingProxyType({}))
    """By endpoint: what it speaks there; the planner asks these for losses."""
    spec: int = SPEC

    def vendor_at(self, url: str) -> str:
        """Say whose sealed state may be sent to ``url``: the vendor's own address, nowhere else.

        A table that points a plugin at another host speaks its dialect there, to somebody else.
        """
        return self.vendor if url.rstrip("/") in ("", self.url) else ""


def send(request: HttpRequest) -> Generator[Wish, Grant, HttpHead]:
    """``head = yield from send(request)``."""
    head = yield request
    assert isinstance(head, HttpHead)
    return head


def read() -> Generator[Wish, Grant, bytes]:
    """``chunk = yield from read()``; ``b""`` at the end of the body."""
    chunk = yield READ
    assert isinstance(chunk, bytes)
    return chunk
