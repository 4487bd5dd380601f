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
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TypeVar, cast

from hyperroute.canon.money import Overdue
from hyperroute.canon.mutation import Cell, Commit, Found, Key, Mutation, RowKey, State
from hyperroute.canon.units import MINUTE, SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.stores import asking, lapsing, sql
from hyperroute.stores.base import AsyncStore
from hyperroute.stores.browsing import Turns
from hyperroute.stores.cells import Cells
from hyperroute.stores.database import Database
from hyperroute.stores.deciding import Book, ahead, beyond, decide, there
from hyperroute.stores.sql import Values
from hyperroute.stores.waiting import Gathering, Waiting, WaitingTask, halves, tell

Q = TypeVar("Q")
A = TypeVar("A")

PATIENCE_NS = 5 * SECOND
"""How long a caller waits for its commit, and a group for another process's lock."""

WAITING_MAX = 10_000
"""Batches that may wait for the writer; whoever comes then is refused at once."""

GROUP_MAX = 500
"""Batches of one transaction, or questions of one journey: the first need not wait for all."""

BROWSING_NS = MINUTE
"""How long a server may take over many rows."""

SWEEP_NS = 10 * MINUTE
"""How often the counters that are full again are removed."""


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
            quick_reads: A read takes microseconds, so whoever asks does it at once; else what is
                asked at the same time shares a journey.

        Raises:
            StoreError: It cannot be brought up to date.
        """
        self.patience_ns = patience_ns
        self._name = name
        self._writer, self._reader = writer, reader
        self._book = book
        self._waiting_max = waiting_max
        self._latest: Instant = 0
        self._swept_at: Instant = 0
        self._lapsed_at: Instant = 0
        self._reading = threading.Lock()
        self._browser, self.browsing = browser, Turns()
        self._closed = False
        wrong: tuple[type[Exception], ...] = (ValueError, *writer.errors)
        try:
            self._bring_up_to_date()
        except wrong as error:
            for database in (writer, reader, browser):
                database.close()
            raise self._trouble("opened", error) from None
        self.batches = Gathering("hyperroute-writes", self._carry_out, most=GROUP_MAX)
        self.questions = (
            None
            if quick_reads
            else Gathering("hyperroute-reads", self._answer_group, most=GROUP_MAX)
        )

    # --- the two verbs ---------------------------------------------------------------------------
    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position, all of one instant.

        Raises:
            StoreError: The database cannot be read, or the store is closed.
        """
        if self.questions is None or asking.browses(keys):
            return self.answer(keys)
        return self._waited(Waiting(keys), self.questions)

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing; durable when it returns.

        Raises:
            StoreError: It was not carried out, or (``unknown``) may have been.
            ValueError: Two mutations are about the same thing.
        """
        return self._waited(Waiting(mutations), self.batches)

    def submit(self, mutations: Sequence[Mutation]) -> Waiting[Sequence[Mutation], Commit]:
        """Hand a batch to the writer; whoever takes it back in time has it left undone.

        Raises:
            StoreError: Too many are waiting, or the store is closed.
        """
        waiting: Waiting[Sequence[Mutation], Commit] = Waiting(mutations)
        self.enqueue(waiting, self.batches)
        return waiting

    def awaiting(self) -> AsyncStore:
        """Return the twin over the same state."""
        return Awaited(self)

    def close(self) -> None:
        """Finish what was handed over, and let go."""
        if self._closed:
            return
        self._closed = True
        self.batches.close()
        self._writer.close()
        if self.questions is not None:
            self.questions.close()
        with self._reading:
            self._reader.close()
        with self.browsing.turn:
            self._browser.close()
        self.browsing.close()

    # --- those who wait --------------------------------------------------------------------------
    def enqueue(self, waiting: Waiting[Q, A], to: Gathering[Q, A]) -> None:
        """Hand over what a thread or a task waits for. Raises as ``submit``."""
        if self._closed:
            raise StoreError(f"{self._name} is closed")
        if len(to) >= self._waiting_max:
            raise StoreError(f"{self._waiting_max} commits wait for {self._name}")
        to.put(waiting)

    def gave_up(self, waiting: Waiting[Q, A]) -> StoreError:
        """Say what is known of what nobody waits for any longer."""
        message = f"{self._name} did not answer within {self.patience_ns / SECOND:g} s"
        return StoreError(message, unknown=not waiting.take())

    def _waited(self, waiting: Waiting[Q, A], to: Gathering[Q, A]) -> A:
        self.enqueue(waiting, to)
        try:
            return waiting.result(self.patience_ns / SECOND)
        except TimeoutError:
            raise self.gave_up(waiting) from None

    # --- the reader ------------------------------------------------------------------------------
    def answer(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer at once, in the thread that asks. Raises as ``read``."""
        is_browsing = asking.browses(keys)
        database = self._browser if is_browsing else self._reader
        with self.browsing if is_browsing else self._reading:
            if self._closed:
                raise StoreError(f"{self._name} is closed")
            try:
                return self._found(database, keys)
            except database.errors as error:
                with suppress(*database.errors):
                    database.rollback()
                raise self._trouble("read", error) from None

    def _found(self, database: Database, keys: Sequence[Key]) -> tuple[Found, ...]:
        distinct = dict.fromkeys(keys)
        now = self._now(database) if Overdue in map(type, distinct) else 0
        rows = database.read([asking.select(key, now=now) for key in distinct])
        found = {
            key: there(asking.found(key, of_key), lambda: self._now(database))
            for key, of_key in zip(distinct, rows, strict=True)
        }
        return tuple([found[key] for key in keys])

    def _answer_group(self, group: Sequence[Waiting[Sequence[Key], tuple[Found, ...]]]) -> None:
        """Answer what many asked by one journey, each by the part of it that is theirs."""
        told: list[tuple[Found, ...] | Exception]
        try:
            found = iter(self._found(self._reader, [key for one in group for key in one.asked]))
            told = [tuple(islice(found, len(one.asked))) for one in group]
        except Exception as error:  # noqa: BLE001 - the thread must live, and every caller be told
            with suppress(*self._reader.errors):
                self._reader.rollback()
            if self._is_of_one(error) and len(group) > 1:
                for half in halves(group):
                    self._answer_group(half)
                return
            told = [self._raised("read", error) for _ in group]
        tell(group, told)

    # --- the writer ------------------------------------------------------------------------------
    def _carry_out(self, group: Sequence[Waiting[Sequence[Mutation], Commit]]) -> None:
        told: list[Commit | Exception]
        try:
            cells = self._cells([mutation for one in group for mutation in one.asked])
            told = [self._decided(one.asked, cells) for one in group]
            self._writer.finish(self._writings(cells))
        except Exception as error:  # noqa: BLE001 - the thread must live, and every caller be told
            unknown = self._writer.doubtful
            with suppress(*self._writer.errors):
                self._writer.rollback()
            if self._is_of_one(error) and not unknown and len(group) > 1:
                for half in halves(group):
                    self._carry_out(half)
                return
            told = [self._raised("written", error, unknown=unknown) for _ in group]
        tell(group, told)

    def _is_of_one(self, error: Exception) -> bool:
        """Say whether one batch or question is at fault, and not the database."""
        return isinstance(error, self._writer.misfits) or not isinstance(error, self._writer.errors)

    def _raised(self, verb: str, error: Exception, *, unknown: bool = False) -> Exception:
        """Tell what a database says as ours; a defect stays what it is."""
        if isinstance(error, self._writer.errors):
            misfit = isinstance(error, self._writer.misfits)
            return self._trouble(verb, error, unknown=unknown, misfit=misfit)
        return error

    def _cells(self, mutations: Sequence[Mutation]) -> Cells:
        """Begin, and read what a group will ask for, by few statements."""
        cells = Cells(self._find_one)
        questions = sql.asked(
            dict.fromkeys([cell for mutation in mutations for cell in ahead(mutation)])
        )
        text, values = sql.LAST_COMMIT
        now, answers = self._writer.begin({text: (values,), **questions})
        self._latest = cells.now = max(self._latest, now)
        (((_, cells.version),), *rows) = answers
        cells.read(questions, rows)
        find = cells.__getitem__
        more = [cell for mutation in mutations for cell in beyond(mutation, find)]
        if further := [cell for cell in dict.fromkeys(more) if cell not in cells]:
            questions = sql.asked(further)
            cells.read(questions, self._writer.look_up(questions))
        return cells

    def _decided(self, mutations: Sequence[Mutation], cells: Cells) -> Commit | Exception:
        """Decide one batch, and have what comes of it stand before the next."""
        version = cells.version + 1
        try:
            commit, changes = decide(
                mutations, cells.__getitem__, book=self._book, now=cells.now, version=version
            )
        except (ValueError, AssertionError) as error:
            # A defect of this caller, and of nobody else in the group.
            return self._raised("written", error)
        cells.update(changes)
        cells.changed.update(changes)
        if RowKey in map(type, changes):
            cells.version, cells.numbered = version, True
        return commit

    def _writings(self, cells: Cells) -> Iterator[tuple[str, Sequence[Values]]]:
        """Write every cell once, however many batches of the group changed it."""
        yield from sql.gathered(sql.write(*one) for one in cells.changed.items())
        if cells.numbered:
            text, values = sql.committed(cells.version)
            yield text, (values,)
        if cells.now - self._swept_at >= SWEEP_NS:
            text, values = sql.forget_full(cells.now)
            yield text, (values,)
            self._swept_at = cells.now
        if cells.now - self._lapsed_at >= lapsing.LAPSED_NS:
            text, lapsed = lapsing.forget(cells.now)
            yield text, (lapsed,)
            self._lapsed_at = cells.now

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
        questions = self._store.questions
        if asking.browses(keys):
            return await self._store.browsing.awaited(partial(self._store.answer, keys))
        return (
            self._store.answer(keys) if questions is None else await self._waited(keys, questions)
        )

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing; durable when it returns.

        Raises:
            StoreError: It was not carried out, or (``unknown``) may have been.
            ValueError: Two mutations are about the same thing.
        """
        return await self._waited(mutations, self._store.batches)

    async def _waited(self, asked: Q, of: Gathering[Q, A]) -> A:
        loop = asyncio.get_running_loop()
        waiting: WaitingTask[Q, A] = WaitingTask(asked, loop)
        self._store.enqueue(waiting, of)
        timer = loop.call_later(self._store.patience_ns / SECOND, self._give_up, waiting)
        try:
            return await waiting.future
        finally:
            timer.cancel()

    def _give_up(self, waiting: WaitingTask[Q, A]) -> None:
        if not waiting.future.done():
            waiting.future.set_exception(self._store.gave_up(waiting))

    async def close(self) -> None:
        """Finish what was handed over, and let go."""
        await asyncio.to_thread(self._store.close)


__all__ = [
    "BROWSING_NS",
    "GROUP_MAX",
    "PATIENCE_NS",
    "SWEEP_NS",
    "WAITING_MAX",
    "Awaited",
    "GroupStore",
]
