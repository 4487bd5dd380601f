"""What is not wrong by itself but helps nobody: unused definitions, patterns that tie."""

from __future__ import annotations

from hyperroute.routing.table import From, Restrict, RouteTable
from hyperroute.tables.merge import Folder
from hyperroute.tables.namespace import Namespace, fixed_characters, overlap
from hyperroute.tables.vocabulary import REQUEST_FACTS


def patterns(folder: Folder) -> None:
    """Tell two patterns with as many fixed characters that one name can match."""
    found = sorted(name for name in folder.sections["models"] if "*" in name)
    for index, name in enumerate(found):
        for other in found[:index]:
            if fixed_characters(name) == fixed_characters(other) and overlap(name, other):
                entry, first = (folder.sections["models"][key] for key in (name, other))
                entry.spot.error(
                    f"{name!r} and {other!r} can match the same name, and neither says more; "
                    f"the other is at {first.spot.where()}",
                    key=True,
                )


def unused(folder: Folder, names: Namespace) -> None:
    """Warn of own definitions that nothing refers to; included ones are not the author's."""
    for section, one in (
        ("providers", "provider"),
        ("shapes", "shape"),
        ("prices", "price"),
        ("chains", "chain"),
        ("facts", "fact"),
    ):
        used = names.used.get(section, set())
        for entry in folder.own(section):
            if entry.name not in used and entry.name not in REQUEST_FACTS:
                entry.spot.warn(f"the {one} {entry.name!r} is never used", "unused-name")


def empty(folder: Folder, table: RouteTable) -> None:
    """Warn of own intents that select nothing."""
    for entry in folder.own("intents"):
        term = table.intents[entry.name].term
        inner = term.term if isinstance(term, Restrict) else term
        if isinstance(inner, From) and not inner.models:
            entry.spot.warn(f"the intent {entry.name!r} selects no model", "empty-intent")
