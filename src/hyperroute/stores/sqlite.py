"""Everything in one SQLite file: the exact store of one host, with nothing to install.

One thread writes. Whatever batches have gathered while it wrote the last ones it carries out in one
transaction and makes durable by one synchronisation (*group commit*), which is what lets fifty
callers have thousands of commits a second, each of them durable before it is answered. Several
processes of a host may share the file: a group holds the database's write lock from its first read.

Write-ahead log, full synchronisation: a commit that was answered survives the loss of power.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import cast

from hyperroute.canon.mutation import Cell, Commit, Found, Key, Mutation, RowKey, State
from hyperroute.canon.units import MINUTE, SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.stores import sql
from hyperroute.stores.base import AsyncStore
from hyperroute.stores.deciding import Book, decide, no_book

PATIENCE_NS = 5 * SECOND
"""How long a caller waits for its commit, and a group for another process's lock."""

WAITING_MAX = 10_000
"""Batches that may wait for the writer; whoever comes then is refused at once."""

GROUP_MAX = 500
"""Batches of one transaction, so that the first of them need not wait for all."""

SWEEP_NS = 10 * MINUTE
"""How often the counters that are full again are removed."""

Waiting = tuple[Sequence[Mutation], "Future[Commit]"]


class SqliteStore:
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
            patience_ns: As of ``PATIENCE_NS``.
            waiting_max: As of ``WAITING_MAX``.

        Raises:
            StoreError: It cannot be opened, is no SQLite file, or was made by a newer release.
        """
        self.path = Path(path)
        self._clock = now
        self._book = book
        self._latest: Instant = 0
        self.patience_ns = patience_ns
        self._waiting_max = waiting_max
        self._swept_at: Instant = 0
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._reading = threading.Lock()
        self._closed = False
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._writer, self._reader = self._connect(), self._connect()
            self._bring_up_to_date()
        except (OSError, ValueError, sqlite3.Error) as error:
            raise self._trouble("opened", error) from None
        self._thread = threading.Thread(target=self._write, name="hyperroute-sqlite", daemon=True)
        self._thread.start()

    # --- the two verbs ---------------------------------------------------------------------------
    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position, all of one instant.

        Raises:
            StoreError: The file cannot be read, or the store is closed.
        """
        with self._reading:
            try:
                if len(keys) == 1:
                    return (self._find(self._reader, keys[0]),)
                self._reader.execute("BEGIN")
                try:
                    return tuple([self._find(self._reader, key) for key in keys])
                finally:
                    self._reader.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._trouble("read", error) from None

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing; durable when it returns.

        Raises:
            StoreError: It was not carried out, or (``unknown``) may have been.
            ValueError: Two mutations are about the same thing.
        """
        future = self.submit(mutations)
        try:
            return future.result(self.patience_ns / SECOND)
        except TookTooLong:
            raise self.gave_up(future) from None

    def submit(self, mutations: Sequence[Mutation]) -> Future[Commit]:
        """Hand a batch to the writer; who cancels the future in time has it left undone.

        Raises:
            StoreError: Too many are waiting, or the store is closed.
        """
        if self._closed:
            raise StoreError(f"{str(self.path)!r} is closed")
        if self._queue.qsize() >= self._waiting_max:
            raise StoreError(f"{self._waiting_max} commits wait for {str(self.path)!r}")
        future: Future[Commit] = Future()
        self._queue.put((mutations, future))
        return future

    def gave_up(self, future: Future[Commit]) -> StoreError:
        """Say what is known of a commit that nobody waits for any longer."""
        seconds = self.patience_ns / SECOND
        message = f"{str(self.path)!r} did not answer within {seconds:g} s"
        return StoreError(message, unknown=not future.cancel())

    def awaiting(self) -> AsyncStore:
        """Return the twin over the same state."""
        return AsyncSqliteStore(self)

    def close(self) -> None:
        """Finish what was handed over, and close the file."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        with self._reading:
            self._reader.close()

    # --- the writer ------------------------------------------------------------------------------
    def _write(self) -> None:
        """Carry out what has gathered, group by group, until told to end."""
        more = True
        while more:
            more, group = self._gathered()
            running = [one for one in group if one[1].set_running_or_notify_cancel()]
            if running:
                self._carry_out(running)
        self._writer.close()

    def _gathered(self) -> tuple[bool, list[Waiting]]:
        one, group = self._queue.get(), list[Waiting]()
        with suppress(Empty):
            while one is not None:
                group.append(one)
                if len(group) == GROUP_MAX:
                    return True, group
                one = self._queue.get_nowait()
            return False, group
        return True, group

    def _carry_out(self, group: Sequence[Waiting]) -> None:
        told: list[Commit | ValueError] = []
        committing = False
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            cells = _Cells(self._writer, self._find)
            (last,) = self._writer.execute(*sql.LAST_COMMIT).fetchone()
            version, now = last, self._now()
            for mutations, _ in group:
                try:
                    commit, changes = decide(
                        mutations, cells, book=self._book, now=now, version=version + 1
                    )
                except ValueError as error:
                    told.append(error)
                    continue
                cells.held.update(changes)
                cells.changed.update(dict.fromkeys(changes))
                version += any(isinstance(key, RowKey) for key in changes)
                told.append(commit)
            self._keep(cells, version if version != last else None, now)
            committing = True
            self._writer.execute("COMMIT")
        except (sqlite3.Error, OverflowError) as error:
            trouble = self._trouble("written", error, unknown=committing)
            with suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")
            for _, future in group:
                future.set_exception(trouble)
            return
        for (_, future), answer in zip(group, told, strict=True):
            if isinstance(answer, Commit):
                future.set_result(answer)
            else:
                future.set_exception(answer)

    def _keep(self, cells: _Cells, version: int | None, now: Instant) -> None:
        """Write every cell once, however many batches of the group changed it."""
        for key in cells.changed:
            for text, values in sql.write(key, cells.held[key]):
                self._writer.execute(text, values)
        if version is not None:
            self._writer.execute(*sql.committed(version))
        if now - self._swept_at >= SWEEP_NS:
            self._writer.execute(*sql.forget_full(now))
            self._swept_at = now

    def _now(self) -> Instant:
        self._latest = max(self._latest, self._clock())
        return self._latest

    # --- the file --------------------------------------------------------------------------------
    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self.patience_ns / SECOND,
            isolation_level=None,
            check_same_thread=False,
        )
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _bring_up_to_date(self) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        self._writer.execute(sql.STEPS_TABLE)
        (done,) = self._writer.execute(sql.STEPS_DONE).fetchone()
        for text, values in sql.steps(done):
            self._writer.execute(text, values)
        self._writer.execute("COMMIT")

    def _find(self, connection: sqlite3.Connection, key: Key) -> Found:
        text, values = sql.select(key, now=self._now())
        return sql.found(key, connection.execute(text, values).fetchall())

    def _trouble(self, verb: str, error: Exception, *, unknown: bool = False) -> StoreError:
        return StoreError(f"{str(self.path)!r} cannot be {verb}: {error}", unknown=unknown)


class _Cells:
    """The cells that a group has read or changed, as they stand within its transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        find: Callable[[sqlite3.Connection, Key], Found],
    ) -> None:
        self._connection = connection
        self._find = find
        self.held: dict[Cell, State | None] = {}
        self.changed: dict[Cell, None] = {}

    def __call__(self, key: Cell) -> State | None:
        """Read a cell, from the file the first time."""
        if key not in self.held:
            self.held[key] = cast("State | None", self._find(self._connection, key))
        return self.held[key]


class AsyncSqliteStore:
    """The awaiting twin: reads are quick enough to be done at once, commits are waited for."""

    def __init__(self, store: SqliteStore) -> None:
        """Share a store, with blocking callers too if need be."""
        self._store = store

    async def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position, all of one instant.

        Raises:
            StoreError: The file cannot be read, or the store is closed.
        """
        return self._store.read(keys)

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing; durable when it returns.

        Raises:
            StoreError: It was not carried out, or (``unknown``) may have been.
            ValueError: Two mutations are about the same thing.
        """
        future = self._store.submit(mutations)
        waiting = asyncio.wrap_future(future)
        done, _ = await asyncio.wait([waiting], timeout=self._store.patience_ns / SECOND)
        if not done:
            raise self._store.gave_up(future)
        return waiting.result()

    async def close(self) -> None:
        """Finish what was handed over, and close the file."""
        await asyncio.to_thread(self._store.close)


__all__ = ["GROUP_MAX", "PATIENCE_NS", "WAITING_MAX", "AsyncSqliteStore", "SqliteStore"]
