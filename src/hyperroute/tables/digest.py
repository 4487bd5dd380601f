"""The name of a table's meaning: equal for equal meanings, however they were written."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from hyperroute.routing.table import RouteTable
from hyperroute.tables.encode import encode


def digest(table: RouteTable) -> str:
    """Digest what a table means, in hexadecimal; its own ``digest`` is not looked at.

    Every name is in its line's value already, and sections are walked in the order of names.
    """
    made = blake2b(digest_size=16)
    made.update(f"hyperroute table 1\nscale {table.scale}\n".encode())
    for line in _lines(table):
        made.update(line.encode())
        made.update(b"\n")
    return made.hexdigest()


def _lines(table: RouteTable) -> Iterator[str]:
    for section in (
        table.providers,
        table.services,
        table.aliases,
        table.intents,
        table.chains,
        table.facts,
    ):
        for name in sorted(section):
            yield encode(section[name], meaning=True)
    for item in (*table.policies, *table.limits):
        yield encode(item, meaning=True)
