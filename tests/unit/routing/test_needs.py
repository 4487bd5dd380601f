from decimal import Decimal
from typing import Any

import pytest

from hyperroute.canon.units import SECOND
from hyperroute.canon.usage import Usage
from hyperroute.catalog.shape import Parameter, Shape
from hyperroute.routing.needs import (
    answers_wanted,
    estimated_tokens,
    frame_of,
    media_usage,
    worst_usage,
)
from hyperroute.routing.readings import (
    LONG,
    bytes_of,
    exact,
    is_list,
    read,
    read_one,
    redacted,
    shown,
    source_of,
    write_one,
)
from hyperroute.routing.view import as_fact
from hyperroute.testing import handmade
from hyperroute.testing.handmade import offer, service

VIDEO = service(
    "v",
    offer("v", "p", kind="video"),
    fps=24,
    max_run_ns=SECOND,
    takes=Shape(
        parameters={"resolution": Parameter(name="resolution", pixels={"720p": (1280, 720)})}
    ),
)


def usage(kind: str, **parameters: Any) -> Usage:
    request = handmade.request("v", kind=kind, parameters=parameters)
    return media_usage(request, VIDEO.model.offers[0], VIDEO.model, read(parameters))


def test_a_video_is_measured_in_clips_seconds_and_tokens():
    found = usage("video", duration=5, resolution="720p", n=2)
    assert (found.clips, found.made_ms, found.run_ms) == (2, 10_000, 1_000)
    assert found.output_video_tokens == 2 * 5 * 1280 * 720 * 24 // 1024
    assert found.pixels == 2 * 1280 * 720
    assert usage("video", resolution="720p").output_video_tokens is None
    assert usage("video", duration="soon").made_ms is None


def test_an_image_is_measured_in_pieces_and_a_voice_in_characters():
    assert usage("image", n=3, size="10x20").images == 3
    assert usage("image", n=3, size="10x20").pixels == 600
    assert usage("audio", text="h\u00e9").input_chars == 2
    assert usage("audio", text="h\u00e9").input_bytes == 3
    assert usage("audio").input_chars is None


def test_what_is_no_number_of_answers_is_one():
    assert [answers_wanted({"n": n}) for n in (3, 0, True, "4", None)] == [3, 1, 1, 1, 1]
    assert estimated_tokens(0) == 0
    assert estimated_tokens(5) == 2
    assert frame_of(VIDEO.model, {"size": "big"}) is None


@pytest.mark.parametrize(
    ("value", "nanoseconds"),
    [
        (5, 5 * SECOND),
        ("5", 5 * SECOND),
        ("1.5s", 3 * SECOND // 2),
        (0.5, SECOND // 2),
        ("2m", 120 * SECOND),
    ],
)
def test_times_are_read_in_every_spelling(value, nanoseconds):
    assert read_one("duration", value) == nanoseconds


def test_what_is_no_time_stays_as_it_is():
    for value in (True, "long", None, [1], float("inf")):
        assert read_one("duration", value) is value


def test_numbers_are_read_exactly_and_written_as_json_has_them():
    assert read_one("cfg_scale", 0.1) == Decimal("0.1")
    assert read_one("cfg_scale", float("nan")) == "nan"
    assert write_one("cfg_scale", Decimal("0.1")) == 0.1
    assert write_one("duration", 5 * SECOND) == 5
    assert write_one("duration", SECOND // 2) == 0.5
    assert read_one("size", "1024*768") == "1024x768"
    assert read_one("prompt", "1024*768") == "1024*768"


def test_messages_and_records_hold_no_text_of_the_caller():
    assert shown("prompt", "wish") == "4 characters"
    assert redacted("prompt", "wish") == {"chars": 4, "bytes": 4}
    assert redacted("images", ["https://x/secret"]) == [{"source": "https", "bytes": None}]
    assert redacted("style", "x" * 500) == {"chars": 500, "bytes": 500}
    assert redacted("mode", "pro") == "pro"
    assert len(shown("style", "x" * 500)) == 61
    assert source_of({"url": "https://x"}) == "https"
    assert source_of(7) == "other"


def test_the_worst_of_many_answers_is_as_many_times_the_most_of_one():
    def worst(kind: str, **parameters: Any) -> Usage:
        one = service("m", offer("m", "p", kind=kind, output=50, context=1_000))
        request = handmade.request("m", kind=kind)
        (its,) = one.model.offers
        return worst_usage(request, its, one.model, parameters, input_tokens=7, output_cap=20)

    assert worst("chat") == Usage(input_tokens=7, output_tokens=20)
    assert worst("chat", n=3) == Usage(input_tokens=7, output_tokens=60)
    assert worst("embed") == Usage(input_tokens=7, output_tokens=0)


@pytest.mark.parametrize(
    ("reference", "size"),
    [
        ("https://x/secret", None),
        ("data:image/png;base64,AAAA", 3),
        ("data:text/plain,four", 4),
        ({"url": "data:text/plain,four"}, 4),
    ],
)
def test_a_reference_measures_the_same_after_redaction_and_says_nothing_else(reference, size):
    told = redacted("mask", reference)
    assert told == {"source": source_of(reference), "bytes": size}
    assert (source_of(told), bytes_of(told)) == (source_of(reference), bytes_of(reference))
    assert redacted("mask", told) == told
    assert redacted("images", [reference]) == [told]


def test_the_name_of_something_uploaded_is_a_word_like_any_other():
    assert redacted("voice", "alloy") == "alloy"


def test_a_float_of_another_library_is_the_decimal_that_it_was_written_as():
    class Wordy(float):
        def __repr__(self) -> str:
            return f"wordy.float({float(self)})"

    assert exact(Wordy(0.1)) == as_fact(Wordy(0.1)) == Decimal("0.1")
    assert read_one("duration", Wordy(0.5)) == SECOND // 2
    assert [exact(float(word)) for word in ("inf", "-inf", "nan")] == ["inf", "-inf", "nan"]


def test_one_call_makes_all_results_unless_the_offer_makes_fewer_at_a_time():
    assert usage("image", n=5).calls == 1
    request = handmade.request("v", kind="image", parameters={})
    batched = offer("v", "p", kind="image", batch=2)
    assert media_usage(request, batched, VIDEO.model, {"n": 5}).calls == 3


def test_a_word_of_the_longest_length_is_still_a_word():
    assert redacted("style", "x" * LONG) == "x" * LONG
    assert redacted("style", "x" * (LONG + 1)) == {"chars": LONG + 1, "bytes": LONG + 1}


def test_a_reference_that_is_one_of_some_words_is_no_list():
    voices = Parameter(name="voice", one_of=("alloy", "echo"))
    assert is_list("voice", None)
    assert not is_list("voice", voices)
    assert not is_list("style", None)


def test_a_list_of_facts_keeps_what_is_a_fact():
    assert as_fact(["eu", 1, None, {"a": 1}, 0.5]) == ("eu", 1, Decimal("0.5"))
