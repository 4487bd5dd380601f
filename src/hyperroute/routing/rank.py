"""Orders. Nothing here ever excludes; unknown comes last, and the id breaks the last tie.

``cost ~10%`` compares cells of a grid whose lines are ``1 usd x 1.1**n``: fixed, so that removing
one offer never reorders the others, and drawn in exact integers.
"""

from __future__ import annotations

from collections.abc import Callable

from hyperroute.catalog.card import Offer
from hyperroute.routing.table import RankKey
from hyperroute.routing.view import View

HIGH_FIRST = ("speed", "quality")
"""Keys whose larger value is better; all others, plugins' too, rank low first."""

SortKey = tuple[object, ...]


def ranked(offers: list[Offer], keys: tuple[RankKey, ...], view: View) -> list[Offer]:
    """Sort by every key in turn, then by id; without keys the order stays as it is."""
    if not keys:
        return offers
    readers = [_reader(key, view) for key in keys]
    return sorted(offers, key=lambda offer: (*(read(offer) for read in readers), offer.id))


def _reader(key: RankKey, view: View) -> Callable[[Offer], tuple[int, int]]:
    measure = _measure(key.name, view)
    cells = view.index.cells(key.grid) if key.grid else None
    sign = -1 if key.name.partition(".")[0] in HIGH_FIRST else 1

    def read(offer: Offer) -> tuple[int, int]:
        value = measure(offer)
        if value is None:
            return (1, 0)
        return (0, sign * (cells(value) if cells else value))

    return read


def _measure(name: str, view: View) -> Callable[[Offer], int | None]:
    if name == "cost":
        return view.price
    if name == "sell":
        return view.selling_price
    if name.startswith("quality."):
        return lambda offer: offer.quality.get(name[8:])
    measured = view.answers.measured.get(name, {})
    return lambda offer: measured.get(offer.id)
