"""``hyperroute test``: the expectations beside a table, in virtual time."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hyperroute.cli.options import Json, place
from hyperroute.cli.say import answering, emit, no

if TYPE_CHECKING:
    from hyperroute.proving.coverage import Coverage
    from hyperroute.proving.tests import Result
    from hyperroute.tables.loaded import Loaded


def run_tests(
    tables: Annotated[
        Path | None,
        typer.Argument(
            metavar="[TABLE]",
            help="A table: a folder or a file. Default: ./routes if it is one, else the shipped table.",
            show_default=False,
        ),
    ] = None,
    *,
    only: Annotated[
        str | None, typer.Option("--only", metavar="TEXT", help="Only tests whose name holds this.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print those that pass, too.")
    ] = False,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Say what of the table no test came to; 1 if anything."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the tests of a table through the real planner and machine, in virtual time."""
    with answering(as_json=as_json):
        import logging

        from hyperroute.cli.loading import loaded
        from hyperroute.proving.tests import run

        # What a script makes go wrong is no news to anybody.
        logging.getLogger("hyperroute").addHandler(logging.NullHandler())
        found = loaded(place(tables, as_json=as_json))
        results = [
            run(case, found.table)
            for case in found.tests
            if only is None or only.casefold() in case.name.casefold()
        ]
        failed = [result for result in results if not result.passed]
        met = _covered(found, results) if coverage else None
        if as_json:
            document = {
                "passed": len(results) - len(failed),
                "failed": len(failed),
                "tests": [_document(result) for result in results],
            }
            emit(document | ({} if met is None else {"coverage": met.to_json()}))
        else:
            for result in results:
                _tell(result, verbose=verbose)
            print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
            if met is not None:
                _tell_coverage(met)
        if not results and not as_json:
            print("hyperroute: there is no such test", file=sys.stderr)
        if failed or not results or (met is not None and not met.whole):
            no()


def _covered(found: Loaded, results: list[Result]) -> Coverage:
    from hyperroute.proving.coverage import covered

    return covered(found.table, results)


def _tell_coverage(met: Coverage) -> None:
    from hyperroute.proving.coverage import KINDS

    for kind in KINDS:
        missing, there = met.missing(kind), len(met.there[kind])
        print(f"{kind}: {there - len(missing)} of {there}")
        for name in missing:
            print(f"        no test comes to {name}")


def _tell(result: Result, *, verbose: bool) -> None:
    case = result.case
    if result.passed:
        if verbose:
            print(f"ok      {case.name}")
        return
    print(f"FAILED  {case.name}  ({case.path}:{case.line})")
    for line in result.wrong:
        print(f"        {line}")
    for attempt in result.record.attempts:
        failure = attempt.failure.kind.value if attempt.failure is not None else "ok"
        print(f"        attempt {attempt.number}: {attempt.offer} {failure}")
    if result.plan.refusal is not None:
        print(f"        refused: {result.plan.refusal.message}")


def _document(result: Result) -> dict[str, Any]:
    record = result.record
    return {
        "name": result.case.name,
        "path": result.case.path,
        "line": result.case.line,
        "passed": result.passed,
        "wrong": list(result.wrong),
        "outcome": record.outcome,
        "served": record.served,
        "attempts": [
            {
                "offer": attempt.offer,
                "failure": attempt.failure.kind.value if attempt.failure is not None else None,
            }
            for attempt in record.attempts
        ],
        "cost_usd": None if record.cost is None else Decimal(record.cost) / record.scale,
        "virtual_ms": record.latency_ns // 1_000_000,
    }
