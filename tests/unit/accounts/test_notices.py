"""Which mails are due is a function of what is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.accounts import notices
from hyperroute.accounts.keys import Key
from hyperroute.accounts.notices import Notice, due, mail_of
from hyperroute.canon.mutation import Row
from hyperroute.canon.units import HOUR, MINUTE
from hyperroute.stores.memory import MemoryStore

MONTH = "2026-11"


def key(limit: int | None, **more: Any) -> Key:
    made = Key(
        id="k1",
        name="prod-eu",
        prefix="ck_00000",
        digest="0",
        owner_type="user",
        owner_id="ada",
        created_at=0,
        spending_limit_microcredits=limit,
    )
    return replace(made, **more)


def told(one: Key, settled: int, *sent: Notice, refused: bool = False, now: int = 0) -> list[int]:
    made = due(one, settled=settled, refused=refused, period=MONTH, sent=sent, now=now)
    return [notice.threshold for notice in made]


def made(one: Key, settled: int, *sent: Notice, refused: bool = False) -> tuple[Notice, ...]:
    return due(one, settled=settled, refused=refused, period=MONTH, sent=sent, now=0)


@pytest.mark.parametrize(
    ("limit", "settled", "refused", "thresholds"),
    [
        (100, 79, False, []),
        (100, 80, False, [80]),
        (100, 99, False, [80]),
        (100, 100, False, [80, 100]),
        (100, 500, False, [80, 100]),
        (3, 2, False, []),
        (100, 0, True, []),
        (100, 79, True, []),
        (100, 80, True, [80, 100]),
        (0, 0, False, []),
        (0, 5, False, []),
        (0, 5, True, []),
        (None, 10**15, True, []),
    ],
)
def test_a_threshold_is_told_when_it_is_reached(limit, settled, refused, thresholds) -> None:
    assert told(key(limit), settled, refused=refused) == thresholds


def test_a_key_that_is_disabled_is_told_of_whatever_it_has_spent() -> None:
    one = key(100, auto_disable=True, active=False)
    assert told(one, 5, refused=True) == [100]
    assert told(one, 85, refused=True) == [80, 100]
    assert told(one, 5) == []
    assert told(replace(one, active=True), 5, refused=True) == []
    assert told(replace(one, auto_disable=False), 5, refused=True) == []
    assert told(replace(one, spending_limit_microcredits=0), 0, refused=True) == [100]


def test_each_threshold_is_told_once() -> None:
    (first,) = made(key(100), 85)
    assert told(key(100), 90, first) == []
    assert told(key(100), 40, first) == []
    assert told(key(100), 85, first) == [], "money that came back has unsaid nothing"
    (second,) = made(key(100), 100, first)
    assert second.threshold == 100
    assert told(key(100), 200, first, second, refused=True) == []


def test_a_raised_limit_arms_what_is_now_above_what_is_settled() -> None:
    store = MemoryStore(now=lambda: 0)
    store.commit([notices.put(one) for one in made(key(100), 100)])

    def sent() -> tuple[list[Row], list[Notice]]:
        (rows,) = store.read([notices.about("k1", MONTH)])
        assert isinstance(rows, tuple)
        return list(rows), [notices.read(row) for row in rows]

    rows, _ = sent()
    assert notices.rearmed(100, 100, rows) == ()
    assert store.commit(notices.rearmed(110, 100, rows)).done
    rows, there = sent()
    assert told(key(110), 101, *there) == [], "80 % of it is still below what is settled"
    assert told(key(110), 110, *there) == [100]
    assert store.commit([notices.put(one) for one in made(key(110), 110, *there)]).done
    rows, there = sent()
    assert store.commit(notices.rearmed(None, 110, rows)).done
    rows, there = sent()
    assert told(key(None), 300, *there) == []
    assert told(key(300), 300, *there) == [80, 100]
    assert store.commit([notices.put(one) for one in made(key(300), 300, *there)]).done
    assert len(sent()[0]) == 5


looks = st.lists(
    st.one_of(
        st.tuples(st.just("settle"), st.integers(-60, 60)),
        st.tuples(st.just("refuse"), st.just(0)),
        st.tuples(st.just("limit"), st.integers(0, 300)),
    ),
    max_size=40,
)


@given(looks, st.booleans())
def test_over_any_month_a_threshold_is_told_once_for_each_time_it_was_armed(
    moves: list[tuple[str, int]], auto_disable: bool
) -> None:
    """And whoever looks a second time has nothing to tell."""
    store, one, settled = (
        MemoryStore(now=lambda: 0),
        key(100, auto_disable=auto_disable, active=False),
        0,
    )
    armed = {80: 1, 100: 1}
    for what, by in moves:
        (rows,) = store.read([notices.about("k1", MONTH)])
        assert isinstance(rows, tuple)
        if what == "limit":
            again = notices.rearmed(by, settled, rows)
            for put in again:
                threshold = int(put.key.id.split("/")[2])
                assert threshold * by > 100 * settled
                armed[threshold] += 1
            store.commit(again)
            one = replace(one, spending_limit_microcredits=by)
            continue
        settled = max(0, settled + by)
        for look in range(2):
            (rows,) = store.read([notices.about("k1", MONTH)])
            assert isinstance(rows, tuple)
            sent = [notices.read(row) for row in rows]
            new = due(
                one, settled=settled, refused=what == "refuse", period=MONTH, sent=sent, now=0
            )
            assert look == 0 or new == ()
            assert [notice.threshold for notice in new] == sorted(one.threshold for one in new)
            assert store.commit([notices.put(notice) for notice in new]).done
        (rows,) = store.read([notices.about("k1", MONTH)])
        assert isinstance(rows, tuple)
        for threshold, times in armed.items():
            assert sum(notices.read(row).threshold == threshold for row in rows) <= times


def test_a_mail_says_who_and_how_much_and_breaks_no_header() -> None:
    one = key(50_000_500_000, name="pro\r\nBcc: eve@example.org", auto_disable=True, active=False)
    low, high = (mail_of(each) for each in made(one, 50_000_000_000, refused=True))
    assert "\n" not in low.subject
    assert "80 %" in low.subject
    assert "50000 of 50000.5 credits are spent." in low.text
    assert "user:ada" in low.text
    assert "has reached its limit for 2026-11" in high.subject
    assert "disabled until somebody enables it" in high.text
    assert low.id != high.id


def test_a_mail_that_is_not_taken_is_tried_less_and_less_often_and_given_up() -> None:
    (notice,) = made(key(100), 80)
    waits, now = [], 0
    for _ in range(notices.TRIES_MAX):
        assert notice.state == "queued"
        notice = notices.failed(notices.claimed(notice, now=now), "no", now=now)
        waits.append(notice.due - now)
        now = notice.due
    assert waits[:4] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert max(waits[:-1]) == HOUR
    assert notice.state == "failed"
    assert notices.put(notice, expected=1).tags == (("for", "k1/2026-11"), ("state", "failed"))
    sent = notices.delivered(notices.claimed(made(key(100), 80)[0], now=0), now=5)
    assert (sent.state, sent.tries) == ("sent", 1)
