"""What no sequence of calls gets past a rate limit (invariants 45 and 46)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from hyperroute.canon.mutation import Charged, Exceeded, Pace, Tat
from hyperroute.canon.units import MINUTE, SECOND
from hyperroute.catalog.card import Rate
from hyperroute.routing.gcra import charged, corrected, untouched
from hyperroute.routing.limiting import charges, granted, pace
from hyperroute.routing.table import Limit
from hyperroute.stores.memory import MemoryStore

paces = st.builds(
    Pace,
    amount=st.integers(1, 50),
    period_ns=st.sampled_from([7, 1_000, SECOND, MINUTE]),
    burst=st.integers(1, 60),
)
calls = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 3, 7, 143, 1_000, SECOND // 3, SECOND, MINUTE]), st.integers(1, 9)),
    max_size=60,
)  # fmt: skip


@given(paces, calls)
def test_invariant_45_in_any_window_at_most_the_burst_and_what_flows_in_meanwhile(
    at: Pace, calls: list[tuple[int, int]]
) -> None:
    counter: Tat | None = None
    now, passed = 0, []
    for later, units in calls:
        now += later
        counter, told = charged(counter, at, units, now=now)
        if isinstance(told, Charged):
            passed.append((now, units))
    for first in range(len(passed)):
        total = 0
        for when, units in passed[first:]:
            total += units
            window = when - passed[first][0]
            assert total <= at.burst + Fraction(window * at.amount, at.period_ns)


@given(paces, calls, st.integers(1, 70))
def test_invariant_45_a_refused_call_changes_nothing_and_is_told_the_least_wait(
    at: Pace, calls: list[tuple[int, int]], units: int
) -> None:
    counter: Tat | None = None
    now = 0
    for later, some in calls:
        now += later
        counter, _ = charged(counter, at, some, now=now)
    after, told = charged(counter, at, units, now=now)
    assume(isinstance(told, Exceeded))
    assert isinstance(told, Exceeded)
    assert after is counter
    if told.wait_ns is None:
        assert units > at.burst
        return
    assert told.wait_ns > 0
    assert isinstance(charged(counter, at, units, now=now + told.wait_ns)[1], Charged)
    assert isinstance(charged(counter, at, units, now=now + told.wait_ns - 1)[1], Exceeded)


@given(paces, calls)
def test_what_is_told_to_be_left_is_what_still_passes_and_full_is_full(
    at: Pace, calls: list[tuple[int, int]]
) -> None:
    counter: Tat | None = None
    now = 0
    for later, units in calls:
        now += later
        counter, told = charged(counter, at, units, now=now)
        if told.left:
            assert isinstance(charged(counter, at, told.left, now=now)[1], Charged)
        assert isinstance(charged(counter, at, told.left + 1, now=now)[1], Exceeded)
        assert counter is None or untouched(counter, now=now + told.full_ns)
        if told.full_ns:
            assert counter is not None
            assert not untouched(counter, now=now + told.full_ns - 1)


@given(paces, calls, st.integers(1, 20))
def test_what_is_given_back_at_once_was_never_taken(
    at: Pace, calls: list[tuple[int, int]], units: int
) -> None:
    counter: Tat | None = None
    now = 0
    for later, some in calls:
        now += later
        counter, _ = charged(counter, at, some, now=now)
    counter = None if counter is not None and untouched(counter, now=now) else counter
    taken, _ = corrected(counter, at, units, now=now)
    back, _ = corrected(taken, at, -units, now=now)
    assert back == counter


@given(paces, calls, st.integers(1, 50))
def test_another_amount_never_forgets_what_was_taken(
    at: Pace, calls: list[tuple[int, int]], amount: int
) -> None:
    """Kept to the nanosecond above: a table with other numbers goes on with the same counter."""
    counter: Tat | None = None
    now = 0
    for later, units in calls:
        now += later
        counter, _ = charged(counter, at, units, now=now)
    assume(counter is not None and not untouched(counter, now=now))
    assert counter is not None
    other = Pace(amount, at.period_ns, at.burst)
    after, _ = corrected(counter, other, 1, now=now)
    assert after is not None
    moved = Fraction(after.part, after.of) + after.ns - Fraction(at.period_ns, amount)
    was = Fraction(counter.part, counter.of) + counter.ns
    assert was <= moved < was + Fraction(1, amount)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 64))
def test_the_workers_shares_flow_exactly_as_the_whole(
    amount: int, burst: int, workers: int
) -> None:
    whole = pace(Rate(amount, "req", "min", burst))
    share = pace(Rate(amount, "req", "min", burst), workers=workers)
    assert Fraction(share.amount, share.period_ns) * workers == Fraction(
        whole.amount, whole.period_ns
    )
    assert share.burst * workers <= max(whole.burst, workers)
    assert share.burst >= 1


# --- per user --------------------------------------------------------------------------------------
@dataclass
class Ticking:
    now: int = 0

    def read(self) -> int:
        return self.now


@given(
    st.integers(1, 10),
    st.lists(
        st.tuples(st.sampled_from([0, SECOND, MINUTE]), st.sampled_from("abc"), st.integers(0, 5)),
        max_size=40,
    ),
)
def test_invariant_46_limits_are_the_same_over_any_split_among_the_keys_of_a_user(
    amount: int, calls: list[tuple[int, str, int]]
) -> None:
    limits = [
        Limit(name="speed", per=("user",), rate=(Rate(amount, "req", "min"), Rate(30, "tok", "s")))
    ]
    told: list[list[object]] = []
    for one_key in (True, False):
        clock = Ticking()
        store = MemoryStore(now=clock.read)
        answers: list[object] = []
        for later, key, tokens in calls:
            clock.now += later
            facts = {"user.id": "ada", "key.id": "a" if one_key else key}
            demands = charges(limits, facts.get, {"req": 1, "tok": tokens})
            commit = store.commit([demand.mutation for demand in demands])
            answers.append(granted(demands, commit))
        told.append(answers)
    assert told[0] == told[1]
