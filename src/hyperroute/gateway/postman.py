"""What follows from requests that are over: mails about keys at their limits, and last uses.

An observer of visits notes what happened and no more; a round, now and then, asks the store what
follows from it. So no request ever waits for a mail, and none fails with a mail server. What rounds
do is one generator; a task or a thread carries it out.

A mail is sent at least once. It is a record before it is sent, in the same commit that says it never
has to be made again; whoever sends it takes it in hand first, and a crash between its sending and the
note of it sends it a second time, under the same ``Message-ID``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any, Final

from hyperroute.accounts import keys, notices, uses
from hyperroute.accounts.notices import Mail, Notice
from hyperroute.canon.money import Spend
from hyperroute.canon.mutation import Put, Row, RowKey, Stored
from hyperroute.canon.quick import quick
from hyperroute.canon.units import SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.gateway.door import Commit, Read
from hyperroute.gateway.mail import MailError, Sink
from hyperroute.gateway.visit import Visit
from hyperroute.routing.budgets import SPENDING_LIMIT, period_of
from hyperroute.runtime.clock import SystemClock
from hyperroute.runtime.ports import AsyncClock
from hyperroute.stores.base import AsyncStore, Store

PERIOD_NS: Final = SECOND
"""Between two rounds."""

LOOK_NS: Final = 15 * SECOND
"""How often a round looks at what was spent, and for mails that others have left; a refusal is
looked at by the next round."""

TRIES_MAX: Final = 5
"""How often a round decides again what others have overtaken."""

_log = logging.getLogger("hyperroute")


@quick(frozen=True, slots=True)
class Post:
    """Send a mail: answered with ``None``, or with why it was not taken."""

    mail: Mail


Round = Generator[Read | Commit | Post, Any, None]


class Rounds:
    """What is to be looked at, and what a round does about it. Safe between threads."""

    def __init__(self) -> None:
        """Begin with nothing noted."""
        self._lock = threading.Lock()
        self._spent: dict[tuple[str, str], bool] = {}
        self._used: dict[str, Instant] = {}
        self._written: dict[str, Instant] = {}
        self._look_at: Instant = 0

    def observe(self, visit: Visit) -> None:
        """Note what a visit may have consequences for; waits for nothing."""
        if not visit.key:
            return
        record = visit.record
        refused = record is not None and record.limit == SPENDING_LIMIT
        with self._lock:
            self._used[visit.key] = visit.began_unix_ns
            if visit.charged or refused:
                what = visit.key, period_of("month", visit.began_unix_ns)
                self._spent[what] = self._spent.get(what, False) or refused

    def work(self, now: Instant) -> Round:
        """Do what is due; what a store refuses to answer is left for the next round.

        Args:
            now: Unix nanoseconds.

        Raises:
            StoreError: The store does not answer.
        """
        looks = now >= self._look_at
        if looks:
            self._look_at = now + LOOK_NS
        with self._lock:
            spent = {what: refused for what, refused in self._spent.items() if refused or looks}
            for what in spent:
                del self._spent[what]
        made = False
        try:
            while spent:
                (key_id, period), refused = next(iter(spent.items()))
                made |= yield from _followed(key_id, period, refused=refused, now=now)
                del spent[key_id, period]
        finally:
            with self._lock:
                for what, refused in spent.items():
                    self._spent[what] = self._spent.get(what, False) or refused
        yield from self._uses(now)
        if made or looks:
            yield from _posted(now)

    def _uses(self, now: Instant) -> Round:
        with self._lock:
            ripe = {
                key_id: at
                for key_id, at in self._used.items()
                if now - self._written.get(key_id, 0) >= uses.COARSE_NS
            }
            for key_id in ripe:
                del self._used[key_id]
        if not ripe:
            return
        there = yield Read([RowKey("key", key_id) for key_id in ripe])
        puts = [
            uses.put(row.key.id, ripe[row.key.id]) for row in there if isinstance(row, Row)
        ]  # of a key that was deleted meanwhile nothing is kept
        yield Commit(puts)
        self._written = {
            key_id: at for key_id, at in self._written.items() if now - at < uses.COARSE_NS
        } | dict.fromkeys(ripe, now)


def _followed(
    key_id: str, period: str, *, refused: bool, now: Instant
) -> Generator[Read | Commit, Any, bool]:
    """Make the notices that are due."""
    asked = RowKey("key", key_id), notices.budget_of(key_id, period), notices.about(key_id, period)
    for _ in range(TRIES_MAX):
        row, spend, rows = yield Read(asked)
        if not isinstance(row, Row):
            return False
        key = keys.read(row)
        settled = spend.settled if isinstance(spend, Spend) else 0
        sent = [notices.read(one) for one in rows]
        new = notices.due(key, settled=settled, refused=refused, period=period, sent=sent, now=now)
        if not new:
            return False
        commit = yield Commit([notices.put(one) for one in new])
        if commit.done:
            return True
    raise StoreError(f"the notices of {key_id} are being made by others")


def _posted(now: Instant) -> Round:
    (rows,) = yield Read((notices.QUEUED,))
    waiting = sorted([(notices.read(row), row) for row in rows], key=lambda one: _order(one[0]))
    for notice, row in waiting:
        if notice.due > now:
            continue
        claim = notices.claimed(notice, now=now)
        commit = yield Commit((notices.put(claim, expected=row.version),))
        if not commit.done:
            continue  # another one is quicker
        why = yield Post(notices.mail_of(claim))
        done = (
            notices.delivered(claim, now=now)
            if why is None
            else notices.failed(claim, why, now=now)
        )
        yield Commit((_after(done, commit.outcomes),))
        if why is not None:
            _log.warning("the mail %s is not sent: %s", notice.id, why)
            return  # the others meet the same server, and have a round of their own


def _order(notice: Notice) -> tuple[Instant, int, str]:
    return notice.at, notice.threshold, notice.id


def _after(notice: Notice, outcomes: Sequence[object]) -> Put:
    """Write what came of a mail, unless its lease is over and another has it in hand."""
    (stored,) = outcomes
    assert isinstance(stored, Stored)
    return notices.put(notice, expected=stored.version)


class Postman:
    """A thread that does the rounds."""

    def __init__(
        self, store: Store, sink: Sink, *, period_ns: int = PERIOD_NS, rounds: Rounds | None = None
    ) -> None:
        """Begin nothing yet.

        Args:
            store: Of keys, budgets and notices; the caller closes it.
            sink: Takes mails.
            period_ns: As of ``PERIOD_NS``.
            rounds: What is noted; ``None``: of its own.
        """
        self.rounds = rounds or Rounds()
        self._store = store
        self._sink = sink
        self._period_ns = period_ns
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hyperroute-postman", daemon=True)

    def observe(self, visit: Visit) -> None:
        """Note a visit that is over."""
        self.rounds.observe(visit)

    def start(self) -> None:
        """Begin to do the rounds."""
        self._thread.start()

    def close(self) -> None:
        """Do a last one, and stop."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def once(self, now: Instant) -> None:
        """Do one round.

        Raises:
            StoreError: The store does not answer.
        """
        work = self.rounds.work(now)
        with suppress(StopIteration):
            wish = next(work)
            while True:
                try:
                    got = self._granted(wish)
                except StoreError as error:
                    wish = work.throw(error)
                else:
                    wish = work.send(got)

    def _granted(self, wish: Read | Commit | Post) -> Any:
        match wish:
            case Read(asked):
                return self._store.read(asked)
            case Commit(mutations):
                return self._store.commit(mutations)
            case Post(mail):
                return asyncio.run(_sent(self._sink, mail))

    def _run(self) -> None:
        while True:
            last = self._stop.wait(self._period_ns / SECOND)
            try:
                self.once(SystemClock.unix_ns())
            except StoreError as error:
                _log.warning("notices wait for the store: %s", error)
            if last:
                return


class AsyncPostman:
    """A task that does the rounds. Belongs to one event loop."""

    def __init__(
        self,
        store: AsyncStore,
        sink: Sink,
        clock: AsyncClock,
        *,
        period_ns: int = PERIOD_NS,
        rounds: Rounds | None = None,
    ) -> None:
        """Begin nothing yet; arguments as of ``Postman``."""
        self.rounds = rounds or Rounds()
        self._store = store
        self._sink = sink
        self._clock = clock
        self._period_ns = period_ns
        self._task: asyncio.Task[None] | None = None

    def observe(self, visit: Visit) -> None:
        """Note a visit that is over."""
        self.rounds.observe(visit)

    def start(self) -> None:
        """Begin to do the rounds; a second time changes nothing."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Stop, and do a last round."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            await self._safely()

    async def once(self, now: Instant) -> None:
        """Do one round.

        Raises:
            StoreError: The store does not answer.
        """
        work = self.rounds.work(now)
        try:
            wish = next(work)
            while True:
                try:
                    got = await self._granted(wish)
                except StoreError as error:
                    wish = work.throw(error)
                else:
                    wish = work.send(got)
        except StopIteration:
            return

    async def _granted(self, wish: Read | Commit | Post) -> Any:
        match wish:
            case Read(asked):
                return await self._store.read(asked)
            case Commit(mutations):
                return await self._store.commit(mutations)
            case Post(mail):
                return await _sent(self._sink, mail)

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(self._period_ns)
            await self._safely()

    async def _safely(self) -> None:
        try:
            await self.once(self._clock.unix_ns())
        except StoreError as error:
            _log.warning("notices wait for the store: %s", error)


async def _sent(sink: Sink, mail: Mail) -> str | None:
    try:
        await sink.send(mail)
    except MailError as error:
        return str(error)
    return None


__all__ = ["LOOK_NS", "PERIOD_NS", "AsyncPostman", "Post", "Postman", "Rounds"]
