"""Money in worlds where messages are lost, replicas stall and die, and clients ask twice.

``HYPERROUTE_MONEY_OPS=1000000 pytest tests/simulation/test_money_worlds.py`` is the long run. A world
that fails is cut down, and printed as bytes that play it again.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulation.money_world import POINTS, MoneyWorld, worlds

OPERATIONS = int(os.environ.get("HYPERROUTE_MONEY_OPS", "20000"))
SEED = int(os.environ.get("HYPERROUTE_MONEY_SEED", "1"))
CHUNKS = 4
SIZE = 1_500


def failing(data: bytes) -> AssertionError | None:
    try:
        MoneyWorld(data).play()
    except AssertionError as error:
        return error
    return None


def cut_down(data: bytes) -> bytes:
    """Leave out of a failing world whatever it fails without."""
    step = len(data) // 2
    while step:
        at = 0
        while at < len(data):
            shorter = data[:at] + data[at + step :]
            if failing(shorter) is not None:
                data = shorter
            else:
                at += step
        step //= 2
    return data


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_invariants_33_and_34_and_35_and_36_and_37_and_39_and_40_and_41_and_52_in_worlds_of_four_replicas(
    chunk,
):
    operations = 0
    crashed: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for data in worlds(SEED * CHUNKS + chunk, SIZE):
        world = MoneyWorld(data)
        try:
            world.play()
        except AssertionError:
            least = cut_down(data)
            pytest.fail(f"MoneyWorld({least!r}).play(): {failing(least)}")
        operations += world.operations
        crashed += world.crashed
        ends += world.ends
        if operations * CHUNKS >= OPERATIONS:
            break
    # A simulation in which nothing happens would prove nothing.
    assert set(crashed) == POINTS
    assert set(ends) == {"whole", "part", "failed"}


@settings(max_examples=30)
@given(st.binary(min_size=200, max_size=600))
def test_invariants_33_and_34_and_35_and_36_and_37_and_39_and_40_and_41_and_52_in_worlds_that_shrink(
    data,
):
    MoneyWorld(data).play()
