"""The sizes of requests that a table tells apart: the largest of every interval.

Between two neighbouring thresholds a plan stays the same and its worst price never falls, so the
largest size stands for the whole interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from hyperroute.bounds.reach import Reach
from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition
from hyperroute.routing.needs import ASSUMED_OUTPUT, UNKNOWN_WINDOW

SPOKEN = frozenset({"chat", "embed"})
"""Kinds whose requests are measured in tokens."""


def output_values(reach: Reach, conditions: Iterable[Condition]) -> tuple[int | None, ...]:
    """Give the output limits that a caller may declare and that make a difference.

    A caller who declares none may be served by every offer, each up to its own limit: that stands
    for all others, unless a condition reads what was declared, or a price cap counts it.
    """
    if reach.kind != "chat":
        return (None,)
    found = set(_numbers(conditions, "req.max_out"))
    values = {number + step for number in found for step in (-1, 0, 1)}
    capped = any(policy.cap.cost is not None for policy in reach.policies)
    if found or capped:
        values |= {offer.output for offer in reach.offers if offer.output is not None}
        values |= {1, UNKNOWN_WINDOW}
    values |= {cap for cap in _caps(reach, "output") if found or capped}
    return (None, *sorted(value for value in values if value > 0))


def token_values(
    reach: Reach, conditions: Iterable[Condition], outputs: Iterable[int | None]
) -> tuple[int, ...]:
    """Give the input sizes that make a difference, each the largest of its interval."""
    values = {number + step for number in _numbers(conditions, "req.tokens") for step in (-1, 0, 1)}
    if reach.kind in SPOKEN:
        values |= set(_caps(reach, "input"))
        for offer in reach.offers:
            values |= set(_steps(offer))
            window = UNKNOWN_WINDOW if offer.context is None else offer.context
            values |= {window - (output or 0) for output in outputs}
            values.add(window if offer.input is None else offer.input)
        values |= set(_priced_out(reach, outputs))
    return tuple(sorted(value for value in values if value >= 0)) or (0,)


def _steps(offer: Offer) -> Iterator[int]:
    for sheet in offer.price:
        for tier in sheet.tiers:
            for number in _numbers([tier.when], "in"):
                yield from (number - 1, number, number + 1)


def _priced_out(reach: Reach, outputs: Iterable[int | None]) -> Iterator[int]:
    """Find the sizes at which an offer's price for a request passes a cap on prices.

    Read off two rates per sheet; where a price needs more, nothing is found, and nobody claims that
    these are all.
    """
    from hyperroute.catalog.pricing import linear

    caps = {policy.cap.cost for policy in reach.policies if policy.cap.cost is not None}
    for cap in caps:
        for offer in reach.offers:
            line = linear(offer.price[-1]) if offer.price else None
            if line is None:
                continue
            for output in outputs:
                made = ASSUMED_OUTPUT if output is None else output
                for rate_in, rate_out in (
                    (line.input, line.output),
                    *((tier[1], tier[2]) for tier in line.tiers),
                ):
                    if rate_in > 0:
                        yield int((cap * reach.table.scale - rate_out * made) // rate_in)


def _caps(reach: Reach, name: str) -> Iterator[int]:
    for policy in reach.policies:
        value = getattr(policy.cap, name)
        if value is not None:
            yield value


def _numbers(conditions: Iterable[Condition], fact: str) -> Iterator[int]:
    for condition in conditions:
        for line in condition:
            if line.fact == fact:
                yield from (int(v) for v in line.values if isinstance(v, int | Decimal))


__all__ = ["SPOKEN", "output_values", "token_values"]
