"""Why a request gets no candidate: one clean error, about the caller's own request and rights.

Laws: nothing here holds a credential, an upstream's address or the caller's own words; a message
says what would work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from hyperroute.canon.units import SECOND
from hyperroute.catalog.card import Offer
from hyperroute.routing.candidate import Refusal
from hyperroute.routing.considered import all_reasons
from hyperroute.routing.resolve import PATHS, Resolved, available, of_kind
from hyperroute.routing.shapes import Misfit
from hyperroute.routing.table import Service
from hyperroute.routing.view import View
from hyperroute.routing.why import STAGES, Reason, closed

_SEARCHED = 2_000
"""Offers looked at for the cause of an error, and for one that works now."""


def pin_refused(view: View, service: Service, name: str) -> Refusal | None:
    """Refuse a pinned model for the wrong client, at the wrong endpoint, or in the wrong shape."""
    model, request = service.model, view.request
    if not view.may_use(name):
        return Refusal(
            status=403,
            code="no_candidate",
            message=f"Model {name!r} is not open to this key.",
            param="model",
            available=available(view.table, request),
        )
    if model.clients is not None and view.fact("req.client") not in model.clients:
        return Refusal(
            status=403,
            code="no_candidate",
            message=f"Model {name!r} is not open to this client.",
            param="model",
        )
    entered = not request.endpoint or request.endpoint in model.endpoints
    if not entered or request.kind != model.kind:
        return wrong_endpoint(view, name, model.endpoints)
    fitted = view.fitted_model(model)
    if isinstance(fitted, Misfit):
        return misfit_refused(fitted, f"model {name!r}")
    return None


def misfit_refused(misfit: Misfit, whom: str) -> Refusal:
    """Name the parameter and what it may be."""
    message = f"Parameter {misfit.parameter!r} of {whom} must be {misfit.needed}, not {misfit.had}."
    if misfit.needed == "given":
        message = f"Parameter {misfit.parameter!r} is required by {whom}."
    elif misfit.needed == "absent":
        message = f"Parameter {misfit.parameter!r} is not accepted by {whom} here."
    return Refusal(status=400, code="invalid_parameter", message=message, param=misfit.parameter)


def wrong_endpoint(view: View, name: str, endpoints: Iterable[str]) -> Refusal:
    """Name the path that would have served."""
    paths = [PATHS[endpoint] for endpoint in PATHS if endpoint in set(endpoints)]
    where = f"use {' or '.join(paths)}" if paths else "no endpoint serves it"
    return Refusal(
        status=400,
        code="wrong_endpoint",
        message=f"{name!r} is not served at this endpoint: {where}.",
        param="model",
        available=available(view.table, view.request),
    )


def request_refused(view: View) -> Refusal | None:
    """Refuse what policies cap, before any offer is looked at."""
    rules, request = view.rules, view.request
    if rules.input is not None and view.input_tokens > rules.input:
        said = "has" if view.counted else "has about"
        return Refusal(
            status=400,
            code="over_cap",
            message=f"The input {said} {view.input_tokens} tokens; at most {rules.input} are "
            "allowed here.",
        )
    if rules.output is not None and (request.max_output or 0) > rules.output:
        return Refusal(
            status=400,
            code="over_cap",
            message=f"{request.max_output} output tokens were asked for; at most {rules.output} "
            "are allowed here.",
            param="max_tokens",
        )
    return None


def nothing_left(view: View, resolved: Resolved) -> Refusal:
    """Answer by the offer that came closest: what kept that one is what the caller can change."""
    name = resolved.name
    intent = resolved.intent
    if intent is not None and intent.kind != view.request.kind:
        return wrong_endpoint(view, name, of_kind(intent.kind))
    reasons = all_reasons(view, resolved, frozenset(), _SEARCHED)
    if not reasons:
        return Refusal(
            status=400,
            code="model_not_found",
            message=f"{name!r} is known here, but no provider offers it.",
            param="model",
            available=available(view.table, view.request),
        )
    if resolved.service is not None:
        # Why the model itself cannot serve is what its caller wants to know; equivalents come after.
        own = {offer.id for offer in resolved.service.model.offers}
        reasons = tuple(one for one in reasons if one.rejection.offer in own) or reasons
    furthest = max(STAGES.index(reason.stage) for reason in reasons)
    closest = [reason for reason in reasons if reason.stage == STAGES[furthest]]
    return replace(_refusal(closest, name, view), looked=True)


def _refusal(closest: list[Reason], name: str, view: View) -> Refusal:
    first = closest[0].rejection
    match closest[0].stage:
        case "credential":
            return _no_credential(closest, name, view)
        case "size":
            return _too_large(closest, name, view)
        case "cost":
            return Refusal(
                status=400,
                code="over_cap",
                message=f"No offer of {name!r} is known to cost {first.needed} for this request.",
                param="max_cost" if first.requirement == "max_cost" else "",
            )
        case "shape":
            return Refusal(
                status=400,
                code="invalid_parameter",
                message=f"No offer of {name!r} takes this request: parameter "
                f"{first.requirement!r} must be {first.needed}, not {first.had}.",
                param=first.requirement,
            )
        case "account":
            return Refusal(
                status=400,
                code="invalid_parameter",
                message=f"What this request refers to is kept by a provider that does not offer "
                f"{name!r} here: send the whole conversation.",
                param="previous_response_id",
            )
        case "models":
            return Refusal(
                status=403,
                code="no_candidate",
                message=f"No model of {name!r} is open to this key.",
                param="model",
            )
        case "require" | "client":
            said = f" ({first.by})" if first.by else ""
            return Refusal(
                status=403,
                code="no_candidate",
                message=f"No offer of {name!r} is open to this caller: {first.requirement} must be "
                f"{first.needed}{said}.",
                param="model",
            )
        case "health" | "take":
            return Refusal(
                status=503,
                code="no_candidate",
                message=f"No offer of {name!r} can be tried now; try again shortly.",
                retry_after_s=_soonest(closest, view),
            )
        case _:
            return Refusal(
                status=400,
                code="no_candidate",
                message=f"No offer of {name!r} serves this request: {first.requirement} needs "
                f"{first.needed}, the closest has {first.had}.",
                param="model",
            )


def _soonest(closest: list[Reason], view: View) -> int | None:
    """Say in how many seconds the first offer is out of what is known to keep it away, rounded up."""
    answers = view.answers
    waits: list[int] = []
    for reason in closest:
        offer = view.index.offers[reason.rejection.offer]
        keys = (f"offer:{offer.id}", f"provider:{offer.provider}", f"model:{offer.model}")
        ends = [found.get(key, 0) for key in keys for found in (answers.full, answers.blocked)]
        if max(ends) > answers.at:
            waits.append(max(ends) - answers.at)
    return max(1, -(-min(waits) // SECOND)) if waits else None


def _no_credential(closest: list[Reason], name: str, view: View) -> Refusal:
    wanted = list(dict.fromkeys(reason.rejection.needed for reason in closest))
    working = _works_now(view)
    instead = f" {working!r} works now." if working else ""
    return Refusal(
        status=503,
        code="no_credential",
        message=f"No credential is set for {name!r}: it needs {' or '.join(wanted)}.{instead}",
        param="model",
        available=(working,) if working else (),
    )


def _works_now(view: View) -> str | None:
    """Find a model of this endpoint with an offer that nothing speaks against."""

    def fine(offer: Offer) -> bool:
        return offer.kind == view.request.kind and next(closed(offer, view), None) is None

    names = (
        offer.model
        for name in available(view.table, view.request)
        for offer in view.table.services[name].model.offers
        if fine(offer)
    )
    return next(islice(names, _SEARCHED), None)


def _too_large(closest: list[Reason], name: str, view: View) -> Refusal:
    first = closest[0].rejection
    known = [int(reason.rejection.had) for reason in closest if reason.rejection.had.isdigit()]
    most = f"at most {max(known)}" if known else "an unknown number"
    said = "" if view.counted else "about "
    output = view.request.max_output
    asked = f" and {output} of output" if output else ""
    return Refusal(
        status=400,
        code="context_length",
        message=f"The request is too long for {name!r}: {said}{view.input_tokens} tokens of input"
        f"{asked}; its {first.requirement} holds {most}.",
        param="max_tokens" if first.requirement == "output" else "",
    )
