"""One provider conversation, without the waiting: its limits, its manners, its verdicts.

Time is counted where it matters (reliability.md, 5.6): *idle* runs from the last event with data,
not from the last byte, because keep-alive comments hide a dead generation; while our caller holds
an event, no time runs. Where a body is no event stream its bytes are all the life there is, so they
count. After the last ``Finished`` the provider has one second to end its body well, which lets the
connection be used again; whatever happens then, the answer is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeGuard, TypeVar

from hyperroute.canon.content import Reasoning, Refusal, Text, ToolUse
from hyperroute.canon.events import (
    Delivery,
    Finished,
    Fold,
    PartDelta,
    PartEnded,
    PartStarted,
    Passage,
    Started,
    UsageReported,
    is_content,
)
from hyperroute.canon.failure import Cool, Failure, FailureClass, Reaction
from hyperroute.canon.units import MINUTE, SECOND, Instant
from hyperroute.canon.wire import HttpHead
from hyperroute.catalog.card import Offer
from hyperroute.dialects.base import ErrorInStream
from hyperroute.errors import ClientWireError, ProviderWireError
from hyperroute.providers import verdicts
from hyperroute.providers.classify import by_dialect, classify_transport
from hyperroute.providers.flow import BODY_BYTES_MAX, CallError, Flow, Lane, Outbound
from hyperroute.routing.attempt import WHOLE_SIZE_MAX
from hyperroute.routing.state import Call, Kept
from hyperroute.runtime.ports import AsyncExchange, Exchange, Limits, TransportError

TAIL_NS = SECOND
"""How long a body may dawdle after its last ``Finished``."""

WRONG_MODEL = Failure(
    kind=FailureClass.MALFORMED_OUTPUT,
    advice=Reaction.NEXT,
    cool=Cool(scope="offer", base_ns=10 * MINUTE),
    health="counts",
    alarm=True,
)
"""Another model answered than the one that was pinned (row 76)."""

Source = TypeVar("Source", Exchange, AsyncExchange)

CONNECT_NS = 5 * SECOND
"""Where nothing says ``connect``."""


class Conversation:
    """What both drivers know of an open call."""

    __slots__ = (
        "_begun",
        "_call",
        "_choices",
        "_content_by",
        "_finished",
        "_idle_ns",
        "_is_another",
        "_last_at",
        "_parts",
        "_sse",
        "_started",
        "_wanted",
        "answered",
        "complete",
        "deltas",
        "fed",
        "first_content_at",
        "first_event_at",
        "flow",
        "fold",
        "lane",
        "outbound",
        "produced",
        "raw",
        "raw_size",
        "said",
        "whole",
    )

    def __init__(
        self,
        call: Call,
        flow: Flow,
        outbound: Outbound,
        *,
        now: Instant,
        is_another: Callable[[str], bool] = lambda _name: False,
    ) -> None:
        """Begin, without sending anything yet.

        Args:
            call: What the machine asked for.
            flow: The provider's generator, not yet begun.
            outbound: What the flow was given.
            now: When the attempt starts.
            is_another: Says whether a name that the provider answers under is that of a model
                which may not answer (row 76).
        """
        self._is_another = is_another
        self.flow = flow
        self.outbound = outbound
        self.produced = 0
        self.answered = ""
        """The model that the provider says answers; ``""``: it has not said."""
        self.lane: Lane | None = None
        """Where text goes straight on, once it does."""
        self.fed = False
        self.deltas: set[int] = set()
        """Parts that are open and take text."""
        self.whole = not outbound.request.stream
        """Whether our caller wants no stream; then all that comes is kept in ``fold``."""
        asked = outbound.request.parameters.get("n")
        self._wanted = asked if isinstance(asked, int) else 1
        self.fold = Fold(wanted=self._wanted) if self.whole else None
        self.first_event_at: Instant | None = None
        self.first_content_at: Instant | None = None
        self.raw: list[bytes] | None = [] if self.whole else None
        self.raw_size = 0
        self._call = call
        self._idle_ns = call.candidate.timeouts.idle_ns
        self._content_by: Instant | None = None
        self._last_at = now
        self._begun = False
        self._sse = False
        self.said = False
        self.complete = False
        """Whether every choice has finished."""
        self._started = False
        self._parts: dict[int, int] = {}
        self._choices: set[int] = set()
        self._finished: set[int] = set()

    @property
    def size(self) -> int:
        """Characters of answer that came, by whatever way."""
        return self.produced + (0 if self.lane is None else self.lane.tap.size)

    @property
    def offer(self) -> Offer:
        """Whom it is with."""
        return self._call.candidate.offer

    @property
    def until(self) -> Instant:
        """When its time is over."""
        return self._call.until

    def limits(self, now: Instant) -> Limits:
        """Return the phase limits of an exchange that opens now.

        Raises:
            CallError: The time of the attempt is over.
        """
        left = self._call.until - now
        if left <= 0:
            raise CallError(self._expired(now))
        timeouts = self._call.candidate.timeouts
        connect_ns = timeouts.connect_ns if timeouts.connect_ns is not None else CONNECT_NS
        first_byte_ns = timeouts.first_byte_ns if timeouts.first_byte_ns is not None else left
        idle_ns = self._idle_ns if self._idle_ns is not None else left
        return Limits(
            connect_ns=min(connect_ns, left),
            first_byte_ns=min(first_byte_ns, left),
            idle_ns=min(idle_ns, left),
            total_until=self._call.until,
        )

    def opened(self, head: HttpHead, now: Instant) -> None:
        """Take the head of an exchange."""
        self._last_at = now
        self.fed = False
        self._sse = (head.header("content-type") or "").startswith("text/event-stream")
        first_ns = self._call.candidate.timeouts.first_content_ns
        self._content_by = now + first_ns if self._sse and first_ns is not None else None
        if self.raw is not None:
            self.raw.clear()
            self.raw_size = 0

    def source(self, exchange: Source | None) -> Source:
        """Return the exchange that a flow wants to read.

        Raises:
            ProviderWireError: It has sent nothing yet.
        """
        if exchange is None:
            raise ProviderWireError("the flow reads before it sends")
        return exchange

    def received(self, chunk: bytes) -> None:
        """Take some body."""
        self._begun = True
        if not self._sse:
            self.fed = True
        if self.raw is not None and self.raw_size <= BODY_BYTES_MAX:
            self.raw_size += len(chunk)
            self.raw.append(chunk)

    def patience(self, now: Instant) -> int:
        """Return how long the next read may take.

        Raises:
            CallError: There is no time left: something other than data kept the line busy.
        """
        if self.fed:
            self._last_at = now
            self.fed = False
        due = self._call.until
        if self._content_by is not None:
            due = min(due, self._content_by)
        silence_ns = TAIL_NS if self.complete else self._idle_ns
        if silence_ns is not None:
            due = min(due, self._last_at + silence_ns)
        left = due - now
        if left <= 0 and not self.complete:
            raise CallError(self._expired(now))
        return max(left, 0)

    def pause(self, ns: int, now: Instant) -> int:
        """Return how long to sleep for a flow that wants to come back later.

        Raises:
            CallError: The attempt's time would be over by then.
        """
        if now + ns > self._call.until:
            raise CallError(self._expired(self._call.until))
        return ns

    def resumed(self, now: Instant) -> None:
        """Take the end of a pause or of a plugin's own work: silence that the flow wanted."""
        self._last_at = now

    def keep(self, said: object, now: Instant) -> None:
        """Take what a flow hands up of an answer that is told whole, one event or many.

        Raises:
            ProviderWireError: As of ``admit``.
            CallError: As of ``admit``.
        """
        fold = self.fold
        assert fold is not None, "only a whole answer is kept"
        if fold.complete:
            return
        self.fed = True
        events = said if isinstance(said, tuple) else (said,)
        if fold.started is None and events and isinstance(events[0], Started):
            self._start(events[0].model)
        try:
            fold.take(events)
        except ValueError as error:
            raise ProviderWireError(str(error)) from None
        finally:
            self.produced, self.complete = fold.size, fold.complete
            if self.first_event_at is None and fold.started is not None:
                self.first_event_at = now
            if self.first_content_at is None and fold.said:
                self.first_content_at = now
                self.said = True
                self._content_by = None
        if fold.size > WHOLE_SIZE_MAX:
            raise ProviderWireError(f"an answer beyond {WHOLE_SIZE_MAX} characters")

    def kept(self) -> Kept | None:
        """Return what the machine reads of a whole answer; ``None`` where there is none of it."""
        fold = self.fold
        if fold is None or fold.started is None:
            return None
        return Kept(fold.usage, tuple(fold.ending), self.first_event_at, self.first_content_at)

    def admit(self, event: Any) -> TypeGuard[Delivery]:
        """Check an event against the grammar; false means ignore it (rows 63 and 64).

        Raises:
            ProviderWireError: It would break whoever folds or encodes it.
            CallError: It tells that another model answers.
        """
        if self.complete:
            return False
        self.fed = True
        kind = type(event)
        if kind is PartDelta:
            self._delta(event)
            if self.said:
                return True  # the token's way: what was said had a beginning
        elif kind is Started:
            return self._start(event.model)
        elif kind is PartStarted:
            self._begin_part(event)
        elif kind is PartEnded:
            self._end_part(event.index)
        elif kind is Finished:
            if not self._finish(event.choice):
                return False
        elif kind is not UsageReported and (kind is not Passage or not self.outbound.passes):
            raise ProviderWireError(f"a flow cannot wish for a {kind.__name__}")
        if not self._started:
            raise ProviderWireError("the stream began without a beginning")
        if not self.said and is_content(event):
            self.said = True
            self._content_by = None
        return True

    def _delta(self, delta: PartDelta) -> None:
        if delta.index not in self.deltas:
            raise ProviderWireError(f"text for part {delta.index}, which takes none")
        self.produced += len(delta.text)

    def _start(self, model: str) -> bool:
        again = self._started
        self._started = True
        if not again:
            self.answered = model
        if not again and self._is_another(model):
            raise CallError(replace(WRONG_MODEL, message=f"answered as {model!r}"))
        return not again

    def _begin_part(self, started: PartStarted) -> None:
        index, part = started.index, started.part
        if index in self._parts:
            raise ProviderWireError(f"part {index} began twice")
        self._parts[index] = started.choice
        self._choices.add(started.choice)
        if isinstance(part, Text | Reasoning | Refusal):
            self.deltas.add(index)
            self.produced += len(part.text)
        elif isinstance(part, ToolUse):
            self.deltas.add(index)
            self.produced += len(part.arguments)

    def _end_part(self, index: int) -> None:
        if self._parts.pop(index, None) is None:
            raise ProviderWireError(f"part {index} ended and was not open")
        self.deltas.discard(index)

    def _finish(self, choice: int) -> bool:
        if choice in self._finished:
            return False
        self._finished.add(choice)
        self.complete = len(self._finished) >= max(len(self._choices), self._wanted)
        return True

    def is_whole_despite(self, error: Exception) -> bool:
        """Say whether the answer had come when its connection broke."""
        return self.complete and isinstance(error, TransportError)

    def failed(self, error: Exception, now: Instant) -> CallError:
        """Turn what went wrong into a verdict.

        Raises:
            AssertionError: A bug of ours, which no verdict shall hide.
        """
        if isinstance(error, AssertionError):
            raise error
        match error:
            case CallError():
                return error
            case TransportError(fault="idle" | "first_byte" | "connect_timeout" as fault):
                early = fault == "connect_timeout" and now < self._call.until
                verdict = classify_transport(fault) if early else self._expired(now)
            case TransportError():
                verdict = classify_transport(error.fault, begun=self._begun)
            case ProviderWireError():
                plain = verdicts.TRUNCATED if error.cut else verdicts.MALFORMED
                verdict = replace(plain, message=str(error))
            case ClientWireError():
                verdict = replace(verdicts.BAD_REQUEST, message=str(error))
            case ErrorInStream():
                verdict = by_dialect(error.report, "")
            case _:
                # A plugin's own exception: never shown, never raised, always looked at (31).
                verdict = replace(verdicts.WRONG_SHAPE, code=type(error).__name__)
        return CallError(verdict)

    def close(self) -> None:
        """Let the flow clean up; what it says in its last breath changes nothing."""
        try:
            self.flow.close()
        except AssertionError:
            raise
        except Exception:  # noqa: BLE001 - the verdict is known already
            return

    def _expired(self, now: Instant) -> Failure:
        """Say whose time is over: the run's, the answer's beginning, or the silence."""
        if now >= self._call.deadline_at:
            return Failure(kind=FailureClass.DEADLINE, message="the deadline of the request passed")
        late = verdicts.STALLED if self.said else verdicts.SLOW_START
        return replace(late, message="no data in time")
