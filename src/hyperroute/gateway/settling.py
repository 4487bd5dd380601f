"""Around a run: what is heard of limits before it, and what is given back when it is refused."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from hyperroute.canon.money import Spend
from hyperroute.canon.mutation import Mutation
from hyperroute.errors import RequestError, StoreError
from hyperroute.gateway.door import Caller, Commit, Read
from hyperroute.gateway.visit import Visit
from hyperroute.routing.quotas import account_budgets
from hyperroute.routing.record import Record
from hyperroute.routing.table import RouteTable
from hyperroute.runtime.desk import Desk

Run = TypeVar("Run")


def learned(desk: Desk, visit: Visit) -> Generator[Read, Any, None]:
    """Hear, once in a while, what all replicas have spent at our accounts."""
    counters, now, unix_ns = desk.board.counters, visit.began_at, visit.began_unix_ns
    asked = account_budgets(desk.router.table, unix_ns)
    if asked and counters.asks(now):
        found = yield Read([key for key, _ in asked])
        counters.learn(
            [
                (key, state.settled, now + ends - unix_ns)
                for (key, ends), state in zip(asked, found, strict=True)
                if isinstance(state, Spend)
            ]
        )


def carried(
    wish: Run, caller: Caller, table: RouteTable, unpaid: Callable[[Record], Sequence[Mutation]]
) -> Generator[Run | Commit, Any, Any]:
    """Wish for a run; of one that was refused or failed, take back what it did not use.

    Args:
        wish: For a run.
        caller: Whose it is; a limit that refuses may disable the key.
        table: Of the limits.
        unpaid: What is to be written at the end of a run that no till has written.

    Raises:
        RequestError: Of the run.
    """
    try:
        return (yield wish)
    except RequestError as error:
        if isinstance(record := error.record, Record):
            for mutations in (unpaid(record), caller.disabling(table, record.limit)):
                if mutations:
                    with suppress(StoreError):
                        yield Commit(mutations)
        raise


__all__ = ["carried", "learned"]
