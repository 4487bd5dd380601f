"""The cheapest of many offers for one request, exactly, touching few of them.

A price is ``input tokens x rate + output tokens x rate``: offers are points in the plane of the two
rates, a request is a direction, and the cheapest offer is the first point that a line of that
direction meets. It lies on the lower left convex hull. Peeling hulls one behind the other gives
layers, each a chain along which the price first falls and then rises, so the next cheapest is
always beside one already taken or at the foot of the next layer. Offers of equal rates share a
point.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from hyperroute.catalog.card import Offer

Point = tuple[int, int]


class Cheapest:
    """Points in layers; layers are peeled when a request first reaches them."""

    __slots__ = ("_layers", "_left", "_offers")

    def __init__(self, rated: list[tuple[Offer, Point]]) -> None:
        """Group offers by their rates; within a group by id, as ties are broken."""
        offers: dict[Point, list[Offer]] = {}
        for offer, point in sorted(rated, key=lambda pair: pair[0].id):
            offers.setdefault(point, []).append(offer)
        self._offers = offers
        self._left = sorted(offers)
        self._layers: list[list[Point]] = []

    def ascending(self, tokens_in: int, tokens_out: int) -> Iterator[tuple[int, list[Offer]]]:
        """Yield prices with the offers of one point each, cheapest first.

        Points of equal price come one after the other, in no useful order: a caller that wants
        ties by id has to read on until the price rises.
        """
        heap: list[tuple[int, int, int, int]] = []
        self._enter(heap, 0, tokens_in, tokens_out)
        while heap:
            price, depth, at, way = heappop(heap)
            layer = self._layers[depth]
            yield price, self._offers[layer[at]]
            if way <= 0 and at > 0:
                rate_in, rate_out = layer[at - 1]
                heappush(heap, (rate_in * tokens_in + rate_out * tokens_out, depth, at - 1, -1))
            if way >= 0 and at + 1 < len(layer):
                rate_in, rate_out = layer[at + 1]
                heappush(heap, (rate_in * tokens_in + rate_out * tokens_out, depth, at + 1, 1))
            if way == 0:
                self._enter(heap, depth + 1, tokens_in, tokens_out)

    def _enter(self, heap: list[tuple[int, int, int, int]], depth: int, a: int, b: int) -> None:
        """Put the foot of a layer on the heap, found by bisection along the chain."""
        if depth == len(self._layers) and not self._peel():
            return
        layer = self._layers[depth]
        low, high = 0, len(layer) - 1
        while low < high:
            middle = (low + high) // 2
            here, there = layer[middle], layer[middle + 1]
            if here[0] * a + here[1] * b <= there[0] * a + there[1] * b:
                high = middle
            else:
                low = middle + 1
        foot = layer[low]
        heappush(heap, (foot[0] * a + foot[1] * b, depth, low, 0))

    def _peel(self) -> bool:
        """Take the lower left hull off what is left; say whether there was any."""
        if not self._left:
            return False
        chain: list[Point] = []
        for point in self._left:
            if chain and point[1] >= chain[-1][1]:
                continue
            while len(chain) > 1 and _above(chain[-2], chain[-1], point):
                chain.pop()
            chain.append(point)
        self._layers.append(chain)
        taken = set(chain)
        self._left = [point for point in self._left if point not in taken]
        return True


def _above(one: Point, middle: Point, other: Point) -> bool:
    """Say whether ``middle`` lies on or above the segment, so that it is no corner of the hull."""
    return (middle[1] - one[1]) * (other[0] - one[0]) >= (other[1] - one[1]) * (middle[0] - one[0])
