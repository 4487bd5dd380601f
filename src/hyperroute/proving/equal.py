"""Are two tables, or two terms of one, the same for every request and every outage?

Two plans whose lists agree before they are cut, cuts and all, agree under every outage. So classes of
requests are compared by that, and an outage is sought only where it fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from hyperroute.bounds.axes import Axes, axes_of, product_size
from hyperroute.bounds.classes import CLASSES_MAX, Classes
from hyperroute.bounds.moment import view_of
from hyperroute.bounds.outages import NO_LISTS, OFFERS_MAX, Lists, lists_of, states
from hyperroute.bounds.reach import Reach, askable, asked_chains, reach, untaken
from hyperroute.bounds.situation import Situation
from hyperroute.proving.algebra import normal
from hyperroute.routing.plan import Plan
from hyperroute.routing.resolve import names_of
from hyperroute.routing.table import ChainTerm, IntentTerm, ModelTerm, RouteTable, Term
from hyperroute.routing.view import View

Aspect = Literal["names", "offers", "answer", "prices", "attempts", "rules"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that is treated differently, and how.

    Attributes:
        name: What it asks for.
        aspect: ``names``: only one side has it; ``offers``: which, and in which order; ``answer``: the
            refusal; ``prices``, ``attempts`` and ``rules`` of the same offers.
        situation: The request and what is out.
        left, right: What each side makes of it, for people.
    """

    name: str
    aspect: Aspect
    situation: Situation | None
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. ``proved``: nothing was left out, so that no difference means equal."""

    difference: Difference | None
    proved: bool
    classes: int

    @property
    def equal(self) -> bool:
        """Whether both sides are the same, and that is certain."""
        return self.difference is None and self.proved


@dataclass(frozen=True)
class _Side:
    """One side of a comparison."""

    table: RouteTable
    uncut: RouteTable
    reach: Reach

    def asked(self, situation: Situation) -> Situation:
        asked: dict[str, Any] = {"model": None, "intent": None} | self.reach.asked()
        return replace(situation, **asked)

    def outlook(self, situation: Situation) -> tuple[Plan, Lists]:
        plan = self.asked(situation).plan(self.uncut)
        if not self.reach.takes:
            return plan, NO_LISTS
        whole = view_of(situation, plan)
        view = View(plan.request, self.table, plan.answers, situation.seed)
        view.pinned, view.pattern, view.defaults = whole.pinned, whole.pattern, whole.defaults
        return plan, lists_of(self.reach.terms, view, whole)


def equal_tables(left: RouteTable, right: RouteTable, *, most: int = CLASSES_MAX) -> Verdict:
    """Compare two tables by everything that can be asked of them."""
    ours, theirs = set(_askable(left)), set(_askable(right))
    for name in sorted(ours ^ theirs):
        here, there = ("known", "unknown") if name in ours else ("unknown", "known")
        return Verdict(Difference(name, "names", None, here, there), proved=True, classes=0)
    proved, classes = True, 0
    for name in sorted(ours):
        meant, also = _meant(left, name), _meant(right, name)
        if meant != also:
            return Verdict(
                Difference(name, "names", None, meant, also), proved=True, classes=classes
            )
        if meant == name:
            found = _compared(left, name, right, name, order_only=False, most=most)
            proved, classes = proved and found.proved, classes + found.classes
            if found.difference is not None:
                return Verdict(found.difference, proved, classes)
    return Verdict(None, proved, classes)


def equal_names(table: RouteTable, left: str, right: str, *, most: int = CLASSES_MAX) -> Verdict:
    """Compare what two chains, intents or models of one table denote: offers and their order."""
    if repr(normal(_term(table, left), table)) == repr(normal(_term(table, right), table)):
        return Verdict(None, proved=True, classes=0)
    proved, classes = True, 0
    for name, other, asked in _pairs(table, left, right):
        found = _compared(asked, name, asked, other, order_only=True, most=most)
        proved, classes = proved and found.proved, classes + found.classes
        if found.difference is not None:
            return Verdict(found.difference, proved, classes)
    return Verdict(None, proved, classes)


def _term(table: RouteTable, name: str) -> Term:
    if name in table.chains:
        return ChainTerm(name)
    return IntentTerm(name) if name in table.intents else ModelTerm(name)


def _pairs(table: RouteTable, left: str, right: str) -> Iterator[tuple[str, str, RouteTable]]:
    """Give the names to ask for; a chain is asked for by each kind of what it reaches."""
    asked = table
    for name in (left, right):
        if name in table.chains:
            asked = askable(asked, name)

    def spelt(name: str) -> tuple[str, ...]:
        return asked_chains(table, name) if name in table.chains else (name,)

    kinds = {one.rpartition("/")[2] for name in (left, right) for one in spelt(name)}
    if left in table.chains and right in table.chains:
        for kind in sorted(kinds):
            pair = (f"chain:{left}/{kind}", f"chain:{right}/{kind}")
            if all(name in asked.intents for name in pair):
                yield (*pair, asked)
        return
    for one in spelt(left):
        for other in spelt(right):
            yield one, other, asked


def _askable(table: RouteTable) -> Iterator[str]:
    known = names_of(table)
    yield from {**known.models, **known.intents}
    yield from table.patterns


def _meant(table: RouteTable, name: str) -> str:
    alias = table.aliases.get(name)
    return name if alias is None else alias.to


def _compared(
    left: RouteTable, name: str, right: RouteTable, other: str, *, order_only: bool, most: int
) -> Verdict:
    sides: list[_Side] = []
    for table, one in ((left, name), (right, other)):
        found = reach(table, one)
        assert found is not None, "names were looked up before"
        sides.append(_Side(table, untaken(table) if found.takes else table, found))
    ours, theirs = sides
    if ours.reach.kind != theirs.reach.kind:
        told = Difference(name, "answer", None, ours.reach.kind, theirs.reach.kind)
        return Verdict(told, proved=True, classes=0)
    classes = _joint(ours.reach, theirs.reach, most)
    proved, looked = classes.complete and _measured_alike(ours, theirs), 0
    for situation in classes:
        looked += 1
        found_one, certain = _differs(ours, theirs, situation, order_only=order_only)
        if found_one is not None:
            return Verdict(found_one, proved=True, classes=looked)
        proved = proved and certain
    return Verdict(None, proved, looked)


def _measured_alike(ours: _Side, theirs: _Side) -> bool:
    """Say whether what is measured at run time cannot tell two sides apart.

    Classes are compared before anything was measured; an order by measures is the same on both sides
    if their terms have one normal form.
    """
    if not (ours.reach.measures or theirs.reach.measures):
        return True
    forms = [
        [repr(normal(term, side.table)) for term in side.reach.terms] for side in (ours, theirs)
    ]
    return forms[0] == forms[1]


def _joint(left: Reach, right: Reach, most: int) -> Classes:
    """Divide requests into classes that both sides are of one mind about."""
    one, other = axes_of(left, right.conditions), axes_of(right, left.conditions)
    values: dict[str, dict[object, None]] = {}
    for axis in (*one.axes, *other.axes):
        values.setdefault(axis.name, {}).update(dict.fromkeys(axis.values))
    joint = Axes(complete=one.complete and other.complete)
    for name, found in values.items():
        joint.add(name, found)
    size = product_size(joint.axes)
    return Classes(left, joint, size, joint.complete and size <= most, most)


def _differs(
    ours: _Side, theirs: _Side, situation: Situation, *, order_only: bool
) -> tuple[Difference | None, bool]:
    """Compare one class, and say whether no difference is certain under every outage."""
    (plan, lists), (other, cuts) = ours.outlook(situation), theirs.outlook(situation)
    whole = _difference(ours, plan, other, situation, order_only=order_only)
    if whole is None and lists == cuts:
        return None, True
    offers = sorted({one.offer.id for made in (plan, other) for one in made.candidates})
    few = len(offers) <= OFFERS_MAX
    for out in states(offers) if few else _some(offers):
        there = replace(situation, closed=frozenset(f"offer:{offer}" for offer in out))
        made = ours.asked(there).plan(ours.table)
        against = theirs.asked(there).plan(theirs.table)
        found = _difference(ours, made, against, there, order_only=order_only)
        if found is not None:
            return found, True
    return None, few


def _some(offers: list[str]) -> Iterator[frozenset[str]]:
    """Give the outages most likely to tell two plans apart: none, one, all but one or two."""
    yield frozenset()
    yield from (frozenset({offer}) for offer in offers)
    every = frozenset(offers)
    yield from (every - {offer} for offer in offers)
    yield from (every - {one, other} for one in offers for other in offers if one < other)


def _difference(
    ours: _Side, plan: Plan, other: Plan, situation: Situation, *, order_only: bool
) -> Difference | None:
    name = ours.reach.name

    def told(aspect: Aspect, left: object, right: object) -> Difference:
        return Difference(name, aspect, ours.asked(situation), str(left), str(right))

    left, right = (_offers(one) for one in (plan, other))
    if left != right:
        return told("offers", ", ".join(left) or "none", ", ".join(right) or "none")
    if order_only:
        return None
    if plan.refusal is not None and other.refusal is not None:
        codes = (plan.refusal.code, other.refusal.code)
        return told("answer", *codes) if codes[0] != codes[1] else None
    for one, two in zip(plan.candidates, other.candidates, strict=True):
        prices = [
            tuple(None if v is None else v * side.table.scale for v in (c.expected, c.worst))
            for c, side in ((one, other), (two, plan))
        ]
        if prices[0] != prices[1]:
            return told("prices", f"{one.offer.id} {one.worst}", f"{two.offer.id} {two.worst}")
        if (one.sends, one.parameters, one.credentials, one.timeouts) != (
            two.sends, two.parameters, two.credentials, two.timeouts,
        ):  # fmt: skip
            return told("rules", one.offer.id, two.offer.id)
    if plan.attempts_max != other.attempts_max:
        return told("attempts", plan.attempts_max, other.attempts_max)
    merged = (replace(one.rules, require=()) for one in (plan, other))
    if next(merged) != next(merged):
        return told("rules", f"{plan.deadline_ns} ns", f"{other.deadline_ns} ns")
    return None


def _offers(plan: Plan) -> list[str]:
    return [
        one.offer.id + (f" after {', '.join(sorted(one.after))}" if one.after else "")
        for one in plan.candidates
        if not one.last_resort
    ]


__all__ = ["Difference", "Verdict", "equal_names", "equal_tables"]
