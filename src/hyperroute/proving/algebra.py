"""A normal form of terms: equal forms denote equal lists, for every request and every outage.

What is used: the laws of ``routing.chains``, that an order ends in the offer's id (so an inner order
below an outer one decides nothing), that conditions of a ``match`` read the request alone (so it may
be pulled to the front), and what is known of an offer in the table (so a requirement that it meets
goes away, and one that it fails takes it with it).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hyperroute.catalog.condition import Condition, FactRef, Line
from hyperroute.catalog.facts import is_offer_fact
from hyperroute.routing.index import index_of
from hyperroute.routing.pools import satisfies
from hyperroute.routing.table import (
    ChainTerm,
    First,
    From,
    IntentTerm,
    Match,
    ModelTerm,
    NoOffers,
    OfferTerm,
    RankKey,
    Restrict,
    RouteTable,
    Split,
    Term,
)

ARMS_MAX = 32
"""Beyond so many arms a ``match`` stays where it stands: pulling it up would only repeat."""

NONE = NoOffers()


def normal(term: Term, table: RouteTable) -> Term:
    """Bring a term into its normal form."""
    return _Normal(table).of(term, (), free=False)


class _Normal:
    """One table's normal forms. ``free``: an order further out makes the order here irrelevant."""

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self._index = index_of(table)

    def of(self, term: Term, require: Condition, *, free: bool) -> Term:  # noqa: PLR0911 - one for each form
        """Normalise a term of which more is required."""
        match term:
            case NoOffers():
                return NONE
            case OfferTerm(id_):
                return self._offer(id_, require)
            case ModelTerm(name):
                service = self._table.services.get(name)
                if service is None:
                    return NONE
                if service.use is not None:
                    return self.of(service.use, require, free=free)
                ids = [offer.id for offer in service.model.offers]
                return _first([self._offer(one, require) for one in ids], free=free)
            case From(models=names):
                known = [self._table.services[n] for n in names if n in self._table.services]
                ids = sorted(offer.id for one in known for offer in one.model.offers)
                return _first([self._offer(one, require) for one in ids], free=free)
            case IntentTerm(name):
                return self.of(self._table.intents[name].term, require, free=free)
            case ChainTerm(name):
                return self.of(self._table.chains[name].term, require, free=free)
            case First(terms):
                return _first([self.of(one, require, free=free) for one in terms], free=free)
            case Match(arms):
                return _match(
                    (_bare(when), self.of(inner, require, free=free)) for when, inner in arms
                )
            case Split():
                return self._split(term, require, free=free)
            case Restrict():
                return self._restrict(term, require, free=free)

    def _offer(self, offer_id: str, require: Condition) -> Term:
        offer = self._index.offers.get(offer_id)
        if offer is None:
            return NONE
        left: set[Line] = set()
        for line in _bare(require):
            if not is_offer_fact(line.fact) or any(isinstance(v, FactRef) for v in line.values):
                left.add(line)
                continue
            values = tuple(value for value in line.values if not isinstance(value, FactRef))
            if not satisfies(line, self._index.fact_of(offer, line.fact), values):
                return NONE
        term = OfferTerm(offer_id)
        return Restrict(term, _sorted(left)) if left else term

    def _split(self, term: Split, require: Condition, *, free: bool) -> Term:
        arms = sorted((arm for arm in term.arms if arm.share > 0), key=lambda arm: arm.name)
        made = [replace(arm, term=self.of(arm.term, require, free=free)) for arm in arms]
        terms = [arm.term for arm in made]
        if len(set(map(repr, terms))) <= 1:
            return terms[0] if terms else NONE
        if term.rest and free:
            return _first(terms, free=True)
        return Split(term.by, tuple(made), term.salt, term.rest)

    def _restrict(self, term: Restrict, require: Condition, *, free: bool) -> Term:
        ranked = bool(term.rank)
        if term.take is None:
            inner = self.of(term.term, (*require, *term.require), free=free or ranked)
            return inner if free else _ordered(inner, term.rank)
        inner = self.of(term.term, term.require, free=ranked)
        if _longest(inner) <= term.take:  # nothing is cut
            return self._restrict(replace(term, take=None), require, free=free)
        return _behind(_taken(inner, term.rank, term.take), _sorted(_bare(require)))


# --- building ----------------------------------------------------------------------------------------
def _first(parts: Iterable[Term], *, free: bool) -> Term:
    """Join terms: flat, without what came before, and where order is free in one order."""
    flat: list[Term] = []
    for part in parts:
        flat += part.terms if isinstance(part, First) else (part,)
    kept = list({repr(part): part for part in flat if part != NONE}.values())
    for at, part in enumerate(kept):
        if isinstance(part, Match) and _arms(kept) <= ARMS_MAX:
            return _match(
                (when, _first([*kept[:at], inner, *kept[at + 1 :]], free=free))
                for when, inner in part.arms
            )
    if free:
        kept.sort(key=repr)
    if len(kept) <= 1:
        return kept[0] if kept else NONE
    return First(tuple(kept))


def _arms(parts: Iterable[Term]) -> int:
    size = 1
    for part in parts:
        size *= len(part.arms) if isinstance(part, Match) else 1
    return size


def _match(arms: Iterable[tuple[Condition, Term]]) -> Term:
    """Choose by conditions: no arm twice, none behind one without a condition, none like the last."""
    kept: list[tuple[Condition, Term]] = []
    for when, inner in arms:
        if all(when != earlier for earlier, _ in kept):
            kept.append((when, inner))
        if not when:
            break
    if not kept or kept[-1][0]:
        kept.append(((), NONE))
    while len(kept) > 1 and repr(kept[-2][1]) == repr(kept[-1][1]):
        del kept[-2]
    return kept[0][1] if len(kept) == 1 else Match(tuple(kept))


def _ordered(inner: Term, rank: tuple[RankKey, ...]) -> Term:
    if not rank or _longest(inner) <= 1:
        return inner
    if isinstance(inner, Match):
        return _match((when, _ordered(arm, rank)) for when, arm in inner.arms)
    if isinstance(inner, Restrict) and not inner.require and inner.take is None:
        inner = inner.term
    return Restrict(inner, (), rank)


def _taken(inner: Term, rank: tuple[RankKey, ...], take: int) -> Term:
    if isinstance(inner, Match):
        return _match((when, _taken(arm, rank, take)) for when, arm in inner.arms)
    if _longest(inner) <= take:
        return _ordered(inner, rank)
    if isinstance(inner, Restrict) and not inner.require and not rank:
        least = take if inner.take is None else min(take, inner.take)
        return Restrict(inner.term, (), inner.rank, least)
    return Restrict(inner, (), rank, take)


def _behind(inner: Term, require: Condition) -> Term:
    """Require more of a list that is cut already; it stays outside."""
    if not require or inner == NONE:
        return inner
    if isinstance(inner, Match):
        return _match((when, _behind(arm, require)) for when, arm in inner.arms)
    return Restrict(inner, require)


def _longest(term: Term) -> int:
    """Bound how many offers a normal term can denote."""
    match term:
        case OfferTerm():
            return 1
        case First(terms):
            return sum(map(_longest, terms))
        case Split(arms=arms, rest=rest):
            lengths = [_longest(arm.term) for arm in arms]
            return sum(lengths) if rest else max(lengths)
        case Match(branches):
            return max(_longest(inner) for _, inner in branches)
        case Restrict(inner, _, _, take):
            most = _longest(inner)
            return most if take is None else min(most, take)
        case _:
            return 0


def _bare(condition: Condition) -> Condition:
    """Leave out how a condition was written."""
    return _sorted({replace(line, text="") for line in condition})


def _sorted(lines: Iterable[Line]) -> Condition:
    return tuple(sorted(lines, key=repr))


__all__ = ["normal"]
