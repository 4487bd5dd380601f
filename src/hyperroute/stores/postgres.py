"""Everything in Postgres: the exact store of several hosts (extra ``postgres``).

All replicas take turns by one advisory lock, a group of commits each: so the order of everything is
the order of the groups, there is nothing to deadlock, and the time is the server's. A replica that
stalls with the lock in its hand is cut off by the server after the patience of this store.

A connection that breaks is made anew for the next group. A commit whose answer was lost is
``unknown``, and whoever asked reads back what it wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from hyperroute.canon.units import MILLISECOND, SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.stores.bulk import (
    TEXTS_MAX,
    Questions,
    apart,
    columns_of,
    look_up_in_arrays,
    write_from_arrays,
)
from hyperroute.stores.deciding import Book, no_book
from hyperroute.stores.grouping import BROWSING_NS, PATIENCE_NS, WAITING_MAX, GroupStore
from hyperroute.stores.sql import Statement, Values

if TYPE_CHECKING:
    from psycopg import Connection

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
"""Whatever the server's default is: what is read after the lock is what stands then, and not what
stood when waiting for it began."""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hyperroute/' || current_schema(), 0))"
_NOW = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"


class PostgresStore(GroupStore):
    """Counters, records and money in one schema of a Postgres database. Safe between replicas."""

    def __init__(
        self,
        url: str,
        *,
        schema: str = "hyperroute",
        now: Callable[[], Instant] | None = None,
        book: Book = no_book,
        patience_ns: int = PATIENCE_NS,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        """Connect, and make or bring up to date what is in the schema.

        Args:
            url: ``postgresql://user@host/database``; what it does not say, the usual ``PG…``
                variables do.
            schema: Of our tables; it is made if it is not there.
            now: Unix nanoseconds, of a clock that all replicas share; ``None``: the server's.
            book: ``ledger.book.book`` where it keeps money.
            patience_ns: As of ``grouping.PATIENCE_NS``.
            waiting_max: As of ``grouping.WAITING_MAX``.

        Raises:
            StoreError: It cannot be reached, or was made by a newer release, or the extra
                ``postgres`` is not installed.
        """
        if find_spec("psycopg") is None:
            raise StoreError("Postgres needs an extra: pip install 'hyperroute[postgres]'")
        if not _SCHEMA.fullmatch(schema):
            raise StoreError(f"a schema's name is a lower-case word, not {schema!r}")
        name = f"Postgres at {_place(url)}"
        writer, reader = (_Session(url, schema, now, patience_ns) for _ in range(2))
        browser = _Session(url, schema, now, max(patience_ns, BROWSING_NS))
        try:
            writer.make_schema()
        except writer.errors as error:
            writer.close()
            told = " ".join(str(error).split())
            raise StoreError(f"{name} cannot be opened: {told}") from None
        super().__init__(
            name,
            writer,
            reader,
            browser=browser,
            book=book,
            patience_ns=patience_ns,
            waiting_max=waiting_max,
            quick_reads=False,
        )


def _place(url: str) -> str:
    """Name the server, without the user and the password."""
    from psycopg.conninfo import conninfo_to_dict

    try:
        said = conninfo_to_dict(url)
    except Exception as error:  # psycopg's own classes share no narrower one here
        raise StoreError("the URL of the Postgres database cannot be read") from error
    return f"{said.get('host', 'localhost')}:{said.get('port', 5432)}/{said.get('dbname', '')}"


class _Session:
    """One connection, made when it is needed and made anew when it broke."""

    def __init__(
        self, url: str, schema: str, now: Callable[[], Instant] | None, patience_ns: int
    ) -> None:
        import psycopg

        self.errors = (psycopg.Error, OSError, UnicodeEncodeError)
        self.misfits = (psycopg.DataError, psycopg.IntegrityError, UnicodeEncodeError)
        self._url, self._schema, self._clock = url, schema, now
        self._patience_ms = max(1, patience_ns // MILLISECOND)
        self._connect_s = max(2, -(-patience_ns // SECOND))
        self._connection: Connection[Any] | None = None
        self._committing = False

    def make_schema(self) -> None:
        """Make the schema; of replicas that do so at once, one may be told that it exists."""
        from psycopg.errors import DuplicateSchema, UniqueViolation

        with suppress(DuplicateSchema, UniqueViolation):
            self._open().execute(f"CREATE SCHEMA IF NOT EXISTS {self._schema}")

    def now(self) -> Instant:
        if self._clock is not None:
            return self._clock()
        return _instant(self._open().execute(_NOW))

    def read(self, statements: Sequence[Statement]) -> list[Sequence[Any]]:
        if len(statements) == 1:  # which is of one instant by itself
            return [self.execute(*statements[0])]
        connection = self._open()
        with connection.pipeline():
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            told = [connection.execute(_with_percents(text), values) for text, values in statements]
            connection.execute("COMMIT")
        return [one.fetchall() for one in told]

    def begin(self, questions: Questions) -> tuple[Instant, list[Sequence[Any]]]:
        self._committing = False
        connection = self._open()
        with connection.pipeline():
            connection.execute(_BEGIN)
            connection.execute(_LOCK)
            clock = connection.execute(_NOW)
            told = self._asked(connection, questions)
        now = _instant(clock) if self._clock is None else self._clock()
        return now, [one.fetchall() for one in told]

    def look_up(self, questions: Questions) -> list[Sequence[Any]]:
        connection = self._open()
        with connection.pipeline():
            told = self._asked(connection, questions)
        return [one.fetchall() for one in told]

    def execute(self, text: str, values: Values) -> Sequence[Any]:
        found = self._open().execute(_with_percents(text), values)
        return [] if found.description is None else found.fetchall()

    def finish(self, writings: Iterable[tuple[str, Sequence[Values]]]) -> None:
        connection = self._open()
        with connection.pipeline():
            for text, rows in writings:
                self._write(connection, text, rows)
            self._committing = True
            connection.execute("COMMIT")
        self._committing = False

    @property
    def doubtful(self) -> bool:
        """Unless the server says that the transaction has failed, and so waits to be undone."""
        if not self._committing or self._connection is None:
            return self._committing
        return self._connection.info.transaction_status.name != "INERROR"

    def rollback(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.execute("ROLLBACK")
        except self.errors:
            self.close()
            raise

    def _asked(self, connection: Connection[Any], questions: Questions) -> list[Any]:
        told = []
        for text, cells in questions.items():
            _, arrays = columns_of(list(cells))
            told.append(connection.execute(_with_percents(look_up_in_arrays(text)), arrays))
        return told

    def _write(self, connection: Connection[Any], text: str, rows: Sequence[Values]) -> None:
        kinds, arrays = columns_of(rows)
        many = write_from_arrays(text, kinds) if apart(text, rows) else None
        if many is not None:
            connection.execute(_with_percents(many), arrays)
            return
        for row in rows:
            connection.execute(_with_percents(text), row)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection[Any]:
        import psycopg

        if self._connection is None:
            settings = {
                "search_path": self._schema,
                "statement_timeout": str(self._patience_ms),
                # Shorter, so that who waits for the lock in vain is told so, and not nothing.
                "lock_timeout": str(max(1, self._patience_ms * 3 // 4)),
                "idle_in_transaction_session_timeout": str(self._patience_ms),
                "application_name": f"hyperroute/{self._schema}",
            }
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                # A plan that was kept from when a table was small would read all of it; and after
                # an error amid a pipeline, psycopg takes for prepared what never was.
                prepare_threshold=None,
                connect_timeout=self._connect_s,
                options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
            )
        return self._connection


def _instant(clock: Any) -> Instant:
    ((microseconds,),) = clock.fetchall()
    return int(microseconds) * 1_000


@lru_cache(TEXTS_MAX)
def _with_percents(text: str) -> Any:
    """Spell the places of values as psycopg does; no text of ours has another ``?`` or a ``%``."""
    return text.replace("?", "%s")


__all__ = ["PostgresStore"]
