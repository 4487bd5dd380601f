"""The awaiting gateway: drives the handler over an ``AsyncClient``, and pours streams.

Its twin is ``blocking``. What a response is, the handler decides; here is only waiting: for the run,
for the first frames, for the client to read, and for the next keep-alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from hyperroute.canon.units import Instant
from hyperroute.canon.wire import Headers, HttpRequest
from hyperroute.client import AsyncClient
from hyperroute.dialects.base import ClientError
from hyperroute.errors import RequestError, StoreError
from hyperroute.gateway import visit as visits
from hyperroute.gateway.door import Commit, Door, Read
from hyperroute.gateway.handler import Handler, Reply, Streamed, Whole
from hyperroute.gateway.message import Flowing, HttpResponse, Opening
from hyperroute.gateway.pacing import DEFAULT_PACE, Pace, Pulse
from hyperroute.gateway.visit import Observer, Visit
from hyperroute.routing.record import Record
from hyperroute.runtime.frames import AsyncFrames
from hyperroute.stores.base import AsyncStore

Write = Callable[[bytes], Awaitable[None]]

_END = b""


class Gateway:
    """Answers HTTP requests, whatever framework they came by. Belongs to one event loop."""

    def __init__(
        self,
        client: AsyncClient,
        *,
        door: Door | None = None,
        store: AsyncStore | None = None,
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
        self._observe = observer

    def refused(self, url: str, headers: Headers, error: ClientError) -> HttpResponse:
        """Refuse a request that is not even read, in the words of its path."""
        return self.handler.refused(url, headers, error)

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
        clock = self.client.clock
        visit = self.handler.visit(http, at=clock.now(), unix_ns=clock.unix_ns())
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
        return Pouring(reply, visit, self)

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
            case _:
                raise AssertionError(f"no such wish: {wish!r}")

    async def _opened(self, frames: AsyncFrames) -> Opening[_Source]:
        """Wait for the first frames, or for as long as a client may be left without a word."""
        source = _Source(frames)
        try:
            first = await source.within(self.pace.first_ns, self.client.clock)
        except BaseException:
            await source.close()
            raise
        return Opening(source, first)

    def _kept(self) -> AsyncStore:
        assert self.store is not None, "a door needs a store"
        return self.store

    async def _settle(self, flowing: Flowing[Any], record: Record) -> None:
        """Tell the store what a stream used; a store that is down has lost a correction, no more."""
        if mutations := flowing.settle(record):
            with suppress(StoreError):
                await self._kept().commit(mutations)

    def _over(self, visit: Visit) -> None:
        visit.duration_ns = self.client.clock.now() - visit.began_at
        self._observe(visit)


class _Source:
    """Frames, of which the first may be waited for by somebody who gives up and comes back."""

    def __init__(self, frames: AsyncFrames) -> None:
        self.frames = frames
        self._first: asyncio.Task[bytes | None] | None = None

    @property
    def served(self) -> str | None:
        return self.frames.served

    @property
    def attempts(self) -> int:
        return self.frames.attempts

    async def within(self, ns: int, clock: Any) -> bytes | None:
        """Return the first frames; ``None``: they have not come in time.

        Raises:
            RequestError: The run ended before there were any.
        """
        self._first = asyncio.ensure_future(anext(self.frames, None))
        timer = asyncio.ensure_future(clock.sleep(ns))
        try:
            await asyncio.wait({self._first, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        return await self._taken() if self._first.done() else None

    async def rest(self) -> AsyncIterator[bytes]:
        """Give what has not been given yet."""
        if self._first is not None and (piece := await self._taken()) is not None:
            yield piece
        async for piece in self.frames:
            yield piece

    async def close(self) -> None:
        if self._first is not None:
            self._first.cancel()
            with suppress(asyncio.CancelledError, RequestError):
                await self._first
        await self.frames.close()

    async def _taken(self) -> bytes | None:
        assert self._first is not None
        task, self._first = self._first, None
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            raise


class Pouring:
    """A streamed response on its way to the client. For one ``pour``.

    Attributes:
        status: Of the response.
        headers: Of the response.
    """

    def __init__(self, flowing: Flowing[_Source], visit: Visit, gateway: Gateway) -> None:
        """Take what the handler decided."""
        self.status = flowing.status
        self.headers = flowing.headers
        self._flowing = flowing
        self._source = flowing.opening.frames
        self._visit = visit
        self._gateway = gateway
        self._clock = gateway.client.clock
        self._pulse = Pulse(gateway.pace, self._clock.now())

    async def pour(self, write: Write) -> None:
        """Write the whole body, keep-alives between; cancelling hangs up.

        Raises:
            SlowReader: The client has not read for too long.
        """
        visit = self._visit
        visit.ended = "gone"
        heart = asyncio.ensure_future(self._beat(write, asyncio.current_task()))
        try:
            await self._write_all(self._writer(write))
        except asyncio.CancelledError:
            if self._pulse.is_slow(self._clock.now()):
                visit.ended = "slow"
            raise
        finally:
            heart.cancel()
            await self.close()
            with suppress(asyncio.CancelledError):
                await heart

    async def close(self) -> None:
        """Let go, also of a response that was never poured."""
        await self._source.close()
        if self._visit.duration_ns == 0:
            record = self._visit.record = self._source.frames.record
            self._gateway._over(self._visit)  # noqa: SLF001 - one module, one visit
            if record is not None:
                await self._gateway._settle(self._flowing, record)  # noqa: SLF001

    async def _write_all(self, write: Write) -> None:
        framing, first = self._flowing.reframing, self._flowing.opening.first
        visit = self._visit
        if framing is not None and framing.opening:
            await write(framing.opening)
        if first is None:
            await write(self._keep_alive())
        ended = "streamed"
        try:
            if first is not None:
                await write(first if framing is None else framing.each(first))
            async for piece in self._source.rest():
                await write(piece if framing is None else framing.each(piece))
        except RequestError as error:
            ended = "broken"
            last = self._source.frames.fail(self._flowing.told(error))
            await write(last if framing is None else framing.each(last))
        if framing is not None and framing.closing:
            await write(framing.closing)
        visit.ended = ended

    def _writer(self, write: Write) -> Write:
        pulse, now = self._pulse, self._clock.now

        async def timed(piece: bytes) -> None:
            pulse.writing_at = now()
            await write(piece)
            pulse.writing_at = None
            pulse.last_at = now()

        return timed

    async def _beat(self, write: Write, pouring: asyncio.Task[Any] | None) -> None:
        """Write keep-alives into silence; end a response that nobody reads."""
        pulse, clock = self._pulse, self._clock
        while True:
            await clock.sleep(max(pulse.wait_ns(clock.now()), _LOOK_NS))
            now: Instant = clock.now()
            if pulse.is_slow(now) and pouring is not None:
                pouring.cancel()
                return
            if pulse.is_due(now):
                await write(self._keep_alive())
                pulse.last_at = clock.now()

    def _keep_alive(self) -> bytes:
        framing = self._flowing.reframing
        return self._source.frames.pulse() if framing is None else framing.pulse

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the body piece by piece, for frameworks that pull."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
        task = asyncio.ensure_future(self.pour(queue.put))
        task.add_done_callback(lambda _: None if queue.full() else queue.put_nowait(_END))
        try:
            while not (task.done() and queue.empty()):
                piece = await queue.get()
                if piece:
                    yield piece
            await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


_LOOK_NS = 1_000_000
"""The shortest sleep between two looks, so that a clock that wakes early is not spun on."""

__all__ = ["Gateway", "Pouring"]
