"""One class before one table: what it may be tried at, by which rules, and what comes of it at worst."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hyperroute.bounds.adversary import Option, Path, Said, Weight, best_choice, best_walk, said_by
from hyperroute.bounds.menu import Menu, Menus
from hyperroute.bounds.outages import NO_LISTS, Lists
from hyperroute.bounds.situation import Situation
from hyperroute.bounds.spending import Spending, spending
from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.canon.usage import Usage
from hyperroute.routing.attempt import ANSWER_NS, min_useful_ns
from hyperroute.routing.backoff import HINT_NS_MAX
from hyperroute.routing.plan import Plan
from hyperroute.routing.table import ATTEMPTS_CEILING
from hyperroute.routing.view import View


@dataclass(frozen=True, slots=True)
class Found:
    """The worst of one kind: a bound, what was attained of it, and by which run.

    Attributes:
        bound: ``None``: nothing bounds it.
        attained: What the run comes to; below the bound, or ``None``, if it is not attained.
    """

    bound: int | None
    attained: int | None
    path: Path | None

    @property
    def exact(self) -> bool:
        """Whether the run comes to the bound."""
        return self.bound is not None and self.bound == self.attained


NOTHING = Found(0, 0, None)
UNSPENT = Spending(0, 0, 0, 0, Usage())


@dataclass(frozen=True)
class Moment:
    """A plan, as an adversary sees it."""

    plan: Plan
    menu: Menu
    attempts: int
    options: tuple[Option, ...]
    loose: tuple[Option, ...]
    room: tuple[int, ...]
    everybody: frozenset[str] = frozenset()
    """All that stands in the lists, also what is dropped behind them."""
    cut: bool = False
    """The plan of one outage, of lists that are cut: to close another offer would let one in."""
    tired: bool = False
    """Enough walks were made for this name; what no walk could exceed has to do."""

    @property
    def exact(self) -> bool:
        """Whether a choice of options is a plan of some outage, and every such plan is a choice."""
        return self.options == self.loose and (self.menu.plain or not self.room)

    @property
    def shape(self) -> tuple[object, ...]:
        """What the worst runs depend on besides what attempts cost."""
        rules = self.plan.rules
        afters = tuple(candidate.after for candidate in self.plan.candidates)
        contexts = tuple(one.context for one in self.plan.candidates) if not self.menu.plain else ()
        return (
            self.attempts,
            self.menu,
            tuple(replace(option, spending=UNSPENT) for option in self.options),
            tuple(option.groups for option in self.loose),
            self.room,
            self.plan.deadline_ns,
            self.cut,
            rules.jitter,
            afters if any(afters) else (),
            contexts,
            0 if self.menu.plain else id(rules),
            tuple(None in _amounts(option) for option in self.options),
        )

    @property
    def amounts(self) -> tuple[int, ...]:
        """What attempts cost; where each is at least as much as elsewhere, so is the worst."""
        return tuple(amount or 0 for option in self.options for amount in _amounts(option))

    # --- the three worsts --------------------------------------------------------------------------
    def worst_attempts(self) -> Found:
        """Find the most attempts."""
        return self._worst(lambda _: 1, lambda _: 1, lambda _: 1, lambda _: 1)

    def worst_cost(self) -> Found:
        """Find the most money."""
        spent = [option.spending for option in self.options]
        if any(one.served is None or one.failed is None for one in spent):
            return Found(None, None, None)
        return self._worst(
            lambda option: option.spending.failed or 0,
            lambda option: option.spending.served or 0,
            lambda option: option.spending.failed_low or 0,
            lambda option: option.spending.served_low or 0,
        )

    def _worst(self, each: Weight, last: Weight, each_low: Weight, last_low: Weight) -> Found:
        if not self.options:
            return NOTHING
        if self.tired:
            most = tuple(replace(option, tries=option.most) for option in self.loose)
            sum_of_all = best_choice(most, self.attempts, self.room, each, last)
            return NOTHING if sum_of_all is None else Found(sum_of_all[0], None, None)
        if not self.menu.plain:
            high = best_walk(self.plan, self.options, self.attempts, each, last)
            low = high
            differ = any(each(o) != each_low(o) or last(o) != last_low(o) for o in self.options)
            if differ or self.cut:
                low = best_walk(
                    self.plan, self.options, self.attempts, each_low, last_low, aside=not self.cut
                )
            if high is None:
                return NOTHING
            if low is None or self.room:
                return Found(high.value, None, None)  # a walk does not count the room of lists
            return Found(high.value, low.value, low)
        high_choice = best_choice(self.loose, self.attempts, self.room, each, last)
        low_choice = best_choice(
            self.options, self.attempts, self.room, each_low, last_low, skips=not self.cut
        )
        if high_choice is None:
            return NOTHING
        if low_choice is None:
            return Found(high_choice[0], None, None)
        said = said_by(self.options, low_choice[1], self.menu)
        return Found(high_choice[0], low_choice[0], Path(low_choice[0], said))

    def worst_time(self) -> Found:
        """Find the longest time from the beginning of a run to its end, rounded up to milliseconds."""
        found = self._longest()
        return Found(_rounded(found.bound), _rounded(found.attained), found.path)

    def _longest(self) -> Found:
        if not self.options:
            return NOTHING
        deadline = self.plan.deadline_ns
        limit = deadline - min(ANSWER_NS, deadline // 20)
        before: frozenset[str] = frozenset()
        endless = False
        for option in self.options:
            opens = not self.plan.candidates[option.position].after
            if opens and (option.total_ns is None or option.total_ns >= limit):
                endless = True
                if not (self.cut and before):
                    said = (Said(option.position, None, limit),)
                    return Found(limit, limit, Path(limit, said, before))
            if opens:
                before |= {f"offer:{option.offer}"}
        if endless:
            return Found(limit, None, None)
        if self.tired:
            return Found(limit, None, None)
        return self._limited(limit, deadline - min_useful_ns(self.plan))

    def _limited(self, limit: int, latest: int) -> Found:
        """Find it where every attempt has a limit of its own.

        Args:
            limit: No attempt lasts beyond it.
            latest: No attempt starts after it.
        """

        def lasts(option: Option) -> int:
            return limit if option.total_ns is None else option.total_ns

        def fails(option: Option) -> int:
            return lasts(option) - 1  # at its very limit it fails by itself, which may be the end

        def timed(said: tuple[Said, ...], value: int, bound: int) -> Found:
            total = min(limit, value)
            each = {o.position: fails(o) for o in self.options}
            spread = _spread(
                said, each, {o.position: lasts(o) for o in self.options}, total, latest
            )
            if spread is None:
                return Found(min(limit, bound), None, None)
            return Found(min(limit, bound), total, Path(total, spread))

        walk = None
        if not self.menu.plain:
            walk = best_walk(
                self.plan, self.options, self.attempts, fails, lasts, aside=not self.cut
            )
            if walk is None:
                return NOTHING
        high = best_choice(self.loose, self.attempts, self.room, lasts, lasts)
        low = best_choice(self.options, self.attempts, self.room, fails, lasts, skips=not self.cut)
        if high is None or low is None:
            return NOTHING
        most = high[0] if walk is None else walk.value
        if most < limit and self.attempts > 1 and self._again():
            return self._waited(limit, latest)
        if walk is not None and self.room:
            return Found(min(limit, walk.value), None, None)
        if walk is not None:
            found = timed(walk.said, walk.value, walk.value)
            return replace(found, path=found.path and replace(found.path, closed=walk.closed))
        return timed(said_by(self.options, low[1], self.menu), low[0], high[0])

    def _again(self) -> list[Option]:
        """List the options that a run can begin with and that are tried again."""
        return [
            option
            for option in self.options
            if option.repeats and not self.plan.candidates[option.position].after
        ]

    def _waited(self, limit: int, latest: int) -> Found:
        """Find it where a provider may ask for a wait that leaves just enough time for one more."""
        longest = max(self._again(), key=lambda one: one.total_ns or 0)
        most = max(one.total_ns or 0 for one in self.loose)
        bound = min(limit, latest + most)
        hint = min(HINT_NS_MAX, latest - SECOND)
        ends = min(limit, latest - SECOND + (longest.total_ns or 0))
        if hint <= 0 or self.menu.again is None or ends < bound:
            return Found(bound, None, None)
        said = (
            Said(
                longest.position, replace(self.menu.again, hint_ns=hint - min(SECOND, hint // 10))
            ),
            Said(longest.position, None, limit),
        )
        return Found(bound, bound, Path(bound, said))


def _amounts(option: Option) -> tuple[int | None, ...]:
    spent = option.spending
    return spent.served, spent.failed, spent.served_low, spent.failed_low


def _rounded(ns: int | None) -> int | None:
    return None if ns is None else -(-ns // MILLISECOND) * MILLISECOND


def _spread(
    said: Sequence[Said], fails: dict[int, int], lasts: dict[int, int], total: int, latest: int
) -> tuple[Said, ...] | None:
    """Give every attempt its time so that all together last ``total``; ``None``: they cannot."""
    ending = min(lasts[said[-1].position], total)
    left = total - ending
    if left > latest:
        return None
    timed: list[Said] = []
    for one in said[:-1]:
        given = min(left, fails[one.position])
        timed.append(replace(one, duration_ns=given))
        left -= given
    return None if left else (*timed, replace(said[-1], duration_ns=ending))


def moment(
    plan: Plan,
    view: View,
    lists: Lists = NO_LISTS,
    *,
    menus: Menus | None = None,
    cut: bool = False,
) -> Moment:
    """See a plan as an adversary does.

    Args:
        plan: Made of the lists before they are cut, so that every offer an outage lets in is there.
        view: What it was made of.
        lists: What is cut of it.
        menus: What was found before.
        cut: The plan is that of one outage, its lists already cut.
    """
    said = (menus or Menus()).of(plan)
    attempts = min(plan.rules.attempts, ATTEMPTS_CEILING)
    strict = tuple(_options(plan, view, said, lists, loose=False))
    loose = tuple(_options(plan, view, said, lists, loose=True)) if lists.repeated else strict
    return Moment(plan, said, attempts, strict, loose, lists.room, lists.everybody, cut)


def _options(plan: Plan, view: View, said: Menu, lists: Lists, *, loose: bool) -> Iterator[Option]:
    for position, candidate in enumerate(plan.candidates):
        repeats = min(candidate.retries, said.times) if said.again is not None else 0
        turns = candidate.rotations if said.turn is not None else 0
        yield Option(
            position=position,
            offer=candidate.offer.id,
            tries=1 + repeats + turns,
            repeats=repeats,
            most=1 + candidate.retries + candidate.rotations,
            spending=spending(candidate.offer, view),
            total_ns=candidate.timeouts.total_ns,
            groups=lists.groups(candidate.offer.id, loose=loose),
        )


def view_of(situation: Situation, plan: Plan) -> View:
    """Read a situation once more, for what a plan does not tell."""
    view = View(plan.request, plan.table, plan.answers, situation.seed)
    view.pinned = plan.pinned
    if plan.pinned and plan.candidates:
        model = plan.candidates[0].offer.model
        view.pattern = (model, plan.name) if "*" in model else None
    if not plan.pinned and plan.name in plan.table.intents:
        view.defaults = plan.table.intents[plan.name].default
    return view


__all__ = ["NOTHING", "Found", "Moment", "moment", "view_of"]
