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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, assert_never

from hyperroute.canon.journal import PastRows, UsageKey, UsageQuery, UsageRow, UsageSums
from hyperroute.canon.money import (
    BudgetKey,
    Hold,
    HoldKey,
    MoneyCell,
    Overdue,
    Overdues,
    Posting,
    PostingKey,
    Spend,
    Sums,
    Totals,
    Wallet,
    WalletKey,
)
from hyperroute.canon.mutation import (
    Cell,
    Found,
    Lookup,
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
from hyperroute.stores import lapsing, sql_journal

Values = tuple[str | int | None, ...]
Statement = tuple[str, Values]
"""SQL text with ``?``, and its values."""

FLAT_MAX = 4_096
"""Subjects and lists of budgets whose JSON is remembered, because their next hold has them again."""

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
    (
        """CREATE TABLE wallets (
            owner TEXT PRIMARY KEY, free BIGINT NOT NULL, held BIGINT NOT NULL)""",
        """CREATE TABLE spends (
            limit_name TEXT NOT NULL, subject TEXT NOT NULL, period TEXT NOT NULL,
            settled BIGINT NOT NULL, held BIGINT NOT NULL,
            PRIMARY KEY (limit_name, subject, period))""",
        """CREATE TABLE holds (
            id TEXT PRIMARY KEY, amount BIGINT NOT NULL, owner TEXT, of_wallet BIGINT NOT NULL,
            bounded BIGINT NOT NULL, budgets TEXT NOT NULL, phase TEXT NOT NULL, attempt BIGINT NOT NULL,
            due BIGINT NOT NULL, charged BIGINT)""",
        """CREATE INDEX holds_by_due ON holds (due, id) WHERE phase IN ('held', 'dispatched')""",
        """CREATE TABLE entries (
            posting TEXT NOT NULL, account TEXT NOT NULL, amount BIGINT NOT NULL, at BIGINT NOT NULL,
            PRIMARY KEY (posting, account))""",
    ),
    ("""ALTER TABLE holds ADD COLUMN slots TEXT NOT NULL DEFAULT '[]'""",),
    sql_journal.STEP,
    # Without it whoever replaces a record looks at every tag of its shelf for those of the old one.
    ("""CREATE INDEX record_tags_by_record ON record_tags (shelf, id)""",),
    lapsing.STEP,
)
"""By step; a step is never edited once it was released."""

STEPS_TABLE = "CREATE TABLE IF NOT EXISTS schema_steps (step BIGINT PRIMARY KEY)"
STEPS_DONE = "SELECT COUNT(*) FROM schema_steps"

LAST_COMMIT: Statement = ("SELECT number FROM commits WHERE name = ?", ("last",))

_ROW = "SELECT r.id, r.body, r.tags, r.version, r.until FROM records r"


def steps(done: int) -> Iterator[Statement]:
    """Write what is left to do of the schema.

    Args:
        done: How many steps were carried out.

    Raises:
        ValueError: More than there are: a newer release has made it.
    """
    if done > len(SCHEMA):
        raise ValueError(
            f"a newer release made it: its schema has {done} steps, and this release knows"
            f" {len(SCHEMA)}; start that release again, or restore a backup from before it"
        )
    for step in range(done, len(SCHEMA)):
        yield from ((text, ()) for text in SCHEMA[step])
        yield "INSERT INTO schema_steps (step) VALUES (?)", (step,)


def committed(number: int) -> Statement:
    """Note the number of the last commit that wrote a record."""
    return "UPDATE commits SET number = ? WHERE name = ?", (number, "last")


def forget_full(now: Instant) -> Statement:
    """Remove the counters that are as good as none."""
    return "DELETE FROM rates WHERE ns < ?", (now,)


def select(key: Lookup, *, now: Instant) -> Statement:
    """Write the question for one key; ``found`` reads the answer."""
    match key:
        case WalletKey() | BudgetKey() | HoldKey() | PostingKey() | Overdue() | Totals():
            return _select_money(key, now)
        case RateKey(limit, meter, subject):
            text = "SELECT ns, part, amount FROM rates WHERE limit_name = ? AND meter = ? AND subject = ?"
            return text, (limit, meter, _flat_pairs(subject))
        case RowKey(shelf, id_):
            text = "SELECT id, body, tags, version, until FROM records WHERE shelf = ? AND id = ?"
            return text, (shelf, id_)
        case Tagged(shelf, name, value):
            text = (
                f"{_ROW} JOIN record_tags t ON t.shelf = r.shelf AND t.id = r.id"
                " WHERE t.shelf = ? AND t.name = ? AND t.value = ?"
            )
            return text, (shelf, name, value)
        case Shelved(shelf):
            return f"{_ROW} WHERE r.shelf = ?", (shelf,)
        case UsageKey() | UsageQuery() | UsageSums():
            return sql_journal.select(key)
        case PastRows():
            raise AssertionError("past rows are forgotten, and not read")
        case _:
            assert_never(key)


def _select_money(key: MoneyCell | Overdue | Totals, now: Instant) -> Statement:
    match key:
        case WalletKey(owner):
            return "SELECT free, held FROM wallets WHERE owner = ?", (owner,)
        case BudgetKey(limit, subject, period):
            return _SPEND, (limit, _flat_pairs(subject), period)
        case HoldKey(id_):
            return f"{HOLDS} WHERE id = ?", (id_,)
        case PostingKey(id_):
            return "SELECT at, account, amount FROM entries WHERE posting = ?", (id_,)
        case Overdue(most):
            where = "WHERE phase IN ('held', 'dispatched') AND due <= ? ORDER BY due, id LIMIT ?"
            return f"{HOLDS} {where}", (now, most)
        case Totals():
            return "SELECT account, SUM(amount) FROM entries GROUP BY account", ()
        case _:
            assert_never(key)


def asked(cells: Iterable[Cell]) -> dict[str, dict[Values, Cell]]:
    """Bring the questions for many cells together by their text; each names its cell by its values."""
    questions: dict[str, dict[Values, Cell]] = {}
    for cell in cells:
        text, values = select(cell, now=0)
        questions.setdefault(text, {})[values] = cell
    return questions


def answered(cells: Mapping[Values, Cell], rows: Iterable[Any]) -> Iterator[tuple[Cell, Found]]:
    """Read what a database answered to one question of ``asked``.

    Args:
        cells: Of that question.
        rows: Each begins with the values of its cell.
    """
    size = len(next(iter(cells)))
    of_cell: dict[Values, list[Any]] = {values: [] for values in cells}
    for row in rows:
        of_cell[row[:size]].append(row[size:])
    return ((cell, found(cell, of_cell[values])) for values, cell in cells.items())


def found(key: Lookup, rows: Sequence[Any]) -> Found:
    """Read what a database answered to ``select(key)``.

    Lists are ordered here, because databases order text by rules of their own.
    """
    match key:
        case WalletKey():
            return Wallet(*rows[0]) if rows else None
        case BudgetKey():
            return Spend(*rows[0]) if rows else None
        case HoldKey():
            return hold_of(rows[0])[1] if rows else None
        case PostingKey():
            entries = tuple(sorted([(account, amount) for _, account, amount in rows]))
            return Posting(rows[0][0], entries) if rows else None
        case Overdue():
            return Overdues(tuple([hold_of(row) for row in rows]))
        case Totals():
            return Sums(tuple(sorted([(account, int(amount)) for account, amount in rows])))
        case RateKey():
            return Tat(*rows[0]) if rows else None
        case RowKey():
            return _row(key.shelf, rows[0]) if rows else None
        case Tagged(shelf) | Shelved(shelf):
            return tuple([_row(shelf, row) for row in sorted(rows)])
        case UsageKey() | UsageQuery() | UsageSums():
            return sql_journal.found(key, rows)
        case PastRows():
            raise AssertionError("past rows are forgotten, and not read")
        case _:
            assert_never(key)


def write(key: Cell, state: State | None) -> tuple[Statement, ...]:
    """Write the statements that make a cell hold this, whatever it held."""
    match key:
        case HoldKey() | PostingKey() | WalletKey() | BudgetKey():
            return _write_money(key, state)
        case RateKey():
            place = (key.limit, key.meter, _flat_pairs(key.subject))
            if isinstance(state, Tat):
                return ((_SET_RATE, (*place, state.ns, state.part, state.of)),)
            assert state is None
            return ((_NO_RATE, place),)
        case RowKey():
            assert state is None or isinstance(state, Row)
            gone = ("DELETE FROM records WHERE shelf = ? AND id = ?", (key.shelf, key.id))
            return (gone,) if state is None else (gone, *_insert(state))
        case UsageKey():
            assert isinstance(state, UsageRow)
            return sql_journal.log(state)
        case PastRows():
            assert state is None
            return (sql_journal.forget(key),)
        case _:
            assert_never(key)


def _write_money(key: MoneyCell, state: State | None) -> tuple[Statement, ...]:
    if isinstance(key, HoldKey):
        assert isinstance(state, Hold)
        budgets, slots = _flat_budgets(state.budgets), _flat_budgets(state.slots)
        terms = (key.id, state.amount, state.owner, state.of_wallet, int(state.bounded), budgets)
        stands = (state.phase, state.attempt, state.due, state.charged, slots)
        return ((_SET_HOLD, terms + stands),)
    if isinstance(key, PostingKey):
        assert isinstance(state, Posting)
        name, at = key.id, state.at
        return tuple([(_ENTRY, (name, account, amount, at)) for account, amount in state.entries])
    if isinstance(key, BudgetKey):
        assert isinstance(state, Spend)
        subject = _flat_pairs(key.subject)
        return ((_SET_SPEND, (key.limit, subject, key.period, state.settled, state.held)),)
    assert isinstance(state, Wallet)
    return ((_SET_WALLET, (key.owner, state.free, state.held)),)


def gathered(cells: Iterable[tuple[Statement, ...]]) -> list[tuple[str, Sequence[Values]]]:
    """Bring the statements of many cells together by their text, in the order of their kinds.

    The cells are different ones, so theirs may pass each other; a cell's own keep their order,
    because in every cell that has both, one text comes before the other.
    """
    rows: dict[str, list[Values]] = {}
    for statements in cells:
        for text, values in statements:
            rows.setdefault(text, []).append(values)
    writings = [(text, sql_journal.added_up(text, some)) for text, some in rows.items()]
    return sorted(writings, key=lambda item: not item[0].startswith("DELETE"))


_SET_RATE = """INSERT INTO rates (limit_name, meter, subject, ns, part, amount)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (limit_name, meter, subject) DO UPDATE
    SET ns = excluded.ns, part = excluded.part, amount = excluded.amount"""
_NO_RATE = "DELETE FROM rates WHERE limit_name = ? AND meter = ? AND subject = ?"
_SET_WALLET = """INSERT INTO wallets (owner, free, held) VALUES (?, ?, ?)
    ON CONFLICT (owner) DO UPDATE SET free = excluded.free, held = excluded.held"""
_SET_SPEND = """INSERT INTO spends (limit_name, subject, period, settled, held)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT (limit_name, subject, period) DO UPDATE
    SET settled = excluded.settled, held = excluded.held"""
_SET_HOLD = """INSERT INTO holds
    (id, amount, owner, of_wallet, bounded, budgets, phase, attempt, due, charged, slots)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET phase = excluded.phase,
    attempt = excluded.attempt, due = excluded.due, charged = excluded.charged"""
_SPEND = "SELECT settled, held FROM spends WHERE limit_name = ? AND subject = ? AND period = ?"
_ENTRY = "INSERT INTO entries (posting, account, amount, at) VALUES (?, ?, ?, ?)"
HOLDS = """SELECT id, amount, owner, of_wallet, bounded, budgets, phase, attempt, due, charged, slots
    FROM holds"""


def hold_of(row: Any) -> tuple[HoldKey, Hold]:
    """Read a row of ``HOLDS``."""
    id_, amount, owner, of_wallet, bounded, budgets, phase, attempt, due, charged, slots = row
    return HoldKey(id_), Hold(
        amount,
        owner,
        of_wallet,
        bool(bounded),
        budgets_of(budgets),
        phase,
        attempt,
        due,
        charged,
        budgets_of(slots),
    )


@lru_cache(FLAT_MAX)
def budgets_of(told: str) -> tuple[BudgetKey, ...]:
    """Read a column of budgets."""
    return tuple(
        [BudgetKey(limit, _pairs(subject), period) for limit, subject, period in json.loads(told)]
    )


@lru_cache(FLAT_MAX)
def _flat_budgets(keys: tuple[BudgetKey, ...]) -> str:
    return _flat([(one.limit, one.subject, one.period) for one in keys])


def _insert(row: Row) -> tuple[Statement, ...]:
    shelf, id_ = row.key.shelf, row.key.id
    record = "INSERT INTO records (shelf, id, body, tags, version, until) VALUES (?, ?, ?, ?, ?, ?)"
    tag = "INSERT INTO record_tags (shelf, name, value, id) VALUES (?, ?, ?, ?)"
    return (
        (record, (shelf, id_, row.body, _flat(row.tags), row.version, row.until)),
        *[(tag, (shelf, name, value, id_)) for name, value in row.tags],
    )


def _row(shelf: Any, columns: Any) -> Row:
    id_, body, tags, version, until = columns
    return Row(RowKey(shelf, id_), body, _pairs(json.loads(tags)), version, until)


def _pairs(listed: Any) -> Tags:
    return tuple([(name, value) for name, value in listed])


@lru_cache(FLAT_MAX)
def _flat_pairs(pairs: Tags) -> str:
    return _flat(pairs)


_flat: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Made once: ``json.dumps`` makes an encoder for each call that has wishes."""

__all__ = [
    "HOLDS",
    "LAST_COMMIT",
    "SCHEMA",
    "STEPS_DONE",
    "STEPS_TABLE",
    "Statement",
    "Values",
    "answered",
    "asked",
    "budgets_of",
    "committed",
    "forget_full",
    "found",
    "gathered",
    "hold_of",
    "select",
    "steps",
    "write",
]
