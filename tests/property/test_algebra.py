"""The normal form of a term denotes what the term denotes; equal forms are equal lists."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.test_chain_laws import LEAVES, RANKS, REQUIRES, TABLE, TERMS, ids

from hyperroute.proving.algebra import normal
from hyperroute.routing.chains import ordered
from hyperroute.routing.questions import Answers
from hyperroute.routing.table import First, From, ModelTerm, NoOffers, OfferTerm, Restrict, Term
from hyperroute.routing.view import View
from hyperroute.testing import handmade

quick = settings(max_examples=60)

OUT = st.frozensets(st.sampled_from(sorted(TABLE.offers)), max_size=4)
VIEWS = st.builds(
    lambda size, labels, out: View(
        handmade.request("a", input_bytes=size, labels=labels),
        TABLE,
        Answers(blocked={f"offer:{offer}": 10**9 for offer in out}),
        1,
    ),
    st.sampled_from((0, 100, 4_000)),
    handmade.labels(),
    OUT,
)


@given(TERMS, VIEWS)
@settings(max_examples=200)
def test_a_normal_form_denotes_what_its_term_denotes(term, view):
    assert ids(normal(term, TABLE), view) == ids(term, view)


@given(TERMS)
@quick
def test_a_normal_form_is_its_own(term):
    once = normal(term, TABLE)
    assert repr(normal(once, TABLE)) == repr(once)


@given(TERMS, TERMS, VIEWS)
@quick
def test_equal_forms_denote_equal_lists(one, other, view):
    if repr(normal(one, TABLE)) == repr(normal(other, TABLE)):
        assert ids(one, view) == ids(other, view)


PLAIN = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3).map(lambda t: First(tuple(t))), max_leaves=5
)


@given(PLAIN, PLAIN)
@settings(max_examples=200)
def test_of_plain_lists_forms_are_equal_exactly_where_the_lists_are(one, other):
    """Without conditions, cuts and draws a form holds the list itself."""
    view = View(handmade.request("a"), TABLE, Answers(), 1)
    same = [o.id for o in ordered(one, view)] == [o.id for o in ordered(other, view)]
    assert same == (repr(normal(one, TABLE)) == repr(normal(other, TABLE)))


@given(TERMS, TERMS, REQUIRES, REQUIRES, RANKS, st.integers(1, 3), st.integers(1, 3))
@quick
def test_the_laws_are_equalities_of_forms(a, b, one, other, rank, m, n):  # noqa: PLR0917 - drawn
    def form(term: Term) -> str:
        return repr(normal(term, TABLE))

    assert form(First((NoOffers(), a, a))) == form(a)
    assert form(First((First((a, b)), a))) == form(First((a, First((b, a)))))
    assert form(Restrict(First((a, b)), one)) == form(First((Restrict(a, one), Restrict(b, one))))
    assert form(Restrict(Restrict(a, one), other)) == form(Restrict(Restrict(a, other), one))
    cut = Restrict(Restrict(a, rank=rank, take=n), take=m)
    assert form(cut) == form(Restrict(a, rank=rank, take=min(m, n)))


def test_leaves_are_their_offers() -> None:
    offers = First((OfferTerm("a@p"), OfferTerm("a@q"), OfferTerm("a@r")))
    assert normal(ModelTerm("a"), TABLE) == offers
    assert normal(From((), ("a",)), TABLE) == offers
