"""Everything in one SQLite file: the exact store of one host, with nothing to install.

Write-ahead log, full synchronisation: a commit that was answered survives the loss of power.
Several processes of a host may share the file; a network file system is none of that host.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from hyperroute.canon.units import SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.stores.bulk import TEXTS_MAX, Questions, look_up_listed, portions, write_listed
from hyperroute.stores.deciding import Book, no_book
from hyperroute.stores.grouping import PATIENCE_NS, WAITING_MAX, GroupStore
from hyperroute.stores.sql import Statement, Values

PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",  # where a plain one leaves it to the disk's memory: macOS
    "foreign_keys = ON",
    "cache_size = -32768",
    "wal_autocheckpoint = 4000",
)
"""Up to 32 MB of pages in memory, and 16 MB of log before they are copied to their place: what many
groups change in turn is then read once, and copied once."""

_STEPS = 10_000
"""Of SQLite's machine, between two looks at the clock while a question is answered."""


class SqliteStore(GroupStore):
    """Counters, records and money in one file. Safe between threads and processes of one host."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        now: Callable[[], Instant],
        book: Book = no_book,
        patience_ns: int = PATIENCE_NS,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        """Open the file, and make or bring up to date what is in it.

        Args:
            path: Of the file, which is made with mode 0600 if it is not there.
            now: Unix nanoseconds: the clock of all processes and starts that share the file. Where
                it falls back, this store waits for it.
            book: ``ledger.book.book`` where it keeps money.
            patience_ns: As of ``grouping.PATIENCE_NS``.
            waiting_max: As of ``grouping.WAITING_MAX``.

        Raises:
            StoreError: It cannot be opened, is no SQLite file, or was made by a newer release.
        """
        name = repr(str(Path(path)))
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            writer, reader, browser = (_File(path, now, patience_ns) for _ in range(3))
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{name} cannot be opened: {error}") from None
        super().__init__(
            name,
            writer,
            reader,
            browser=browser,
            book=book,
            patience_ns=patience_ns,
            waiting_max=waiting_max,
            quick_reads=True,
        )


class _File:
    """One connection to the file."""

    errors = (sqlite3.Error, OverflowError, UnicodeEncodeError)
    misfits = (OverflowError, UnicodeEncodeError, sqlite3.DataError, sqlite3.IntegrityError)

    def __init__(
        self, path: str | os.PathLike[str], now: Callable[[], Instant], patience_ns: int
    ) -> None:
        self.now = now
        self.doubtful = False
        self._patience_ns = patience_ns
        self._until: Instant | None = None
        self._connection = sqlite3.connect(
            path,
            # Shorter, so that who waits for the lock in vain is told so, and not nothing.
            timeout=patience_ns * 3 / 4 / SECOND,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=TEXTS_MAX,
        )
        try:
            for pragma in PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            self._connection.close()
            raise
        self._connection.set_progress_handler(self._is_late, _STEPS)

    def read(self, statements: Sequence[Statement]) -> list[Sequence[Any]]:
        # Whoever writes finishes what it has begun; whoever asks too much is told so.
        self._until = self.now() + self._patience_ns
        if len(statements) == 1:  # which is of one instant by itself
            return [self.execute(*statements[0])]
        self._connection.execute("BEGIN")
        rows = [self.execute(*one) for one in statements]
        self._connection.execute("COMMIT")
        return rows

    def begin(self, questions: Questions) -> tuple[Instant, list[Sequence[Any]]]:
        self.doubtful = False
        self._connection.execute("BEGIN IMMEDIATE")
        return self.now(), self.look_up(questions)

    def look_up(self, questions: Questions) -> list[Sequence[Any]]:
        return [self._looked_up(*one) for one in questions.items()]

    def execute(self, text: str, values: Values) -> Sequence[Any]:
        return self._connection.execute(text, values).fetchall()

    def finish(self, writings: Iterable[tuple[str, Sequence[Values]]]) -> None:
        for text, rows in writings:
            if write_listed(text, 1) is None:
                self._connection.executemany(text, rows)
                continue
            for some in portions(list(rows)):
                listed = write_listed(text, len(some))
                assert listed is not None
                self._connection.execute(listed, list(chain.from_iterable(some)))
        self.doubtful = True
        self._connection.execute("COMMIT")
        self.doubtful = False

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()

    def _looked_up(self, text: str, cells: Collection[Values]) -> Sequence[Any]:
        rows: list[Any] = []
        for some in portions(list(cells)):
            values = list(chain.from_iterable(some))
            rows += self._connection.execute(look_up_listed(text, len(some)), values)
        return rows

    def _is_late(self) -> bool:
        return self._until is not None and self.now() > self._until


__all__ = ["SqliteStore"]
