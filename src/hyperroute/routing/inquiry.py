"""What decisions about a table could read, found once: limits, measures, and sizes that matter."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition, FactRef
from hyperroute.routing.needs import UNKNOWN_WINDOW
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
    RouteTable,
    Split,
    Term,
)

MOST_BYTES_PER_TOKEN = 8
"""Below bytes / 8 no text in use has its tokens; a count could still only lower an estimate."""

_KNOWN_FROM_PRICES = ("cost", "sell", "quality")


@dataclass(frozen=True, slots=True)
class Asked:
    """Of one name: the rank keys to measure, and the input sizes at which its plan may change."""

    measures: tuple[str, ...]
    sizes: tuple[int, ...]

    def near(self, text_bytes: int, output: int) -> bool:
        """Say whether a size lies between what the bytes allow at least and at most.

        Bytes bound tokens from above, because byte-level vocabularies have no token without a byte.
        """
        low, high = text_bytes // MOST_BYTES_PER_TOKEN, text_bytes + output
        at = bisect_left(self.sizes, low)
        return at < len(self.sizes) and self.sizes[at] <= high


class Inquiry:
    """What one table's decisions could read."""

    def __init__(self, table: RouteTable) -> None:
        """Look through everything that names a fact of a request."""
        self.table = table
        conditions = [*(policy.when for policy in table.policies), *_all_matches(table)]
        conditions += [policy.require for policy in table.policies]
        self.limits = tuple(sorted(set(_limits(conditions))))
        sizes = set(_token_lines(conditions))
        sizes |= {policy.cap.input for policy in table.policies if policy.cap.input is not None}
        self._sizes = sizes
        self._asked: dict[str, Asked] = {}

    def about(self, resolved: Resolved) -> Asked:
        """Look at everything that a name can reach; remembered by the model's or intent's name."""
        service, intent = resolved.service, resolved.intent
        name = (
            service.model.name if service is not None else intent.name if intent is not None else ""
        )
        found = self._asked.get(name)
        if found is None:
            measures: dict[str, None] = {}
            sizes = set(self._sizes)
            for term in _terms(resolved):
                for reached in walk(term, self.table):
                    if isinstance(reached, Restrict):
                        measures.update(dict.fromkeys(key.name for key in reached.rank))
                    for offer in _offers(reached, self.table):
                        sizes.update(_sizes(offer))
            kept = [key for key in measures if key.partition(".")[0] not in _KNOWN_FROM_PRICES]
            found = self._asked[name] = Asked(tuple(kept), tuple(sorted(sizes)))
        return found


def _terms(resolved: Resolved) -> Iterator[Term]:
    if resolved.service is not None:
        yield ModelTerm(resolved.service.model.name)
        yield from (entry.term for entry in resolved.service.instead)
    elif resolved.intent is not None:
        yield resolved.intent.term


def inquiry_of(table: RouteTable) -> Inquiry:
    """Find what hangs on a table, or hang it there, as ``index_of`` does."""
    found = vars(table).get("_inquiry")
    if isinstance(found, Inquiry):
        return found
    inquiry = Inquiry(table)
    vars(table)["_inquiry"] = inquiry
    return inquiry


def walk(term: Term, table: RouteTable) -> Iterator[Term]:
    """Go through a term and all that it names, every branch of it."""
    yield term
    inner: Iterable[Term] = ()
    match term:
        case NoOffers() | OfferTerm() | From():
            pass
        case ModelTerm(name):
            service = table.services.get(name)
            inner = (service.use,) if service is not None and service.use is not None else ()
        case IntentTerm(name):
            inner = (table.intents[name].term,)
        case ChainTerm(name):
            inner = (table.chains[name].term,)
        case First(terms):
            inner = terms
        case Split(arms=arms):
            inner = tuple(arm.term for arm in arms)
        case Match(branches):
            inner = tuple(branch for _, branch in branches)
        case Restrict(wrapped):
            inner = (wrapped,)
    for one in inner:
        yield from walk(one, table)


def _offers(term: Term, table: RouteTable) -> Iterator[Offer]:
    names: tuple[str, ...] = ()
    if isinstance(term, ModelTerm):
        names = (term.name,)
    elif isinstance(term, From):
        names = term.models
    elif isinstance(term, OfferTerm) and term.id in table.offers:
        yield table.offers[term.id]
    for name in names:
        if name in table.services:
            yield from table.services[name].model.offers


def _sizes(offer: Offer) -> Iterator[int]:
    for limit in (offer.context, offer.input):
        yield UNKNOWN_WINDOW if limit is None else limit
    for sheet in offer.price:
        for tier in sheet.tiers:
            yield from _token_lines([tier.when], "in")


def _token_lines(conditions: Iterable[Condition], fact: str = "req.tokens") -> Iterator[int]:
    for condition in conditions:
        for line in condition:
            if line.fact == fact:
                yield from (int(one) for one in line.values if isinstance(one, int | Decimal))


def _limits(conditions: Iterable[Condition]) -> Iterator[str]:
    for condition in conditions:
        for line in condition:
            names = [line.fact, *(one.name for one in line.values if isinstance(one, FactRef))]
            for name in names:
                if name.startswith("limit.") and name.endswith(".used"):
                    yield name[6:-5]


def _all_matches(table: RouteTable) -> Iterator[Condition]:
    roots: list[Term] = [intent.term for intent in table.intents.values()]
    roots += [chain.term for chain in table.chains.values()]
    roots += [service.use for service in table.services.values() if service.use is not None]
    for root in roots:
        for term in walk(root, table):
            if isinstance(term, Match):
                yield from (condition for condition, _ in term.arms)
            elif isinstance(term, Restrict):
                yield term.require
