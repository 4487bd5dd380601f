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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, cast

from hyperroute.canon.auditing import AuditKey
from hyperroute.canon.journal import UsageQuery, UsageSums
from hyperroute.canon.money import Overdue
from hyperroute.canon.mutation import Cell, Commit, Found, Key, Mutation, RowKey, State
from hyperroute.canon.units import MINUTE, SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.stores import sql, sql_auditing
from hyperroute.stores.base import AsyncStore
from hyperroute.stores.database import Database
from hyperroute.stores.deciding import Book, ahead, beyond, decide
from hyperroute.stores.sql import Values
from hyperroute.stores.waiting import Answer, Waiting, WaitingTask, tell

PATIENCE_NS = 5 * SECOND
"""How long a caller waits for its commit, and a group for another process's lock."""

WAITING_MAX = 10_000
"""Batches that may wait for the writer; whoever comes then is refused at once."""

GROUP_MAX = 500
"""Batches of one transaction, so that the first of them need not wait for all."""

SWEEP_NS = 10 * MINUTE
"""How often the counters that are full again are removed."""


def browses(keys: Sequence[Key]) -> bool:
    """Say whether a question is about many rows, and so takes longer than others may wait."""
    return any(isinstance(key, UsageQuery | UsageSums | AuditKey) for key in keys)


class GroupStore:
    """Counters, records and money in a database. Safe between threads."""

    def __init__(
        self,
        name: str,
        writer: Database,
        reader: Database,
        *,
        browser: Database,
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
            browser: Used by whoever asks about many rows of the journal, so that a request that
                waits for its key does not wait for them.
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
        self._browser, self._browsing = browser, threading.Lock()
        self._closed = False
        wrong: tuple[type[Exception], ...] = (ValueError, *writer.errors)
        try:
            self._bring_up_to_date()
        except wrong as error:
            for database in (writer, reader, browser):
                database.close()
            raise self._trouble("opened", error) from None
        self._thread = threading.Thread(target=self._write, name="hyperroute-store", daemon=True)
        self._thread.start()

    # --- the two verbs ---------------------------------------------------------------------------
    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position, all of one instant.

        Raises:
            StoreError: The database cannot be read, or the store is closed.
        """
        lock, database = self._reading, self._reader
        if browses(keys):
            lock, database = self._browsing, self._browser
        with lock:
            if self._closed:
                raise StoreError(f"{self._name} is closed")
            try:
                now = self._now(database) if any(map(_by_clock, keys)) else 0
                rows = database.read([_question(key, now) for key in keys])
            except database.errors as error:
                with suppress(*database.errors):
                    database.rollback()
                raise self._trouble("read", error) from None
            return tuple([_found(*one) for one in zip(keys, rows, strict=True)])

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing; durable when it returns.

        Raises:
            StoreError: It was not carried out, or (``unknown``) may have been.
            ValueError: Two mutations are about the same thing.
        """
        waiting = self.submit(mutations)
        try:
            return waiting.result(self.patience_ns / SECOND)
        except TimeoutError:
            raise self.gave_up(waiting) from None

    def submit(self, mutations: Sequence[Mutation]) -> Waiting:
        """Hand a batch to the writer; whoever takes it back in time has it left undone.

        Raises:
            StoreError: Too many are waiting, or the store is closed.
        """
        waiting = Waiting(mutations)
        self.enqueue(waiting)
        return waiting

    def enqueue(self, waiting: Waiting) -> None:
        """Hand over what a thread or a task waits for. Raises as ``submit``."""
        if self._closed:
            raise StoreError(f"{self._name} is closed")
        if self._queue.qsize() >= self._waiting_max:
            raise StoreError(f"{self._waiting_max} commits wait for {self._name}")
        self._queue.put(waiting)

    def gave_up(self, waiting: Waiting) -> StoreError:
        """Say what is known of a commit that nobody waits for any longer."""
        message = f"{self._name} did not answer within {self.patience_ns / SECOND:g} s"
        return StoreError(message, unknown=not waiting.take())

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
        with self._browsing:
            self._browser.close()

    # --- the writer ------------------------------------------------------------------------------
    def _write(self) -> None:
        """Carry out what has gathered, group by group, until told to end."""
        more = True
        while more:
            more, group = self._gathered()
            taken = [one for one in group if one.take()]
            if taken:
                self._carry_out(taken)
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
        told: list[Answer]
        try:
            cells = self._cells(group)
            told = [self._decided(one.mutations, cells) for one in group]
            self._writer.finish(self._writings(cells))
        except Exception as error:  # noqa: BLE001 - the thread must live, and every caller be told
            misfit, unknown = isinstance(error, self._writer.misfits), self._writer.doubtful
            with suppress(*self._writer.errors):
                self._writer.rollback()
            if misfit and not unknown and len(group) > 1:
                for one in group:
                    self._carry_out([one])
                return
            told = [self._raised(error, unknown=unknown) for _ in group]
        tell(zip(group, told, strict=True))

    def _raised(self, error: Exception, *, unknown: bool) -> Exception:
        """Tell what a database says as ours; a defect stays what it is."""
        if isinstance(error, self._writer.errors):
            misfit = isinstance(error, self._writer.misfits)
            return self._trouble("written", error, unknown=unknown, misfit=misfit)
        return error

    def _cells(self, group: Sequence[Waiting]) -> _Cells:
        """Begin, and read what a group will ask for, by few statements."""
        cells = _Cells(self._find_one)
        wanted = dict.fromkeys(
            [cell for one in group for mutation in one.mutations for cell in ahead(mutation)]
        )
        questions = sql.asked(wanted)
        text, values = sql.LAST_COMMIT
        now, answers = self._writer.begin({text: (values,), **questions})
        self._latest = cells.now = max(self._latest, now)
        (((_, cells.version),), *rows) = answers
        cells.read(questions, rows)
        more = [
            cell
            for one in group
            for mutation in one.mutations
            for cell in beyond(mutation, cells.__getitem__)
            if cell not in cells
        ]
        if more:
            questions = sql.asked(more)
            cells.read(questions, self._writer.look_up(questions))
        return cells

    def _decided(self, mutations: Sequence[Mutation], cells: _Cells) -> Answer:
        """Decide one batch, and have what comes of it stand before the next."""
        version = cells.version + 1
        try:
            commit, changes = decide(
                mutations, cells.__getitem__, book=self._book, now=cells.now, version=version
            )
        except (ValueError, AssertionError) as error:
            # A defect of this caller, and of nobody else in the group.
            return self._raised(error, unknown=False)
        cells.update(changes)
        cells.changed.update(changes)
        if RowKey in map(type, changes):
            cells.version, cells.numbered = version, True
        return commit

    def _writings(self, cells: _Cells) -> Iterator[tuple[str, Sequence[Values]]]:
        """Write every cell once, however many batches of the group changed it."""
        yield from sql.gathered(sql.write(*one) for one in cells.changed.items())
        if cells.numbered:
            text, values = sql.committed(cells.version)
            yield text, (values,)
        if cells.now - self._swept_at >= SWEEP_NS:
            text, values = sql.forget_full(cells.now)
            yield text, (values,)
            self._swept_at = cells.now

    def _find_one(self, cell: Cell) -> State | None:
        found = sql.found(cell, self._writer.execute(*sql.select(cell, now=0)))
        return cast("State | None", found)

    def _now(self, database: Database) -> Instant:
        """Read the clock; where it has fallen back, wait for it."""
        self._latest = max(self._latest, database.now())
        return self._latest

    def _bring_up_to_date(self) -> None:
        self._writer.begin({})
        self._writer.execute(sql.STEPS_TABLE, ())
        ((done,),) = self._writer.execute(sql.STEPS_DONE, ())
        for text, values in sql.steps(done):
            self._writer.execute(text, values)
        self._writer.finish(())

    def _trouble(
        self, verb: str, error: Exception, *, unknown: bool = False, misfit: bool = False
    ) -> StoreError:
        told = " ".join(str(error).split())
        return StoreError(f"{self._name} cannot be {verb}: {told}", unknown=unknown, misfit=misfit)


class _Cells(dict[Cell, State | None]):
    """The cells that a group has read or changed, as they stand within its transaction."""

    def __init__(self, read_one: Callable[[Cell], State | None]) -> None:
        super().__init__()
        self.now: Instant = 0
        self.version = 0
        self.numbered = False
        self.changed: dict[Cell, State | None] = {}
        self._read_one = read_one

    def __missing__(self, cell: Cell) -> State | None:
        """Read what was not read ahead."""
        found = self[cell] = self._read_one(cell)
        return found

    def read(
        self, questions: Mapping[str, Mapping[Values, Cell]], answers: Iterable[Sequence[Any]]
    ) -> None:
        """Hold what a database answered to questions of ``sql.asked``."""
        for of_question, rows in zip(questions.values(), answers, strict=True):
            self.update(cast("Any", sql.answered(of_question, rows)))


def _question(key: Key, now: Instant) -> sql.Statement:
    return sql_auditing.select(key) if isinstance(key, AuditKey) else sql.select(key, now=now)


def _found(key: Key, rows: Sequence[Any]) -> Found:
    return sql_auditing.found(key, rows) if isinstance(key, AuditKey) else sql.found(key, rows)


def _by_clock(key: Key) -> bool:
    return isinstance(key, Overdue)


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
        if self._store.quick_reads and not browses(keys):
            return self._store.read(keys)
        return await asyncio.to_thread(self._store.read, keys)

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing; durable when it returns.

        Raises:
            StoreError: It was not carried out, or (``unknown``) may have been.
            ValueError: Two mutations are about the same thing.
        """
        loop = asyncio.get_running_loop()
        waiting = WaitingTask(mutations, loop)
        self._store.enqueue(waiting)
        timer = loop.call_later(self._store.patience_ns / SECOND, self._give_up, waiting)
        try:
            return await waiting.future
        finally:
            timer.cancel()

    def _give_up(self, waiting: WaitingTask) -> None:
        if not waiting.future.done():
            waiting.future.set_exception(self._store.gave_up(waiting))

    async def close(self) -> None:
        """Finish what was handed over, and let go."""
        await asyncio.to_thread(self._store.close)


__all__ = [
    "GROUP_MAX",
    "PATIENCE_NS",
    "SWEEP_NS",
    "WAITING_MAX",
    "Awaited",
    "GroupStore",
    "browses",
]
