"""One statement where many of a kind would do the same: for cells that are read, and rows written.

A look-up is ``SELECT … FROM … WHERE a = ? AND b = ?``, and a writing ends in ``VALUES (?, ?)`` with
or without ``ON CONFLICT``; both are made for any number of values here, once for each way in which
databases take many. What has another form is carried out one by one.

Example:
    >>> look_up_listed("SELECT free FROM wallets WHERE owner = ?", 2)
    'SELECT owner, free FROM wallets WHERE owner IN (?, ?)'
    >>> write_listed("INSERT INTO wallets (owner, free) VALUES (?, ?)", 2)
    'INSERT INTO wallets (owner, free) VALUES (?, ?), (?, ?)'
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache

from hyperroute.stores.sql import Values

Questions = Mapping[str, Collection[Values]]
"""By the text of a look-up, the values of each cell that is asked for."""

TEXTS_MAX = 512
"""Texts that are remembered; each is one of some dozens, for one of some sizes."""

PLACES_MAX = 999
"""Values of one statement: as many as every SQLite of the last ten years takes."""

PORTION_MAX = 64
"""Rows of one statement."""

_LOOK_UP = re.compile(r"SELECT (.+?)\s+FROM (\w+) WHERE (\w+ = \?(?: AND \w+ = \?)*)", re.DOTALL)
_WRITING = re.compile(r"(INSERT INTO \w+\s+\([^()]+\)\s+)VALUES \((\?(?:, \?)*)\)(.*)", re.DOTALL)
_CONFLICT = re.compile(r"INSERT INTO \w+\s+\(([^()]+)\).*ON CONFLICT \(([^()]+)\)", re.DOTALL)


# --- by lists of places: SQLite --------------------------------------------------------------------
@lru_cache(TEXTS_MAX)
def look_up_listed(text: str, count: int) -> str:
    """Look up many cells; each row begins with the values it was found by.

    Raises:
        ValueError: It is no look-up.
    """
    what, table, names = _look_up(text)
    if len(names) == 1:
        return f"SELECT {names[0]}, {what} FROM {table} WHERE {names[0]} IN ({_places(count)})"  # noqa: S608 - no value is in it
    # A cross join goes through the values and looks each up; IN would go through the table.
    rows = ", ".join([f"({_places(len(names))})"] * count)
    terms = " AND ".join([f"{name} = asked.column{at}" for at, name in enumerate(names, 1)])
    key = ", ".join(names)
    return f"SELECT {key}, {what} FROM (VALUES {rows}) AS asked CROSS JOIN {table} ON {terms}"  # noqa: S608 - no value is in it


@lru_cache(TEXTS_MAX)
def write_listed(text: str, count: int) -> str | None:
    """Write many rows; ``None``: it writes one at a time."""
    found = _WRITING.fullmatch(text)
    if found is None:
        return None
    head, places, rest = found.groups()
    return f"{head}VALUES {', '.join([f'({places})'] * count)}{rest}"


def portions(rows: Sequence[Values]) -> Iterator[Sequence[Values]]:
    """Cut rows into portions whose sizes are powers of two, so that there are few texts."""
    most = PLACES_MAX // len(rows[0]) if rows else 1
    begun = 0
    while left := min(len(rows) - begun, most, PORTION_MAX):
        size = 1 << (left.bit_length() - 1)
        yield rows[begun : begun + size]
        begun += size


# --- by arrays: Postgres ---------------------------------------------------------------------------
@lru_cache(TEXTS_MAX)
def look_up_in_arrays(text: str) -> str:
    """Look up many cells, of whose values each column is an array.

    Raises:
        ValueError: It is no look-up.
    """
    what, table, names = _look_up(text)
    if len(names) == 1:
        return f"SELECT {names[0]}, {what} FROM {table} WHERE {names[0]} = ANY(?::text[])"  # noqa: S608 - no value is in it
    key = ", ".join(names)
    arrays = ", ".join(["?::text[]"] * len(names))
    return f"SELECT {key}, {what} FROM {table} WHERE ({key}) IN (SELECT * FROM unnest({arrays}))"  # noqa: S608 - no value is in it


@lru_cache(TEXTS_MAX)
def write_from_arrays(text: str, kinds: tuple[str, ...]) -> str | None:
    """Write many rows, each column an array of a kind: ``text``, ``bigint`` or ``""`` for no value.

    ``None``: it writes one at a time.
    """
    found = _WRITING.fullmatch(text)
    if found is None:
        return None
    head, _, rest = found.groups()
    names = [f"c{number}" for number, kind in enumerate(kinds) if kind]
    columns = ", ".join([f"c{number}" if kind else "NULL" for number, kind in enumerate(kinds)])
    arrays = ", ".join([f"?::{kind}[]" for kind in kinds if kind])
    return f"{head}SELECT {columns} FROM unnest({arrays}) AS t ({', '.join(names)}){rest}"  # noqa: S608 - no value is in it


def columns_of(rows: Sequence[Values]) -> tuple[tuple[str, ...], list[str]]:
    """Turn rows into the kinds of their columns and an array of each that has a value."""
    kinds: list[str] = []
    arrays: list[str] = []
    for column in zip(*rows, strict=True):
        kind = _kind(column)
        kinds.append(kind)
        if kind:
            arrays.append(array_of(column))
    return tuple(kinds), arrays


def array_of(column: Sequence[str | int | None]) -> str:
    """Write an array as Postgres reads it."""
    return "{" + ",".join([_element(value) for value in column]) + "}"


def apart(text: str, rows: Sequence[Values]) -> bool:
    """Say whether no two rows are about the same row of the table, so that one statement may have both."""
    found = _CONFLICT.match(text)
    if found is None:
        return True
    names, key = ([name.strip() for name in one.split(",")] for one in found.groups())
    places = [names.index(name) for name in key]
    return len({tuple([row[place] for place in places]) for row in rows}) == len(rows)


def _kind(column: Sequence[str | int | None]) -> str:
    for value in column:
        if value is not None:
            return "text" if isinstance(value, str) else "bigint"
    return ""


def _element(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def _look_up(text: str) -> tuple[str, str, list[str]]:
    found = _LOOK_UP.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} looks nothing up by its key")
    what, table, where = found.groups()
    return what, table, [term.removesuffix(" = ?") for term in where.split(" AND ")]


def _places(count: int) -> str:
    return ", ".join(["?"] * count)


__all__ = [
    "Questions",
    "apart",
    "array_of",
    "columns_of",
    "look_up_in_arrays",
    "look_up_listed",
    "portions",
    "write_from_arrays",
    "write_listed",
]
