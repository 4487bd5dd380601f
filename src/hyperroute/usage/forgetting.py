"""How long rows are kept: what is older is forgotten, some at a time; sums by day stay.

Whole days are forgotten, so that what the sums know of a day is either all still there or all gone.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from hyperroute.canon.journal import Forget, Selection, UsagePage, UsageQuery
from hyperroute.canon.units import DAY, Instant

AT_ONCE: Final = 1_000
"""Rows of one commit, which all other commits of the store wait for."""


def before(keep_days: int, *, now: Instant) -> Instant:
    """Say from when on rows are kept, if today and so many days before it are."""
    return (now // DAY - keep_days) * DAY


def forgetting(until: Instant) -> Generator[UsageQuery | Forget, UsagePage | None, int]:
    """Ask what is left to forget, and forget it, until there is nothing.

    Yields:
        What to read, answered with what was found, and what to commit, answered with nothing.

    Returns:
        How many rows were forgotten.
    """
    gone = 0
    oldest = UsageQuery(selection=Selection(until=until), order="oldest", limit=AT_ONCE)
    while True:
        found = yield oldest
        assert found is not None
        if not found.rows:
            return gone
        yield Forget(before=until, most=len(found.rows))
        gone += len(found.rows)


__all__ = ["AT_ONCE", "before", "forgetting"]
