"""The journal of a store in memory: some rows, and all sums."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from operator import attrgetter

from hyperroute.canon.journal import (
    Order,
    PastRows,
    Tallies,
    UsagePage,
    UsageQuery,
    UsageRow,
    UsageSums,
)
from hyperroute.canon.units import Instant
from hyperroute.stores.tallying import (
    Amounts,
    Group,
    amounts_of,
    group_of,
    selects,
    selects_group,
    tallied,
)

KEPT_MAX = 10_000
"""Rows that are kept; the oldest make room, and their sums stay. A question looks at every one."""


class MemoryJournal:
    """Rows in the order in which they came. Not safe by itself: its store has a lock."""

    def __init__(self, *, rows_max: int = KEPT_MAX) -> None:
        """Begin empty."""
        self._rows_max = rows_max
        self._rows: OrderedDict[str, UsageRow] = OrderedDict()
        self._sums: dict[Group, Amounts] = {}

    def find(self, row_id: str) -> UsageRow | None:
        """Return a row by its id."""
        return self._rows.get(row_id)

    def log(self, row: UsageRow) -> None:
        """Keep a row that is not there yet."""
        self._rows[row.id] = row
        group, more = group_of(row), amounts_of(row)
        was = self._sums.get(group, (0,) * len(more))
        self._sums[group] = tuple([one + other for one, other in zip(was, more, strict=True)])
        while len(self._rows) > self._rows_max:
            self._rows.popitem(last=False)

    def forget(self, past: PastRows) -> None:
        """Remove the oldest rows of before an instant."""
        gone = sorted([row for row in self._rows.values() if row.at < past.before], key=_by_time)
        for row in gone[: past.most]:
            del self._rows[row.id]

    def query(self, asked: UsageQuery) -> UsagePage:
        """Answer with rows."""
        newest = asked.order == "newest"
        found = [row for row in self._rows.values() if selects(asked.selection, row)]
        if asked.after is not None:
            after = asked.after
            found = [
                row for row in found if (_by_time(row) < after if newest else _by_time(row) > after)
            ]
        found.sort(key=_ORDERS[asked.order], reverse=asked.order != "oldest")
        return UsagePage(tuple(found[: asked.limit]))

    def sums(self, asked: UsageSums) -> Tallies:
        """Answer with sums, of days where they are enough and of rows where not."""
        selection = asked.selection
        if selection.by_day:
            parts = [one for one in self._sums.items() if selects_group(selection, one[0])]
        else:
            parts = [
                (group_of(row), amounts_of(row))
                for row in self._rows.values()
                if selects(selection, row)
            ]
        return Tallies(tuple(tallied(asked.by, parts)))


_by_time: Callable[[UsageRow], tuple[Instant, str]] = attrgetter("at", "id")
_ORDERS: dict[Order, Callable[[UsageRow], tuple[int, ...]]]
_ORDERS = {
    "newest": attrgetter("at", "id"),
    "oldest": attrgetter("at", "id"),
    "dearest": attrgetter("credits", "at", "id"),
}

__all__ = ["KEPT_MAX", "MemoryJournal"]
