"""Why an offer is not used: the first requirement it fails, in one fixed order.

This is the slow and plain reading of the rules that ``qualify`` applies by bit sets; a property
holds the two together. It runs only when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from hyperroute.canon.units import Instant
from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition, FactRef, Line, Scalar
from hyperroute.catalog.facts import is_offer_fact, line_holds, members, resolve
from hyperroute.routing.candidate import Rejection
from hyperroute.routing.pools import satisfies
from hyperroute.routing.shapes import Misfit
from hyperroute.routing.view import View

Stage = Literal[
    "account",
    "models",
    "providers",
    "kind",
    "endpoint",
    "does",
    "size",
    "client",
    "shape",
    "require",
    "instead",
    "cost",
    "credential",
    "health",
    "take",
]
"""In the order of checking; the further an offer came, the closer it was to being used."""

STAGES: tuple[Stage, ...] = Stage.__args__  # type: ignore[attr-defined]

Demand = tuple[str, Condition]
"""Who requires something, and what."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A rejection and the stage it happened at."""

    stage: Stage
    rejection: Rejection


def reasons(offer: Offer, view: View, demands: tuple[Demand, ...] = ()) -> Iterator[Reason]:
    """Go through the checks in order and yield every one that fails; most readers want the first."""
    yield from _needs(offer, view)
    yield from _sizes(offer, view)
    yield from _form(offer, view)
    for by, condition in (
        *((f"policy {name}", required) for name, required in view.rules.require),
        *demands,
    ):
        for line in condition:
            failing = _line(offer, line, by, view)
            if failing is not None:
                yield failing
    yield from _money(offer, view)
    yield from closed(offer, view)


def _reason(  # noqa: PLR0917 - the columns of one row, in the order they are read
    stage: Stage, offer: Offer, what: str, needed: object, had: object, by: str
) -> Reason:
    rejection = Rejection(
        offer=offer.id, requirement=what, needed=worded(needed), had=worded(had), by=by
    )
    return Reason(stage, rejection)


def _needs(offer: Offer, view: View) -> Iterator[Reason]:
    request, narrowing = view.request, view.request.narrowing
    if narrowing.account is not None and offer.provider != narrowing.account:
        yield _reason(
            "account", offer, "account", narrowing.account, offer.provider, "the stored state"
        )
    if narrowing.models is not None and not view.may_use(view.name_of(offer)):
        yield _reason("models", offer, "models", narrowing.models, offer.model, "the key")
    if narrowing.only is not None and offer.provider not in narrowing.only:
        yield _reason(
            "providers", offer, "providers.only", narrowing.only, offer.provider, "the request"
        )
    if offer.provider in narrowing.avoid:
        needed = f"not {', '.join(narrowing.avoid)}"
        yield _reason("providers", offer, "providers.avoid", needed, offer.provider, "the request")
    if offer.kind != request.kind:
        yield _reason("kind", offer, "kind", request.kind, offer.kind, "the request")
    if request.endpoint and request.endpoint not in offer.endpoints:
        yield _reason(
            "endpoint", offer, "endpoints", request.endpoint, offer.endpoints, "the request"
        )
    if not request.features <= offer.does:
        lacking = request.features - offer.does
        yield _reason("does", offer, "does", lacking, offer.does, "the request")


def _sizes(offer: Offer, view: View) -> Iterator[Reason]:
    output = view.request.max_output or 0
    for name, limit, need, loose in (
        ("context", offer.context, view.context_needed, view.may_guess(view.context_needed)),
        ("input", offer.input, view.input_tokens, True),
        ("output", offer.output, output, view.may_guess(output)),
    ):
        if not (loose if limit is None else limit >= need):
            yield _reason("size", offer, name, f"{need} tokens", limit, "the request")


def _form(offer: Offer, view: View) -> Iterator[Reason]:
    clients = view.index.model_of(offer).clients
    if clients is not None and view.fact("req.client") not in clients:
        yield _reason("client", offer, "clients", clients, view.fact("req.client"), "the model")
    fitted = view.fitted(offer)
    if isinstance(fitted, Misfit):
        yield _reason("shape", offer, fitted.parameter, fitted.needed, fitted.had, "the shape")


def _line(offer: Offer, line: Line, by: str, view: View) -> Reason | None:
    values = resolve(line, view.fact)
    needed = line.text or f"{line.op} {worded(values)}"
    if any(isinstance(value, FactRef) for value in line.values):
        needed = f"{line.op} {worded(values)}"
    if not is_offer_fact(line.fact):
        if line_holds(line, view.fact):
            return None
        return _reason("require", offer, line.fact, needed, view.fact(line.fact), by)
    had = view.fact_of(offer, line.fact)
    if satisfies(line, had, values):
        return None
    return _reason("require", offer, line.fact, needed, had, by)


def _money(offer: Offer, view: View) -> Iterator[Reason]:
    cap, most = view.rules.cost, view.request.narrowing.max_cost
    if cap is not None:
        price = view.price(offer)
        if price is None or price > view.scaled(cap):
            needed, had = f"at most {cap} usd", money(price, view)
            yield _reason("cost", offer, "cost", needed, had, "a policy's cap")
    if most is not None:
        price = view.selling_price(offer)
        if price is None or price > view.scaled(most):
            needed, had = f"at most {most} usd", money(price, view)
            yield _reason("cost", offer, "max_cost", needed, had, "the request")


def closed(offer: Offer, view: View) -> Iterator[Reason]:
    """Say what known at this instant speaks against an offer: credentials, then health."""
    answers = view.answers
    keys = view.credentials_of(offer)
    if not view.usable(offer):
        any_of = sorted({answers.missing[key] for key in keys if key in answers.missing})
        all_of = [answers.missing[offer.provider]] if offer.provider in answers.missing else []
        if any_of and all(key in answers.missing for key in keys):
            all_of.append(" or ".join(any_of))
        needed = " and ".join(dict.fromkeys(all_of))
        yield _reason("credential", offer, "credential", needed, "not set", "")
    if offer.id in answers.probing:
        yield _reason("health", offer, "health", "no probe in flight", "one in flight", "")
    for scope, key in (
        ("offer", f"offer:{offer.id}"),
        ("provider", f"provider:{offer.provider}"),
    ):
        if view.blocked(key):
            yield _reason(
                "health", offer, "health", "closed circuit", _cooling(key, scope, view), ""
            )
    for key in (f"offer:{offer.id}", f"provider:{offer.provider}", f"model:{offer.model}"):
        if view.is_full(key):
            had = _left(view.answers.full[key], f"{key.partition(':')[0]} used up", view)
            yield _reason("health", offer, "limit", "room within its limits", had, "")
    if view.usable(offer) and not view.warm(offer):
        yield _reason("health", offer, "health", "a credential not cooling", "none", "")


def _cooling(key: str, scope: str, view: View) -> str:
    return _left(view.answers.blocked[key], f"{scope} left alone", view)


def _left(until: Instant, what: str, view: View) -> str:
    return f"{what} for another {-(-(until - view.answers.at) // 1_000_000)} ms"


# --- words ---------------------------------------------------------------------------------------
def money(units: int | None, view: View) -> str | None:
    """Show an exact amount in dollars, all digits and no trailing zeros."""
    if units is None:
        return None
    return f"{plain(Decimal(units) / view.table.scale)} usd"


def plain(amount: Decimal) -> str:
    """Write a decimal without exponent and trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def worded(value: object) -> str:
    """Write any fact the same way in any process; unknown is a word, not an empty place."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, tuple | frozenset):
        values: tuple[Scalar, ...] = members(value)
        return ", ".join(worded(one) for one in values) or "none"
    return str(value)
