"""Price sheets: decimals per unit, as written, to whole numbers of one scale.

Two passes, because the scale is one for a whole table: sheets are gathered as exact fractions, then
the scale is the least that makes every rate whole, and a multiple of 10^8, so that a micro-credit is
whole too. Equal rows become the same object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import lcm
from types import MappingProxyType

from hyperroute.catalog.condition import Condition
from hyperroute.catalog.price import METERS, Price, Sheet, Tier
from hyperroute.tables.conditions import FactSpace, condition, implies, whole
from hyperroute.tables.report import Spot
from hyperroute.tables.schema_catalog import SheetDoc
from hyperroute.tables.vocabulary import nearest

SCALE_LEAST = 100_000_000
"""A micro-credit is 10^-8 USD."""

_Rates = tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """One sheet before the scale is known."""

    begins: int
    rates: _Rates
    tiers: tuple[tuple[Condition, _Rates], ...]
    steps: tuple[tuple[str, int], ...]
    charged: str
    currency: str
    source: str


@dataclass(slots=True)
class PriceBook:
    """All prices of a table, by the number that ``add`` gave."""

    space: FactSpace
    meters: Mapping[str, str]
    """Meter to unit."""
    scale: int = SCALE_LEAST
    doubtful: bool = False
    """A meter is misspelt: which values of a shape have a price cannot be said."""
    _rows: list[tuple[_Row, ...]] = field(default_factory=list)
    _numbers: dict[tuple[_Row, ...], int] = field(default_factory=dict)
    _prices: list[Price] = field(default_factory=list)
    _memo: dict[tuple[Decimal, int], Fraction] = field(default_factory=dict)

    def add(self, spots: list[Spot], docs: list[SheetDoc]) -> int:
        """Take in a price and give its number; what is wrong with it is told at its spots."""
        rows: dict[int, _Row] = {}
        for spot, doc in zip(spots, docs, strict=True):
            row = self._row(spot, doc)
            if row.begins in rows:
                (spot / "from").error("two rows of this price begin on the same day")
            rows[row.begins] = row
        price = tuple(row for _, row in sorted(rows.items()))
        number = self._numbers.setdefault(price, len(self._rows))
        if number == len(self._rows):
            self._rows.append(price)
        return number

    def close(self) -> None:
        """Fix the scale and build every sheet."""
        denominators = {
            rate.denominator
            for price in self._rows
            for row in price
            for rates in (row.rates, *(rates for _, rates in row.tiers))
            for _, rate in rates
        }
        self.scale = lcm(SCALE_LEAST, *denominators)
        shared: dict[_Row, Sheet] = {}
        for price in self._rows:
            self._prices.append(
                tuple(shared.get(row) or shared.setdefault(row, self._sheet(row)) for row in price)
            )

    def price(self, number: int) -> Price:
        """Look up a price after ``close``."""
        return self._prices[number]

    def _sheet(self, row: _Row) -> Sheet:
        return Sheet(
            begins=row.begins,
            rates=self._whole(row.rates),
            tiers=tuple(Tier(when=when, rates=self._whole(rates)) for when, rates in row.tiers),
            steps=MappingProxyType(dict(row.steps)),
            charged=row.charged,  # type: ignore[arg-type] # one of three words by the schema
            currency=row.currency,  # type: ignore[arg-type]
            source=row.source,
        )

    def _whole(self, rates: _Rates) -> Mapping[str, int]:
        return MappingProxyType(
            {meter: rate.numerator * (self.scale // rate.denominator) for meter, rate in rates}
        )

    def _row(self, spot: Spot, doc: SheetDoc) -> _Row:
        amount, unit = doc.per or (1, "one")
        currency = 100 if doc.currency == "credit" else 1
        tiers: list[tuple[Condition, _Rates]] = []
        understood: list[Condition] = []
        named: dict[str, None] = dict.fromkeys(doc.rates)
        for index, tier in enumerate(doc.tiers or ()):
            at = spot / "tiers" / index
            when = condition(at / "when", tier.when, self.space)
            if not tier.when:
                (at / "when").error("a tier without a condition is the price itself")
            elif any(implies(when, earlier) for earlier in understood):
                at.error("this tier is never reached: an earlier one holds whenever it does")
            extra = tier.__pydantic_extra__
            if not extra:
                at.error("a tier without a meter changes nothing")
            named.update(dict.fromkeys(extra))
            if whole(when, tier.when):
                understood.append(when)
            tiers.append((when, self._rates(at, extra, amount, unit, currency)))
        rates = self._rates(spot, doc.rates, amount, unit, currency)
        if not named:
            spot.error("a price without a meter; name one, such as in, out, image or second")
        units = {self.meters[meter] for meter in named if meter in self.meters}
        if doc.per and units and unit not in units and len(units) == len(units - {unit}):
            (spot / "per").error(f"no meter of this price is counted in {unit}")
        steps: tuple[tuple[str, int], ...] = ()
        if doc.step:
            step, of = doc.step
            factor = 1000 if of == "second" else 1
            steps = tuple(
                (meter, step * factor) for meter in sorted(named) if self.meters.get(meter) == of
            )
            if not steps and units:
                (spot / "step").error(f"no meter of this price is counted in {of}")
        charged = doc.charged or ("usage" if "tok" in units else "success")
        return _Row(doc.begins or 0, rates, tuple(tiers), steps, charged, doc.currency, doc.source)

    def _rates(
        self, spot: Spot, written: Mapping[str, Decimal], amount: int, unit: str, currency: int
    ) -> _Rates:
        rates: list[tuple[str, Fraction]] = []
        for meter in sorted(written):
            of = self.meters.get(meter)
            if of is None:
                self.doubtful = True
                (spot / meter).error(
                    f"unknown meter {meter!r}{nearest(meter, self._words)}", key=True
                )
                continue
            divisor = currency * (amount if of == unit else 1) * (1000 if of == "second" else 1)
            key = (written[meter], divisor)
            rate = self._memo.get(key)
            if rate is None:
                rate = self._memo[key] = Fraction(written[meter]) / divisor
            rates.append((meter, rate))
        return tuple(rates)

    @property
    def _words(self) -> list[str]:
        return [*self.meters, "from", "per", "currency", "tiers", "step", "source", "charged"]


def builtin_meters() -> dict[str, str]:
    """Give the built-in meters by name with their units."""
    return {meter: unit for meter, (unit, _) in METERS.items()}
