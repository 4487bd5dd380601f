"""The answer as bytes of the caller's dialect, for whoever serves streams over HTTP.

Every item is one or more whole frames, so that a keep-alive may go out between any two items. What a
frame looks like is the dialect's affair; what may be said between two of them, and how an answer
ends that broke, depends on what was handed out so far, so that is asked here too.
"""

from __future__ import annotations

from typing import Self

from hyperroute.canon.events import StreamEvent
from hyperroute.dialects.base import ClientError, Dialect, Encoder
from hyperroute.runtime import awaiting, blocking
from hyperroute.runtime.answer import Streaming
from hyperroute.runtime.kernel import Run
from hyperroute.runtime.outcome import shown
from hyperroute.runtime.ports import AsyncClock, AsyncTransport, Clock, Transport


class _Framing(Streaming):
    """What both colours say beside the answer itself."""

    def __init__(self, run: Run, dialect: Dialect) -> None:
        """Take a run that has not begun."""
        super().__init__(run)
        self._dialect = dialect
        self._encoder: Encoder | None = None
        self._over = False
        self.served: str | None = None
        """The offer that is delivering, as its caller may see it; known from the first item on."""

    @property
    def attempts(self) -> int:
        """How many attempts were begun so far."""
        return self._run.attempts

    def pulse(self) -> bytes:
        """Return the keep-alive that may follow what was handed out (reliability.md, 5.12)."""
        return b"" if self._over else self._writer().pulse()

    def fail(self, error: ClientError) -> bytes:
        """Return the honest end of an answer that broke, also of one that never began.

        Nothing follows it, and after a good end there is none.
        """
        if self._over:
            return b""
        self._over = True
        return self._writer().fail(error)

    def _written(self, event: StreamEvent) -> bytes:
        encoder = self._encoder
        if encoder is None:
            call = self._run.call
            assert call is not None
            model = self.model or call.answered or call.offer.model
            encoder = self._encoder = self._dialect.encoder(request=self.request, model=model)
            self.served = shown(self._run.plan, call.offer.id, call.offer.provider)
        return encoder.feed(event)

    def _writer(self) -> Encoder:
        """Return who writes the answer, or before there is one somebody who could."""
        if self._encoder is not None:
            return self._encoder
        request = self.request
        model = request.model or request.intent or ""
        return self._dialect.encoder(request=request, model=model)


class Frames(_Framing):
    """Whole frames of one answer, as they come; never an empty item. Closing it early hangs up.

    Iterating raises ``RequestError``: ``Refused`` or ``Exhausted`` before anything was delivered,
    ``Interrupted`` after.
    """

    def __init__(self, run: Run, dialect: Dialect, transport: Transport, clock: Clock) -> None:
        """Take a run that has not begun."""
        super().__init__(run, dialect)
        self._clock = clock
        self._events = blocking.serve(run, transport=transport, clock=clock)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        for event in self._events:
            if data := self._written(event):
                return data
        self._over = True
        raise StopIteration

    def close(self) -> None:
        """Hang up: the exchange is closed at once, and the run recorded as abandoned."""
        self._events.close()
        self._run.abandon(self._clock.now())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncFrames(_Framing):
    """Whole frames of one answer, as they come; the twin of ``Frames``. Cancelling hangs up too."""

    def __init__(
        self, run: Run, dialect: Dialect, transport: AsyncTransport, clock: AsyncClock
    ) -> None:
        """Take a run that has not begun."""
        super().__init__(run, dialect)
        self._clock = clock
        self._events = awaiting.serve(run, transport=transport, clock=clock)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        async for event in self._events:
            if data := self._written(event):
                return data
        self._over = True
        raise StopAsyncIteration

    async def close(self) -> None:
        """Hang up: the exchange is closed at once, and the run recorded as abandoned."""
        await self._events.aclose()
        self._run.abandon(self._clock.now())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


__all__ = ["AsyncFrames", "Frames"]
