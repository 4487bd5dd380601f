"""What an audit is told by a store that has its money in a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

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
from hyperroute.canon.money import (
    BudgetKey,
    Hold,
    HoldKey,
    MoneyCell,
    MoneyState,
    Posting,
    PostingKey,
    WalletKey,
)
from hyperroute.canon.mutation import Cell, State


def audited(money: Mapping[Cell, State], key: AuditKey) -> AuditFound:
    """Answer a key of an audit."""
    match key:
        case Every(kind):
            wanted = WalletKey if kind == "wallet" else BudgetKey
            return _cells([cell for cell in money if isinstance(cell, wanted)], money)
        case HoldsAfter(after, most):
            ids = sorted(cell.id for cell in money if isinstance(cell, HoldKey) and cell.id > after)
            return _cells([HoldKey(id_) for id_ in ids[:most]], money)
        case PostingsOf(names):
            wanted_ones = [PostingKey(name) for name in names]
            return _cells([one for one in wanted_ones if one in money], money)
        case Unbalanced(most):
            wrong = [
                cell
                for cell, state in money.items()
                if isinstance(cell, PostingKey) and isinstance(state, Posting)
                if sum(amount for _, amount in state.entries)
            ]
            return _cells(sorted(wrong, key=lambda one: one.id)[:most], money)
        case SumsOfHolds():
            return _sums(money)
        case _:
            assert_never(key)


def _cells(
    keys: list[HoldKey] | list[PostingKey] | list[WalletKey | BudgetKey],
    money: Mapping[Cell, State],
) -> Cells:
    found: list[tuple[MoneyCell, MoneyState]] = [(key, money[key]) for key in keys]  # type: ignore[misc] # a key of money holds money
    return Cells(tuple(found))


def _sums(money: Mapping[Cell, State]) -> HoldSums:
    sums: dict[object, HoldSum] = {}
    for hold in money.values():
        if isinstance(hold, Hold):
            like = hold.owner, hold.budgets, hold.slots, hold.phase
            so_far = sums.get(like, HoldSum(*like, 0, 0, 0, 0))
            sums[like] = HoldSum(
                *like,
                so_far.count + 1,
                so_far.amount + hold.amount,
                so_far.of_wallet + hold.of_wallet,
                so_far.charged + (hold.charged or 0),
            )
    return HoldSums(tuple(sums.values()))


__all__ = ["audited"]
