"""Every question of a store as SQL: about one thing, about many rows, or for an audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from hyperroute.canon.auditing import AuditKey
from hyperroute.canon.journal import JournalQuestion
from hyperroute.canon.money import Totals
from hyperroute.canon.mutation import Found, Key, Shelved
from hyperroute.canon.units import Instant
from hyperroute.stores import sql, sql_auditing

_BROWSED = frozenset({Totals, Shelved, *get_args(JournalQuestion), *get_args(AuditKey)})


def browses(keys: Sequence[Key]) -> bool:
    """Say whether a question is about many rows, and so takes longer than others may wait."""
    return not _BROWSED.isdisjoint(map(type, keys))


def select(key: Key, *, now: Instant) -> sql.Statement:
    """Write the question for one key; ``found`` reads the answer."""
    return sql_auditing.select(key) if isinstance(key, AuditKey) else sql.select(key, now=now)


def found(key: Key, rows: Sequence[Any]) -> Found:
    """Read what a database answered to ``select(key)``."""
    return sql_auditing.found(key, rows) if isinstance(key, AuditKey) else sql.found(key, rows)


__all__ = ["browses", "found", "select"]
