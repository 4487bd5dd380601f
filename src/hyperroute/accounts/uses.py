"""When keys were last used: kept apart from the keys, coarsely, and by whoever is not in a hurry.

The record of a key is written by those who change it and by nobody else, so that a use never
overtakes a change. Of several replicas the last one counts; they differ by the minute that this is
coarse by.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from hyperroute.accounts.keys import Key
from hyperroute.canon.mutation import Delete, Put, Row, RowKey
from hyperroute.canon.units import MINUTE, Instant

COARSE_NS: Final = MINUTE
"""A key's use is written this often at most."""


def kept_as(key_id: str) -> RowKey:
    """Name the record of a key's last use."""
    return RowKey("use", key_id)


def put(key_id: str, at: Instant) -> Put:
    """Write when a key was last used."""
    return Put(kept_as(key_id), json.dumps({"at": at}))


def forget(key_id: str) -> Delete:
    """Remove what was kept of a key's use, with the key."""
    return Delete(kept_as(key_id))


def with_uses(keys: Iterable[Key], rows: Iterable[object]) -> list[Key]:
    """Say of each key when it was last used, where that is known."""
    at = {row.key.id: json.loads(row.body)["at"] for row in rows if isinstance(row, Row)}
    return [replace(key, last_used_at=at.get(key.id, key.last_used_at)) for key in keys]


__all__ = ["COARSE_NS", "forget", "kept_as", "put", "with_uses"]
