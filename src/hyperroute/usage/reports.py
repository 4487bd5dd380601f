"""What is asked of the journal for an account, and how the answer is put together.

A period is whole days (UTC), today the last of them, so that sums by day answer for it.

Example:
    >>> asked = questions(Selection(owner="user:ada", **period(30, now=clock.unix_ns())), limit=100)
    >>> report(asked, store.read(asked)).days[-1]
    (20414, 1250000)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from operator import add, attrgetter
from typing import Final, TypedDict

from hyperroute.canon.journal import (
    Selection,
    Tallies,
    Tally,
    UsagePage,
    UsageQuery,
    UsageRow,
    UsageSums,
)
from hyperroute.canon.money import Microcredits
from hyperroute.canon.mutation import Found
from hyperroute.canon.units import DAY, Instant
from hyperroute.stores.tallying import SUMMED

DAYS_MAX: Final = 365
"""Of one question (api.md, 17)."""

DEAREST: Final = 10
"""Requests that are listed as the dearest (api.md, 17)."""

PAGE: Final = 1_000
"""Rows that an export reads at a time."""


class Period(TypedDict):
    """Bounds of a selection."""

    since: Instant
    until: Instant


Questions = tuple[UsageQuery, UsageQuery, UsageSums]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an account's requests came to.

    Attributes:
        rows: The newest.
        dearest: Of all rows that there are, the dearest first; none that was free.
        models: Sums by model, the dearest first.
        days: Each day of the period with what was charged, in order; 0 where nothing was.
    """

    rows: tuple[UsageRow, ...]
    dearest: tuple[UsageRow, ...]
    models: tuple[Tally, ...]
    days: tuple[tuple[int, Microcredits], ...]


def period(days: int, *, now: Instant) -> Period:
    """Bound so many days, with the one that ``now`` lies in as the last."""
    until = now // DAY + 1
    return Period(since=(until - days) * DAY, until=until * DAY)


def questions(selection: Selection, *, limit: int) -> Questions:
    """Say what to read for a report."""
    dear = replace(selection, credits_min=max(1, selection.credits_min or 0))
    return (
        UsageQuery(selection=selection, limit=limit),
        UsageQuery(selection=dear, order="dearest", limit=DEAREST),
        UsageSums(selection=selection, by=("day", "model")),
    )


def report(asked: Questions, found: Sequence[Found]) -> Report:
    """Put a report together of what was read."""
    rows, dearest, sums = found
    assert isinstance(rows, UsagePage)
    assert isinstance(dearest, UsagePage)
    assert isinstance(sums, Tallies)
    selection = asked[0].selection
    assert selection.since is not None
    assert selection.until is not None
    charged = {tally.group[0]: tally.credits for tally in merged(sums.tallies, 0)}
    days = range(selection.since // DAY, selection.until // DAY)
    models = sorted(merged(sums.tallies, 1), key=lambda tally: (-tally.credits, tally.group))
    return Report(
        rows=rows.rows,
        dearest=dearest.rows,
        models=tuple(models),
        days=tuple([(day, charged.get(day, 0)) for day in days]),
    )


def merged(tallies: Sequence[Tally], place: int) -> tuple[Tally, ...]:
    """Add up tallies that agree in one part of their group, in the order in which it first comes."""
    sums: dict[int | str, tuple[int, ...]] = {}
    for tally in tallies:
        name, amounts = tally.group[place], _amounts(tally)
        sums[name] = tuple(map(add, sums[name], amounts)) if name in sums else amounts
    return tuple(
        [
            Tally(group=(name,), **dict(zip(SUMMED, amounts, strict=True)))
            for name, amounts in sums.items()
        ]
    )


_amounts: Callable[[Tally], tuple[int, ...]] = attrgetter(*SUMMED)


def pages(
    selection: Selection,
) -> Generator[UsageQuery, UsagePage, None]:
    """Ask for all rows, the oldest first, a page at a time.

    What is written meanwhile comes too if it lies behind the page that was read last.
    """
    asked = UsageQuery(selection=selection, order="oldest", limit=PAGE)
    while True:
        found = yield asked
        if len(found.rows) < PAGE:
            return
        last = found.rows[-1]
        asked = replace(asked, after=(last.at, last.id))


__all__ = [
    "DAYS_MAX",
    "DEAREST",
    "PAGE",
    "Period",
    "Report",
    "merged",
    "pages",
    "period",
    "questions",
    "report",
]
