"""Amounts of credits as people write them, and as they are kept: integers of a millionth."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

MICROCREDITS: Final = 1_000_000
"""In one credit."""

CREDITS_MAX: Final = 10**9
"""Ten million US dollars: no honest amount is larger, and with six decimals every one up to here is
the same number to every reader of JSON (15 digits)."""


def microcredits(amount: Decimal) -> int:
    """Turn credits into what is kept of them.

    Raises:
        ValueError: It is below 0, too large, no number, or has parts that are smaller.
    """
    if not amount.is_finite() or not 0 <= amount <= CREDITS_MAX:
        raise ValueError(f"expected credits from 0 to {CREDITS_MAX}, found {amount:f}")
    parts = amount * MICROCREDITS
    if parts != int(parts):
        raise ValueError(f"expected six decimals at most, found {amount:f}")
    return int(parts)


def credits_of(kept: int | None) -> int | Decimal | None:
    """Turn parts of a credit into credits, whole ones where they are."""
    if kept is None:
        return None
    whole, rest = divmod(kept, MICROCREDITS)
    return whole if rest == 0 else (Decimal(kept) / MICROCREDITS).normalize()


__all__ = ["CREDITS_MAX", "MICROCREDITS", "credits_of", "microcredits"]
