"""Every place a wait is written in, and the order they are asked in."""

import pytest

from hyperroute.canon.units import HOUR, MILLISECOND, MINUTE, SECOND
from hyperroute.dialects.hints import (
    HINT_NS_MAX,
    go_duration_ns,
    instant_ns,
    proto_duration_ns,
    pushback,
    wait_ns,
)

DATE = ("date", "Sun, 22 Nov 2026 15:00:00 GMT")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after-ms": "250"}, 250 * MILLISECOND),
        ({"retry-after-ms": "0.5"}, MILLISECOND // 2),
        ({"retry-after": "2"}, 2 * SECOND),
        ({"retry-after": "1.5"}, 1_500 * MILLISECOND),
        ({"retry-after": " 3 "}, 3 * SECOND),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "10", "retry-after": "2"}, 10 * MILLISECOND),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2 * SECOND),
        ({"retry-after": "NaN"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "-0"}, None),
        ({"retry-after": "Infinity"}, None),
        ({"retry-after": "1e400"}, HINT_NS_MAX),
        ({"retry-after": "1" * 65}, None),
        ({"retry-after": "9" * 60}, HINT_NS_MAX),
        ({"retry-after": "1e-400"}, 0),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "1_0"}, None),
        ({"retry-after": "NaN", "x-amz-retry-after": "40"}, 40 * MILLISECOND),
        ({"x-ratelimit-reset-requests": "6m0s"}, 6 * MINUTE),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "120ms"}, SECOND),
        (
            {
                "x-ratelimit-reset-requests": "8h",
                "x-ratelimit-remaining-requests": "4999",
                "x-ratelimit-reset-tokens": "120ms",
                "x-ratelimit-remaining-tokens": "0",
            },
            120 * MILLISECOND,
        ),
        ({"x-ratelimit-reset-tokens": "1s", "x-ratelimit-remaining-tokens": "12"}, None),
        ({"x-ratelimit-reset-tokens": "1s", "x-ratelimit-remaining-tokens": "?"}, SECOND),
    ],
)
def test_waits(headers: dict[str, str], expected: int | None) -> None:
    assert wait_ns(tuple(headers.items())) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 22 Nov 2026 15:01:30 GMT", 90 * SECOND),
        ("Sunday, 22-Nov-26 15:01:30 GMT", 90 * SECOND),
        ("Sun Nov 22 15:01:30 2026", 90 * SECOND),
        ("Sun, 22 Nov 2026 14:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 15:00:60 GMT", 59 * SECOND),
        ("Sun, 31 Feb 2026 15:00:00 GMT", None),
        ("Sun, 22 Foo 2026 15:00:00 GMT", None),
        ("tomorrow", None),
    ],
)
def test_a_date_is_compared_with_the_replys_own(text: str, expected: int | None) -> None:
    assert wait_ns((DATE, ("retry-after", text))) == expected


def test_without_a_date_header_an_instant_says_nothing() -> None:
    assert wait_ns((("retry-after", "Sun, 22 Nov 2026 15:01:30 GMT"),)) is None
    assert wait_ns((("anthropic-ratelimit-requests-reset", "2026-11-22T15:00:05Z"),)) is None


def test_the_exhausted_anthropic_limits_count_and_the_longest_wins() -> None:
    headers = (
        DATE,
        ("anthropic-ratelimit-requests-reset", "2026-11-22T15:30:00Z"),
        ("anthropic-ratelimit-requests-remaining", "10"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-11-22T15:00:05Z"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        ("anthropic-ratelimit-output-tokens-reset", "2026-11-22T16:00:02+01:00"),
    )
    assert wait_ns(headers) == 5 * SECOND


def test_the_order_of_the_fields() -> None:
    fields = [
        ("retry-after-ms", "1", MILLISECOND),
        ("retry-after", "2", 2 * SECOND),
        ("x-ratelimit-reset-requests", "3s", 3 * SECOND),
        ("anthropic-ratelimit-requests-reset", "2026-11-22T15:00:04Z", 4 * SECOND),
    ]
    last = ("x-amz-retry-after", "6")
    for number in range(len(fields)):
        headers = (DATE, *((name, value) for name, value, _ in fields[number:]), last)
        assert wait_ns(headers, retry_delay="5s") == fields[number][2]
    assert wait_ns((last,), retry_delay="5s") == 5 * SECOND
    assert wait_ns((last,)) == 6 * MILLISECOND


def test_the_first_of_two_equal_headers_counts_in_any_case() -> None:
    assert wait_ns((("Retry-After", "1"), ("retry-after", "2"))) == SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120ms", 120 * MILLISECOND),
        ("1s", SECOND),
        ("6m0s", 6 * MINUTE),
        ("1h2m3.5s", HOUR + 2 * MINUTE + 3_500 * MILLISECOND),
        ("2m59.56s", 2 * MINUTE + 59_560 * MILLISECOND),
        (".5s", SECOND // 2),
        ("15µs", 15_000),
        ("15us", 15_000),
        ("7ns", 7),
        ("3", 3 * SECOND),
        ("0s", 0),
        ("", None),
        ("-1s", None),
        ("1s ", SECOND),
        ("1x", None),
        ("1s2", None),
        ("s", None),
        ("9" * 40 + "h", HINT_NS_MAX),
    ],
)
def test_go_durations(text: str, expected: int | None) -> None:
    assert go_duration_ns(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("34.5s", 34_500 * MILLISECOND),
        ("0s", 0),
        ("-1s", None),
        ("34.5", None),
        ("s", None),
        ({"seconds": 3, "nanos": 500_000_000}, 3_500 * MILLISECOND),
        ({"seconds": "3"}, 3 * SECOND),
        ({"seconds": 3, "nanos": "x"}, 3 * SECOND),
        ({"nanos": 3}, None),
        (34, None),
        (None, None),
        (["34s"], None),
    ],
)
def test_proto_durations(value: object, expected: int | None) -> None:
    assert proto_duration_ns(value) == expected


@pytest.mark.parametrize("text", ["2026-11-22T15:00:00", "", "x" * 100, "2026-99-99T00:00:00Z"])
def test_an_instant_without_a_zone_or_sense_is_none(text: str) -> None:
    assert instant_ns(text) is None


def test_instants_keep_their_fractions() -> None:
    whole = instant_ns("2026-11-22T15:00:00Z")
    assert whole is not None
    assert instant_ns("2026-11-22T15:00:00.25z") == whole + 250 * MILLISECOND


@pytest.mark.parametrize(
    ("value", "expected"), [("false", True), (" False ", True), ("true", False), ("", False)]
)
def test_pushback(value: str, expected: bool) -> None:
    assert pushback((("x-should-retry", value),)) is expected
    assert pushback(()) is False
