"""``shadowed-alias``: two names that a client can take for one another."""

from __future__ import annotations

from collections.abc import Iterator

from hyperroute.catalog.facts import matches
from hyperroute.proving.lints.ground import Finding, Ground
from hyperroute.routing.resolve import find_service


def find(ground: Ground) -> Iterator[Finding]:
    """Compare every alias with the patterns, and with all other names but for case."""
    table = ground.table
    spelt: dict[str, list[str]] = {}
    for name in (*table.services, *table.intents, *table.aliases):
        spelt.setdefault(name.casefold(), []).append(name)
    for entry in ground.folder.own("aliases"):
        name, to = entry.name, table.aliases[entry.name].to
        for other in spelt[name.casefold()]:
            if other not in (name, to):
                yield Finding(entry.spot, f"the alias {name!r} differs from {other!r} only in case")
        target = find_service(to, table)
        pattern = next((one for one in table.patterns if matches(one, name)), None)
        if pattern is not None and (target is None or target.model.name != pattern):
            yield Finding(
                entry.spot,
                f"the alias {name!r} takes that name from the pattern {pattern!r} "
                f"and leads to {to!r}",
            )
