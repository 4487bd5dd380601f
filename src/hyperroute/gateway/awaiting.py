"""The awaiting gateway: drives the handler over an ``AsyncClient``, and pours streams.

Its twin is ``blocking``. What a response is, the handler decides; here is only waiting: for the run,
for the first frames, for the client to read, and for the next keep-alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from hyperroute.canon.mutation import Mutation
from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient
from hyperroute.dialects.base import ClientError
from hyperroute.errors import RequestError, StoreError
from hyperroute.gateway import visit as visits
from hyperroute.gateway.door import Commit, Door, Read, Sleep
from hyperroute.gateway.handler import Handler, Handling, Reply
from hyperroute.gateway.idempotent import Copy, Forsaken, Keeping
from hyperroute.gateway.kept import LocalMemory, Memory, Recall, Remember
from hyperroute.gateway.message import Flowing, HttpResponse, Opening, Paged
from hyperroute.gateway.pacing import DEFAULT_PACE, Pace
from hyperroute.gateway.pouring import Pouring, Source
from hyperroute.gateway.standing import Dependence
from hyperroute.gateway.visit import Observer, Visit
from hyperroute.gateway.wishes import Streamed, Whole, prepared
from hyperroute.routing.record import Record
from hyperroute.runtime.answer import Answer, Streaming
from hyperroute.runtime.draining import DEFAULT_PATIENCE, AsyncAnswering, AsyncDrains, Patience
from hyperroute.runtime.frames import AsyncFrames
from hyperroute.stores.base import AsyncStore


class Gateway:
    """Answers HTTP requests, whatever framework they came by. Belongs to one event loop."""

    def __init__(
        self,
        client: AsyncClient,
        *,
        door: Door | None = None,
        store: AsyncStore | None = None,
        memory: Memory | None = None,
        observer: Observer = visits.ignore,
        pace: Pace = DEFAULT_PACE,
        patience: Patience = DEFAULT_PATIENCE,
        tells_route: bool = True,
        metrics: Callable[[], bytes] | None = None,
        dependences: Sequence[Dependence] = (),
        keeping: Keeping | None = None,
    ) -> None:
        """Stand before a client, which the caller closes.

        Args:
            client: Carries out what is asked.
            door: Who may enter; ``None``: anybody, as often as they like.
            store: Holds the keys and counters that the door asks for.
            memory: Knows which account keeps what a conversation goes on from; ``None``: one of this
                gateway's own.
            observer: Told of every visit, once, when it is over; must neither block nor raise.
            pace: When a silent stream says that it is alive.
            patience: How much of an answer is heard out whose caller left.
            tells_route: Send ``x-hyperroute-served-by``, ``-attempts`` and ``-decision``.
            metrics: Writes the page of counters; ``None``: ``/metrics`` is nobody's path.
            dependences: What must answer for this to be ready; needs a ``store``.
            keeping: How answers are kept for idempotency keys, in the store; ``None``: such keys are
                not heeded.
        """
        self.handler = Handler(
            desk=client.desk,
            tells_route=tells_route,
            metrics=metrics,
            door=door,
            dependences=dependences,
            keeping=keeping,
        )
        self.client = client
        self.pace = pace
        self.drains = AsyncDrains(client.clock, patience)
        self.store = store
        self.memory: Memory = LocalMemory() if memory is None else memory
        self._observe = observer

    def refused(self, http: HttpRequest, error: ClientError) -> HttpResponse:
        """Refuse a request whose body is not even read, in the words of its path."""
        visit = self._visit(http)
        response = self.handler.refused(http, error, visit)
        self._over(visit)
        return response

    async def handle(self, http: HttpRequest) -> HttpResponse:
        """Answer a request; a streamed body is ``pieces``, to be read to its end or closed."""
        response = await self.respond(http)
        if isinstance(response, HttpResponse):
            return response
        return HttpResponse(
            status=response.status, headers=response.headers, pieces=response.pieces()
        )

    async def respond(self, http: HttpRequest) -> HttpResponse | Pouring:
        """Answer a request, for adapters: a streamed body is poured into a ``write``."""
        visit = self._visit(http)
        try:
            reply = await self._drive(http, visit)
        except BaseException:
            visit.ended = "gone"
            if visit.left_at is None:
                self._over(visit)
            raise
        visit.status = reply.status
        if isinstance(reply, HttpResponse):
            self._over(visit)
            return reply
        if isinstance(reply, Paged):
            pages = self._paged(reply, visit)
            return HttpResponse(status=reply.status, headers=reply.headers, pieces=pages)
        return Pouring(
            reply,
            visit,
            clock=self.client.clock,
            pace=self.pace,
            drains=self.drains,
            grant=self._remembered,
            over=self._streamed,
        )

    async def _paged(self, reply: Paged, visit: Visit) -> AsyncGenerator[bytes, None]:
        visit.ended = "gone"
        got: Any = None
        try:
            with suppress(StopIteration):
                while True:
                    wish = reply.pages.send(got)
                    got = None
                    if isinstance(wish, bytes):
                        yield wish
                    else:
                        got = await self._granted(wish, visit)
            visit.ended = "streamed"
        except StoreError:
            visit.ended = "broken"
            raise
        finally:
            self._over(visit)

    def _visit(self, http: HttpRequest) -> Visit:
        clock = self.client.clock
        return self.handler.visit(http, at=clock.now(), unix_ns=clock.unix_ns())

    async def _drive(self, http: HttpRequest, visit: Visit) -> Reply:
        handling = self.handler.respond(http, visit)
        wish: Any = None
        try:
            wish = next(handling)
            while True:
                try:
                    got = await self._granted(wish, visit)
                except (RequestError, StoreError) as error:
                    wish = handling.throw(error)
                except asyncio.CancelledError:
                    if not isinstance(wish, Whole | Streamed):  # a run sees to that itself
                        await asyncio.shield(self._forsaken(handling, visit))
                    raise
                else:
                    wish = handling.send(got)
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    async def _forsaken(self, handling: Handling, visit: Visit) -> None:
        """Have the handler put away what it began for a caller who has left."""
        with suppress(Forsaken, StoreError, StopIteration):
            wish = handling.throw(Forsaken())
            while True:
                wish = handling.send(await self._granted(wish, visit))

    async def _granted(self, wish: Any, visit: Visit) -> Any:
        match wish:
            case Whole():
                return await self._answered(self._answering(wish), visit, wish.copy)
            case Streamed():
                return await self._opened(self._frames(wish), visit, wish.copy)
            case Read(keys):
                return await self._kept().read(keys)
            case Commit(mutations):
                return await self._kept().commit(mutations)
            case Sleep(ns):
                return await self.client.clock.sleep(ns)
            case Recall():
                return self.memory.recall(wish, now=self.client.clock.now())
            case Remember():
                return await self._remembered(wish)
            case _:
                raise AssertionError(f"no such wish: {wish!r}")

    def _answering(self, wish: Whole) -> AsyncAnswering:
        client = self.client
        dialect = client.router.dialect(wish.request.dialect)
        run = prepared(client, wish, stream=False)
        is_kept = wish.copy is not None
        return AsyncAnswering(run, dialect, client.transport, client.clock, is_kept=is_kept)

    def _frames(self, wish: Streamed) -> AsyncFrames:
        client = self.client
        dialect = client.router.dialect(wish.request.dialect)
        run = prepared(client, wish, stream=True)
        copy = None if wish.copy is None else wish.copy.take
        return AsyncFrames(run, dialect, client.transport, client.clock, copy)

    async def _answered(
        self, calling: AsyncAnswering, visit: Visit, copy: Copy | None
    ) -> Answer | None:
        """Wait for a whole answer, or for its caller to leave; then it is nobody's."""
        task = asyncio.ensure_future(calling.answer())

        async def keep() -> None:
            if copy is not None:
                with suppress(asyncio.CancelledError, RequestError):
                    if (answer := await task) is not None:
                        copy.take(answer.body)
                await self._keep(copy.ended, calling.record)

        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done() or not self._let_go(calling, lambda: task, visit, keep):
                task.cancel()
                with suppress(asyncio.CancelledError, RequestError):
                    await task
                await asyncio.shield(keep())
            raise

    async def _opened(
        self, frames: AsyncFrames, visit: Visit, copy: Copy | None
    ) -> Opening[Source]:
        """Wait for the first frames, or for as long as a client may be left without a word."""
        source = Source(frames)

        async def keep() -> None:
            if copy is not None:
                await self._keep(copy.ended, frames.record)

        try:
            first = await source.within(self.pace.first_ns, self.client.clock)
        except asyncio.CancelledError:
            if not self._let_go(frames, lambda: source.waste(self.drains.patience), visit, keep):
                await source.close()
                await asyncio.shield(keep())
            raise
        except BaseException:
            await source.close()
            raise
        return Opening(source, first)

    def _let_go(
        self,
        calling: Streaming,
        rest: Callable[[], Awaitable[Any]],
        visit: Visit,
        keep: Callable[[], Awaitable[None]],
    ) -> bool:
        """Have a call heard out whose caller has left; false: it is to be closed at once."""
        if not (calling.drains and self.drains.has_room):
            return False
        now = visit.left_at = self.client.clock.now()
        calling.leave(now)

        async def over() -> None:
            visit.record = calling.record
            self._over(visit)
            await keep()

        self.drains.adopt(asyncio.ensure_future(rest()), over)
        return True

    async def close(self) -> None:
        """Wait for what is still heard out; the client is its owner's to close."""
        await self.drains.close()

    async def _remembered(self, wish: Remember) -> None:
        self.memory.remember(wish, now=self.client.clock.now())

    def _kept(self) -> AsyncStore:
        assert self.store is not None, "a door needs a store"
        return self.store

    async def _streamed(
        self, visit: Visit, flowing: Flowing[Source], record: Record | None
    ) -> None:
        """Take the end of a stream; a store that is down has lost a correction, no more."""
        visit.record = record
        self._over(visit)
        if record is not None and (mutations := flowing.settle(record)):
            with suppress(StoreError):
                await self._kept().commit(mutations)
        await self._keep(flowing.keep, record)

    async def _keep(
        self, keep: Callable[[Record | None], Sequence[Mutation]] | None, record: Record | None
    ) -> None:
        """Keep an answer for its idempotency key; without it the key is taken over some day."""
        if keep is not None:
            with suppress(StoreError):
                await self._kept().commit(keep(record))

    def _over(self, visit: Visit) -> None:
        ended_at = self.client.clock.now() if visit.left_at is None else visit.left_at
        visit.duration_ns = ended_at - visit.began_at
        self._observe(visit)


__all__ = ["Gateway"]
