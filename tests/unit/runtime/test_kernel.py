"""One run: timeouts by phase, plugins that misbehave, and what is told to whom."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from hyperroute.canon.content import Text
from hyperroute.canon.events import Finished, PartDelta, PartEnded, PartStarted, Started
from hyperroute.canon.units import SECOND
from hyperroute.canon.wire import HttpRequest
from hyperroute.catalog.card import Breaker, OpenInRow, Timeouts
from hyperroute.providers.flow import READ, Pause, Provider, Run
from hyperroute.routing.health import DEFAULT_BREAKER
from hyperroute.routing.table import Rules
from hyperroute.runtime.kernel import breaker_of
from hyperroute.testing.lines import ANSWER, says
from hyperroute.testing.runs import Stage, candidate, plan_of
from hyperroute.testing.script import Script

ASK = HttpRequest(method="POST", url="https://a.test/")
GOOD = (
    Started("i", "m"),
    PartStarted(0, Text()),
    PartDelta(0, "hi"),
    PartEnded(0),
    Finished("stop"),
)


def timed(script: Script, *, stream: bool = True, **limits: int):
    plan = plan_of(candidate("m@a", timeouts=Timeouts(**limits)), candidate("m@b"), stream=stream)
    return Stage(plan, {"a": script, "b": says(*ANSWER)}).blocking()


def failure(story):
    first = story.record.attempts[0].failure
    return first and (first.kind.value, story.record.attempts[0].ended_at // SECOND)


def test_the_first_byte_has_a_limit():
    story = timed(replace(says(*ANSWER), head_after_ns=90 * SECOND), first_byte_ns=60 * SECOND)
    assert failure(story) == ("slow_start", 60)
    assert story.outcome == "served"


def test_the_first_content_has_a_limit_of_its_own():
    slow = says("start", *[":"] * 30, *ANSWER[1:], wait_ns=SECOND)
    assert failure(timed(slow, first_content_ns=10 * SECOND)) == ("slow_start", 10)
    assert failure(timed(slow, first_content_ns=40 * SECOND)) is None


def test_the_first_content_limit_ends_with_the_first_content():
    story = timed(
        says(*ANSWER[:3], *[":"] * 9, *ANSWER[3:], wait_ns=SECOND), first_content_ns=5 * SECOND
    )
    assert story.outcome == "served"


def test_comments_do_not_feed_the_idle_limit():
    talks = says(*ANSWER[:3], *[":"] * 60, *ANSWER[3:], wait_ns=2 * SECOND)
    story = timed(talks, idle_ns=60 * SECOND)
    assert story.outcome == "interrupted"
    assert failure(story) == ("stalled", 66)


def test_events_feed_the_idle_limit():
    assert timed(says(*ANSWER, wait_ns=50 * SECOND), idle_ns=60 * SECOND).outcome == "interrupted"
    assert timed(says(*ANSWER, wait_ns=30 * SECOND), idle_ns=60 * SECOND).outcome == "served"


def test_bytes_feed_the_idle_limit_of_a_body_that_is_no_stream():
    slow = replace(says(*ANSWER[:3], *[":"] * 30, *ANSWER[3:], wait_ns=2 * SECOND), headers=())
    assert timed(slow, stream=False, idle_ns=5 * SECOND).outcome == "served"


def test_an_attempt_has_a_limit_in_all():
    assert failure(timed(says(*ANSWER[:2], *[":"] * 99, wait_ns=SECOND), total_ns=20 * SECOND)) == (
        "slow_start",
        20,
    )


def test_the_deadline_of_the_run_is_told_from_the_limits_of_an_attempt():
    plan = plan_of(candidate("m@a"), rules=Rules(time_ns=10 * SECOND))
    story = Stage(plan, {"a": says(*ANSWER, wait_ns=3 * SECOND)}).blocking()
    assert story.outcome == "interrupted"
    assert failure(story) == ("deadline", 9)
    assert story.ended_at <= 10 * SECOND


def test_a_body_that_dawdles_after_its_finish_costs_a_second_and_is_served():
    stalls = replace(says(*ANSWER), end="stall")
    story = timed(stalls, idle_ns=60 * SECOND)
    assert story.outcome == "served"
    assert story.ended_at == SECOND


@pytest.mark.parametrize("end", ["reset", "cut"])
def test_what_breaks_after_the_finish_breaks_nothing(end):
    assert timed(replace(says(*ANSWER), end=end)).outcome == "served"


def flowing(*wishes, stream=True, fails=None):
    """Play a flow that wishes just that."""

    def flow(_call):
        for wish in wishes:  # noqa: UP028 - a tuple cannot be sent what was granted
            yield wish
        if fails is not None:
            raise fails

    provider = Provider(name="odd", flow=flow)
    stage = Stage(plan_of(candidate("m@a"), stream=stream), {"a": says(*ANSWER)}, provider)
    return stage.blocking(), replace(stage, world=type(stage.world)()).awaiting()


@pytest.mark.parametrize(
    ("wishes", "kind"),
    [
        ((READ,), "malformed_output"),
        ((PartDelta(0, "x"),), "malformed_output"),
        ((Started("i", "m"), PartEnded(0)), "malformed_output"),
        ((Started("i", "m"), PartStarted(0, Text()), PartStarted(0, Text())), "malformed_output"),
        ((Started("i", "m"),), "truncated"),
        ((), "truncated"),
        ((42,), "malformed_output"),
        ((Started("i", "m"), 42), "malformed_output"),
    ],
)
def test_invariant_31_a_flow_that_makes_no_sense_is_a_failed_attempt(wishes, kind):
    for story in flowing(*wishes):
        assert story.outcome == "exhausted"
        assert story.record.attempts[0].failure.kind == kind


def test_invariant_31_a_plugins_exception_is_never_shown_and_looked_at(caplog):
    with caplog.at_level(logging.WARNING, "hyperroute"):
        for story in flowing(ASK, READ, fails=KeyError("sk-secret")):
            assert story.outcome == "exhausted"
            assert "sk-secret" not in str(story.error)
            assert story.record.attempts[0].failure.code == "KeyError"
    assert "KeyError" in caplog.text
    assert "sk-secret" not in caplog.text


def test_a_plugin_that_cannot_even_begin_is_a_failed_attempt():
    def broken(_call):
        raise RuntimeError("at once")

    stage = Stage(plan_of(candidate("m@a")), {}, Provider(name="odd", flow=broken))
    assert stage.blocking().outcome == "exhausted"


def test_a_bug_of_ours_surfaces_and_still_leaves_a_record():
    with pytest.raises(AssertionError):
        flowing(fails=AssertionError("ours"))


def test_a_flow_may_pause_and_run_and_send_twice():
    for story in flowing(ASK, READ, Pause(5 * SECOND), Run(lambda: 1), ASK, READ, *GOOD):
        assert story.outcome == "served"
        assert len(story.sent) == 2
        assert story.ended_at == 5 * SECOND


def test_a_pause_beyond_the_end_of_the_attempt_fails_it_at_once():
    for story in flowing(ASK, Pause(900 * SECOND)):
        assert story.record.attempts[0].failure.kind == "deadline"
        assert story.ended_at == 0


@pytest.mark.parametrize(
    "late",
    [(Finished("length"),), (PartStarted(1, Text()), PartDelta(1, "x")), (PartDelta(0, "x"),)],
)
def test_rows_63_and_64_nothing_after_the_terminal_counts(late):
    for story in flowing(*GOOD, *late):
        assert story.events == GOOD
        assert story.outcome == "served"


def test_a_choice_that_finishes_early_keeps_its_place():
    said = (
        Started("i", "m"),
        PartStarted(0, Text()),
        PartDelta(0, "one"),
        PartStarted(1, Text(), 1),
        PartEnded(0),
        Finished("stop"),
        PartDelta(1, "two"),
        PartEnded(1),
        Finished("stop", choice=1),
    )
    for story in flowing(*said):
        assert story.events == said


def test_a_whole_answer_must_fold():
    twice = (Started("i", "m"), Finished("stop"))
    for story in flowing(*twice, stream=False):
        assert story.outcome == "served"
        assert story.reply is not None


def vendor_told(url):
    """Play one attempt, and say whose sealed state its target was taken to be."""
    calls = []

    def flow(call):
        calls.append(call)
        yield from GOOD

    maker = Provider(name="maker", flow=flow, vendor="maker", url=url)
    Stage(plan_of(candidate("m@a")), {"a": says(*ANSWER)}, maker).blocking()
    return calls[0].profile.vendor


def test_sealed_state_goes_to_the_vendors_own_address_and_to_no_compatible_host():
    assert vendor_told("https://a.test") == "maker"
    assert vendor_told("https://maker.test") == ""


def test_the_nearest_breaker_counts():
    mine = Breaker(open=(OpenInRow(1),), cool_ns=1, cool_max_ns=1)
    plan = plan_of(candidate("m@a"), breakers={"a": mine})
    assert breaker_of(plan, "a") is mine
    assert breaker_of(plan_of(candidate("m@a"), rules=Rules(breaker=mine)), "a") is mine
    assert breaker_of(plan_of(candidate("m@a")), "a") is DEFAULT_BREAKER
