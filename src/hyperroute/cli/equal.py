"""``hyperroute equal``: are two tables, or two names of one table, the same for every request?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hyperroute.cli.options import Json, Tables, place
from hyperroute.cli.say import answering, emit, misuse, no

if TYPE_CHECKING:
    from hyperroute.proving.equal import Verdict
    from hyperroute.routing.table import RouteTable

One = Annotated[
    str, typer.Argument(metavar="A", help="A table, or a chain, an intent or a model of one.")
]
Other = Annotated[str, typer.Argument(metavar="B", help="What to compare it with.")]


def equal(one: One, other: Other, *, tables: Tables = None, as_json: Json = False) -> None:
    """Say whether two tables, or two names of one table, treat every request alike."""
    from hyperroute.cli.loading import loaded
    from hyperroute.proving.equal import equal_names, equal_tables

    with answering(as_json=as_json):
        if Path(one).exists() and Path(other).exists():
            verdict = equal_tables(loaded(Path(one)).table, loaded(Path(other)).table)
        else:
            table = loaded(place(tables, as_json=as_json)).table
            names = [_meant(table, name, as_json=as_json) for name in (one, other)]
            verdict = equal_names(table, *names)
        if as_json:
            emit(_document(one, other, verdict))
        else:
            _tell(one, other, verdict)
    if not verdict.equal:
        no()


def _meant(table: RouteTable, name: str, *, as_json: bool) -> str:
    from hyperroute.tables.vocabulary import nearest

    if name in table.aliases:
        return table.aliases[name].to
    known = [*table.chains, *table.intents, *table.services]
    if name not in known:
        misuse(
            f"{name!r} is no table here, and no chain, intent or model{nearest(name, known)}",
            as_json=as_json,
        )
    return name


def _tell(one: str, other: str, verdict: Verdict) -> None:
    from hyperroute.bounds.told import outage, said

    found = verdict.difference
    if found is None and verdict.proved:
        how = f"{verdict.classes} classes of requests" if verdict.classes else "by the algebra"
        print(f"equal: {how}")
    elif found is None:
        print(
            f"no difference found in {verdict.classes} classes of requests; equality is not proved"
        )
    else:
        asked = "" if found.situation is None else said(found.situation) + outage(found.situation)
        print(f"different in {found.aspect}: {found.name}{': ' + asked if asked else ''}")
        print(f"  {one}: {found.left}")
        print(f"  {other}: {found.right}")


def _document(one: str, other: str, verdict: Verdict) -> dict[str, Any]:
    found = verdict.difference
    return {
        "left": one,
        "right": other,
        "equal": verdict.equal,
        "proved": verdict.proved,
        "classes": verdict.classes,
        "difference": None
        if found is None
        else {
            "name": found.name,
            "aspect": found.aspect,
            "request": None if found.situation is None else found.situation.told(),
            "left": found.left,
            "right": found.right,
        },
    }


__all__ = ["equal"]
