"""What holds of every run, whatever providers do (reliability.md 4, invariants 9 and 13 to 31)."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.canon.events import Finished, collect
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.grammar import violations
from hyperroute.canon.units import SECOND
from hyperroute.routing.attempt import min_useful_ns
from hyperroute.routing.backoff import HINT_NS_MAX, envelope_ns
from hyperroute.routing.record import Attempt
from hyperroute.testing.lines import ANSWER, says
from hyperroute.testing.runs import Stage, Story, candidate, plan_of
from hyperroute.testing.stages import drawn_stage, seeded


@pytest.fixture(autouse=True, scope="module")
def quiet():
    logging.getLogger("hyperroute").setLevel(logging.ERROR)
    yield
    logging.getLogger("hyperroute").setLevel(logging.NOTSET)


HALF = settings(max_examples=settings.default.max_examples // 2)  # type: ignore[union-attr]
"""A stage is a dozen choices and a run; two drivers play thousands more (tests/simulation)."""


def stages():
    """Draw stages, choice by choice, so that they shrink."""

    @st.composite
    def build(draw):
        return drawn_stage(lambda options: draw(st.sampled_from(list(options))))

    return build()


def pairs(story: Story) -> list[tuple[Attempt, Attempt]]:
    attempts = story.record.attempts
    return list(pairwise(attempts))


@HALF
@given(stages())
def test_invariant_13_attempts_are_bounded(stage: Stage):
    story = stage.blocking()
    plan = stage.plan
    attempts = story.record.attempts
    assert len(attempts) <= min(plan.attempts_max, 8)
    for each in plan.candidates:
        mine = [attempt for attempt in attempts if attempt.offer == each.offer.id]
        assert len(mine) <= 1 + each.retries + each.rotations
        assert sum(attempt.kind == "retry" for attempt in mine) <= each.retries
        assert sum(attempt.kind == "rotate" for attempt in mine) <= each.rotations


@HALF
@given(stages())
def test_invariant_14_every_request_sent_is_an_attempt_recorded(stage: Stage):
    story = stage.blocking()
    assert len(story.sent) == len(story.record.attempts)
    for sent, attempt in zip(story.sent, story.record.attempts, strict=True):
        assert sent[0] == attempt.started_at
        assert sent[1] == f"https://{attempt.provider}.test/"
        assert sent[3] is not None, "an exchange was left open"
        assert attempt.started_at <= sent[3] <= attempt.ended_at


@HALF
@given(stages())
def test_invariant_16_the_deadline_holds(stage: Stage):
    story = stage.blocking()
    record = story.record
    until = record.began_at + stage.plan.deadline_ns
    for attempt in record.attempts:
        assert attempt.started_at + min_useful_ns(stage.plan) <= until
    assert story.ended_at <= until


@HALF
@given(stages())
def test_invariants_17_and_18_waits_are_bounded_and_only_before_the_same_offer(stage: Stage):
    story = stage.blocking()
    repeats = 0
    for before, after in pairs(story):
        assert after.started_at == before.ended_at + after.waited_ns
        if after.kind != "retry":
            assert after.waited_ns == 0
            repeats = repeats if after.kind == "rotate" else 0
            continue
        assert (after.offer, after.credential) == (before.offer, before.credential)
        assert before.failure is not None
        hint = before.failure.hint_ns
        if hint is None:
            most = envelope_ns(stage.plan.rules, before.failure.kind, repeats)
            assert 0 <= after.waited_ns <= most
        else:
            hint = min(hint, HINT_NS_MAX)
            assert hint <= after.waited_ns <= hint + min(SECOND, hint // 10)
        repeats += 1
    if story.record.attempts and story.outcome == "exhausted":
        assert story.ended_at == story.record.attempts[-1].ended_at, "it waited for nothing"


@HALF
@given(stages())
def test_invariant_9_offers_follow_the_plan_and_never_come_back(stage: Stage):
    story = stage.blocking()
    order = [candidate.offer.id for candidate in stage.plan.candidates]
    places = [order.index(offer) for offer in story.offers]
    assert places == sorted(places)
    for before, after in pairs(story):
        assert (after.kind in {"retry", "rotate"}) == (after.offer == before.offer)


@HALF
@given(stages())
def test_invariant_19_pushback_ends_the_same_target(stage: Stage):
    refused = set[tuple[str, str]]()
    for attempt in stage.blocking().record.attempts:
        assert (attempt.offer, attempt.credential) not in refused
        if attempt.failure is not None and attempt.failure.pushback:
            refused.add((attempt.offer, attempt.credential))


@HALF
@given(stages())
def test_invariant_20_a_key_with_a_verdict_is_not_used_again_in_the_run(stage: Stage):
    banned = set[str]()
    for attempt in stage.blocking().record.attempts:
        key = attempt.credential or attempt.offer
        assert key not in banned
        if attempt.failure is not None and attempt.failure.kind in {
            FailureClass.PROVIDER_AUTH,
            FailureClass.PROVIDER_FUNDS,
        }:
            banned.add(key)


@HALF
@given(stages())
def test_invariant_24_every_run_ends_once(stage: Stage):
    story = stage.blocking()
    record = story.record  # exactly one, or this fails
    hung_up = stage.hang_up_after is not None and len(story.events) >= stage.hang_up_after
    match record.outcome:
        case "served":
            assert story.error is None
            if story.reply is None:
                assert hung_up or isinstance(story.events[-1], Finished)
        case "abandoned":
            assert hung_up
            assert story.error is None
        case "interrupted":
            assert story.error is not None
            assert story.error[0] == "Interrupted"
            assert story.events
        case "exhausted":
            assert story.error is not None
            assert story.error[0] == "Exhausted"
        case "refused":
            assert story.error is not None
            assert story.error[0] == "Refused"
            assert not record.attempts


@HALF
@given(stages())
def test_invariants_25_and_26_all_content_comes_from_one_attempt(stage: Stage):
    story = stage.blocking()
    tags = set(re.findall(r"<(\w)(\d+)>", story.text))
    if not tags:
        return
    ((provider, number),) = tags
    last = story.record.attempts[-1]
    assert (last.provider, last.number) == (provider, int(number))
    assert story.record.served == last.offer


@HALF
@given(stages())
def test_invariant_27_what_is_delivered_follows_the_grammar_and_ends_honestly(stage: Stage):
    story = stage.blocking()
    assert violations(story.events, whole=False) == []
    if story.events and story.outcome == "served" and stage.hang_up_after is None:
        collect(story.events)
    if story.outcome in {"interrupted", "exhausted", "refused"}:
        assert not any(isinstance(event, Finished) for event in story.events)


@HALF
@given(stages())
def test_invariant_28_an_error_that_is_shown_first_is_the_only_thing_shown(stage: Stage):
    story = stage.blocking()
    if story.outcome in {"exhausted", "refused"}:
        assert story.events == ()


@HALF
@given(stages())
def test_a_whole_answer_is_given_whole_or_not_at_all(stage: Stage):
    story = stage.blocking()
    if stage.plan.request.stream:
        assert story.reply is None
        return
    assert story.events == ()
    assert story.outcome != "interrupted"
    assert (story.reply is not None) == (story.outcome == "served")


@HALF
@given(stages())
def test_invariants_29_and_30_nothing_of_ours_is_told(stage: Stage):
    story = stage.blocking()
    if story.error is None:
        return
    _, status, _, retry_after, message = story.error
    told = message + json.dumps(story.record.to_json())
    assert "://" not in told
    assert "key of" not in told
    assert status not in {401, 402, 403, 404}
    assert retry_after is None or 1 <= retry_after <= 600
    kinds = {attempt.failure.kind for attempt in story.record.attempts if attempt.failure}
    if status == 429 and story.outcome == "exhausted":
        assert kinds == {FailureClass.RATE_LIMITED}


@given(stages(), st.integers(2, 4))
def test_invariant_31_nothing_a_provider_does_escapes(stage: Stage, runs: int):
    for number in range(runs):
        stage.world.sent.clear()
        assert stage.blocking(f"r{number}").record.attempts is not None
        assert stage.world.open_now == 0


@given(st.integers(0, 2**32))
def test_a_run_is_the_same_every_time(seed: int):
    assert drawn_stage(seeded(seed)).blocking() == drawn_stage(seeded(seed)).blocking()


@HALF
@given(st.integers(0, 2**32), st.booleans())
def test_invariant_10_one_more_that_always_answers_loses_no_run_that_was_served(
    seed: int, in_front: bool
):
    """Invariant 10, the run's part: the same faults, and one offer more, first or last."""
    plain, more = (replace(drawn_stage(seeded(seed)), hang_up_after=None) for _ in range(2))
    always = candidate("m@z", retries=0, rotations=0)
    listed = plain.plan.candidates
    listed = (always, *listed) if in_front else (*listed, always)
    known = plan_of(*listed).table.providers
    table = replace(plain.plan.table, providers={**known, **plain.plan.table.providers})
    more.plan = replace(more.plan, candidates=listed, table=table)
    more.answers = {**more.answers, "z": says(*ANSWER)}
    before, after = plain.blocking(), more.blocking()
    if before.outcome == "served":
        assert after.outcome == "served"
        assert not in_front or after.offers == ["m@z"]
