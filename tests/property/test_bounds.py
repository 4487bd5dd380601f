"""Bounds are bounds, and those called exact are attained: ten thousand tables, one after the other.

``HYPERROUTE_TABLES=10000`` plays all of them; a hundred are played on every change.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from random import Random

import pytest
from tests.property.drawn_runs import run
from tests.property.drawn_tables import drawn, situation

from hyperroute.bounds.reach import proved_names
from hyperroute.bounds.worst import bounds_of
from hyperroute.proving.played import play
from hyperroute.runtime.board import Board

TABLES = int(os.environ.get("HYPERROUTE_TABLES", "100"))
SHARES = 20
"""The tables are divided among so many tests, so that workers share them."""

RUNS = 6
"""Random requests for every name, each met by a random adversary."""


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "hyperroute")


@pytest.mark.parametrize("share", range(SHARES))
def test_the_adversary_attains_every_exact_bound_and_chance_exceeds_none(share: int) -> None:
    """Attempts and time are exact but for odd tables; of costs, where prices choose equivalents."""
    seen: Counter[str] = Counter()
    for seed in range(share, TABLES, SHARES):
        table, _ = drawn(seed)
        for name in proved_names(table):
            found = bounds_of(table, name)
            assert found is not None
            seen["names"] += 1
            for kind in ("attempts", "cost", "time_ns"):
                worst = getattr(found, kind.removesuffix("_ns"))
                if worst.trace is not None:
                    came = getattr(play(worst.trace, table), kind)
                    assert came == worst.attained, (seed, name, kind)
                if worst.bound is not None and not worst.exact:
                    seen["cost not attained" if kind == "cost" else "not attained"] += 1
                seen["exact"] += worst.exact
            dice = Random(f"{seed} {name}")  # noqa: S311 - it must repeat
            _exceeds_none(dice, table, name, found)
    assert seen["exact"] > seen["names"]
    assert seen["not attained"] <= 3 + seen["exact"] // 100
    assert seen["cost not attained"] <= 3 + seen["names"] // 4


def _exceeds_none(dice: Random, table, name: str, found) -> None:
    board = Board()
    for _ in range(RUNS):
        asked = situation(dice, table, name)
        record = run(dice, table, asked, board)
        told = (name, asked.told())
        assert len(record.attempts) <= found.attempts.bound, told
        assert record.latency_ns <= found.time.bound, told
        if found.cost.bound is not None and record.cost is not None:
            assert record.cost <= found.cost.bound, told
