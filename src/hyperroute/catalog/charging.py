"""From a price to an amount of the ledger: the one place where money is rounded.

A price is exact, an integer in units of ``1 / scale`` USD; the ledger counts in micro-credits, of
which one US dollar has a hundred million. What is charged or owed is rounded half up, once, at the
end (invariant 38); what is set aside is rounded up, so that no charge within the bound exceeds it
(invariant 37).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hyperroute.canon.money import MICROCREDITS_PER_USD, Microcredits
from hyperroute.canon.usage import Usage
from hyperroute.catalog.price import Price, Sell
from hyperroute.catalog.pricing import bound, cost, sheet_on


def owing(units: int, *, scale: int) -> Microcredits:
    """Round an exact price, half up.

    Args:
        units: In ``1 / scale`` USD, 0 or more.
        scale: Of the table.
    """
    return _half_up(units * MICROCREDITS_PER_USD, scale)


def charge(
    sell: Sell,
    price: Price,
    usage: Usage,
    parameters: Mapping[str, Any],
    *,
    day: int,
    scale: int,
) -> Microcredits | None:
    """Price an answer for its caller.

    Args:
        sell: Of the model: a sheet of its own, or a margin on ``price``.
        price: What the offer charges us.
        usage: What the answer used.
        parameters: Of the request, defaults filled in.
        day: When it was dispatched, in days since 1970-01-01: later rows do not count.
        scale: Of the table.

    Returns:
        ``None`` where a quantity or its rate is unknown, which is never 0.
    """
    sheet = sheet_on(price if sell.price is None else sell.price, day)
    units = None if sheet is None else cost(usage, sheet, parameters)
    if units is None:
        return None
    dividend, divisor = _with_margin(sell, units)
    return _half_up(dividend * MICROCREDITS_PER_USD, divisor * scale)


def charge_bound(
    sell: Sell,
    price: Price,
    most: Usage,
    parameters: Mapping[str, Any],
    *,
    day: int,
    scale: int,
) -> Microcredits | None:
    """Bound ``charge`` over every usage within ``most``: what a hold must cover."""
    sheet = sheet_on(price if sell.price is None else sell.price, day)
    units = None if sheet is None else bound(most, sheet, parameters)
    if units is None:
        return None
    dividend, divisor = _with_margin(sell, units)
    return -(-dividend * MICROCREDITS_PER_USD // (divisor * scale))


def _with_margin(sell: Sell, units: int) -> tuple[int, int]:
    return (units, 1) if sell.price is not None else (units * (100 + sell.margin_percent), 100)


def _half_up(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)


__all__ = ["charge", "charge_bound", "owing"]
