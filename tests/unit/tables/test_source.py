"""Rule 9: YAML without its traps."""

from decimal import Decimal

import pytest

from hyperroute.tables import source
from hyperroute.tables.source import Reader, Source


def read(text):
    reader = Reader()
    value = reader.read(Source("t", text))
    return value, [str(problem) for problem in reader.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("012", "012"),
        ("1:30", "1:30"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("2026-02-17", "2026-02-17"),
        ('"12"', "12"),
        ("'true'", "true"),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("1.50", Decimal("1.50")),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("9" * 30, "9" * 30),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_scalars_are_of_the_core_schema(text, value):
    found, problems = read(f"a: {text}\n")

    assert problems == []
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


def test_keys_are_always_words():
    found, _ = read('1: a\n2.5: b\n"on": c\nn: d\ny: e\n')

    assert found == {"1": "a", "2.5": "b", "on": "c", "n": "d", "y": "e"}


def test_aliases_are_what_they_stand_for():
    found, problems = read("a: &x [1, 2]\nb: *x\nc: {d: *x}\n")

    assert problems == []
    assert found == {"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}}


def test_an_alias_may_repeat_little_and_no_more():
    row = "x, " * 99
    few = f"a: &x [{row}]\nb: [{'*x, ' * 90}]\n"
    many = f"a: &x [{row}]\nb: [{'*x, ' * 110}]\n"

    assert read(few)[1] == []
    assert read(many)[1] == ["t:2:405: aliases add more than 10,000 values"]


def test_several_mistakes_of_one_file_are_told_together():
    _, problems = read("a: 1\na: 2\nb: !x 3\non: 4\n")

    assert len(problems) == 3


def test_a_byte_order_mark_is_skipped_and_other_encodings_are_named():
    reader = Reader()

    assert reader.decode("t", b"\xef\xbb\xbfa: 1\n") == "a: 1\n"
    assert reader.decode("t", "a: 1".encode("utf-16")) is None
    assert reader.decode("t", b"a: 1\nb: \xff\n") is None
    assert [str(problem) for problem in reader.problems] == [
        "t:0:0: the file is UTF-16; save it as UTF-8",
        "t:2:4: not UTF-8",
    ]


def test_unprintable_characters_are_named_with_their_place():
    assert read("a: 1\nb: x\x07\n")[1] == [
        "t:2:5: the character '\\x07' is not printable; write it as an escape"
    ]


def test_a_file_too_large_is_not_even_read():
    reader = Reader()

    assert reader.decode("t", b" " * (source.BYTES_MAX + 1)) is None
    assert "larger than 16 MiB" in str(reader.problems[0])


def test_a_place_is_the_nearest_one_that_the_text_has():
    found = Source("t", "a:\n  b: [x, {c: 1}]\n")

    assert found.place(("a", "b", 1, "c")) == (2, 14)
    assert found.place(("a", "b", 1, "c"), key=True) == (2, 11)
    assert found.place(("a", "<tag>", "b", 1)) == (2, 10)
    assert found.place(("a", "missing"), key=True) == (1, 1)
    assert found.place(()) == (1, 1)
