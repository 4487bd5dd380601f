"""What a name can reach in its table: terms, offers, conditions; and its terms without ``take``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hyperroute.canon.request import Kind
from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.condition import Condition
from hyperroute.routing.inquiry import walk
from hyperroute.routing.table import (
    ChainTerm,
    First,
    From,
    Intent,
    Match,
    ModelTerm,
    OfferTerm,
    Policy,
    Restrict,
    RouteTable,
    Service,
    Split,
    Term,
)

CHAIN = "chain:"
"""Before a chain's name, where it is asked for as if it were an intent."""


@dataclass(frozen=True)
class Reach:
    """Everything that a request for one name can come upon. Not slotted: it finds things once."""

    table: RouteTable
    name: str
    kind: Kind
    terms: tuple[Term, ...]
    service: Service | None = None

    @cached_property
    def parts(self) -> tuple[Term, ...]:
        """Every term below the name's own, each occurrence."""
        return tuple(part for term in self.terms for part in walk(term, self.table))

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """Every offer that some request of the name could be tried at, each once."""
        found: dict[str, Offer] = {}
        for part in self.parts:
            if isinstance(part, OfferTerm) and part.id in self.table.offers:
                found[part.id] = self.table.offers[part.id]
            names = (part.name,) if isinstance(part, ModelTerm) else ()
            for name in part.models if isinstance(part, From) else names:
                service = self.table.services.get(name)
                if service is not None and (service.use is None or isinstance(part, From)):
                    found.update({offer.id: offer for offer in service.model.offers})
        return tuple(offer for offer in found.values() if offer.kind == self.kind)

    @cached_property
    def models(self) -> tuple[Model, ...]:
        """The models of those offers, each once."""
        names = dict.fromkeys(offer.model for offer in self.offers)
        return tuple(self.table.services[name].model for name in names)

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """The policies that some request of this kind is under."""
        return tuple(one for one in self.table.policies if not elsewhere(one.when, self.kind))

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition that a plan for the name may read."""
        found = [policy.when for policy in self.policies]
        found += [policy.require for policy in self.policies]
        for part in self.parts:
            if isinstance(part, Match):
                found += [condition for condition, _ in part.arms]
            elif isinstance(part, Restrict):
                found.append(part.require)
        return tuple(condition for condition in found if condition)

    @cached_property
    def takes(self) -> bool:
        """Whether some list is cut, so that an outage can let in what was left out."""
        return any(isinstance(part, Restrict) and part.take is not None for part in self.parts)

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """The splits on the way."""
        return tuple(part for part in self.parts if isinstance(part, Split))

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """Rank keys that are measured, so that any order among equals may be met."""
        names = {key.name for part in self.parts if isinstance(part, Restrict) for key in part.rank}
        return tuple(sorted(n for n in names if n.partition(".")[0] not in _FROM_TABLE))

    def asked(self) -> dict[str, Any]:
        """Say how a request names this."""
        if self.service is None:
            return {"intent": self.name}
        return {"model": self.name.replace("*", "any")}


_FROM_TABLE = frozenset({"cost", "sell", "quality"})


def reach(table: RouteTable, name: str) -> Reach | None:
    """Find what a model, an intent or (as ``chain:NAME``, see ``askable``) a chain can reach."""
    service = table.services.get(name)
    if service is not None:
        terms = (ModelTerm(name), *(entry.term for entry in service.instead))
        return Reach(table, name, service.model.kind, terms, service)
    intent = table.intents.get(name)
    if intent is not None:
        return Reach(table, name, intent.kind, (intent.term,))
    return None


def askable(table: RouteTable, chain: str) -> RouteTable:
    """Add intents that mean nothing but a chain, one for each kind of what it reaches."""
    made = {
        f"{CHAIN}{chain}/{kind}": Intent(
            name=f"{CHAIN}{chain}/{kind}", kind=kind, term=ChainTerm(chain), default={}
        )
        for kind in _kinds(table, chain)
    }
    return replace(table, intents={**table.intents, **made})


def asked_chains(table: RouteTable, chain: str) -> tuple[str, ...]:
    """Name the intents that ``askable`` adds for a chain."""
    return tuple(f"{CHAIN}{chain}/{kind}" for kind in _kinds(table, chain))


def _kinds(table: RouteTable, chain: str) -> tuple[Kind, ...]:
    found: set[Kind] = set()
    for part in walk(ChainTerm(chain), table):
        if isinstance(part, OfferTerm):
            found.add(table.offers[part.id].kind)
        names = (part.name,) if isinstance(part, ModelTerm) else ()
        for name in part.models if isinstance(part, From) else names:
            found.add(table.services[name].model.kind)
    return tuple(sorted(found))


def untaken(table: RouteTable) -> RouteTable:
    """Return the table as it would be if no list were ever cut: what outages may bring to light."""
    services: Mapping[str, Service] = table.services
    cut = {
        name: replace(service, use=uncut(service.use))
        for name, service in services.items()
        if service.use is not None
    }
    if cut:
        services = {**services, **cut}
    return replace(
        table,
        services=services,
        intents={n: replace(one, term=uncut(one.term)) for n, one in table.intents.items()},
        chains={n: replace(one, term=uncut(one.term)) for n, one in table.chains.items()},
    )


def uncut(term: Any) -> Any:
    """Return a term whose every ``take`` was taken away."""
    match term:
        case Restrict(inner, require, rank, _):
            return Restrict(uncut(inner), require, rank)
        case First(terms):
            return First(tuple(map(uncut, terms)))
        case Split(by, arms, salt, rest):
            return Split(by, tuple(replace(arm, term=uncut(arm.term)) for arm in arms), salt, rest)
        case Match(arms):
            return Match(tuple((condition, uncut(inner)) for condition, inner in arms))
        case _:
            return term


def proved_names(table: RouteTable) -> Iterator[str]:
    """List what a caller can ask for and something serves: models, then intents."""
    for name, service in table.services.items():
        if service.model.offers or service.instead:
            yield name
    yield from table.intents


def elsewhere(when: Condition, kind: str) -> bool:
    """Say whether a condition can never hold of a request of this kind."""
    return any(
        line.fact == "req.kind" and line.op in ("equal", "=") and kind not in line.values
        for line in when
    )


__all__ = [
    "CHAIN",
    "Reach",
    "askable",
    "asked_chains",
    "elsewhere",
    "proved_names",
    "reach",
    "uncut",
    "untaken",
]
