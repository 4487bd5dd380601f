"""Many policies, one set of rules. Merging only tightens.

Laws: merging is commutative, associative and idempotent: every ``require`` holds, the smaller
number wins (the larger in ``base``, ``factor``, ``cool`` and ``cool_max``), of two actions the one
further left in ``stop instead larger next rotate retry``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import reduce
from typing import TypeVar

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.catalog.card import Breaker, OpenByShare, OpenInRow, Timeouts
from hyperroute.catalog.condition import Condition
from hyperroute.routing.table import (
    ATTEMPTS_CEILING,
    Cap,
    Policy,
    Retry,
    RetryBudget,
    Rules,
)

T = TypeVar("T")

_STRICTEST = tuple(Reaction)
_LANGUAGE = Rules()
"""What no policy says."""


def merge(policies: Iterable[Policy]) -> Rules:
    """Merge the policies that apply to one request, and fill in what none of them says.

    The order given never matters. The ceiling of eight attempts holds whatever a table says.
    """
    applied = sorted(
        {policy.name: policy for policy in policies}.values(), key=lambda one: one.name
    )
    requires = tuple((one.name, one.require) for one in applied if one.require)
    said = reduce(meet, applied, Policy(name=""))
    retry, cap, defaults = said.retry, said.cap, _LANGUAGE
    attempts = defaults.attempts if cap.attempts is None else cap.attempts
    return Rules(
        require=requires,
        attempts=min(attempts, ATTEMPTS_CEILING),
        time_ns=_or(cap.time_ns, defaults.time_ns),
        cost=cap.cost,
        input=cap.input,
        output=cap.output,
        timeouts=_filled(said.timeout),
        per_offer=_or(retry.per_offer, defaults.per_offer),
        rotate=_or(retry.rotate, defaults.rotate),
        base_ns=_or(retry.base_ns, defaults.base_ns),
        base_said=retry.base_ns is not None,
        factor=_or(retry.factor, defaults.factor),
        max_ns=_or(retry.max_ns, defaults.max_ns),
        jitter=_or(retry.jitter, defaults.jitter),
        budget=_or(retry.budget, defaults.budget),
        errors=said.errors,
        breaker=said.breaker,
        commit=_or(said.commit, defaults.commit),
        hold_bytes=_or(said.hold_bytes, defaults.hold_bytes),
        lossy=_or(said.lossy, defaults.lossy),
    )


def meet(one: Policy, other: Policy) -> Policy:
    """Tighten one policy by another; what neither says stays unsaid.

    Names and conditions of application are joined, so that the result reads as "both of them".
    """
    return Policy(
        name="+".join(sorted({*one.name.split("+"), *other.name.split("+")} - {""})),
        when=_both(one.when, other.when),
        require=_both(one.require, other.require),
        cap=_cap(one.cap, other.cap),
        timeout=tighter(one.timeout, other.timeout),
        retry=_retry(one.retry, other.retry),
        errors=_errors(one.errors, other.errors),
        breaker=_breaker(one.breaker, other.breaker),
        commit=_winner(one.commit, other.commit, "first_byte"),
        hold_bytes=_least(one.hold_bytes, other.hold_bytes),
        lossy=_winner(one.lossy, other.lossy, "refuse"),
    )


def tighter(*limits: Timeouts | None) -> Timeouts:
    """Take the smallest of every time limit; what nobody limits stays unlimited."""
    said = [limit for limit in limits if limit is not None]
    return Timeouts(
        **{
            field.name: _pick(min, *(getattr(one, field.name) for one in said))
            for field in fields(Timeouts)
        }
    )


def _filled(said: Timeouts) -> Timeouts:
    defaults = _LANGUAGE.timeouts
    return Timeouts(
        **{
            field.name: _or(getattr(said, field.name), getattr(defaults, field.name))
            for field in fields(Timeouts)
        }
    )


def _or(said: T | None, default: T) -> T:
    return default if said is None else said


def _pick(choose: Callable[[list[T]], T], *said: T | None) -> T | None:
    known = [value for value in said if value is not None]
    return choose(known) if known else None


def _least(one: int | None, other: int | None) -> int | None:
    return _pick(min, one, other)


def _most(one: int | None, other: int | None) -> int | None:
    return _pick(max, one, other)


def _winner(one: T | None, other: T | None, winner: T) -> T | None:
    """The stricter word of two wins; else whatever was said."""
    return winner if winner in (one, other) else _or(one, other)


def _both(one: Condition, other: Condition) -> Condition:
    return tuple(sorted({*one, *other}, key=repr))


def _cap(one: Cap, other: Cap) -> Cap:
    return Cap(
        attempts=_least(one.attempts, other.attempts),
        time_ns=_least(one.time_ns, other.time_ns),
        cost=_pick(min, one.cost, other.cost),
        input=_least(one.input, other.input),
        output=_least(one.output, other.output),
    )


def _retry(one: Retry, other: Retry) -> Retry:
    return Retry(
        per_offer=_least(one.per_offer, other.per_offer),
        rotate=_least(one.rotate, other.rotate),
        base_ns=_most(one.base_ns, other.base_ns),
        factor=_pick(max, one.factor, other.factor),
        max_ns=_least(one.max_ns, other.max_ns),
        jitter=_winner(one.jitter, other.jitter, "full"),
        budget=_pick(_smaller_budget, one.budget, other.budget),
    )


def _smaller_budget(budgets: list[RetryBudget]) -> RetryBudget:
    return RetryBudget(
        percent=min(budget.percent for budget in budgets),
        floor=min(budget.floor for budget in budgets),
        floor_ns=max(budget.floor_ns for budget in budgets),
    )


def _errors(
    one: Mapping[FailureClass, tuple[Reaction, int | None]],
    other: Mapping[FailureClass, tuple[Reaction, int | None]],
) -> Mapping[FailureClass, tuple[Reaction, int | None]]:
    return {
        kind: min((said[kind] for said in (one, other) if kind in said), key=_strictness)
        for kind in FailureClass
        if kind in one or kind in other
    }


def _strictness(said: tuple[Reaction, int | None]) -> tuple[int, int, int]:
    """Order reactions; of two retries the smaller count, and a plain ``retry`` counts once."""
    reaction, count = said
    return _STRICTEST.index(reaction), 1 if count is None else count, 0 if count is None else 1


def _breaker(one: Breaker | None, other: Breaker | None) -> Breaker | None:
    if one is None or other is None:
        return _or(one, other)
    lines: set[OpenInRow | OpenByShare] = {*one.open, *other.open}
    return Breaker(
        open=tuple(sorted(lines, key=repr)),
        cool_ns=max(one.cool_ns, other.cool_ns),
        cool_max_ns=max(one.cool_max_ns, other.cool_max_ns),
    )
