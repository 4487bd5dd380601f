"""One answer for an idempotency key, however often and by however many at once it is asked for.

A key belongs to its owner, its path, and what its owner's API key may ask for; the record of it names
the request by a digest. Whoever makes the record answers; all others are told what came of it::

    the same request, and it was answered        what was answered, with idempotent-replayed: true
    the same request, and it is being answered   409, and to ask again in a second
    the same request, and its answer is gone     409, and not to ask again with this key
    another request                              422

Who answers vouches for it by a second record that is kept for a lease. Once that has lapsed, and the
hold of the request has ended without a charge, whoever asks next takes the key over; the record's
version then keeps the first one from writing, should it only have been slow.

A key remembers answers and no failures, because a failure is free and asking again may help. An
answer that broke off and was paid for in part is remembered as gone: nobody pays twice (invariant 39).
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.money import OPEN, Hold, HoldKey
from hyperroute.canon.mutation import Delete, Mutation, Put, Row, RowKey, Stored
from hyperroute.canon.units import DAY, MINUTE
from hyperroute.canon.wire import Headers, HttpRequest
from hyperroute.dialects.base import ClientError
from hyperroute.dialects.strict_json import read_object
from hyperroute.errors import StoreError
from hyperroute.gateway import intake, paths, render
from hyperroute.gateway.door import Caller, Commit, Read, Unwelcome
from hyperroute.gateway.message import Flowing, HttpResponse, Paged, Reframing
from hyperroute.gateway.paths import Place
from hyperroute.routing.record import Record

HEADER: Final = "idempotency-key"
REPLAYED: Final = ("idempotent-replayed", "true")
NEVER: Final = ("x-should-retry", "false")

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_TRIES: Final = 3
"""How often a key is tried that is let go again just as we look at it."""
_TOLD: Final = frozenset({"content-type", "cache-control", "x-accel-buffering"})
_OURS: Final = "x-hyperroute-"
"""Headers that are said again; ids and rates are of the request that asks."""

Reply = HttpResponse | Flowing[Any] | Paged
Claiming = Generator[Read | Commit, Any, "Claim | HttpResponse"]


class Forsaken(Exception):
    """Thrown in by a driver whose caller has left: what was begun is to be put away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How answers are kept.

    Attributes:
        kept_ns: How long a key is remembered.
        lease_ns: How long a request vouches for its key; longer than it may take.
        bytes_max: Of an answer; of a longer one it is remembered that there was one.
    """

    kept_ns: int = DAY
    lease_ns: int = 10 * MINUTE
    bytes_max: int = 4 * 1024 * 1024


DEFAULT_KEEPING: Final = Keeping()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A key that is ours to answer.

    Attributes:
        id: Of its record.
        fingerprint: Of the request.
        by: The request that answers, which is also how its hold is called.
        version: Of the record as we made it: whoever finds another one has lost the key.
    """

    id: str
    fingerprint: str
    by: str
    keeping: Keeping
    version: int = 0

    def made(self, expected: int) -> tuple[Mutation, ...]:
        """Say that it is being answered, if the record is as expected and nobody vouches for it."""
        lease_ns = self.keeping.lease_ns
        return (
            self._put({"state": "running"}, expected),
            Put(self.lease, "{}", expected=0, keep_ns=lease_ns),
        )

    def vouched(self) -> tuple[Mutation, ...]:
        """Say that it still is, if nobody has taken it over: to be committed with the hold.

        From then on the hold keeps others from the key for as long as it is open, and what it was
        charged for, after that.
        """
        lease_ns = self.keeping.lease_ns
        return (Put(self.lease, "{}", expected=self.version, keep_ns=lease_ns),)

    def answered(self, status: int, headers: Headers, body: bytes | None) -> tuple[Mutation, ...]:
        """Say what was answered; ``None``: more than is kept."""
        told: dict[str, Any] = {"state": "done"}
        if body is None or len(body) > self.keeping.bytes_max:
            told["state"] = "large"
        else:
            said = [pair for pair in headers if pair[0] in _TOLD or pair[0].startswith(_OURS)]
            told |= {"status": status, "headers": said, **_text(body)}
        return (self._put(told, self.version), Delete(self.lease))

    def gone(self, *, swept: bool = False) -> tuple[Mutation, ...]:
        """Say that there was an answer which nobody can be told again.

        ``swept``: only if nobody vouches for the key any longer, which is said by another request.
        """
        lease = Delete(self.lease, expected=0 if swept else None)
        return (self._put({"state": "gone"}, self.version), lease)

    def let_go(self) -> tuple[Mutation, ...]:
        """Forget the key, so that it may be used again."""
        return (Delete(self.key, expected=self.version), Delete(self.lease))

    @property
    def key(self) -> RowKey:
        """Of the record that names the request, and what came of it."""
        return RowKey("idempotency", self.id)

    @property
    def lease(self) -> RowKey:
        """Of the record that is there for as long as somebody vouches for the key."""
        return RowKey("idempotency", f"{self.id}/lease")

    def _put(self, told: dict[str, Any], expected: int) -> Put:
        body = {"fingerprint": self.fingerprint, "by": self.by, **told}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return Put(self.key, text, expected=expected, keep_ns=self.keeping.kept_ns)


class Copy:
    """What of an answer is kept: every byte of it, and none of its keep-alives.

    Attributes:
        claim: The key.
        headers: Of the answer; a stream's are whole once its head is.
    """

    def __init__(self, claim: Claim, headers: Headers, reframing: Reframing | None = None) -> None:
        """Begin with nothing.

        Args:
            claim: The key.
            headers: Of the answer.
            reframing: How its frames are put on the wire; not one that another stream uses.
        """
        self.claim = claim
        self.headers = headers
        self._reframing = reframing
        self._pieces: list[bytes] = []
        self._left = claim.keeping.bytes_max

    def take(self, piece: bytes) -> None:
        """Copy some bytes; nothing more once there are too many."""
        self._left -= len(piece)
        if self._left >= 0:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def ended(self, record: Record | None) -> tuple[Mutation, ...]:
        """Say what is remembered, once it is known how the run ended."""
        claim = self.claim
        if record is None or record.served is None:
            return claim.let_go()
        if record.outcome != "served":
            return claim.gone()
        pieces, framing = self._pieces, self._reframing
        if framing is not None:
            pieces = [framing.opening, *map(framing.each, pieces), framing.closing]
        body = b"".join(pieces) if self._left >= 0 else None
        return claim.answered(200, self.headers, body)


def claim_of(http: HttpRequest, place: Place, caller: Caller, by: str, keeping: Keeping) -> Claim:
    """Name the key of a request whose body was read, and the request.

    Raises:
        Unwelcome: The header is no key.
    """
    said = intake.header(http.headers, HEADER) or ""
    if _KEY.fullmatch(said) is None:
        message = f"Idempotency-Key is 1 to 255 visible ASCII characters, not {said[:40]!r}."
        raise Unwelcome(_refused(400, FailureClass.BAD_REQUEST, message))
    path = paths.bare(http.url)
    owner = [
        f"{kind}:{caller.facts[kind]}" for kind in ("org.id", "user.id") if kind in caller.facts
    ]
    scope = [owner[:1], caller.models, path, said]
    request = [path, place.array, read_object(http.body)]
    return Claim(id=_digest(scope), fingerprint=_digest(request), by=by, keeping=keeping)


def claimed(claim: Claim) -> Claiming:
    """Make a key ours to answer, or find what was answered.

    Raises:
        Unwelcome: Another is answering it, it names another request, or its answer is gone.
        StoreError: Nobody knows.
    """
    for _ in range(_TRIES):
        expected, doubt = 0, None
        try:
            commit = yield Commit(claim.made(expected))
        except StoreError as error:
            if not error.unknown:
                raise
            doubt = error
        else:
            if commit.done:
                return _ours(claim, commit.outcomes[0])
        (row,) = yield Read((claim.key,))
        if isinstance(row, Row):
            return (yield from _found(claim, row))
        if doubt is not None:
            raise doubt
    raise _running()


def _found(claim: Claim, row: Row) -> Claiming:
    """Say what comes of a key that has a record."""
    told: dict[str, Any] = json.loads(row.body)
    if told["by"] == claim.by:
        return replace(claim, version=row.version)  # our own, whose answer was lost on the way
    if told["fingerprint"] != claim.fingerprint:
        message = "This Idempotency-Key was used for another request: take another key."
        raise Unwelcome(_refused(422, FailureClass.BAD_REQUEST, message))
    match told["state"]:
        case "done":
            return _replay(claim, told)
        case "large":
            raise _final("The answer to this Idempotency-Key was too large to be kept")
        case "gone":
            raise _gone()
        case _:
            return (yield from _taken_over(claim, row, HoldKey(told["by"])))


def _taken_over(claim: Claim, row: Row, key: HoldKey) -> Claiming:
    """Take over a key whose request has died, unless it was paid for.

    Both are read of one instant: where the lease has lapsed, no hold can be made any more.
    """
    lease, hold = yield Read((claim.lease, key))
    if lease is not None:
        raise _running()
    if isinstance(hold, Hold):
        if hold.phase in OPEN:
            raise _running()
        if hold.charged:
            commit = yield Commit(replace(claim, version=row.version).gone(swept=True))
            raise _gone() if commit.done else _running()
    commit = yield Commit(claim.made(row.version))
    if not commit.done:
        raise _running()
    return _ours(claim, commit.outcomes[0])


def once(
    claim: Claim, answer: Callable[[Claim], Generator[Any, Any, Reply]]
) -> Generator[Any, Any, Reply]:
    """Answer a request that has a key, or say what became of it.

    Args:
        claim: As ``claim_of`` names it.
        answer: Answers with a key that is ours. Of a streamed answer it sees to the rest itself, once
            the stream has ended.

    Raises:
        Unwelcome: Another is answering it, it names another request, or its answer is gone.
        StoreError: Nobody knows.
    """
    try:
        found = yield from claimed(claim)
    except Forsaken:
        with suppress(Unwelcome, StoreError):
            late = yield from claimed(claim)  # behind the first word, which may still arrive
            if isinstance(late, Claim):
                yield Commit(late.let_go())
        raise
    if isinstance(found, HttpResponse):
        return found
    try:
        reply = yield from answer(found)
    except Exception as error:
        record = getattr(error, "record", None)
        told = isinstance(record, Record) and record.served is not None
        with suppress(StoreError):
            yield Commit(found.gone() if told else found.let_go())
        raise
    if isinstance(reply, HttpResponse):
        kept = found.let_go()
        if reply.status == 200:
            kept = found.answered(reply.status, reply.headers, reply.body)
        with suppress(StoreError):  # the answer was paid for, and is worth more than its copy
            yield Commit(kept)
    return reply


def _ours(claim: Claim, outcome: Any) -> Claim:
    assert isinstance(outcome, Stored)
    return replace(claim, version=outcome.version)


def _replay(claim: Claim, told: dict[str, Any]) -> HttpResponse:
    said: Headers = tuple([(name, value) for name, value in told["headers"]])
    body = told["text"].encode() if "text" in told else b64decode(told["base64"])
    headers = (*render.ids(claim.by), *said, REPLAYED)
    return HttpResponse(status=told["status"], headers=headers, body=body)


def _text(body: bytes) -> dict[str, str]:
    """Write bytes as JSON can: as text, unless they are none."""
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}


def _digest(value: object) -> str:
    """Name a JSON value, whatever the order of its members and the spaces between."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _running() -> Unwelcome:
    message = "A request with this Idempotency-Key is being answered. Ask again in a second."
    return Unwelcome(replace(_refused(409, "conflict", message), retry_after_s=1))


def _gone() -> Unwelcome:
    return _final("The answer to this Idempotency-Key broke off and is gone")


def _final(message: str) -> Unwelcome:
    return Unwelcome(_refused(409, "conflict", f"{message}: take another key."), (NEVER,))


def _refused(status: int, kind: FailureClass | str, message: str) -> ClientError:
    return ClientError(status=status, kind=kind, message=message, param=HEADER)


__all__ = [
    "DEFAULT_KEEPING",
    "HEADER",
    "Claim",
    "Copy",
    "Forsaken",
    "Keeping",
    "claim_of",
    "once",
]
