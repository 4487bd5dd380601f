"""A store in memory: exact while the process lives, and gone with it.

Rate counters live here even where records do not, because losing them at a restart costs a burst at
most. A counter that is full again is as good as none and is dropped, so that what is kept grows
with the subjects of one period and not with all that ever came.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Sequence

from hyperroute.canon.auditing import Every, HoldsAfter, PostingsOf, SumsOfHolds, Unbalanced
from hyperroute.canon.journal import PastRows, UsageKey, UsageQuery, UsageRow, UsageSums
from hyperroute.canon.money import (
    OPEN,
    Hold,
    HoldKey,
    Overdue,
    Overdues,
    Posting,
    Sums,
    Totals,
)
from hyperroute.canon.mutation import (
    Cell,
    Commit,
    Found,
    Key,
    Mutation,
    RateKey,
    Row,
    RowKey,
    Shelved,
    State,
    Tagged,
    Tat,
)
from hyperroute.canon.units import SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.routing import gcra
from hyperroute.stores.auditing import audited
from hyperroute.stores.base import AsyncStore, Immediate
from hyperroute.stores.deciding import Book, Changes, decide, no_book, there
from hyperroute.stores.memory_journal import MemoryJournal

COUNTERS_MAX = 1_000_000
"""Rate counters in use at one time; beyond it a commit fails closed rather than forget one."""

_SWEEP_FROM = 1_000

_LAPSED_MAX = 100
"""Records that one commit forgets because they have lapsed; the next one forgets others."""


Place = tuple[str, ...]
"""What a list of records is found by: a shelf, or its tag and value beside it. Of bare tuples, which
hash and compare without a line of Python, so that a hit takes no longer than a miss."""

Write = Callable[[int, tuple[Row, ...]], None]


class MemoryStore:
    """Everything in dictionaries, behind one lock."""

    def __init__(
        self,
        *,
        now: Callable[[], Instant],
        book: Book = no_book,
        counters_max: int = COUNTERS_MAX,
        write: Write | None = None,
    ) -> None:
        """Begin empty.

        Args:
            now: Nanoseconds of a clock that never goes back (``SystemClock.now``).
            book: ``ledger.book.book`` where it keeps money.
            counters_max: See ``COUNTERS_MAX``.
            write: Takes the version and all records of a commit that changes some, just before it
                is done; what it raises undoes the commit.
        """
        self._book = book
        self._write = write
        self._money: dict[Cell, State] = {}
        self._journal = MemoryJournal()
        self._now = now
        self._counters_max = counters_max
        self._sweep_at = _SWEEP_FROM
        self._crowded_until: Instant = 0
        self._lock = threading.Lock()
        self._version = 0
        self._rates: dict[RateKey, Tat] = {}
        self._rows: dict[RowKey, Row] = {}
        self._lists: dict[Place, tuple[Row, ...]] = {}
        self._lapsing: list[tuple[Instant, int, RowKey]] = []
        """A heap of until when which version of a record is kept."""

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position."""
        with self._lock:
            return tuple([self._find(key) for key in keys])

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing.

        Raises:
            StoreError: More counters are in use than may be.
            ValueError: Two mutations are about the same thing.
        """
        with self._lock:
            now = self._now()
            commit, changes = decide(
                mutations, self._cell, book=self._book, now=now, version=self._version + 1
            )
            rows = {key: row for key, row in changes.items() if isinstance(key, RowKey)}
            self._make_room(sum(isinstance(key, RateKey) for key in changes), now)
            if rows and self._write is not None:
                left = {**self._rows, **rows}.values()
                self._write(self._version + 1, tuple([row for row in left if isinstance(row, Row)]))
            self._keep(changes)
            self._forget_lapsed(now)
            self._version += bool(rows)
            return commit

    def replace_rows(self, rows: Iterable[Row], *, version: int) -> None:
        """Hold these records and no others; counters stay. For a store that keeps them elsewhere."""
        ordered = {row.key: row for row in sorted(rows, key=_id)}
        lists: dict[Place, list[Row]] = {}
        for row in ordered.values():
            for place in _places(row):
                lists.setdefault(place, []).append(row)
        with self._lock:
            self._version = version
            self._rows = ordered
            self._lists = {place: tuple(found) for place, found in lists.items()}

    def awaiting(self) -> AsyncStore:
        """Return the twin over the same state."""
        return Immediate(self)

    def close(self) -> None:
        """Nothing is held open."""

    def _find(self, key: Key) -> Found:
        match key:
            case Tagged():
                return there(self._lists.get((key.shelf, key.name, key.value), ()), self._now)
            case Shelved():
                return there(self._lists.get((key.shelf,), ()), self._now)
            case RowKey():
                return there(self._rows.get(key), self._now)
            case Overdue(most):
                return self._overdue(most)
            case Totals():
                return self._totals()
            case UsageQuery():
                return self._journal.query(key)
            case UsageSums():
                return self._journal.sums(key)
            case Every() | SumsOfHolds() | HoldsAfter() | PostingsOf() | Unbalanced():
                return audited(self._money, key)
            case _:
                return self._cell(key)

    def _cell(self, key: Cell) -> State | None:
        match key:
            case RateKey():
                return self._rates.get(key)
            case RowKey():
                return self._rows.get(key)
            case UsageKey(id_):
                return self._journal.find(id_)
            case _:
                return self._money.get(key)

    def _overdue(self, most: int) -> Overdues:
        now = self._now()
        found = [
            (key, hold)
            for key, hold in self._money.items()
            if isinstance(key, HoldKey) and isinstance(hold, Hold)
            if hold.phase in OPEN and hold.due <= now
        ]
        found.sort(key=lambda one: (one[1].due, one[0].id))
        return Overdues(tuple(found[:most]))

    def _totals(self) -> Sums:
        sums: dict[str, int] = {}
        for posting in self._money.values():
            for account, amount in posting.entries if isinstance(posting, Posting) else ():
                sums[account] = sums.get(account, 0) + amount
        return Sums(tuple(sorted(sums.items())))

    def _keep(self, changes: Changes) -> None:
        for key, state in changes.items():
            match key, state:
                case RateKey(), Tat():
                    self._rates[key] = state
                case RateKey(), _:
                    self._rates.pop(key, None)
                case RowKey(), _:
                    self._unshelve(key)
                    if isinstance(state, Row):
                        self._shelve(state)
                case UsageKey(), UsageRow():
                    self._journal.log(state)
                case PastRows(), _:
                    self._journal.forget(key)
                case _, None:
                    self._money.pop(key, None)
                case _, _:
                    self._money[key] = state

    def _forget_lapsed(self, now: Instant) -> None:
        for _ in range(_LAPSED_MAX):
            if not self._lapsing or self._lapsing[0][0] > now:
                return
            _, version, key = heapq.heappop(self._lapsing)
            row = self._rows.get(key)
            if row is not None and row.version == version:
                self._unshelve(key)

    def _shelve(self, row: Row) -> None:
        self._rows[row.key] = row
        if row.until is not None:
            heapq.heappush(self._lapsing, (row.until, row.version, row.key))
        for place in _places(row):
            others = self._lists.get(place, ())
            self._lists[place] = tuple(sorted((*others, row), key=_id))

    def _unshelve(self, key: RowKey) -> None:
        row = self._rows.pop(key, None)
        for place in () if row is None else _places(row):
            left = tuple([other for other in self._lists[place] if other is not row])
            if left:
                self._lists[place] = left
            else:
                del self._lists[place]

    def _make_room(self, coming: int, now: Instant) -> None:
        """Forget what is full again, whenever there is twice as much as was left the last time."""
        if len(self._rates) + coming <= self._sweep_at:
            return
        crowded = now < self._crowded_until
        if not crowded:
            self._sweep(coming, now)
        if crowded or len(self._rates) + coming > self._counters_max:
            raise StoreError(f"more than {self._counters_max} rate counters are in use")

    def _sweep(self, coming: int, now: Instant) -> None:
        self._rates = {
            key: counter
            for key, counter in self._rates.items()
            if not gcra.untouched(counter, now=now)
        }
        kept = len(self._rates) + coming
        self._sweep_at = min(self._counters_max, max(_SWEEP_FROM, 2 * kept))
        if kept > self._counters_max:
            self._crowded_until = now + SECOND  # sweeping at every call would be the worse fault


def _places(row: Row) -> tuple[Place, ...]:
    shelf = row.key.shelf
    return ((shelf,), *[(shelf, name, value) for name, value in row.tags])


def _id(row: Row) -> str:
    return row.key.id


__all__ = ["COUNTERS_MAX", "MemoryStore"]
