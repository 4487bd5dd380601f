"""After a provider asked us to slow down, less is sent to it, and after a while as much as before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.failure import Cool, Failure, FailureClass
from hyperroute.canon.units import SECOND
from hyperroute.providers import verdicts
from hyperroute.routing.pace import (
    EVEN,
    WINDOW_NS,
    WINDOWS_MAX,
    Pace,
    asks_to_slow_down,
    counted,
    due,
    most,
    slowed,
)

STEPS = st.lists(
    st.tuples(st.integers(0, 15 * SECOND), st.sampled_from(("send", "send", "send", "slow"))),
    max_size=60,
)


def sent(count: int, now: int = 0) -> Pace:
    pace = EVEN
    for _ in range(count):
        pace = counted(pace, now)
    return pace


def test_only_a_limit_of_the_whole_provider_asks_us_to_slow_down():
    assert asks_to_slow_down(verdicts.SLOW_DOWN)
    everything = [one for one in vars(verdicts).values() if isinstance(one, Failure)]
    assert [one for one in everything if asks_to_slow_down(one)] == [verdicts.SLOW_DOWN]
    assert not asks_to_slow_down(
        Failure(kind=FailureClass.OVERLOADED, cool=Cool(scope="provider", base_ns=1))
    )


@given(st.lists(st.integers(0, 10**12), max_size=20).map(sorted))
def test_who_never_asked_is_never_waited_for(instants):
    pace = EVEN
    for now in instants:
        assert due(pace, now) is None
        pace = counted(pace, now)


def test_row_33_seven_tenths_of_what_was_sent_may_be_sent_and_then_a_tenth_more_each_time():
    pace = slowed(sent(100), 9 * SECOND, until=WINDOW_NS)
    allowed = [most(pace, WINDOW_NS * (1 + k)) for k in range(4)]
    assert allowed == [70, 77, 84, 92]
    assert most(pace, WINDOW_NS * (1 + WINDOWS_MAX)) is None
    assert most(pace, WINDOW_NS * WINDOWS_MAX) is not None
    for _ in range(70):
        assert due(pace, WINDOW_NS) is None
        pace = counted(pace, WINDOW_NS)
    assert due(pace, WINDOW_NS + 5) == 2 * WINDOW_NS
    assert due(pace, 2 * WINDOW_NS) is None


def test_the_busier_of_two_windows_is_what_was_sent():
    late = counted(sent(10), WINDOW_NS + 1)
    assert most(slowed(late, WINDOW_NS + 2, until=0), WINDOW_NS) == 8  # 7, and a window has passed
    forgotten = counted(sent(10), 2 * WINDOW_NS)
    assert most(slowed(forgotten, 2 * WINDOW_NS, until=2 * WINDOW_NS), 2 * WINDOW_NS) == 1


def test_what_was_in_flight_together_slows_us_once():
    once = slowed(sent(100), 1, until=15 * SECOND)
    assert slowed(once, 2, until=15 * SECOND) == once
    again = slowed(sent(70, 0), 1, until=15 * SECOND)
    assert again.limit == 49


@given(STEPS)
def test_no_window_holds_more_than_it_may_and_somebody_always_gets_through(steps):
    pace, now, held = EVEN, 0, dict[int, int]()
    for gap, what in steps:
        now += gap
        window = now // WINDOW_NS
        if what == "slow":
            pace = slowed(pace, now, until=now + 15 * SECOND)
            held[window] = 0  # what was sent before is no breach of a limit that came later
            continue
        later = due(pace, now)
        if later is None:
            pace = counted(pace, now)
            held[window] = held.get(window, 0) + 1
            limit = most(pace, now)
            assert limit is None or held[window] <= limit
        else:
            assert now < later <= now + WINDOW_NS
            assert due(pace, later) is None
