"""The laws of the algebra (tables.md, Laws), over random terms."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.routing.chains import chosen, ordered
from hyperroute.routing.questions import NOTHING_KNOWN
from hyperroute.routing.table import (
    Arm,
    First,
    From,
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
from hyperroute.testing import handmade

quick = settings(max_examples=40)

TABLE = handmade.table(
    *(
        handmade.service(
            name,
            *(
                handmade.offer(
                    name,
                    host,
                    handmade.price(None if (name, host) == ("d", "q") else cost, 10 - cost),
                    region=region,
                    quality={"chat": cost},
                )
                for host, cost, region in hosts
            ),
        )
        for name, hosts in (
            ("a", (("p", 3, "eu"), ("q", 1, "us"), ("r", 3, None))),
            ("b", (("p", 2, "eu-west"),)),
            ("c", (("r", 5, "us"), ("p", 5, "eu"))),
            ("d", (("q", 4, None),)),
        )
    )
)
REQUIRES = st.sampled_from(
    (
        (),
        (handmade.line("region", "within", "eu"),),
        (handmade.line("provider", "not", "q"),),
        (handmade.line("quality.chat", "at_least", 3),),
        (handmade.line("region", "given"), handmade.line("model", "equal", "a", "c*")),
    )
)
RANKS = st.sampled_from(
    (
        (),
        (RankKey("cost"),),
        (RankKey("cost", 10), RankKey("quality.chat")),
        (RankKey("quality.chat"),),
        (RankKey("ttft.p90"),),
    )
)
WHENS = st.sampled_from(
    (
        (handmade.line("req.tokens", ">", 50),),
        (handmade.line("org.region", "equal", "eu"),),
        (handmade.line("org.id", "not given"),),
    )
)
LEAVES = st.one_of(
    st.just(NoOffers()),
    st.sampled_from("abcd").map(ModelTerm),
    st.sampled_from(sorted(TABLE.offers)).map(OfferTerm),
    st.permutations("abcd").map(lambda names: From((), tuple(names[:3]))),
)


def splits(terms: Any) -> Any:
    return st.tuples(terms, terms, terms, st.booleans()).map(
        lambda drawn: Split(
            by="org",
            arms=tuple(
                Arm(name, Decimal(share), term)
                for name, share, term in zip("xyz", (70, 20, 10), drawn[:3], strict=True)
            ),
            rest=drawn[3],
        )
    )


def wider(terms: Any) -> Any:
    return st.one_of(
        st.lists(terms, max_size=3).map(lambda parts: First(tuple(parts))),
        splits(terms),
        st.tuples(WHENS, terms, terms).map(lambda d: Match(((d[0], d[1]), ((), d[2])))),
        st.builds(Restrict, terms, REQUIRES, RANKS, st.none() | st.integers(1, 4)),
    )


TERMS = st.recursive(LEAVES, wider, max_leaves=6)
VIEWS = st.builds(
    lambda size, labels: View(
        handmade.request("a", input_bytes=size, labels=labels), TABLE, NOTHING_KNOWN, 1
    ),
    st.sampled_from((0, 100, 4_000)),
    handmade.labels(),
)


def ids(term: Term, view: View) -> list[str]:
    """What a term denotes. Terms are held by identity in an index, so each view keeps its own."""
    return [one.id for one in ordered(term, replaced(view))]


def replaced(view: View) -> View:
    """The same view over a table without memory of other terms."""
    return View(view.request, replace(TABLE, digest=TABLE.digest), view.answers, view.seed)


@given(TERMS, TERMS, TERMS, VIEWS)
@quick
def test_first_is_associative(a, b, c, view):
    assert ids(First((First((a, b)), c)), view) == ids(First((a, First((b, c)))), view)
    assert ids(First((a, b, c)), view) == ids(First((a, First((b, c)))), view)


@given(TERMS, VIEWS)
@quick
def test_none_is_the_identity_of_first_and_first_is_idempotent(a, view):
    plain = ids(a, view)
    assert ids(First((NoOffers(), a)), view) == plain
    assert ids(First((a, NoOffers())), view) == plain
    assert ids(First((a, a)), view) == plain
    assert len(set(plain)) == len(plain)


@given(TERMS, TERMS, REQUIRES, VIEWS)
@quick
def test_require_distributes_over_first(a, b, require, view):
    whole = ids(Restrict(First((a, b)), require), view)
    assert whole == ids(First((Restrict(a, require), Restrict(b, require))), view)


@given(TERMS, REQUIRES, REQUIRES, RANKS, VIEWS)
@quick
def test_require_commutes_with_itself_and_with_rank(a, one, other, rank, view):
    assert ids(Restrict(Restrict(a, one), other), view) == ids(
        Restrict(Restrict(a, other), one), view
    )
    assert ids(Restrict(Restrict(a, one), rank=rank), view) == ids(
        Restrict(Restrict(a, rank=rank), one), view
    )
    assert ids(Restrict(a, one, rank), view) == ids(Restrict(Restrict(a, one), rank=rank), view)


@given(TERMS, RANKS, st.integers(1, 6), st.integers(1, 6), VIEWS)
@quick
def test_take_of_take_is_the_smaller_take(a, rank, m, n, view):
    taken = ids(Restrict(Restrict(a, rank=rank, take=n), take=m), view)
    assert taken == ids(Restrict(a, rank=rank, take=min(m, n)), view)
    assert taken == ids(Restrict(a, rank=rank), view)[: min(m, n)]


@given(TERMS, st.booleans(), VIEWS)
@quick
def test_a_split_of_one_arm_with_itself_is_that_arm(a, rest, view):
    arms = (Arm("x", Decimal(70), a), Arm("y", Decimal(30), a))
    assert ids(Split("org", arms, rest=rest), view) == ids(a, view)


@given(TERMS, TERMS, TERMS, WHENS, VIEWS)
@quick
def test_match_arms_distribute_over_first_on_the_left(a, b, c, when, view):
    outer = ids(First((a, Match(((when, b), ((), c))))), view)
    assert outer == ids(Match(((when, First((a, b))), ((), First((a, c))))), view)


@given(TERMS, st.sampled_from((1, 10, 50)), VIEWS)
@quick
def test_removing_an_offer_never_reorders_the_others_on_a_grid(a, width, view):
    rank = (RankKey("cost", width), RankKey("quality.chat"))
    order = ids(Restrict(a, rank=rank), view)
    for gone in order:
        require = (handmade.line("offer", "not", gone),)
        left = ids(Restrict(Restrict(a, require), rank=rank), view)
        assert left == [one for one in order if one != gone]


@given(st.text(max_size=8), st.integers(1, 98), st.integers(1, 98))
def test_changing_a_share_moves_only_the_traffic_that_it_must(key, before, after):
    def first_arm(share: int) -> str:
        arms = (
            Arm("x", Decimal(share), ModelTerm("a")),
            Arm("y", Decimal(99 - share), ModelTerm("b")),
            Arm("z", Decimal(1), ModelTerm("c")),
        )
        request = handmade.request("a", labels={"org.id": key})
        return chosen(Split("org", arms), View(request, TABLE, NOTHING_KNOWN, 0))[0].name

    was, now = first_arm(before), first_arm(after)
    if was != now:
        grown = "x" if after > before else "y"
        assert now == grown or was != grown
        assert was != grown


def test_shares_are_kept_over_many_keys():
    arms = tuple(
        Arm(name, Decimal(share), ModelTerm("a")) for name, share in (("x", 80), ("y", 20))
    )
    split = Split("user", arms, "salt")
    picked = [
        chosen(
            split,
            View(handmade.request("a", labels={"user.id": f"u{at}"}), TABLE, NOTHING_KNOWN, 0),
        )[0].name
        for at in range(2_000)
    ]
    assert 1_540 <= picked.count("x") <= 1_660
