"""Token counts of OpenAI and compatible servers."""

from typing import Any

import pytest

from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects.openai_usage import chat_usage, later, read_usage, responses_usage


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("usage", None),
        ({}, None),
        ({"prompt_tokens": None, "completion_tokens": None}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(input_tokens=0, output_tokens=0)),
        (
            {"prompt_tokens": "12", "completion_tokens": 3.0},
            Usage(input_tokens=12, output_tokens=3),
        ),
        ({"prompt_tokens": True, "completion_tokens": [1]}, None),
        ({"prompt_tokens": -5, "completion_tokens": 2}, Usage(input_tokens=0, output_tokens=2)),
        ({"prompt_tokens": 5}, Usage(input_tokens=5)),
        ({"input_tokens": 5, "output_tokens": 2}, Usage(input_tokens=5, output_tokens=2)),
        (
            {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}},
            Usage(input_tokens=5, cache_read_tokens=5),
        ),
        ({"prompt_tokens": 5, "prompt_tokens_details": 3}, Usage(input_tokens=5)),
        (
            {"prompt_tokens": 5, "prompt_cache_hit_tokens": 4},
            Usage(input_tokens=5, cache_read_tokens=4),
        ),
        (
            {
                "input_tokens": 9,
                "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2},
                "output_tokens": 7,
                "output_tokens_details": {"reasoning_tokens": 3},
                "total_tokens": 16,
            },
            Usage(
                input_tokens=9,
                cache_read_tokens=1,
                cache_write_tokens=2,
                output_tokens=7,
                reasoning_tokens=3,
            ),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "completion_tokens_details": {"reasoning_tokens": 6},
                "total_tokens": 20,
            },
            Usage(input_tokens=10, output_tokens=10, reasoning_tokens=6),
        ),
    ],
)
def test_reading(value: Any, expected: Usage | None) -> None:
    assert read_usage(value) == expected


def test_a_later_report_takes_nothing_back() -> None:
    first = Usage(input_tokens=9, output_tokens=5, cache_read_tokens=2)
    second = Usage(input_tokens=9, output_tokens=3)
    assert later(first, second) == Usage(input_tokens=9, output_tokens=5, cache_read_tokens=2)
    assert later(NO_USAGE, second) is second
    assert later(Usage(input_tokens=0), Usage(output_tokens=0)) == Usage(
        input_tokens=0, output_tokens=0
    )


def test_unknown_is_not_written_as_zero() -> None:
    assert chat_usage(Usage(input_tokens=1)) is None
    assert responses_usage(NO_USAGE) is None
    assert chat_usage(Usage(input_tokens=1, output_tokens=0)) == {
        "prompt_tokens": 1,
        "completion_tokens": 0,
        "total_tokens": 1,
    }


def test_what_is_written_is_read_back() -> None:
    usage = Usage(
        input_tokens=9,
        cache_read_tokens=1,
        cache_write_tokens=2,
        output_tokens=7,
        reasoning_tokens=3,
    )
    assert read_usage(chat_usage(usage)) == usage
    assert read_usage(responses_usage(usage)) == usage
