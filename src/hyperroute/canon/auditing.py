"""What an audit of the books asks, as values: everything, by sums and in pages.

These keys are for whoever checks or lists; no request asks them. What grows with the holds comes in
pages or as sums, so that nobody holds a million of them in memory.

| key | what is read |
|---|---|
| ``Every`` | all wallets, or all budgets: as many as there are customers, keys and months |
| ``SumsOfHolds`` | what holds come to, by whom and what they count for, and by their phase |
| ``HoldsAfter`` | one page of holds, in an order of the store's own |
| ``PostingsOf`` | the postings of these names that there are |
| ``Unbalanced`` | postings whose entries do not sum to zero |
"""

from __future__ import annotations

from typing import Literal

from hyperroute.canon.money import BudgetKey, Microcredits, MoneyCell, MoneyState, Phase
from hyperroute.canon.quick import quick


@quick(frozen=True, slots=True)
class Every:
    """Asks for all cells of a kind."""

    kind: Literal["wallet", "budget"]


@quick(frozen=True, slots=True)
class SumsOfHolds:
    """Asks what all holds come to."""


@quick(frozen=True, slots=True)
class HoldsAfter:
    """Asks for so many holds that follow an id; ``""``: from the first."""

    id: str
    most: int


@quick(frozen=True, slots=True)
class PostingsOf:
    """Asks for postings by their names, a thousand at most."""

    ids: tuple[str, ...]


@quick(frozen=True, slots=True)
class Unbalanced:
    """Asks for so many postings whose entries do not sum to zero; there should be none."""

    most: int


@quick(frozen=True, slots=True)
class Cells:
    """Cells with what they hold, each once."""

    cells: tuple[tuple[MoneyCell, MoneyState], ...]


@quick(frozen=True, slots=True)
class HoldSum:
    """Holds that are alike, summed: how many, what they set aside, and what they were charged."""

    owner: str | None
    budgets: tuple[BudgetKey, ...]
    slots: tuple[BudgetKey, ...]
    phase: Phase
    count: int
    amount: Microcredits
    of_wallet: Microcredits
    charged: Microcredits


@quick(frozen=True, slots=True)
class HoldSums:
    """What ``SumsOfHolds`` finds, in no order."""

    sums: tuple[HoldSum, ...]


AuditKey = Every | SumsOfHolds | HoldsAfter | PostingsOf | Unbalanced
AuditFound = Cells | HoldSums

__all__ = [
    "AuditFound",
    "AuditKey",
    "Cells",
    "Every",
    "HoldSum",
    "HoldSums",
    "HoldsAfter",
    "PostingsOf",
    "SumsOfHolds",
    "Unbalanced",
]
