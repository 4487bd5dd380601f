"""The worst that failures can make of one plan: a choice of candidates, or a walk through the machine.

Where some word leads onwards from anywhere, an adversary may stop at whichever candidates it likes,
as often as each allows, until the attempts run out; that is a sum, and the best one is found exactly.
Where candidates wait for a certain failure, the machine's own moves are walked through instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from hyperroute.bounds.menu import KEYED, Menu, words
from hyperroute.bounds.spending import Spending
from hyperroute.canon.failure import Failure, FailureClass, Reaction
from hyperroute.routing.moves import Move, ban_key, following, opening, reaction_to, sidestep
from hyperroute.routing.plan import Plan

Weight = Callable[["Option"], int]


@dataclass(frozen=True, slots=True)
class Option:
    """A candidate, as an adversary sees it.

    Attributes:
        position: In the plan.
        tries: Attempts at most; ``repeats`` of them are retries, the rest rotations.
        most: Attempts that no failure whatever could exceed.
        groups: Lists that it was taken into, by number; each has room for so many.
        total_ns: Limit of one attempt; ``None``: that of the run alone.
    """

    position: int
    offer: str
    tries: int
    repeats: int
    most: int
    spending: Spending
    total_ns: int | None
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One attempt of a worst run: what came of it. ``failure`` of ``None`` is an answer."""

    position: int
    failure: Failure | None
    duration_ns: int = 0


@dataclass(frozen=True, slots=True)
class Path:
    """A worst run: its value, its attempts, and what must be closed for it to go that way."""

    value: int
    said: tuple[Said, ...]
    closed: frozenset[str] = frozenset()


Picks = tuple[tuple[int, int], ...]


# --- a choice ---------------------------------------------------------------------------------------
def best_choice(
    options: Sequence[Option],
    attempts: int,
    room: Sequence[int],
    each: Weight,
    last: Weight,
    *,
    skips: bool = True,
) -> tuple[int, Picks] | None:
    """Choose candidates, each a number of times, so that the sum of their weights is greatest.

    Args:
        options: In the plan's order.
        attempts: How many attempts a run may make.
        room: Of each group, how many of its members may be tried.
        each: Weight of an attempt that fails.
        last: Weight of the attempt that ends the run, at least as much.
        skips: Whether an option may be passed by, because its offer is out.

    Returns:
        The sum, and pairs of an option's index and its attempts; ``None`` without any option.
    """
    kept = _kept(options, attempts, each, last) if skips else list(range(len(options)))

    @cache
    def best(at: int, left: int, free: tuple[int, ...]) -> tuple[int, Picks] | None:
        if at == len(kept) or left == 0:
            return None
        found = best(at + 1, left, free) if skips else None
        option = options[kept[at]]
        after = tuple(n - (group in option.groups) for group, n in enumerate(free))
        if min(after, default=0) < 0:
            return found
        for count in range(1, min(option.tries, left) + 1):
            ending = each(option) * (count - 1) + last(option)
            if found is None or ending > found[0]:
                found = (ending, ((kept[at], count),))
            rest = best(at + 1, left - count, after)
            if rest is not None and each(option) * count + rest[0] > found[0]:
                found = (each(option) * count + rest[0], ((kept[at], count), *rest[1]))
        return found

    return best(0, attempts, tuple(min(n, attempts) for n in room))


def _kept(options: Sequence[Option], attempts: int, each: Weight, last: Weight) -> list[int]:
    """Leave out options for which enough others of their kind are at least as dear."""
    kinds: dict[tuple[object, ...], list[int]] = {}
    for index, option in enumerate(options):
        kinds.setdefault((option.groups, option.tries), []).append(index)
    kept: set[int] = set()
    for members in kinds.values():
        for weight in (each, last):
            dearest = sorted(members, key=lambda at: -weight(options[at]))
            kept.update(dearest[:attempts])
    return sorted(kept)


def said_by(options: Sequence[Option], picks: Picks, menu: Menu) -> tuple[Said, ...]:
    """Spell out a choice: retries first, then other keys, then onwards; the last attempt is served."""
    said: list[Said] = []
    for index, count in picks:
        option = options[index]
        again = min(count - 1, option.repeats)
        failures = [menu.again] * again + [menu.turn] * (count - 1 - again) + [menu.onward]
        said += [Said(option.position, failure) for failure in failures]
    return (*said[:-1], Said(said[-1].position, None)) if said else ()


# --- a walk -----------------------------------------------------------------------------------------
def best_walk(
    plan: Plan,
    options: Sequence[Option],
    attempts: int,
    each: Weight,
    last: Weight,
    *,
    aside: bool = True,
) -> Path | None:
    """Walk through every sequence of failures and outages, by the machine's own moves.

    An offer that is out is stepped over, and so is a key; that a retry is denied in mid-run comes to
    the same as a provider who does not want to be asked again. Without ``aside`` no offer is out:
    where lists are cut, another one would take its place.
    """
    first = opening(plan)
    if first is None or attempts < 1:
        return None
    return _Walk(plan, options, each, last, aside=aside).best(first, None, attempts)


class _Walk:
    """One plan's walks, each step of them found once."""

    def __init__(
        self, plan: Plan, options: Sequence[Option], each: Weight, last: Weight, *, aside: bool
    ) -> None:
        self._plan = plan
        self._options = {option.position: option for option in options}
        self._each, self._last, self._aside = each, last, aside
        self._said = said = told_apart(plan)
        self._known: dict[tuple[object, ...], Path] = {}
        self._waits = any(candidate.after for candidate in plan.candidates)
        reactions = [(reaction_to(plan, word)[0], word.kind in KEYED) for word in said]
        self._larger = any(one in (Reaction.LARGER, Reaction.INSTEAD) for one, _ in reactions)
        self._onward = (Reaction.NEXT, False) in reactions
        self._ahead = [
            frozenset(
                ban_key(candidate, key)
                for candidate in plan.candidates[position:]
                for key in candidate.credentials
            )
            for position in range(len(plan.candidates))
        ]

    def best(self, move: Move, failure: int | None, left: int) -> Path:
        """Find the best walk from a move on; ``failure`` numbers what led to it."""
        trail = move.trail
        key = (
            move.kind,
            (trail.position, trail.credential, trail.retries, trail.rotations, trail.used),
            trail.banned & self._ahead[trail.position],
            move.origin if self._larger else None,
            failure if self._waits or self._larger else None,
            left,
        )
        if key not in self._known:
            found = self._granted(move, left)
            other = self._denied(move, failure, left)
            self._known[key] = other if other is not None and other.value > found.value else found
        return self._known[key]

    def _granted(self, move: Move, left: int) -> Path:
        option = self._options[move.trail.position]
        each = self._each(option)
        found = Path(self._last(option), (Said(option.position, None),))
        met: set[Move] = set()
        for number, word in enumerate(self._said) if left > 1 else ():
            onwards = following(self._plan, move.trail, word, draw_from=(0, "", 1))
            if onwards is None or (onwards in met and not self._waits):
                continue
            met.add(onwards)
            rest = self.best(onwards, number, left - 1)
            if each + rest.value > found.value:
                step = Said(option.position, word)
                found = Path(each + rest.value, (step, *rest.said), rest.closed)
        return found

    def _denied(self, move: Move, failure: int | None, left: int) -> Path | None:
        if move.kind == "retry":
            return None
        offer = self._plan.candidates[move.trail.position].offer
        turning = move.kind == "rotate"
        if (turning and self._onward) or not (turning or self._aside):
            return None  # where a word leads on, nobody needs to bar a key
        key = f"credential_model:{move.trail.credential}/{offer.model}"
        before = None if failure is None else self._said[failure]
        onwards = sidestep(self._plan, move, "credential" if turning else "offer", before)
        if onwards is None:
            return None
        rest = self.best(onwards, failure, left)
        return replace(rest, closed=rest.closed | {key if turning else f"offer:{offer.id}"})


def told_apart(plan: Plan) -> list[Failure]:
    """Give one failure for each effect on this plan that no other failure's effect outdoes.

    A verdict on a key only takes keys away; a larger window and a declared equivalent are less than
    any next one; and what leads to the same offer again does so whatever its name.
    """
    waited_for = {kind for candidate in plan.candidates for kind in candidate.after}
    met: dict[tuple[FailureClass | None, Reaction, bool], Failure] = {}
    counts: dict[FailureClass | None, int] = {}
    for failure in words():
        named = failure.kind if failure.kind in waited_for else None
        reaction, count = reaction_to(plan, failure)
        if reaction is Reaction.STOP:
            continue
        if reaction is Reaction.RETRY and failure.pushback:
            reaction = Reaction.NEXT  # what is left of a retry that may not be made
        times = plan.rules.per_offer if count is None else count
        longer = reaction is Reaction.RETRY and times > counts.get(named, -1)
        key = (named, reaction, failure.kind in KEYED)
        if key not in met or (longer and failure.kind not in KEYED):
            met[key] = failure
        if longer:
            counts[named] = times
    return [failure for key, failure in met.items() if not _outdone(key, met)] + _at_the_end(met)


def _outdone(
    key: tuple[FailureClass | None, Reaction, bool],
    met: Mapping[tuple[FailureClass | None, Reaction, bool], Failure],
) -> bool:
    named, reaction, keyed = key
    if keyed and (named, reaction, False) in met:
        return True
    if reaction in (Reaction.RETRY, Reaction.ROTATE):
        return named is not None and (None, reaction, False) in met
    return reaction in (Reaction.LARGER, Reaction.INSTEAD) and (named, Reaction.NEXT, False) in met


def _at_the_end(
    met: Mapping[tuple[FailureClass | None, Reaction, bool], Failure],
) -> list[Failure]:
    """Give the verdicts after which another key is tried where nothing else is left."""
    if (None, Reaction.ROTATE, False) in met:
        return []
    return [failure for (_, _, keyed), failure in met.items() if keyed]


__all__ = ["Option", "Path", "Said", "best_choice", "best_walk", "said_by", "told_apart"]
