"""A streamed response on its way to a client that reads at its own pace.

Whole frames are pushed into a ``write`` one after the other; a second task fills silence with
keep-alives and ends a response that nobody reads. No task, timer or queue is needed for a frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Self

from hyperroute.canon.loss import Loss
from hyperroute.canon.units import SECOND
from hyperroute.errors import RequestError
from hyperroute.gateway.kept import Remember
from hyperroute.gateway.message import Flowing
from hyperroute.gateway.pacing import Pace, Pulse
from hyperroute.gateway.visit import Visit
from hyperroute.routing.plan import Plan
from hyperroute.routing.record import Record
from hyperroute.runtime.draining import AsyncDrains, Budget, Patience
from hyperroute.runtime.frames import AsyncFrames
from hyperroute.runtime.ports import AsyncClock

Write = Callable[[bytes], Awaitable[None]]

_LOOK_NS = 1_000_000
"""The shortest sleep between two looks, so that a clock that wakes early is not spun on."""

_END = b""


class SlowReader(Exception):
    """The client has not read for too long, and nothing more is written to it (row 86)."""


class Source:
    """Frames, of which the first may be waited for by somebody who gives up and comes back."""

    def __init__(self, frames: AsyncFrames) -> None:
        """Take frames that nobody has read."""
        self.frames = frames
        self._first: asyncio.Task[bytes | None] | None = None

    @property
    def served(self) -> str | None:
        """The offer that delivers, as the caller may know it."""
        return self.frames.served

    @property
    def attempts(self) -> int:
        """How many calls were made so far."""
        return self.frames.attempts

    @property
    def plan(self) -> Plan:
        """What was decided."""
        return self.frames.plan

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be said so far."""
        return self.frames.losses

    @property
    def home(self) -> tuple[str, bool] | None:
        """Whose account answers, and whether in the caller's own dialect."""
        return self.frames.home

    @property
    def has_come(self) -> bool:
        """Say whether the first frames are here, but not given yet.

        A keep-alive now would be the one that follows them, and go out ahead of them.
        """
        return self._first is not None and self._first.done()

    async def within(self, ns: int, clock: AsyncClock) -> bytes | None:
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

    async def waste(self, patience: Patience) -> None:
        """Read the rest for nobody; its time is bounded by whoever waits for it."""
        budget = Budget(patience, 0)
        try:
            async for piece in self.rest():
                if not budget.takes(len(piece), 0):
                    return
        finally:
            await self.close()

    async def close(self) -> None:
        """Hang up."""
        if self._first is not None:
            self._first.cancel()
            with suppress(asyncio.CancelledError, RequestError):
                await self._first
        await self.frames.close()

    async def _taken(self) -> bytes | None:
        task = self._first
        assert task is not None
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._first = None


class Pouring:
    """A streamed response. For one ``pour``.

    Attributes:
        status: Of the response.
        headers: Of the response.
    """

    def __init__(
        self,
        flowing: Flowing[Source],
        visit: Visit,
        *,
        clock: AsyncClock,
        pace: Pace,
        drains: AsyncDrains,
        grant: Callable[[Remember], Awaitable[None]],
        over: Callable[[Visit, Flowing[Source], Record | None], Awaitable[None]],
    ) -> None:
        """Take what the handler decided.

        Args:
            flowing: The response.
            visit: Notes how it ends.
            clock: Tells the time.
            pace: How long silence may last.
            drains: Who hears answers out whose client left.
            grant: Grants the one wish that comes with an answer's end.
            over: Called once, at the end.
        """
        self.status = flowing.status
        self.headers = flowing.headers
        self._flowing = flowing
        self._source = flowing.opening.frames
        self._visit = visit
        self._clock = clock
        self._pulse = Pulse(pace, clock.now())
        self._drains = drains
        self._grant = grant
        self._over = over
        self._is_over = False
        self._is_slow = False
        self._left: Budget | None = None
        """What may still be heard out, once the client has left."""
        visit.ended = "gone"  # until it has ended in another way

    async def pour(self, write: Write) -> None:
        """Write the whole body, keep-alives between; cancelling hangs up.

        Raises:
            SlowReader: The client has not read for too long.
        """
        task = asyncio.current_task()
        assert task is not None, "whoever pours runs in a task"
        heart = asyncio.ensure_future(self._beat(write, task))
        body = asyncio.ensure_future(self._write_all(self._timed(write)))
        try:
            await asyncio.shield(body)
        except asyncio.CancelledError:
            if not body.done():
                self._leave(body)
            if not self._is_slow:
                raise
            task.uncancel()
            self._visit.ended = "slow"
            raise SlowReader from None
        finally:
            heart.cancel()
            if self._left is None:
                body.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await body
            await self.close()
            with suppress(asyncio.CancelledError):
                await heart

    def _leave(self, body: asyncio.Task[None]) -> None:
        """Hear out the rest, if that is right; it is the very task that wrote, writing to nobody."""
        if not self._is_to_be_heard_out():
            return
        if self._pulse.writing_at is not None:
            body.cancel()  # it waits for a client that will never read; ``timed`` goes on from there
        self._drains.adopt(body, self._finish)

    async def close(self) -> None:
        """Let go, also of a response that was never poured, or could not be written."""
        if self._left is not None or self._is_over:
            return
        if self._is_to_be_heard_out():
            rest = self._source.waste(self._drains.patience)
            self._drains.adopt(asyncio.ensure_future(rest), self._finish)
        else:
            await self._finish()

    def _is_to_be_heard_out(self) -> bool:
        """Decide what becomes of a call whose client has left, and say so to all that ask."""
        drains, frames = self._drains, self._source.frames
        if not (frames.drains and drains.has_room):
            return False
        now = self._visit.left_at = self._clock.now()
        self._left = Budget(drains.patience, now)
        frames.leave(now)
        return True

    async def _finish(self) -> None:
        await self._source.close()
        if not self._is_over:
            self._is_over = True
            await self._over(self._visit, self._flowing, self._source.frames.record)

    def pieces(self) -> Pieces:
        """Give the body piece by piece, for frameworks that pull."""
        return Pieces(self)

    async def _write_all(self, write: Write) -> None:
        framing, first = self._flowing.reframing, self._flowing.opening.first
        if framing is not None and framing.opening:
            await write(framing.opening)
        if first is None and not self._source.has_come:
            await write(self._keep_alive())
        noting = self._flowing.noting
        ended = "streamed"
        try:
            if first is not None:
                if noting is not None:
                    await self._note(noting(first))
                await write(first if framing is None else framing.each(first))
            async for piece in self._source.rest():
                if noting is not None:
                    await self._note(noting(piece))
                await write(piece if framing is None else framing.each(piece))
        except RequestError as error:
            ended = "broken"
            last = self._source.frames.fail(self._flowing.told(error))
            await write(last if framing is None else framing.each(last))
        if framing is not None and framing.closing:
            await write(framing.closing)
        if self._left is None:
            self._visit.ended = ended

    async def _note(self, wish: Remember | None) -> None:
        """Remember what an answer made, before its caller can go on from it."""
        if wish is not None:
            await self._grant(wish)

    def _timed(self, write: Write) -> Write:
        pulse, now = self._pulse, self._clock.now

        async def timed(piece: bytes) -> None:
            if self._left is None:
                pulse.writing_at = now()
                try:
                    await write(piece)
                except asyncio.CancelledError:
                    if self._left is None:
                        raise
                pulse.writing_at = None
                pulse.last_at = now()
            elif not self._left.takes(len(piece), now()):
                raise asyncio.CancelledError

        return timed

    async def _beat(self, write: Write, pouring: asyncio.Task[Any]) -> None:
        """Write keep-alives into silence; end a response that nobody reads."""
        pulse, clock = self._pulse, self._clock
        while True:
            await clock.sleep(max(pulse.wait_ns(clock.now()), _LOOK_NS))
            if pulse.is_due(clock.now()) and not self._source.has_come:
                try:
                    async with asyncio.timeout(pulse.pace.slow_ns / SECOND):
                        await write(self._keep_alive())
                except TimeoutError:
                    self._is_slow = True
                pulse.last_at = clock.now()
            if self._is_slow or pulse.is_slow(clock.now()):
                self._is_slow = True
                pouring.cancel()
                return

    def _keep_alive(self) -> bytes:
        framing = self._flowing.reframing
        return self._source.frames.pulse() if framing is None else framing.pulse


class Pieces:
    """A body to be pulled: read it to its end, or close it."""

    def __init__(self, pouring: Pouring) -> None:
        """Pour nothing yet."""
        self._pouring = pouring
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
        self._task: asyncio.Task[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._task is None:
            self._task = asyncio.ensure_future(self._pouring.pour(self._queue.put))
            self._task.add_done_callback(self._ended)
        while not (self._task.done() and self._queue.empty()):
            if piece := await self._queue.get():
                return piece
        await self._task
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, SlowReader):
                await self._task
        await self._pouring.close()

    def _ended(self, _task: asyncio.Task[None]) -> None:
        if not self._queue.full():
            self._queue.put_nowait(_END)  # wakes whoever waits for more


__all__ = ["Pieces", "Pouring", "SlowReader", "Source", "Write"]
