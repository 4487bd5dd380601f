"""The machine's table is its docstring, and every row of it is played here."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hyperroute.canon.content import Reasoning, Sealed, Text, ToolUse
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Passage,
    Started,
    StreamEvent,
    UsageReported,
    is_content,
)
from hyperroute.canon.failure import Failure, FailureClass, Reaction
from hyperroute.canon.units import MINUTE, SECOND
from hyperroute.canon.usage import Usage
from hyperroute.routing import attempt
from hyperroute.routing.attempt import step
from hyperroute.routing.record import Record
from hyperroute.routing.state import (
    Abandoned,
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
    Note,
    Phase,
    State,
    Told,
    Wait,
)
from hyperroute.routing.table import Rules
from hyperroute.testing.runs import candidate, plan_of

AT = 1_000 * SECOND
CONTENT = PartDelta(0, "hello")
RETRY = Failure(kind=FailureClass.SERVER_ERROR, health="counts")
NEXT = Failure(kind=FailureClass.RATE_LIMITED)
STOP = Failure(kind=FailureClass.BAD_REQUEST)

ROWS = [
    [cell.strip() for cell in re.split(r"  +|->", line.strip()) if cell.strip()]
    for line in (attempt.__doc__ or "").splitlines()
    if re.match(r"    (?:READY|ASKING|WAITING|CALLING|STREAMING|DONE)\s", line)
]


def state_in(phase: str, *, whole: bool = False) -> State:
    """Bring a machine into a phase by nothing but events."""
    plan = plan_of(candidate("m@a", keys=2), candidate("m@b"), stream=not whole)
    state, _ = State(plan=plan, request_id="r"), ()
    if phase == "READY":
        return state
    state, _ = step(state, Begin(AT))
    if phase == "ASKING":
        return state
    state, _ = step(state, Told(AT, granted=True))
    if phase == "WAITING":
        state, _ = step(state, Failed(AT, RETRY))
        state, _ = step(state, Told(AT, granted=True))
    if phase in {"STREAMING", "DONE"}:
        state, _ = step(state, Arrived(AT, Started("i", "m")))
        state, _ = step(state, Arrived(AT, CONTENT))
    if phase == "DONE":
        state, _ = step(state, Abandoned(AT))
    assert state.phase.name == phase
    return state


def played(phase: str, event: str) -> tuple[State, tuple[object, ...]]:
    """Play the left half of a row."""
    state = state_in(phase, whole="whole" in event)
    if phase == "READY" and "empty plan" in event:
        return step(State(plan=plan_of(), request_id="r"), Begin(AT))
    if phase == "ASKING" and "later" in event:
        state, _ = step(state_in("CALLING"), Failed(AT, RETRY))
    if "none left" in event:
        for _ in range(3):  # a, b, then the last resort: a, b
            state, _actions = step(state, Told(AT, granted=False, why="breaker"))
        return step(state, Told(AT, granted=False, why="breaker"))
    if "after failure" in event:
        state, _ = step(state_in("CALLING"), Failed(AT, NEXT))
    if event.startswith("Ended"):
        opening: list[StreamEvent] = [Started("i", "m")] if phase == "CALLING" else []
        for part in (*opening, Finished("stop")):
            state, _ = step(state, Arrived(AT, part))
    word = event.partition(",")[0]
    happened: dict[str, Event] = {
        "Begin": Begin(AT),
        "Told": Told(AT, granted="granted" in event, why=None if "granted" in event else "breaker"),
        "Elapsed": Elapsed(AT + MINUTE),
        "Arrived(Started)": Arrived(AT, Started("i", "m")),
        "Arrived(UsageReported)": Arrived(AT, UsageReported(Usage(input_tokens=1))),
        "Arrived(content)": Arrived(AT, CONTENT),
        "Arrived(PartDelta)": Arrived(AT, PartDelta(0, "more")),
        "Arrived(Finished)": Arrived(AT, Finished("stop")),
        "Ended": Ended(AT),
        "Failed": Failed(AT, {"retry": RETRY, "next": NEXT, "stop": STOP}.get(event[8:], RETRY)),
        "Abandoned": Abandoned(AT),
        "any": Failed(AT, RETRY),
    }
    if event == "Arrived(content)":
        state, _ = step(state, Arrived(AT, Started("i", "m")))
    return step(state, happened[word])


def test_the_table_is_there():
    assert len(ROWS) == 25
    assert {row[0] for row in ROWS} == {phase.name for phase in Phase}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:2]))
def test_every_row_of_the_table_plays_as_it_says(row):
    phase, event, after, *actions = row
    state, got = played(phase, event)
    assert state.phase.name == after
    assert [name_of(action) for action in got] == (actions[0].split(", ") if actions else [])


def name_of(action):
    return f"Finish({action.outcome})" if isinstance(action, Finish) else type(action).__name__


def test_a_streaming_delta_returns_the_same_state():
    state = state_in("STREAMING")
    assert step(state, Arrived(AT, PartDelta(0, "x")))[0] is state


def test_frames_that_say_nothing_wait_like_any_event_and_then_go_out():
    news = Passage(b"data: {}\n\n")
    state, actions = step(state_in("CALLING"), Arrived(AT, news))
    assert actions == ()
    _, actions = step(state, Arrived(AT, CONTENT))
    assert actions[-2:] == (Deliver(news), Deliver(CONTENT))
    streaming = state_in("STREAMING")
    assert step(streaming, Arrived(AT, news)) == (streaming, (Deliver(news),))


def test_the_first_attempt_waits_for_nothing_and_has_the_deadline_less_the_answers_share():
    plan = plan_of(candidate("m@a"))
    _, (ask,) = step(State(plan=plan), Begin(AT))
    assert isinstance(ask, Ask)
    assert (ask.permit.kind, ask.permit.at, ask.permit.charge) == ("first", AT, 0)
    state, _ = step(State(plan=plan), Begin(AT))
    _, (call,) = step(state, Told(AT, granted=True))
    assert isinstance(call, Call)
    assert call.until == call.deadline_at == AT + plan.deadline_ns - attempt.ANSWER_NS


def test_nothing_is_delivered_before_content_and_everything_with_it_in_order():
    state = state_in("CALLING")
    early: list[StreamEvent] = [
        Started("i", "m"),
        UsageReported(Usage(input_tokens=3)),
        PartStarted(0, Text()),
    ]
    for event in early:
        state, actions = step(state, Arrived(AT, event))
        assert actions == ()
    _, actions = step(state, Arrived(AT, CONTENT))
    assert actions == tuple(map(Deliver, [*early, CONTENT]))


@pytest.mark.parametrize(
    ("event", "content"),
    [
        (Started("i", "m"), False),
        (PartStarted(0, Text()), False),
        (PartStarted(0, Reasoning()), False),
        (PartStarted(0, Text("said")), True),
        (PartStarted(0, ToolUse(id="1", name="f")), True),
        (PartStarted(0, Reasoning(sealed=Sealed("encrypted", "x"))), True),
        (PartDelta(0, ""), False),
        (PartDelta(0, "x"), True),
        (PartEnded(0), False),
        (PartEnded(0, sealed=Sealed("signature", "x")), True),
        (UsageReported(Usage()), False),
        (Finished("stop"), False),
        (Passage(b"data: {}\n\n"), False),
    ],
)
def test_content_is_what_gives_the_caller_something_of_the_answer(event, content):
    assert is_content(event) is content


def test_a_policy_may_commit_at_the_first_byte():
    plan = plan_of(candidate("m@a"), rules=Rules(commit="first_byte"))
    state, _ = step(State(plan=plan), Begin(AT))
    state, _ = step(state, Told(AT, granted=True))
    state, actions = step(state, Arrived(AT, Started("i", "m")))
    assert state.phase is Phase.STREAMING
    assert actions == (Deliver(Started("i", "m")),)


def test_what_is_held_back_is_bounded():
    plan = plan_of(candidate("m@a"), rules=Rules(hold_bytes=200))
    state, _ = step(State(plan=plan), Begin(AT))
    state, _ = step(state, Told(AT, granted=True))
    delivered: tuple[object, ...] = ()
    for number in range(4):
        state, delivered = step(state, Arrived(AT, UsageReported(Usage(input_tokens=number))))
    assert len(delivered) == 4


def test_a_whole_answer_that_grows_without_end_fails_the_attempt():
    state = state_in("CALLING", whole=True)
    piece = PartDelta(0, "x" * (attempt.WHOLE_SIZE_MAX // 4))
    seen: list[object] = []
    for _ in range(6):
        state, actions = step(state, Arrived(AT, piece))
        seen += actions
    assert [type(action) for action in seen] == [Note, Ask]


def test_a_whole_answer_may_be_exactly_as_large_as_allowed():
    state = state_in("CALLING", whole=True)
    state, actions = step(state, Arrived(AT, PartDelta(0, "x" * attempt.WHOLE_SIZE_MAX)))
    assert actions == ()
    _, actions = step(state, Arrived(AT, PartDelta(0, "x")))
    assert [type(action) for action in actions] == [Note, Ask]


def test_a_finish_is_held_until_the_body_ended_well():
    state = state_in("STREAMING")
    state, actions = step(state, Arrived(AT, Finished("stop")))
    assert actions == ()
    _, actions = step(state, Failed(AT, RETRY))
    assert [name_of(action) for action in actions] == ["Note", "Record", "Finish(interrupted)"]


def test_a_choice_that_finishes_early_is_delivered_with_what_follows_it():
    state = state_in("STREAMING")
    state, _ = step(state, Arrived(AT, Finished("stop")))
    state, actions = step(state, Arrived(AT, PartStarted(1, Text(), 1)))
    assert actions == (Deliver(Finished("stop")), Deliver(PartStarted(1, Text(), 1)))
    assert state.finishes == ()


def test_effects_come_before_deliveries():
    state = state_in("STREAMING")
    state, _ = step(state, Arrived(AT, Finished("stop")))
    _, actions = step(state, Ended(AT))
    kinds = [type(action) for action in actions]
    assert kinds.index(Record) < kinds.index(Deliver)


def test_a_retry_asks_for_the_instant_at_which_it_would_start():
    state = state_in("CALLING")
    hinted = replace(RETRY, hint_ns=7 * SECOND)
    state, (_, ask) = step(state, Failed(AT, hinted))
    assert isinstance(ask, Ask)
    assert ask.permit.kind == "retry"
    assert AT + 7 * SECOND <= ask.permit.at <= AT + 7 * SECOND + 7 * SECOND // 10
    state, (wait,) = step(state, Told(AT, granted=True))
    assert wait == Wait(ask.permit.at)
    _, (call,) = step(state, Elapsed(ask.permit.at))
    assert isinstance(call, Call)
    assert call.candidate.offer.id == "m@a"


def test_a_wait_that_does_not_fit_goes_on_to_the_next_at_once():
    state = state_in("CALLING")
    _, (_, ask) = step(state, Failed(AT, replace(RETRY, hint_ns=10 * MINUTE)))
    assert isinstance(ask, Ask)
    assert (ask.permit.offer, ask.permit.kind, ask.permit.at) == ("m@b", "next", AT)


def test_going_on_never_waits():
    state = state_in("CALLING")
    state, (_, ask) = step(state, Failed(AT, replace(NEXT, hint_ns=MINUTE)))
    assert isinstance(ask, Ask)
    assert ask.permit.at == AT
    _, (call,) = step(state, Told(AT, granted=True))
    assert isinstance(call, Call)


def test_no_attempt_begins_without_time_to_be_useful():
    plan = plan_of(candidate("m@a"), candidate("m@b"))
    state, _ = step(State(plan=plan), Begin(AT))
    state, _ = step(state, Told(AT, granted=True))
    late = AT + plan.deadline_ns - attempt.min_useful_ns(plan) + 1
    _, actions = step(state, Failed(late, NEXT))
    assert [name_of(action) for action in actions] == ["Note", "Record", "Finish(exhausted)"]


def test_an_attempt_begins_with_exactly_the_time_it_needs():
    plan = plan_of(candidate("m@a"), candidate("m@b"))
    state, _ = step(State(plan=plan), Begin(AT))
    state, _ = step(state, Told(AT, granted=True))
    last = AT + plan.deadline_ns - attempt.min_useful_ns(plan)
    _, actions = step(state, Failed(last, NEXT))
    assert [name_of(action) for action in actions] == ["Note", "Ask"]


def test_a_denied_key_gives_way_to_another_of_the_same_account():
    state = state_in("ASKING")
    state, (ask,) = step(state, Told(AT, granted=False, why="credential", until=AT + MINUTE))
    assert isinstance(ask, Ask)
    assert (ask.permit.offer, ask.permit.credential) == ("m@a", "a#1")


def test_where_everything_is_blocked_the_first_is_tried_as_the_last_resort_once():
    state = state_in("ASKING")
    asked = []
    for _ in range(2):
        state, (ask,) = step(state, Told(AT, granted=False, why="breaker", until=AT + MINUTE))
        assert isinstance(ask, Ask)
        asked.append((ask.permit.offer, ask.permit.kind))
    assert asked == [("m@b", "next"), ("m@a", "last_resort")]
    state, _ = step(state, Told(AT, granted=True))
    _, actions = step(state, Failed(AT, STOP))
    assert name_of(actions[-1]) == "Finish(exhausted)"


def test_a_record_keeps_no_word_of_the_provider():
    state = state_in("CALLING")
    failure = replace(STOP, message="sk-secret is over its quota")
    _, actions = step(state, Failed(AT, failure))
    (record,) = [action for action in actions if isinstance(action, Record)]
    assert "sk-secret" not in repr(record)
    assert "sk-secret" not in str(record.to_json())


def test_usage_that_nobody_reported_is_estimated_and_marked():
    state = state_in("STREAMING")
    state, _ = step(state, Arrived(AT, Finished("stop")))
    _, actions = step(state, Ended(AT, Heard(produced=9)))
    (record,) = [action for action in actions if isinstance(action, Record)]
    assert record.usage == Usage(input_tokens=10, output_tokens=3, estimated=True)


def test_usage_of_zero_is_a_number():
    state = state_in("STREAMING")
    zero = Usage(input_tokens=0, output_tokens=0)
    state, _ = step(state, Arrived(AT, UsageReported(zero)))
    state, _ = step(state, Arrived(AT, Finished("stop")))
    _, actions = step(state, Ended(AT, Heard(produced=9)))
    (record,) = [action for action in actions if isinstance(action, Record)]
    assert record.usage == zero


def test_a_policys_reaction_wins_over_the_faults_own_advice():
    rules = Rules(errors={FailureClass.SERVER_ERROR: (Reaction.STOP, None)})
    plan = plan_of(candidate("m@a"), candidate("m@b"), rules=rules)
    state, _ = step(State(plan=plan), Begin(AT))
    state, _ = step(state, Told(AT, granted=True))
    _, actions = step(state, Failed(AT, replace(RETRY, advice=Reaction.NEXT)))
    assert name_of(actions[-1]) == "Finish(exhausted)"


@pytest.mark.parametrize(("deadline_ns", "least"), [(SECOND, SECOND // 10), (10 * MINUTE, None)])
def test_an_attempt_is_worth_making_in_a_tenth_of_a_short_deadline(deadline_ns, least):
    plan = replace(plan_of(), deadline_ns=deadline_ns)
    assert attempt.min_useful_ns(plan) == (least or attempt.MIN_USEFUL_NS)
