"""The algebra: for a request, a term denotes an ordered list of offers without repetition.

Laws: ``first`` is associative with ``none`` as identity and is idempotent; ``require`` distributes
over ``first`` and commutes with itself and with ``rank``; ``take m (take n x) = take min(m, n) x``;
a split of one arm with itself is that arm; ``match`` arms distribute over ``first`` on the left.

What a leaf gives is already qualified and open, so that ``take`` counts offers that can be tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from hashlib import blake2b

from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition
from hyperroute.catalog.facts import holds
from hyperroute.routing.index import Pool, Selection
from hyperroute.routing.qualify import accepts, capped, required, select
from hyperroute.routing.rank import cell, ranked
from hyperroute.routing.table import (
    Arm,
    ChainTerm,
    First,
    From,
    IntentTerm,
    Match,
    ModelTerm,
    NoOffers,
    OfferTerm,
    Restrict,
    Split,
    Term,
)
from hyperroute.routing.view import View

_EXACTLY = Context(prec=24)
"""Logarithms are rounded correctly to this many digits: the same arm on any machine."""


def ordered(term: Term, view: View, *, open_only: bool = True) -> list[Offer]:
    """Evaluate a term.

    Args:
        term: References in it were resolved when the table was loaded.
        view: The request, the table and what is known.
        open_only: Leave out what health, cool-downs or missing credentials close; a last resort is
            sought without.
    """
    match term:
        case NoOffers():
            return []
        case ModelTerm() | OfferTerm() | From():
            return _leaf(term, view, (), open_only=open_only)
        case IntentTerm(name):
            return ordered(view.table.intents[name].term, view, open_only=open_only)
        case ChainTerm(name):
            return ordered(view.table.chains[name].term, view, open_only=open_only)
        case First(terms):
            return unrepeated(
                offer for one in terms for offer in ordered(one, view, open_only=open_only)
            )
        case Split():
            return unrepeated(
                offer
                for arm in chosen(term, view)
                for offer in ordered(arm.term, view, open_only=open_only)
            )
        case Match(arms):
            return ordered(matched(arms, view), view, open_only=open_only)
        case Restrict():
            return _restricted(term, view, open_only=open_only)


def unrepeated(offers: Iterable[Offer]) -> list[Offer]:
    """Drop every offer that came before."""
    return list({offer.id: offer for offer in offers}.values())


def matched(arms: tuple[tuple[Condition, Term], ...], view: View) -> Term:
    """Pick the first arm whose conditions all hold; the last has none."""
    for condition, term in arms:
        if holds(condition, view.fact):
            return term
    return NoOffers()


def chosen(split: Split, view: View) -> list[Arm]:
    """Order the arms by weighted rendezvous hashing; only the first counts without ``rest``.

    An arm's score is ``-ln(u) / share`` with ``u`` from a hash of (salt, arm, key): the least wins,
    and changing a share moves only the traffic that it must.
    """
    by = str(view.seed) if split.by == "req" else str(view.fact(f"{split.by}.id") or "")
    arms = sorted(
        (arm for arm in split.arms if arm.share > 0),
        key=lambda arm: (score(f"{split.salt}\0{arm.name}\0{by}", arm.share), arm.name),
    )
    return arms if split.rest else arms[:1]


def score(text: str, share: Decimal) -> Decimal:
    """Draw an exponential variate of rate ``share`` from a hash, the same everywhere."""
    drawn = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
    uniform = _EXACTLY.divide(Decimal(2 * drawn + 1), Decimal(1 << 65))
    return _EXACTLY.divide(-_EXACTLY.ln(uniform), share)


def pool_of(term: ModelTerm | OfferTerm | From, view: View) -> Pool | None:
    """Find the pool of a leaf; of a name that the table does not have there is none."""
    match term:
        case ModelTerm(name):
            service = view.table.services.get(name)
            return None if service is None else view.index.of_model(service)
        case OfferTerm(id):
            offer = view.index.offers.get(id)
            return None if offer is None else view.index.of_offer(offer)
        case From():
            return view.index.of_from(term)


def _leaf(
    term: ModelTerm | OfferTerm | From,
    view: View,
    requires: tuple[Condition, ...],
    *,
    open_only: bool,
) -> list[Offer]:
    if isinstance(term, ModelTerm):
        use = view.table.services[term.name].use if term.name in view.table.services else None
        if use is not None:
            return required(ordered(use, view, open_only=open_only), requires, view)
    pool = pool_of(term, view)
    if pool is None:
        return []
    selection = select(pool, view, requires)
    if not _needs_looking(pool, view, open_only=open_only):
        return list(selection.offers)
    return [
        offer for offer in selection.offers if _taken(view, offer, selection, open_only=open_only)
    ]


def _needs_looking(pool: Pool, view: View, *, open_only: bool) -> bool:
    """Say whether bit sets are not enough, and offers have to be looked at one by one."""
    return pool.shaped or not pool.exact or capped(view) or (open_only and view.at_risk)


def _taken(view: View, offer: Offer, selection: Selection, *, open_only: bool) -> bool:
    return accepts(view, offer, selection) and (
        not open_only or not view.at_risk or view.open(offer)
    )


def _restricted(term: Restrict, view: View, *, open_only: bool) -> list[Offer]:
    inner = term.term
    if isinstance(inner, ModelTerm | OfferTerm | From):
        if term.take is not None and term.rank and term.rank[0].name == "cost":
            found = _cheapest(term, inner, view, open_only=open_only)
            if found is not None:
                return found
        offers = _leaf(inner, view, (term.require,) if term.require else (), open_only=open_only)
    else:
        offers = ordered(inner, view, open_only=open_only)
        if term.require:
            offers = required(offers, (term.require,), view)
    return ranked(offers, term.rank, view)[: term.take]


def _cheapest(
    term: Restrict, leaf: ModelTerm | OfferTerm | From, view: View, *, open_only: bool
) -> list[Offer] | None:
    """Find the first ``take`` by price without pricing the rest, where prices are two rates.

    Offers come cheapest first; those that shapes, caps or health close are passed over, and reading
    stops behind the last one whose first rank key equals that of the one taken last. ``None``:
    this term has to be ranked in full.
    """
    pool = pool_of(leaf, view)
    if pool is None or term.take is None or view.request.kind not in ("chat", "embed"):
        return None
    if isinstance(leaf, ModelTerm) and view.table.services[leaf.name].use is not None:
        return None
    selection = select(pool, view, (term.require,) if term.require else ())
    priced = selection.priced(view.day, view.input_tokens)
    if not priced.linear:
        return None
    plain = not _needs_looking(pool, view, open_only=open_only)
    grid = term.rank[0].grid
    a, b = view.input_tokens, view.expected_output * view.copies
    found: list[Offer] = []
    last = None
    for price, offers in priced.cheapest.ascending(a, b):
        place = cell(view.index, price, grid) if grid else price
        if len(found) >= term.take and place != last:
            break
        for offer in offers:
            view.learn(offer, price)
            if plain or _taken(view, offer, selection, open_only=open_only):
                found.append(offer)
                last = place
    found += [
        offer
        for offer in priced.others
        if plain or _taken(view, offer, selection, open_only=open_only)
    ]
    return ranked(found, term.rank, view)[: term.take]
