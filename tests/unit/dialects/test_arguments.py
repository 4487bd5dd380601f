"""Arguments stay an object, whatever a model writes and wherever it stops."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.dialects.arguments import HELD_MAX, PROSE_MAX, Arguments

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=4)
WRITTEN = st.builds(json.dumps, OBJECTS, indent=st.none() | st.just(1), ensure_ascii=st.booleans())
JUNK = st.text(st.sampled_from('{}[]",:\\ntu01-.eE \n\tfalsr\u00e9\x00'), max_size=24)


def told(*pieces: str) -> tuple[str, Arguments]:
    arguments = Arguments()
    begun = "".join(arguments.feed(piece) for piece in pieces)
    return begun + arguments.close(), arguments


def cut(text: str, places: list[int]) -> list[str]:
    at = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[one:other] for one, other in pairwise(at)]


@given(WRITTEN, st.lists(st.integers(0, 999), max_size=6))
def test_an_object_is_handed_on_byte_for_byte_however_it_is_cut(text, places):
    said, arguments = told(*cut(text, places))
    assert said == text
    assert arguments.whole


@given(WRITTEN, st.integers(0, 999))
def test_half_an_object_becomes_one_that_begins_like_it(text, place):
    half = text[: place % (len(text) + 1)]
    said, arguments = told(half)
    if half.strip():
        assert isinstance(json.loads(said), dict)
    assert arguments.whole == (half in {"", text} or not half.strip())


@given(st.one_of(JUNK, st.tuples(WRITTEN, JUNK, st.integers(0, 99)).map(
    lambda drawn: drawn[0][: drawn[2]] + drawn[1] + drawn[0][drawn[2] :]
)), st.lists(st.integers(0, 99), max_size=4))  # fmt: skip
def test_anything_at_all_becomes_an_object_and_no_cut_changes_it(text, places):
    said, arguments = told(text)
    if text.strip():
        assert isinstance(json.loads(said), dict)
    again, other = told(*cut(text, places))
    assert (again, other.whole) == (said, arguments.whole)
    if arguments.whole and text.strip():
        assert json.loads(text) == json.loads(said)


@given(WRITTEN, JUNK)
def test_a_reader_never_meets_what_can_not_become_an_object(text, junk):
    arguments, begun = Arguments(), ""
    for letter in text[:-1] + junk:
        begun += arguments.feed(letter)
        if begun.strip():
            json.loads(begun + deepcopy(arguments).close())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("rm -rf /", '{"arguments":"rm -rf /"}'),
        ('"{\\"a\\":1}"', '{"arguments":"\\"{\\\\\\"a\\\\\\":1}\\""}'),
        ("[1]", '{"arguments":"[1]"}'),
        ('{"a": 1', "{}"),
        ('{"a": 1,', '{"a": 1}'),
        ('{"a": "b', '{"a": "b"}'),
        ('{"a": "b\\u00', '{"a": "b"}'),
        ('{"a": [1, 2', '{"a": [1]}'),
        ("{'a': 1}", "{}"),
        ('{"a": 1} and so on', '{"a": 1} '),
        ('{"a": 1}}', '{"a": 1}'),
    ],
)
def test_what_is_handed_on_is_what_is_sure(text, said):
    assert told(text)[0] == said


def test_what_waits_is_bounded_and_what_is_left_out_is_counted():
    arguments = Arguments()
    assert arguments.feed('{"a": 1, "') == '{"a": 1'
    for _ in range(3):
        assert not arguments.feed("x" * HELD_MAX)
    assert arguments.close() == "}"
    assert arguments.lost == 3 * HELD_MAX + len(', "')
    prose = Arguments()
    for _ in range(3):
        assert not prose.feed("x" * PROSE_MAX)
    assert len(json.loads(prose.close())["arguments"]) == PROSE_MAX
    assert prose.lost == 2 * PROSE_MAX
