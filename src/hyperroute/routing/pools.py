"""The offers of one leaf of the algebra, arranged: bit sets over positions, and prices presorted.

Everything here follows from a table; memos are bounded, and forgetting them changes no answer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Protocol, TypeVar

from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.condition import Fact, Line, Scalar
from hyperroute.catalog.facts import compare
from hyperroute.catalog.pricing import Linear
from hyperroute.routing.cheapest import Cheapest

V = TypeVar("V")

MEMO_ENTRIES = 1_024
"""Of one memo; a full one starts again."""

MEMO_OFFERS = 400_000
"""Offers in all remembered selections of one pool together, so that large pools remember fewer."""

LEVELS = 64
"""Sizes told apart by bit set; where a pool has more, the rest is checked offer by offer."""


class Memo(dict[Hashable, V]):
    """A bounded dictionary. Starting again when full is enough for keys that repeat."""

    __slots__ = ("_most",)

    def __init__(self, most: int = MEMO_ENTRIES) -> None:
        """Start empty."""
        super().__init__()
        self._most = most

    def keep(self, key: Hashable, value: V) -> V:
        """Store and return."""
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value


class Levels:
    """A size limit of many offers, as nested bit sets."""

    __slots__ = ("exact", "floors", "masks", "unknown")

    def __init__(self, limits: list[int | None]) -> None:
        """Sort the distinct limits, and keep at most ``LEVELS`` of them."""
        distinct = sorted({limit for limit in limits if limit is not None})
        stride = -(-len(distinct) // LEVELS) or 1
        self.exact = stride == 1
        self.floors = distinct[::stride]
        self.unknown = mask_of(limit is None for limit in limits)
        self.masks = [mask_of(limit is not None for limit in limits)]
        self.masks += [
            mask_of(limit is not None and limit > floor for limit in limits)
            for floor in self.floors
        ]

    def level(self, need: int) -> int:
        """Number the class of sizes that ``need`` falls into."""
        return bisect_left(self.floors, need)


def mask_of(bits: Iterable[bool]) -> int:
    """Make a bit set; position 0 is the lowest bit."""
    text = "".join("1" if bit else "0" for bit in bits)
    return int(text[::-1], 2) if text else 0


class Selection:
    """The offers of a pool that pass everything that is written, in the pool's order."""

    __slots__ = ("_priced", "offers", "pool")

    def __init__(self, pool: Pool, mask: int) -> None:
        """Spread the bit set."""
        self.pool = pool
        if mask == pool.everything:
            self.offers = pool.offers
        else:
            bits = f"{mask:b}"[::-1]
            self.offers = tuple(
                offer for offer, bit in zip(pool.offers, bits, strict=False) if bit == "1"
            )
        self._priced: Memo[Priced] = Memo(8)

    def priced(self, day: int, input_tokens: int) -> Priced:
        """Find the rates in force for requests like this one."""
        key = (day, bisect_right(self.pool.tiers_at(day), input_tokens))
        found = self._priced.get(key)
        return found or self._priced.keep(key, Priced(self, day, input_tokens))


class Priced:
    """A selection under the rates of one day and one range of input sizes.

    Attributes:
        linear: Input rate, output rate, id and offer, where the price is the sum of those two.
        others: Offers whose price is more than that, or unknown; they are priced one by one.
    """

    __slots__ = ("_cheapest", "linear", "others")

    def __init__(self, selection: Selection, day: int, input_tokens: int) -> None:
        """Read every sheet once."""
        lines = selection.pool.lines_at(day)
        self.linear: list[tuple[int, int, str, Offer]] = []
        self.others: list[Offer] = []
        for offer in selection.offers:
            line = lines[offer.id]
            if line is None:
                self.others.append(offer)
            else:
                self.linear.append((*line.at(input_tokens), offer.id, offer))
        self._cheapest: Cheapest | None = None

    @property
    def cheapest(self) -> Cheapest:
        """The sorted form, built on first use."""
        if self._cheapest is None:
            self._cheapest = Cheapest([(one[3], (one[0], one[1])) for one in self.linear])
        return self._cheapest


class Cards(Protocol):
    """What a pool asks of the index it belongs to."""

    def model_of(self, offer: Offer) -> Model:
        """Find the model an offer belongs to."""
        ...

    def fact_of(self, offer: Offer, name: str) -> Fact | None:
        """Read a fact of an offer, or of its model where only that can say it."""
        ...

    def line_of(self, offer: Offer, day: int) -> Linear | None:
        """Give an offer's sheet of a day in its simple form."""
        ...


class Pool:
    """The offers of one leaf, arranged."""

    def __init__(self, index: Cards, offers: Iterable[Offer]) -> None:
        """Keep the order given; it is the leaf's own."""
        self.index = index
        self.offers = tuple(offers)
        self.everything = (1 << len(self.offers)) - 1
        selections = MEMO_OFFERS // (len(self.offers) or 1)
        self.selections: Memo[Selection] = Memo(max(16, min(selections, MEMO_ENTRIES)))
        self._masks: Memo[int] = Memo()
        self._lines: Memo[Mapping[str, Linear | None]] = Memo()
        self._tiers: Memo[list[int]] = Memo()

    @cached_property
    def context(self) -> Levels:
        """Windows."""
        return Levels([offer.context for offer in self.offers])

    @cached_property
    def input(self) -> Levels:
        """Input limits."""
        return Levels([offer.input for offer in self.offers])

    @cached_property
    def output(self) -> Levels:
        """Output limits."""
        return Levels([offer.output for offer in self.offers])

    @cached_property
    def exact(self) -> bool:
        """Whether the bit sets alone decide about sizes."""
        return self.context.exact and self.input.exact and self.output.exact

    @cached_property
    def floors(self) -> tuple[list[int], list[int], list[int]]:
        """The steps of windows, input and output limits, for numbering a request's sizes."""
        return self.context.floors, self.input.floors, self.output.floors

    @cached_property
    def shaped(self) -> bool:
        """Whether some offer or its model rules what a request may look like, or who may ask."""
        return any(
            offer.takes is not None or model.takes is not None or model.clients is not None
            for offer, model in ((offer, self.index.model_of(offer)) for offer in self.offers)
        )

    def doing(self, kind: str, endpoint: str, features: frozenset[str]) -> int:
        """The offers of a kind that accept an endpoint, if there is one, and do all that is needed."""
        key = (kind, endpoint, features)
        found = self._masks.get(key)
        if found is not None:
            return found
        return self._masks.keep(
            key,
            mask_of(
                offer.kind == kind
                and (not endpoint or endpoint in offer.endpoints)
                and features <= offer.does
                for offer in self.offers
            ),
        )

    def at(self, providers: Iterable[str]) -> int:
        """The offers of some providers."""
        total = 0
        for provider in providers:
            total |= self._provider_masks.get(provider, 0)
        return total

    @cached_property
    def _provider_masks(self) -> dict[str, int]:
        masks: dict[str, list[str]] = {}
        for at, offer in enumerate(self.offers):
            masks.setdefault(offer.provider, ["0"] * len(self.offers))[at] = "1"
        return {name: int("".join(bits)[::-1], 2) for name, bits in masks.items()}

    def satisfying(self, line: Line, values: tuple[Scalar, ...] | None) -> int:
        """The offers of which a line holds, its references already replaced."""
        key = (line.fact, line.op, values)
        fact_of = self.index.fact_of
        found = self._masks.get(key)
        if found is None:
            found = self._masks.keep(
                key,
                mask_of(satisfies(line, fact_of(one, line.fact), values) for one in self.offers),
            )
        return found

    def lines_at(self, day: int) -> Mapping[str, Linear | None]:
        """Give the day's sheets in their simple form, by offer id."""
        found = self._lines.get(day)
        if found is None:
            line_of = self.index.line_of
            found = self._lines.keep(day, {one.id: line_of(one, day) for one in self.offers})
        return found

    def tiers_at(self, day: int) -> list[int]:
        """Give the input sizes at which some rate changes, ascending."""
        found = self._tiers.get(day)
        if found is None:
            steps = {
                int(value) + extra
                for line in self.lines_at(day).values()
                if line is not None
                for when, _, _ in line.tiers
                for test in when
                for value in test.values
                if isinstance(value, int | Decimal)
                for extra in (0, 1)
            }
            found = self._tiers.keep(day, sorted(steps))
        return found


def satisfies(line: Line, fact: Fact | None, values: tuple[Scalar, ...] | None) -> bool:
    """Say whether a line holds of a fact.

    Args:
        line: For its operator.
        fact: What an offer has; ``None``: unknown.
        values: The line's right side; ``None``: something on it is unknown.
    """
    if line.op == "given":
        return fact is not None
    if line.op == "not given":
        return fact is None
    return fact is not None and values is not None and compare(line.op, fact, values)
