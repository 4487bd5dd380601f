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
from hyperroute.routing.pools import Pool, Priced, Selection
from hyperroute.routing.qualify import accepts, capped, required, select
from hyperroute.routing.rank import ranked
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


SMALL = 64
"""Offers that are priced and sorted faster than an index is consulted."""

Leaf = ModelTerm | OfferTerm | From


def ordered(term: Term, view: View, *, open_only: bool = True) -> list[Offer]:
    """Evaluate a term.

    Args:
        term: References in it were resolved when the table was loaded.
        view: The request, the table and what is known.
        open_only: Leave out what health, cool-downs or missing credentials close; a last resort is
            sought without.
    """
    # Tests of type in the order of frequency: several times faster than matching by pattern.
    if isinstance(term, ModelTerm):
        return _leaf(term, view, (), open_only=open_only)
    if isinstance(term, Restrict):
        return _restricted(term, view, open_only=open_only)
    if isinstance(term, From | OfferTerm):
        return _leaf(term, view, (), open_only=open_only)
    if isinstance(term, NoOffers):
        return []
    parts: Iterable[Term]
    match term:
        case IntentTerm(name):
            parts = (view.table.intents[name].term,)
        case ChainTerm(name):
            parts = (view.table.chains[name].term,)
        case First(terms):
            parts = terms
        case Split():
            parts = [arm.term for arm in chosen(term, view)]
        case Match(arms):
            parts = (matched(arms, view),)
    return unrepeated([offer for one in parts for offer in ordered(one, view, open_only=open_only)])


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


def pool_of(term: Leaf, view: View) -> Pool | None:
    """Find the pool of a leaf; of a name that the table does not have there is none."""
    if isinstance(term, ModelTerm):
        service = view.table.services.get(term.name)
        return None if service is None else view.index.of_model(service)
    if isinstance(term, From):
        return view.index.of_from(term)
    offer = view.index.offers.get(term.id)
    return None if offer is None else view.index.of_offer(offer)


def _leaf(term: Leaf, view: View, require: Condition, *, open_only: bool) -> list[Offer]:
    use = _own_order(term, view)
    if use is not None:
        return required(ordered(use, view, open_only=open_only), require, view)
    pool = pool_of(term, view)
    if pool is None:
        return []
    selection = select(pool, view, require)
    if _needs_looking(pool, view, open_only=open_only):
        return [
            offer
            for offer in selection.offers
            if _taken(view, offer, selection, open_only=open_only)
        ]
    return list(selection.offers)


def _own_order(term: Leaf, view: View) -> Term | None:
    """Find the order that a model declares over its own offers."""
    if not isinstance(term, ModelTerm):
        return None
    service = view.table.services.get(term.name)
    return None if service is None else service.use


def _needs_looking(pool: Pool, view: View, *, open_only: bool) -> bool:
    """Say whether bit sets are not enough, and offers have to be looked at one by one."""
    return pool.shaped or not pool.exact or capped(view) or (open_only and view.at_risk)


def _taken(view: View, offer: Offer, selection: Selection, *, open_only: bool) -> bool:
    return accepts(view, offer, selection) and (
        not open_only or not view.at_risk or view.open(offer)
    )


def _restricted(term: Restrict, view: View, *, open_only: bool) -> list[Offer]:
    inner = term.term
    if not isinstance(inner, ModelTerm | OfferTerm | From):
        offers = required(ordered(inner, view, open_only=open_only), term.require, view)
    elif term.rank and term.rank[0].name == "cost" and _sums(inner, view):
        return _by_cost(term, inner, view, open_only=open_only)
    else:
        offers = _leaf(inner, view, term.require, open_only=open_only)
    return ranked(offers, term.rank, view)[: term.take]


def _sums(leaf: Leaf, view: View) -> bool:
    """Say whether prices here are sums of two rates, which an index can sort."""
    return view.request.kind == "chat" and _own_order(leaf, view) is None


def _by_cost(term: Restrict, leaf: Leaf, view: View, *, open_only: bool) -> list[Offer]:
    """Rank a leaf by price first; where only some are taken, without pricing the rest."""
    pool = pool_of(leaf, view)
    if pool is None:
        return []
    selection = select(pool, view, term.require)
    priced = selection.priced(view.day, view.input_tokens)
    a, b = view.input_tokens, view.expected_output * view.copies
    looking = _needs_looking(pool, view, open_only=open_only)
    if term.take is None or len(selection.offers) <= SMALL:
        found = [
            (rate_in * a + rate_out * b, name, offer)
            for rate_in, rate_out, name, offer in priced.linear
        ]
        if looking:
            found = [one for one in found if _taken(view, one[2], selection, open_only=open_only)]
    else:
        found = _cheapest(term, view, selection, priced, looking=looking, open_only=open_only)
    if len(term.rank) == 1 and not term.rank[0].grid and not priced.others:
        found.sort()
        return [offer for _, _, offer in found[: term.take]]
    offers = [offer for _, _, offer in found]
    for price, _, offer in found:
        view.learn(offer, price)
    offers += [
        offer
        for offer in priced.others
        if not looking or _taken(view, offer, selection, open_only=open_only)
    ]
    return ranked(offers, term.rank, view)[: term.take]


def _cheapest(
    term: Restrict,
    view: View,
    selection: Selection,
    priced: Priced,
    *,
    looking: bool,
    open_only: bool,
) -> list[tuple[int, str, Offer]]:
    """Find the cheapest offers, and all that share a place with the last one taken.

    Offers come cheapest first; those that shapes, caps or health close are passed over, and reading
    stops at the first whose place in the order is behind that of the last one taken.
    """
    take = term.take or 0
    grid = term.rank[0].grid
    cells = view.index.cells(grid) if grid else None
    found: list[tuple[int, str, Offer]] = []
    last = -1
    for price, offers in priced.cheapest.ascending(
        view.input_tokens, view.expected_output * view.copies
    ):
        place = cells(price) if cells else price
        if len(found) >= take and place != last:
            break
        for offer in offers:
            if not looking or _taken(view, offer, selection, open_only=open_only):
                found.append((price, offer.id, offer))
                last = place
    return found
