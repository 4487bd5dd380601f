"""``price-inversion``, ``cheapest-unknown`` and ``stale-price``: what prices say against the routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hyperroute.canon.usage import Usage
from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.pricing import cost, sheet_on, sold
from hyperroute.proving.lints.ground import Finding, Ground, inside
from hyperroute.proving.reach import reached
from hyperroute.routing.table import ModelTerm, Restrict, Service
from hyperroute.tables.report import Spot

OLD_DAYS = 365
"""After a year a vendor's list has usually changed."""

_INPUTS = (1, 10**12)
_OUTPUTS = (1, 10**12)
"""Prices are straight between tiers, so that their corners are enough; no request is as large."""

_MONEY = frozenset({"cost", "sell"})
_EPOCH = date(1970, 1, 1)
_DATE = re.compile(r"\b20\d\d(?:-\d\d){0,2}\b")
"""In a ``source``: when somebody looked; of a month or a year, its first day counts."""


# --- price-inversion -----------------------------------------------------------------------------
def inverted(ground: Ground) -> Iterator[Finding]:
    """Find equivalents that always cost the caller more, and parts dearer than their whole."""
    for service, spot in ground.services():
        if service.model.kind == "chat":
            yield from _dearer(service, spot, ground)
    for row, spot in _sheets(ground):
        part, whole = row.get("in.cached"), row.get("in")
        if isinstance(part, int | Decimal) and isinstance(whole, int | Decimal) and part > whole:
            yield Finding(spot / "in.cached", f"in.cached costs {part}, more than in with {whole}")


def _sheets(ground: Ground) -> Iterator[tuple[dict[str, Any], Spot]]:
    """Give every price sheet that the author wrote."""
    for entry in ground.folder.own("prices"):
        for at, row in enumerate(entry.value if isinstance(entry.value, list) else [entry.value]):
            yield row, entry.spot / at if isinstance(entry.value, list) else entry.spot
    for entry in ground.folder.own("models"):
        for at, offer in enumerate(entry.value.get("offers") or ()):
            if isinstance(offer.get("price"), dict):
                yield offer["price"], entry.spot / "offers" / at / "price"
        if isinstance(entry.value.get("sell"), dict):
            yield entry.value["sell"], entry.spot / "sell"


def _dearer(service: Service, spot: Spot, ground: Ground) -> Iterator[Finding]:
    """An equivalent never costs more than the model asked for, so one that always does is never used.

    Which own offer stands for what was asked depends on the request; so it has to cost more than
    each of them, and at each corner of every piece in which all these prices are straight lines.
    """
    table, model = ground.table, service.model
    own = list(reached(ModelTerm(model.name), table).values())
    for at, entry in enumerate(service.instead):
        others = [
            (offer, table.services[offer.model].model)
            for offer in reached(entry.term, table).values()
        ]
        if (
            own
            and others
            and not any(
                _affordable((one, model), other, ground.day) for one in own for other in others
            )
        ):
            yield Finding(
                spot / "instead" / at,
                f"{others[0][1].name!r} always costs the caller more than {model.name!r}, or its "
                "price is unknown: it is never used in its place",
            )


def _affordable(own: tuple[Offer, Model], other: tuple[Offer, Model], day: int) -> bool:
    for tokens in sorted({*_INPUTS, *_marks(own, day), *_marks(other, day)}):
        for out in _OUTPUTS:
            usage = Usage(input_tokens=tokens, output_tokens=out)
            asked, price = _selling(*own, usage, day), _selling(*other, usage, day)
            if asked is not None and price is not None and price <= asked:
                return True
    return False


def _marks(offer: tuple[Offer, Model], day: int) -> Iterator[int]:
    """Give the sizes where a tier of either price begins, and their neighbours."""
    for price in (offer[0].price, offer[1].sell.price or ()):
        sheet = sheet_on(price, day)
        for tier in () if sheet is None else sheet.tiers:
            for line in tier.when:
                for value in line.values:
                    if line.fact == "in" and isinstance(value, int):
                        yield from (value + by for by in (-1, 0, 1) if value + by >= 0)


def _selling(offer: Offer, model: Model, usage: Usage, day: int) -> int | None:
    sheet = sheet_on(offer.price, day)
    paid = None if sheet is None else cost(usage, sheet)
    return sold(model.sell, usage, day, paid, {})


# --- cheapest-unknown ----------------------------------------------------------------------------
def unknown(ground: Ground) -> Iterator[Finding]:
    """Find orders by price over offers that have none: they come last without a word."""
    table = ground.table
    for _, term, spot, value in ground.terms():
        for part, place, _ in inside(term, spot, value):
            if not isinstance(part, Restrict):
                continue
            key = next((key for key in part.rank if key.name in _MONEY), None)
            if key is None:
                continue
            lacking = [
                offer.id
                for offer in reached(part.term, table).values()
                if not offer.price
                and (key.name == "cost" or table.services[offer.model].model.sell.price is None)
            ]
            if lacking:
                shown = ", ".join(lacking[:3]) + (" …" if len(lacking) > 3 else "")
                yield Finding(
                    place / "rank",
                    f"ordered by {key.name}, which is unknown of {len(lacking)} offers and puts "
                    f"them last: {shown}",
                )


# --- stale-price ---------------------------------------------------------------------------------
def stale(ground: Ground) -> Iterator[Finding]:
    """Find prices whose newest row is old, and prices of which no row has begun."""
    for entry in ground.folder.own("prices"):
        yield from _aged(entry.value, entry.spot, ground.day)
    for entry in ground.folder.own("models"):
        for at, offer in enumerate(entry.value.get("offers") or ()):
            if isinstance(offer.get("price"), dict):
                yield from _aged(offer["price"], entry.spot / "offers" / at / "price", ground.day)


def _aged(price: Any, spot: Spot, day: int) -> Iterator[Finding]:
    rows = price if isinstance(price, list) else [price]
    begins = [_day(row.get("from")) for row in rows]
    dated = [one for one in begins if one is not None]
    if len(dated) < len(begins):
        return  # a row without a date is meant for always
    if min(dated) > day:
        yield Finding(spot, f"no row has begun: the price is unknown until {_told(min(dated))}")
        return
    read = [_day(found) for row in rows for found in _DATE.findall(str(row.get("source", "")))]
    newest = max(dated + [one for one in read if one is not None])
    if newest < day - OLD_DAYS:
        yield Finding(
            spot,
            f"nobody has looked at it since {_told(newest)}, more than {OLD_DAYS} days ago",
        )


def _day(written: object) -> int | None:
    text = str(written)
    try:
        return (date.fromisoformat(text + "-01" * (2 - text.count("-"))) - _EPOCH).days
    except ValueError:
        return None


def _told(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()
