"""Changing a key: what is to be read first, and what is then written, by whoever does it.

The record is written only as it was read, so that of two changes at once the second is made again;
and a limit that is raised arms again, in the same commit, the notices that are now above what is
settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hyperroute.accounts import keys, notices, uses
from hyperroute.accounts.keys import Key
from hyperroute.canon.money import Spend
from hyperroute.canon.mutation import Found, Mutation, Row, RowKey
from hyperroute.canon.mutation import Key as Asked
from hyperroute.canon.units import Instant
from hyperroute.routing.budgets import period_of


def asked(key_id: str, *, now: Instant) -> tuple[Asked, ...]:
    """Say what to read before a change; the first is the key itself, if it is there."""
    period = period_of("month", now)
    return (
        RowKey("key", key_id),
        uses.kept_as(key_id),
        notices.budget_of(key_id, period),
        notices.about(key_id, period),
    )


def changed(found: Sequence[Found], said: Mapping[str, Any]) -> tuple[Key, tuple[Mutation, ...]]:
    """Say what a key is after a change, and what is to be committed.

    Args:
        found: What ``asked`` found, the key there.
        said: Attributes of ``Key`` that are to be others.
    """
    row, used, spend, rows = found
    assert isinstance(row, Row)
    assert isinstance(rows, tuple)
    key = replace(keys.read(row), **said)
    batch: list[Mutation] = [keys.put(key, expected=row.version)]
    if "spending_limit_microcredits" in said:
        settled = spend.settled if isinstance(spend, Spend) else 0
        batch += notices.rearmed(key.spending_limit_microcredits, settled, rows)
    (shown,) = uses.with_uses([key], [used])
    return shown, tuple(batch)


__all__ = ["asked", "changed"]
