"""``unreachable-arm``: a part of a term that no request can come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hyperroute.catalog.condition import Condition, Fact, FactRef, Line
from hyperroute.catalog.facts import line_holds
from hyperroute.proving.lints.certain import Known, taught, truth
from hyperroute.proving.lints.ground import Finding, Ground, arms, bare
from hyperroute.proving.reach import listed, reached
from hyperroute.routing.table import First, Match, RouteTable, Term
from hyperroute.tables.report import Spot

_FAR = 1 << 40


def find(ground: Ground) -> Iterator[Finding]:
    """Walk every term with what is certain where it stands."""
    for kind, term, spot, value in ground.terms():
        known: dict[str, Fact] = {"req.kind": kind} if kind else {}
        yield from _walk(term, spot, value, known, ground.table)


def _walk(term: Term, spot: Spot, value: Any, known: Known, table: RouteTable) -> Iterator[Finding]:
    inner = bare(term)
    parts = arms(term, spot, value)
    if isinstance(inner, Match):
        conditions = [condition for condition, _ in inner.arms]
        for at, part in enumerate(parts):
            reason = _unreached(conditions, at, known, table)
            if reason:
                yield Finding(spot / "match" / at, f"this arm is never reached: {reason}")
                continue
            yield from _walk(*part, taught(conditions[at], known), table)
        return
    if isinstance(inner, First):
        yield from _repeated(inner, spot, table)
    for part in parts:
        yield from _walk(*part, known, table)


def _repeated(first: First, spot: Spot, table: RouteTable) -> Iterator[Finding]:
    before = frozenset[str]()
    for at, one in enumerate(first.terms):
        offers = frozenset(reached(one, table))
        if offers and offers <= before:
            yield Finding(
                spot / "first" / at, "this entry adds nothing: all its offers stand before it"
            )
        before |= listed(one, table)


def _unreached(conditions: list[Condition], at: int, known: Known, table: RouteTable) -> str | None:
    own = conditions[at]
    if truth(own, known) is False:
        line = next(line for line in own if truth((line,), known) is False)
        return f"{line.fact} is {known[line.fact]} here"
    for earlier in conditions[:at]:
        if truth(earlier, known) is True:
            return "an earlier one always holds here"
    single = [earlier[0] for earlier in conditions[:at] if len(earlier) == 1]
    for fact in {line.fact for line in single}:
        lines = [line for line in single if line.fact == fact]
        values = _domain(fact, own, lines, table)
        if values and all(any(_holds(line, value) for line in lines) for value in values):
            return f"the earlier ones take every {fact} that it could have"
    return None


def _domain(
    fact: str, own: Condition, lines: list[Line], table: RouteTable
) -> tuple[Fact, ...] | None:
    """List the values that matter of a fact that is always known, where the own condition holds."""
    if any(isinstance(value, FactRef) for line in lines for value in line.values):
        return None
    declared = table.facts.get(fact)
    values: tuple[Fact, ...]
    if fact == "req.stream":
        values = (False, True)
    elif fact == "req.tokens":
        marks = sorted({v for line in lines for v in line.values if isinstance(v, int)})
        values = (0, *(m + d for m in marks for d in (-1, 0, 1) if m + d >= 0), _FAR)
    elif declared is not None and declared.one_of and declared.default is not None:
        values = tuple(declared.one_of)
    else:
        return None
    mine = [
        line
        for line in own
        if line.fact == fact and not any(isinstance(value, FactRef) for value in line.values)
    ]
    if fact == "req.tokens":
        own_marks = {v for line in mine for v in line.values if isinstance(v, int)}
        values = (*values, *(m + d for m in sorted(own_marks) for d in (-1, 0, 1) if m + d >= 0))
    return tuple(value for value in values if all(_holds(line, value) for line in mine))


def _holds(line: Line, value: Fact) -> bool:
    return line_holds(line, lambda _: value)
