"""Records that are kept for only so long, in SQL: the step of the schema, and how they are removed.

What has lapsed is nothing from that instant on (``deciding.there``); removing it is for the space.
"""

from __future__ import annotations

from typing import Final

from hyperroute.canon.units import SECOND, Instant

STEP: Final[tuple[str, ...]] = (
    """ALTER TABLE records ADD COLUMN until BIGINT""",
    """CREATE INDEX records_by_until ON records (until) WHERE until IS NOT NULL""",
)
"""Of the schema (``sql.SCHEMA``)."""

LAPSED_NS: Final = SECOND
"""How often some are removed, if anything is committed."""

LAPSED_MAX: Final = 200
"""Removed in one transaction, so that whoever waits for it need not wait for all."""

_FORGET: Final = """DELETE FROM records WHERE (shelf, id) IN
    (SELECT shelf, id FROM records WHERE until <= ? ORDER BY until LIMIT ?)"""


def forget(now: Instant) -> tuple[str, tuple[int, int]]:
    """Remove some of what has lapsed."""
    return _FORGET, (now, LAPSED_MAX)


__all__ = ["LAPSED_MAX", "LAPSED_NS", "STEP", "forget"]
