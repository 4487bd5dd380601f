"""The sizes of requests that a table tells apart: the largest of every interval.

Between two neighbouring thresholds a plan stays the same and its worst price never falls, so the
largest size stands for the whole interval. What a caller declares to want at most takes room of the
window away from what it may send, so the two are one axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from hyperroute.bounds.dearer import depends, meetings
from hyperroute.bounds.reach import Reach
from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition, Line
from hyperroute.catalog.pricing import linear
from hyperroute.routing.needs import ASSUMED_OUTPUT, UNKNOWN_WINDOW

SPOKEN = frozenset({"chat", "embed"})
"""Kinds whose requests are measured in tokens."""

Size = tuple[int, int | None]
"""Input tokens, and the output tokens that the caller declares."""


def size_values(reach: Reach, conditions: Iterable[Condition]) -> tuple[Size, ...]:
    """Give the sizes that make a difference, the largest input first: it is mostly the dearest."""
    lines = [line for condition in conditions for line in condition]
    found: set[Size] = set()
    for output in _outputs(reach, lines):
        found |= {(tokens, output) for tokens in _inputs(reach, lines, output)}
    return tuple(sorted(found, key=lambda size: (size[1] or 0, -size[0])))


def _outputs(reach: Reach, lines: Iterable[Line]) -> tuple[int | None, ...]:
    """Give the output limits that a caller may declare and that make a difference.

    A caller who declares none may be served by every offer, each up to its own limit: that stands
    for all others, unless a condition reads what was declared, or a price cap counts it.
    """
    if reach.kind != "chat":
        return (None,)
    found = {end for low, high in _ends(lines, "req.max_out") for end in (low, high)}
    capped = any(policy.cap.cost is not None for policy in reach.policies)
    if not found and not capped and not depends(reach):
        return (None,)
    limits = {offer.output or UNKNOWN_WINDOW for offer in reach.offers}
    limits |= {policy.cap.output for policy in reach.policies if policy.cap.output is not None}
    values = found | limits | {limit + 1 for limit in limits} | {1}
    return (None, *sorted(value for value in values if value > 0))


def _inputs(reach: Reach, lines: Iterable[Line], output: int | None) -> Iterator[int]:
    ends = set(_ends(lines, "req.tokens"))
    windows = {UNKNOWN_WINDOW if o.context is None else o.context for o in reach.offers}
    values = {low for low, _ in ends}
    values |= {window - (output or 0) for window in windows}
    values |= {offer.input for offer in reach.offers if offer.input is not None}
    if reach.kind in SPOKEN:
        values |= {p.cap.input for p in reach.policies if p.cap.input is not None}
        values |= {low for offer in reach.offers for low in _steps(offer)}
        values |= set(_priced_out(reach, output))
        if depends(reach):
            met = set(meetings(reach, ASSUMED_OUTPUT if output is None else output))
            values |= met | {at - 1 for at in met}
    if any(offer.context is None and offer.input is None for offer in reach.offers):
        values.add(max([*values, *(high for _, high in ends)], default=0) + 1)
    yield from (value for value in values if value >= 0) if values else (0,)


def _ends(lines: Iterable[Line], fact: str) -> Iterator[tuple[int, int]]:
    """Give the last value of the interval below a threshold, and the first of that above it."""
    for line in lines:
        if line.fact != fact:
            continue
        for value in line.values:
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                at = int(value)
                if line.op in (">", "<="):
                    yield at, at + 1
                elif line.op in (">=", "<", "at_least"):
                    yield at - 1, at
                else:
                    yield at - 1, at
                    yield at, at + 1


def _steps(offer: Offer) -> Iterator[int]:
    for sheet in offer.price[-1:]:
        for tier in sheet.tiers:
            for low, _ in _ends(tier.when, "in"):
                yield low


def _priced_out(reach: Reach, output: int | None) -> Iterator[int]:
    """Find the sizes at which an offer's price for a request passes a cap on prices.

    Read off two rates per sheet; where a price needs more, nothing is found, and nobody claims that
    these are all.
    """
    caps = {policy.cap.cost for policy in reach.policies if policy.cap.cost is not None}
    made = ASSUMED_OUTPUT if output is None else output
    for offer in reach.offers if caps else ():
        line = linear(offer.price[-1]) if offer.price else None
        if line is None:
            continue
        rates = [(line.input, line.output), *((tier[1], tier[2]) for tier in line.tiers)]
        for rate_in, rate_out in rates:
            for cap in caps:
                if rate_in > 0:
                    yield int((cap * reach.table.scale - rate_out * made) // rate_in)


__all__ = ["SPOKEN", "size_values"]
