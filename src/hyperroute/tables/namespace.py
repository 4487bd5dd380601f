"""Who is called what: one namespace of models, aliases, intents and chains, and the offers' ids.

A definition that is broken keeps its name, so that one mistake does not become many.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hyperroute.catalog.facts import matches
from hyperroute.tables.vocabulary import nearest

What = Literal["model", "alias", "intent", "chain"]


@dataclass(slots=True)
class Namespace:
    """All names of a table, and which of them were used."""

    kinds: dict[str, What] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    offers: dict[str, str] = field(default_factory=dict)
    """Offer id to model."""
    broken: set[str] = field(default_factory=set)
    """Names whose definition is faulty: nothing more is said of them."""
    astray: set[str] = field(default_factory=set)
    """Models with an offer at a provider that nobody defines: its id is not what was meant."""
    used: dict[str, set[str]] = field(default_factory=dict)
    """Section to the names that something refers to."""

    def use(self, section: str, name: str) -> None:
        """Remember that a definition is needed."""
        self.used.setdefault(section, set()).add(name)

    def excused(self, offer: str) -> bool:
        """Say whether an offer is only unknown because of a mistake that is told elsewhere."""
        model = offer.rpartition("@")[0]
        return model in self.broken or model in self.astray

    def resolve(self, name: str) -> str:
        """Follow aliases to the end; a cycle, which is told elsewhere, ends where it closes."""
        seen: set[str] = set()
        while name in self.aliases and name not in seen:
            seen.add(name)
            name = self.aliases[name]
        return name

    def cycle(self, start: str) -> tuple[str, ...]:
        """Give the path of a cycle of aliases that ``start`` lies on, else nothing."""
        path = [start]
        name = self.aliases.get(start)
        while name is not None and name not in path:
            path.append(name)
            name = self.aliases.get(name)
        return (*path, start) if name == start else ()

    def pattern_for(self, name: str) -> str | None:
        """Find the pattern that would answer to a name."""
        found = [
            pattern
            for pattern, what in self.kinds.items()
            if what == "model" and "*" in pattern and matches(pattern, name)
        ]
        return max(found, key=fixed_characters, default=None)

    def unknown(self, name: str, *kinds: What) -> str:
        """Write the message about a name that nobody has; the kinds are what it could have been."""
        if "@" in name:
            return f"unknown offer {name!r}{nearest(name, self.offers)}"
        valid = [other for other, what in self.kinds.items() if what in kinds or not kinds]
        return f"unknown name {name!r}{nearest(name, [v for v in valid if '*' not in v])}"


def fixed_characters(pattern: str) -> int:
    """Count what of a pattern is not ``*``: the most of it wins."""
    return len(pattern) - pattern.count("*")


def overlap(one: str, other: str) -> bool:
    """Say whether some name is matched by both patterns."""
    states = {(0, 0)}
    done: set[tuple[int, int]] = set()
    while states:
        i, j = states.pop()
        if (i, j) in done:
            continue
        done.add((i, j))
        if i == len(one) and j == len(other):
            return True
        a = one[i] if i < len(one) else ""
        b = other[j] if j < len(other) else ""
        if a == "*":
            states.add((i + 1, j))
            if b:
                states.add((i, j + 1))
        if b == "*":
            states.add((i, j + 1))
            if a:
                states.add((i + 1, j))
        if a and a == b:
            states.add((i + 1, j + 1))
    return False
