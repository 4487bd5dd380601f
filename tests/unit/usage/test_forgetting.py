"""How long rows are kept."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from hyperroute.canon.journal import Forget, Log, Selection, UsageQuery, UsageRow, UsageSums
from hyperroute.canon.units import DAY
from hyperroute.stores.memory import MemoryStore
from hyperroute.usage.forgetting import AT_ONCE, before, forgetting


def test_today_and_so_many_whole_days_are_kept():
    now = 20_000 * DAY + 5
    assert before(1, now=now) == 19_999 * DAY
    assert before(400, now=now) == 19_600 * DAY


@pytest.mark.parametrize("old", [0, 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 7])
def test_everything_older_goes_a_part_at_a_time_and_nothing_else(old):
    store = MemoryStore(now=lambda: 1)
    rows = [UsageRow(id=f"r{number:05}", at=5 * DAY - 1 - number) for number in range(old)]
    store.commit([Log(row) for row in (*rows, UsageRow(id="young", at=5 * DAY))])
    (sums,) = store.read([UsageSums()])
    told, commits = list[int](), 0

    def driven() -> Any:
        told.append((yield from forgetting(5 * DAY)))

    asking, got = driven(), None
    with suppress(StopIteration):
        while True:
            wish = asking.send(got)
            if isinstance(wish, Forget):
                assert wish.most <= AT_ONCE
                store.commit([wish])
                commits, got = commits + 1, None
            else:
                (got,) = store.read([wish])
    assert told == [old]
    assert commits == -(-old // AT_ONCE)
    (left,) = store.read([UsageQuery(selection=Selection(until=9 * DAY))])
    assert [row.id for row in left.rows] == ["young"]  # type: ignore[union-attr]
    assert store.read([UsageSums()]) == (sums,)
