from decimal import Decimal

import pytest

from hyperroute.catalog.condition import Fact, FactRef
from hyperroute.catalog.facts import (
    compare,
    first_failing,
    holds,
    line_holds,
    matches,
    model_fact,
    offer_fact,
)
from hyperroute.testing import handmade

FACTS: dict[str, Fact] = {
    "region": "eu-central",
    "does": frozenset({"tools", "vision"}),
    "context": 200_000,
    "trains": False,
    "n": 1,
    "share": Decimal("0.9"),
    "org.region": "eu",
    "key.models": ("alpha*", "beta"),
    "model": "alpha-2",
}


def known(name: str) -> Fact | None:
    return FACTS.get(name)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (handmade.line("region", "within", "eu"), True),
        (handmade.line("region", "within", "eu-central"), True),
        (handmade.line("region", "within", "e"), False),
        (handmade.line("region", "within", "us", "eu"), True),
        (handmade.line("does", "contains", "tools"), True),
        (handmade.line("does", "contains", "tools", "pdf"), False),
        (handmade.line("context", "at_least", 200_000), True),
        (handmade.line("context", "at_most", 199_999), False),
        (handmade.line("context", ">", 200_000), False),
        (handmade.line("context", "<=", 200_000), True),
        (handmade.line("context", "given"), True),
        (handmade.line("context", "not given"), False),
        (handmade.line("output", "given"), False),
        (handmade.line("output", "not given"), True),
        (handmade.line("output", "not", 5), False),
        (handmade.line("output", "at_least", 0), False),
        (handmade.line("trains", "equal", False), True),
        (handmade.line("trains", "equal", 0), False),
        (handmade.line("n", "equal", True), False),
        (handmade.line("n", ">", "0"), False),
        (handmade.line("region", ">", 1), False),
        (handmade.line("share", ">=", Decimal("0.90")), True),
        (handmade.line("model", "equal", "alpha*"), True),
        (handmade.line("model", "not", "beta", "alpha*"), False),
        (handmade.line("model", "equal", FactRef("key.models")), True),
        (handmade.line("region", "within", FactRef("org.region")), True),
        (handmade.line("region", "within", FactRef("org.unknown")), False),
    ],
)
def test_a_line_is_compared_in_its_direction(line, expected):
    assert line_holds(line, known) is expected


def test_all_lines_must_hold_and_the_first_that_does_not_is_told():
    good, bad = handmade.line("n", "equal", 1), handmade.line("n", "equal", 2)
    assert holds((), known)
    assert holds((good, good), known)
    assert not holds((good, bad), known)
    assert first_failing((good, bad), known) is bad
    assert first_failing((good,), known) is None


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "", True),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("a", "a", True),
        ("a", "ab", False),
        ("**", "x", True),
    ],
)
def test_a_star_is_any_text(pattern, name, expected):
    assert matches(pattern, name) is expected


def test_facts_of_offers_and_models_are_read_by_their_words():
    served = handmade.service(
        "a",
        handmade.offer("a", "p", retain_ns=5, quality={"chat": 7}),
        fps=24,
        wait_ns=9,
        quality={"chat": 8},
    )
    (one,) = served.model.offers
    assert offer_fact(one, "retain") == 5
    assert offer_fact(one, "offer") == "a@p"
    assert offer_fact(one, "quality.chat") == 7
    assert offer_fact(one, "fps") is None
    assert offer_fact(one, "fps", served.model) == 24
    assert offer_fact(one, "nonsense", served.model) is None
    assert model_fact(served.model, "quality.chat") == 8
    assert model_fact(served.model, "wait") == 9
    assert model_fact(served.model, "region") is None


def test_sets_are_compared_whole():
    assert compare("equal", frozenset({"x", "y"}), ("y",))
    assert not compare("not", ("x", "y"), ("y",))
