from fractions import Fraction
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.routing.cheapest import Cheapest
from hyperroute.routing.grids import Grid
from hyperroute.testing import handmade

RATE = st.integers(0, 8) | st.integers(0, 1_000)


@given(
    st.lists(st.tuples(RATE, RATE), min_size=1, max_size=60),
    st.integers(0, 1_000),
    st.integers(0, 1_000),
)
def test_prices_ascend_and_every_offer_comes_once(rates, a, b):
    offers = [(handmade.offer(f"m{at:02}", "p"), pair) for at, pair in enumerate(rates)]
    index = Cheapest(offers)
    found = [(price, one.id) for price, group in index.ascending(a, b) for one in group]
    assert [price for price, _ in found] == sorted(x * a + y * b for x, y in rates)
    assert sorted(name for _, name in found) == [one.id for one, _ in offers]
    again = [price for price, _ in islice(index.ascending(b, a), 3)]
    assert again == sorted({x: x[0] * b + x[1] * a for x in rates}.values())[:3]


def test_few_of_many_are_touched():
    offers = [
        (handmade.offer(f"m{at:04}", "p"), (at * 7_919 % 10_007, at * 104_729 % 10_009))
        for at in range(5_000)
    ]
    index = Cheapest(offers)
    list(islice(index.ascending(3, 1), 3))
    assert len(index._layers) <= 4


@settings(max_examples=40)
@given(
    st.integers(1, 10**6),
    st.sampled_from((5, 10, 100)),
    st.lists(st.integers(2, 10**9), min_size=2, max_size=6),
)
def test_two_prices_share_a_cell_when_no_line_lies_between(scale, percent, prices):
    grid, step = Grid(scale, percent), Fraction(100 + percent, 100)

    def below(units: int) -> int:
        n, line = 0, Fraction(scale)
        while line > units:
            n, line = n - 1, line / step
        while line * step <= units:
            n, line = n + 1, line * step
        return n

    cells = [grid(one) for one in prices]
    assert cells == [Grid(scale, percent)(one) for one in prices]
    for one, cell in zip(prices, cells, strict=True):
        for other, its in zip(prices, cells, strict=True):
            assert (cell - its) == (below(one) - below(other))
