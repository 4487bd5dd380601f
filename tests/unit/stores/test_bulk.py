"""Statements for many: their text, and the arrays that Postgres reads."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyperroute.stores import bulk

ONE = "SELECT free, held FROM wallets WHERE owner = ?"
TWO = "SELECT ns FROM rates WHERE limit_name = ? AND subject = ?"
SET = """INSERT INTO wallets (owner, free)
    VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET free = excluded.free"""


def test_a_look_up_of_many_names_each_by_its_values() -> None:
    assert bulk.look_up_listed(ONE, 2) == (
        "SELECT owner, free, held FROM wallets WHERE owner IN (?, ?)"
    )
    assert bulk.look_up_listed(TWO, 2) == (
        "SELECT limit_name, subject, ns FROM (VALUES (?, ?), (?, ?)) AS asked CROSS JOIN rates"
        " ON limit_name = asked.column1 AND subject = asked.column2"
    )
    assert bulk.look_up_in_arrays(ONE) == (
        "SELECT owner, free, held FROM wallets WHERE owner = ANY(?::text[])"
    )
    assert bulk.look_up_in_arrays(TWO) == (
        "SELECT limit_name, subject, ns FROM rates"
        " WHERE (limit_name, subject) IN (SELECT * FROM unnest(?::text[], ?::text[]))"
    )


@pytest.mark.parametrize(
    "text",
    [
        "SELECT free FROM wallets",
        "SELECT free FROM wallets WHERE free > ?",
        "SELECT r.id FROM records r WHERE r.id = ?",
        "SELECT free FROM wallets WHERE owner = ? ORDER BY owner",
    ],
)
def test_what_is_no_look_up_by_key_is_not_made_one(text: str) -> None:
    for make in (bulk.look_up_in_arrays, lambda one: bulk.look_up_listed(one, 2)):
        with pytest.raises(ValueError, match="by its key"):
            make(text)


def test_a_writing_of_many_keeps_what_it_does_in_a_conflict() -> None:
    listed, arrays = bulk.write_listed(SET, 2), bulk.write_from_arrays(SET, ("text", "bigint"))
    assert listed is not None
    assert arrays is not None
    assert "VALUES (?, ?), (?, ?) ON CONFLICT (owner) DO UPDATE" in listed
    assert "SELECT c0, c1 FROM unnest(?::text[], ?::bigint[]) AS t (c0, c1) ON CONFLICT" in arrays
    without = bulk.write_from_arrays(SET, ("text", ""))
    assert without is not None
    assert "SELECT c0, NULL FROM unnest(?::text[]) AS t (c0) ON" in without


def test_what_writes_one_at_a_time_stays_so() -> None:
    for text in ("DELETE FROM rates WHERE ns < ?", "UPDATE commits SET number = ? WHERE name = ?"):
        assert bulk.write_listed(text, 2) is None
        assert bulk.write_from_arrays(text, ("bigint",)) is None


@given(st.integers(0, 400), st.integers(1, 30))
def test_portions_are_all_rows_in_order_and_of_few_sizes(count: int, columns: int) -> None:
    rows = [(number,) * columns for number in range(count)]
    portions = list(bulk.portions(rows))
    assert [row for portion in portions for row in portion] == rows
    assert all(len(one).bit_count() == 1 for one in portions)
    assert all(len(one) * columns <= bulk.PLACES_MAX for one in portions)


def test_two_rows_of_one_row_of_the_table_are_not_written_by_one_statement() -> None:
    assert bulk.apart(SET, [("a", 1), ("b", 1)])
    assert not bulk.apart(SET, [("a", 1), ("b", 1), ("a", 2)])
    assert bulk.apart("INSERT INTO wallets (owner, free) VALUES (?, ?)", [("a", 1), ("a", 1)])


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.one_of(st.none(), texts, st.sampled_from(["NULL", "", "{}", 'a"b', "c\\", ", "])),
        max_size=5,
    ),
    numbers=st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=5),
)
def test_an_array_is_read_back_as_it_was(
    postgres: tuple[str, str], words: list[str | None], numbers: list[int | None]
) -> None:
    with psycopg.connect(postgres[0]) as connection:
        arrays = (bulk.array_of(words), bulk.array_of(numbers))
        (told,) = connection.execute("SELECT %s::text[], %s::bigint[]", arrays).fetchall()
    assert told == (words, numbers)
