"""Audits as SQL, for every SQL database: the text that asks, and what its rows mean.

Pages go by the primary key, and sums are the database's own work: a million holds are read once,
and never all at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, assert_never

from hyperroute.canon.auditing import (
    AuditFound,
    AuditKey,
    Cells,
    Every,
    HoldsAfter,
    HoldSum,
    HoldSums,
    PostingsOf,
    SumsOfHolds,
    Unbalanced,
)
from hyperroute.canon.money import BudgetKey, Posting, PostingKey, Spend, Wallet, WalletKey
from hyperroute.stores.sql import HOLDS, Statement, budgets_of, hold_of

_ENTRIES = "SELECT posting, at, account, amount FROM entries"
_SUMS = """SELECT owner, budgets, slots, phase, COUNT(*), SUM(amount), SUM(of_wallet),
    COALESCE(SUM(charged), 0) FROM holds GROUP BY owner, budgets, slots, phase"""
_WRONG = (
    "SELECT posting FROM entries GROUP BY posting HAVING SUM(amount) <> 0 ORDER BY posting LIMIT ?"
)


def select(key: AuditKey) -> Statement:
    """Write the question for one key; ``found`` reads the answer."""
    match key:
        case Every("wallet"):
            return "SELECT owner, free, held FROM wallets ORDER BY owner", ()
        case Every():
            return "SELECT limit_name, subject, period, settled, held FROM spends", ()
        case SumsOfHolds():
            return _SUMS, ()
        case HoldsAfter(after, most):
            return f"{HOLDS} WHERE id > ? ORDER BY id LIMIT ?", (after, most)
        case PostingsOf(names):
            marks = ", ".join("?" * len(names)) or "NULL"
            return f"{_ENTRIES} WHERE posting IN ({marks}) ORDER BY posting, account", names
        case Unbalanced(most):
            return f"{_ENTRIES} WHERE posting IN ({_WRONG}) ORDER BY posting, account", (most,)
        case _:
            assert_never(key)


def found(key: AuditKey, rows: Sequence[Any]) -> AuditFound:
    """Read what a database answered to ``select(key)``; sums of Postgres are numerics."""
    match key:
        case Every("wallet"):
            return Cells(tuple([(WalletKey(owner), Wallet(*kept)) for owner, *kept in rows]))
        case Every():
            return Cells(tuple([(_budget(*row[:3]), Spend(*row[3:])) for row in rows]))
        case SumsOfHolds():
            return HoldSums(tuple([_sum(row) for row in rows]))
        case HoldsAfter():
            return Cells(tuple([hold_of(row) for row in rows]))
        case PostingsOf() | Unbalanced():
            return Cells(tuple(_postings(rows)))
        case _:
            assert_never(key)


def _budget(limit: str, subject: str, period: str) -> BudgetKey:
    return BudgetKey(limit, tuple([(name, value) for name, value in json.loads(subject)]), period)


def _sum(row: Any) -> HoldSum:
    owner, budgets, slots, phase, *sums = row
    return HoldSum(owner, budgets_of(budgets), budgets_of(slots), phase, *map(int, sums))


def _postings(rows: Sequence[Any]) -> Iterator[tuple[PostingKey, Posting]]:
    for name, group in groupby(rows, key=lambda row: row[0]):
        entries = [(at, account, amount) for _, at, account, amount in group]
        told = tuple(sorted((account, amount) for _, account, amount in entries))
        yield PostingKey(name), Posting(entries[0][0], told)


__all__ = ["found", "select"]
