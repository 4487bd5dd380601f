"""What a table's decisions could read is looked for everywhere that names a fact."""

from __future__ import annotations

import pytest

from hyperroute.catalog.condition import Condition
from hyperroute.routing.inquiry import inquiry_of
from hyperroute.routing.table import (
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
