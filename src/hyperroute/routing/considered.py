"""What a decision looked at: every offer a request could have meant, used or not, with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from hyperroute.catalog.card import Offer
from hyperroute.routing.candidate import Rejection
from hyperroute.routing.chains import chosen, matched, pool_of
from hyperroute.routing.equivalents import asked_price, equivalents, no_dearer
from hyperroute.routing.resolve import Resolved
from hyperroute.routing.table import (
    ChainTerm,
    First,
    From,
    IntentTerm,
    Match,
    ModelTerm,
    NoOffers,
    OfferTerm,
    Restrict,
    Service,
    Split,
    Term,
)
from hyperroute.routing.view import View
from hyperroute.routing.why import Demand, Reason, money, reasons, worded

Considered = tuple[Offer, tuple[Demand, ...], str]
"""An offer, what terms around it require, and who takes only some of many (empty: nobody)."""


def considered(term: Term, view: View, by: str) -> Iterator[Considered]:
    """Walk a term as ``chains.ordered`` does, but drop nothing."""
    match term:
        case NoOffers():
            return
        case ModelTerm() | OfferTerm() | From():
            yield from _leaf(term, view, by)
        case IntentTerm(name):
            yield from considered(view.table.intents[name].term, view, f"intent {name}")
        case ChainTerm(name):
            yield from considered(view.table.chains[name].term, view, f"chain {name}")
        case First(terms):
            for one in terms:
                yield from considered(one, view, by)
        case Split():
            for arm in chosen(term, view):
                yield from considered(arm.term, view, by)
        case Match(arms):
            yield from considered(matched(arms, view), view, by)
        case Restrict(inner, require, _, take):
            demand: tuple[Demand, ...] = ((by, require),) if require else ()
            taker = "" if take is None else f"{by} takes {take}"
            for offer, demands, innermost in considered(inner, view, by):
                yield offer, demands + demand, innermost or taker


def _leaf(term: ModelTerm | OfferTerm | From, view: View, by: str) -> Iterator[Considered]:
    if isinstance(term, ModelTerm):
        service = view.table.services.get(term.name)
        if service is not None and service.use is not None:
            yield from considered(service.use, view, by)
            return
    pool = pool_of(term, view)
    yield from ((offer, (), "") for offer in (pool.offers if pool is not None else ()))


def all_reasons(
    view: View, resolved: Resolved, used: frozenset[str], most: int | None = None
) -> tuple[Reason, ...]:
    """Give every offer that was considered and not used its first reason, in order of looking.

    ``most`` ends the search early, for an error that need not be exhaustive.
    """
    found: dict[str, Reason] = {}
    if resolved.service is not None:
        walk: Iterator[tuple[Considered, str]] = _pinned(resolved.service, view)
    elif resolved.intent is not None:
        walk = (
            (one, "") for one in considered(resolved.intent.term, view, f"intent {resolved.name}")
        )
    else:
        return ()
    for (offer, demands, taker), instead in islice(walk, most):
        if offer.id in used or offer.id in found:
            continue
        reason = _instead(offer, instead) or next(reasons(offer, view, demands), None)
        found[offer.id] = reason or _dearer(offer, resolved, view) or _left_out(offer, taker)
    return tuple(found.values())


def _pinned(service: Service, view: View) -> Iterator[tuple[Considered, str]]:
    for one in considered(ModelTerm(service.model.name), view, f"model {service.model.name}"):
        yield one, ""
    forbidden = "" if view.request.narrowing.fallback else "fallback"
    for entry, _ in equivalents(service, view):
        for one in considered(entry.term, view, f"instead of {service.model.name}"):
            yield one, forbidden


def _instead(offer: Offer, forbidden: str) -> Reason | None:
    if not forbidden:
        return None
    rejection = Rejection(
        offer=offer.id,
        requirement="fallback",
        needed="the model itself",
        had="an equivalent",
        by="the request",
    )
    return Reason("instead", rejection)


def _dearer(offer: Offer, resolved: Resolved, view: View) -> Reason | None:
    """Say that an equivalent would cost the caller more, or that nobody knows."""
    service = resolved.service
    if service is None or offer.model == service.model.name:
        return None
    asked = asked_price(service, view)
    if no_dearer(offer, asked, view):
        return None
    rejection = Rejection(
        offer=offer.id,
        requirement="instead",
        needed=f"at most {worded(money(asked, view))}, the price of {service.model.name}",
        had=worded(money(view.selling_price(offer), view)),
        by=f"model {service.model.name}",
    )
    return Reason("instead", rejection)


def _left_out(offer: Offer, taker: str) -> Reason:
    rejection = Rejection(
        offer=offer.id,
        requirement="take",
        needed="a place among those taken",
        had="a later place",
        by=taker,
    )
    return Reason("take", rejection)
