"""request x table x answers x seed -> plan. The whole opinion of the library lives behind ``plan``.

Laws: equal inputs, equal plan; a pinned model is served by itself, its declared equivalents or not
at all; health only removes, and never the last offer that could be tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from hyperroute.canon.request import Request
from hyperroute.catalog.card import Offer
from hyperroute.routing.candidate import Candidate, Refusal, Rejection
from hyperroute.routing.capsule import opened, sealed
from hyperroute.routing.chains import ordered
from hyperroute.routing.drawing import draw, drawn, drawn_after, drawn_last
from hyperroute.routing.equivalents import asked_price, equivalents, no_dearer
from hyperroute.routing.explain import explain, rejections, to_json
from hyperroute.routing.questions import NOTHING_KNOWN, Answers
from hyperroute.routing.refusing import nothing_left, pin_refused, request_refused
from hyperroute.routing.resolve import resolve_name
from hyperroute.routing.table import Intent, ModelTerm, RouteTable, Rules, Service
from hyperroute.routing.view import View

__all__ = ["Candidate", "Plan", "PlanStep", "Refusal", "Rejection", "plan", "replan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be tried, in order. Equal inputs make equal plans.

    Not slotted: rejections are derived on first reading, from the same inputs.
    """

    request: Request
    table: RouteTable = field(repr=False)
    answers: Answers = field(repr=False)
    seed: int
    name: str
    """The resolved model or intent; as written where nothing resolved."""
    via: tuple[str, ...]
    """Names passed on the way: aliases, intent."""
    pinned: bool
    rules: Rules
    candidates: tuple[Candidate, ...]
    input_tokens: int
    """Counted, or estimated from bytes."""
    counted: bool
    attempts_max: int
    deadline_ns: int
    """From the start of the run."""
    refusal: Refusal | None = None

    @cached_property
    def rejections(self) -> tuple[Rejection, ...]:
        """Every offer that was considered and not used, with the first requirement it failed."""
        return rejections(self)

    def explain(self) -> str:
        """Tell people what will be tried and why, and what will not and why not."""
        return explain(self)

    def to_json(self) -> Mapping[str, Any]:
        """Give the same as plain JSON values; money as exact decimal text, no prompt text."""
        return to_json(self)

    def capsule(self) -> bytes:
        """Give the bytes from which this decision can be made again; no prompt text in them."""
        return sealed(self.request, self.table, self.answers, self.seed)


PlanStep = Literal["alias", "pin", "endpoint", "term", "qualify", "rank", "take"]


def plan(
    request: Request, *, table: RouteTable, answers: Answers = NOTHING_KNOWN, seed: int = 0
) -> Plan:
    """Decide where a request may go, in which order, and at what price.

    Never raises for a request: what cannot be served is a plan without candidates, whose
    ``refusal`` is the caller's answer.

    Args:
        request: As a dialect read it.
        table: Compiled and checked.
        answers: What is known now; unanswered is unknown.
        seed: Draws the arm of a split ``by: req``.
    """
    view = View(request, table, answers, seed)
    resolved = resolve_name(request, table)
    if isinstance(resolved, Refusal):
        return _plan(view, request.model or request.intent or "", (), (), refusal=resolved)
    view.meant(resolved)
    service = resolved.service
    refusal = pin_refused(view, service, resolved.name) if service is not None else None
    refusal = refusal or request_refused(view)
    candidates: tuple[Candidate, ...] = ()
    if refusal is None:
        if service is not None:
            candidates = _pinned(view, service)
        elif resolved.intent is not None:
            candidates = _open(view, resolved.intent)
        if not candidates:
            refusal = nothing_left(view, resolved)
    return _plan(view, resolved.name, resolved.via, candidates, refusal=refusal)


def replan(data: bytes, table: RouteTable) -> Plan:
    """Decide again from a capsule, to the same bytes.

    Args:
        data: What ``Plan.capsule`` wrote.
        table: A table equal to the one of the capsule.

    Raises:
        ValueError: The bytes are no capsule of this version, or belong to another table.
    """
    request, answers, seed = opened(data, table)
    return plan(request, table=table, answers=answers, seed=seed)


def _plan(
    view: View,
    name: str,
    via: tuple[str, ...],
    candidates: tuple[Candidate, ...],
    refusal: Refusal | None = None,
) -> Plan:
    deadline, longest = view.request.narrowing.deadline_ns, view.rules.time_ns
    made = Plan.__new__(Plan)
    # Fields at once, not one by one through the frozen class: a sixth of a decision's time.
    made.__dict__.update(
        request=view.request,
        table=view.table,
        answers=view.answers,
        seed=view.seed,
        name=name,
        via=via,
        pinned=view.pinned,
        rules=view.rules,
        candidates=candidates,
        input_tokens=view.input_tokens,
        counted=view.counted,
        attempts_max=attempts_bound(view, candidates),
        deadline_ns=longest if deadline is None else min(longest, deadline),
        refusal=refusal,
    )
    return made


def attempts_bound(view: View, candidates: tuple[Candidate, ...]) -> int:
    """Bound the attempts of one request: a sum over its candidates, clipped by the cap.

    Where ``batch`` splits the results asked for, every part has its own attempts.
    """
    limit = view.rules.attempts
    if view.at_risk and candidates and candidates[0].last_resort:
        return min(1, limit)
    again, rotate, total = 1 + view.retries, view.rules.rotate, 0
    if again * len(candidates) >= limit:
        return limit
    for candidate in candidates:
        if total >= limit:
            return limit
        offer = candidate.offer
        parts = -(-view.copies_at(offer) // offer.batch) if offer.batch else 1
        total += parts * (again + min(view.spare_keys(offer), rotate))
    return min(total, limit)


def _open(view: View, intent: Intent) -> tuple[Candidate, ...]:
    """Evaluate an intent; if health closed all of it, one last resort."""
    if intent.kind != view.request.kind:
        return ()
    offers = ordered(intent.term, view)
    if offers or not view.at_risk:
        return tuple(draw(offers, view))
    return _last_resort(view, ordered(intent.term, view, open_only=False))


def _pinned(view: View, service: Service) -> tuple[Candidate, ...]:
    """List the model's own offers, then its declared equivalents behind them."""
    own = ordered(ModelTerm(service.model.name), view)
    if not service.instead or not view.request.narrowing.fallback:
        candidates = draw(own, view)
    else:
        candidates = _with_equivalents(own, service, view, open_only=True)
    if candidates and not candidates[0].after:
        return tuple(candidates)
    if not view.at_risk:
        return ()
    closed = ordered(ModelTerm(service.model.name), view, open_only=False)
    if service.instead and view.request.narrowing.fallback:
        everything = _with_equivalents(closed, service, view, open_only=False)
        closed = [candidate.offer for candidate in everything if not candidate.after]
    return _last_resort(view, closed)


def _with_equivalents(
    own: list[Offer], service: Service, view: View, *, open_only: bool
) -> list[Candidate]:
    """Put equivalents behind the model's own offers; those tried first come before the others."""
    asked = asked_price(service, view)
    candidates = draw(own, view)
    listed = {offer.id for offer in own}
    for entry, after in equivalents(service, view):
        for offer in ordered(entry.term, view, open_only=open_only):
            if offer.id not in listed and no_dearer(offer, asked, view):
                listed.add(offer.id)
                candidates.append(drawn_after(offer, view, after) if after else drawn(offer, view))
    if candidates and candidates[0].after:
        # Without an offer of its own the model can fail of nothing, so nothing can come after it.
        candidates = [candidate for candidate in candidates if not candidate.after] + [
            candidate for candidate in candidates if candidate.after
        ]
    return candidates


def _last_resort(view: View, offers: list[Offer]) -> tuple[Candidate, ...]:
    """Try one offer all the same when health closed every one.

    An offer whose single probe is in flight is left to it, one beyond its limits is not to be used,
    and one without a credential that is set cannot be tried at all. Among the rest, one that has a credential not cooling goes first.
    """
    usable = [
        offer
        for offer in offers
        if offer.id not in view.answers.probing and view.usable(offer) and not view.used_up(offer)
    ]
    usable.sort(key=lambda offer: not view.warm(offer))
    return tuple(drawn_last(offer, view) for offer in usable[:1])
