"""``hyperroute import``: another gateway's configuration as a table, and what was lost on the way."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hyperroute.cli.options import Json
from hyperroute.cli.say import answering, emit, misuse, no

app = typer.Typer(help="Turn another gateway's configuration into a table.", no_args_is_help=True)


@app.command("litellm")
def litellm(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="LiteLLM's config.yaml.", show_default=False)
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Write litellm.yaml into this folder. Default: print the table.",
        ),
    ] = None,
    lossy: Annotated[
        bool,
        typer.Option("--allow-lossy", help="Be content with what was dropped or refused."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the table of a LiteLLM proxy, and report every key: exact, adapted, dropped, refused."""
    if not config.is_file():
        misuse(f"there is no file at {str(config)!r}", as_json=as_json)
    target = None if out is None else out / "litellm.yaml"
    if target is not None and target.exists():
        misuse(f"{str(target)!r} is there already: move it away first", as_json=as_json)
    with answering(as_json=as_json):
        from dataclasses import asdict

        from hyperroute.plugins.registry import discover
        from hyperroute.plugins.words import words_of
        from hyperroute.proving.litellm.catalogue import shipped
        from hyperroute.proving.litellm.reading import read

        made = read(str(config), config.read_bytes(), shipped(), words_of(discover()))
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(made.table, "utf-8")
        good = made.report.lossless or lossy
        if as_json:
            document = {"good": good, "counts": made.report.counts(), "table": made.table}
            emit({**document, "lines": [asdict(line) for line in made.report.lines]})
        else:
            if target is None:
                print(made.table, end="")
            for line in made.report.lines:
                print(f"{config}:{line}", file=sys.stderr)
            counts = ", ".join(f"{n} {word}" for word, n in made.report.counts().items())
            where = "" if target is None else f"{target}: "
            print(f"{where}{counts}", file=sys.stderr)
        if not good:
            no()
