"""``hyperroute plugins new``: a provider plugin that works, to be changed from there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hyperroute.cli.say import answering


def new(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Of the provider: a word like acme.", show_default=False
        ),
    ],
    *,
    into: Annotated[
        Path,
        typer.Option("--into", metavar="FOLDER", help="Where the plugin's own folder is made."),
    ] = Path(),
) -> None:
    """Write a provider plugin that passes the conformance kit, to begin with."""
    with answering(as_json=False):
        from hyperroute.plugins.scaffold import scaffold

        for path in scaffold(name, into=into):
            print(path)
