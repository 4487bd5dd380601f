"""Rate counters in Valkey or Redis: exact over all replicas that share it (extra ``redis``).

A batch is one script, carried out at once and whole; the time is the server's. What is full again
expires by itself. Records and money are not kept here: a server that is restarted may have lost its
last second, which costs a burst at most where it is counters.

All names share one hash tag, so in a cluster all of this lies in one slot and has the pace of one
of its nodes. A client here speaks to one address; of a cluster that is its proxy.

Nothing is sent twice. A connection is opened when it is first needed, so that whoever starts before
its server is not thereby stopped.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from typing import Any, Final, cast

from hyperroute.canon.mutation import Charge, Commit, Correct, Found, Key, Mutation, RateKey
from hyperroute.canon.units import SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.stores import lua
from hyperroute.stores.base import AsyncStore
from hyperroute.stores.valkey_url import Server, server_at

PATIENCE_NS: Final = SECOND
"""How long a connection may take to open, and the server to answer."""

CONNECTIONS_MAX: Final = 64
"""Of blocking callers; who finds none free waits for one, as long as ``PATIENCE_NS``."""

GROUP_MAX: Final = 100
"""Batches of awaiting callers that are sent together."""

WAITING_MAX: Final = 10_000
"""Batches of awaiting callers that may wait to be sent; whoever comes then is refused at once."""

SLACK_MS: Final = 1_000
"""How much longer than needed a counter is kept."""

_SCRIPT_SHA: Final = sha1(lua.BATCH.encode(), usedforsecurity=False).hexdigest()

Words = Sequence[str | int | bytes]


class ValkeyStore:
    """Rate counters under one prefix of a server. Safe between threads, and between replicas."""

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], Instant] | None = None,
        patience_ns: int = PATIENCE_NS,
        connections_max: int = CONNECTIONS_MAX,
        slack_ms: int = SLACK_MS,
    ) -> None:
        """Prepare to connect.

        Args:
            url: ``redis://user:password@host:port/0?prefix=name``; ``rediss`` speaks TLS.
            now: Nanoseconds of a clock that all replicas share; ``None``: the server's.
            patience_ns: As of ``PATIENCE_NS``.
            connections_max: As of ``CONNECTIONS_MAX``.
            slack_ms: As of ``SLACK_MS``.

        Raises:
            StoreError: The URL cannot be read, or the extra ``redis`` is not installed.
        """
        self._server = server_at(url)
        self._now, self._slack_ms = now, slack_ms
        self._patience_s = patience_ns / SECOND
        self._pool = self._server.pool(self._patience_s, connections_max)
        self._closed = threading.Event()

    # --- the two verbs ---------------------------------------------------------------------------
    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position, all of one instant.

        Raises:
            StoreError: The server does not answer, or keeps no such thing.
        """
        words = self.reading(keys)
        with self.told(unknown=False):
            return self.found(keys, self._ask(words))

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing.

        Raises:
            StoreError: It was not carried out, or (``unknown``) may have been; or the server keeps
                no such thing.
            ValueError: Two mutations are about the same counter.
        """
        rated = self.rated(mutations)
        words = self.writing(rated)
        with self.told(unknown=True):
            try:
                reply = self._ask(("EVALSHA", _SCRIPT_SHA, *words))
            except self._server.unloaded:
                reply = self._ask(("EVAL", lua.BATCH, *words))
        return lua.answered(rated, reply)

    def awaiting(self) -> AsyncStore:
        """Return a twin over the same server."""
        return AwaitingValkey(self, self._server, self._patience_s)

    def close(self) -> None:
        """Let go of the connections."""
        self._closed.set()
        self._pool.disconnect()

    # --- what both colours say -------------------------------------------------------------------
    def reading(self, keys: Sequence[Key]) -> Words:
        """Spell a read; of nothing, whether the server answers."""
        names: list[str] = []
        for key in keys:
            if not isinstance(key, RateKey):
                raise self._not_kept(type(key).__name__)
            names.append(lua.place(key, self._server.prefix))
        return ("MGET", *names) if names else ("PING",)

    def found(self, keys: Sequence[Key], reply: Any) -> tuple[Found, ...]:
        """Read the answer to a read."""
        return tuple([lua.tat(text) for text in reply]) if keys else ()

    def rated(self, mutations: Sequence[Mutation]) -> Sequence[lua.Rated]:
        """Return mutations of counters, or refuse what else there is."""
        for mutation in mutations:
            if not isinstance(mutation, Charge | Correct):
                raise self._not_kept(type(mutation).__name__)
        return cast("Sequence[lua.Rated]", mutations)

    def writing(self, rated: Sequence[lua.Rated]) -> list[str | int]:
        """Spell a batch, without the script."""
        now = None if self._now is None else self._now()
        return lua.asked(rated, prefix=self._server.prefix, now=now, slack_ms=self._slack_ms)

    @contextmanager
    def told(self, *, unknown: bool) -> Iterator[None]:
        """Tell what the client library says as ours."""
        if self._closed.is_set():
            raise StoreError(f"{self._server.name} is closed")
        try:
            yield
        except Unsent as error:
            why = str(error) or f"no connection within {self._patience_s:g} s"
            raise StoreError(f"{self._server.name} cannot be reached: {why}") from None
        except self._server.errors as error:
            lost = unknown and isinstance(error, self._server.broken)
            said = " ".join(str(error).split())
            message = f"{self._server.name} does not answer: {said}"
            misfit = said.startswith(lua.MISFIT)
            raise StoreError(message, unknown=lost, misfit=misfit) from None

    def _not_kept(self, what: str) -> StoreError:
        return StoreError(
            f"{self._server.name} keeps rate limits, but no {what}: "
            "records and money belong in a database (sqlite:///…, postgresql://…)",
            misfit=True,
        )

    def _ask(self, words: Words) -> Any:
        try:
            connection = self._pool.get_connection()
        except self._server.errors as error:
            raise Unsent(error) from None
        try:
            connection.send_command(*words)
            return connection.read_response()
        except BaseException as error:
            if not isinstance(error, self._server.errors) or isinstance(error, self._server.broken):
                # An answer that nobody reads must not be the next one's.
                connection.disconnect()
            raise
        finally:
            self._pool.release(connection)


class Unsent(Exception):
    """No connection was to be had, and so nothing was sent."""


class AwaitingValkey:
    """The awaiting twin, over one connection of its own; belongs to one event loop.

    Whatever gathered while the last answers were on their way is sent together: so fifty callers
    take turns with the server, and not with fifty connections. Who leaves in between is carried out
    all the same, and is not there to be answered.
    """

    def __init__(self, store: ValkeyStore, server: Server, patience_s: float) -> None:
        """Prepare to connect."""
        self._store, self._server = store, server
        self._connection = server.awaiting_connection(patience_s)
        self._patience_s = patience_s
        self._waiting: deque[tuple[Words, asyncio.Future[Any]]] = deque()
        self._pump: asyncio.Task[None] | None = None

    async def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position, all of one instant.

        Raises:
            StoreError: The server does not answer, or keeps no such thing.
        """
        words = self._store.reading(keys)
        with self._store.told(unknown=False):
            return self._store.found(keys, await self._ask(words))

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing.

        Raises:
            StoreError: It was not carried out, or (``unknown``) may have been; or the server keeps
                no such thing.
            ValueError: Two mutations are about the same counter.
        """
        rated = self._store.rated(mutations)
        words = self._store.writing(rated)
        with self._store.told(unknown=True):
            try:
                reply = await self._ask(("EVALSHA", _SCRIPT_SHA, *words))
            except self._server.unloaded:
                reply = await self._ask(("EVAL", lua.BATCH, *words))
        return lua.answered(rated, reply)

    async def close(self) -> None:
        """Answer who waits, and let go of the connections of both."""
        if self._pump is not None:
            await asyncio.wait([self._pump])
        await self._connection.disconnect()
        await asyncio.to_thread(self._store.close)

    async def _ask(self, words: Words) -> Any:
        if len(self._waiting) >= WAITING_MAX:
            raise Unsent(f"{WAITING_MAX} batches wait for it")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((words, future))
        if self._pump is None:
            self._pump = asyncio.create_task(self._carry())
        return await future

    async def _carry(self) -> None:
        """Carry out what has gathered, group by group, until nobody waits."""
        try:
            while self._waiting:
                size = min(GROUP_MAX, len(self._waiting))
                group = [self._waiting.popleft() for _ in range(size)]
                group = [one for one in group if not one[1].done()]  # who left before it was sent
                if group:
                    await self._carry_out(group)
        finally:
            self._pump = None

    async def _carry_out(self, group: Sequence[tuple[Words, asyncio.Future[Any]]]) -> None:
        connection = self._connection
        try:
            async with asyncio.timeout(self._patience_s):
                await self._connected()
        except self._server.errors as error:
            for _, future in group:
                _tell(future, Unsent(error))
            return
        try:
            packed = connection.pack_commands([words for words, _ in group])
            await connection.send_packed_command(packed)
            for _, future in group:
                try:
                    reply = await connection.read_response(disconnect_on_error=False)
                except self._server.broken:
                    raise
                except self._server.errors as error:
                    _tell(future, error)
                else:
                    if not future.done():
                        future.set_result(reply)
        except BaseException as error:
            # What is still on its way must not be the next ones' answers.
            await connection.disconnect(nowait=True)
            lost = error if isinstance(error, self._server.errors) else ConnectionError("cut off")
            for _, future in group:
                _tell(future, lost)
            if lost is not error:
                raise

    async def _connected(self) -> None:
        """Connect, or again if the server has hung up in the meantime."""
        await self._connection.connect()
        try:
            heard = await self._connection.can_read()
        except self._server.errors:
            heard = True
        if heard:
            await self._connection.disconnect(nowait=True)
            await self._connection.connect()


def _tell(future: asyncio.Future[Any], error: Exception) -> None:
    """Fail what somebody still waits for."""
    if not future.done():
        future.set_exception(error)


__all__ = ["CONNECTIONS_MAX", "PATIENCE_NS", "SLACK_MS", "AwaitingValkey", "ValkeyStore"]
