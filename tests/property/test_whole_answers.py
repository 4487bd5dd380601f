"""A whole answer is what its stream would have been: folded as it comes, under the same grammar."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.content import Media, Text, ToolUse
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
    collect,
)
from hyperroute.canon.usage import Usage
from hyperroute.providers.flow import Provider
from hyperroute.testing.lines import says
from hyperroute.testing.runs import Stage, candidate, plan_of

EVENTS = st.sampled_from(
    [
        Started("again", "m"),
        PartStarted(0, Text()),
        PartStarted(0, Text("x")),
        PartStarted(1, ToolUse(id="1", name="f")),
        PartStarted(2, Media(kind="image", source="url", value="https://x.test")),
        PartDelta(0, "a"),
        PartDelta(1, "{}"),
        PartDelta(2, "z"),
        PartEnded(0),
        PartEnded(0, citations=({"url": "https://x.test"},)),
        PartEnded(1),
        PartEnded(2),
        UsageReported(Usage(input_tokens=3, output_tokens=5)),
        Finished("stop"),
        Finished("length", choice=1),
        42,
    ]
)
GOOD = [Started("i", "m"), PartStarted(0, Text()), PartDelta(0, "a"), PartEnded(0)]


def told(wishes, *, stream):
    """Play a flow that wishes just that."""

    def flow(_call):
        yield from wishes

    provider = Provider(name="odd", flow=flow)
    stage = Stage(plan_of(candidate("m@a"), stream=stream), {"a": says()}, provider)
    both = stage.blocking(), replace(stage, world=type(stage.world)()).awaiting()
    assert both[0].record == both[1].record
    return both[0]


@given(st.lists(EVENTS, max_size=8), st.booleans(), st.booleans())
def test_a_whole_answer_is_the_fold_of_what_a_stream_would_have_told(events, good, together):
    wishes = [*(GOOD if good else ()), *events, *([Finished("stop")] if good else ())]
    streamed = told(wishes, stream=True)
    whole = told([tuple(wishes)] if together and wishes else wishes, stream=False)
    assert (whole.outcome == "served") == (streamed.outcome == "served")
    if whole.outcome == "served":
        assert whole.reply == collect(streamed.events)
        one, other = whole.record.attempts[-1], streamed.record.attempts[-1]
        assert (one.usage, one.cost) == (other.usage, other.cost)
        assert (one.first_event_at, one.first_content_at) == (
            other.first_event_at,
            other.first_content_at,
        )


@given(st.lists(EVENTS, max_size=8))
def test_events_handed_up_at_once_are_the_same_as_one_by_one(events):
    wishes = [*GOOD, *events]
    one, other = told(wishes, stream=False), told([tuple(wishes)], stream=False)
    assert one.record == other.record
    assert one.reply == other.reply
