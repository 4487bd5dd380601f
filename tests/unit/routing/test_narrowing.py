"""What the gateway takes from a request: models of other keys, other accounts, second tries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.routing.plan import plan, replan
from hyperroute.routing.questions import NOTHING_KNOWN, Answers
from hyperroute.routing.table import Instead, ModelTerm, Policy, Retry
from hyperroute.testing import handmade
from hyperroute.testing.handmade import offer, price, service

TABLE = handmade.table(
    service(
        "a",
        offer("a", "p", price(3, 15)),
        offer("a", "q", price(1, 2)),
        instead=[Instead(ModelTerm("b"))],
    ),
    service("b", offer("b", "p", price(1, 1))),
)


def asked(model="a", answers=NOTHING_KNOWN, **facts):
    return plan(handmade.request(model, **facts), table=TABLE, answers=answers)


def ids(made):
    return [one.offer.id for one in made.candidates]


def test_stored_state_is_asked_for_where_it_is_kept_and_nowhere_else():
    made = asked(account="q", fallback=False)
    assert ids(made) == ["a@q"]
    assert "a@p: account needs q, has p (the stored state)" in [str(one) for one in made.rejections]
    assert "the stored state" in made.explain()


def test_state_whose_account_does_not_offer_the_model_is_the_callers_to_resend():
    refused = asked("b", account="q", fallback=False).refusal
    assert (refused.status, refused.param) == (400, "previous_response_id")
    assert "'b'" in refused.message
    assert "q" not in refused.message.replace("request", "")


def test_an_account_that_rests_is_waited_for_and_not_left():
    resting = Answers(blocked={"provider:q": 10**9}, probing=frozenset({"a@q"}))
    refused = asked(account="q", fallback=False, answers=resting).refusal
    assert refused.status == 503


def test_a_plan_never_holds_a_model_that_the_key_is_not_open_to():
    assert ids(asked()) == ["a@p", "a@q", "b@p"]
    made = asked(models=("a",))
    assert ids(made) == ["a@p", "a@q"]
    assert "b@p: models needs a, has b (the key)" in [str(one) for one in made.rejections]
    assert asked("b", models=("a",)).refusal.status == 403


def test_whoever_repeats_the_request_gets_no_second_try():
    retrying = Policy(name="r", retry=Retry(per_offer=2), errors={FailureClass.SERVER_ERROR: (Reaction.RETRY, 2)})  # fmt: skip
    table = replace(TABLE, policies=(retrying,))
    first = plan(handmade.request("a"), table=table)
    again = plan(handmade.request("a", again=True), table=table)
    assert {one.retries for one in first.candidates} == {2}
    assert {one.retries for one in again.candidates} == {0}
    assert again.attempts_max < first.attempts_max


@pytest.mark.parametrize("said", [{"models": ("a", "x*")}, {"account": "q"}, {"again": True}])
def test_a_capsule_keeps_it(said):
    made = asked(**said)
    assert replan(made.capsule(), TABLE).request.narrowing == made.request.narrowing
