"""The planner against a slow and plain reading of the same rules."""

from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.catalog.facts import holds
from hyperroute.catalog.pricing import cost, sheet_on
from hyperroute.routing.candidate import Refusal
from hyperroute.routing.chains import chosen
from hyperroute.routing.plan import plan
from hyperroute.routing.resolve import resolve_name
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
    Split,
    Term,
)
from hyperroute.routing.view import View
from hyperroute.routing.why import reasons
from hyperroute.testing import handmade
from hyperroute.testing.tables import route_tables

HIGH_FIRST = ("quality.", "speed.")


def grid_cell(value: int, percent: int, scale: int) -> int:
    """The whole n with scale x (1+p)^n <= value < scale x (1+p)^(n+1), by counting."""
    if value <= 1:
        return -(10**6)
    step, n, line = Decimal(100 + percent) / 100, 0, Decimal(scale)
    while line > value:
        n, line = n - 1, line / step
    while line * step <= value:
        n, line = n + 1, line * step
    return n


def rank_value(offer: Any, key: Any, view: View) -> Any:
    name = key.name
    if name == "cost":
        value = view.price(offer)
    elif name == "sell":
        value = view.selling_price(offer)
    elif name.startswith("quality."):
        value = offer.quality.get(name[8:])
    else:
        value = view.answers.measured.get(name, {}).get(offer.id)
    if value is not None and key.grid:
        value = grid_cell(value, key.grid, view.table.scale)
    return value


def before(view: View, keys: Any) -> Any:
    def compare(one: Any, other: Any) -> int:
        for key in keys:
            mine, its = rank_value(one, key, view), rank_value(other, key, view)
            if mine == its:
                continue
            if mine is None or its is None:
                return 1 if mine is None else -1
            if key.name.startswith(HIGH_FIRST):
                mine, its = its, mine
            return -1 if mine < its else 1
        return -1 if one.id < other.id else 1

    return cmp_to_key(compare)


def oracle(term: Term, view: View) -> list[Any]:
    """What a term denotes: qualified and open offers, by the book."""
    table = view.table
    match term:
        case NoOffers():
            return []
        case ModelTerm(name):
            served = table.services[name]
            if served.use is not None:
                return oracle(served.use, view)
            found = list(served.model.offers)
        case OfferTerm(id):
            found = [table.offers[id]]
        case From(_, models):
            found = sorted(
                (one for name in models for one in table.services[name].model.offers),
                key=lambda one: one.id,
            )
        case IntentTerm(name):
            return oracle(table.intents[name].term, view)
        case ChainTerm(name):
            return oracle(table.chains[name].term, view)
        case First(terms):
            return distinct([one for each in terms for one in oracle(each, view)])
        case Split():
            return distinct([one for arm in chosen(term, view) for one in oracle(arm.term, view)])
        case Match(arms):
            return oracle(next(each for when, each in arms if holds(when, view.fact)), view)
        case Restrict(inner, require, rank, take):
            kept = [
                one
                for one in oracle(inner, view)
                if not list(reasons(one, view, (("here", require),)))
            ]
            return (sorted(kept, key=before(view, rank)) if rank else kept)[:take]
        case _:
            raise AssertionError(term)
    return [one for one in found if not list(reasons(one, view))]


def distinct(offers: Any) -> list[Any]:
    return list({one.id: one for one in offers}.values())


@given(st.data())
@settings(max_examples=60)
def test_invariant_6_and_7_what_a_loaded_table_gives_is_what_the_rules_say(data):
    """Invariants 6 and 7: bit sets, presorted prices and the plain rules choose the same offers."""
    table = data.draw(route_tables())
    request = data.draw(handmade.requests(table))
    answers = data.draw(handmade.answers(table))
    made = plan(request, table=table, answers=answers, seed=data.draw(st.integers(0, 3)))
    named: Any = resolve_name(request, table)
    if isinstance(named, Refusal) or (made.refusal is not None and not made.refusal.looked):
        assert made.candidates == ()
        return
    view = View(request, table, answers, made.seed)
    view.meant(named)
    term = named.intent.term if named.intent else ModelTerm(named.service.model.name)
    expected = [one.id for one in oracle(term, view)]
    own = [one.offer.id for one in made.candidates]
    if named.service is not None:
        own = own[: len(expected)]
    if any(one.last_resort for one in made.candidates):
        assert expected == []
        assert len(made.candidates) == 1
    else:
        assert own == expected
    for candidate in made.candidates:
        assert candidate.expected == view.price(candidate.offer)
        assert candidate.credentials


@given(st.data())
@settings(max_examples=40)
def test_invariant_6_the_cheapest_of_many_are_found_exactly(data):
    """Invariant 6: the first target costs least; ties by further keys, then id; against all of them."""
    rate = st.integers(0, 6) | st.integers(0, 10**6)
    size = data.draw(st.integers(65, 90))
    pairs = data.draw(st.lists(st.tuples(rate, rate), min_size=size, max_size=size))
    unknown = data.draw(st.frozensets(st.integers(0, 90), max_size=3))
    services = [
        handmade.service(
            f"m{at:03}",
            handmade.offer(
                f"m{at:03}",
                f"p{at % 3}",
                handmade.price(None if at in unknown else one[0], one[1]),
                quality={"chat": at % 4},
            ),
        )
        for at, one in enumerate(pairs)
    ]
    names = tuple(one.model.name for one in services)
    rank = data.draw(
        st.sampled_from(
            (
                (RankKey("cost"),),
                (RankKey("cost", 10),),
                (RankKey("cost", 50), RankKey("quality.chat")),
                (RankKey("cost"), RankKey("quality.chat")),
            )
        )
    )
    take = data.draw(st.integers(1, 70))
    table = handmade.table(
        *services, intents={"best": handmade.intent("best", names, rank=rank, take=take)}
    )
    request = handmade.request(
        intent="best",
        input_bytes=data.draw(st.integers(0, 10**6)),
        max_output=data.draw(st.none() | st.integers(0, 10**5)),
    )
    answers = data.draw(handmade.answers(table))
    view = View(request, table, answers, 0)
    expected = [one.id for one in oracle(table.intents["best"].term, view)]
    made = plan(request, table=table, answers=answers)
    if any(one.last_resort for one in made.candidates):
        assert expected == []
    else:
        assert [one.offer.id for one in made.candidates] == expected
    for candidate in made.candidates:
        sheet = sheet_on(candidate.offer.price, 0)
        assert (candidate.expected is None) == (sheet is None or cost is None)


@given(st.data())
@settings(max_examples=40)
def test_invariant_8_an_offer_that_can_serve_is_never_lost(data):
    """Invariant 8: where some qualified offer is open, the plan is not empty."""
    table = data.draw(route_tables())
    request = data.draw(handmade.requests(table))
    answers = data.draw(handmade.answers(table))
    made = plan(request, table=table, answers=answers)
    named: Any = resolve_name(request, table)
    if isinstance(named, Refusal) or (made.refusal is not None and not made.refusal.looked):
        return
    view = View(request, table, answers, 0)
    view.meant(named)
    term = named.intent.term if named.intent else ModelTerm(named.service.model.name)
    if oracle(term, view):
        assert made.candidates
        assert not any(one.last_resort for one in made.candidates)
    else:
        assert made.candidates or made.refusal is not None
