"""Typed access to strangers' JSON."""

import pytest

from hyperroute.dialects import reading
from hyperroute.dialects.places import place, place_of_part
from hyperroute.errors import ClientWireError


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (reading.text, ["", "x"], [1, [], True]),
        (reading.flag, [True, False], [0, "true"]),
        (reading.number, [0, 1.5, -2], ["1", True, float("nan"), float("inf")]),
        (reading.integer, [0, -3, 2**70], [1.5, "1", False]),
        (reading.member, [{}, {"a": 1}], [[], "x"]),
        (reading.items, [[], [1]], [{}, "x"]),
        (reading.texts, [(), ("a",)], ["a", [1]]),
    ],
)
def test_a_member_is_read_or_refused_with_its_place(read, good, bad):
    for value in good:
        assert read({"a/b": value}, "a/b", "/x") == value
    for value in bad:
        with pytest.raises(ClientWireError) as caught:
            read({"a/b": value}, "a/b", "/x")
        assert caught.value.pointer.startswith("/x/a~1b")


def test_null_reads_as_absent():
    for read in (
        reading.text,
        reading.flag,
        reading.number,
        reading.integer,
        reading.member,
        reading.texts,
    ):
        assert read({"a": None}, "a", "") is None
        assert read({}, "a", "") is None
    assert reading.items({"a": None}, "a", "") == ()


def test_a_whole_float_is_an_integer():
    assert reading.integer({"a": 5.0}, "a", "") == 5


def test_a_needed_text_must_be_there():
    with pytest.raises(ClientWireError):
        reading.need_text({}, "a", "")


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (3, 3),
        (-1, 0),
        ("7", 7),
        (2.9, 2),
        (None, None),
        (True, None),
        ("x", None),
        (float("inf"), None),
        ([], None),
    ],
)
def test_a_provider_s_count_is_total(value, count):
    assert reading.count(value) == count


def test_losses_point_into_the_source_document():
    assert place("gemini.generate", "seed") == "/generationConfig/seed"
    assert place("openai.chat", "seed") == "/seed"
    assert place("a.stranger", "seed") == "/seed"
    assert place_of_part("anthropic.messages", 2, 1) == "/messages/2/content/1"
    assert place_of_part("gemini.generate", 2, 1) == "/contents/2/parts/1"
    assert place_of_part("gemini.generate", 2) == "/contents/2"
    assert place_of_part("openai.responses", 2, 1) == "/input"


@pytest.mark.parametrize("raw", [{"a": "\ud800"}, {"a": object()}])
def test_a_mapping_that_is_no_json_is_refused(raw):
    with pytest.raises(ClientWireError):
        reading.measured(raw, None)
    assert reading.measured(raw, b"12345") == 5
