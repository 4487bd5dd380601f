"""What is certain of a condition when only some facts are known: it holds, it fails, or neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition, Fact, FactRef, Line
from hyperroute.catalog.facts import is_offer_fact, line_holds, offer_fact
from hyperroute.routing.policies import merge
from hyperroute.routing.table import Policy, RouteTable, Rules

Known = Mapping[str, Fact]
"""Facts of the request and its caller that are certain here."""


def truth(condition: Condition, known: Known) -> bool | None:
    """Say whether a condition surely holds, surely fails, or (``None``) may do either."""
    sure = True
    for line in condition:
        holds = _line(line, known)
        if holds is False:
            return False
        sure = sure and holds is True
    return True if sure else None


def _line(line: Line, known: Known) -> bool | None:
    if line.fact not in known:
        return None
    if any(isinstance(value, FactRef) and value.name not in known for value in line.values):
        return None
    return line_holds(line, known.get)


def taught(condition: Condition, known: Known) -> dict[str, Fact]:
    """Add what is certain where a condition holds: lines that say one plain value."""
    found = dict(known)
    for line in condition:
        if line.op in ("equal", "=") and len(line.values) == 1:
            (value,) = line.values
            if not isinstance(value, FactRef) and not (isinstance(value, str) and "*" in value):
                found[line.fact] = value
    return found


def certain(table: RouteTable, known: Known) -> list[Policy]:
    """List the policies that surely apply."""
    return [policy for policy in table.policies if truth(policy.when, known) is True]


def possible(table: RouteTable, known: Known) -> list[Policy]:
    """List the policies that may apply, the certain ones among them."""
    return [policy for policy in table.policies if truth(policy.when, known) is not False]


def rules(table: RouteTable, known: Known) -> Rules:
    """Merge the policies that surely apply: nobody gets wider rules than these."""
    return merge(certain(table, known))


def failing(condition: Condition, offer: Offer, known: Known, table: RouteTable) -> Iterator[Line]:
    """Give the lines that an offer surely fails."""
    model = table.services[offer.model].model
    for line in condition:
        told = {
            value.name: known[value.name]
            for value in line.values
            if isinstance(value, FactRef) and value.name in known
        }
        if any(isinstance(value, FactRef) and value.name not in told for value in line.values):
            continue
        if is_offer_fact(line.fact):
            if model.is_pattern and line.fact == "model":
                continue
            if not line_holds(line, partial(offer_fact, offer, model=model), told.get):
                yield line
        elif _line(line, known) is False:
            yield line


def excluded(offer: Offer, known: Known, table: RouteTable) -> str | None:
    """Say which policy surely keeps an offer from being used, and by what; ``None``: none does."""
    for policy in certain(table, known):
        for line in failing(policy.require, offer, known, table):
            return f"policy {policy.name!r} requires {line.fact}: {line.text or line.op}"
        if policy.cap.cost is not None and not offer.price:
            return f"policy {policy.name!r} caps cost, and its price is unknown"
    return None
