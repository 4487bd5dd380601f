"""What happened: one ``Record`` for each run, one ``Attempt`` for each conversation with an offer.

A record holds names, numbers and instants, never a prompt, an answer, a credential or a provider's
own words, so that it may be kept, shown and shipped (invariant 29).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Literal

from hyperroute.canon.failure import Failure
from hyperroute.canon.loss import Loss
from hyperroute.canon.quick import quick
from hyperroute.canon.units import Instant
from hyperroute.canon.usage import NO_USAGE, Usage

_COUNTS_OF = attrgetter(*(each.name for each in fields(Usage)))

Outcome = Literal["served", "refused", "exhausted", "interrupted", "abandoned"]

Left = Literal["cancelled", "drained"]
"""What became of a call whose caller had left: the exchange was closed, or it was read to its good end,
so that its usage is the provider's own word (reliability.md, 5.11)."""

PermitKind = Literal["first", "retry", "rotate", "next", "last_resort"]
"""Why an attempt is made: the plan's first; the same offer again; the same with another key; the
next of the plan; the one that is made when everything was blocked."""

Barrier = Literal[
    "breaker",
    "probing",
    "offer",
    "provider",
    "credential",
    "credential_model",
    "budget",
    "limit",
    "credential_limit",
]
"""What keeps an attempt from being made: an open breaker, a probe in flight, a cool-down of that
scope, a retry budget that is used up, or a limit of the table, of which another key may be free."""


@quick(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One conversation with one offer, over.

    Attributes:
        number: Starts at 1.
        credential: The id of the key, never the key; ``""`` for an account without one.
        waited_ns: Backoff before it.
        first_event_at: When the provider's first event came; ``None`` if none did.
        first_content_at: When the first content came; ``None`` if none did.
        failure: Why it failed; ``None`` if it was served. Its message is not part of any record.
        cost: In ``1 / scale`` USD, ``None`` unknown.
        losses: What the upstream dialect could not say.
        answered: The model that the provider says answered, where it is clearly not the one asked
            (reliability.md, row 76); ``None``: nothing to wonder about.
    """

    number: int
    offer: str
    provider: str
    model: str
    credential: str
    kind: PermitKind
    waited_ns: int = 0
    started_at: Instant
    ended_at: Instant
    first_event_at: Instant | None = None
    first_content_at: Instant | None = None
    failure: Failure | None = None
    usage: Usage = NO_USAGE
    cost: int | None = None
    losses: tuple[Loss, ...] = ()
    answered: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what may be logged, unknown members left out."""
        told: dict[str, Any] = {
            "number": self.number,
            "offer": self.offer,
            "credential": self.credential or None,
            "kind": self.kind,
            "waited_ns": self.waited_ns or None,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "first_event_at": self.first_event_at,
            "first_content_at": self.first_content_at,
            "usage": _counts(self.usage),
            "cost": self.cost,
            "answered": self.answered,
        }
        if self.failure is not None:
            told["failure"] = self.failure.kind.value
            told["status"] = self.failure.status
            told["code"] = self.failure.code
            told["alarm"] = self.failure.alarm or None
        return _known(told)


@dataclass(frozen=True, slots=True)
class Denial:
    """An attempt that was not made. ``until`` says when the barrier falls, ``None`` unknown."""

    offer: str
    why: Barrier
    until: Instant | None = None


@quick(frozen=True, slots=True, kw_only=True)
class Record:
    """One run from its beginning to its one end.

    Attributes:
        request_id: Ours; also what the run's waits were drawn from.
        digest: Of the table that decided.
        asked: The model or intent as the caller wrote it; ``name`` what it resolved to.
        candidates: Offer ids in the plan's order.
        failure: What decided the outcome, if it is not ``served``.
        left: Of a run whose caller left while a call was open; ``None``: no call was.
        refusal: The code of a plan that refused.
        limit: The limit that refused it, where one did.
        served: The offer whose answer was delivered, in whole or in part.
        began_unix_ns: Wall time of the beginning; instants are monotonic.
    """

    request_id: str
    digest: str
    seed: int
    asked: str
    name: str
    via: tuple[str, ...] = ()
    pinned: bool = False
    kind: str = "chat"
    dialect: str
    stream: bool
    candidates: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    denials: tuple[Denial, ...] = ()
    outcome: Outcome
    failure: Failure | None = None
    left: Left | None = None
    refusal: str | None = None
    limit: str = ""
    served: str | None = None
    scale: int = 1
    began_unix_ns: int = 0
    began_at: Instant
    ended_at: Instant

    @property
    def latency_ns(self) -> int:
        """How long the whole run took."""
        return self.ended_at - self.began_at

    @property
    def answer(self) -> Attempt | None:
        """The attempt whose answer was delivered, in whole or in part."""
        return self.attempts[-1] if self.served is not None else None

    @property
    def usage(self) -> Usage:
        """What the delivered answer used; failed attempts keep theirs to themselves."""
        return self.answer.usage if self.answer is not None else NO_USAGE

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What the delivered answer's dialect could not say."""
        return self.answer.losses if self.answer is not None else ()

    @property
    def cost(self) -> int | None:
        """Sum over all attempts, unknown as soon as one of them is."""
        total = 0
        for attempt in self.attempts:
            if attempt.cost is None:
                return None
            total += attempt.cost
        return total

    def to_json(self) -> dict[str, Any]:
        """Return what may be logged, unknown members left out."""
        return _known(
            {
                "request_id": self.request_id,
                "digest": self.digest,
                "seed": self.seed,
                "asked": self.asked,
                "name": self.name,
                "via": list(self.via) or None,
                "pinned": self.pinned or None,
                "kind": self.kind,
                "dialect": self.dialect,
                "stream": self.stream,
                "candidates": list(self.candidates),
                "attempts": [attempt.to_json() for attempt in self.attempts],
                "denials": [_known(_plain(denial)) for denial in self.denials] or None,
                "outcome": self.outcome,
                "failure": self.failure.kind.value if self.failure is not None else None,
                "left": self.left,
                "refusal": self.refusal,
                "limit": self.limit or None,
                "served": self.served,
                "usage": _counts(self.usage),
                "losses": [_plain(loss) for loss in self.losses] or None,
                "cost": self.cost,
                "scale": self.scale,
                "began_unix_ns": self.began_unix_ns,
                "latency_ns": self.latency_ns,
            }
        )


def sane(usage: Usage) -> Usage:
    """Clamp counts that a provider reported below zero (reliability.md, row 70)."""
    if min(filter(None, _COUNTS_OF(usage)), default=0) >= 0:  # unknown and 0 pass the filter by
        return usage
    wrong: dict[str, Any] = {
        name: 0 for name, count in _plain(usage).items() if count is not None and count < 0
    }
    return replace(usage, **wrong)


def _plain(value: object) -> dict[str, Any]:
    names: tuple[str, ...] = type(value).__slots__  # type: ignore[attr-defined]
    return {name: getattr(value, name) for name in names}


def _known(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _counts(usage: Usage) -> dict[str, Any] | None:
    counts = _known(_plain(usage))
    if not counts.pop("estimated", False):
        return counts or None
    return {**counts, "estimated": True}


__all__ = ["Attempt", "Barrier", "Denial", "Left", "Outcome", "PermitKind", "Record", "sane"]
