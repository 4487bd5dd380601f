"""Which budgets a request counts against, and whose wallet pays for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from hyperroute.canon.money import MICROCREDITS_PER_USD, BudgetKey, Microcredits, Purse
from hyperroute.canon.units import SECOND
from hyperroute.catalog.facts import Lookup
from hyperroute.routing.table import Limit

NOW: Final = "now"
"""The period of what counts open runs."""

SPENDING: Final = "spending-limit"
"""The budget of a key that every table has (api.md, 18)."""


def owner(known: Lookup) -> str | None:
    """Name whose wallet pays: the organisation of the caller, else the user."""
    for kind in ("org", "user"):
        if (found := known(f"{kind}.id")) is not None:
            return f"{kind}:{found}"
    return None


def budgets(
    limits: Sequence[Limit], known: Lookup, *, unix_ns: int, model: str | None = None
) -> tuple[tuple[BudgetKey, Microcredits], ...]:
    """List every budget that a request counts against, with its limit."""
    key, cap = known("key.id"), known("key.limit")
    if key is None or not isinstance(cap, Decimal | int):
        return ()
    month = datetime.fromtimestamp(unix_ns // SECOND, UTC).strftime("%Y-%m")
    return ((BudgetKey(SPENDING, (("key", str(key)),), month), int(cap * MICROCREDITS_PER_USD)),)


def slots(
    limits: Sequence[Limit], known: Lookup, *, model: str | None = None
) -> tuple[tuple[BudgetKey, int], ...]:
    """List every counter of open runs that a request counts in, with how many may be open."""
    return ()


def purse(limits: Sequence[Limit], known: Lookup, *, default: Purse | None) -> Purse | None:
    """Say which wallet pays, and how it is asked."""
    return default
