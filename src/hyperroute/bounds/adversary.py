"""The worst that failures can make of one plan: a choice of candidates, or a walk through the machine.

Where some word leads onwards from anywhere, an adversary may stop at whichever candidates it likes,
as often as each allows, until the attempts run out; that is a sum, and the best one is found exactly.
Where candidates wait for a certain failure, the machine's own moves are walked through instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from hyperroute.bounds.menu import KEYED, Menu, words
from hyperroute.bounds.spending import Spending
from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.routing.moves import Move, following, opening, reaction_to, sidestep
from hyperroute.routing.plan import Plan

Weight = Callable[["Option"], int]


@dataclass(frozen=True, slots=True)
class Option:
    """A candidate, as an adversary sees it.

    Attributes:
        position: In the plan.
        tries: Attempts at most; ``repeats`` of them are retries, the rest rotations.
        groups: Lists that it was taken into, by number; each has room for so many.
        total_ns: Limit of one attempt; ``None``: that of the run alone.
    """

    position: int
    offer: str
    tries: int
    repeats: int
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
) -> tuple[int, Picks] | None:
    """Choose candidates, each a number of times, so that the sum of their weights is greatest.

    Args:
        options: In the plan's order.
        attempts: How many attempts a run may make.
        room: Of each group, how many of its members may be tried.
        each: Weight of an attempt that fails.
        last: Weight of the attempt that ends the run, at least as much.

    Returns:
        The sum, and pairs of an option's index and its attempts; ``None`` without any option.
    """
    kept = _kept(options, attempts, each, last)

    @cache
    def best(at: int, left: int, free: tuple[int, ...]) -> tuple[int, Picks] | None:
        if at == len(kept) or left == 0:
            return None
        found = best(at + 1, left, free)
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
    plan: Plan, options: Sequence[Option], attempts: int, each: Weight, last: Weight
) -> Path | None:
    """Walk through every sequence of failures and barriers, by the machine's own moves.

    A barrier that turns up in mid-run is what another run's failure would have raised.
    """
    by_position = {option.position: option for option in options}
    said = _told_apart(plan)

    @cache
    def best(move: Move, failure: int | None, left: int) -> Path | None:
        before = None if failure is None else said[failure]
        position = move.trail.position
        candidate = plan.candidates[position]
        found: Path | None = None
        for why, key in (
            ("offer", f"offer:{candidate.offer.id}"),
            ("credential", f"credential_model:{move.trail.credential}/{candidate.offer.model}"),
        ):
            aside = sidestep(plan, move, why, before)  # type: ignore[arg-type] # two barriers
            passed = best(aside, failure, left) if aside is not None else None
            if passed is not None and (found is None or passed.value > found.value):
                found = Path(passed.value, passed.said, passed.closed | {key})
        option = by_position[position]
        if found is None or last(option) > found.value:
            found = Path(last(option), (Said(position, None),))
        for number, word in enumerate(said) if left > 1 else ():
            onwards = following(plan, move.trail, word, draw_from=(0, "", 1))
            rest = None if onwards is None else best(onwards, number, left - 1)
            if rest is not None and each(option) + rest.value > found.value:
                step = Said(position, word)
                found = Path(each(option) + rest.value, (step, *rest.said), rest.closed)
        return found

    first = opening(plan)
    return None if first is None or attempts < 1 else best(first, None, attempts)


def _told_apart(plan: Plan) -> list[Failure]:
    """Give one failure for each effect that a failure can have on this plan."""
    waited_for = {kind for candidate in plan.candidates for kind in candidate.after}
    helped = KEYED | {FailureClass.RATE_LIMITED}
    found: dict[tuple[object, ...], Failure] = {}
    for failure in words(plan):
        kind = failure.kind
        key = (
            reaction_to(plan, failure),
            kind if kind in waited_for else None,
            kind in KEYED,
            kind in helped,
            failure.pushback,
        )
        found.setdefault(key, failure)
    return list(found.values())


__all__ = ["Option", "Path", "Said", "best_choice", "best_walk", "said_by"]
