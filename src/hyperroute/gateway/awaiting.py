"""The awaiting gateway: drives the handler over an ``AsyncClient``, and pours streams.

Its twin is ``blocking``. What a response is, the handler decides; here is only waiting: for the run,
for the first frames, for the client to read, and for the next keep-alive.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient
from hyperroute.dialects.base import ClientError
from hyperroute.errors import RequestError, StoreError
from hyperroute.gateway import visit as visits
from hyperroute.gateway.door import Commit, Door, Read
from hyperroute.gateway.handler import Handler, Reply, Streamed, Whole
from hyperroute.gateway.kept import LocalMemory, Memory, Recall, Remember
from hyperroute.gateway.message import Flowing, HttpResponse, Opening
from hyperroute.gateway.pacing import DEFAULT_PACE, Pace
from hyperroute.gateway.pouring import Pouring, Source
from hyperroute.gateway.visit import Observer, Visit
from hyperroute.routing.record import Record
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
        tells_route: bool = True,
        metrics: Callable[[], bytes] | None = None,
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
            tells_route: Send ``x-hyperroute-served-by``, ``-attempts`` and ``-decision``.
            metrics: Writes the page of counters; ``None``: ``/metrics`` is nobody's path.
        """
        self.handler = Handler(
            desk=client.desk, tells_route=tells_route, metrics=metrics, door=door
        )
        self.client = client
        self.pace = pace
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
            self._over(visit)
            raise
        visit.status = reply.status
        if isinstance(reply, HttpResponse):
            self._over(visit)
            return reply
        clock, pace = self.client.clock, self.pace
        return Pouring(
            reply, visit, clock=clock, pace=pace, grant=self._granted, over=self._streamed
        )

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
                    got = await self._granted(wish)
                except (RequestError, StoreError) as error:
                    wish = handling.throw(error)
                else:
                    wish = handling.send(got)
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    async def _granted(self, wish: Any) -> Any:
        match wish:
            case Whole(request, name, facts):
                return await self.client.send(request, facts=facts, request_id=name)
            case Streamed(request, name, facts):
                frames = self.client.frames(request, facts=facts, request_id=name)
                return await self._opened(frames)
            case Read(keys):
                return await self._kept().read(keys)
            case Commit(mutations):
                return await self._kept().commit(mutations)
            case Recall():
                return self.memory.recall(wish, now=self.client.clock.now())
            case Remember():
                return self.memory.remember(wish, now=self.client.clock.now())
            case _:
                raise AssertionError(f"no such wish: {wish!r}")

    async def _opened(self, frames: AsyncFrames) -> Opening[Source]:
        """Wait for the first frames, or for as long as a client may be left without a word."""
        source = Source(frames)
        try:
            first = await source.within(self.pace.first_ns, self.client.clock)
        except BaseException:
            await source.close()
            raise
        return Opening(source, first)

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

    def _over(self, visit: Visit) -> None:
        visit.duration_ns = self.client.clock.now() - visit.began_at
        self._observe(visit)


__all__ = ["Gateway"]
