"""``hyperroute check``: is a table whole, and is there anything to be said about it?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hyperroute.cli.options import Json, place
from hyperroute.cli.say import described, emit, misuse, no, problem_data, report
from hyperroute.errors import HyperrouteError, Problem

if TYPE_CHECKING:
    from hyperroute.tables.loaded import Loaded

Several = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[TABLES]...",
        help="Tables: folders or files. Default: ./routes if it is one, else the shipped table.",
        show_default=False,
    ),
]


def check(
    tables: Several = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="LINT", help="Leave out a lint; may be repeated."),
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Look for credentials in this environment, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Load tables, look through them, and print every problem with file, line and column."""
    from hyperroute.proving.lints.run import NAMES
    from hyperroute.tables.vocabulary import nearest

    for word in ignore or ():
        if word not in NAMES:
            misuse(f"--ignore names no lint: {word!r}{nearest(word, NAMES)}", as_json=as_json)
    good = True
    documents: list[dict[str, Any]] = []
    given: Path | None
    for given in tables or (None,):
        path = place(given, as_json=as_json)
        name = "shipped" if path is None else str(path)
        try:
            from hyperroute.cli.loading import looked

            found, problems = looked(path, strict=strict, ignore=ignore or (), here=here)
        except HyperrouteError as error:
            good = False
            documents.append({"table": name, "good": False, "error": described(error)})
            if not as_json:
                report(error, as_json=False)
            continue
        wrong = any(problem.severity == "error" for problem in problems)
        good = good and not wrong
        documents.append(_document(name, found, problems, good=not wrong))
        if not as_json:
            for problem in problems:
                print(problem, file=sys.stderr)
            if not wrong:
                print(f"{name}: {_counted(found)}; digest {found.table.digest[:12]}")
    if as_json:
        emit({"good": good, "tables": documents})
    if not good:
        no()


def _counts(found: Loaded) -> dict[str, int]:
    table = found.table
    return {
        "providers": len(table.providers),
        "models": len(table.services),
        "offers": len(table.offers),
        "intents": len(table.intents),
        "policies": len(table.policies),
        "tests": len(found.tests),
    }


def _counted(found: Loaded) -> str:
    return ", ".join(f"{count} {word}" for word, count in _counts(found).items())


def _document(
    name: str, found: Loaded, problems: tuple[Problem, ...], *, good: bool
) -> dict[str, Any]:
    return {
        "table": name,
        "good": good,
        "digest": found.table.digest,
        **_counts(found),
        "warnings": [problem_data(problem) for problem in problems],
    }
