"""Which budgets, slots and wallet a request meets: what its ``Reserve`` says of the table's limits.

All that asks for money asks here, whatever its endpoint (lessons 12 and 18): every level that pays
is one entry of the same batch, so it is all of them or none (invariant 36). A budget belongs to a
calendar period of UTC and begins anew with the next; a limit that only observes has ``None`` in the
place of its amount, and counts like any other.

Example:
    >>> facts = {"key.id": "k1", "user.id": "ada", "key.limit": Decimal(5)}
    >>> budgets((), facts.get, unix_ns=1_763_800_000_000_000_000)
    ((BudgetKey(limit='spending-limit', subject=(('key', 'k1'),), period='2025-11'), 500000000),)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from hyperroute.canon.money import (
    MICROCREDITS_PER_USD,
    BudgetKey,
    Microcredits,
    MoneyState,
    Purse,
    Spend,
)
from hyperroute.canon.quick import quick
from hyperroute.canon.units import DAY, Instant
from hyperroute.catalog.card import Budget
from hyperroute.catalog.facts import Lookup, holds
from hyperroute.routing.limiting import share_of, subject_of
from hyperroute.routing.table import Limit

SPENDING_LIMIT: Final = "spending-limit"
"""The budget that a key brings along, per calendar month; no limit of a table has this name."""

OPEN_NOW: Final = "now"
"""In the place of a period: what counts in it counts while it is open."""

_EPOCH: Final = date(1970, 1, 1).toordinal()


def budgets(
    limits: Sequence[Limit], known: Lookup, *, unix_ns: int, model: str | None = None
) -> tuple[tuple[BudgetKey, Microcredits | None], ...]:
    """List every budget that a request counts against, each with its limit.

    Args:
        limits: Of the table.
        known: Facts of the request and its caller. A fact of money is in USD.
        unix_ns: When the request came: it counts in the period of its beginning.
        model: As of ``limiting.charges``.

    Returns:
        No two of the same cell; first the key's own, if the fact ``key.limit`` is known. ``None``
        for one that only counts.
    """
    return tuple(
        [
            (each.key, None if each.observed else each.most)
            for each in _wanted(limits, known, unix_ns=unix_ns, model=model)
            if each.key.period != OPEN_NOW
        ]
    )


def slots(
    limits: Sequence[Limit], known: Lookup, *, model: str | None = None
) -> tuple[tuple[BudgetKey, int | None], ...]:
    """List every counter of open requests, each with how many there may be at one time."""
    return tuple(
        [
            (each.key, None if each.observed else each.most)
            for each in _wanted(limits, known, unix_ns=0, model=model)
            if each.key.period == OPEN_NOW
        ]
    )


def purse(limits: Sequence[Limit], known: Lookup, *, default: Purse | None) -> Purse | None:
    """Say which wallet pays, and how it is asked.

    A limit with a floor decides: ``hold: none`` asks for the floor and charges in full, anything
    else sets the worst case aside. Of several that apply the strict one counts, then the highest.

    Args:
        limits: Of the table.
        known: Facts of the request and its caller.
        default: Where no such limit applies; ``None``: then no wallet pays.
    """
    found: list[Purse] = []
    for limit in limits:
        if limit.floor is None or limit.over == "observe" or not holds(limit.when, known):
            continue
        subject = subject_of(limit, known, None)
        if subject is not None:
            ((kind, name),) = subject
            floor = limit.floor if limit.hold == "none" else None
            found.append(Purse(f"{kind}:{name}", floor))
    return max(found, key=_strictness, default=default)


def patience(limits: Sequence[Limit], refused: BudgetKey) -> int:
    """Say how long a request is held that a slot or budget refuses, in nanoseconds.

    A slot may be free again at any time; a budget is not before its next period.
    """
    if refused.period != OPEN_NOW:
        return 0
    return next((limit.wait_ns for limit in limits if limit.name == refused.limit), 0)


def disables(limits: Sequence[Limit], name: str, *, own: bool) -> bool:
    """Say whether the key becomes inactive because this limit refused.

    ``own``: whether it does so for its own spending limit.
    """
    if name == SPENDING_LIMIT:
        return own
    return any(limit.name == name and limit.over == "disable" for limit in limits)


def period_of(per: Literal["day", "month"], unix_ns: Instant) -> str:
    """Name a calendar period of UTC: ``2026-11-22``, ``2026-11``."""
    day = date.fromordinal(_EPOCH + unix_ns // DAY).isoformat()
    return day if per == "day" else day[:7]


# --- how much of it is used ------------------------------------------------------------------------
@quick(frozen=True, slots=True)
class Wanted:
    """A budget or a counter of open requests, to be read: ``limit.NAME.used`` is a share of it."""

    key: BudgetKey
    most: int
    observed: bool = False


def wanted(
    limits: Sequence[Limit],
    known: Lookup,
    names: Sequence[str],
    *,
    unix_ns: int,
    model: str | None = None,
) -> tuple[Wanted, ...]:
    """List what to read of the limits of these names; arguments as of ``budgets``."""
    found = _wanted(limits, known, unix_ns=unix_ns, model=model)
    return tuple([each for each in found if each.key.limit in names])


def share(each: Wanted, state: MoneyState | None) -> Decimal:
    """Say how much of it is used, open holds with it; what nobody has touched is 0."""
    assert state is None or isinstance(state, Spend)
    used = 0 if state is None else state.settled + state.held
    return share_of(used, each.most)


# --- what applies ----------------------------------------------------------------------------------
def _wanted(
    limits: Sequence[Limit], known: Lookup, *, unix_ns: int, model: str | None
) -> Iterator[Wanted]:
    own, key = _money(known("key.limit")), known("key.id")
    if own is not None and key is not None:
        subject = (("key", str(key)),)
        yield Wanted(BudgetKey(SPENDING_LIMIT, subject, period_of("month", unix_ns)), own)
    for limit in limits:
        if limit.of_attempts or (limit.budget is None and limit.at_once is None):
            continue
        who = subject_of(limit, known, model)
        if who is None or not holds(limit.when, known):
            continue
        observed = limit.over == "observe"
        if limit.budget is not None:
            amount = amount_of(limit.budget, known)
            if amount is not None:
                key_ = BudgetKey(limit.name, who, period_of(limit.budget.per, unix_ns))
                yield Wanted(key_, amount, observed)
        if limit.at_once is not None:
            yield Wanted(BudgetKey(limit.name, who, OPEN_NOW), limit.at_once, observed)


def amount_of(budget: Budget, known: Lookup) -> Microcredits | None:
    """Read how much a budget is; ``None``: it is a fact that nobody knows."""
    return budget.amount if budget.fact is None else _money(known(budget.fact))


def _money(usd: object) -> Microcredits | None:
    """Read a fact of money, rounded down; what is no amount is unknown."""
    if isinstance(usd, bool) or not isinstance(usd, int | Decimal):
        return None
    if isinstance(usd, Decimal) and not usd.is_finite():
        return None
    return max(0, int(usd * MICROCREDITS_PER_USD))


def _strictness(one: Purse) -> tuple[bool, int]:
    return one.floor is None, one.floor or 0


__all__ = [
    "OPEN_NOW",
    "SPENDING_LIMIT",
    "Wanted",
    "amount_of",
    "budgets",
    "disables",
    "patience",
    "period_of",
    "purse",
    "share",
    "slots",
    "wanted",
]
