"""Plan x events -> actions: the attempt machine. All that decides what happens next is in here.

It knows no socket, no thread, no clock and no dice: instants come in on events, and draws are
hashes. ``step`` is total: any event in any phase gives a next state, and after ``Finish`` only
silence. The table is played row by row in the tests.

    phase      event                    -> phase      actions
    READY      Begin                       ASKING     Ask
    READY      Begin, empty plan           DONE       Record, Finish(refused)
    ASKING     Told, granted               CALLING    Call
    ASKING     Told, granted for later     WAITING    Wait
    ASKING     Told, denied                ASKING     Ask
    ASKING     Told, denied, none left     DONE       Record, Finish(refused)
    ASKING     Told, denied after failure  DONE       Record, Finish(exhausted)
    WAITING    Elapsed                     CALLING    Call
    CALLING    Arrived(Started)            CALLING
    CALLING    Arrived(UsageReported)      CALLING
    CALLING    Arrived(content)            STREAMING  Deliver, Deliver
    CALLING    Arrived(content), whole     CALLING
    CALLING    Ended                       DONE       Note, Record, Deliver, Deliver, Finish(served)
    CALLING    Ended, whole                DONE       Note, Record, Finish(served)
    CALLING    Failed, retry               ASKING     Note, Ask
    CALLING    Failed, next                ASKING     Note, Ask
    CALLING    Failed, stop                DONE       Note, Record, Finish(exhausted)
    STREAMING  Arrived(PartDelta)          STREAMING  Deliver
    STREAMING  Arrived(Finished)           STREAMING
    STREAMING  Ended                       DONE       Note, Record, Deliver, Finish(served)
    STREAMING  Failed                      DONE       Note, Record, Finish(interrupted)
    CALLING    Abandoned                   DONE       Cancel, Note, Record, Finish(abandoned)
    STREAMING  Abandoned                   DONE       Cancel, Note, Record, Finish(abandoned)
    WAITING    Abandoned                   DONE       Record, Finish(abandoned)
    DONE       any                         DONE

*Commit* is the first content: a delta with text, a part that begins with something in it (a tool
call's name is something), a part that ends with something in it. Until then everything is held back
and failing over is invisible; from then on a failure is an honest interruption. ``whole``: a caller
that did not ask for a stream gets its answer when the run has finished, so nothing is ever committed
before, and the driver may keep it (``Heard.kept``).

A ``Finished`` is held until the provider's body has ended well: a cut is never written as a finish.
Effects come before deliveries: a caller who hangs up on the last event it wanted must not take the
record with it.
"""

from __future__ import annotations

from dataclasses import replace

from hyperroute.canon.events import (
    Delivery,
    Finished,
    PartDelta,
    UsageReported,
    is_content,
)
from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.units import MILLISECOND, SECOND, Instant
from hyperroute.canon.usage import NO_USAGE
from hyperroute.routing.moves import Move, following, opening, sidestep
from hyperroute.routing.plan import Plan
from hyperroute.routing.quotas import tolls
from hyperroute.routing.record import Denial, Left, Outcome
from hyperroute.routing.recording import attempt_of, record_of
from hyperroute.routing.state import (
    Abandoned,
    Action,
    Arrived,
    Ask,
    Begin,
    Call,
    Cancel,
    Deliver,
    Elapsed,
    Ended,
    Event,
    Failed,
    Finish,
    Heard,
    Held,
    Note,
    Permit,
    Phase,
    State,
    Step,
    Told,
    Wait,
)
from hyperroute.routing.table import ATTEMPTS_CEILING

MIN_USEFUL_NS = SECOND
"""No attempt starts with less time left, or a tenth of the deadline if that is less (invariant 16)."""

ANSWER_NS = 50 * MILLISECOND
"""Kept back from every attempt for the final answer (reliability.md, 5.6)."""

WHOLE_SIZE_MAX = 64 * 1024 * 1024
"""An answer that is held back whole may not grow beyond this."""


_HELD_EVENT_SIZE = 64
"""What an event without text counts against the hold."""


def step(state: State, event: Event) -> Step:
    """Advance by one event."""
    match event:
        case Arrived():
            return _arrived(state, event.at, event.event)
        case Ended():
            return _ended(state, event)
        case Failed():
            return _failed(state, event)
        case Told():
            return _told(state, event)
        case Elapsed():
            return _call(state, event.at) if state.phase is Phase.WAITING else (state, ())
        case Begin():
            return _begin(state, event)
        case Abandoned():
            return _abandoned(state, event)


def min_useful_ns(plan: Plan) -> int:
    """Return the least time an attempt must have left to be worth making."""
    return min(MIN_USEFUL_NS, plan.deadline_ns // 10)


def _begin(state: State, event: Begin) -> Step:
    if state.phase is not Phase.READY:
        return state, ()
    plan = state.plan
    began = state.but(
        began_at=event.at,
        began_unix_ns=event.unix_ns,
        until=event.at + plan.deadline_ns,
        whole=not plan.request.stream,
    )
    return _ask(began, event.at, opening(plan) if plan.refusal is None else None, ())


# --- permits -------------------------------------------------------------------------------------
def _ask(state: State, at: Instant, move: Move | None, before: tuple[Action, ...]) -> Step:
    """Ask whether a move may be made, if there are attempts and time left for it."""
    while move is not None:
        if len(state.attempts) >= min(state.plan.attempts_max, ATTEMPTS_CEILING):
            return _over(state, at, before)
        starts_at = at + move.wait_ns
        if starts_at + min_useful_ns(state.plan) <= state.until:
            return _asking(state, move, starts_at, before)
        if move.kind != "retry":
            return _over(state, at, before, late=True)
        # The wait does not fit; what lies behind it may need none (invariant 17).
        move = sidestep(state.plan, move, "budget", state.failure)
    return _last_resort(state, at, before)


def _asking(state: State, move: Move, starts_at: Instant, before: tuple[Action, ...]) -> Step:
    candidate = state.plan.candidates[move.trail.position]
    permit = Permit(
        offer=candidate.offer.id,
        provider=candidate.offer.provider,
        model=candidate.offer.model,
        credential=move.trail.credential,
        kind=move.kind,
        at=starts_at,
        charge=move.charge,
        budget=state.plan.rules.budget,
        tolls=tolls(
            state.plan,
            candidate,
            move.trail.credential,
            at=starts_at,
            unix_ns=state.began_unix_ns + starts_at - state.began_at,
        ),
    )
    asking = state.but(phase=Phase.ASKING, move=move, wake_at=starts_at)
    return asking, (*before, Ask(permit))


def _last_resort(state: State, at: Instant, before: tuple[Action, ...]) -> Step:
    """Where everything was blocked and nothing was tried, try the first thing once (invariant 22)."""
    tried = state.attempts or state.move is None or state.move.kind == "last_resort"
    move = opening(state.plan)
    if tried or move is None:
        return _over(state, at, before)
    return _asking(state, replace(move, kind="last_resort"), at, before)


def _told(state: State, event: Told) -> Step:
    move = state.move
    if state.phase is not Phase.ASKING or move is None:
        return state, ()
    if event.granted:
        if state.wake_at <= event.at:
            return _call(state, event.at)
        return state.but(phase=Phase.WAITING), (Wait(state.wake_at),)
    assert event.why is not None
    offer = state.plan.candidates[move.trail.position].offer.id
    denied = state.but(denials=(*state.denials, Denial(offer, event.why, event.until)))
    return _ask(denied, event.at, sidestep(state.plan, move, event.why, state.failure), ())


def _call(state: State, at: Instant) -> Step:
    move = state.move
    assert move is not None
    if at + min_useful_ns(state.plan) > state.until:
        return _over(state, at, (), late=True)  # the clock slept longer than it was told to
    candidate = state.plan.candidates[move.trail.position]
    until = state.until - min(ANSWER_NS, state.plan.deadline_ns // 20)
    total_ns = candidate.timeouts.total_ns
    opened = state.but(
        phase=Phase.CALLING,
        number=state.number + 1,
        started_at=at,
        first_event_at=None,
        first_content_at=None,
        held=None,
        held_size=0,
        finishes=(),
        usage=NO_USAGE,
    )
    call = Call(
        number=opened.number,
        candidate=candidate,
        credential=move.trail.credential,
        until=until if total_ns is None else min(until, at + total_ns),
        deadline_at=until,
    )
    return opened, (call,)


# --- an open call --------------------------------------------------------------------------------
def _arrived(state: State, at: Instant, event: Delivery) -> Step:
    if state.phase is Phase.STREAMING:
        if isinstance(event, Finished):
            return state.but(finishes=(*state.finishes, event)), ()
        if isinstance(event, UsageReported):
            state = state.but(usage=event.usage)
        if not state.finishes:
            return state, (Deliver(event),)  # the hot path: no new state for one more token
        finished = tuple(Deliver(finish) for finish in state.finishes)
        return state.but(finishes=()), (*finished, Deliver(event))
    if state.phase is not Phase.CALLING:
        return state, ()
    return _held_back(state, at, event)


def _held_back(state: State, at: Instant, event: Delivery) -> Step:
    """Hold an event back, unless it commits."""
    if isinstance(event, Finished):
        return state.but(finishes=(*state.finishes, event)), ()
    held = state.held
    for finish in state.finishes:
        held = Held(held, finish)
    size = len(event.text) if isinstance(event, PartDelta) else _HELD_EVENT_SIZE
    content = is_content(event)
    rules = state.plan.rules
    state = state.but(
        held=Held(held, event),
        held_size=state.held_size + size,
        finishes=(),
        usage=event.usage if isinstance(event, UsageReported) else state.usage,
        first_event_at=at if state.first_event_at is None else state.first_event_at,
        first_content_at=at
        if content and state.first_content_at is None
        else state.first_content_at,
    )
    if state.whole:
        if state.held_size > WHOLE_SIZE_MAX:
            return _failed(state, Failed(at, _too_large()))
        return state, ()
    if content or rules.commit == "first_byte" or state.held_size > rules.hold_bytes:
        delivered = tuple(Deliver(event) for event in Held.unfold(state.held))
        return state.but(phase=Phase.STREAMING, held=None), delivered
    return state, ()


def _ended(state: State, event: Ended) -> Step:
    if state.phase is not Phase.CALLING and state.phase is not Phase.STREAMING:
        return state, ()
    state = _heard(state, event.heard)
    if not state.finishes:
        return _failed(state, Failed(event.at, _cut(), replace(event.heard, kept=None)))
    attempt = attempt_of(state, event.at, None, event.heard)
    record = record_of(state, event.at, "served", None, attempt)
    if state.whole:
        return state.but(phase=Phase.DONE), (Note(attempt), record, Finish("served"))
    delivered = tuple(Deliver(held) for held in state.answer)
    return _done(state), (Note(attempt), record, *delivered, Finish("served"))


def _failed(state: State, event: Failed) -> Step:
    if state.phase is Phase.STREAMING:
        attempt = attempt_of(state, event.at, event.failure, event.heard)
        record = record_of(state, event.at, "interrupted", event.failure, attempt)
        return _done(state), (Note(attempt), record, Finish("interrupted", event.failure))
    move = state.move
    if state.phase is not Phase.CALLING or move is None:
        return state, ()
    state = _heard(state, event.heard)
    heard = replace(event.heard, produced=0) if event.heard.produced else event.heard
    attempt = attempt_of(state, event.at, event.failure, heard)
    state = state.but(
        attempts=(*state.attempts, attempt),
        failure=event.failure,
        held=None,
        finishes=(),
        wake_at=event.at,
    )
    draw_from = (state.plan.seed, state.request_id, state.number)
    onwards = following(state.plan, move.trail, event.failure, draw_from=draw_from)
    return _ask(state, event.at, onwards, (Note(attempt),))


def _heard(state: State, heard: Heard) -> State:
    """Take what a driver kept of a whole answer, as if it had told the events one by one."""
    kept = heard.kept
    if kept is None or not state.whole:
        return state
    return state.but(
        finishes=kept.finishes,
        usage=kept.usage,
        first_event_at=kept.first_event_at,
        first_content_at=kept.first_content_at,
    )


# --- ends ----------------------------------------------------------------------------------------
def _over(state: State, at: Instant, before: tuple[Action, ...], *, late: bool = False) -> Step:
    """Finish without an answer; time that ran out counts as the reason only if nothing else does."""
    failure = state.failure
    if failure is None and late:
        failure = Failure(kind=FailureClass.DEADLINE)
    outcome: Outcome = "exhausted" if state.attempts else "refused"
    record = record_of(state, at, outcome, failure, None)
    return _done(state), (*before, record, Finish(outcome, failure))


def _abandoned(state: State, event: Abandoned) -> Step:
    if state.phase is Phase.DONE:
        return state, ()
    gone = Failure(kind=FailureClass.CLIENT_GONE)
    if state.phase is Phase.READY:
        state = state.but(began_at=event.at)
    if state.phase is not Phase.CALLING and state.phase is not Phase.STREAMING:
        record = record_of(state, event.at, "abandoned", gone, None)
        return _done(state), (record, Finish("abandoned", gone))
    state = _heard(state, event.heard)
    attempt = attempt_of(state, event.at, gone, event.heard)
    left: Left = "drained" if event.drained else "cancelled"
    record = record_of(state, event.at, "abandoned", gone, attempt, left)
    return _done(state), (Cancel(state.number), Note(attempt), record, Finish("abandoned", gone))


def _done(state: State) -> State:
    return state.but(phase=Phase.DONE, held=None, finishes=())


def _cut() -> Failure:
    return Failure(
        kind=FailureClass.TRUNCATED, message="the flow ended before its finish", health="counts"
    )


def _too_large() -> Failure:
    return Failure(
        kind=FailureClass.MALFORMED_OUTPUT,
        message=f"the answer grew beyond {WHOLE_SIZE_MAX} characters",
        health="counts",
    )


__all__ = ["ANSWER_NS", "MIN_USEFUL_NS", "WHOLE_SIZE_MAX", "min_useful_ns", "step"]
