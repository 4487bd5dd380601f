"""What an adversary can say in place of an answer, and what each such word makes of a run.

A provider may say anything: every class, with every advice that a catalogue row could carry, with a
wait of nothing, or with the demand not to be asked again. It says them so that nothing is cooled and
no breaker counts, since that could only keep later attempts away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hyperroute.canon.failure import Failure, FailureClass, Reaction
from hyperroute.routing.moves import reaction_to
from hyperroute.routing.plan import Plan

KEYED = frozenset({FailureClass.PROVIDER_AUTH, FailureClass.PROVIDER_FUNDS})
_NOT_SAID = frozenset({FailureClass.CLIENT_GONE, FailureClass.DEADLINE})
_LIKELY = (
    FailureClass.SERVER_ERROR,
    FailureClass.RATE_LIMITED,
    FailureClass.UNKNOWN_MODEL,
    FailureClass.PROVIDER_REGION,
)
"""Said first where several words do the same: what providers say every day."""


@dataclass(frozen=True, slots=True)
class Menu:
    """The words that matter, each the likeliest of its effect; ``None``: no word has it.

    Attributes:
        onward: Leads to the next candidate.
        again: Leads to the same offer again, at once; ``times`` at most.
        turn: Leads to the same offer with another key.
        plain: Nothing but these three is needed, whatever the plan: a sum over candidates is exact.
    """

    onward: Failure | None
    again: Failure | None
    times: int
    turn: Failure | None
    plain: bool


def words() -> Iterator[Failure]:
    """Give every failure that a provider may cause, the likeliest first."""
    kinds = [*_LIKELY, *(kind for kind in FailureClass if kind not in {*_LIKELY, *_NOT_SAID})]
    for kind in kinds:
        for advice in (None, *Reaction):
            for pushback in (False, True):
                yield Failure(kind=kind, advice=advice, pushback=pushback, hint_ns=0)


class Menus:
    """Menus by what they depend on, so that each is found once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[tuple[object, ...], tuple[object, Menu]] = {}

    def of(self, plan: Plan) -> Menu:
        """Find the words that matter against one plan."""
        key = (
            id(plan.rules),
            plan.request.kind,
            len(plan.candidates) == 1,
            any(candidate.rotations for candidate in plan.candidates),
            any(candidate.after for candidate in plan.candidates),
        )
        if key not in self._found:
            self._found[key] = (plan.rules, menu(plan))  # held, so that no other has its id
        return self._found[key][1]


def menu(plan: Plan) -> Menu:
    """Find the words that matter against one plan."""
    onward: Failure | None = None
    again: Failure | None = None
    turn: Failure | None = None
    times = 0
    for failure in words():
        if failure.kind in KEYED:
            continue
        reaction, count = reaction_to(plan, failure)
        if reaction is Reaction.NEXT or (reaction is Reaction.RETRY and failure.pushback):
            better = onward is None or (onward.pushback and not failure.pushback)
            onward = failure if better and _steady(failure) else onward
        elif reaction is Reaction.RETRY:
            allowed = plan.rules.per_offer if count is None else count
            if again is None or allowed > times:
                again, times = failure, allowed
        elif reaction is Reaction.ROTATE and not failure.pushback:
            turn = turn or failure
    rotates = any(candidate.rotations for candidate in plan.candidates)
    named = any(candidate.after for candidate in plan.candidates)
    plain = not named and onward is not None and (turn is not None or not rotates)
    return Menu(onward, again, times, turn, plain)


def _steady(failure: Failure) -> bool:
    """Say whether a word means the same however many candidates there are."""
    return failure.kind not in {FailureClass.RATE_LIMITED, FailureClass.OVERLOADED}


__all__ = ["KEYED", "Menu", "Menus", "menu", "words"]
