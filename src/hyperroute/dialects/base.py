"""What a dialect is: readers and writers on both sides of the canon.

A dialect is a frozen value without configuration. It extracts and says; it decides nothing: what a
failure *means* is the provider's to classify, what may be lost is the plan's to allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from hyperroute.canon.content import Media
from hyperroute.canon.events import Delivery, Reply, StreamEvent
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.loss import Loss
from hyperroute.canon.quick import quick
from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.dialects.unsaid import Speech


@quick(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of the target; unknown is ``None`` and the dialect assumes nothing.

    ``vendor`` and ``group`` say whose sealed state may be sent; ``options`` holds the provider
    entry's own switches (``anthropic_version``, ``thinking_types``, ``reasoning_content``, …).
    ``unsealed``: the target refused a seal that should be its own, so it is sent none at all.
    """

    vendor: str = ""
    group: str = ""
    does: frozenset[str] = frozenset()
    model_max_output_tokens: int | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    unsealed: bool = False


NO_PROFILE = Profile()


@quick(frozen=True, slots=True, kw_only=True)
class Emission:
    """A request in a dialect: the path and body to send, and what it could not say."""

    path: str
    body: bytes
    headers: Headers = ()
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """What an error reply says, extracted and not judged. Every field may be missing.

    ``details`` are the vendor's further machine-readable members (Google's ``details[]`` reasons
    and quota ids, Anthropic's ``error_code``) as ``name -> text``.
    """

    status: int | None = None
    code: str | None = None
    type: str | None = None
    param: str | None = None
    message: str = ""
    hint_ns: int | None = None
    pushback: bool = False
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    json: bool = True
    """Whether the body was the dialect's own error shape; a CDN page is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientError:
    """An error as we tell it to our caller: only ever about the caller (invariants 29 and 30).

    ``kind`` is a failure class, or one of our own words of dialects.md section 7 (``unauthorized``,
    ``insufficient_credits``, ``forbidden``, ``conflict``, ``too_large``, ``wrong_endpoint``).
    """

    status: int
    kind: FailureClass | str
    message: str
    code: str | None = None
    param: str | None = None
    retry_after_s: int | None = None
    request_id: str = ""
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Further members of the error object (``available_models``, …)."""


class ErrorInStream(Exception):
    """A decoder met the dialect's error object inside a 200; the provider classifies it."""

    def __init__(self, report: ErrorReport) -> None:
        """Carry what was read."""
        super().__init__(report.code or report.type or "error in a stream")
        self.report = report


class Decoder(Protocol):
    """Provider bytes in, canonical events out. Never blocks, never reads."""

    def feed(self, chunk: bytes) -> Iterable[StreamEvent]:
        """Take any number of bytes, split anywhere.

        Raises:
            ProviderWireError: The bytes do not follow the dialect.
            ErrorInStream: The dialect's own error object came.
        """
        ...

    def close(self) -> Iterable[StreamEvent]:
        """Take the end of the body.

        Raises:
            ProviderWireError: It came before the dialect's success terminal; ``cut`` is set.
            ErrorInStream: The whole body was an error object.
        """
        ...


@runtime_checkable
class Repairing(Protocol):
    """A decoder that mends what servers of its dialect get wrong, and counts it."""

    @property
    def repairs(self) -> int:
        """How many tool calls were mended."""
        ...


class Tapping(Protocol):
    """Provider bytes in; out come the same events as a ``Decoder`` gives, with the frames they came in."""

    size: int
    """Characters of the answer that were taken straight."""
    last: bytes
    """What was handed on straight last."""

    def straight(self, chunk: bytes) -> bytes | None:
        """Take a chunk that says more text and nothing else, and return what is handed on for it.

        ``None``: nothing was taken, ``feed`` it.
        """
        ...

    def feed(self, chunk: bytes) -> Iterable[Delivery]:
        """Take any number of bytes, split anywhere; faults as of ``Decoder``."""
        ...

    def close(self) -> Iterable[Delivery]:
        """Take the end of the body; faults as of ``Decoder``."""
        ...


class Encoder(Protocol):
    """Canonical events in, client bytes out."""

    def feed(self, event: StreamEvent) -> bytes:
        """Emit the bytes for one event; may be empty."""
        ...

    def passed(self, frame: bytes) -> None:
        """Take frames of the provider's own that went out: what is written goes on behind them."""
        ...

    def pulse(self) -> bytes:
        """Emit the keep-alive that readers survive behind what was written so far."""
        ...

    def fail(self, error: ClientError) -> bytes:
        """Emit the bytes that end a broken stream, honestly; also one that never began."""
        ...


class Dialect(Protocol):
    """One wire format, spoken both as a server (to our caller) and as a client (to a provider)."""

    @property
    def name(self) -> str:
        """Dotted, lower case: ``openai.chat``."""
        ...

    @property
    def endpoint(self) -> str:
        """The routing language's word for it: ``chat``."""
        ...

    @property
    def speech(self) -> Speech:
        """What it can say of an answer; anything else is a loss on the way back."""
        ...

    # as a server
    def parse_request(
        self, raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
    ) -> Request:
        """Read the head of a caller's request; content is decoded on first use.

        Raises:
            ClientWireError: A member that routing needs has the wrong type.
        """
        ...

    def emit_reply(self, reply: Reply, *, request: Request, model: str) -> bytes:
        """Write a whole reply; ``model`` is the name the caller is told."""
        ...

    def encoder(self, *, request: Request, model: str) -> Encoder:
        """Start writing a stream."""
        ...

    def emit_error(self, error: ClientError) -> bytes:
        """Write an error body."""
        ...

    # as a client
    def needs_bytes(self, media: Media, *, profile: Profile) -> bool:
        """Say whether media that is given by its address can be said here by its bytes only."""
        ...

    def emit_request(self, request: Request, *, model: str, profile: Profile) -> Emission:
        """Write a provider request for the upstream id ``model``.

        A request of this very dialect passes through: its own bytes with the closed list of splices
        of law 7, everything else byte for byte.

        Raises:
            ClientWireError: The request cannot be said here at all (dialects.md, 9), or its
                content is malformed.
        """
        ...

    def fill(
        self, body: bytes, parameters: Mapping[str, Any], *, profile: Profile
    ) -> tuple[bytes, tuple[Loss, ...]]:
        """Say in a body of this dialect what a shape filled in or changed, every other byte kept.

        Parameters have the language's names (``effort``, ``top_p``, ``n``, ``max_output``); ``None`` takes a member
        out. A name that the language does not know is written at the top as it stands, and what has
        no place here is a loss.

        Raises:
            SpliceError: The body is not a JSON object.
            ValueError: A value is not JSON.
        """
        ...

    def decoder(self, *, stream: bool) -> Decoder:
        """Start reading a reply, streamed or whole: both become events."""
        ...

    def tap(self, *, request: Request, model: str | None) -> Tapping | None:
        """Start reading a stream whose frames our caller, who speaks this dialect, gets as they come.

        ``model`` is the name to tell there, ``None`` if the provider's own is right; no tap: the
        stream is read and written anew.
        """
        ...

    def parse_error(self, head: HttpHead, body: bytes) -> ErrorReport:
        """Extract what an error reply says; total over any bytes."""
        ...

    def tell_model(self, body: bytes, model: str) -> bytes:
        """Splice the caller's model name into a reply of this dialect, every other byte kept."""
        ...
