"""From a place to a table or a router, with the words that installed plugins add to the language."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hyperroute.errors import Problem, TableError

if TYPE_CHECKING:
    from hyperroute.tables.loaded import Loaded


def loaded(path: Path | None, *, strict: bool = False) -> Loaded:
    """Load a table; ``None`` is the shipped one.

    Raises:
        TableError: With every problem of it.
        PluginError: Two plugins clash.
    """
    from hyperroute.plugins.registry import discover
    from hyperroute.plugins.words import words_of
    from hyperroute.tables.load import load

    return load(source(path), plugins=words_of(discover()), strict=strict)


def looked(
    path: Path | None, *, strict: bool, ignore: Iterable[str], here: bool
) -> tuple[Loaded, tuple[Problem, ...]]:
    """Load a table and look through it; ``None`` is the shipped one.

    Raises:
        TableError: With every problem of a table that does not load.
        PluginError: Two plugins clash.
    """
    from hyperroute.canon.units import DAY
    from hyperroute.plugins.registry import discover
    from hyperroute.plugins.words import words_of
    from hyperroute.proving.linting import look
    from hyperroute.runtime.clock import SystemClock
    from hyperroute.runtime.credentials import resolve
    from hyperroute.tables.load import load, read_files

    registry = discover()
    words, place = words_of(registry), source(path)
    found = load(place, plugins=words)
    problems = look(
        found,
        read_files([place]),
        day=SystemClock().unix_ns() // DAY,
        plugins=words,
        missing=resolve(found.table, registry).wanted if here else None,
        strict=strict,
        ignore=ignore,
    )
    return found, problems


def source(path: Path | None) -> Path:
    """Say where a table is read.

    Raises:
        TableError: The shipped one is meant, and it is not there.
    """
    from hyperroute.tables.load import find_shipped

    found = path or find_shipped()
    if found is None:
        raise TableError((Problem("routes", 0, 0, "the shipped table is not there: reinstall"),))
    return found
