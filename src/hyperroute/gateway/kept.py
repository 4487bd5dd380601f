"""What providers keep between two requests of a conversation, and with whom it can go on.

An answer that its provider stored is named by ids: its own, those of its items, its conversation's.
A later request that names one can only be answered where it is kept, so the ids are noted when the
answer is told, and the plan of the later request gets the account as its narrowing (architecture.md,
law 2): another account is never asked, and what cannot be resolved is refused before anybody is.

Advisory state (law 10): losing a note costs a caller the resending of a conversation.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from hyperroute.canon.quick import quick
from hyperroute.canon.request import Request
from hyperroute.canon.units import DAY, Instant
from hyperroute.dialects import json
from hyperroute.errors import RequestError
from hyperroute.gateway.paths import RESPONSES

ENTRIES_MAX: Final = 100_000
"""Ids of one process: some 40 MB of them."""

AGE_NS: Final = 30 * DAY
"""How long OpenAI keeps a response. Source: its API reference, data controls, read 2026-11-22."""

ID_CHARS_MAX: Final = 256
_IDS_MAX: Final = 256
"""Of one answer: its own, and those of so many of its items."""

_TERMINALS: Final = (b'"response.completed"', b'"response.incomplete"')
_RESEND: Final = "send the whole conversation."


@quick(frozen=True, slots=True)
class Kept:
    """Where something is kept.

    Attributes:
        provider: The account that answered, as the table calls it.
        native: Whether it answered in the caller's own dialect; a translated answer is nobody's to
            go on with, because its ids were never known to who made it.
    """

    provider: str
    native: bool


@quick(frozen=True, slots=True)
class Recall:
    """Ask who keeps these ids for this owner: answered by position, ``None`` for an unknown one."""

    owner: str
    ids: tuple[str, ...]


@quick(frozen=True, slots=True)
class Remember:
    """Note who keeps these ids for this owner: answered by nothing."""

    owner: str
    ids: tuple[str, ...]
    kept: Kept


class Memory(Protocol):
    """Who grants the two wishes. Safe to use from many threads at once; waits for nothing."""

    def recall(self, wish: Recall, *, now: Instant) -> tuple[Kept | None, ...]:
        """Answer each id by its position."""
        ...

    def remember(self, wish: Remember, *, now: Instant) -> None:
        """Note them."""
        ...


class LocalMemory:
    """Notes of this process, bounded by number and age; the oldest goes first."""

    def __init__(self, *, entries_max: int = ENTRIES_MAX, age_ns: int = AGE_NS) -> None:
        """Begin without notes."""
        self._notes: OrderedDict[tuple[str, str], tuple[Instant, Kept]] = OrderedDict()
        self._entries_max = entries_max
        self._age_ns = age_ns
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._notes)

    def recall(self, wish: Recall, *, now: Instant) -> tuple[Kept | None, ...]:
        """Answer each id by its position; what is too old is not known any more."""
        with self._lock:
            found = [self._notes.get((wish.owner, name)) for name in wish.ids]
        return tuple(None if one is None or one[0] <= now else one[1] for one in found)

    def remember(self, wish: Remember, *, now: Instant) -> None:
        """Note them, and let the oldest go where there are too many."""
        until = now + self._age_ns
        with self._lock:
            notes = self._notes
            for name in wish.ids:
                notes.pop((wish.owner, name), None)
                notes[wish.owner, name] = (until, wish.kept)
            while notes and (
                len(notes) > self._entries_max or next(iter(notes.values()))[0] <= now
            ):
                notes.popitem(last=False)


def placed(
    request: Request, owner: str, providers: Mapping[str, Any]
) -> Generator[Recall, Any, Request]:
    """Narrow a request to the account that keeps what it refers to.

    Raises:
        RequestError: That is unknown (or another owner's, which looks the same), was made by
            translation, is kept by two accounts, or by one that is not there any more.
    """
    if not request.refers:
        return request
    if any(len(reference.id) > ID_CHARS_MAX for reference in request.refers):
        raise _unresolved("an id is too long", request.refers[0].pointer)
    found = yield Recall(owner, tuple(reference.id for reference in request.refers))
    accounts: set[str] = set()
    for reference, kept in zip(request.refers, found, strict=True):
        if kept is None:
            raise _unresolved(f"nothing is kept here as {reference.id!r}", reference.pointer)
        if not kept.native:
            why = f"{reference.id!r} was answered by translation, so that no provider keeps it"
            raise _unresolved(why, reference.pointer)
        if kept.provider not in providers:
            why = f"the provider that keeps {reference.id!r} is not used here any more"
            raise _unresolved(why, reference.pointer)
        accounts.add(kept.provider)
        if len(accounts) > 1:
            why = f"{reference.id!r} is kept by another provider than what is referred to before it"
            raise _unresolved(why, reference.pointer)
    narrowing = replace(request.narrowing, account=accounts.pop(), fallback=False)
    return replace(request, narrowing=narrowing)


def stores(request: Request) -> bool:
    """Say whether what answers a request is kept: in Responses it is, unless the caller forbids it."""
    return request.dialect == RESPONSES and request.raw.get("store") is not False


def made(body: bytes) -> tuple[str, ...]:
    """Name what a whole answer of Responses made, its own id first."""
    try:
        value = json.loads(body)
    except ValueError:
        return ()
    return _ids(value)


def made_in(frames: bytes) -> tuple[str, ...]:
    """Name what a stream of Responses made, if its end is among these frames."""
    if not any(terminal in frames for terminal in _TERMINALS):
        return ()
    for line in frames.split(b"\n"):
        if line.startswith(b"data:") and any(terminal in line for terminal in _TERMINALS):
            try:
                value = json.loads(line[5:])
            except ValueError:
                continue
            return _ids(value.get("response") if isinstance(value, Mapping) else None)
    return ()


def _ids(response: Any) -> tuple[str, ...]:
    if not isinstance(response, Mapping):
        return ()
    conversation = response.get("conversation")
    output = response.get("output")
    holders = [
        response,
        *([conversation] if isinstance(conversation, Mapping) else ()),
        *(output[: _IDS_MAX - 2] if isinstance(output, list) else ()),
    ]
    named = (holder.get("id") for holder in holders if isinstance(holder, Mapping))
    return tuple(name for name in named if isinstance(name, str) and 0 < len(name) <= ID_CHARS_MAX)


def _unresolved(why: str, pointer: str) -> RequestError:
    return RequestError(
        f"{why[:1].upper()}{why[1:]}: {_RESEND}",
        status=400,
        code="previous_response_not_found",
        param=pointer.strip("/") if pointer.count("/") == 1 else pointer,
    )


__all__ = [
    "Kept",
    "LocalMemory",
    "Memory",
    "Recall",
    "Remember",
    "made",
    "made_in",
    "placed",
    "stores",
]
