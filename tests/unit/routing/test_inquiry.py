"""What a table's decisions could read is looked for everywhere that names a fact."""

from __future__ import annotations

import pytest

from hyperroute.catalog.condition import Condition
from hyperroute.routing.inquiry import inquiry_of
from hyperroute.routing.needs import UNKNOWN_WINDOW
from hyperroute.routing.resolve import Resolved
from hyperroute.routing.table import (
    Cap,
    Chain,
    First,
    Intent,
    Match,
    NoOffers,
    OfferTerm,
    Policy,
    Restrict,
    Term,
)
from hyperroute.testing import handmade

READS: Condition = (handmade.line("limit.speed.used", "at_most", 5),)
TERMS: tuple[Term, ...] = (
    Restrict(OfferTerm("a@p"), require=READS),
    Match(((READS, OfferTerm("a@p")), ((), NoOffers()))),
    First((NoOffers(), Restrict(OfferTerm("a@p"), require=READS))),
)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("place", ["use", "intent", "chain"])
def test_a_limit_is_asked_for_wherever_a_term_reads_it(term: Term, place: str):
    table = handmade.table(
        handmade.service("a", handmade.offer("a", "p"), use=term if place == "use" else None),
        intents={"i": Intent(name="i", kind="chat", term=term, default={})}
        if place == "intent"
        else {},
        chains={"c": Chain(name="c", term=term)} if place == "chain" else {},
    )
    assert inquiry_of(table).limits == ("speed",)


def test_a_limit_is_asked_for_where_a_policy_reads_it_and_nowhere_else():
    plain = handmade.table(handmade.service("a", handmade.offer("a", "p")))
    assert inquiry_of(plain).limits == ()
    for policy in (Policy(name="p", when=READS), Policy(name="p", require=READS)):
        read = handmade.table(handmade.service("a", handmade.offer("a", "p")), policies=(policy,))
        assert inquiry_of(read).limits == ("speed",)


def test_sizes_are_those_of_caps_and_of_every_offer_that_a_term_reaches():
    cap = Policy(name="p", cap=Cap(input=123))
    table = handmade.table(
        handmade.service(
            "a", handmade.offer("a", "p", context=1_000), handmade.offer("a", "q", context=2_000)
        ),
        policies=(cap,),
    )
    term = First((OfferTerm("a@q"), OfferTerm("gone@q")))
    asked = Resolved("x", (), intent=Intent(name="x", kind="chat", term=term, default={}))
    about = inquiry_of(table).about(asked)
    assert about.sizes == (123, 2_000, UNKNOWN_WINDOW)


@pytest.mark.parametrize("fact", ["limit.speed.left", "org.used", "req.tokens"])
def test_only_how_much_of_a_limit_is_used_is_asked_for(fact: str):
    policy = Policy(name="p", when=(handmade.line(fact, "at_most", 5),))
    table = handmade.table(handmade.service("a", handmade.offer("a", "p")), policies=(policy,))
    assert inquiry_of(table).limits == ()
