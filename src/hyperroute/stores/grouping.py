"""The store that every SQL database shares: one thread writes, and many commits share a transaction.

Whatever batches have gathered while it wrote the last ones it carries out in one transaction and
makes durable by one synchronisation (*group commit*), which is what lets fifty callers have
thousands of commits a second, each of them durable before it is answered. A group holds the
database's write lock from before its first read, so that processes that share a database take turns.
A cell that several batches of a group change is read once and written once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Protocol, cast

from hyperroute.canon.auditing import AuditKey
from hyperroute.canon.money import Overdue
from hyperroute.canon.mutation import Cell, Commit, Found, Key, Mutation, RowKey, State
from hyperroute.canon.units import MINUTE, SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.stores import sql, sql_auditing
from hyperroute.stores.base import AsyncStore
from hyperroute.stores.deciding import Book, decide

PATIENCE_NS = 5 * SECOND
"""How long a caller waits for its commit, and a group for another process's lock."""

WAITING_MAX = 10_000
"""Batches that may wait for the writer; whoever comes then is refused at once."""

GROUP_MAX = 500
"""Batches of one transaction, so that the first of them need not wait for all."""

SWEEP_NS = 10 * MINUTE
"""How often the counters that are full again are removed."""

Waiting = tuple[Sequence[Mutation], "Future[Commit]"]


class Database(Protocol):
    """One connection. What it raises is one of ``errors``."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What can go wrong with it."""
        ...

    @property
    def misfits(self) -> tuple[type[Exception], ...]:
        """Of these, what says that a value does not fit into a column: one batch's own fault."""
        ...

    def now(self) -> Instant:
        """Return Unix nanoseconds of the clock that all who share the database share."""
        ...

    def begin(self, *, writing: bool) -> None:
        """Begin a transaction; one that writes keeps other writers out from now on."""
        ...

    def execute(self, text: str, values: tuple[Any, ...]) -> Sequence[Any]:
        """Carry out a statement of ``sql``, and return its rows."""
        ...

    def execute_many(self, text: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Carry out one statement for each row of values."""
        ...

    def commit(self) -> None:
        """Make durable what was written."""
        ...

    def rollback(self) -> None:
        """Undo what was written; of a connection that is gone, prepare to make another."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class GroupStore:
    """Counters, records and money in a database. Safe between threads."""

    def __init__(
        self,
        name: str,
        writer: Database,
        reader: Database,
        *,
        book: Book,
        patience_ns: int,
        waiting_max: int,
        quick_reads: bool,
    ) -> None:
        """Bring the database up to date, and begin to write.

        Args:
            name: Of the database, for messages; holds no password.
            writer: Used by the writing thread alone.
            reader: Used by whoever reads, one at a time.
            book: What mutations of money do.
            patience_ns: As of ``PATIENCE_NS``.
            waiting_max: As of ``WAITING_MAX``.
            quick_reads: A read takes microseconds, so the awaiting twin does it at once.

        Raises:
            StoreError: It cannot be brought up to date.
        """
        self.patience_ns = patience_ns
        self.quick_reads = quick_reads
        self._name = name
        self._writer, self._reader = writer, reader
        self._book = book
        self._waiting_max = waiting_max
        self._latest: Instant = 0
        self._swept_at: Instant = 0
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._reading = threading.Lock()
        self._closed = False
        wrong: tuple[type[Exception], ...] = (ValueError, *writer.errors)
        try:
            self._bring_up_to_date()
        except wrong as error:
            writer.close()
            reader.close()
            raise self._trouble("opened", error) from None
        self._thread = threading.Thread(target=self._write, name="hyperroute-store", daemon=True)
        self._thread.start()

    # --- the two verbs ---------------------------------------------------------------------------
    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position, all of one instant.

        Raises:
            StoreError: The database cannot be read, or the store is closed.
        """
        with self._reading:
            if self._closed:
                raise StoreError(f"{self._name} is closed")
            try:
                self._reader.begin(writing=False)
                found = tuple([self._find(self._reader, key) for key in keys])
                self._reader.commit()
            except self._reader.errors as error:
                with suppress(*self._reader.errors):
                    self._reader.rollback()
                raise self._trouble("read", error) from None
            return found

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
            raise StoreError(f"{self._name} is closed")
        if self._queue.qsize() >= self._waiting_max:
            raise StoreError(f"{self._waiting_max} commits wait for {self._name}")
        future: Future[Commit] = Future()
        self._queue.put((mutations, future))
        return future

    def gave_up(self, future: Future[Commit]) -> StoreError:
        """Say what is known of a commit that nobody waits for any longer."""
        message = f"{self._name} did not answer within {self.patience_ns / SECOND:g} s"
        return StoreError(message, unknown=not future.cancel())

    def awaiting(self) -> AsyncStore:
        """Return the twin over the same state."""
        return Awaited(self)

    def close(self) -> None:
        """Finish what was handed over, and let go."""
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
        committing = False
        try:
            self._writer.begin(writing=True)
            told, cells, version = self._decided(group)
            self._keep(cells, version)
            committing = True
            self._writer.commit()
        except Exception as error:  # noqa: BLE001 - the thread must live, and every caller be told
            with suppress(*self._writer.errors):
                self._writer.rollback()
            if isinstance(error, self._writer.misfits) and len(group) > 1:
                for one in group:
                    self._carry_out([one])
                return
            for _, future in group:
                future.set_exception(self._raised(error, unknown=committing))
            return
        for (_, future), answer in zip(group, told, strict=True):
            if isinstance(answer, Commit):
                future.set_result(answer)
            else:
                future.set_exception(answer)

    def _raised(self, error: Exception, *, unknown: bool) -> Exception:
        """Tell what a database says as ours; a defect stays what it is."""
        if isinstance(error, self._writer.errors):
            return self._trouble("written", error, unknown=unknown)
        return error

    def _decided(self, group: Sequence[Waiting]) -> tuple[list[Commit | Exception], _Cells, int]:
        cells, told = _Cells(self), list[Commit | Exception]()
        ((version,),) = self._writer.execute(*sql.LAST_COMMIT)
        cells.version = version
        for mutations, _ in group:
            try:
                commit, changes = decide(
                    mutations, cells, book=self._book, now=cells.now, version=version + 1
                )
            except (ValueError, AssertionError) as error:
                # A defect of this caller, and of nobody else in the group.
                told.append(self._raised(error, unknown=False))
                continue
            cells.held.update(changes)
            cells.changed.update(dict.fromkeys(changes))
            version += any(isinstance(key, RowKey) for key in changes)
            told.append(commit)
        return told, cells, version

    def _keep(self, cells: _Cells, version: int) -> None:
        """Write every cell once, however many batches of the group changed it."""
        for text, rows in sql.gathered(sql.write(key, cells.held[key]) for key in cells.changed):
            self._writer.execute_many(text, rows)
        if version != cells.version:
            self._writer.execute(*sql.committed(version))
        if cells.now - self._swept_at >= SWEEP_NS:
            self._writer.execute(*sql.forget_full(cells.now))
            self._swept_at = cells.now

    def _now(self, database: Database) -> Instant:
        """Read the clock; where it has fallen back, wait for it."""
        self._latest = max(self._latest, database.now())
        return self._latest

    def _bring_up_to_date(self) -> None:
        self._writer.begin(writing=True)
        self._writer.execute(sql.STEPS_TABLE, ())
        ((done,),) = self._writer.execute(sql.STEPS_DONE, ())
        for text, values in sql.steps(done):
            self._writer.execute(text, values)
        self._writer.commit()

    def _find(self, database: Database, key: Key) -> Found:
        if isinstance(key, AuditKey):
            return sql_auditing.found(key, database.execute(*sql_auditing.select(key)))
        now = self._now(database) if isinstance(key, Overdue) else 0
        return sql.found(key, database.execute(*sql.select(key, now=now)))

    def _trouble(self, verb: str, error: Exception, *, unknown: bool = False) -> StoreError:
        told = " ".join(str(error).split())
        return StoreError(f"{self._name} cannot be {verb}: {told}", unknown=unknown)


class _Cells:
    """The cells that a group has read or changed, as they stand within its transaction."""

    def __init__(self, store: GroupStore) -> None:
        self._store = store
        self.now = store._now(store._writer)  # noqa: SLF001 - one class in two halves
        self.version = 0
        self.held: dict[Cell, State | None] = {}
        self.changed: dict[Cell, None] = {}

    def __call__(self, key: Cell) -> State | None:
        """Read a cell, from the database the first time."""
        if key not in self.held:
            store = self._store
            self.held[key] = cast("State | None", store._find(store._writer, key))  # noqa: SLF001
        return self.held[key]


class Awaited:
    """The awaiting twin: a commit is waited for without a thread of its own."""

    def __init__(self, store: GroupStore) -> None:
        """Share a store, with blocking callers too if need be."""
        self._store = store

    async def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position, all of one instant.

        Raises:
            StoreError: The database cannot be read, or the store is closed.
        """
        if self._store.quick_reads:
            return self._store.read(keys)
        return await asyncio.to_thread(self._store.read, keys)

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing; durable when it returns.

        Raises:
            StoreError: It was not carried out, or (``unknown``) may have been.
            ValueError: Two mutations are about the same thing.
        """
        future = self._store.submit(mutations)
        waiting = asyncio.wrap_future(future)
        waiting.add_done_callback(_look)
        done, _ = await asyncio.wait([waiting], timeout=self._store.patience_ns / SECOND)
        if not done:
            waiting.cancel()
            raise self._store.gave_up(future)
        return waiting.result()

    async def close(self) -> None:
        """Finish what was handed over, and let go."""
        await asyncio.to_thread(self._store.close)


def _look(future: asyncio.Future[Commit]) -> None:
    """Look at the answer of a commit whose caller has gone, so that nobody warns of it."""
    if not future.cancelled():
        future.exception()


__all__ = [
    "GROUP_MAX",
    "PATIENCE_NS",
    "SWEEP_NS",
    "WAITING_MAX",
    "Awaited",
    "Database",
    "GroupStore",
]
