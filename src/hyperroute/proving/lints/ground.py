"""What a lint reads: the compiled table, the definitions as written, and the instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hyperroute.routing.table import (
    First,
    Intent,
    Match,
    Restrict,
    RouteTable,
    Service,
    Split,
    Term,
)
from hyperroute.tables.merge import Folder
from hyperroute.tables.report import Spot


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a lint has to say, and where."""

    spot: Spot
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What lints stand on.

    Attributes:
        day: Days since 1970-01-01 UTC.
        missing: Provider names and credential ids to the variable that would help; empty where
            nobody looked.
    """

    table: RouteTable
    folder: Folder
    day: int
    missing: Mapping[str, str] = field(default_factory=dict[str, str])

    def spot(self, section: str, name: str) -> Spot:
        """Give the place of a definition."""
        return self.folder.sections[section][name].spot

    def written(self, section: str, name: str) -> Any:
        """Give a definition as YAML had it."""
        return self.folder.sections[section][name].value

    def services(self) -> Iterator[tuple[Service, Spot]]:
        """Give the models that the author wrote, not those that were included."""
        for entry in self.folder.own("models"):
            yield self.table.services[entry.name], entry.spot

    def intents(self) -> Iterator[tuple[Intent, Spot]]:
        """Give the author's intents."""
        for entry in self.folder.own("intents"):
            yield self.table.intents[entry.name], entry.spot

    def terms(self) -> Iterator[tuple[str, Term, Spot, Any]]:
        """Give the terms of intents (with their kind) and chains (with none), and how each is written."""
        for entry in self.folder.own("intents"):
            intent = self.table.intents[entry.name]
            spot, value = entry.spot, entry.value
            if isinstance(value, dict) and "use" in value:
                spot, value = spot / "use", value["use"]
            yield intent.kind, intent.term, spot, value
        for entry in self.folder.own("chains"):
            yield "", self.table.chains[entry.name].term, entry.spot, entry.value


Part = tuple[Term, Spot, Any]
"""A term, its place, and how it is written."""


def arms(term: Term, spot: Spot, value: Any) -> list[Part]:
    """List the terms directly inside one, each at its place; what stands around it adds nothing."""
    match term:
        case Restrict(inner):
            return arms(inner, spot, value)
        case First(terms):
            return [
                (one, spot / "first" / at, _at(value, "first", at)) for at, one in enumerate(terms)
            ]
        case Match(pairs):
            return [
                (one, spot / "match" / at / "use", _at(value, "match", at, "use"))
                for at, (_, one) in enumerate(pairs)
            ]
        case Split(arms=split):
            return [(arm.term, spot / "split" / "arms" / arm.name, arm.name) for arm in split]
        case _:
            return []


def bare(term: Term) -> Term:
    """Take off what stands beside a term."""
    while isinstance(term, Restrict):
        term = term.term
    return term


def inside(term: Term, spot: Spot, value: Any) -> Iterator[Part]:
    """Walk a term and all that is written in it, outermost first; names are not followed."""
    yield term, spot, value
    for part in arms(term, spot, value):
        yield from inside(*part)


def _at(value: Any, *path: str | int) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value
