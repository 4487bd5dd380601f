"""Values to text and back."""

from decimal import Decimal
from types import MappingProxyType

import pytest

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Line
from hyperroute.catalog.shape import Parameter, Range, Shape
from hyperroute.routing.table import Arm, Instead, Match, ModelTerm, NoOffers, Policy, Split
from hyperroute.tables.encode import decode, encode

OFFER = Offer(
    id="m@p",
    model="m",
    provider="p",
    sends="x",
    kind="chat",
    does=frozenset({"b", "a"}),
    endpoints=frozenset(),
    trains=False,
    quality={},
    fields={},
    adds={"": [1, {"": ("a",)}], "x": (None, 1.5, True)},
)


@pytest.mark.parametrize(
    "value",
    [
        OFFER,
        Split(
            "user", (Arm("a", Decimal("0.995"), ModelTerm("a")), Arm("b", Decimal(0), NoOffers()))
        ),
        Match((((Line("x", "=", (True, 1, Decimal("1.5"), "a")),), NoOffers()), ((), NoOffers()))),
        Instead(ModelTerm("m"), frozenset({FailureClass.CONTEXT_LENGTH, FailureClass.STALLED})),
        Policy(name="x", errors=MappingProxyType({FailureClass.STALLED: (Reaction.RETRY, 3)})),
        Parameter(name="n", range=Range(Decimal("0." + "1" * 30), None)),
        Shape(parameters={}),
        (),
        (1, (2, ("a", (None,)))),
    ],
)
def test_comes_back_equal(value):
    if value is OFFER:
        assert decode(encode(value)).adds["x"] == (None, 1.5, True)
        assert decode(encode(value)).adds[""] == (1, {"": ("a",)})
        assert encode(decode(encode(value))) == encode(value)
    else:
        assert decode(encode(value)) == value


def test_kinds_that_are_equal_in_python_stay_apart():
    values = decode(encode((True, 1, Decimal(1), "1", False, 0)))

    assert [type(value) for value in values] == [bool, int, Decimal, str, bool, int]


def test_every_digit_of_a_decimal_stays():
    digits = Decimal("123456789012345678.12345678901234567890")

    assert decode(encode(digits)) == digits
    assert encode(Decimal("1.50")) == encode(Decimal("1.5"))
    assert encode(Decimal("1E+2")) == encode(Decimal(100))


def test_words_that_are_equal_but_for_display_mean_the_same():
    one, other = (
        Line("context", "at_least", (8000,), text) for text in ("context: 8k", "context: 8000")
    )

    assert encode(one) != encode(other)
    assert encode(one, meaning=True) == encode(other, meaning=True)


def test_what_no_table_holds_is_not_written():
    with pytest.raises(AssertionError):
        encode(object())
