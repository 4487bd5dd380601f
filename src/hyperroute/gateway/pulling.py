"""A streamed response that a server pulls, as WSGI servers do; the twin of ``pouring``.

A thread reads the frames, one ahead, because keep-alives must go out while the run waits and a server
writes only what it pulls. A client that left is noticed when the server next pulls, so at the next
frame or keep-alive; the provider's exchange is closed when the thread next hears from it, or read on
to its end where hanging up would not stop the meter (reliability.md, 5.11).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Self

from hyperroute.canon.loss import Loss
from hyperroute.canon.units import SECOND, Instant
from hyperroute.errors import RequestError
from hyperroute.gateway.message import Flowing
from hyperroute.gateway.pacing import Pace
from hyperroute.gateway.visit import Visit
from hyperroute.routing.plan import Plan
from hyperroute.routing.record import Record
from hyperroute.runtime.draining import Budget, Drains, heard_out
from hyperroute.runtime.frames import Frames
from hyperroute.runtime.ports import Clock

_JOIN_S = 1.0


class Source:
    """Frames read by a thread, one ahead.

    Attributes:
        pulse: The keep-alive that may follow what ``next`` gave last. The frames themselves know
            what follows what was read, which may still be waiting here.
    """

    def __init__(self, frames: Frames, drains: Drains, clock: Clock) -> None:
        """Begin to read."""
        self.frames = frames
        self.pulse = frames.pulse()
        self._drains = drains
        self._clock = clock
        self.left_at: Instant | None = None
        """When the client left, where the rest is heard out."""
        self._rest: Budget | None = None
        """What may still be heard out, once the client has left."""
        self._over: Callable[[], None] | None = None
        self._is_read = False
        self._lock = threading.Lock()
        self._queue: queue.Queue[tuple[bytes, bytes] | RequestError | None] = queue.Queue(maxsize=1)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="hyperroute-stream", daemon=True)
        self._thread.start()

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
        if found is None:
            return None
        piece, self.pulse = found
        return piece

    def close(self, over: Callable[[], None]) -> None:
        """Hang up, or hear the rest out, if that is right.

        The reading thread sees it at the provider's next word; nobody can wake it before.

        Args:
            over: Called once nothing is read any more, or is only read to be closed.
        """
        with self._lock:
            if not self._is_read and self.frames.drains and self._drains.begin():
                now = self.left_at = self._clock.now()
                self.frames.leave(now)
                self._over = over
                self._rest = Budget(self._drains.patience, now)
        self._is_closed.set()
        with suppress(queue.Empty):
            self._queue.get_nowait()
        if self._over is None:
            # For the record; a thread that waits for a provider goes on alone.
            self._thread.join(_JOIN_S)
            over()

    def _read(self) -> None:
        last: RequestError | None = None
        with self.frames:
            try:
                for piece in self.frames:
                    self._put((piece, self.frames.pulse()))
                    if self._is_closed.is_set():
                        if self._rest is not None:
                            heard_out(self.frames, self._rest, self._clock.now)
                        break
            except RequestError as error:
                last = error
        self._put(last)
        with self._lock:
            self._is_read = True
        if self._over is not None:
            try:
                self._over()
            finally:
                self._drains.end()

    def _put(self, item: tuple[bytes, bytes] | RequestError | None) -> None:
        while not self._is_closed.is_set():
            try:
                self._queue.put(item, timeout=1)
            except queue.Full:
                continue
            return


class Pieces:
    """A body to be pulled: read it to its end, or close it."""

    def __init__(
        self,
        flowing: Flowing[Source],
        visit: Visit,
        *,
        pace: Pace,
        grant: Callable[[Any], Any],
        over: Callable[[Visit, Flowing[Source], Record | None], None],
    ) -> None:
        """Take what the handler decided; arguments as of ``pouring.Pouring``."""
        self._flowing = flowing
        self._source = flowing.opening.frames
        self._visit = visit
        self._pace = pace
        self._grant = grant
        self._over = over
        self._is_over = False
        self._written = self._write_all()
        visit.ended = "gone"

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._written)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go, also of a body that nobody read."""
        self._written.close()
        if not self._is_over:
            self._is_over = True
            self._source.close(self._finish)

    def _finish(self) -> None:
        self._visit.left_at = self._source.left_at
        self._over(self._visit, self._flowing, self._source.frames.record)

    def _write_all(self) -> Generator[bytes, None, None]:
        source, framing = self._source, self._flowing.reframing
        first = self._flowing.opening.first
        ended = "streamed"
        if framing is not None and framing.opening:
            yield framing.opening
        if first is not None:
            self._note(first)
            yield first if framing is None else framing.each(first)
        silence_ns = 0 if first is None else self._pace.then_ns
        try:
            while (piece := source.next(silence_ns)) is not None:
                silence_ns = self._pace.then_ns
                if not piece:
                    yield source.pulse if framing is None else framing.pulse
                else:
                    self._note(piece)
                    yield piece if framing is None else framing.each(piece)
        except RequestError as error:
            ended = "broken"
            last = source.frames.fail(self._flowing.told(error))
            yield last if framing is None else framing.each(last)
        if framing is not None and framing.closing:
            yield framing.closing
        self._visit.ended = ended

    def _note(self, piece: bytes) -> None:
        """Remember what an answer made, before its caller can go on from it."""
        noting = self._flowing.noting
        if noting is not None and (wish := noting(piece)) is not None:
            self._grant(wish)


__all__ = ["Pieces", "Source"]
