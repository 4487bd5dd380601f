"""``dead-offer``: an offer that no request can be served by."""

from __future__ import annotations

from collections.abc import Iterator

from hyperroute.proving.lints.certain import excluded
from hyperroute.proving.lints.ground import Finding, Ground
from hyperroute.proving.reach import reached
from hyperroute.routing.table import ModelTerm, Term


def find(ground: Ground) -> Iterator[Finding]:
    """Look at every offer for a policy that always applies, and for a way that leads to it."""
    table = ground.table
    terms: list[Term] = [intent.term for intent in table.intents.values()]
    terms += [chain.term for chain in table.chains.values()]
    terms += [entry.term for service in table.services.values() for entry in service.instead]
    elsewhere = {name for term in terms for name in reached(term, table)}
    for service, spot in ground.services():
        own = reached(ModelTerm(service.model.name), table)
        for at, offer in enumerate(service.model.offers):
            place = spot / "offers" / at
            reason = excluded(offer, {"req.kind": offer.kind}, table)
            if reason is not None:
                yield Finding(place, f"{offer.id} serves nobody: {reason}")
            elif not offer.endpoints:
                yield Finding(place, f"{offer.id} serves nobody: it accepts no endpoint")
            elif offer.id not in own and offer.id not in elsewhere:
                yield Finding(place, f"{offer.id} serves nobody: the model's use leaves it out")
