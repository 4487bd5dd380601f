"""What an attempt cost, by how it ended, and what a record says was served."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.catalog.price import Price, Sheet, Tier
from hyperroute.routing.moves import opening
from hyperroute.routing.record import Attempt, Outcome
from hyperroute.routing.recording import attempt_of, record_of
from hyperroute.routing.state import Heard, State
from hyperroute.testing.handmade import line, price
from hyperroute.testing.runs import candidate, plan_of

USED = Usage(input_tokens=10, output_tokens=2)
LOST = Failure(kind=FailureClass.SERVER_ERROR)
REFUSED = Failure(kind=FailureClass.SERVER_ERROR, status=500)
UNSENT = Failure(kind=FailureClass.NET_UNSENT)
DEAR = price(3, 5)


def calling(cost: Price, **more: Any) -> State:
    """Stand in the middle of a call to an offer of this price."""
    one = candidate("m@a")
    plan = plan_of(replace(one, offer=replace(one.offer, price=cost)))
    return State(plan=plan, move=opening(plan), **more)


def ended(state: State, failure: Failure | None = None, produced: int = 0) -> Attempt:
    return attempt_of(state, 9, failure, Heard(produced=produced))


@pytest.mark.parametrize(
    ("cost", "usage", "failure", "expected"),
    [
        (DEAR, USED, None, 40),
        (DEAR, USED, LOST, 40),
        (DEAR, USED, REFUSED, 40),
        (DEAR, NO_USAGE, None, None),
        (DEAR, NO_USAGE, LOST, None),
        (DEAR, NO_USAGE, REFUSED, 0),
        (DEAR, NO_USAGE, UNSENT, 0),
        ((), USED, None, None),
        ((), USED, LOST, None),
        ((), USED, REFUSED, 0),
        ((), NO_USAGE, UNSENT, 0),
    ],
)
def test_an_attempt_costs_what_is_known_and_never_a_guess(cost, usage, failure, expected):
    assert ended(calling(cost, usage=usage), failure).cost == expected


@pytest.mark.parametrize(
    ("charged", "failure", "content_at", "expected"),
    [
        ("success", None, 1, 40),
        ("success", REFUSED, 1, 0),
        ("success", REFUSED, None, 0),
        ("usage", REFUSED, 1, None),
        ("usage", REFUSED, None, 0),
        ("attempt", REFUSED, None, None),
    ],
)
def test_a_cut_answer_is_charged_as_its_sheet_says(charged, failure, content_at, expected):
    """A cut answer without a meter reading has no known price; a failed one costs nothing."""
    (sheet,) = DEAR
    usage = USED if failure is None else NO_USAGE
    state = calling((replace(sheet, charged=charged),), usage=usage, first_content_at=content_at)
    assert ended(state, failure).cost == expected


def test_what_was_filled_in_is_priced_under_its_own_name():
    tier = Tier(when=(line("quality", "=", "hd"),), rates={"in": 30})
    sheet = Sheet(rates={"in": 3, "out": 5}, steps={}, tiers=(tier,))
    state = calling((sheet,), usage=USED)
    (one,) = state.plan.candidates
    assert ended(state).cost == 40
    filled = replace(one, parameters={"q": "hd"}, offer=replace(one.offer, fields={"quality": "q"}))
    assert ended(state.but(plan=replace(state.plan, candidates=(filled,)))).cost == 310


def test_invariant_42_an_answer_without_a_meter_is_estimated_at_four_characters_a_token():
    state = calling(DEAR)
    assert ended(state, produced=9).usage == Usage(
        input_tokens=state.plan.input_tokens, output_tokens=3, estimated=True
    )
    assert ended(state).usage == NO_USAGE
    assert ended(replace(state, usage=USED), produced=9).usage == USED
    assert ended(replace(state, usage=Usage()), produced=8).usage.output_tokens == 2


@pytest.mark.parametrize(
    ("outcome", "content_at", "served"),
    [
        ("served", None, "m@a"),
        ("served", 1, "m@a"),
        ("interrupted", 1, "m@a"),
        ("exhausted", None, None),
    ],
)
def test_who_served_is_who_delivered(outcome: Outcome, content_at, served):
    state = calling(DEAR, usage=USED, first_content_at=content_at)
    last = ended(state)
    assert record_of(state, 9, outcome, None, last).served == served
    assert record_of(state, 9, outcome, None, None).served is None
    assert record_of(state, 9, outcome, None, last).attempts == (last,)
    assert record_of(state, 9, outcome, None, None).attempts == ()


def test_a_record_says_what_was_asked_for():
    def asked(**more: Any) -> str:
        state = calling(DEAR)
        request = replace(state.plan.request, **more)
        state = state.but(plan=replace(state.plan, request=request))
        return record_of(state, 9, "exhausted", None, None).asked

    assert asked(model="m", intent=None) == "m"
    assert asked(model=None, intent="smart") == "smart"
    assert asked(model="m", intent="smart") == "m"
    assert asked(model=None, intent=None) == ""
