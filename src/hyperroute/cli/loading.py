"""From a place to a table or a router, with the words that installed plugins add to the language."""

from __future__ import annotations

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
    from hyperroute.tables.load import find_shipped, load

    source = path or find_shipped()
    if source is None:
        raise TableError((Problem("routes", 0, 0, "the shipped table is not there: reinstall"),))
    return load(source, plugins=words_of(discover()), strict=strict)
