from decimal import Decimal

import pytest

from hyperroute.tables import words


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (words.size, "200k", 200_000),
        (words.size, "1.5M", 1_500_000),
        (words.size, 4096, 4096),
        (words.size, Decimal("2.0"), 2),
        (words.time, "500ms", 500_000_000),
        (words.time, "1.5s", 1_500_000_000),
        (words.time, "30d", 30 * 86_400 * 10**9),
        (words.time, "0s", 0),
        (words.money, "0.50 usd", Decimal("0.5")),
        (words.money, "50 credit", Decimal("0.5")),
        (words.share, "0.5%", Decimal("0.005")),
        (words.percent, "80%", 80),
        (words.date, "1970-01-02", 1),
        (words.quantity, "1M tok", (1_000_000, "tok")),
        (words.quantity, "60 second", (60, "second")),
        (words.pixels, "1280*720", (1280, 720)),
        (words.budget, "key.limit / month", ("key.limit", "month")),
        (words.canonical_word, "1024*1024", "1024x1024"),
        (words.canonical_word, "HD", "hd"),
        (words.secret, "env:KEY", "env:KEY"),
        (words.number, "0.25", Decimal("0.25")),
    ],
)
def test_reads(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((words.size, text) for text in ("200K", "k", "-1", "1e3", "1.5", "", "0x10", True, None)),
        *((words.time, text) for text in ("30", 30, "5 min", "-1s", "0.1ns", "1h30m", "")),
        *((words.money, text) for text in (0.5, "1", "$1", "1 eur", "-1 usd", Decimal(1))),
        *((words.share, text) for text in (80, "80", "-1%", "%")),
        *((words.decimal, text) for text in (-1, "1", True, Decimal("-0.1"), None)),
        *((words.count, text) for text in (-1, "1", True, Decimal("1.0"))),
        *((words.date, text) for text in ("2026-2-1", "2026-02-30", "20260201", 20260201)),
        *((words.rate, text) for text in ("300", "300 req", "0 req / s", "1 req / s burst 0")),
        *((words.secret, text) for text in ("sk-123", "env:", "env:1A", "file:key", None)),
        *((words.region, text) for text in ("EU", "eu_west", "eu-", "", 5)),
    ],
)
def test_refuses_with_the_form_that_it_expected(read, text):
    with pytest.raises(ValueError, match="expected"):
        read(text)


def test_a_secret_in_the_open_is_not_repeated_in_the_message():
    with pytest.raises(ValueError, match="reference to a secret") as caught:
        words.secret("sk-proj-canary")

    assert "canary" not in str(caught.value)


def test_a_rate_has_a_burst_only_where_it_is_said():
    assert words.rate("300 req / min").burst is None
    rate = words.rate("2M  tok/min burst 10k")
    assert (rate.amount, rate.unit, rate.per, rate.burst) == (2_000_000, "tok", "min", 10_000)


@pytest.mark.parametrize(
    ("text", "times", "low", "high"),
    [
        ("1..10", None, 1, 10),
        ("..5", None, None, 5),
        ("0.5..", None, Decimal("0.5"), None),
        ("4s..15s", True, 4_000_000_000, 15_000_000_000),
        ("4s..15s", None, 4_000_000_000, 15_000_000_000),
        ("-1..1", False, -1, 1),
    ],
)
def test_reads_ranges(text, times, low, high):
    found = words.span(text, times=times)

    assert (found.low, found.high) == (low, high)
