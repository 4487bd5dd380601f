"""Equivalents are only used where they cost the caller no more: at which sizes is that so?

Where an equivalent is cheaper in every rate, or dearer in every one, it always is or never is. Else it
depends on input and output together, and no finite set of sizes stands for all of them: then what a
request can come to if nobody compared prices is the bound, and the sizes at which two prices meet are
looked at to come near it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from hyperroute.bounds.reach import Reach
from hyperroute.catalog.card import Offer
from hyperroute.catalog.price import Sell, Sheet
from hyperroute.catalog.pricing import linear
from hyperroute.routing.table import RouteTable

Rates = list[tuple[int, int]]
"""Input and output rate of every tier, a hundredfold, so that a margin in percent stays whole."""

DEAR = 10**18


def depends(reach: Reach) -> bool:
    """Say whether it depends on a request's sizes which equivalents may be used."""
    for own, other in _pairs(reach):
        if own is None or other is None:
            return True
        always = all(o[0] <= r[0] and o[1] <= r[1] for r, o in product(own, other))
        never = all(o[0] > r[0] and o[1] > r[1] for r, o in product(own, other))
        if not (always or never):
            return True
    answers = {_always(own, other) for own, other in _pairs(reach) if own and other}
    return len(answers) > 1


def meetings(reach: Reach, output: int) -> Iterator[int]:
    """Give the input sizes at which an equivalent's price meets that of an own offer."""
    for own, other in _pairs(reach):
        for (rate_in, rate_out), (their_in, their_out) in product(own or (), other or ()):
            if their_in != rate_in:
                yield (rate_out - their_out) * output // (their_in - rate_in)


def undearer(table: RouteTable, name: str) -> RouteTable:
    """Return a table in which every equivalent of a model costs less than the model."""
    service = table.services[name]
    rates = {"in": DEAR, "out": DEAR} if service.model.kind in ("chat", "embed") else {"call": DEAR}
    sell = Sell(price=(Sheet(rates=rates, steps={}),))
    dear = replace(service, model=replace(service.model, sell=sell))
    return replace(table, services={**table.services, name: dear})


def _always(own: Rates, other: Rates) -> bool:
    return all(o[0] <= r[0] and o[1] <= r[1] for r, o in product(own, other))


def _pairs(reach: Reach) -> Iterator[tuple[Rates | None, Rates | None]]:
    service = reach.service
    if service is None or not service.instead:
        return
    own = {offer.id for offer in service.model.offers}
    others = [offer for offer in reach.offers if offer.id not in own]
    for offer, other in product(service.model.offers, others):
        yield _sold(reach, offer), _sold(reach, other)


def _sold(reach: Reach, offer: Offer) -> Rates | None:
    """Read the rates that a caller pays; ``None`` where two rates are not enough."""
    model = reach.table.services[offer.model].model
    price = offer.price if model.sell.price is None else model.sell.price
    margin = 100 if model.sell.price is not None else 100 + (model.sell.margin_percent or 0)
    shaped = offer.takes is not None or model.takes is not None
    line = linear(price[-1]) if price and not shaped else None
    if line is None:
        return None
    tiers = [(line.input, line.output), *((one, other) for _, one, other in line.tiers)]
    return [(rate_in * margin, rate_out * margin) for rate_in, rate_out in tiers]


__all__ = ["depends", "meetings", "undearer"]
