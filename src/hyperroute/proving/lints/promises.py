"""``impossible-promise``: a promise that cannot hold, told without a search."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Fact
from hyperroute.catalog.facts import line_holds, offer_fact
from hyperroute.proving.lints.certain import Known, excluded, rules, taught
from hyperroute.proving.lints.ground import Finding, Ground
from hyperroute.proving.reach import reached
from hyperroute.routing.table import ModelTerm, Promise, RouteTable
from hyperroute.tables.report import Spot


def find(ground: Ground) -> Iterator[Finding]:
    """Compare what is promised with what the table certainly allows."""
    table = ground.table
    for service, spot in ground.services():
        if service.promise is not None:
            offers = list(reached(ModelTerm(service.model.name), table).values())
            for other in service.instead:
                offers += reached(other.term, table).values()
            yield from _checked(service.promise, offers, service.model.kind, spot, table)
    for intent, spot in ground.intents():
        if intent.promise is not None:
            offers = list(reached(intent.term, table).values())
            yield from _checked(intent.promise, offers, intent.kind, spot, table)
    for entry in ground.folder.own("chains"):
        promise = table.chains[entry.name].promise
        if promise is not None:
            offers = list(reached(table.chains[entry.name].term, table).values())
            kind = offers[0].kind if offers else "chat"
            yield from _checked(promise, offers, kind, entry.spot, table)


def _checked(
    promise: Promise, every: list[Offer], kind: str, spot: Spot, table: RouteTable
) -> Iterator[Finding]:
    start: dict[str, Fact] = {"req.kind": kind}
    known: Known = taught(promise.when, start)
    offers = [
        offer
        for offer in {offer.id: offer for offer in every}.values()
        if excluded(offer, known, table) is None
    ]
    place = spot / "promise"
    if promise.survives is not None:
        count, what = promise.survives
        those = {_what(offer, what) for offer in offers}
        if len(those) <= count:
            yield Finding(
                place / "survives",
                f"{len(those)} {what}s are left, so that it cannot survive the loss of {count}",
            )
    allowed = rules(table, known).attempts
    if promise.attempts is not None and offers:
        alone = max(_alone(offer, table, known) for offer in offers)
        if promise.attempts < min(allowed, alone):
            yield Finding(
                place / "attempts",
                f"one offer alone may take {min(allowed, alone)} attempts; "
                f"{promise.attempts} are promised",
            )
    if promise.cost is not None:
        lacking = [offer.id for offer in offers if not offer.price]
        if lacking:
            yield Finding(
                place / "cost", f"the price of {lacking[0]} is unknown, so that no bound holds"
            )
    if promise.never:
        for offer in offers:
            model = table.services[offer.model].model
            read = partial(offer_fact, offer, model=model)
            if all(line_holds(line, read, known.get) for line in promise.never):
                yield Finding(place / "never", f"nothing keeps {offer.id} from being used")
                break


def _alone(offer: Offer, table: RouteTable, known: Known) -> int:
    said = rules(table, known)
    entry = table.providers.get(offer.provider)
    keys = len(entry.keys) if entry is not None and entry.keys else 1
    return 1 + said.per_offer + min(keys - 1, said.rotate)


def _what(offer: Offer, what: str) -> str | None:
    return {"provider": offer.provider, "offer": offer.id, "region": offer.region}[what]
