"""Rows as CSV: read back as they were, and never a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import fields, replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hyperroute.canon.journal import UsageRow
from hyperroute.canon.units import DAY, SECOND
from hyperroute.canon.usage import Usage
from hyperroute.usage.export import (
    COLUMNS,
    OPERATOR_COLUMNS,
    header,
    lines,
    name_on,
    plain,
    safe,
)
from hyperroute.usage.rows import told

wild = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text("=+-@\t\r\n'\",; a1", min_size=1),
)
counts = st.one_of(st.none(), st.integers(0, 10**12))
rows = st.builds(
    UsageRow,
    id=wild,
    at=st.integers(0, 4 * 10**18),
    owner=wild.map(lambda text: f"user:{text}"),
    key=wild,
    endpoint=wild,
    requested=wild,
    model=wild,
    offer=st.one_of(st.none(), wild),
    provider=st.one_of(st.none(), wild),
    credits=st.integers(0, 10**15),
    cost=counts,
    usage=st.builds(Usage, input_tokens=counts, output_tokens=counts, made_ms=counts),
    error=st.one_of(st.none(), wild),
    stream=st.booleans(),
)


def read(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline=""), strict=True))


@given(st.lists(rows, max_size=4), st.booleans())
def test_what_was_written_is_read_back_and_no_cell_begins_like_a_formula(given_rows, to_operator):
    written = header(to_operator=to_operator) + lines(given_rows, to_operator=to_operator)
    names, *found = read(written)
    assert tuple(names) == (OPERATOR_COLUMNS if to_operator else COLUMNS)
    assert len(found) == len(given_rows)
    for cells, row in zip(found, given_rows, strict=True):
        assert not any(cell.startswith(tuple("=+-@\t\r\n")) for cell in cells)
        for cell, member in zip(cells, told(row, to_operator=to_operator).values(), strict=True):
            match member:
                case None:
                    assert cell == ""
                case bool():
                    assert cell == str(member).lower()
                case int() | Decimal():
                    assert Decimal(cell) == member
                case _:
                    assert plain(cell) == member


@given(wild)
@example("=1+1")
@example("'=1+1")
@example("＝1")  # noqa: RUF001 - what spreadsheets take for an equals sign
def test_a_cell_is_neutral_and_can_be_read_back(text):
    assert plain(safe(text)) == text
    assert safe(text)[:1] not in set("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - as above
    assert safe(text) == text or safe(text) == f"'{text}"


def test_ordinary_cells_stay_as_they_are():
    for text in ("", "gpt-5.5", "a=b", "req_1", " x", "é"):
        assert safe(text) == text


def test_lines_end_as_the_standard_says_and_begin_with_the_names():
    assert header().endswith(b"left\r\n")
    assert header().startswith(b"id,ts,userId,orgId,keyId,endpoint,requestedModel,servedModel")
    assert lines([]) == b""
    row = UsageRow(id="a,b", at=0, requested='say "hi"', credits=1_500_000)
    (line,) = lines([row]).decode().splitlines()
    assert line.startswith('"a,b",1970-01-01T00:00:00.000Z,,,,,"say ""hi""",,')
    assert ",1.5," in line


def test_a_hidden_provider_is_an_empty_cell_but_to_the_operator():
    row = UsageRow(id="r", at=0, offer="m@sly", model="m", provider="sly", region="eu")
    assert b"sly" not in lines([row], hidden={"sly"})
    assert b"sly" in lines([row], hidden={"sly"}, to_operator=True)
    assert b"sly" in lines([replace(row, offer=None)], hidden={"other"})


@pytest.mark.parametrize(
    ("at", "name"),
    [(0, "1970-01-01"), (20_779 * DAY - 1, "2026-11-21"), (20_779 * DAY + SECOND, "2026-11-22")],
)
def test_a_file_is_named_by_the_day_of_its_export_in_utc(at, name):
    assert name_on(at) == f"hypereal-usage-{name}.csv"


def test_every_meter_of_a_row_that_api_md_names_is_a_column():
    for name in ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "units"):
        assert name in COLUMNS
    assert {field.name for field in fields(UsageRow)} >= {"id", "at", "usage", "credits"}
