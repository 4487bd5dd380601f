"""A table with one thing changed. Everything that hangs on the old one is left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.facts import holds, model_fact
from hyperroute.catalog.price import Price
from hyperroute.routing.table import (
    First,
    From,
    Instead,
    Match,
    OfferTerm,
    Policy,
    Restrict,
    RouteTable,
    Service,
    Split,
    Term,
)

Rewrite = Callable[[Term], Term]


def with_offer(table: RouteTable, offer: Offer) -> RouteTable:
    """Put an offer in the place of the one with its id."""
    service = table.services[offer.model]
    offers = tuple(offer if one.id == offer.id else one for one in service.model.offers)
    return _with_model(table, replace(service.model, offers=offers))


def with_model(table: RouteTable, model: Model) -> RouteTable:
    """Put a model in the place of the one with its name, and select anew what is selected by facts."""
    changed = _with_model(table, model)
    return with_terms(changed, partial(selected, table=changed))


def _with_model(table: RouteTable, model: Model) -> RouteTable:
    service = replace(table.services[model.name], model=model)
    return replace(
        table,
        services={**table.services, model.name: service},
        offers={**table.offers, **{offer.id: offer for offer in model.offers}},
    )


def selected(term: Term, table: RouteTable) -> Term:
    """Resolve a condition over models again; one of another kind is dropped by every request."""
    if not isinstance(term, From):
        return term
    names = tuple(
        name
        for name, service in table.services.items()
        if service.model.listed
        and not service.model.is_pattern
        and holds(term.condition, partial(model_fact, service.model))
    )
    return From(term.condition, names)


def finer(table: RouteTable, times: int) -> RouteTable:
    """Write all money of a table in units so many times smaller; nothing else changes."""

    def sheets(price: Price) -> Price:
        return tuple(
            replace(
                sheet,
                rates={meter: rate * times for meter, rate in sheet.rates.items()},
                tiers=tuple(
                    replace(tier, rates={meter: rate * times for meter, rate in tier.rates.items()})
                    for tier in sheet.tiers
                ),
            )
            for sheet in price
        )

    services: dict[str, Service] = {}
    for name, service in table.services.items():
        model, sell = service.model, service.model.sell
        offers = tuple(replace(offer, price=sheets(offer.price)) for offer in model.offers)
        sold = sell if sell.price is None else replace(sell, price=sheets(sell.price))
        services[name] = replace(service, model=replace(model, offers=offers, sell=sold))
    found = {offer.id: offer for one in services.values() for offer in one.model.offers}
    return replace(table, scale=table.scale * times, services=services, offers=found)


def with_policy(table: RouteTable, policy: Policy) -> RouteTable:
    """Put a policy in the place of the one with its name."""
    policies = tuple(policy if one.name == policy.name else one for one in table.policies)
    return replace(table, policies=policies)


def with_equivalent(table: RouteTable, name: str, offer: Offer) -> RouteTable:
    """Add an offer to the equivalents of a model."""
    service = table.services[name]
    added = replace(service, instead=(*service.instead, Instead(OfferTerm(offer.id))))
    return replace(table, services={**table.services, name: added})


def with_terms(table: RouteTable, rewrite: Rewrite) -> RouteTable:
    """Rewrite every term of the table, innermost first."""
    return replace(
        table,
        intents={
            name: replace(one, term=rewritten(one.term, rewrite))
            for name, one in table.intents.items()
        },
        chains={
            name: replace(one, term=rewritten(one.term, rewrite))
            for name, one in table.chains.items()
        },
    )


def rewritten(term: Term, rewrite: Rewrite) -> Term:
    """Rewrite a term and all that is written in it."""
    match term:
        case First(terms):
            term = First(tuple(rewritten(one, rewrite) for one in terms))
        case Split(arms=arms):
            inner = tuple(replace(arm, term=rewritten(arm.term, rewrite)) for arm in arms)
            term = replace(term, arms=inner)
        case Match(pairs):
            term = Match(tuple((when, rewritten(one, rewrite)) for when, one in pairs))
        case Restrict(one):
            term = replace(term, term=rewritten(one, rewrite))
        case _:
            pass
    return rewrite(term)


def swap(old: Term, new: Term) -> Rewrite:
    """Put one term wherever another stands."""
    return lambda term: new if term == old else term
