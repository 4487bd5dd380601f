"""From prices to micro-credits: exact, rounded once (invariants 37 and 38)."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.money import MICROCREDITS_PER_USD
from hyperroute.canon.usage import Usage
from hyperroute.catalog.charging import charge, charge_bound, owing
from hyperroute.catalog.price import Sell, Sheet

SCALES = st.sampled_from((1, 1_000, 3_000_000, 10**9, 7 * 10**12))
AMOUNTS = st.integers(0, 10**9)


@st.composite
def sold(draw: st.DrawFn) -> tuple[Sell, tuple[Sheet, ...], dict[str, int]]:
    """A price by tokens, or a margin on the cost by tokens, and the rates that count."""
    rates = {"in": draw(AMOUNTS), "out": draw(AMOUNTS)}
    sheet = (Sheet(rates=rates, steps={}),)
    if draw(st.booleans()):
        return Sell(price=sheet), (Sheet(rates={"in": 1, "out": 1}, steps={}),), {**rates, "%": 100}
    percent = draw(st.integers(0, 400))
    return Sell(margin_percent=percent), sheet, {**rates, "%": 100 + percent}


@given(sold(), AMOUNTS, AMOUNTS, SCALES)
def test_a_charge_is_the_exact_price_rounded_half_up_once(offered, tokens, said, scale):
    """Invariant 38."""
    sell, price, rates = offered
    usage = Usage(input_tokens=tokens, output_tokens=said)
    told = charge(sell, price, usage, {}, day=0, scale=scale)
    units = tokens * rates["in"] + said * rates["out"]
    exact = Fraction(units * rates["%"] * MICROCREDITS_PER_USD, 100 * scale)
    assert told is not None
    assert -Fraction(1, 2) < told - exact <= Fraction(1, 2)
    if sell.margin_percent == 0 and sell.price is None:
        assert told == owing(units, scale=scale)


@given(sold(), AMOUNTS, AMOUNTS, st.integers(0, 10**9), st.integers(0, 10**9), SCALES)
def test_no_charge_exceeds_the_bound_of_what_it_used_no_more_than(  # noqa: PLR0917 - one draw each
    offered, tokens, said, more, longer, scale
):
    """Invariant 37."""
    sell, price, _ = offered
    used = Usage(input_tokens=tokens, output_tokens=said)
    most = Usage(input_tokens=tokens + more, output_tokens=said + longer)
    told = charge(sell, price, used, {}, day=0, scale=scale)
    bound = charge_bound(sell, price, most, {}, day=0, scale=scale)
    assert told is not None
    assert bound is not None
    assert told <= bound


def test_what_has_no_price_is_not_free():
    usage = Usage(input_tokens=1, output_tokens=1)
    assert charge(Sell(), (), usage, {}, day=0, scale=1) is None
    assert charge_bound(Sell(margin_percent=5), (), usage, {}, day=0, scale=1) is None
    later = (Sheet(begins=10, rates={"in": 1, "out": 1}, steps={}),)
    assert charge(Sell(), later, usage, {}, day=9, scale=1) is None
    assert charge(Sell(), later, usage, {}, day=10, scale=1) == 2 * MICROCREDITS_PER_USD
