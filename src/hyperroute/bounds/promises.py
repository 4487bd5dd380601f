"""Promises of a table, proved or refuted: each broken one comes with the request that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from hyperroute.bounds.ceiling import ceiling
from hyperroute.bounds.classes import CLASSES_MAX, classes_of
from hyperroute.bounds.moment import view_of
from hyperroute.bounds.reach import Reach, askable, asked_chains, elsewhere, reach, untaken
from hyperroute.bounds.situation import Situation
from hyperroute.bounds.told import amount, outage, run, said
from hyperroute.bounds.worst import Trace, Worst, bounds_of, matching
from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition, FactRef
from hyperroute.catalog.facts import line_holds, offer_fact
from hyperroute.routing.plan import Plan
from hyperroute.routing.table import Promise, RouteTable
from hyperroute.routing.view import View


@dataclass(frozen=True, slots=True)
class Broken:
    """What a promise says and its table does not keep.

    Attributes:
        key: Of the promise.
        message: One line for people, with the counterexample in it.
        situation: The request that breaks it; ``None``: it could not be proved, nor refuted.
        trace: The run that breaks it, where one is needed.
    """

    key: str
    message: str
    situation: Situation | None = None
    trace: Trace | None = None


def broken(
    table: RouteTable, name: str, promise: Promise, *, most: int = CLASSES_MAX
) -> tuple[Broken, ...]:
    """Check the promise of a model or an intent, or of a chain by its name."""
    names: tuple[str, ...] = (name,)
    if name in table.chains:
        names = asked_chains(table, name)
        table = askable(table, name)
    found: dict[str, Broken] = {}
    for one in names:
        reached = reach(table, one)
        if reached is not None:
            for fault in _faults(reached, promise, most):
                found.setdefault(fault.key, fault)
    return tuple(found.values())


def _faults(reached: Reach, promise: Promise, most: int) -> Iterator[Broken]:
    if elsewhere(promise.when, reached.kind):
        return  # no request of this kind is spoken of
    yield from _exceeded(reached, promise, most)
    if promise.survives is None and not promise.never:
        return
    extra = tuple(one for one in (promise.when, _about_callers(promise.never)) if one)
    classes = classes_of(reached, extra, most=most)
    uncut = untaken(reached.table) if reached.takes else reached.table
    left = {"survives", "never"}
    for situation in matching(classes, reached.table, promise.when):
        plan = situation.plan(uncut)
        if not plan.candidates or plan.candidates[0].last_resort:
            continue
        view = view_of(situation, plan)
        for fault in (_dies(situation, plan, promise), _strays(situation, plan, view, promise)):
            if fault is not None and fault.key in left:
                left.discard(fault.key)
                yield fault
        if not left:
            return
    if not classes.complete:
        yield from _unproved(reached, promise, left, classes.size)


def _about_callers(never: Condition) -> Condition:
    """Keep the lines that read the caller on their right side, so that classes tell callers apart."""
    return tuple(line for line in never if any(isinstance(value, FactRef) for value in line.values))


# --- numbers -----------------------------------------------------------------------------------------
def _exceeded(reached: Reach, promise: Promise, most: int) -> Iterator[Broken]:
    cost = None if promise.cost is None else int(promise.cost * reached.table.scale)
    wanted = {"attempts": promise.attempts, "cost": cost, "time": promise.time_ns}
    wanted = {key: value for key, value in wanted.items() if value is not None}
    highest = ceiling(reached)
    for key, value in (
        ("attempts", highest.attempts),
        ("cost", highest.cost),
        ("time", highest.time_ns),
    ):
        if key in wanted and value is not None and value <= (wanted[key] or 0):
            del wanted[key]
    if not wanted:
        return
    found = bounds_of(reached.table, reached.name, when=promise.when, most=most)
    assert found is not None, "what can be reached can be bounded"
    for key, value in wanted.items():
        fault = _over(reached.table, key, value or 0, getattr(found, key))
        if fault is not None:
            yield fault


def _over(table: RouteTable, key: str, promised: int, worst: Worst) -> Broken | None:
    if worst.bound is not None and worst.bound <= promised:
        return None
    says = f"promises at most {amount(key, promised, table)}"
    if worst.trace is not None and (worst.attained or 0) > promised:
        came = amount(key, worst.attained or 0, table)
        how = f"{said(worst.trace.situation)}{outage(worst.trace.situation)}: {run(worst.trace)}"
        return Broken(
            key, f"{says}, but one request can come to {came}: {how}", worst.trace.situation,
            worst.trace,
        )  # fmt: skip
    if worst.bound is None:
        why = "an offer has no price, or nothing bounds its tokens"
        return Broken(key, f"{says}, but nothing bounds it: {why}")
    return Broken(key, f"{says}; only {amount(key, worst.bound, table)} can be proved")


# --- survival and safety -------------------------------------------------------------------------------
def _dies(situation: Situation, plan: Plan, promise: Promise) -> Broken | None:
    if promise.survives is None or situation.avoid or not situation.fallback:
        return None  # what a caller forbids itself is no outage
    count, unit = promise.survives
    openings = [one.offer for one in plan.candidates if not one.after]
    groups: dict[str, list[Offer]] = {}
    for offer in openings:
        group = {"provider": offer.provider, "offer": offer.id}.get(unit, offer.region)
        if group is not None:
            groups.setdefault(group, []).append(offer)
    if len(groups) > count:
        return None
    known = sum(map(len, groups.values()))
    unknown = "" if known == len(openings) else "; of the others the region is not known"
    names = ", ".join(sorted(groups)) or "nothing"
    closed = frozenset(f"offer:{offer.id}" for offer in openings)
    return Broken(
        "survives",
        f"promises to survive {count} {unit}, but {said(situation)} has only {names}{unknown}",
        replace(situation, closed=closed),
    )


def _strays(situation: Situation, plan: Plan, view: View, promise: Promise) -> Broken | None:
    if not promise.never:
        return None
    for candidate in plan.candidates:
        offer = candidate.offer
        if all(line_holds(line, partial(view.fact_of, offer), view.fact) for line in promise.never):
            lines = ", ".join(line.text for line in promise.never)
            others = {one.offer.id for one in plan.candidates} - {offer.id}
            closed = frozenset(f"offer:{one}" for one in others)
            return Broken(
                "never",
                f"promises never {{{lines}}}, but {said(situation)} can be tried at {offer.id}",
                replace(situation, closed=closed),
            )
    return None


def _unproved(reached: Reach, promise: Promise, left: set[str], size: int) -> Iterator[Broken]:
    about = f"what was looked at of {size} classes of requests does not stand for all"
    if promise.survives is not None and "survives" in left:
        count, unit = promise.survives
        yield Broken("survives", f"promises to survive {count} {unit}; not proved: {about}")
    if promise.never and "never" in left and not _none(reached, promise.never):
        lines = ", ".join(line.text for line in promise.never)
        yield Broken("never", f"promises never {{{lines}}}; not proved: {about}")


def _none(reached: Reach, never: Condition) -> bool:
    """Say whether no offer at all satisfies a condition that reads nothing of the caller."""
    if _about_callers(never):
        return False
    models = {model.name: model for model in reached.models}

    def is_one(offer: Offer) -> bool:
        return all(
            line_holds(line, lambda name: offer_fact(offer, name, models[offer.model]))
            for line in never
        )

    return not any(map(is_one, reached.offers))


__all__ = ["Broken", "broken"]
