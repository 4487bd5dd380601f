"""Promises are proved when their table is loaded: a broken one refuses the table."""

from __future__ import annotations

from hyperroute.routing.table import Promise, RouteTable
from hyperroute.tables.compile import Compiled


def prove(compiled: Compiled) -> None:
    """Tell every promise that is broken, with the request that breaks it.

    A table without promises pays nothing for this.
    """
    if not compiled.promised:
        return
    from hyperroute.bounds.promises import broken

    for name, spot in compiled.promised:
        promise = promise_of(compiled.table, name)
        if promise is not None:
            for fault in broken(compiled.table, name, promise):
                (spot / fault.key).error(fault.message)


def promise_of(table: RouteTable, name: str) -> Promise | None:
    """Find the promise of a model, an intent or a chain; their names are one namespace."""
    found = table.services.get(name) or table.intents.get(name) or table.chains.get(name)
    return None if found is None else found.promise


__all__ = ["promise_of", "prove"]
