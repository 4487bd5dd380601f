"""Which offers of a pool can serve a request: bit sets for what is written, one look for the rest.

Laws: unknown facts do not satisfy; what a policy requires holds of every offer that is tried;
health only ever removes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition
from hyperroute.catalog.facts import is_offer_fact, line_holds, resolve
from hyperroute.routing.gates import Required
from hyperroute.routing.needs import UNKNOWN_WINDOW
from hyperroute.routing.pools import Levels, Pool, Selection, mask_of, satisfies
from hyperroute.routing.shapes import Misfit
from hyperroute.routing.view import View


def select(pool: Pool, view: View, require: Condition = ()) -> Selection:
    """Apply everything that is written: needs, sizes, policies, narrowing, a term's ``require``."""
    request, narrowing, applied = view.request, view.request.narrowing, view.applied
    context, given, output = pool.floors
    needed = view.context_needed
    most_out = request.max_output or 0
    standing = applied.lines
    own = view.index.static(require) if require else ()
    prepared = standing is not None and own is not None
    if standing is None or own is None:
        standing, own = tuple(_resolved(view, require)), ()
    key = (
        request.kind,
        request.endpoint,
        request.features,
        bisect_left(context, needed),
        bisect_left(given, view.input_tokens) if given else 0,
        bisect_left(output, most_out) if output else 0,
        view.pinned or needed <= UNKNOWN_WINDOW,
        most_out <= UNKNOWN_WINDOW,  # so large an output needs a large window: the line above
        narrowing.only,
        narrowing.avoid,
        narrowing.models,
        narrowing.account,
        view.pattern,
        applied.key if prepared else standing,
        id(require) if require else 0,
    )
    found = pool.selections.get(key)
    if found is not None:
        return found
    return pool.selections.keep(key, Selection(pool, _mask(pool, view, standing + own)))


def _sizes(pool: Pool, view: View) -> tuple[tuple[Levels, int, bool], ...]:
    """Pair each limit with what is needed of it, and whether an unknown one will do.

    Nearly no card states an input limit beside its window, so an unknown one never matters.
    """
    output = view.request.max_output or 0
    return (
        (pool.context, view.context_needed, view.may_guess(view.context_needed)),
        (pool.input, view.input_tokens, True),
        (pool.output, output, view.may_guess(output)),
    )


def _mask(pool: Pool, view: View, lines: tuple[Required, ...]) -> int:
    request, narrowing = view.request, view.request.narrowing
    mask = pool.doing(request.kind, request.endpoint, request.features)
    for levels, need, loose in _sizes(pool, view):
        known = levels.masks[levels.level(need)]
        mask &= known | levels.unknown if loose else known
    if narrowing.only is not None:
        mask &= pool.at(narrowing.only)
    if narrowing.account is not None:
        mask &= pool.at((narrowing.account,))
    if narrowing.models is not None:
        mask &= mask_of(view.may_use(view.name_of(one)) for one in pool.offers)
    if narrowing.avoid:
        mask &= ~pool.at(narrowing.avoid)
    for line, values, holding in lines:
        if holding is not None:
            mask &= pool.everything if holding else 0
        elif view.pattern is not None and line.fact == "model":
            mask &= mask_of(satisfies(line, view.name_of(one), values) for one in pool.offers)
        else:
            mask &= pool.satisfying(line, values)
    return mask


def _resolved(view: View, require: Condition) -> Iterator[Required]:
    for condition in (*(condition for _, condition in view.rules.require), require):
        for line in condition:
            about_offers = is_offer_fact(line.fact)
            holding = None if about_offers else line_holds(line, view.fact)
            yield line, resolve(line, view.fact), holding


def accepts(view: View, offer: Offer, selection: Selection) -> bool:
    """Look at what no bit set knows: shapes, exact sizes beyond the levels, and prices under caps."""
    if selection.pool.shaped and not _welcome(view, offer):
        return False
    if not selection.pool.exact and not fits(view, offer):
        return False
    return affordable(view, offer)


def _welcome(view: View, offer: Offer) -> bool:
    if isinstance(view.fitted(offer), Misfit):
        return False
    clients = view.index.model_of(offer).clients
    return clients is None or view.fact("req.client") in clients


def fits(view: View, offer: Offer) -> bool:
    """Say whether the request's sizes are within an offer's limits."""
    output = view.request.max_output or 0
    return all(
        loose if limit is None else limit >= need
        for limit, need, loose in (
            (offer.context, view.context_needed, view.may_guess(view.context_needed)),
            (offer.input, view.input_tokens, True),
            (offer.output, output, view.may_guess(output)),
        )
    )


def affordable(view: View, offer: Offer) -> bool:
    """Say whether the price of this request is known to be within every cap there is."""
    cap, most = view.rules.cost, view.request.narrowing.max_cost
    if cap is not None:
        price = view.price(offer)
        if price is None or price > view.scaled(cap):
            return False
    if most is not None:
        price = view.selling_price(offer)
        if price is None or price > view.scaled(most):
            return False
    return True


def capped(view: View) -> bool:
    """Say whether prices can exclude at all."""
    return view.rules.cost is not None or view.request.narrowing.max_cost is not None


def required(offers: list[Offer], condition: Condition, view: View) -> list[Offer]:
    """Keep the offers of which a condition holds; what a term wraps around other terms."""
    for line in condition:
        if is_offer_fact(line.fact):
            values = resolve(line, view.fact)
            offers = [
                one for one in offers if satisfies(line, view.fact_of(one, line.fact), values)
            ]
        elif not line_holds(line, view.fact):
            return []
    return offers
