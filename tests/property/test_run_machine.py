"""The machine by itself: total over any events in any order, and silent once it has finished."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.content import Text, ToolUse
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
    is_content,
)
from hyperroute.canon.failure import Failure, FailureClass, Reaction
from hyperroute.canon.units import SECOND
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.routing.attempt import step
from hyperroute.routing.record import Record
from hyperroute.routing.state import (
    NOTHING_HEARD,
    Abandoned,
    Action,
    Arrived,
    Ask,
    Begin,
    Call,
    Deliver,
    Elapsed,
    Ended,
    Event,
    Failed,
    Finish,
    Heard,
    Kept,
    Note,
    Phase,
    State,
    Told,
    Wait,
)
from hyperroute.testing.runs import candidate, plan_of

EVENTS = st.sampled_from(
    [
        Started("i", "m"),
        PartStarted(0, Text()),
        PartStarted(1, ToolUse(id="1", name="f")),
        PartDelta(0, "x"),
        PartDelta(0, ""),
        PartEnded(0),
        UsageReported(Usage(output_tokens=-3)),
        Finished("stop"),
        Finished("stop", choice=1),
    ]
)
failures = st.builds(
    Failure,
    kind=st.sampled_from(FailureClass),
    hint_ns=st.none() | st.integers(-SECOND, 10_000 * SECOND),
    pushback=st.booleans(),
    advice=st.none() | st.sampled_from(Reaction),
    health=st.sampled_from(["counts", "half", "neutral"]),
)
at = st.integers(0, 400 * SECOND)
barriers = st.sampled_from(["breaker", "probing", "offer", "credential", "budget"])
events = st.one_of(
    st.builds(Begin, at),
    st.builds(Told, at, st.just(True)),
    st.builds(Told, at, st.just(False), barriers, st.none() | at),
    st.builds(Elapsed, at),
    st.builds(Arrived, at, EVENTS),
    st.builds(Arrived, at, EVENTS),
    st.builds(Ended, at, st.builds(Heard, st.integers(0, 100))),
    st.builds(Failed, at, failures),
    st.builds(Failed, at, failures),
    st.builds(Abandoned, at),
)
plans = st.builds(
    lambda hosts, stream: plan_of(
        *(candidate(f"m@{host}", keys=keys) for host, keys in hosts), stream=stream
    ),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=3, unique_by=lambda h: h[0]),
    st.booleans(),
)  # fmt: skip
histories = st.lists(events, max_size=40).map(lambda them: sorted(them, key=lambda one: one.at))


def walked(plan, history: list[Event]):
    state = State(plan=plan, request_id="r")
    actions: list[Action] = []
    for event in history:
        state, more = step(state, event)
        actions += more
    return state, actions


@given(plans, histories)
def test_invariant_31_step_is_total_and_ends_once(plan, history):
    state, actions = walked(plan, history)
    kinds = [type(action) for action in actions]
    assert kinds.count(Finish) == kinds.count(Record) == (state.phase is Phase.DONE)
    if state.phase is Phase.DONE:
        assert kinds[-1] is Finish
    assert kinds.count(Note) == kinds.count(Call) - (
        state.phase in {Phase.CALLING, Phase.STREAMING}
    )


@given(plans, histories)
def test_every_call_was_asked_for_and_granted(plan, history):
    _, actions = walked(plan, history)
    calls = sum(isinstance(action, Call) for action in actions)
    asks = sum(isinstance(action, Ask) for action in actions)
    assert calls <= asks
    assert sum(isinstance(action, Wait) for action in actions) <= asks


@given(plans, histories)
def test_effects_come_before_deliveries_in_every_batch(plan, history):
    state = State(plan=plan, request_id="r")
    for event in history:
        state, actions = step(state, event)
        effects = [n for n, action in enumerate(actions) if isinstance(action, Note | Record)]
        deliveries = [n for n, action in enumerate(actions) if isinstance(action, Deliver)]
        if effects and deliveries:
            assert max(effects) < min(deliveries)


@given(plans, histories)
def test_a_step_is_pure(plan, history):
    state = State(plan=plan, request_id="r")
    for event in history:
        kept = replace(state)
        once, again = step(state, event), step(state, event)
        assert once == again
        assert state == kept
        state = once[0]


@given(plans, histories, st.integers(0, 3), st.text(max_size=5))
def test_the_drivers_short_cut_says_what_step_says(plan, history, index, text):
    """A ``PartDelta`` in mid stream goes to the caller without a step (``Run.streaming``)."""
    state, _ = walked(plan, history)
    delta = PartDelta(index, text)
    after, actions = step(state, Arrived(500 * SECOND, delta))
    if state.phase is Phase.STREAMING and not state.finishes:
        assert after is state
        assert actions == (Deliver(delta),)


@given(plans, histories)
def test_invariant_42_no_count_in_a_record_is_below_zero(plan, history):
    _, actions = walked(plan, history)
    for action in actions:
        if isinstance(action, Note):
            assert (action.attempt.usage.output_tokens or 0) >= 0


@given(st.lists(EVENTS, max_size=12), st.sampled_from(["end", "fail", "leave"]))
def test_a_whole_answer_told_at_once_is_the_same_as_told_one_by_one(parts, last):
    """The drivers keep the events of a whole answer themselves (``Conversation.keep``)."""
    plan = plan_of(candidate("m@a"), candidate("m@b"), stream=False)
    state, _ = walked(plan, [Begin(5), Told(5, granted=True)])
    one = state
    for part in parts:
        one, actions = step(one, Arrived(7, part))
        assert actions == ()
    content = any(is_content(part) for part in parts)
    first = 7 if any(not isinstance(part, Finished) for part in parts) else None
    usage = [part.usage for part in parts if isinstance(part, UsageReported)]
    finishes = tuple(takewhile(lambda part: isinstance(part, Finished), reversed(parts)))[::-1]
    kept = Kept(usage[-1] if usage else NO_USAGE, finishes, first, 7 if content else None)
    heard = Heard(kept=kept)

    def ended(with_what: Heard) -> Event:
        match last:
            case "end":
                return Ended(9, with_what)
            case "fail":
                return Failed(9, Failure(kind=FailureClass.TRUNCATED), with_what)
            case _:
                return Abandoned(9, with_what)

    told_singly = step(one, ended(NOTHING_HEARD))
    told_at_once = step(state, ended(heard))
    assert told_singly[1] == told_at_once[1]
    assert told_singly[0].finishes == told_at_once[0].finishes
