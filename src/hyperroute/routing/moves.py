"""Where a run goes after a failure: the same offer, the same with another key, another offer, nowhere.

The order of authority: what can never be repeated (a job whose delivery is unknown); then the
table's ``errors``; then what the fault's own catalogue row advises; then its class. Nothing here
looks at a clock: whether there is time for a move is the machine's to say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hyperroute.canon.failure import REACTIONS, Failure, FailureClass, Reaction
from hyperroute.canon.quick import quick
from hyperroute.routing.backoff import wait_ns
from hyperroute.routing.plan import Candidate, Plan
from hyperroute.routing.record import Barrier, PermitKind

RETRY_CHARGE: Final = 100
"""What a retry takes from its provider's budget, in hundredths (reliability.md, 5.3)."""

THROTTLED_CHARGE: Final = 50

_REPEATABLE: Final = frozenset({"chat", "embed"})
_UNKNOWN_DELIVERY: Final = frozenset(
    {
        FailureClass.NET_AMBIGUOUS,
        FailureClass.SLOW_START,
        FailureClass.STALLED,
        FailureClass.TRUNCATED,
        FailureClass.MALFORMED_OUTPUT,
    }
)
_KEYED: Final = frozenset({FailureClass.PROVIDER_AUTH, FailureClass.PROVIDER_FUNDS})
"""Verdicts on a key: it is not used again in the run (invariant 20)."""

_KEY_MAY_HELP: Final = _KEYED | {FailureClass.RATE_LIMITED}
_KEY_BARRIERS: Final = frozenset[Barrier]({"credential", "credential_model", "credential_limit"})


@quick(frozen=True, slots=True, kw_only=True)
class Trail:
    """Where in its plan a run stands.

    ``retries`` and ``rotations`` count attempts at this offer; ``used`` are the keys it was tried
    with or denied for; ``banned`` the keys that got a verdict, for the rest of the run.
    """

    position: int = 0
    credential: str = ""
    retries: int = 0
    rotations: int = 0
    used: frozenset[str] = frozenset()
    banned: frozenset[str] = frozenset()


@quick(frozen=True, slots=True)
class Move:
    """The next attempt.

    Attributes:
        wait_ns: Backoff before it.
        charge: What it takes from its provider's retry budget, in hundredths of a retry.
        origin: Position of the candidate whose failure led here; ``None`` at the beginning.
    """

    kind: PermitKind
    trail: Trail
    wait_ns: int = 0
    charge: int = 0
    origin: int | None = None


def opening(plan: Plan) -> Move | None:
    """Say where a run begins; nowhere if every candidate waits for a failure to name it."""
    for position, candidate in enumerate(plan.candidates):
        if not candidate.after:
            kind: PermitKind = "last_resort" if candidate.last_resort else "first"
            return Move(kind, _at(position, candidate.credentials[0], frozenset()))
    return None


def following(
    plan: Plan, trail: Trail, failure: Failure, *, draw_from: tuple[int, str, int]
) -> Move | None:
    """Say where a run goes after a failed attempt; ``None``: it ends here.

    Args:
        plan: The candidates and the rules.
        trail: Where the failed attempt stood.
        failure: Why it failed.
        draw_from: Seed, request id and attempt number, for the backoff.
    """
    if failure.kind in _KEYED:
        key = ban_key(plan.candidates[trail.position], trail.credential)
        trail = replace(trail, banned=trail.banned | {key})
    reaction, count = reaction_to(plan, failure)
    match reaction:
        case Reaction.STOP:
            return None
        case Reaction.RETRY:
            again = _retry(plan, trail, failure, count, draw_from)
            return again or _elsewhere(plan, trail, failure)
        case Reaction.ROTATE:
            return _rotate(plan, trail) or _elsewhere(plan, trail, failure)
        case Reaction.NEXT | Reaction.LARGER | Reaction.INSTEAD:
            return _elsewhere(plan, trail, failure)


def reaction_to(plan: Plan, failure: Failure) -> tuple[Reaction, int | None]:
    """Say what a failure asks for, and for ``retry 3`` how often.

    The one target of a plan is tried again where others would be passed over: a rate limit that
    says when it ends, and an overload (reliability.md, rows 31 and 44).
    """
    kind = failure.kind
    if kind in _UNKNOWN_DELIVERY and plan.request.kind not in _REPEATABLE:
        return Reaction.STOP, None
    if said := plan.rules.errors.get(kind):
        return said
    reaction = failure.advice or REACTIONS[kind]
    if reaction is Reaction.NEXT and len(plan.candidates) == 1:
        hinted = kind is FailureClass.RATE_LIMITED and failure.hint_ns is not None
        if hinted or kind is FailureClass.OVERLOADED:
            return Reaction.RETRY, None
    return reaction, None


def sidestep(plan: Plan, move: Move, why: Barrier, failure: Failure | None) -> Move | None:
    """Say where to go when an attempt may not be made: another key if that helps, else onwards."""
    trail = move.trail
    if why in _KEY_BARRIERS:
        trail = replace(trail, used=trail.used | {trail.credential})
        key = _free_key(plan, trail)
        if key is not None and move.kind != "retry":
            return replace(move, trail=replace(trail, credential=key))
    origin = trail.position if move.kind in {"retry", "rotate"} else move.origin
    onwards = _next(plan, trail, failure, origin)
    if onwards is not None and move.kind == "last_resort":
        return replace(onwards, kind="last_resort")
    return onwards


def ban_key(candidate: Candidate, credential: str) -> str:
    """Name a key for ``Trail.banned``; accounts without keys are told apart by their offer."""
    return credential or f"offer:{candidate.offer.id}"


def _retry(
    plan: Plan, trail: Trail, failure: Failure, count: int | None, draw_from: tuple[int, str, int]
) -> Move | None:
    candidate = plan.candidates[trail.position]
    allowed = min(candidate.retries, plan.rules.per_offer if count is None else count)
    banned = ban_key(candidate, trail.credential) in trail.banned
    if failure.pushback or banned or trail.retries >= allowed:
        return None
    wait = wait_ns(
        plan.rules, failure.kind, hint_ns=failure.hint_ns, repeat=trail.retries, draw_from=draw_from
    )
    again = replace(trail, retries=trail.retries + 1)
    return Move("retry", again, wait, _charge(failure), trail.position)


def _charge(failure: Failure) -> int:
    if failure.kind is FailureClass.NET_UNSENT and failure.hint_ns == 0:
        return 0  # HTTP/2 refused the stream unread: free, and at once (row 9)
    throttled = failure.kind in {FailureClass.RATE_LIMITED, FailureClass.OVERLOADED}
    return THROTTLED_CHARGE if throttled else RETRY_CHARGE


def _rotate(plan: Plan, trail: Trail) -> Move | None:
    # "Do not retry" speaks to the key it was said to: another key is another target.
    candidate = plan.candidates[trail.position]
    if trail.rotations >= candidate.rotations:
        return None
    trail = replace(trail, used=trail.used | {trail.credential})
    key = _free_key(plan, trail)
    if key is None:
        return None
    turned = replace(trail, credential=key, rotations=trail.rotations + 1)
    return Move("rotate", turned, origin=trail.position)


def _elsewhere(plan: Plan, trail: Trail, failure: Failure) -> Move | None:
    """Go on, or where nothing is left, try another key against a verdict on this one."""
    onwards = _next(plan, trail, failure, trail.position)
    if onwards is None and failure.kind in _KEY_MAY_HELP:
        return _rotate(plan, trail)
    return onwards


def _next(plan: Plan, trail: Trail, failure: Failure | None, origin: int | None) -> Move | None:
    """Find the next candidate that the failure allows and that has a key without a verdict."""
    for position in range(trail.position + 1, len(plan.candidates)):
        candidate = plan.candidates[position]
        if not _allowed(plan, candidate, failure, origin):
            continue
        for credential in candidate.credentials:
            if ban_key(candidate, credential) not in trail.banned:
                return Move("next", _at(position, credential, trail.banned), origin=origin)
    return None


def _allowed(plan: Plan, candidate: Candidate, failure: Failure | None, origin: int | None) -> bool:
    """Say whether a candidate may follow a failure.

    A larger window is asked of it even where the plan is pinned: all that a pinned plan holds is
    the model's own offers and its declared equivalents, so the pin is kept either way.
    """
    if candidate.after and (failure is None or failure.kind not in candidate.after):
        return False
    if failure is None or origin is None:
        return True
    match reaction_to(plan, failure)[0]:
        case Reaction.LARGER:
            return _exceeds(candidate, plan.candidates[origin].context)
        case Reaction.INSTEAD:
            return bool(candidate.after)
        case _:
            return True


def _free_key(plan: Plan, trail: Trail) -> str | None:
    candidate = plan.candidates[trail.position]
    for credential in candidate.credentials:
        if credential not in trail.used and ban_key(candidate, credential) not in trail.banned:
            return credential
    return None


def _exceeds(candidate: Candidate, context: int | None) -> bool:
    # An unknown window satisfies nothing, so it is not a larger one.
    return candidate.context is not None and context is not None and candidate.context > context


def _at(position: int, credential: str, banned: frozenset[str]) -> Trail:
    return Trail(position=position, credential=credential, banned=banned)


__all__ = [
    "RETRY_CHARGE",
    "THROTTLED_CHARGE",
    "Move",
    "Trail",
    "ban_key",
    "following",
    "opening",
    "reaction_to",
    "sidestep",
]
