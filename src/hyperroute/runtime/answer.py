"""What a client hands back: a whole answer, or the events of one as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Generator
from functools import cached_property
from typing import Self, cast

from hyperroute.canon.events import Reply, StreamEvent
from hyperroute.canon.loss import Loss
from hyperroute.canon.quick import quick
from hyperroute.canon.request import Request
from hyperroute.canon.units import Instant
from hyperroute.dialects.base import Dialect
from hyperroute.routing.plan import Plan
from hyperroute.routing.record import Record
from hyperroute.runtime import paying
from hyperroute.runtime.kernel import Run
from hyperroute.runtime.ports import AsyncClock, AsyncTransport, Clock, Transport


@quick(frozen=True)
class Answer:
    """A whole answer.

    Attributes:
        reply: In the canon.
        record: What happened on the way.
        served: The offer that answered, as the caller may know it: a hidden provider by a digest.
        home: Whose account it came from, and whether in the caller's own dialect.
    """

    reply: Reply
    record: Record
    served: str | None
    home: tuple[str, bool] | None
    _request: Request
    _dialect: Dialect
    _raw: bytes | None
    _model: str | None

    @property
    def is_sse(self) -> bool:
        """Whether ``body`` is the event stream that a provider sent unasked, handed on (api.md, 4)."""
        return self._raw is not None and self._raw.lstrip()[:1] != b"{"

    @cached_property
    def body(self) -> bytes:
        """The answer in the caller's dialect.

        Where the provider spoke it too these are its own bytes, and only the model's name is put
        back if the caller knew it by another.
        """
        if self._raw is None:
            model = self._model or self.reply.model
            return self._dialect.emit_reply(self.reply, request=self._request, model=model)
        return (
            self._raw if self._model is None else self._dialect.tell_model(self._raw, self._model)
        )


def answered(run: Run, dialect: Dialect) -> Answer:
    """Hand back what a run that was served gathered."""
    assert run.reply is not None
    assert run.record is not None
    return Answer(
        reply=run.reply,
        record=run.record,
        served=run.shown_offer(),
        home=run.home(),
        _request=run.plan.request,
        _dialect=dialect,
        _raw=run.whole_body(),
        _model=run.told_model(),
    )


class Streaming:
    """What every stream tells beside its items."""

    def __init__(self, run: Run) -> None:
        """Take a run that has not begun."""
        self._run = run

    @property
    def record(self) -> Record | None:
        """What happened, once it is over."""
        return self._run.record

    @property
    def drains(self) -> bool:
        """Whether the provider bills all the same when it is hung up on now."""
        return self._run.drains

    def leave(self, now: Instant) -> None:
        """Say that nobody listens any more, before reading to the end for the usage."""
        self._run.left = now

    @property
    def home(self) -> tuple[str, bool] | None:
        """Whose account answers, and whether in the caller's own dialect, once a call is open."""
        return self._run.home()

    @property
    def plan(self) -> Plan:
        """What was decided."""
        return self._run.plan

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be said so far, once a call is open; the record has all of it."""
        call = self._run.call
        return () if call is None else tuple(call.outbound.losses)

    @property
    def request(self) -> Request:
        """What was asked, for encoders."""
        return self._run.plan.request

    @property
    def model(self) -> str | None:
        """The name to tell the caller, from the first event on; ``None``: the provider's own."""
        return self._run.told_model()


class Stream(Streaming):
    """The events of one answer, as they come. Closing it early hangs up."""

    def __init__(self, run: Run, transport: Transport, clock: Clock) -> None:
        """Take a run that has not begun."""
        super().__init__(run)
        self._clock = clock
        events = paying.serve(run, transport=transport, clock=clock)
        # A run that takes no frames tells events only.
        self._events = cast("Generator[StreamEvent, None, None]", events)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> StreamEvent:
        return next(self._events)

    def close(self) -> None:
        """Hang up: the exchange is closed at once, and the run recorded as abandoned."""
        self._events.close()
        self._run.abandon(self._clock.now())  # one that never began had no driver to say so

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncStream(Streaming):
    """The events of one answer, as they come. Closing it early, or cancelling, hangs up."""

    def __init__(self, run: Run, transport: AsyncTransport, clock: AsyncClock) -> None:
        """Take a run that has not begun."""
        super().__init__(run)
        self._clock = clock
        events = paying.serve_awaiting(run, transport=transport, clock=clock)
        # A run that takes no frames tells events only.
        self._events = cast("AsyncGenerator[StreamEvent, None]", events)

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[StreamEvent]:
        return (
            self._events.__anext__()
        )  # handed on, not awaited: one coroutine less for every event

    async def close(self) -> None:
        """Hang up: the exchange is closed at once, and the run recorded as abandoned."""
        await self._events.aclose()
        self._run.abandon(self._clock.now())  # one that never began had no driver to say so

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


__all__ = ["Answer", "AsyncStream", "Stream", "Streaming", "answered"]
