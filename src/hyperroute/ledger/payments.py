"""Payments: money that comes into a wallet, once each, with a record of what it was for.

The posting is the money; the record beside it is for people. Both are one commit, so that neither is
there without the other, and a payment of the same name changes nothing a second time.
"""

from __future__ import annotations

import json

from hyperroute.canon.money import Deposit, Microcredits, PostingKey
from hyperroute.canon.mutation import Mutation, Put, Row, RowKey
from hyperroute.canon.quick import quick


@quick(frozen=True, slots=True)
class Payment:
    """One payment. ``owner`` as of a wallet: ``user:ada``. ``note`` is whatever people say of it."""

    id: str
    owner: str
    amount: Microcredits
    note: str = ""


def deposited(payment: Payment) -> tuple[Mutation, ...]:
    """Say what is to be committed; of a payment that is there already all of it is declined."""
    body = {"owner": payment.owner, "amount": payment.amount, "note": payment.note}
    return (
        Deposit(PostingKey(f"pay/{payment.id}"), payment.owner, payment.amount),
        Put(
            kept_as(payment.id),
            json.dumps(body, ensure_ascii=False),
            (("owner", payment.owner),),
            expected=0,
        ),
    )


def kept_as(payment_id: str) -> RowKey:
    """Name the record of a payment."""
    return RowKey("payment", payment_id)


def read(row: Row) -> Payment:
    """Read a payment from its record."""
    return Payment(row.key.id, **json.loads(row.body))


__all__ = ["Payment", "deposited", "kept_as", "read"]
