"""Many files to one table: sections merged by name, every clash told with both places.

File names and order never matter. A definition of an included table may be replaced whole by one
that says so; between one's own files there is no such way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from hyperroute.tables import words
from hyperroute.tables.report import Report, Spot
from hyperroute.tables.source import Source
from hyperroute.tables.vocabulary import nearest

LANGUAGE = 1
"""The version of the language that this reader knows."""

SECTIONS = (
    "providers",
    "models",
    "shapes",
    "prices",
    "aliases",
    "intents",
    "chains",
    "policies",
    "limits",
    "facts",
)
_TOP = ("hyperroute", "include", *SECTIONS, "tests")
_SHARED = ("models", "aliases", "intents", "chains")
_RESERVED = {"models": "none", "aliases": "none", "intents": "none", "chains": "none"}
_RESERVED["prices"] = "cost"


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition as YAML gave it, and where it stands."""

    name: str
    value: Any
    spot: Spot


@dataclass(slots=True)
class Folder:
    """All definitions of a table, not yet understood."""

    report: Report
    sections: dict[str, dict[str, Entry]] = field(
        default_factory=lambda: {section: {} for section in SECTIONS}
    )
    tests: list[Entry] = field(default_factory=list)
    incomplete: bool = False
    """A whole section is missing: of what refers to it nothing can be said."""
    mended: set[tuple[str, str]] = field(default_factory=set)
    """Section and name of definitions that were not as written: of what refers to them little is said."""

    def own(self, section: str) -> Iterator[Entry]:
        """Give the definitions of a section that did not come in by ``include``."""
        return (entry for entry in self.sections[section].values() if entry.spot.source.own)


def includes(report: Report, source: Source, top: dict[str, Any]) -> list[tuple[str, Spot]]:
    """Check the head of a file and give what it includes."""
    spot = Spot(report, source)
    first = next(iter(top), None)
    version = top.get("hyperroute")
    if first != "hyperroute":
        at = spot / "hyperroute" if version is not None else spot
        at.error("a table begins with hyperroute: 1", key=True)
    elif version != LANGUAGE or isinstance(version, bool):
        (spot / "hyperroute").error(
            f"this reader knows version {LANGUAGE} of the language, found {words.shown(version)}"
        )
    wanted = top.get("include", [])
    if not isinstance(wanted, list):
        (spot / "include").error(f"expected a list, found {words.shown(wanted)}")
        return []
    found: list[tuple[str, Spot]] = []
    for index, item in enumerate(wanted):
        at = spot / "include" / index
        if isinstance(item, str) and (item == "shipped" or item.startswith("plugin:")):
            found.append((item, at))
        else:
            at.error(f"expected shipped or plugin:NAME, found {words.shown(item)}")
    return found


def merge(report: Report, files: Iterable[tuple[Source, dict[str, Any]]]) -> Folder:
    """Gather the definitions of all files; included ones first, so that one's own may replace."""
    folder = Folder(report)
    ordered = sorted(files, key=lambda file: (file[0].own, file[0].name))
    for source, top in ordered:
        for key, value in top.items():
            _top(folder, key, value, Spot(report, source, (key,)))
    return folder


def _top(folder: Folder, key: str, value: Any, spot: Spot) -> None:
    section = key
    if key not in _TOP:
        spot.error(f"unknown section {key!r}{nearest(key, _TOP)}", key=True)
        # Its definitions are read as what they were meant to be, else all that uses them is told.
        section = next(iter(get_close_matches(key, SECTIONS, n=1)), "")
        folder.incomplete |= not section
    if section in folder.sections:
        if isinstance(value, dict):
            _section(folder, section, value, spot)
        else:
            spot.error(f"expected a map by name, found {words.shown(value)}")
            folder.incomplete = True
    elif section == "tests":
        if isinstance(value, list):
            folder.tests += [
                Entry(str(index), item, spot / index) for index, item in enumerate(value)
            ]
        else:
            spot.error(f"expected a list, found {words.shown(value)}")


def _section(folder: Folder, section: str, values: dict[str, Any], spot: Spot) -> None:
    mine = folder.sections[section]
    for name, value in values.items():
        at = spot / name
        _check_name(section, name, at)
        before = mine.get(name)
        replaces = _replaces(value)
        if before is not None:
            if spot.source.own and not before.spot.source.own:
                if not replaces:
                    at.error(
                        f"{name!r} is included already, from {before.spot.where()}; "
                        "to replace it, say replace: true",
                        key=True,
                    )
            else:
                at.error(f"{name!r} is defined twice; first at {before.spot.where()}", key=True)
                continue
        elif replaces:
            (at / "replace").error(f"no included table defines {name!r}; drop replace", key=True)
        mine[name] = Entry(name, value, at)


def _replaces(value: Any) -> bool:
    rows = value if isinstance(value, list) else [value]
    return any(isinstance(row, dict) and row.get("replace") is True for row in rows)


def _check_name(section: str, name: str, spot: Spot) -> None:
    try:
        words.name(name) if section in {*_SHARED, "prices"} else words.word(name)
    except ValueError as error:
        spot.error(str(error), key=True)
    if name == _RESERVED.get(section):
        spot.error(f"{name!r} is a word of the language and names nothing", key=True)
    if "*" in name and section != "models":
        spot.error(f"only a model's name is a pattern, found {name!r}", key=True)


def check_shared_names(folder: Folder) -> None:
    """Tell names that two of models, aliases, intents and chains claim."""
    owners: dict[str, tuple[str, Entry]] = {}
    for section in _SHARED:
        for name, entry in folder.sections[section].items():
            if name in owners:
                other, first = owners[name]
                entry.spot.error(
                    f"{name!r} is already one of the {other}, at {first.spot.where()}", key=True
                )
            else:
                owners[name] = (section, entry)
