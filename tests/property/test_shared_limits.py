"""Valkey's script counts bit for bit as ``gcra.py`` does (invariant 45)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyperroute.canon.mutation import Charge, Correct, Mutation, Pace, RateKey, Tat
from hyperroute.canon.units import DAY, MINUTE, SECOND
from hyperroute.errors import StoreError
from hyperroute.routing.gcra import untouched
from hyperroute.stores import lua
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.valkey import ValkeyStore

NAMES = ("a", "b", "c")
FRESH = count()

amounts = st.one_of(
    st.integers(1, 60),
    st.sampled_from([3**20, 10**12, 2**45 - 1, 2**51 - 1, lua.EXACT_MAX - 1]),
    st.integers(1, lua.EXACT_MAX - 1),
)
paces = st.builds(
    Pace,
    amount=amounts,
    period_ns=st.sampled_from([1, 7, 1_000, SECOND, MINUTE, DAY, 30 * DAY * 64]),
    burst=st.one_of(st.integers(1, 60), st.integers(1, 10**13)),
)
units = st.one_of(st.integers(1, 9), st.integers(1, 10**9))
mutations = st.one_of(
    st.tuples(st.just(Charge), paces, units),
    st.tuples(st.just(Correct), paces, st.one_of(units, units.map(int.__neg__))),
)
batches = st.dictionaries(st.sampled_from(NAMES), mutations, max_size=3)
waits = st.one_of(
    st.sampled_from([0, 0, 1, 7, 999, SECOND - 1, SECOND, MINUTE, DAY]), st.integers(0, 10**15)
)
histories = st.lists(st.tuples(waits, batches), max_size=12)
pytestmark = pytest.mark.usefixtures("valkey")
over_a_server = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


class Clock:
    now = 1_790_000_000_123_456_789

    def read(self) -> int:
        return self.now


def batch_of(
    spelt: dict[str, tuple[type[Charge | Correct], Pace, int]], run: int
) -> list[Mutation]:
    return [
        kind(RateKey("l", "req/min", (("user", f"{name}{run}"),)), pace, some)
        for name, (kind, pace, some) in spelt.items()
    ]


def standing(found: Sequence[object], now: int) -> list[object]:
    """What is full again is as good as nothing."""
    return [None if isinstance(one, Tat) and untouched(one, now=now) else one for one in found]


@over_a_server
@given(histories)
def test_invariant_45_the_script_keeps_and_tells_what_the_pure_function_does(
    valkey: str, history: list[tuple[int, dict[str, tuple[type[Charge | Correct], Pace, int]]]]
) -> None:
    clock, run = Clock(), next(FRESH)
    keys = [RateKey("l", "req/min", (("user", f"{name}{run}"),)) for name in NAMES]
    memory = MemoryStore(now=clock.read)
    with closing(ValkeyStore(valkey, now=clock.read, slack_ms=60_000)) as shared:
        for wait, spelt in history:
            clock.now += wait
            batch = batch_of(spelt, run)
            try:
                told = shared.commit(batch)
            except StoreError as error:
                if error.unknown:
                    raise
                continue  # a number that no counter here can hold; nothing was changed
            assert told == memory.commit(batch)
            here, there = (standing(one.read(keys), clock.now) for one in (memory, shared))
            assert here == there


@over_a_server
@given(
    st.tuples(amounts, amounts, st.integers(0, lua.EXACT_MAX)),
    st.sampled_from([0, 1, SECOND - 1, MINUTE]),
)
def test_a_counter_of_another_amount_is_rounded_up_as_the_pure_function_does(
    valkey: str, numbers: tuple[int, int, int], wait: int
) -> None:
    """A product of two such numbers has a hundred bits and more, a double fifty-three."""
    before, after, some = numbers
    clock, run = Clock(), next(FRESH)
    key = RateKey("l", "tok/s", (("user", str(run)),))
    first = Correct(key, Pace(before, 1 + some % before, 1), 1 + some)
    memory = MemoryStore(now=clock.read)
    with closing(ValkeyStore(valkey, now=clock.read, slack_ms=60_000)) as shared:
        batches: list[list[Mutation]] = [[first], [Correct(key, Pace(after, 1, 1), 1)]]
        for batch in batches:
            assert shared.commit(batch) == memory.commit(batch)
            assert shared.read([key]) == memory.read([key])
            clock.now += wait if memory.read([key]) != (None,) else 0
