"""The blocking gateway: drives the same handler over a ``Client``, for WSGI.

Its twin is ``awaiting``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from hyperroute.canon.wire import HttpRequest
from hyperroute.client import Client
from hyperroute.dialects.base import ClientError
from hyperroute.errors import RequestError, StoreError
from hyperroute.gateway import visit as visits
from hyperroute.gateway.door import Commit, Door, Read, Sleep
from hyperroute.gateway.handler import Handler, Reply
from hyperroute.gateway.idempotent import Keeping
from hyperroute.gateway.kept import LocalMemory, Memory, Recall, Remember
from hyperroute.gateway.message import Flowing, HttpResponse, Opening, Paged
from hyperroute.gateway.pacing import DEFAULT_PACE, Pace
from hyperroute.gateway.pulling import Pieces, Source
from hyperroute.gateway.standing import Dependence
from hyperroute.gateway.visit import Observer, Visit
from hyperroute.gateway.wishes import Streamed, Whole, prepared
from hyperroute.routing.record import Record
from hyperroute.runtime import paying
from hyperroute.runtime.answer import Answer, answered
from hyperroute.runtime.draining import DEFAULT_PATIENCE, Drains, Patience
from hyperroute.runtime.frames import Frames
from hyperroute.stores.base import Store


class BlockingGateway:
    """Answers HTTP requests, blocking. Safe to use from many threads at once."""

    def __init__(
        self,
        client: Client,
        *,
        door: Door | None = None,
        store: Store | None = None,
        memory: Memory | None = None,
        observer: Observer = visits.ignore,
        pace: Pace = DEFAULT_PACE,
        patience: Patience = DEFAULT_PATIENCE,
        tells_route: bool = True,
        metrics: Callable[[], bytes] | None = None,
        dependences: Sequence[Dependence] = (),
        keeping: Keeping | None = None,
    ) -> None:
        """Stand before a client, which the caller closes; arguments as of ``Gateway``."""
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
        self.drains = Drains(patience)
        self.store = store
        self.memory: Memory = LocalMemory() if memory is None else memory
        self._observe = observer

    def refused(self, http: HttpRequest, error: ClientError) -> HttpResponse:
        """Refuse a request whose body is not even read, in the words of its path."""
        visit = self._visit(http)
        response = self.handler.refused(http, error, visit)
        self._over(visit)
        return response

    def handle(self, http: HttpRequest) -> HttpResponse:
        """Answer a request; a streamed body is ``pieces``, to be read to its end or closed."""
        visit = self._visit(http)
        try:
            reply = self._drive(http, visit)
        except BaseException:
            visit.ended = "gone"
            self._over(visit)
            raise
        visit.status = reply.status
        if isinstance(reply, HttpResponse):
            self._over(visit)
            return reply
        if isinstance(reply, Paged):
            pages = self._paged(reply, visit)
            return HttpResponse(status=reply.status, headers=reply.headers, pieces=pages)
        pieces = Pieces(reply, visit, pace=self.pace, grant=self._granted, over=self._streamed)
        return HttpResponse(status=reply.status, headers=reply.headers, pieces=pieces)

    def _visit(self, http: HttpRequest) -> Visit:
        clock = self.client.clock
        return self.handler.visit(http, at=clock.now(), unix_ns=clock.unix_ns())

    def _drive(self, http: HttpRequest, visit: Visit) -> Reply:
        handling = self.handler.respond(http, visit)
        try:
            wish = next(handling)
            while True:
                try:
                    got = self._granted(wish)
                except (RequestError, StoreError) as error:
                    wish = handling.throw(error)
                else:
                    wish = handling.send(got)
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    def _granted(self, wish: Any) -> Any:
        match wish:
            case Whole():
                return self._answer(wish)
            case Streamed():
                source = Source(self._frames(wish), self.drains, self.client.clock)
                return Opening(source, source.first(self.pace.first_ns))
            case Read(keys):
                return self._kept().read(keys)
            case Commit(mutations):
                return self._kept().commit(mutations)
            case Sleep(ns):
                return self.client.clock.sleep(ns)
            case Recall():
                return self.memory.recall(wish, now=self.client.clock.now())
            case Remember():
                return self.memory.remember(wish, now=self.client.clock.now())
            case _:
                raise AssertionError(f"no such wish: {wish!r}")

    def _answer(self, wish: Whole) -> Answer:
        client = self.client
        run = prepared(client, wish, stream=False)
        for _ in paying.serve(run, transport=client.transport, clock=client.clock):
            pass
        return answered(run, client.router.dialect(wish.request.dialect))

    def _frames(self, wish: Streamed) -> Frames:
        client = self.client
        run = prepared(client, wish, stream=True)
        dialect = client.router.dialect(wish.request.dialect)
        copy = None if wish.copy is None else wish.copy.take
        return Frames(run, dialect, client.transport, client.clock, copy)

    def _paged(self, reply: Paged, visit: Visit) -> Iterator[bytes]:
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
                        got = self._granted(wish)
            visit.ended = "streamed"
        except StoreError:
            visit.ended = "broken"
            raise
        finally:
            self._over(visit)

    def close(self, within_s: float | None = None) -> None:
        """Wait for what is still heard out; the client is its owner's to close."""
        self.drains.close(within_s)

    def _kept(self) -> Store:
        assert self.store is not None, "a door needs a store"
        return self.store

    def _streamed(self, visit: Visit, flowing: Flowing[Source], record: Record | None) -> None:
        """Take the end of a stream; a store that is down has lost a correction, no more."""
        visit.record = record
        self._over(visit)
        if record is not None and (mutations := flowing.settle(record)):
            with suppress(StoreError):
                self._kept().commit(mutations)
        if flowing.keep is not None:
            with suppress(StoreError):
                self._kept().commit(flowing.keep(record))

    def _over(self, visit: Visit) -> None:
        ended_at = self.client.clock.now() if visit.left_at is None else visit.left_at
        visit.duration_ns = ended_at - visit.began_at
        self._observe(visit)


__all__ = ["BlockingGateway"]
