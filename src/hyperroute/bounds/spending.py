"""What one attempt can cost, and the usage that makes it cost that much.

The bound is that of a hold (``catalog.pricing.bound``), with one fact more: an offer's window is
taken at its word, so no provider is paid for more input than the window it declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from hyperroute.canon.usage import Usage
from hyperroute.catalog.card import Offer
from hyperroute.catalog.price import METERS, Sheet
from hyperroute.catalog.pricing import ANCESTORS, bound, cost, rates_of, sheet_on
from hyperroute.routing.needs import worst_usage
from hyperroute.routing.shapes import Misfit
from hyperroute.routing.view import View


@dataclass(frozen=True, slots=True)
class Spending:
    """Of one attempt at one offer, in units of ``1 / scale`` USD.

    Attributes:
        served, failed: Upper bounds by how it ended; ``None``: nothing bounds it, or no price is known.
        served_low, failed_low: What ``usage`` really costs.
        usage: What the provider reports to make it cost that.
    """

    served: int | None
    failed: int | None
    served_low: int | None
    failed_low: int | None
    usage: Usage


NOTHING = Spending(None, None, None, None, Usage())


def spending(offer: Offer, view: View) -> Spending:
    """Bound what an attempt at an offer may cost for a request."""
    sheet = sheet_on(offer.price, view.day)
    fitted = view.fitted(offer)
    if sheet is None or isinstance(fitted, Misfit):
        return NOTHING
    request, rules = view.request, view.rules
    caps = [limit for limit in (request.max_output, rules.output) if limit is not None]
    windows = [limit for limit in (offer.context, offer.input) if limit is not None]
    bytes_max = request.input_bytes if request.kind in ("chat", "embed") else 0
    if not windows and rules.input is None and view.pinned and request.kind in ("chat", "embed"):
        return NOTHING
    most = worst_usage(
        request,
        offer,
        view.index.model_of(offer),
        fitted.parameters,
        input_tokens=min([bytes_max, *windows]),
        output_cap=min(caps, default=None),
    )
    highest = bound(most, sheet, fitted.parameters)
    if highest is None:
        return NOTHING
    lowest, usage = _dearest(most, sheet, fitted.parameters)
    if sheet.charged == "success":
        return Spending(highest, 0, lowest, 0, usage)
    return Spending(highest, highest, lowest, lowest, usage)


def _dearest(most: Usage, sheet: Sheet, parameters: Mapping[str, Any]) -> tuple[int | None, Usage]:
    """Find the dearest usage within bounds: all of a whole in its dearest part, at every tier."""
    best: tuple[int | None, Usage] = (None, most)
    for tokens in _inputs(most, sheet):
        usage = replace(most, input_tokens=tokens)
        rates = rates_of(sheet, partial(_fact, tokens, parameters))
        parts: dict[str, Any] = dict(_parts(usage, rates))
        filled = replace(usage, **parts)
        for one in (filled, usage):
            price = cost(one, sheet, parameters)
            if price is not None and (best[0] is None or price > best[0]):
                best = (price, one)
    return best


def _inputs(most: Usage, sheet: Sheet) -> Iterator[int | None]:
    yield most.input_tokens
    if most.input_tokens is None:
        return
    for tier in sheet.tiers:
        for line in tier.when:
            for value in line.values if line.fact == "in" else ():
                if isinstance(value, int | Decimal) and not isinstance(value, bool):
                    for tokens in (int(value) - 1, int(value), int(value) + 1):
                        if 0 <= tokens <= most.input_tokens:
                            yield tokens


def _parts(usage: Usage, rates: Mapping[str, int]) -> dict[str, int]:
    """Put the whole of every measure into its dearest part."""
    dearest: dict[str, str] = {}
    for meter in rates:
        if meter in METERS and ANCESTORS[meter]:
            root = ANCESTORS[meter][-1]
            current = dearest.get(root, root)
            if rates[meter] > rates.get(current, -1):
                dearest[root] = meter
    filled: dict[str, int] = {}
    for root, meter in dearest.items():
        amount = getattr(usage, METERS[root][1])
        if amount is not None:
            for name in (meter, *ANCESTORS[meter][:-1]):
                filled[METERS[name][1]] = amount
    return filled


def _fact(tokens: int | None, parameters: Mapping[str, Any], name: str) -> Any:
    return tokens if name == "in" else parameters.get(name)


__all__ = ["NOTHING", "Spending", "spending"]
