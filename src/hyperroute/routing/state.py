"""The words of the attempt machine: what it remembers, what it is told, what it asks for.

Most events and actions are plain slotted dataclasses, not frozen: a dozen are built for every call, some
for every token, and freezing costs three times the construction. Nobody mutates them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from hyperroute.canon.events import Delivery, Finished
from hyperroute.canon.failure import Failure
from hyperroute.canon.loss import Loss
from hyperroute.canon.quick import quick
from hyperroute.canon.units import Instant
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.routing.moves import Move
from hyperroute.routing.plan import Candidate, Plan
from hyperroute.routing.quotas import Toll
from hyperroute.routing.record import (
    Attempt,
    Barrier,
    Denial,
    Outcome,
    PermitKind,
    Record,
)
from hyperroute.routing.table import RetryBudget


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
    """The answer to ``Ask``. ``why`` and ``until`` belong to a denial.

    ``unleased``: it is denied only for want of the lease of the one probe over all replicas, which
    whoever waits can ask for; the machine is not told so before.
    """

    at: Instant
    granted: bool
    why: Barrier | None = None
    until: Instant | None = None
    unleased: bool = False


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
        tolls: What it takes from limits of the table.
    """

    offer: str
    provider: str
    model: str
    credential: str
    kind: PermitKind
    at: Instant
    charge: int = 0
    budget: RetryBudget = RetryBudget()
    tolls: tuple[Toll, ...] = ()


@dataclass(slots=True)
class Ask:
    """Answer with ``Told``: breakers, cool-downs, budgets and limits are shared by all runs."""

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
