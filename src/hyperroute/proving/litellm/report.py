"""What became of every line: exact, adapted, dropped or refused.

Law: every key of the configuration has a line of the report; nothing is left out in silence, and no
value of a credential is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hyperroute.tables.source import Path, Source

Verdict = Literal["exact", "adapted", "dropped", "refused"]
"""The same meaning; the nearest meaning, which is said; no meaning here; a meaning that a table may
not have."""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """What became of one key."""

    line: int
    column: int
    verdict: Verdict
    key: str
    told: str

    def __str__(self) -> str:
        """One line for people, without the file."""
        return f"{self.line}:{self.column}: {self.verdict}: {self.key}: {self.told}"


@dataclass(slots=True)
class Report:
    """Collects lines."""

    source: Source
    lines: list[Line] = field(default_factory=list[Line])

    def say(self, verdict: Verdict, path: Path, told: str) -> None:
        """Say what became of the value at a path."""
        line, column = self.source.place(path, key=True)
        key = ".".join(str(part) for part in path if isinstance(part, str)) or "the file"
        self.lines.append(Line(line, column, verdict, key, told))

    def counts(self) -> Mapping[str, int]:
        """Count the lines of each verdict."""
        found = dict.fromkeys(("exact", "adapted", "dropped", "refused"), 0)
        for line in self.lines:
            found[line.verdict] += 1
        return found

    @property
    def lossless(self) -> bool:
        """Whether nothing was dropped and nothing refused."""
        return not any(line.verdict in ("dropped", "refused") for line in self.lines)


@dataclass(slots=True)
class Draft:
    """The table in the making: sections, then definitions as they will be written."""

    report: Report
    providers: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    models: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    prices: dict[str, Any] = field(default_factory=dict[str, Any])
    aliases: dict[str, Any] = field(default_factory=dict[str, Any])
    intents: dict[str, Any] = field(default_factory=dict[str, Any])
    policies: dict[str, Any] = field(default_factory=dict[str, Any])
    limits: dict[str, Any] = field(default_factory=dict[str, Any])

    def document(self) -> dict[str, Any]:
        """Give the sections that hold anything, in the order of the language."""
        sections = ("providers", "models", "prices", "aliases", "intents", "policies", "limits")
        return {name: found for name in sections if (found := getattr(self, name))}


def whole(value: object) -> int | None:
    """Read a whole number, however it was written; ``None`` if it is none."""
    if isinstance(value, bool):
        return None
    try:
        number = int(str(value))
    except ValueError:
        return None
    return number if number >= 0 else None
