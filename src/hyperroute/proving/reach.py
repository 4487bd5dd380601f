"""Terms looked through: which offers one can ever list, which it surely does, what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce

from hyperroute.catalog.card import Offer
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
    RouteTable,
    Split,
    Term,
)


def reached(term: Term, table: RouteTable) -> dict[str, Offer]:
    """Give every offer that some request may find in a term, by id, in the order of looking."""
    found: dict[str, Offer] = {}
    for leaf in _leaves(term, table):
        offers: tuple[Offer, ...] = ()
        if isinstance(leaf, ModelTerm):
            service = table.services.get(leaf.name)
            offers = () if service is None else service.model.offers
        elif isinstance(leaf, OfferTerm):
            offers = (table.offers[leaf.id],) if leaf.id in table.offers else ()
        elif isinstance(leaf, From):
            offers = tuple(
                offer for name in leaf.models for offer in table.services[name].model.offers
            )
        for offer in offers:
            found.setdefault(offer.id, offer)
    return found


def _leaves(term: Term, table: RouteTable) -> Iterator[Term]:
    """Follow names to the terms that list offers themselves."""
    inner: Iterable[Term] = ()
    match term:
        case IntentTerm(name):
            inner = (table.intents[name].term,)
        case ChainTerm(name):
            inner = (table.chains[name].term,)
        case Restrict(one):
            inner = (one,)
        case First(terms):
            inner = terms
        case Split(arms=arms):
            inner = [arm.term for arm in arms]
        case Match(pairs):
            inner = [one for _, one in pairs]
        case ModelTerm(name) if own := _own_order(name, table):
            inner = (own,)
        case NoOffers() | ModelTerm() | OfferTerm() | From():
            yield term
    for one in inner:
        yield from _leaves(one, table)


def _own_order(name: str, table: RouteTable) -> Term | None:
    """Find the order a model declares, unless it is the one that it has anyway."""
    service = table.services.get(name)
    return None if service is None or service.use == ModelTerm(name) else service.use


def listed(term: Term, table: RouteTable) -> frozenset[str]:
    """Give the offers that a term lists for every request that they can serve."""
    match term:
        case IntentTerm(name):
            return listed(table.intents[name].term, table)
        case ChainTerm(name):
            return listed(table.chains[name].term, table)
        case Restrict(inner, require, _, take):
            return frozenset() if require or take is not None else listed(inner, table)
        case First(terms):
            return frozenset[str]().union(*(listed(one, table) for one in terms))
        case Split(arms=arms, rest=True):
            return frozenset[str]().union(*(listed(arm.term, table) for arm in arms))
        case Split(arms=arms):
            return _in_all(listed(arm.term, table) for arm in arms)
        case Match(arms):
            return _in_all(listed(one, table) for _, one in arms)
        case ModelTerm(name) if own := _own_order(name, table):
            return listed(own, table)
        case _:
            return frozenset(reached(term, table))


def _in_all(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    return reduce(frozenset.intersection, parts)


def owned(table: RouteTable) -> Iterator[tuple[str, Term]]:
    """Give every term of the intents and chains with its owner in words."""
    yield from ((f"intent {name}", one.term) for name, one in table.intents.items())
    yield from ((f"chain {name}", one.term) for name, one in table.chains.items())


def parts(term: Term) -> Iterator[Term]:
    """Give a term and all that is written in it, outermost first; names are not followed."""
    yield term
    inner: Iterable[Term] = ()
    match term:
        case Restrict(one):
            inner = (one,)
        case First(terms):
            inner = terms
        case Split(arms=arms):
            inner = [arm.term for arm in arms]
        case Match(pairs):
            inner = [one for _, one in pairs]
        case _:
            pass
    for one in inner:
        yield from parts(one)
