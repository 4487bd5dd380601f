"""Where a run goes after each kind of failure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hyperroute.canon.failure import REACTIONS, Failure, FailureClass, Reaction
from hyperroute.canon.units import SECOND
from hyperroute.routing.moves import Trail, following, opening, reaction_to, sidestep
from hyperroute.routing.table import Rules
from hyperroute.testing.runs import candidate, plan_of

FROM = (0, "r", 1)
START = Trail(credential="a#0")


def went(plan, failure, trail=START):
    """Say where a failure leads: kind, offer and key."""
    move = following(plan, trail, failure, draw_from=FROM)
    if move is None:
        return None
    return move.kind, plan.candidates[move.trail.position].offer.id, move.trail.credential


def failed(kind, **more):
    return Failure(kind=FailureClass(kind), **more)


@pytest.mark.parametrize("kind", FailureClass)
def test_every_class_has_a_reaction_by_default(kind):
    plan = plan_of(candidate("m@a"), candidate("m@b"))
    assert reaction_to(plan, Failure(kind=kind)) == (REACTIONS[kind], None)


def test_a_plan_begins_with_the_first_candidate_that_waits_for_no_failure():
    after = frozenset({FailureClass.CONTEXT_LENGTH})
    plan = plan_of(candidate("m@a", after=after), candidate("m@b"))
    move = opening(plan)
    assert move is not None
    assert move.trail.position == 1
    assert opening(plan_of(candidate("m@a", after=after))) is None


def test_retries_are_as_many_as_the_policy_says_and_then_the_next():
    plan = plan_of(candidate("m@a", keys=1), candidate("m@b"))
    assert went(plan, failed("server_error")) == ("retry", "m@a", "a#0")
    assert went(plan, failed("server_error"), replace(START, retries=1)) == ("next", "m@b", "")


def test_a_policy_may_name_the_number_for_one_class_only():
    rules = Rules(errors={FailureClass.SERVER_ERROR: (Reaction.RETRY, 3)})
    plan = plan_of(candidate("m@a", keys=1, retries=3), candidate("m@b"), rules=rules)
    twice = replace(START, retries=2)
    assert went(plan, failed("server_error"), twice) == ("retry", "m@a", "a#0")
    assert went(plan, failed("empty_completion"), twice) == ("next", "m@b", "")


def test_rotation_takes_the_next_key_as_often_as_allowed_and_then_the_next_offer():
    rules = Rules(errors={FailureClass.RATE_LIMITED: (Reaction.ROTATE, None)})
    plan = plan_of(candidate("m@a", keys=3), candidate("m@b"), rules=rules)
    assert went(plan, failed("rate_limited")) == ("rotate", "m@a", "a#1")
    turned = replace(START, credential="a#1", rotations=1)
    assert went(plan, failed("rate_limited"), turned) == ("next", "m@b", "")


def test_invariant_19_pushback_forbids_the_same_target_but_not_another_key():
    plan = plan_of(candidate("m@a", keys=2), candidate("m@b"))
    assert went(plan, failed("server_error", pushback=True)) == ("next", "m@b", "")
    sole = plan_of(candidate("m@a", keys=2))
    assert went(sole, failed("server_error", pushback=True)) is None
    assert went(sole, failed("provider_funds", pushback=True)) == ("rotate", "m@a", "a#1")


@pytest.mark.parametrize("kind", ["provider_auth", "provider_funds"])
def test_invariant_20_a_verdict_bans_the_key_for_the_rest_of_the_run(kind):
    shared = replace(candidate("n@a"), credentials=("a#0", "a#1"))
    plan = plan_of(candidate("m@a", keys=2), shared)
    assert went(plan, failed(kind)) == ("next", "n@a", "a#1")
    only = plan_of(candidate("m@a", keys=1), replace(candidate("n@a"), credentials=("a#0",)))
    assert went(only, failed(kind)) is None


def test_a_verdict_on_an_account_without_keys_bans_only_that_offer():
    plan = plan_of(candidate("m@a"), candidate("m@b"))
    assert went(plan, failed("provider_auth"), Trail()) == ("next", "m@b", "")


def test_a_policy_cannot_retry_with_a_banned_key():
    rules = Rules(errors={FailureClass.PROVIDER_AUTH: (Reaction.RETRY, 3)})
    plan = plan_of(candidate("m@a", keys=1, retries=3), candidate("m@b"), rules=rules)
    assert went(plan, failed("provider_auth")) == ("next", "m@b", "")


def test_where_nothing_is_left_another_key_is_tried_against_a_limit_of_this_one():
    plan = plan_of(candidate("m@a", keys=2), candidate("m@b", keys=2))
    last = Trail(position=1, credential="b#0")
    assert went(plan, failed("rate_limited"), last) == ("rotate", "m@b", "b#1")
    assert went(plan, failed("slow_start"), last) is None


def test_row_31_a_sole_target_is_tried_again_if_it_says_when():
    sole = plan_of(candidate("m@a", keys=1))
    hinted = failed("rate_limited", hint_ns=SECOND)
    assert went(sole, hinted) == ("retry", "m@a", "a#0")
    assert went(sole, failed("rate_limited")) is None
    assert went(plan_of(candidate("m@a", keys=1), candidate("m@b")), hinted) == ("next", "m@b", "")


def test_row_44_a_sole_target_is_tried_again_once_when_overloaded():
    sole = plan_of(candidate("m@a", keys=1))
    assert went(sole, failed("overloaded")) == ("retry", "m@a", "a#0")
    assert went(sole, failed("overloaded"), replace(START, retries=1)) is None


def test_larger_goes_to_the_next_known_larger_window():
    plan = plan_of(
        candidate("m@a", context=100),
        candidate("m@b", context=100),
        candidate("m@c"),
        candidate("m@d", context=200),
    )
    assert went(plan, failed("context_length"), Trail()) == ("next", "m@d", "")
    assert went(plan, failed("context_length"), Trail(position=3)) is None


def test_a_window_larger_than_an_unknown_one_is_not_known_to_be_larger():
    plan = plan_of(candidate("m@a"), candidate("m@b", context=200))
    assert went(plan, failed("context_length"), Trail()) is None


def test_a_larger_window_that_is_denied_gives_way_only_to_another_larger_one():
    plan = plan_of(
        candidate("m@a", context=100), candidate("m@b", context=300), candidate("m@c", context=50)
    )
    failure = failed("context_length")
    move = following(plan, Trail(), failure, draw_from=FROM)
    assert move is not None
    assert sidestep(plan, move, "breaker", failure) is None


def test_instead_goes_only_to_what_names_the_class():
    rules = Rules(errors={FailureClass.CONTENT_POLICY: (Reaction.INSTEAD, None)})
    named = frozenset({FailureClass.CONTENT_POLICY})
    plan = plan_of(candidate("m@a"), candidate("m@b"), candidate("n@c", after=named), rules=rules)
    assert went(plan, failed("content_policy"), Trail()) == ("next", "n@c", "")
    assert went(plan_of(candidate("m@a"), candidate("m@b"), rules=rules),
                failed("content_policy"), Trail()) is None  # fmt: skip


def test_an_equivalent_for_one_class_is_passed_over_by_the_others():
    named = frozenset({FailureClass.CONTEXT_LENGTH})
    plan = plan_of(candidate("m@a"), candidate("n@b", after=named), candidate("m@c"))
    assert went(plan, failed("slow_start"), Trail()) == ("next", "m@c", "")


@pytest.mark.parametrize("kind", ["net_ambiguous", "slow_start", "truncated", "stalled"])
def test_invariant_44_a_job_whose_delivery_is_unknown_is_never_sent_again(kind):
    rules = Rules(errors={FailureClass(kind): (Reaction.RETRY, 3)})
    plan = plan_of(candidate("m@a", retries=3), candidate("m@b"), rules=rules, kind="video")
    assert went(plan, failed(kind), Trail()) is None


def test_row_9_a_stream_refused_unread_is_tried_again_at_once_and_free():
    plan = plan_of(candidate("m@a"))
    move = following(plan, Trail(), failed("net_unsent", hint_ns=0), draw_from=FROM)
    assert move is not None
    assert (move.kind, move.wait_ns, move.charge) == ("retry", 0, 0)


@pytest.mark.parametrize(("kind", "charge"), [("server_error", 100), ("overloaded", 50)])
def test_a_retry_after_throttling_takes_half_of_the_budget(kind, charge):
    plan = plan_of(candidate("m@a"))
    move = following(plan, Trail(), failed(kind), draw_from=FROM)
    assert move is not None
    assert move.charge == charge


def test_a_denied_last_resort_gives_way_to_the_next_one():
    plan = plan_of(candidate("m@a", keys=1), candidate("m@b"))
    first = opening(plan)
    assert first is not None
    onwards = sidestep(plan, replace(first, kind="last_resort"), "credential", None)
    assert onwards is not None
    assert (onwards.kind, onwards.trail.position) == ("last_resort", 1)


def test_only_a_stream_that_was_refused_unread_is_tried_again_for_free():
    plan = plan_of(candidate("m@a"))
    for hint, charge in ((0, 0), (None, 100), (1, 100)):
        fault = failed("net_unsent", hint_ns=hint)
        move = following(plan, START, fault, draw_from=FROM)
        assert move is not None
        assert move.charge == charge
