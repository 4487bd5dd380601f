"""``starved-fallback``: retries and keys of the first offer use up the attempts of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hyperroute.catalog.card import Offer
from hyperroute.proving.lints.certain import certain, possible
from hyperroute.proving.lints.ground import Finding, Ground
from hyperroute.proving.reach import reached
from hyperroute.routing.gates import Applied
from hyperroute.routing.policies import merge
from hyperroute.routing.table import ATTEMPTS_CEILING, ModelTerm, Policy, RouteTable
from hyperroute.tables.report import Spot


def find(ground: Ground) -> Iterator[Finding]:
    """Try each set of rules that a policy makes on every list of offers; tell it where the cap is."""
    told: set[tuple[str, str]] = set()
    for spot, what, offers in _lists(ground):
        known = {"req.kind": offers[0].kind}
        always = certain(ground.table, known)
        for extra in (None, *(one for one in possible(ground.table, known) if one not in always)):
            applied = [*always, extra] if extra is not None else always
            eaten = _eaten(offers, applied, ground.table)
            capping = _capping(applied)
            place = ground.spot("policies", capping) / "cap" / "attempts" if capping else spot
            if eaten and place.source.own and (place.where(), offers[0].id) not in told:
                told.add((place.where(), offers[0].id))
                yield Finding(place, f"{eaten} before the fallback {what} is tried")


def _lists(ground: Ground) -> Iterator[tuple[Spot, str, Sequence[Offer]]]:
    """Give lists of offers in the order in which they are tried, as far as that is certain."""
    table = ground.table
    for service, spot in ground.services():
        offers = list(reached(ModelTerm(service.model.name), table).values())
        offers = offers if service.use is None else _fewest_first(offers, table)
        for entry in service.instead:
            offers += reached(entry.term, table).values()
        if len(offers) > 1:
            yield spot, offers[1].id, offers
    for _, term, spot, _ in ground.terms():
        offers = _fewest_first(list(reached(term, table).values()), table)
        if len(offers) > 1:
            yield spot, offers[1].id, offers


def _fewest_first(offers: list[Offer], table: RouteTable) -> list[Offer]:
    """Put one with the fewest keys first: whichever is tried first, it takes no fewer attempts."""
    return sorted(offers, key=lambda offer: _keys(offer, table))


def _keys(offer: Offer, table: RouteTable) -> int:
    entry = table.providers.get(offer.provider)
    return len(entry.keys) if entry is not None and entry.keys else 1


def _eaten(offers: Sequence[Offer], policies: Sequence[Policy], table: RouteTable) -> str:
    applied = Applied((), merge(policies))
    rules = applied.rules
    first = offers[0]
    keys = _keys(first, table)
    most = 1 + applied.retries + min(keys - 1, rules.rotate)
    if most < rules.attempts:
        return ""
    return (
        f"{first.id} alone may take {most} attempts (1, {applied.retries} retries, "
        f"{min(keys - 1, rules.rotate)} of {keys - 1} other keys), and {rules.attempts} are allowed: all are gone"
    )


def _capping(policies: Sequence[Policy]) -> str:
    """Name the policy whose cap counts; none where it is the language's own."""
    said = [(one.cap.attempts, one.name) for one in policies if one.cap.attempts is not None]
    return min(said)[1] if said and min(said)[0] <= ATTEMPTS_CEILING else ""
