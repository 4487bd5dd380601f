"""From quantities to money: exact integers in units of ``1 / scale`` USD, nothing rounds here.

Laws: a part that the sheet names leaves its whole, and what is left of the whole is paid at the
whole's rate, so every token is paid once. A part without a rate is paid as its whole. A quantity
that has no rate makes the price unknown; 0 is a price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal

from hyperroute.canon.usage import Usage
from hyperroute.catalog.condition import Condition, Fact, Line
from hyperroute.catalog.facts import Lookup, holds, line_holds
from hyperroute.catalog.price import METERS, Price, Sell, Sheet

NO_PARAMETERS: Mapping[str, Any] = MappingProxyType({})

Ended = Literal["served", "cut", "failed"]
"""How an attempt ended: in full, after some content, or with nothing."""


def _ancestors(meter: str) -> Iterator[str]:
    unit = METERS[meter][0]
    while "." in meter:
        meter = meter.rpartition(".")[0]
        if meter in METERS and METERS[meter][0] == unit:
            yield meter


ANCESTORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {meter: tuple(_ancestors(meter)) for meter in METERS}
)
"""Meter to the meters it is a part of, nearest first. ``in.second`` is no part of ``in``: a part
has the unit of its whole."""

_TOKENS = frozenset(meter for meter in METERS if METERS[meter][0] == "tok")
_PARTS_FIRST = {meter: -meter.count(".") for meter in METERS}.__getitem__

_QUANTITIES = attrgetter(*(name for _, name in METERS.values()))
_ASSUMED: Mapping[str, int] = MappingProxyType({"call": 1, "search": 0})
"""One attempt is one call, and providers report searches only when there were any."""


def sheet_on(price: Price, day: int) -> Sheet | None:
    """Pick the latest row begun on ``day`` (days since 1970-01-01); ``None``: no price is known."""
    found = None
    for sheet in price:
        if sheet.begins <= day:
            found = sheet
    return found


def rates_of(sheet: Sheet, known: Lookup) -> Mapping[str, int]:
    """Apply the first tier that holds to the sheet's rates, for the whole request."""
    for tier in sheet.tiers:
        if holds(tier.when, known):
            return {**sheet.rates, **tier.rates}
    return sheet.rates


def cost(usage: Usage, sheet: Sheet, parameters: Mapping[str, Any] = NO_PARAMETERS) -> int | None:
    """Price what was measured or estimated, exactly.

    Args:
        usage: Quantities; a part that is ``None`` is paid as its whole, a whole that is ``None``
            and has a rate makes the price unknown.
        sheet: The row of the day (``sheet_on``).
        parameters: What tiers read besides ``in``: the request's parameters, defaults filled in.

    Returns:
        Units of ``1 / scale`` USD, ``None`` when a quantity or its rate is unknown.
    """
    rates = sheet.rates
    if sheet.tiers:
        rates = rates_of(sheet, partial(_tier_fact, usage.input_tokens, parameters))
    amounts = _amounts(usage, rates)
    if amounts is None:
        return None
    total = 0
    for meter, amount in amounts.items():
        step = sheet.steps.get(meter)
        billed = -(-amount // step) * step if step else amount
        total += billed * rates[meter]
    return total


def owed(
    usage: Usage, sheet: Sheet, parameters: Mapping[str, Any] = NO_PARAMETERS, *, ended: Ended
) -> int | None:
    """Price an attempt by how it ended: some hosts charge for cut answers, some even for failures.

    ``usage`` charges whatever was consumed, ``success`` only a full answer, ``attempt`` always.
    """
    if sheet.charged == "success" and ended != "served":
        return 0
    if sheet.charged == "usage" and ended == "failed" and not _anything(usage):
        return 0
    return cost(usage, sheet, parameters)


def bound(most: Usage, sheet: Sheet, parameters: Mapping[str, Any] = NO_PARAMETERS) -> int | None:
    """Find an upper bound of ``cost`` over every usage within ``most``.

    Each whole is taken in full at the dearest rate among itself and its parts, under the dearest
    tier that could still hold; that is what a hold must cover, since nobody knows beforehand how
    much of the input will be written to a cache.
    """
    worst = _bound_at(most, sheet, sheet.rates)
    for tier in sheet.tiers:
        if _may_hold(tier.when, most.input_tokens, parameters):
            dearer = _bound_at(most, sheet, {**sheet.rates, **tier.rates})
            if worst is None or dearer is None:
                return None
            worst = max(worst, dearer)
    return worst


def sold(
    sell: Sell, usage: Usage, day: int, paid: int | None, parameters: Mapping[str, Any]
) -> int | None:
    """Price what the caller pays: the model's own sheet, else the cost and its margin, rounded up.

    The one division in this module; a caller's price may be a unit above the exact margin, never
    below it.
    """
    if sell.price is not None:
        sheet = sheet_on(sell.price, day)
        return None if sheet is None else cost(usage, sheet, parameters)
    if paid is None or not sell.margin_percent:
        return paid
    return -(-paid * (100 + sell.margin_percent) // 100)


@dataclass(frozen=True, slots=True)
class Linear:
    """A sheet that is ``input x rate + output x rate`` for a request: what a fast index can sort.

    ``tiers`` are pairs of a condition on ``in`` alone and the two rates it makes.
    """

    input: int
    output: int
    tiers: tuple[tuple[Condition, int, int], ...]

    def at(self, input_tokens: int) -> tuple[int, int]:
        """Give the two rates for a request of this many input tokens."""
        for when, rate_in, rate_out in self.tiers:
            if all(line_holds(line, lambda _: input_tokens) for line in when):
                return rate_in, rate_out
        return self.input, self.output


def linear(sheet: Sheet) -> Linear | None:
    """Reduce a sheet to its two token rates, or nothing where it needs more than those."""
    names = {*sheet.rates, *(meter for tier in sheet.tiers for meter in tier.rates)}
    if sheet.steps or not {"in", "out"} <= sheet.rates.keys() or _needs_more(names):
        return None
    if any(line.fact != "in" for tier in sheet.tiers for line in tier.when):
        return None
    rate_in, rate_out = sheet.rates["in"], sheet.rates["out"]
    return Linear(
        rate_in,
        rate_out,
        tuple(
            (tier.when, tier.rates.get("in", rate_in), tier.rates.get("out", rate_out))
            for tier in sheet.tiers
        ),
    )


def _needs_more(names: set[str]) -> bool:
    return any(name not in METERS or METERS[name][0] != "tok" for name in names if name != "search")


def _tier_fact(input_tokens: int | None, parameters: Mapping[str, Any], name: str) -> Fact | None:
    return input_tokens if name == "in" else parameters.get(name)


def _amounts(usage: Usage, rates: Mapping[str, int]) -> dict[str, int] | None:
    """Give every rated meter its own quantity, parts taken out of their wholes."""
    if not rates.keys() <= METERS.keys():
        return None
    own: dict[str, int] = {}
    parts = dict.fromkeys(rates, 0)
    loose = {"in": 0, "out": 0}
    for meter in sorted(rates, key=_PARTS_FIRST):
        above = ANCESTORS[meter]
        whole = next((name for name in above if name in rates), None) if above else None
        amount = _measured(usage, meter)
        if amount is None:
            amount = _ASSUMED.get(meter) if whole is None else parts[meter]
            if amount is None:
                return None
        own[meter] = max(0, amount - parts[meter])
        taken = max(amount, parts[meter])
        if whole is not None:
            parts[whole] += taken
        elif above:
            loose[above[-1]] += taken
    return own if own and _all_rated(usage, rates, loose) else None


def _measured(usage: Usage, meter: str) -> int | None:
    """Read a quantity; a part that was not told is at least what was told of its own parts."""
    amount: int | None = getattr(usage, METERS[meter][1])
    if amount is None and ANCESTORS[meter]:
        told = [
            part
            for name, wholes in ANCESTORS.items()
            if wholes[:1] == (meter,) and (part := _measured(usage, name)) is not None
        ]
        return sum(told) if told else None
    return amount


def _all_rated(usage: Usage, rates: Mapping[str, int], loose: Mapping[str, int]) -> bool:
    """Say whether every token and search that was used has a rate, its own or its whole's.

    Images, clips, seconds, … are other measures of one product: a sheet by the second does not
    charge for the clip as well. Tokens are charged by any sheet that charges tokens at all.
    """
    if usage.searches and "search" not in rates:
        return False
    if _TOKENS.isdisjoint(rates):
        return True
    return ("in" in rates or (usage.input_tokens or 0) <= loose["in"]) and (
        "out" in rates or (usage.output_tokens or 0) <= loose["out"]
    )


def _bound_at(most: Usage, sheet: Sheet, rates: Mapping[str, int]) -> int | None:
    amounts: dict[str, int] = {}
    dearest: dict[str, int] = {}
    for meter, rate in rates.items():
        if meter not in METERS:
            return None
        root = ANCESTORS[meter][-1] if ANCESTORS[meter] else meter
        amount = getattr(most, METERS[root][1])
        if amount is None:
            amount = getattr(most, METERS[meter][1])
        if amount is None:
            amount = _ASSUMED.get(meter)
        if amount is None:
            return None
        slack = sheet.steps.get(meter, 1) - 1
        amounts[root] = max(amounts.get(root, 0), amount) + slack
        dearest[root] = max(dearest.get(root, 0), rate)
    if not amounts or not _all_rated(most, rates, _covered(most, rates)):
        return None
    return sum(amount * dearest[root] for root, amount in amounts.items())


def _covered(most: Usage, rates: Mapping[str, int]) -> dict[str, int]:
    """Say how much of the unrated wholes is certainly made of rated parts."""
    loose = {"in": 0, "out": 0}
    for meter in rates:
        if METERS[meter][0] == "tok" and ANCESTORS[meter]:
            loose[ANCESTORS[meter][-1]] += getattr(most, METERS[meter][1]) or 0
    return loose


def _may_hold(when: Condition, most: int | None, parameters: Mapping[str, Any]) -> bool:
    return all(
        _may_hold_within(line, most) if line.fact == "in" else line_holds(line, parameters.get)
        for line in when
    )


def _may_hold_within(line: Line, most: int | None) -> bool:
    """Say whether some input of at most ``most`` tokens satisfies a line; a cautious yes."""
    if most is None or line.op not in (">", ">=", "at_least"):
        return True
    floors = [value for value in line.values if isinstance(value, int | Decimal)]
    return any(most > floor if line.op == ">" else most >= floor for floor in floors)


def _anything(usage: Usage) -> bool:
    return any(_QUANTITIES(usage))
