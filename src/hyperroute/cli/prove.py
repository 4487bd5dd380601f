"""``hyperroute prove``: the worst that any one request can come to, and the run that comes to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hyperroute.cli.check import Several
from hyperroute.cli.options import Json, place
from hyperroute.cli.say import columns, described, emit, misuse, no, report
from hyperroute.errors import HyperrouteError

if TYPE_CHECKING:
    from hyperroute.proving.proofs import Key, Proof
    from hyperroute.routing.table import RouteTable

Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write one self-contained page, too."),
]


def prove(
    tables: Several = None,
    *,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Only this model or intent, with its traces."),
    ] = None,
    html: Html = None,
    as_json: Json = False,
) -> None:
    """Prove the worst number of attempts, dollars and seconds of any one request, and all promises."""
    import logging
    from time import perf_counter

    from hyperroute.proving.proofs import document

    # What a trace lets fail is no news to anybody.
    logging.getLogger("hyperroute").addHandler(logging.NullHandler())
    good = True
    documents: list[dict[str, Any]] = []
    sections: list[tuple[str, str]] = []
    given: Path | None
    for given in tables or (None,):
        path = place(given, as_json=as_json)
        name = "shipped" if path is None else str(path)
        began = perf_counter()
        try:
            table = _table(path)
        except HyperrouteError as error:
            good = False
            documents.append({"table": name, "good": False, "error": described(error)})
            sections.append((name, _refused(error)))
            if not as_json:
                report(error, as_json=False)
            continue
        proofs = _proofs(table, model, as_json=as_json)
        took = perf_counter() - began
        documents.append(
            {
                "table": name,
                "good": True,
                "digest": table.digest,
                "promises": len(promised(table)),
                "names": [document(proof, table) for proof in proofs],
            }
        )
        sections += _sections(name, proofs, table)
        if not as_json:
            _tell(name, proofs, table, took, traces=model is not None)
    if html is not None:
        _write(html, sections, as_json=as_json)
    if as_json:
        emit({"good": good, "tables": documents})
    if not good:
        no()


def _table(path: Path | None) -> RouteTable:
    from hyperroute.cli.loading import loaded

    return loaded(path).table


def promised(table: RouteTable) -> list[str]:
    """List the names with a promise; that their table was loaded means that all are kept."""
    return [
        name
        for section in (table.services, table.intents, table.chains)
        for name, one in section.items()
        if one.promise is not None
    ]


def _proofs(table: RouteTable, model: str | None, *, as_json: bool) -> list[Proof]:
    from hyperroute.bounds.reach import proved_names
    from hyperroute.proving.proofs import prove as proved
    from hyperroute.routing.resolve import names_of
    from hyperroute.tables.vocabulary import nearest

    names = list(proved_names(table))
    if model is not None:
        meant = table.aliases[model].to if model in table.aliases else model
        if meant not in names:
            known = names_of(table).models
            misuse(
                f"no model or intent {model!r} is served{nearest(model, known)}", as_json=as_json
            )
        names = [meant]
    with _progress(len(names), quiet=as_json) as step:
        found: list[Proof] = []
        for name in names:
            found += proved(table, [name])
            step()
    return found


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show how far a long run has come, to people who look on."""
    if quiet or total < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("proving", total=total)
        yield lambda: shown.advance(task)


# --- for people -------------------------------------------------------------------------------------
def _tell(name: str, proofs: list[Proof], table: RouteTable, took: float, *, traces: bool) -> None:
    for line in columns([("NAME", "ATTEMPTS", "USD", "SECONDS", "CLASSES"), *_rows(proofs, table)]):
        print(line)
    if traces:
        for line in _traces(proofs[0], table):
            print(line)
    print(f"{name}: {_summary(proofs, table)}; {took:.1f} s")


def _rows(proofs: list[Proof], table: RouteTable) -> Iterator[tuple[str, ...]]:
    for proof in proofs:
        amounts = (_amount("attempts", proof, table), _amount("cost", proof, table))
        classes = str(proof.bounds.classes)
        yield (proof.name, *amounts, _amount("time", proof, table), classes)


def _amount(key: Key, proof: Proof, table: RouteTable) -> str:
    from hyperroute.bounds.told import seconds, usd

    proved = proof.of(key)
    if proved.bound is None:
        return "unbounded"
    shown = str(proved.bound)
    if key == "cost":
        shown = usd(proved.bound, table)
    elif key == "time":
        shown = seconds(proved.bound).removesuffix("s")
    return shown if proved.exact else f"{shown} (bound, not attained)"


def _traces(proof: Proof, table: RouteTable) -> Iterator[str]:
    from hyperroute.bounds.told import amount
    from hyperroute.proving.proofs import KEYS, told

    for key in KEYS:
        proved = proof.of(key)
        if proved.trace is not None and proved.attained is not None:
            yield f"{amount(key, proved.attained, table)}: {told(proved.trace)}"
        elif proved.bound is None:
            yield f"{key}: unbounded, because an offer has no price or nothing bounds its tokens"


def _summary(proofs: list[Proof], table: RouteTable) -> str:
    from hyperroute.proving.proofs import KEYS

    every = [proof.of(key) for proof in proofs for key in KEYS]
    exact = sum(one.exact for one in every)
    free = sum(one.bound is None for one in every)
    classes = sum(proof.bounds.looked for proof in proofs)
    told = f"{len(proofs)} names, {classes} classes of requests, {exact} of {len(every)} bounds attained"
    told += f", {free} unbounded" if free else ""
    kept = len(promised(table))
    return f"{told}, {kept} promises kept" if kept != 1 else f"{told}, 1 promise kept"


# --- a page -----------------------------------------------------------------------------------------
def _sections(name: str, proofs: list[Proof], table: RouteTable) -> list[tuple[str, str]]:
    from hyperroute.bounds.told import usd
    from hyperroute.proving.report import bars, folded, grid, text

    dear = sorted(proofs, key=lambda proof: -(proof.cost.bound or 0))[:20]
    chart = [
        (one.name, one.cost.bound / table.scale, f"{usd(one.cost.bound, table)} usd")
        for one in dear
        if one.cost.bound
    ]
    head = ("name", "attempts", "usd", "seconds", "classes")
    unfolded = "".join(folded(proof.name, _traces(proof, table)) for proof in proofs)
    return [
        (name, text(_summary(proofs, table)) + text(f"digest {table.digest}")),
        ("The dearest single requests", bars(chart) if chart else text("No price is bounded.")),
        ("Worst cases", grid(head, _rows(proofs, table), (1, 2, 3, 4))),
        ("The runs that come to them", unfolded),
    ]


def _refused(error: HyperrouteError) -> str:
    from hyperroute.proving.report import text

    return "".join(text(line) for line in str(error).splitlines())


def _write(html: Path, sections: list[tuple[str, str]], *, as_json: bool) -> None:
    from hyperroute.proving.report import page

    try:
        html.write_text(page("What any one request can come to", sections), "utf-8")
    except OSError as error:
        misuse(f"--html: {str(html)!r} cannot be written: {error.strerror}", as_json=as_json)


__all__ = ["prove"]
