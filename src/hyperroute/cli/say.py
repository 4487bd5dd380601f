"""How a command speaks: the answer on stdout, everything else on stderr, ``--json`` as one document.

Nobody who mistypes a table, a name or a number ever sees a traceback; a defect of ours still does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NoReturn

import typer

from hyperroute.cli import MISUSE
from hyperroute.errors import HyperrouteError, Problem, RequestError, TableError

NO = 1
"""Exit status: the question was understood, and the answer is no."""


@contextmanager
def answering(*, as_json: bool) -> Iterator[None]:
    """Turn what went wrong into lines, or one JSON document, and an exit status.

    Raises:
        typer.Exit: Something of ours was raised inside.
    """
    try:
        yield
    except HyperrouteError as error:
        report(error, as_json=as_json)
        raise typer.Exit(NO) from None
    except BrokenPipeError:
        # The reader of our output has seen enough; so say no more, not even at exit.
        sys.stdout = None
        raise typer.Exit(0) from None


def report(error: HyperrouteError, *, as_json: bool) -> None:
    """Print an error: each problem of a table on its own line, anything else on one."""
    if as_json:
        emit({"error": described(error)})
    elif isinstance(error, TableError):
        for problem in error.problems:
            print(problem, file=sys.stderr)
    else:
        print(f"hyperroute: {one_line(error)}", file=sys.stderr)


def described(error: HyperrouteError) -> dict[str, Any]:
    """Return an error as plain data."""
    found: dict[str, Any] = {"type": type(error).__name__, "message": one_line(error)}
    if isinstance(error, TableError):
        found["problems"] = [problem_data(problem) for problem in error.problems]
    if isinstance(error, RequestError):
        found |= {"status": error.status, "code": error.code, "param": error.param}
        tell = getattr(error.record, "to_json", None)
        found |= {"record": tell()} if tell is not None else {}
    return found


def problem_data(problem: Problem) -> dict[str, Any]:
    """Return a problem of a table as plain data."""
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "lint": problem.lint or None,
        "message": problem.message,
    }


def one_line(error: BaseException) -> str:
    """Return an error's message without line breaks."""
    return " ".join(str(error).split())


def emit(document: object) -> None:
    """Print one JSON document; exact decimals stay exact, as text."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=_plain))


def misuse(message: str, *, as_json: bool = False) -> NoReturn:
    """Say what was not understood.

    Raises:
        typer.Exit: Always, with status 2.
    """
    if as_json:
        emit({"error": {"type": "Misuse", "message": message}})
    else:
        print(f"hyperroute: {message}", file=sys.stderr)
    raise typer.Exit(MISUSE)


def no() -> NoReturn:
    """End with the status that says no.

    Raises:
        typer.Exit: Always, with status 1.
    """
    raise typer.Exit(NO)


def say_no(message: str, *, as_json: bool = False) -> NoReturn:
    """Say why the answer is no.

    Raises:
        typer.Exit: Always, with status 1.
    """
    if as_json:
        emit({"error": {"type": "No", "message": message}})
    else:
        print(f"hyperroute: {message}", file=sys.stderr)
    no()


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align rows; the last column is as long as it likes."""
    if not rows:
        return
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]) - 1)]
    for row in rows:
        fixed = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield "  ".join((*fixed, row[-1])).rstrip()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
