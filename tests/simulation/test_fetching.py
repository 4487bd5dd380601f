"""Fetching is one more thing that both drivers do alike, whatever the address leads to."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.content import Media, Text, Turn
from hyperroute.canon.request import Conversation
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.providers.flow import Provider
from hyperroute.providers.media import FETCHES_MAX, REDIRECTS_MAX
from hyperroute.providers.sign import unsigned
from hyperroute.providers.speak import speak
from hyperroute.runtime.fetching import FETCH_NS
from hyperroute.testing.replies import whole
from hyperroute.testing.runs import Stage, Story, candidate, plan_of
from hyperroute.testing.script import MS, SECOND, Script

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\2\0\0\0\3\x08\6\0\0\0"
GEMINI = Provider(
    name="gemini",
    flow=speak({"gemini": GEMINI_GENERATE}, sign=unsigned),
    dialects={"gemini": GEMINI_GENERATE},
)
GOOD = Script(headers=(("content-type", "image/png"),), chunks=(PNG,))
ENDS: Counter[str] = Counter()

kinds = st.sampled_from(["image/png", "image/jpeg", "text/html", ""])
answers = st.builds(
    lambda status, place, kind, **more: Script(
        status=status,
        headers=(("content-type", kind), *((("location", f"/{place}"),) if status > 300 else ())),
        **more,
    ),
    st.sampled_from([200, 200, 200, 302, 404]),
    st.integers(0, 3),
    kinds,
    fault=st.sampled_from([None] * 9 + ["dns", "tls", "reset", "connect_timeout", "first_byte"]),
    chunks=st.sampled_from([(PNG,), (PNG[:5], PNG[5:]), (b"<html>",), ()]),
    length=st.sampled_from([None, None, None, 5, 2**40]),
    head_after_ns=st.sampled_from([0, MS, 3 * SECOND, 12 * SECOND]),
    chunk_after_ns=st.sampled_from([0, MS, 9 * SECOND, 11 * SECOND]),
    end=st.sampled_from(["clean"] * 6 + ["cut", "reset", "stall"]),
)


def staged(
    pages: list[Script], named: list[int], upstream: Script, *, hang_up: int | None
) -> Stage:
    """Ask a Gemini for pictures at addresses of a media host with four pages."""
    parts = [Media(kind="image", source="url", value=f"https://media.test/{it}") for it in named]
    asked = Conversation(turns=(Turn(role="user", parts=(Text("see"), *parts)),))
    plan = plan_of(candidate("a@one"), candidate("b@two"), stream=hang_up is not None)
    plan = replace(plan, request=replace(plan.request, decode=lambda _raw: asked))
    answer = whole("gemini.generate")
    stage = Stage(
        plan=plan,
        answers={"one": upstream, "two": answer},
        provider=GEMINI,
        fetches=True,
        hang_up_after=hang_up,
    )
    for number, page in enumerate(pages):
        stage.world.serve(f"https://media.test/{number}", page)
    return stage


@given(
    pages=st.lists(st.just(GOOD) | answers, min_size=4, max_size=4),
    named=st.lists(st.integers(0, 3), min_size=1, max_size=3),
    upstream=st.sampled_from([whole("gemini.generate"), Script(status=503), Script(fault="reset")]),
    hang_up=st.sampled_from([None, None, 1]),
)
def both_drivers_agree(pages, named, upstream, hang_up) -> None:
    one = staged(pages, named, upstream, hang_up=hang_up)
    other = staged(pages, named, upstream, hang_up=hang_up)
    story = one.blocking()
    assert story == other.awaiting()
    assert one.world.open_now == other.world.open_now == 0
    lawful(story)
    ENDS[story.outcome] += 1


def lawful(story: Story) -> None:
    """Check what must hold of every run that fetches."""
    urls = [url for _, url, *_ in story.sent]
    fetches = [url for url in urls if "media.test" in url]
    assert len(fetches) <= FETCHES_MAX * (REDIRECTS_MAX + 1)
    # All fetching comes before the first provider, once for all attempts.
    assert urls[: len(fetches)] == fetches
    for at, url, _, ended_at, *_ in story.sent:
        assert "media.test" not in url or (ended_at is not None and ended_at - at <= FETCH_NS)
    for attempt in story.record.attempts:
        if attempt.failure is not None and len(fetches) == len(urls):
            assert attempt.failure.health == "neutral", "no provider was even asked"


def test_both_drivers_fetch_the_same_and_leave_nothing_open() -> None:
    both_drivers_agree()
    assert set(ENDS) >= {"served", "exhausted", "abandoned"}  # or it would prove nothing
