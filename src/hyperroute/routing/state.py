"""The words of the attempt machine: what it remembers, what it is told, what it asks for.

Most events and actions are plain slotted dataclasses, not frozen: a dozen are built for every call, some
for every token, and freezing costs three times the construction. Nobody mutates them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal, NamedTuple

from hyperroute.canon.events import Delivery, Finished
from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.loss import Loss
from hyperroute.canon.quick import quick
from hyperroute.canon.units import Instant
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.catalog.pricing import owed, sheet_on
from hyperroute.routing.moves import Move
from hyperroute.routing.plan import Candidate, Plan
from hyperroute.routing.record import (
    Attempt,
    Barrier,
    Denial,
    Left,
    Outcome,
    PermitKind,
    Record,
    sane,
)
from hyperroute.routing.table import RetryBudget

_UNCHARGED = frozenset({FailureClass.NET_UNSENT})


class Phase(Enum):
    """Where the machine stands."""

    READY = auto()
    ASKING = auto()
    WAITING = auto()
    CALLING = auto()
    STREAMING = auto()
    DONE = auto()


# --- events: what the world tells the machine; every one carries its instant -----------------------
@dataclass(slots=True)
class Begin:
    """Go. ``unix_ns`` is for the record only."""

    at: Instant
    unix_ns: int = 0


@dataclass(slots=True)
class Told:
    """The answer to ``Ask``. ``why`` and ``until`` belong to a denial."""

    at: Instant
    granted: bool
    why: Barrier | None = None
    until: Instant | None = None


@dataclass(slots=True)
class Elapsed:
    """The wait is over."""

    at: Instant


@dataclass(slots=True)
class Arrived:
    """The open call produced an event."""

    at: Instant
    event: Delivery


@quick(frozen=True, slots=True)
class Kept:
    """What the machine reads of an answer that the driver kept, because our caller wants it whole.

    Its events, told one by one, would come to the same, and that takes longer.

    Attributes:
        usage: As reported last.
        finishes: The last of its events, as far as they are finishes.
        first_event_at: When the first event came.
        first_content_at: When the first content came.
    """

    usage: Usage
    finishes: tuple[Finished, ...]
    first_event_at: Instant | None
    first_content_at: Instant | None


@quick(frozen=True, slots=True)
class Heard:
    """What a driver knows of the open call beyond what it told event by event.

    Attributes:
        produced: Characters of answer that came.
        losses: What the upstream dialect could not say.
        kept: The answer, where nothing of it was told.
        answered: The model that the provider says answered, where it is clearly not the one asked.
    """

    produced: int = 0
    losses: tuple[Loss, ...] = ()
    kept: Kept | None = None
    answered: str | None = None


NOTHING_HEARD = Heard()


@dataclass(slots=True)
class Ended:
    """The open call came to its good end."""

    at: Instant
    heard: Heard = NOTHING_HEARD


@dataclass(slots=True)
class Failed:
    """The open call failed."""

    at: Instant
    failure: Failure
    heard: Heard = NOTHING_HEARD


@dataclass(slots=True)
class Abandoned:
    """Our caller hung up. ``drained``: the open call was heard to its good end all the same."""

    at: Instant
    heard: Heard = NOTHING_HEARD
    drained: bool = False


Event = Begin | Told | Elapsed | Arrived | Ended | Failed | Abandoned


# --- actions: what the machine asks of the world ---------------------------------------------------
@dataclass(slots=True, kw_only=True)
class Permit:
    """An attempt that wants to be made.

    Attributes:
        kind: A retry does not mind the cool-down that its own failure caused; a last resort minds
            none but a verdict on its key.
        at: When it would start.
        charge: What it takes from the provider's retry budget, in hundredths of a retry.
    """

    offer: str
    provider: str
    model: str
    credential: str
    kind: PermitKind
    at: Instant
    charge: int = 0
    budget: RetryBudget = RetryBudget()


@dataclass(slots=True)
class Ask:
    """Answer with ``Told``: breakers, cool-downs and retry budgets are shared by all runs."""

    permit: Permit


@dataclass(slots=True)
class Wait:
    """Come back with ``Elapsed`` at this instant."""

    until: Instant


@dataclass(slots=True, kw_only=True)
class Call:
    """Open a conversation; give it up at ``until``, which is the run's own end or earlier."""

    number: int
    candidate: Candidate
    credential: str
    until: Instant
    deadline_at: Instant


@dataclass(slots=True)
class Cancel:
    """Close the open call."""

    number: int


@dataclass(slots=True)
class Note:
    """Let health know how an attempt ended: exactly one for each ``Call``."""

    attempt: Attempt


@dataclass(slots=True)
class Deliver:
    """Hand this to our caller; it cannot be taken back."""

    event: Delivery


@dataclass(slots=True)
class Finish:
    """The last action, exactly once (invariant 24). A ``Record`` came before it."""

    outcome: Outcome
    failure: Failure | None = None


Action = Ask | Wait | Call | Cancel | Note | Record | Deliver | Finish


# --- memory ----------------------------------------------------------------------------------------
class Held(NamedTuple):
    """What is held back, last first: adding one costs the same however many there are."""

    before: Held | None
    event: Delivery

    @staticmethod
    def unfold(held: Held | None) -> tuple[Delivery, ...]:
        """Return the events in the order they came."""
        events: list[Delivery] = []
        while held is not None:
            events.append(held.event)
            held = held.before
        events.reverse()
        return tuple(events)


@quick(frozen=True, kw_only=True)
class State:
    """Everything the machine remembers. Frozen: a state can be kept, compared and replayed.

    Not slotted: a dict is copied whole, which makes the next state at a tenth of the price of
    ``dataclasses.replace``, and one is made for most events.

    Attributes:
        whole: Our caller wants no stream, so that nothing is delivered before the end.
        until: The run's deadline.
        move: The attempt asked for, waited for or open.
        wake_at: When ``move`` starts.
        number: Of the last attempt that was opened.
        failure: Of the last attempt that failed.
        finishes: Held until the body has ended well.
    """

    plan: Plan
    request_id: str = ""
    phase: Phase = Phase.READY
    whole: bool = False
    began_at: Instant = 0
    began_unix_ns: int = 0
    until: Instant = 0
    move: Move | None = None
    wake_at: Instant = 0
    number: int = 0
    failure: Failure | None = None
    started_at: Instant = 0
    first_event_at: Instant | None = None
    first_content_at: Instant | None = None
    held: Held | None = None
    held_size: int = 0
    finishes: tuple[Finished, ...] = ()
    usage: Usage = NO_USAGE
    attempts: tuple[Attempt, ...] = ()
    denials: tuple[Denial, ...] = ()

    def but(self, **changes: Any) -> State:
        """Return this state with some fields changed; ``dataclasses.replace``, only faster."""
        made = object.__new__(State)
        object.__setattr__(made, "__dict__", self.__dict__ | changes)
        return made

    @property
    def answer(self) -> tuple[Delivery, ...]:
        """What is held back, in the order it came, with its finishes."""
        return (*Held.unfold(self.held), *self.finishes)


Step = tuple[State, tuple[Action, ...]]


def attempt_of(
    state: State, at: Instant, failure: Failure | None, heard: Heard = NOTHING_HEARD
) -> Attempt:
    """Write down the open call as over."""
    move = state.move
    assert move is not None
    candidate = state.plan.candidates[move.trail.position]
    usage = _usage_of(state, heard.produced)
    return Attempt(
        number=state.number,
        offer=candidate.offer.id,
        provider=candidate.offer.provider,
        model=candidate.offer.model,
        credential=move.trail.credential,
        kind=move.kind,
        waited_ns=move.wait_ns,
        started_at=state.started_at,
        ended_at=at,
        first_event_at=state.first_event_at,
        first_content_at=state.first_content_at,
        failure=failure,
        usage=usage,
        cost=_cost_of(state, candidate, usage, failure),
        losses=heard.losses,
        answered=heard.answered,
    )


def record_of(  # noqa: PLR0917 - one column of the record each
    state: State,
    at: Instant,
    outcome: Outcome,
    failure: Failure | None,
    last: Attempt | None,
    left: Left | None = None,
) -> Record:
    """Write down the run as over; ``last`` is the attempt that ended with it."""
    plan = state.plan
    request = plan.request
    delivered = last is not None and (outcome == "served" or last.first_content_at is not None)
    return Record(
        request_id=state.request_id,
        digest=plan.table.digest,
        seed=plan.seed,
        asked=request.model or request.intent or "",
        name=plan.name,
        via=plan.via,
        pinned=plan.pinned,
        kind=request.kind,
        dialect=request.dialect,
        stream=request.stream,
        candidates=tuple([candidate.offer.id for candidate in plan.candidates]),
        attempts=state.attempts if last is None else (*state.attempts, last),
        denials=state.denials,
        outcome=outcome,
        failure=failure,
        left=left,
        refusal=plan.refusal.code if plan.refusal is not None else None,
        served=last.offer if last is not None and delivered else None,
        scale=plan.table.scale,
        began_unix_ns=state.began_unix_ns,
        began_at=state.began_at,
        ended_at=at,
    )


def _usage_of(state: State, produced: int) -> Usage:
    """Take what the provider reported; estimate an answer that came without (invariant 42)."""
    usage = state.usage
    if not produced or usage.output_tokens is not None or usage != NO_USAGE:
        return sane(usage)
    return Usage(
        input_tokens=state.plan.input_tokens, output_tokens=-(-produced // 4), estimated=True
    )


def _cost_of(
    state: State, candidate: Candidate, usage: Usage, failure: Failure | None
) -> int | None:
    """Price an attempt exactly; unknown where a provider may have worked without telling."""
    unknown = failure is not None and failure.status is None and failure.kind not in _UNCHARGED
    sheet = sheet_on(candidate.offer.price, state.plan.answers.day)
    if sheet is None or (unknown and usage == NO_USAGE):
        return None if unknown or failure is None else 0
    served = failure is None
    cut = not served and state.first_content_at is not None
    ended: Literal["served", "cut", "failed"] = "served" if served else "cut" if cut else "failed"
    parameters = state.plan.request.parameters
    if candidate.parameters:
        names = {upstream: name for name, upstream in candidate.offer.fields.items()}
        filled = {names.get(name, name): value for name, value in candidate.parameters.items()}
        parameters = {**parameters, **filled}
    return owed(usage, sheet, parameters, ended=ended)
