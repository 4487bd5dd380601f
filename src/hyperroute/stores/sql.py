"""The SQL of every store that speaks it: pure functions from what is kept to text and back.

One text for SQLite and Postgres: ``?`` stands for a value, columns are ``TEXT`` and ``BIGINT``, and
nothing is used that only one of them has. What a mutation means is not written here, but in
``deciding.py``; a statement reads a cell or replaces it.

The schema is a list of steps that is only ever added to. A store that finds fewer of them in its
``schema_steps`` carries out the others, in one transaction; one that finds more was made by a newer
release, and refuses to be written by this one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, assert_never

from hyperroute.canon.mutation import (
    Cell,
    Found,
    Key,
    RateKey,
    Row,
    RowKey,
    Shelved,
    State,
    Tagged,
    Tags,
    Tat,
)
from hyperroute.canon.units import Instant

Statement = tuple[str, tuple[str | int, ...]]
"""SQL text with ``?``, and its values."""

SCHEMA: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE commits (name TEXT PRIMARY KEY, number BIGINT NOT NULL)""",
        """INSERT INTO commits (name, number) VALUES ('last', 0)""",
        """CREATE TABLE rates (
            limit_name TEXT NOT NULL, meter TEXT NOT NULL, subject TEXT NOT NULL,
            ns BIGINT NOT NULL, part BIGINT NOT NULL, amount BIGINT NOT NULL,
            PRIMARY KEY (limit_name, meter, subject))""",
        """CREATE INDEX rates_by_ns ON rates (ns)""",
        """CREATE TABLE records (
            shelf TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, tags TEXT NOT NULL,
            version BIGINT NOT NULL,
            PRIMARY KEY (shelf, id))""",
        """CREATE TABLE record_tags (
            shelf TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
            PRIMARY KEY (shelf, name, value, id),
            FOREIGN KEY (shelf, id) REFERENCES records (shelf, id) ON DELETE CASCADE)""",
    ),
)
"""By step; a step is never edited once it was released."""

STEPS_TABLE = "CREATE TABLE IF NOT EXISTS schema_steps (step BIGINT PRIMARY KEY)"
STEPS_DONE = "SELECT COUNT(*) FROM schema_steps"

LAST_COMMIT: Statement = ("SELECT number FROM commits WHERE name = ?", ("last",))

_ROW = "SELECT r.id, r.body, r.tags, r.version FROM records r"


def steps(done: int) -> Iterator[Statement]:
    """Write what is left to do of the schema.

    Args:
        done: How many steps were carried out.

    Raises:
        ValueError: More than there are: a newer release has made it.
    """
    if done > len(SCHEMA):
        raise ValueError(f"its schema has {done} steps, and this release knows {len(SCHEMA)}")
    for step in range(done, len(SCHEMA)):
        yield from ((text, ()) for text in SCHEMA[step])
        yield "INSERT INTO schema_steps (step) VALUES (?)", (step,)


def committed(number: int) -> Statement:
    """Note the number of the last commit that wrote a record."""
    return "UPDATE commits SET number = ? WHERE name = ?", (number, "last")


def forget_full(now: Instant) -> Statement:
    """Remove the counters that are as good as none."""
    return "DELETE FROM rates WHERE ns < ?", (now,)


def select(key: Key) -> Statement:
    """Write the question for one key; ``found`` reads the answer."""
    match key:
        case RateKey(limit, meter, subject):
            text = "SELECT ns, part, amount FROM rates WHERE limit_name = ? AND meter = ? AND subject = ?"
            return text, (limit, meter, _flat(subject))
        case RowKey(shelf, id_):
            return f"{_ROW} WHERE r.shelf = ? AND r.id = ?", (shelf, id_)
        case Tagged(shelf, name, value):
            text = (
                f"{_ROW} JOIN record_tags t ON t.shelf = r.shelf AND t.id = r.id"
                " WHERE t.shelf = ? AND t.name = ? AND t.value = ? ORDER BY r.id"
            )
            return text, (shelf, name, value)
        case Shelved(shelf):
            return f"{_ROW} WHERE r.shelf = ? ORDER BY r.id", (shelf,)
        case _:
            assert_never(key)


def found(key: Key, rows: Sequence[Any]) -> Found:
    """Read what a database answered to ``select(key)``."""
    match key:
        case RateKey():
            return Tat(*rows[0]) if rows else None
        case RowKey():
            return _row(key.shelf, rows[0]) if rows else None
        case Tagged(shelf) | Shelved(shelf):
            return tuple([_row(shelf, row) for row in rows])
        case _:
            assert_never(key)


def write(key: Cell, state: State | None) -> tuple[Statement, ...]:
    """Write the statements that make a cell hold this, whatever it held."""
    match key, state:
        case RateKey(limit, meter, subject), Tat(ns, part, of):
            text = (
                "INSERT INTO rates (limit_name, meter, subject, ns, part, amount)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (limit_name, meter, subject) DO UPDATE"
                " SET ns = excluded.ns, part = excluded.part, amount = excluded.amount"
            )
            return ((text, (limit, meter, _flat(subject), ns, part, of)),)
        case RateKey(limit, meter, subject), _:
            text = "DELETE FROM rates WHERE limit_name = ? AND meter = ? AND subject = ?"
            return ((text, (limit, meter, _flat(subject))),)
        case RowKey(shelf, id_), _:
            gone = ("DELETE FROM records WHERE shelf = ? AND id = ?", (shelf, id_))
            return (gone, *_insert(state)) if isinstance(state, Row) else (gone,)
        case _:
            raise AssertionError(f"{key!r} cannot hold {state!r}")


def _insert(row: Row) -> tuple[Statement, ...]:
    shelf, id_ = row.key.shelf, row.key.id
    record = "INSERT INTO records (shelf, id, body, tags, version) VALUES (?, ?, ?, ?, ?)"
    tag = "INSERT INTO record_tags (shelf, name, value, id) VALUES (?, ?, ?, ?)"
    return (
        (record, (shelf, id_, row.body, _flat(row.tags), row.version)),
        *[(tag, (shelf, name, value, id_)) for name, value in row.tags],
    )


def _row(shelf: Any, columns: Any) -> Row:
    id_, body, tags, version = columns
    pairs = tuple([(name, value) for name, value in json.loads(tags)])
    return Row(RowKey(shelf, id_), body, pairs, version)


def _flat(tags: Tags) -> str:
    return json.dumps(tags, ensure_ascii=False, separators=(",", ":"))


__all__ = [
    "LAST_COMMIT",
    "SCHEMA",
    "STEPS_DONE",
    "STEPS_TABLE",
    "Statement",
    "committed",
    "forget_full",
    "found",
    "select",
    "steps",
    "write",
]
