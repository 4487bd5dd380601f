"""Outages: what closing offers can let into a plan, and when nothing needs to be enumerated.

Closing an offer takes it out of every list and lets others move up where a list is cut. So a plan
under any outage is made of the offers of the uncut lists, and as long as no list's room is exceeded
any choice of them is the whole plan of some outage: that which closes all the others. A sum over
choices therefore stands for all outages at once. Only an offer that stands in several lists may come
in by one when another is full; then states are enumerated, up to twelve offers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from hyperroute.bounds.reach import uncut
from hyperroute.routing.chains import chosen, matched, ordered
from hyperroute.routing.table import (
    ChainTerm,
    First,
    IntentTerm,
    Match,
    ModelTerm,
    Restrict,
    Split,
    Term,
)
from hyperroute.routing.view import View

OFFERS_MAX = 12
"""Of more than these no enumeration is tried: 4,096 states."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The cut lists that one request's offers are taken into.

    Attributes:
        room: Of each list, how many offers it takes.
        members: Of each list, the offers that are taken into it.
        repeated: Offers that stand in several leaves, and may come in by another.
        everybody: All offers of all leaves, also those that a later condition drops.
    """

    room: tuple[int, ...]
    members: tuple[frozenset[str], ...]
    repeated: frozenset[str]
    everybody: frozenset[str] = frozenset()

    def groups(self, offer: str, *, loose: bool) -> tuple[int, ...]:
        """Number the lists that an offer takes room of; loosely, none if it may come in elsewhere."""
        if loose and offer in self.repeated:
            return ()
        return tuple(at for at, ids in enumerate(self.members) if offer in ids)


NO_LISTS = Lists((), (), frozenset())


def lists_of(terms: tuple[Term, ...], view: View, whole: View) -> Lists:
    """Find the cut lists of a request, and the offers that stand in several places.

    Args:
        terms: What the request's name means.
        view: The request before its table.
        whole: The same before the table as it would be if no list were cut.
    """
    room: list[int] = []
    members: list[frozenset[str]] = []
    leaves: Counter[str] = Counter()

    def visit(term: Term) -> None:
        for inner in _inside(term, view):
            visit(inner)
        if isinstance(term, Restrict):
            if term.take is not None:
                room.append(term.take)
                inner_offers = ordered(uncut(term.term), whole, open_only=False)
                members.append(frozenset(offer.id for offer in inner_offers))
        elif not _inside(term, view):
            leaves.update({offer.id for offer in ordered(term, view, open_only=False)})

    for term in terms:
        visit(term)
    repeated = frozenset(offer for offer, count in leaves.items() if count > 1)
    return Lists(tuple(room), tuple(members), repeated, frozenset(leaves))


def _inside(term: Term, view: View) -> tuple[Term, ...]:
    """Give the terms that one is made of for this request; none of a leaf."""
    match term:
        case First(terms):
            return terms
        case Split():
            return tuple(arm.term for arm in chosen(term, view))
        case Match(arms):
            return (matched(arms, view),)
        case Restrict(inner):
            return (inner,)
        case IntentTerm(name):
            return (view.table.intents[name].term,)
        case ChainTerm(name):
            return (view.table.chains[name].term,)
        case ModelTerm(name):
            service = view.table.services.get(name)
            return () if service is None or service.use is None else (service.use,)
        case _:
            return ()


def states(offers: list[str]) -> Iterator[frozenset[str]]:
    """Give every set of offers that may be out, the smallest first."""
    for size in range(len(offers) + 1):
        for out in combinations(offers, size):
            yield frozenset(out)


__all__ = ["NO_LISTS", "OFFERS_MAX", "Lists", "lists_of", "states"]
