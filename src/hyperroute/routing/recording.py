"""Writing down what happened: from the machine's memory to attempts and records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.units import Instant
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.catalog.pricing import owed, sheet_on
from hyperroute.routing.plan import Candidate, Plan
from hyperroute.routing.record import Attempt, Left, Outcome, Record, sane
from hyperroute.routing.state import NOTHING_HEARD, Heard, State

CHARACTERS_PER_TOKEN = 4
"""What an answer is counted by that came without its usage."""

_UNCHARGED = frozenset({FailureClass.NET_UNSENT})


def attempt_of(
    state: State, at: Instant, failure: Failure | None, heard: Heard = NOTHING_HEARD
) -> Attempt:
    """Write down the open call as over."""
    move = state.move
    assert move is not None
    candidate = state.plan.candidates[move.trail.position]
    usage = _usage_of(state, heard.produced, cut=failure is not None)
    return Attempt(
        number=state.number,
        offer=candidate.offer.id,
        provider=candidate.offer.provider,
        model=candidate.offer.model,
        credential=move.trail.credential,
        kind=move.kind,
        waited_ns=move.wait_ns,
        started_at=state.started_at,
        ended_at=at,
        first_event_at=state.first_event_at,
        first_content_at=state.first_content_at,
        failure=failure,
        usage=usage,
        cost=_cost_of(state, candidate, usage, failure),
        losses=heard.losses,
        answered=heard.answered,
    )


def record_of(  # noqa: PLR0917 - one column of the record each
    state: State,
    at: Instant,
    outcome: Outcome,
    failure: Failure | None,
    last: Attempt | None,
    left: Left | None = None,
) -> Record:
    """Write down the run as over; ``last`` is the attempt that ended with it."""
    plan = state.plan
    request = plan.request
    delivered = last is not None and (outcome == "served" or last.first_content_at is not None)
    return Record(
        request_id=state.request_id,
        digest=plan.table.digest,
        seed=plan.seed,
        asked=request.model or request.intent or "",
        name=plan.name,
        via=plan.via,
        pinned=plan.pinned,
        kind=request.kind,
        dialect=request.dialect,
        stream=request.stream,
        candidates=tuple([candidate.offer.id for candidate in plan.candidates]),
        attempts=state.attempts if last is None else (*state.attempts, last),
        denials=state.denials,
        outcome=outcome,
        failure=failure,
        left=left,
        refusal=plan.refusal.code if plan.refusal is not None else None,
        limit=plan.refusal.limit if plan.refusal is not None else "",
        served=last.offer if last is not None and delivered else None,
        scale=plan.table.scale,
        began_unix_ns=state.began_unix_ns,
        began_at=state.began_at,
        ended_at=at,
    )


def _usage_of(state: State, produced: int, *, cut: bool) -> Usage:
    """Take what the provider reported; estimate what it did not (invariant 42).

    A stream that broke off has told what it had used when it began, at most: of what came after, the
    characters that arrived are all the account there is (reliability.md, 5.11).
    """
    usage = sane(state.usage)
    said = -(-produced // CHARACTERS_PER_TOKEN)
    if not produced or (usage != NO_USAGE and not (cut and said > (usage.output_tokens or 0))):
        return usage
    read = state.plan.input_tokens if usage.input_tokens is None else usage.input_tokens
    return replace(usage, input_tokens=read, output_tokens=said, estimated=True)


def _cost_of(
    state: State, candidate: Candidate, usage: Usage, failure: Failure | None
) -> int | None:
    """Price an attempt exactly; unknown where a provider may have worked without telling."""
    unknown = failure is not None and failure.status is None and failure.kind not in _UNCHARGED
    sheet = sheet_on(candidate.offer.price, state.plan.answers.day)
    if sheet is None or (unknown and usage == NO_USAGE):
        return None if unknown or failure is None else 0
    served = failure is None
    cut = not served and state.first_content_at is not None
    ended: Literal["served", "cut", "failed"] = "served" if served else "cut" if cut else "failed"
    return owed(usage, sheet, asked_of(state.plan, candidate), ended=ended)


def asked_of(plan: Plan, candidate: Candidate) -> Mapping[str, Any]:
    """Return what was asked of a candidate, by which prices are read: the shape's defaults too."""
    parameters = plan.request.parameters
    if not candidate.parameters:
        return parameters
    names = {upstream: name for name, upstream in candidate.offer.fields.items()}
    filled = {names.get(name, name): value for name, value in candidate.parameters.items()}
    return {**parameters, **filled}


__all__ = ["CHARACTERS_PER_TOKEN", "asked_of", "attempt_of", "record_of"]
