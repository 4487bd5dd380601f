"""Periods of whole days, and what is put together of what was read."""

from __future__ import annotations

from hyperroute.canon.journal import (
    Log,
    Selection,
    Tally,
    UsagePage,
    UsageQuery,
    UsageRow,
)
from hyperroute.canon.units import DAY
from hyperroute.stores.memory import MemoryStore
from hyperroute.usage.reports import PAGE, merged, pages, period, questions, report

NOON = 20_000 * DAY + DAY // 2


def test_a_period_is_whole_days_of_which_today_is_the_last():
    assert period(1, now=NOON) == {"since": 20_000 * DAY, "until": 20_001 * DAY}
    assert period(30, now=20_000 * DAY) == {"since": 19_971 * DAY, "until": 20_001 * DAY}
    assert period(30, now=20_001 * DAY - 1) == period(30, now=NOON)
    assert Selection(**period(365, now=NOON)).by_day


def test_a_report_has_a_sum_for_every_day_and_models_by_their_price():
    store = MemoryStore(now=lambda: 1)
    for number, (model, days_ago, price) in enumerate(
        [("a", 0, 5), ("b", 0, 4), ("b", 2, 4), ("c", 2, 8), ("", 1, 0)]
    ):
        row = UsageRow(id=f"r{number}", at=NOON - days_ago * DAY, model=model, credits=price)
        store.commit([Log(row)])
    asked = questions(Selection(**period(4, now=NOON)), limit=2)
    made = report(asked, store.read(asked))
    assert made.days == ((19_997, 0), (19_998, 12), (19_999, 0), (20_000, 9))
    assert [(tally.group, tally.credits, tally.requests) for tally in made.models] == [
        (("b",), 8, 2),
        (("c",), 8, 1),
        (("a",), 5, 1),
        (("",), 0, 1),
    ]
    assert [row.id for row in made.rows] == ["r1", "r0"]
    assert [row.id for row in made.dearest] == ["r3", "r0", "r1", "r2"]


def test_tallies_that_agree_are_one():
    one = Tally(
        group=(1, "a"), requests=1, credits=2, cost=3, lost=4, uncosted=5, input_tokens=6,
        output_tokens=7, cache_read_tokens=8, cache_write_tokens=9,
    )  # fmt: skip
    assert merged([one, one, Tally(group=(2, "a"), requests=1)], 0) == (
        Tally(
            group=(1,), requests=2, credits=4, cost=6, lost=8, uncosted=10, input_tokens=12,
            output_tokens=14, cache_read_tokens=16, cache_write_tokens=18,
        ),
        Tally(group=(2,), requests=1),
    )  # fmt: skip


def test_pages_ask_for_what_stands_behind_the_last_one():
    asking = pages(Selection(owner="user:ada"))
    first = next(asking)
    assert first == UsageQuery(selection=Selection(owner="user:ada"), order="oldest", limit=PAGE)
    rows = tuple([UsageRow(id=f"r{number}", at=number) for number in range(PAGE)])
    assert asking.send(UsagePage(rows)).after == (PAGE - 1, f"r{PAGE - 1}")
    left = UsagePage(rows[:3])
    try:
        asking.send(left)
    except StopIteration:
        return
    raise AssertionError("a page that is not full is the last")
