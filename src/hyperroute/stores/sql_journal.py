"""The SQL of the journal: rows of requests, and their sums by day, kept in one transaction.

A row is inserted once, and what it adds to its day is added in the statement beside it; so nothing
is read to keep a sum, and the sums of a busy account are not what its requests wait for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from hyperroute.canon.journal import (
    Dimension,
    JournalQuestion,
    PastRows,
    Selection,
    Tallies,
    Tally,
    UsageKey,
    UsagePage,
    UsageQuery,
    UsageRow,
)
from hyperroute.canon.units import DAY
from hyperroute.canon.usage import Usage
from hyperroute.stores.tallying import SUMMED, amounts_of, folded

Value = str | int | None
Values = tuple[Value, ...]
Statement = tuple[str, Values]

_AMOUNTS = ", ".join(f"{name} BIGINT NOT NULL" for name in SUMMED)
STEP: tuple[str, ...] = (
    """CREATE TABLE usage_rows (
        id TEXT PRIMARY KEY, at BIGINT NOT NULL, owner TEXT NOT NULL, key_id TEXT NOT NULL,
        endpoint TEXT NOT NULL, requested TEXT NOT NULL, model TEXT NOT NULL,
        offer TEXT, provider TEXT, region TEXT, status BIGINT NOT NULL,
        latency_ms BIGINT NOT NULL, ttft_ms BIGINT, credits BIGINT NOT NULL, cost BIGINT,
        lost BIGINT, attempts BIGINT NOT NULL, streamed BIGINT NOT NULL, job TEXT, error TEXT,
        caller_left TEXT, input_tokens BIGINT, output_tokens BIGINT, cache_read_tokens BIGINT,
        cache_write_tokens BIGINT, meters TEXT NOT NULL, day BIGINT NOT NULL)""",
    """CREATE INDEX usage_rows_by_time ON usage_rows (day, at)""",
    """CREATE INDEX usage_rows_of_owner ON usage_rows (owner, day, at)""",
    """CREATE INDEX usage_rows_by_price ON usage_rows (owner, credits)""",
    f"""CREATE TABLE usage_days (
        owner TEXT NOT NULL, day BIGINT NOT NULL, key_id TEXT NOT NULL, model TEXT NOT NULL,
        endpoint TEXT NOT NULL, status BIGINT NOT NULL, {_AMOUNTS}, dearest BIGINT NOT NULL,
        PRIMARY KEY (owner, day, key_id, model, endpoint, status))""",
    f"""CREATE TABLE usage_totals (
        owner TEXT NOT NULL, day BIGINT NOT NULL, model TEXT NOT NULL, {_AMOUNTS},
        PRIMARY KEY (owner, day, model))""",
)
"""Of the schema (``sql.SCHEMA``). A year of one owner lies together in the index of its days; the
totals are the same sums once more, for whoever does not ask about keys, endpoints and statuses. Rows
know their day, by which databases find those of some days without guessing how many there are."""

_COLUMNS = (
    "id, at, owner, key_id, endpoint, requested, model, offer, provider, region, status,"
    " latency_ms, ttft_ms, credits, cost, lost, attempts, streamed, job, error, caller_left,"
    " input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, meters"
)
_PLAIN = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
"""Meters that have a column; the others share one, as JSON."""
_OTHERS = tuple(each.name for each in fields(Usage) if each.name not in {*_PLAIN, "estimated"})
_INSERT = f"INSERT INTO usage_rows ({_COLUMNS}, day) VALUES ({', '.join('?' * 27)})"  # noqa: S608 - no value is in it


def _adding(table: str, group: str, *more: str) -> str:
    """Write how amounts are added to the sums of a group."""
    plus = [f"{name} = {table}.{name} + excluded.{name}" for name in SUMMED]
    count = len(group.split(", ")) + len(SUMMED) + len(more)
    return f"""INSERT INTO {table} ({", ".join((group, *SUMMED, *more))})
        VALUES ({", ".join("?" * count)}) ON CONFLICT ({group}) DO UPDATE SET {", ".join(plus)}"""  # noqa: S608 - no value is in it


_ADD = _adding("usage_days", "owner, day, key_id, model, endpoint, status", "dearest") + (
    ", dearest = CASE WHEN excluded.dearest > usage_days.dearest"
    " THEN excluded.dearest ELSE usage_days.dearest END"
)
_ADD_TOTAL = _adding("usage_totals", "owner, day, model")
_SIZES = {_ADD: 6, _ADD_TOTAL: 3}
"""By how many of its first columns a text finds the sums that it adds to."""
_FORGET = (
    "DELETE FROM usage_rows WHERE id IN"
    " (SELECT id FROM usage_rows WHERE day <= ? AND at < ? ORDER BY day, at, id LIMIT ?)"
)
_NAMES: dict[Dimension, str]
_NAMES = {
    "day": "day",
    "owner": "owner",
    "key": "key_id",
    "model": "model",
    "endpoint": "endpoint",
    "status": "status",
}
_BY_PRICE = "ORDER BY credits DESC, at DESC, id DESC LIMIT ?"
_TOTALS = frozenset({"day", "owner", "model"})
"""Dimensions that the totals know."""
_OF_ROWS = (
    "COUNT(*), SUM(credits), SUM(COALESCE(cost, 0)), SUM(COALESCE(lost, 0)),"
    " SUM(CASE WHEN cost IS NULL OR lost IS NULL THEN 1 ELSE 0 END),"
    " SUM(COALESCE(input_tokens, 0)), SUM(COALESCE(output_tokens, 0)),"
    " SUM(COALESCE(cache_read_tokens, 0)), SUM(COALESCE(cache_write_tokens, 0))"
)
_OF_DAYS = ", ".join(f"SUM({name})" for name in SUMMED)


def log(row: UsageRow) -> tuple[Statement, ...]:
    """Write a row that is not there yet, and add it to its day."""
    usage, day, amounts = row.usage, row.at // DAY, amounts_of(row)
    others: dict[str, Any] = {
        name: meter for name in _OTHERS if (meter := getattr(usage, name)) is not None
    }
    if usage.estimated:
        others["estimated"] = True
    values = (
        *(row.id, row.at, row.owner, row.key, row.endpoint, row.requested, row.model),
        *(row.offer, row.provider, row.region, row.status, row.latency_ms, row.ttft_ms),
        *(row.credits, row.cost, row.lost, row.attempts, int(row.stream), row.job, row.error),
        *(row.left, *[getattr(usage, name) for name in _PLAIN]),
        *(json.dumps(others) if others else "", day),
    )
    group = (row.owner, day, row.key, row.model, row.endpoint, row.status)
    return (
        (_INSERT, values),
        (_ADD, (*group, *amounts, row.credits)),
        (_ADD_TOTAL, (row.owner, day, row.model, *amounts)),
    )


def added_up(text: str, rows: Sequence[Values]) -> Sequence[Values]:
    """Make one row of those that add to the same sums, so that each is written once a group."""
    size = _SIZES.get(text)
    if size is None:
        return rows
    sums: dict[Values, Values] = {}
    for row in rows:
        group, added = row[:size], row[size:]
        sums[group] = _plus(sums[group], added) if group in sums else added
    return [group + added for group, added in sums.items()]


def _plus(one: Any, other: Any) -> Values:
    """Add what is summed; what stands behind it is the dearest."""
    places = zip(one, other, strict=True)
    return tuple([max(pair) if at >= len(SUMMED) else sum(pair) for at, pair in enumerate(places)])


def forget(past: PastRows) -> Statement:
    """Remove the oldest rows of before an instant."""
    return _FORGET, (past.before // DAY, past.before, past.most)


def select(asked: UsageKey | JournalQuestion) -> Statement:
    """Write the question; ``found`` reads the answer."""
    if isinstance(asked, UsageKey):
        return f"SELECT {_COLUMNS} FROM usage_rows WHERE id = ?", (asked.id,)  # noqa: S608 - no value is in it
    if isinstance(asked, UsageQuery):
        return _rows(asked)
    selection, names = asked.selection, [_NAMES[one] for one in asked.by]
    where, values = _where(selection, _bounds(selection))
    if selection.by_day:
        finer = (selection.key, selection.endpoint, selection.status) != (None, None, None)
        finer = finer or not _TOTALS.issuperset(asked.by)
        table, summed = "usage_days" if finer else "usage_totals", _OF_DAYS
    else:
        table, summed = "usage_rows", _OF_ROWS
    groups = ", ".join(names)
    text = f"SELECT {groups + ', ' if groups else ''}{summed} FROM {table}{where}"  # noqa: S608 - no value is in it
    # Without a group a database answers with one row of nothing; with HAVING it has none.
    return f"{text} GROUP BY {groups}" if groups else f"{text} HAVING COUNT(*) > 0", values


def found(
    asked: UsageKey | JournalQuestion, rows: Sequence[Any]
) -> UsageRow | UsagePage | Tallies | None:
    """Read what a database answered to ``select(asked)``.

    Tallies are ordered here, because databases order text by rules of their own.
    """
    if isinstance(asked, UsageKey):
        return _row(rows[0]) if rows else None
    if isinstance(asked, UsageQuery):
        return UsagePage(tuple([_row(row) for row in rows]))
    size = len(asked.by)
    ordered = sorted(rows, key=lambda row: tuple(row[:size]))
    return Tallies(
        tuple(
            [
                Tally(
                    group=tuple(row[:size]), **dict(zip(SUMMED, map(int, row[size:]), strict=True))
                )
                for row in ordered
            ]
        )
    )


def _rows(asked: UsageQuery) -> Statement:
    selection, newest = asked.selection, asked.order == "newest"
    if asked.order == "dearest":
        return _dearest(selection, asked.limit)
    lines, values = _bounds(selection)
    if asked.after is not None:
        lines += ["day <= ?", "(at, id) < (?, ?)"] if newest else ["day >= ?", "(at, id) > (?, ?)"]
        values += [asked.after[0] // DAY, *asked.after]
    where, values_ = _where(selection, (lines, values))
    order = "day DESC, at DESC, id DESC" if newest else "day, at, id"
    text = f"SELECT {_COLUMNS} FROM usage_rows{where} ORDER BY {order} LIMIT ?"  # noqa: S608 - no value is in it
    return text, (*values_, asked.limit)


def _dearest(selection: Selection, limit: int) -> Statement:
    """Find the dearest rows without reading all of a period.

    Of one owner they are the end of an index. Where more is selected by, the sums by day know in
    which groups the dearest are: with ten groups that each hold a row at least as dear, on a later
    day, no row of an eleventh can be among the ten dearest, later ones first. On the first day that
    has rows some may be forgotten whose price is still in the sums, so that day is always looked at.
    """
    unknown = (selection.latency_ms_min, selection.text) != (None, None)
    plain = (selection.key, selection.model, selection.endpoint, selection.status) == (None,) * 4
    by_price = selection.owner is not None and plain
    priceless = replace(selection, credits_min=None)
    if unknown or by_price or not priceless.by_day:
        # A sign keeps a database off an index: here from walking all of a period where it could begin
        # with the dearest, below from walking all prices to find those of some days.
        where, values = _where(selection, _bounds(selection, "+" if by_price else ""))
        text = f"SELECT {_COLUMNS} FROM usage_rows{where} {_BY_PRICE}"  # noqa: S608 - no value is in it
        return text, (*values, limit)
    where, of_days = _where(priceless, _bounds(selection))
    first = "(SELECT MIN(day) FROM usage_rows)"
    days = f"""SELECT day AS dear_day FROM (SELECT day, dearest FROM usage_days
        {where + " AND" if where else "WHERE"} day > {first} AND dearest >= ?
        ORDER BY dearest DESC, day DESC LIMIT ?) AS dear UNION SELECT {first}"""  # noqa: S608 - no value is in it
    least = selection.credits_min or 0
    lines, bounds = _bounds(selection)
    where, of_rows = _where(priceless, ([*lines, "+credits >= ?"], [*bounds, least]))
    text = f"""SELECT {_COLUMNS} FROM ({days}) AS days JOIN usage_rows
        ON usage_rows.day = days.dear_day{where} {_BY_PRICE.replace("credits", "+credits")}"""  # noqa: S608 - no value is in it
    return text, (*of_days, least, limit, *of_rows, limit)


Lines = tuple[list[str], list[Value]]


def _bounds(selection: Selection, sign: str = "") -> Lines:
    """Write when, by whole days where that is enough."""
    lines, values = list[str](), list[Value]()
    since, until = selection.since, selection.until
    if since is not None:
        lines.append(f"{sign}day >= ?")
        values.append(since // DAY)
        if since % DAY:
            lines.append("at >= ?")
            values.append(since)
    if until is not None:
        lines.append(f"{sign}day <= ?" if until % DAY else f"{sign}day < ?")
        values.append(until // DAY)
        if until % DAY:
            lines.append("at < ?")
            values.append(until)
    return lines, values


def _where(selection: Selection, begun: Lines) -> Statement:
    lines, values = begun
    for name, wanted in (
        ("owner", selection.owner),
        ("key_id", selection.key),
        ("model", selection.model),
        ("endpoint", selection.endpoint),
    ):
        if wanted is not None:
            lines.append(f"{name} = ?")
            values.append(wanted)
    if selection.status is not None:
        lines.append("status BETWEEN ? AND ?")
        values.extend(selection.status)
    if selection.latency_ms_min is not None:
        lines.append("latency_ms >= ?")
        values.append(selection.latency_ms_min)
    if selection.credits_min is not None:
        lines.append("credits >= ?")
        values.append(selection.credits_min)
    if selection.text is not None:
        place, pattern = _pattern(selection.text)
        columns = ("model", "requested", "endpoint", "error", "id")
        lines.append(f"({' OR '.join(place.format(column) for column in columns)})")
        values.extend([pattern] * len(columns))
    return f" WHERE {' AND '.join(lines)}" if lines else "", tuple(values)


def _pattern(text: str) -> tuple[str, str]:
    """Find ASCII in any case of its letters, and other text as it is written."""
    literal = text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    if not text.isascii():
        return "{} LIKE ? ESCAPE '!'", f"%{literal}%"
    return "LOWER({}) LIKE ? ESCAPE '!'", f"%{folded(literal)}%"


def _row(columns: Any) -> UsageRow:
    *plain, told = columns
    (id_, at, owner, key, endpoint, requested, model, offer, provider, region, status) = plain[:11]
    latency_ms, ttft_ms, credits_, cost, lost, attempts, stream, job, error, left = plain[11:21]
    meters: dict[str, Any] = json.loads(told) if told else {}
    return UsageRow(
        id=id_,
        at=at,
        owner=owner,
        key=key,
        endpoint=endpoint,
        requested=requested,
        model=model,
        offer=offer,
        provider=provider,
        region=region,
        status=status,
        latency_ms=latency_ms,
        ttft_ms=ttft_ms,
        usage=Usage(**dict(zip(_PLAIN, plain[21:], strict=True)), **meters),
        credits=credits_,
        cost=cost,
        lost=lost,
        attempts=attempts,
        stream=bool(stream),
        job=job,
        error=error,
        left=left,
    )


__all__ = ["STEP", "Statement", "added_up", "forget", "found", "log", "select"]
