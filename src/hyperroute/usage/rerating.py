"""A period under other prices: what its answers were charged, and what they would have been.

A row holds what was used, by which model, through which offer; a table holds what that costs on the
row's day, for us and for the caller. What a table cannot price is counted and left out of both sums,
so that they stay comparable; of answers that were cut off only what was used is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hyperroute.canon.journal import UsageRow
from hyperroute.canon.money import Microcredits
from hyperroute.canon.units import DAY
from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.charging import charge, owing
from hyperroute.catalog.price import Price
from hyperroute.catalog.pricing import owed, sheet_on
from hyperroute.routing.index import index_of
from hyperroute.routing.table import RouteTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerated:
    """The answers of one model.

    Attributes:
        requests: Answers that have a price in both.
        charged: What they were charged; ``would_charge`` what they would have been.
        cost: What those of them cost us whose cost is known in both; ``would_cost`` likewise.
        unpriced: Answers that are in no sum, because the tables have no price for them.
        uncosted: Answers of which a cost is unknown, so that they are in neither sum of costs.
    """

    model: str
    requests: int = 0
    charged: Microcredits = 0
    would_charge: Microcredits = 0
    cost: Microcredits = 0
    would_cost: Microcredits = 0
    unpriced: int = 0
    uncosted: int = 0


def rerated(rows: Iterable[UsageRow], table: RouteTable) -> dict[str, Rerated]:
    """Price the answers among these rows again, by model."""
    found: dict[str, Rerated] = {}
    for row in rows:
        if row.offer is not None:
            so_far = found.get(row.model) or Rerated(model=row.model)
            found[row.model] = _with(so_far, row, table)
    return found


def together(one: Rerated | None, other: Rerated) -> Rerated:
    """Add up two parts of what one model's answers came to."""
    if one is None:
        return other
    return Rerated(
        model=one.model,
        requests=one.requests + other.requests,
        charged=one.charged + other.charged,
        would_charge=one.would_charge + other.would_charge,
        cost=one.cost + other.cost,
        would_cost=one.would_cost + other.would_cost,
        unpriced=one.unpriced + other.unpriced,
        uncosted=one.uncosted + other.uncosted,
    )


def prices(row: UsageRow, table: RouteTable) -> tuple[Microcredits | None, Microcredits | None]:
    """Say what a row's answer would be charged and would cost us, ``None`` where nobody knows."""
    offer = _offer(row, table)
    if offer is None:
        return None, None
    model, day = index_of(table).model_of(offer), row.at // DAY
    return _charge(row, model, offer, day, table.scale), _cost(row, offer, day, table.scale)


def _with(so_far: Rerated, row: UsageRow, table: RouteTable) -> Rerated:
    would_charge, would_cost = prices(row, table)
    if would_charge is None:
        return replace(so_far, unpriced=so_far.unpriced + 1)
    is_known = row.cost is not None and would_cost is not None
    return replace(
        so_far,
        requests=so_far.requests + 1,
        charged=so_far.charged + row.credits,
        would_charge=so_far.would_charge + would_charge,
        cost=so_far.cost + (row.cost or 0 if is_known else 0),
        would_cost=so_far.would_cost + (would_cost or 0 if is_known else 0),
        uncosted=so_far.uncosted + int(not is_known),
    )


def _offer(row: UsageRow, table: RouteTable) -> Offer | None:
    """Find the offer by its id, or else the model's first one at the same provider."""
    offers = index_of(table).offers
    if row.offer is not None and row.offer in offers:
        return offers[row.offer]
    service = table.services.get(row.model)
    if service is None:
        return None
    of_model = service.model.offers
    return next((offer for offer in of_model if offer.provider == row.provider), None)


def _charge(row: UsageRow, model: Model, offer: Offer, day: int, scale: int) -> Microcredits | None:
    if not _is_plain(offer.price if model.sell.price is None else model.sell.price, day):
        return None
    return charge(model.sell, offer.price, row.usage, {}, day=day, scale=scale)


def _cost(row: UsageRow, offer: Offer, day: int, scale: int) -> Microcredits | None:
    sheet = sheet_on(offer.price, day)
    if sheet is None or not _is_plain(offer.price, day):
        return None
    units = owed(row.usage, sheet, ended="served" if row.error is None else "cut")
    return None if units is None else owing(units, scale=scale)


def _is_plain(price: Price, day: int) -> bool:
    """Say whether a price needs no more than what a row holds: no size, no quality, no duration."""
    sheet = sheet_on(price, day)
    return sheet is not None and all(
        line.fact == "in" for tier in sheet.tiers for line in tier.when
    )


__all__ = ["Rerated", "prices", "rerated", "together"]
