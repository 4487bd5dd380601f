"""The world itself: both colours of one script tell one story, and scripts survive any network."""

import asyncio
from contextlib import suppress
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.wire import HttpRequest
from hyperroute.runtime.http_body import Decoder
from hyperroute.runtime.ports import Limits, TransportError
from hyperroute.testing.replies import DIALECTS
from hyperroute.testing.schedules import fault_schedules, scripts
from hyperroute.testing.script import SECOND
from hyperroute.testing.world import World

REQUEST = HttpRequest(method="POST", url="https://a/", body=b"{}")
LIMITS = st.builds(
    Limits,
    connect_ns=st.integers(0, 5 * SECOND),
    first_byte_ns=st.integers(0, 90 * SECOND),
    idle_ns=st.integers(0, 90 * SECOND),
    total_until=st.integers(0, 900 * SECOND),
)


def blocking(schedule, limits):
    world, story = World(), list[Any]()
    world.serve("https://a", schedule)
    for _ in schedule:
        try:
            exchange = world.open(REQUEST, limits=limits)
            story.append((world.now(), exchange.head))
            while chunk := exchange.read(timeout_ns=limits.idle_ns):
                story.append((world.now(), chunk))
        except TransportError as error:
            story.append((world.now(), error.fault))
    assert world.open_now == 0
    return story


def awaiting(schedule, limits):
    world, story = World(), list[Any]()
    world.serve("https://a", schedule)

    async def main():
        here = world.awaiting()
        for _ in schedule:
            try:
                exchange = await here.open(REQUEST, limits=limits)
                story.append((here.now(), exchange.head))
                while chunk := await exchange.read(timeout_ns=limits.idle_ns):
                    story.append((here.now(), chunk))
            except TransportError as error:
                story.append((here.now(), error.fault))

    asyncio.run(main())
    assert world.open_now == 0
    return story


@given(fault_schedules(length_max=3), LIMITS)
def test_both_colours_tell_the_same_story_at_the_same_instants(schedule, limits):
    assert blocking(schedule, limits) == awaiting(schedule, limits)


@given(fault_schedules(length_max=2), LIMITS)
def test_no_wait_outlasts_the_limits(schedule, limits):
    story = blocking(schedule, limits)
    instants = [0, *(at for at, _ in story)]
    longest = max(limits.connect_ns, limits.first_byte_ns, limits.idle_ns)
    assert all(b - a <= longest for a, b in pairwise(instants))
    assert instants[-1] <= limits.total_until


@given(st.data(), st.sampled_from(DIALECTS))
def test_a_drawn_answer_is_delivered_byte_for_byte(data, dialect):
    script = data.draw(scripts(dialect))
    story = blocking([script], Limits(SECOND, 90 * SECOND, 90 * SECOND, 10**18))
    assert b"".join(chunk for _, chunk in story[1:]) == script.body


@given(st.binary(max_size=300), st.integers(1, 50))
def test_invariant_31_no_bytes_make_the_decoder_raise_anything_but_a_fault(data, step):
    decoder = Decoder()
    with suppress(TransportError):
        for at in range(0, len(data), step):
            list(decoder.feed(data[at : at + step]))
        decoder.close()
