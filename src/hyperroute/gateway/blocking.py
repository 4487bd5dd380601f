"""The blocking gateway: drives the same handler over a ``Client``, for WSGI.

Its twin is ``awaiting``. A stream is read by a thread of its own, because keep-alives must go out
while the run waits, and a WSGI server writes only what it pulls.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from hyperroute.canon.units import SECOND
from hyperroute.canon.wire import Headers, HttpRequest
from hyperroute.client import Client
from hyperroute.dialects.base import ClientError
from hyperroute.errors import RequestError, StoreError
from hyperroute.gateway import visit as visits
from hyperroute.gateway.door import Commit, Door, Read
from hyperroute.gateway.handler import Handler, Reply, Streamed, Whole
from hyperroute.gateway.message import Flowing, HttpResponse, Opening
from hyperroute.gateway.pacing import DEFAULT_PACE, Pace
from hyperroute.gateway.visit import Observer, Visit
from hyperroute.routing.record import Record
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
        observer: Observer = visits.ignore,
        pace: Pace = DEFAULT_PACE,
        tells_route: bool = True,
        metrics: Callable[[], bytes] | None = None,
    ) -> None:
        """Stand before a client, which the caller closes; arguments as of ``Gateway``."""
        self.handler = Handler(
            desk=client.desk, tells_route=tells_route, metrics=metrics, door=door
        )
        self.client = client
        self.pace = pace
        self.store = store
        self._observe = observer

    def refused(self, url: str, headers: Headers, error: ClientError) -> HttpResponse:
        """Refuse a request that is not even read, in the words of its path."""
        return self.handler.refused(url, headers, error)

    def handle(self, http: HttpRequest) -> HttpResponse:
        """Answer a request; a streamed body is ``pieces``, to be read to its end or closed."""
        clock = self.client.clock
        visit = self.handler.visit(http, at=clock.now(), unix_ns=clock.unix_ns())
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
        return HttpResponse(
            status=reply.status, headers=reply.headers, pieces=self._pieces(reply, visit)
        )

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
            case Whole(request, name, facts):
                return self.client.send(request, facts=facts, request_id=name)
            case Streamed(request, name, facts):
                source = _Source(self.client.frames(request, facts=facts, request_id=name))
                return Opening(source, source.first(self.pace.first_ns))
            case Read(keys):
                return self._kept().read(keys)
            case Commit(mutations):
                return self._kept().commit(mutations)
            case _:
                raise AssertionError(f"no such wish: {wish!r}")

    def _pieces(self, flowing: Flowing[Any], visit: Visit) -> Iterator[bytes]:
        """Give the body piece by piece, keep-alives between."""
        source: _Source = flowing.opening.frames
        framing, first = flowing.reframing, flowing.opening.first
        visit.ended = "gone"
        try:
            ended = "streamed"
            if framing is not None:
                yield framing.opening
            yield from (first,) if first is not None and framing is None else ()
            if first is not None and framing is not None:
                yield framing.each(first)
            silence_ns = 0 if first is None else self.pace.then_ns
            try:
                while (piece := source.next(silence_ns)) is not None:
                    silence_ns = self.pace.then_ns
                    if not piece:
                        yield source.frames.pulse() if framing is None else framing.pulse
                    else:
                        yield piece if framing is None else framing.each(piece)
            except RequestError as error:
                ended = "broken"
                last = source.frames.fail(flowing.told(error))
                yield last if framing is None else framing.each(last)
            if framing is not None:
                yield framing.closing
            visit.ended = ended
        finally:
            source.close()
            visit.record = source.frames.record or visit.record
            if visit.record is not None:
                self._settle(flowing, visit.record)
            self._over(visit)

    def _kept(self) -> Store:
        assert self.store is not None, "a door needs a store"
        return self.store

    def _settle(self, flowing: Flowing[Any], record: Record) -> None:
        """Tell the store what a stream used; a store that is down has lost a correction, no more."""
        if mutations := flowing.settle(record):
            with suppress(StoreError):
                self._kept().commit(mutations)

    def _over(self, visit: Visit) -> None:
        visit.duration_ns = self.client.clock.now() - visit.began_at
        self._observe(visit)


class _Source:
    """Frames read by a thread, one ahead."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self._queue: queue.Queue[bytes | RequestError | None] = queue.Queue(maxsize=1)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="hyperroute-stream", daemon=True)
        self._thread.start()

    @property
    def served(self) -> str | None:
        return self.frames.served

    @property
    def attempts(self) -> int:
        return self.frames.attempts

    def first(self, ns: int) -> bytes | None:
        """Return the first frames; ``None``: they have not come in time.

        Raises:
            RequestError: The run ended before there were any.
        """
        return self.next(ns) or None

    def next(self, ns: int) -> bytes | None:
        """Return the next frames, ``b""`` where none came in time, ``None`` at the end.

        Raises:
            RequestError: The run failed.
        """
        try:
            found = self._queue.get(timeout=ns / SECOND) if ns > 0 else self._queue.get_nowait()
        except queue.Empty:
            return b""
        if isinstance(found, RequestError):
            raise found
        return found

    def close(self) -> None:
        """Hang up: the reading thread sees it at the provider's next word, and closes the exchange."""
        self._is_closed.set()
        try:
            self._queue.get_nowait()
        except queue.Empty:
            return

    def _read(self) -> None:
        last: RequestError | None = None
        with self.frames:
            try:
                for piece in self.frames:
                    self._put(piece)
                    if self._is_closed.is_set():
                        return
            except RequestError as error:
                last = error
        self._put(last)

    def _put(self, item: bytes | RequestError | None) -> None:
        while not self._is_closed.is_set():
            try:
                self._queue.put(item, timeout=1)
            except queue.Full:
                continue
            return


__all__ = ["BlockingGateway"]
