"""The worst of any one request of a name, over its classes, all outages and every failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import le

from hyperroute.bounds.adversary import Path
from hyperroute.bounds.ceiling import Ceiling, ceiling
from hyperroute.bounds.classes import CLASSES_MAX, Classes, classes_of
from hyperroute.bounds.dearer import depends, undearer
from hyperroute.bounds.menu import Menus
from hyperroute.bounds.moment import Found, Moment, moment, view_of
from hyperroute.bounds.outages import NO_LISTS, OFFERS_MAX, lists_of, states
from hyperroute.bounds.reach import Reach, reach, untaken
from hyperroute.bounds.situation import Situation
from hyperroute.canon.failure import Failure
from hyperroute.catalog.condition import Condition
from hyperroute.catalog.facts import holds
from hyperroute.routing.table import RouteTable
from hyperroute.routing.view import View

STATES_MAX = 4_096
"""Outages enumerated for one name, where a choice cannot stand for them."""

WALKS_MAX = 1_000
"""Walks through plans whose candidates wait for a failure, for one name; each takes milliseconds."""

WALK_PRICE = 8
"""A walk through one state takes the time of so many choices."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt of a trace. ``failure`` of ``None`` is an answer, or the end of the time."""

    offer: str
    failure: Failure | None
    duration_ns: int


@dataclass(frozen=True, slots=True)
class Trace:
    """A request, an outage and what every attempt comes to: a run that can be played."""

    situation: Situation
    attempts: tuple[Attempted, ...]


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst of one kind.

    Attributes:
        bound: No request exceeds it; ``None``: nothing bounds it.
        attained: What the trace comes to.
        trace: ``None``: no request is served at all.
    """

    bound: int | None
    attained: int | None
    trace: Trace | None

    @property
    def exact(self) -> bool:
        """Whether the trace comes to the bound."""
        return self.bound is not None and self.bound == self.attained


@dataclass(frozen=True, slots=True)
class Bounds:
    """What any one request of a name may come to.

    Attributes:
        cost: In ``1 / scale`` USD.
        time: In nanoseconds, rounded up to whole milliseconds.
        classes: How many request classes there are, ``looked`` how many were looked at.
    """

    name: str
    attempts: Worst
    cost: Worst
    time: Worst
    classes: int
    looked: int
    complete: bool


@dataclass(slots=True)
class _Best:
    """The greatest found so far, with its trace."""

    bound: int | None = 0
    attained: int | None = None
    trace: Trace | None = None

    def take(self, found: Found, trace: Callable[[Path], Trace]) -> None:
        if found.bound is None or self.bound is None:
            self.bound = None
        else:
            self.bound = max(self.bound, found.bound)
        better = self.attained is None or (found.attained or 0) > self.attained
        if found.path is not None and found.attained is not None and better:
            self.attained = found.attained
            self.trace = trace(found.path)

    def worst(self, bound: int | None, most: int | None, *, complete: bool) -> Worst:
        """Conclude; where classes are missing, what holds of every request stands for them."""
        if not complete:
            bound = most
        elif bound is not None and most is not None:
            bound = min(bound, most)
        return Worst(bound, self.attained if self.trace else 0, self.trace)


@dataclass(slots=True)
class _Search:
    """One name's search: what was seen, and what is left of the enumeration's allowance."""

    reach: Reach
    table: RouteTable
    uncut: RouteTable
    attempts: _Best = field(default_factory=_Best)
    cost: _Best = field(default_factory=_Best)
    time: _Best = field(default_factory=_Best)
    seen: dict[object, list[tuple[int, ...]]] = field(default_factory=dict)
    menus: Menus = field(default_factory=Menus)
    looked: int = 0
    complete: bool = True
    states_left: int = STATES_MAX
    walks_left: int = WALKS_MAX

    def look(self, situation: Situation) -> None:
        """Look at one class."""
        self.looked += 1
        for one in _instead_first(self.reach, situation):
            plan = one.plan(self.uncut)
            if not plan.candidates or plan.candidates[0].last_resort:
                continue
            view = view_of(one, plan)
            lists = None
            if self.reach.takes:
                lists = lists_of(self.reach.terms, _cut(view, self.table), view)
            seen = moment(plan, view, lists or NO_LISTS, menus=self.menus)
            if self._known(seen):
                continue
            # A sum does not hang on the order of candidates; a walk does, and measures turn it.
            self.complete &= seen.menu.plain or not self.reach.measures
            if not seen.exact and self._enumerated(one, seen):
                continue
            self._take(one, seen)

    def _known(self, moment: Moment) -> bool:
        """Say whether something at least as dear was seen; if not, it has been seen now."""
        known = self.seen.setdefault(moment.shape, [])
        amounts = moment.amounts
        if any(all(map(le, amounts, other)) for other in known):
            return True
        known.append(amounts)
        return False

    def _take(self, situation: Situation, seen: Moment) -> None:
        if not seen.menu.plain:
            self.walks_left -= 1
            seen = replace(seen, tired=self.walks_left < 0)

        def trace(path: Path) -> Trace:
            return traced(situation, seen, path, cut=bool(seen.room))

        self.attempts.take(seen.worst_attempts(), trace)
        self.cost.take(seen.worst_cost(), trace)
        self.time.take(seen.worst_time(), trace)

    def _enumerated(self, situation: Situation, seen: Moment) -> bool:
        """Look at every outage by itself, if there are not too many."""
        offers = [option.offer for option in seen.options]
        price = 2 ** len(offers) * (1 if seen.menu.plain else WALK_PRICE)
        if len(offers) > OFFERS_MAX or price > self.states_left:
            return False
        self.states_left -= price
        for out in states(offers):
            closed = situation.closed | {f"offer:{offer}" for offer in out}
            one = replace(situation, closed=closed)
            plan = one.plan(self.table)
            if not plan.candidates or plan.candidates[0].last_resort:
                continue
            there = moment(plan, view_of(one, plan), menus=self.menus, cut=True)
            if not self._known(there):
                self._take(one, there)
        return True


def bounds_of(
    table: RouteTable,
    name: str,
    *,
    when: Condition = (),
    most: int = CLASSES_MAX,
    progress: Callable[[], None] = lambda: None,
) -> Bounds | None:
    """Bound any one request of a model or an intent; ``None`` if the table has no such name.

    Args:
        table: Checked.
        name: Of a model (a pattern too) or an intent.
        when: Only requests of which it holds; all, if it is empty.
        most: How many classes are looked at.
        progress: Told of every class.
    """
    found = reach(table, name)
    if found is None:
        return None
    classes = classes_of(found, (when,) if when else (), most=most)
    search = _Search(found, table, untaken(table) if found.takes else table)
    # Where prices decide which equivalents are used, what they never keep out is the bound.
    open_table = undearer(table, name) if depends(found) else table
    loose = search
    if open_table is not table:
        loose = _Search(found, open_table, untaken(open_table) if found.takes else open_table)
    for situation in matching(classes, table, when):
        search.look(situation)
        if loose is not search:
            loose.look(situation)
        progress()
    return _concluded(search, loose, classes, ceiling(found))


def _concluded(search: _Search, loose: _Search, classes: Classes, most: Ceiling) -> Bounds:
    complete = classes.complete and loose.complete
    return Bounds(
        name=search.reach.name,
        attempts=search.attempts.worst(loose.attempts.bound, most.attempts, complete=complete),
        cost=search.cost.worst(loose.cost.bound, most.cost, complete=complete),
        time=search.time.worst(loose.time.bound, most.time_ns, complete=complete),
        classes=classes.size,
        looked=search.looked,
        complete=complete,
    )


def matching(
    classes: Iterable[Situation], table: RouteTable, when: Condition
) -> Iterator[Situation]:
    """Give the classes of which a condition on requests holds."""
    for situation in classes:
        if not when:
            yield situation
            continue
        view = View(situation.request(), table, situation.answers(), situation.seed)
        if holds(when, view.fact):
            yield situation


def traced(situation: Situation, seen: Moment, path: Path, *, cut: bool) -> Trace:
    """Write down a worst run: who answers what, and what has to be out for it to come to that."""
    candidates = seen.plan.candidates
    used = {said.position for said in path.said}
    last = max(used)
    closed = set(path.closed)
    for position, candidate in enumerate(candidates):
        if position not in used and (cut or (position < last and seen.menu.plain and not seen.cut)):
            closed.add(f"offer:{candidate.offer.id}")
    tried = {candidates[position].offer.id for position in used}
    closed |= {f"offer:{offer}" for offer in seen.everybody - tried if cut}
    attempts = tuple(
        Attempted(candidates[said.position].offer.id, said.failure, said.duration_ns)
        for said in path.said
    )
    return Trace(replace(situation, closed=situation.closed | closed), attempts)


def _instead_first(reached: Reach, situation: Situation) -> Iterator[Situation]:
    """Give a situation, and where equivalents wait for a failure, one in which none can happen."""
    yield situation
    service = reached.service
    if service is None or not any(entry.after for entry in service.instead):
        return
    own = frozenset(f"offer:{offer.id}" for offer in service.model.offers)
    yield replace(situation, closed=situation.closed | own)


def _cut(view: View, table: RouteTable) -> View:
    """Read the same request before the table whose lists are cut."""
    made = View(view.request, table, view.answers, view.seed)
    made.pinned, made.pattern, made.defaults = view.pinned, view.pattern, view.defaults
    return made


__all__ = ["Attempted", "Bounds", "Trace", "Worst", "bounds_of", "matching", "traced"]
