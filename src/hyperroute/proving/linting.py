"""A table that loads, looked through: what its loader warned of and what the lints find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hyperroute.errors import Problem
from hyperroute.proving.lints.ground import Ground
from hyperroute.proving.lints.run import lint
from hyperroute.tables.loaded import Files, Loaded
from hyperroute.tables.read import gather
from hyperroute.tables.vocabulary import PluginWords


def look(
    loaded: Loaded,
    files: Files,
    *,
    day: int,
    plugins: PluginWords | None = None,
    missing: Mapping[str, str] | None = None,
    strict: bool = False,
    ignore: Iterable[str] = (),
) -> tuple[Problem, ...]:
    """Give everything that there is to say of a table, in reading order.

    Args:
        loaded: The table; loaded without ``strict``, so that its warnings are there.
        files: The bytes it was loaded from.
        day: Days since 1970-01-01 UTC, for dated prices.
        plugins: What it was loaded with.
        missing: Credentials that are not set here, by what needs them; ``None``: nobody looked.
        strict: Turn warnings into errors; notes stay notes.
        ignore: Lints to leave out, by name.
    """
    silent = frozenset(ignore)
    ground = Ground(
        table=loaded.table, folder=gather(files, plugins), day=day, missing=dict(missing or {})
    )
    told = [
        replace(problem, severity="error" if strict else problem.severity)
        for problem in loaded.warnings
        if problem.lint not in silent
    ]
    return tuple(sorted({*told, *lint(ground, strict=strict, ignore=silent)}))
