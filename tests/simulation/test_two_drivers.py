"""Both drivers tell the same story in every world: events, errors, records, requests and waits.

``HYPERROUTE_WORLDS=100000 pytest tests/simulation`` is the long run (about seven minutes); a seed
that fails there is added to ``seeds.txt``.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from pathlib import Path

import pytest

from hyperroute.testing.stages import drawn_stage, seeded

WORLDS = int(os.environ.get("HYPERROUTE_WORLDS", "1000"))
CHUNKS = 10
RUNS = 3
"""Of each world, one after another, on the same board: breakers and cool-downs take part."""

SEEDS = [
    int(line)
    for line in (Path(__file__).parent / "seeds.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("hyperroute").setLevel(logging.ERROR)
    yield
    logging.getLogger("hyperroute").setLevel(logging.NOTSET)


def played(seeds) -> Counter[str]:
    """Play worlds in both colours and count how their runs ended."""
    ends: Counter[str] = Counter()
    with asyncio.Runner() as runner:
        for seed in seeds:
            one, other = drawn_stage(seeded(seed)), drawn_stage(seeded(seed))
            for number in range(RUNS):
                blocking = one.blocking(f"run-{number}")
                awaiting = runner.run(other.awaited(f"run-{number}"))
                assert blocking == awaiting, f"seed {seed}, run {number}"
                ends[blocking.outcome] += 1
            assert one.world.open_now == other.world.open_now == 0, f"seed {seed} leaks"
    return ends


def test_seeds_that_failed_before_tell_one_story():
    played(SEEDS)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_both_drivers_tell_the_same_story(chunk):
    ends = played(range(chunk, WORLDS, CHUNKS))
    # A simulation in which nothing happens would prove nothing.
    assert set(ends) >= {"served", "exhausted", "interrupted", "abandoned"}
