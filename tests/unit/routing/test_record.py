"""What a record adds up: the delivered answer's usage and losses, and the cost of every attempt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.loss import Loss
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.routing.record import Attempt, Record, sane
from hyperroute.routing.recording import record_of
from hyperroute.routing.state import State
from hyperroute.testing.runs import plan_of


def attempt(number: int, cost: int | None, **more: Any) -> Attempt:
    return Attempt(
        number=number, offer="m@a", provider="a", model="m", credential="", kind="first",
        started_at=0, ended_at=1, cost=cost, usage=Usage(output_tokens=number), **more,
    )  # fmt: skip


def record(*attempts: Attempt) -> Record:
    state = State(plan=plan_of(), attempts=attempts[:-1], began_at=3)
    outcome = "exhausted" if not attempts or attempts[-1].failure else "served"
    return record_of(state, 10, outcome, None, attempts[-1] if attempts else None)  # type: ignore[arg-type]


FAILED = Failure(kind=FailureClass.SERVER_ERROR)


@pytest.mark.parametrize(
    ("costs", "total"), [((), 0), ((5,), 5), ((5, 0, 7), 12), ((5, None), None), ((None, 5), None)]
)
def test_a_run_costs_the_sum_of_its_attempts_or_is_unknown(costs, total):
    assert record(*(attempt(1 + at, cost) for at, cost in enumerate(costs))).cost == total


def test_the_answer_is_the_last_attempt_and_only_if_it_was_delivered():
    served = record(attempt(1, 5, failure=FAILED), attempt(2, 7))
    assert served.answer is served.attempts[1]
    assert served.usage == Usage(output_tokens=2)
    assert served.latency_ns == 7
    failed = record(attempt(1, 5, failure=FAILED))
    assert failed.answer is None
    assert failed.usage == NO_USAGE
    assert failed.losses == ()


def test_counts_below_zero_are_zero_and_unknown_ones_stay_unknown():
    assert sane(Usage(input_tokens=-1, output_tokens=2)) == Usage(input_tokens=0, output_tokens=2)
    assert sane(Usage(input_tokens=0)) == Usage(input_tokens=0)


def test_an_alarm_is_told_and_its_absence_is_not():
    assert "alarm" not in attempt(1, None, failure=FAILED).to_json()
    alarmed = Failure(kind=FailureClass.PROVIDER_AUTH, status=401, code="key", alarm=True)
    told = attempt(1, None, failure=alarmed).to_json()
    assert told["alarm"] is True
    assert (told["failure"], told["status"], told["code"]) == ("provider_auth", 401, "key")
    assert "cost" not in told
    assert attempt(1, 0).to_json()["cost"] == 0


def test_the_id_of_a_key_is_told_and_an_account_without_one_is_not():
    assert "credential" not in attempt(1, 0).to_json()
    assert replace(attempt(1, 0), credential="a#1").to_json()["credential"] == "a#1"


def test_a_meter_that_told_nothing_is_left_out():
    assert attempt(1, 0).to_json()["usage"] == {"output_tokens": 1}
    assert "usage" not in replace(attempt(1, 0), usage=NO_USAGE).to_json()


def test_a_record_tells_its_losses_and_that_its_usage_is_a_guess():
    loss = Loss("/stop", "clamped", "too many")
    guess = replace(attempt(1, 1), losses=(loss,), usage=Usage(output_tokens=4, estimated=True))
    told = record(guess).to_json()
    (lost,) = told["losses"]
    assert lost == {"path": "/stop", "kind": "clamped", "why": "too many", "of": "request"}
    assert told["usage"] == {"output_tokens": 4, "estimated": True}
    plain = record(attempt(1, 1)).to_json()
    assert "losses" not in plain
    assert "estimated" not in plain["usage"]


@pytest.mark.parametrize("pinned", [True, False])
def test_a_record_says_that_a_model_was_pinned_and_nothing_where_it_was_not(pinned):
    one = replace(record(attempt(1, 1)), pinned=pinned)
    assert one.to_json().get("pinned") == (True if pinned else None)
