"""What becomes of a call whose caller has left (reliability.md, 5.11).

Where hanging up stops the meter, the call is cancelled. Where it does not, or where nobody knows, the
provider works on and bills for it, so the call is heard out in the background for its true usage:
bounded in number, in time and in bytes, and waited for at shutdown. A drain that meets a bound is a
cancellation; the record says which of the two it was.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Final

from hyperroute.canon.units import SECOND, Instant
from hyperroute.dialects.base import Dialect
from hyperroute.errors import RequestError
from hyperroute.runtime import paying
from hyperroute.runtime.answer import Answer, Streaming, answered
from hyperroute.runtime.kernel import Run
from hyperroute.runtime.ports import AsyncClock, AsyncTransport


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much is heard out.

    Attributes:
        at_once: Drains at the same time; whoever leaves beyond them is cancelled.
        ns: Of one drain, from the moment the caller left.
        bytes_max: Of one drain, as the caller would have been told them.
    """

    at_once: int = 64
    ns: int = 60 * SECOND
    bytes_max: int = 16 * 1024 * 1024


DEFAULT_PATIENCE: Final = Patience()


class Budget:
    """What is left of one drain's patience."""

    __slots__ = ("_bytes_left", "_until")

    def __init__(self, patience: Patience, now: Instant) -> None:
        """Begin to count."""
        self._bytes_left = patience.bytes_max
        self._until = now + patience.ns

    def takes(self, size: int, now: Instant) -> bool:
        """Count some bytes, and say whether more may come."""
        self._bytes_left -= size
        return self._bytes_left >= 0 and now < self._until


class AsyncAnswering(Streaming):
    """A whole answer on its way, which its caller may leave."""

    def __init__(
        self,
        run: Run,
        dialect: Dialect,
        transport: AsyncTransport,
        clock: AsyncClock,
        *,
        is_kept: bool = False,
    ) -> None:
        """Take a run that has not begun; ``is_kept``: its answer is, whether or not its caller stays."""
        super().__init__(run)
        self._is_kept = is_kept
        self._dialect = dialect
        self._clock = clock
        self._events = paying.serve_awaiting(run, transport=transport, clock=clock)

    async def answer(self) -> Answer | None:
        """Carry the run out; ``None``: its caller left before it was over.

        Raises:
            RequestError: It was not served.
        """
        async with aclosing(self._events) as events:
            async for _ in events:
                pass
        return None if self._run.left is not None else answered(self._run, self._dialect)

    def leave(self, now: Instant) -> None:
        """Say that nobody listens any more, unless the answer is wanted all the same."""
        if not self._is_kept:
            super().leave(now)


class AsyncDrains:
    """Calls that are heard out, each in a task. Belongs to one event loop."""

    def __init__(self, clock: AsyncClock, patience: Patience = DEFAULT_PATIENCE) -> None:
        """Begin with none."""
        self.patience = patience
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def has_room(self) -> bool:
        """Whether one more may be heard out."""
        return len(self._tasks) < self.patience.at_once

    def adopt(self, task: asyncio.Future[Any], over: Callable[[], Awaitable[None]]) -> None:
        """Let a task end by itself, within its time.

        Args:
            task: Reads the call; cancelling it closes the exchange.
            over: Called once it has ended, however it did.
        """
        drain = asyncio.ensure_future(self._bounded(task, over))
        self._tasks.add(drain)
        drain.add_done_callback(self._tasks.discard)

    async def close(self, within_ns: int | None = None) -> None:
        """Wait for all, for so long at most (``None``: as long as each may take), and end the rest."""
        if not self._tasks:
            return
        within_ns = self.patience.ns if within_ns is None else within_ns
        timer = asyncio.ensure_future(self._clock.sleep(within_ns))
        drains = tuple(self._tasks)
        waiting = asyncio.ensure_future(asyncio.wait(drains))
        try:
            await asyncio.wait((timer, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            for drain in drains:
                drain.cancel()
            await waiting

    async def _bounded(
        self, task: asyncio.Future[Any], over: Callable[[], Awaitable[None]]
    ) -> None:
        timer = asyncio.ensure_future(self._clock.sleep(self.patience.ns))
        try:
            await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            task.cancel()
            with suppress(asyncio.CancelledError, RequestError):
                await task
            await over()


class Drains:
    """Calls that are heard out, each by the thread that read it anyway. Safe between threads."""

    def __init__(self, patience: Patience = DEFAULT_PATIENCE) -> None:
        """Begin with none."""
        self.patience = patience
        self._count = 0
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return self._count

    def begin(self) -> bool:
        """Take a place for one more, if there is one."""
        with self._changed:
            if self._count >= self.patience.at_once:
                return False
            self._count += 1
            return True

    def end(self) -> None:
        """Give the place back."""
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def close(self, within_s: float | None = None) -> bool:
        """Wait for all, for so long at most; say whether all ended."""
        seconds = self.patience.ns / SECOND if within_s is None else within_s
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, timeout=seconds)


def heard_out(pieces: Iterator[bytes], budget: Budget, now: Callable[[], Instant]) -> None:
    """Read what nobody will be told, as long as there is patience."""
    with suppress(RequestError):
        for piece in pieces:
            if not budget.takes(len(piece), now()):
                return


__all__ = [
    "DEFAULT_PATIENCE",
    "AsyncAnswering",
    "AsyncDrains",
    "Budget",
    "Drains",
    "Patience",
    "heard_out",
]
