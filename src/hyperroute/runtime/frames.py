"""The answer as bytes of the caller's dialect, for whoever serves streams over HTTP.

Every item is one or more whole frames, so that a keep-alive may go out between any two items. What a
frame looks like is the dialect's affair; what may be said between two of them, and how an answer
ends that broke, depends on what was handed out so far, so that is asked here too.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from typing import Self, cast

from hyperroute.canon.events import Delivery, Passage
from hyperroute.canon.units import Instant
from hyperroute.dialects.base import ClientError, Dialect, Encoder
from hyperroute.routing.plan import Plan
from hyperroute.runtime import paying
from hyperroute.runtime.answer import Streaming
from hyperroute.runtime.conversation import Conversation
from hyperroute.runtime.kernel import Run
from hyperroute.runtime.outcome import shown
from hyperroute.runtime.ports import AsyncClock, AsyncTransport, Clock, Transport

Taking = Callable[[bytes], None]


class _Writer:
    """Writes one answer: hands on the provider's own frames, or makes such as say the same."""

    def __init__(self, plan: Plan, dialect: Dialect) -> None:
        """Take what was asked."""
        self._plan = plan
        self._dialect = dialect
        self._encoder: Encoder | None = None
        self._call: Conversation | None = None
        self.served: str | None = None

    def write(self, event: Delivery, call: Conversation | None) -> bytes:
        """Return what goes out for an event; nothing where a later one says it too."""
        encoder = self._encoder
        if encoder is None:
            assert call is not None
            self._call = call
            model = call.outbound.tells or call.answered or call.offer.model
            encoder = self._encoder = self._made(model)
            self.served = shown(self._plan, call.offer.id, call.offer.provider)
        if not isinstance(event, Passage) and event.frame is None:
            return encoder.feed(event)
        if frame := event.frame:
            encoder.passed(frame)
        return frame or b""

    def voice(self) -> Encoder:
        """Return who goes on behind what was handed out, or before there is one who could begin."""
        if self._encoder is None:
            request = self._plan.request
            return self._made(request.model or request.intent or "")
        lane = self._call.lane if self._call is not None else None
        if lane is not None:
            self._encoder.passed(lane.tap.last)
        return self._encoder

    def _made(self, model: str) -> Encoder:
        return self._dialect.encoder(request=self._plan.request, model=model)


class _Framing(Streaming):
    """What both colours say beside the answer itself."""

    def __init__(self, run: Run, dialect: Dialect, copy: Taking | None) -> None:
        """Take a run that has not begun."""
        super().__init__(run)
        self._writer = _Writer(run.plan, dialect)
        self._copy = copy
        run.write = self._writer.write
        self._failed = False

    @property
    def served(self) -> str | None:
        """The offer that is delivering, as its caller may see it; known from the first item on."""
        return self._writer.served

    def leave(self, now: Instant) -> None:
        """Say that nobody listens any more; where the answer is copied, its copy is listened to."""
        if self._copy is None:
            super().leave(now)

    @property
    def attempts(self) -> int:
        """How many attempts were begun so far."""
        return self._run.attempts

    def pulse(self) -> bytes:
        """Return the keep-alive that may follow what was handed out (reliability.md, 5.12)."""
        return b"" if self._ended() else self._writer.voice().pulse()

    def fail(self, error: ClientError) -> bytes:
        """Return the honest end of an answer that broke, also of one that never began.

        Nothing follows it, and after a good end there is none.
        """
        if self._ended():
            return b""
        self._failed = True
        return self._writer.voice().fail(error)

    def _ended(self) -> bool:
        run = self._run
        served = run.over and run.record is not None and run.record.outcome == "served"
        return self._failed or served


class Frames(_Framing):
    """Whole frames of one answer, as they come; never an empty item. Closing it early hangs up.

    Iterating raises ``RequestError``: ``Refused`` or ``Exhausted`` before anything was delivered,
    ``Interrupted`` after.
    """

    def __init__(
        self,
        run: Run,
        dialect: Dialect,
        transport: Transport,
        clock: Clock,
        copy: Taking | None = None,
    ) -> None:
        """Take a run that has not begun; ``copy`` is told every item that is made."""
        super().__init__(run, dialect, copy)
        self._clock = clock
        events = paying.serve(run, transport=transport, clock=clock)
        items = cast("Generator[bytes, None, None]", events)  # of a run that writes
        self._items = items if copy is None else _copied(items, copy)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._items)

    def close(self) -> None:
        """Hang up: the exchange is closed at once, and the run recorded as abandoned."""
        self._items.close()
        self._run.abandon(self._clock.now())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncFrames(_Framing):
    """Whole frames of one answer, as they come; the twin of ``Frames``. Cancelling hangs up too."""

    def __init__(
        self,
        run: Run,
        dialect: Dialect,
        transport: AsyncTransport,
        clock: AsyncClock,
        copy: Taking | None = None,
    ) -> None:
        """Take a run that has not begun; ``copy`` is told every item that is made."""
        super().__init__(run, dialect, copy)
        self._clock = clock
        events = paying.serve_awaiting(run, transport=transport, clock=clock)
        items = cast("AsyncGenerator[bytes, None]", events)  # of a run that writes
        self._items = items if copy is None else _copied_awaiting(items, copy)

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[bytes]:
        return self._items.__anext__()  # handed on, not awaited: one coroutine less for every item

    async def close(self) -> None:
        """Hang up: the exchange is closed at once, and the run recorded as abandoned."""
        await self._items.aclose()
        self._run.abandon(self._clock.now())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


def _copied(items: Generator[bytes, None, None], copy: Taking) -> Generator[bytes, None, None]:
    with closing(items):
        for item in items:
            copy(item)
            yield item


async def _copied_awaiting(
    items: AsyncGenerator[bytes, None], copy: Taking
) -> AsyncGenerator[bytes, None]:
    async with aclosing(items):
        async for item in items:
            copy(item)
            yield item


__all__ = ["AsyncFrames", "Frames"]
