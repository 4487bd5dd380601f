"""Options that several commands share, spelt once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hyperroute.cli.say import misuse

Tables = Annotated[
    Path | None,
    typer.Option(
        "--tables",
        metavar="PATH",
        help="A table: a folder or a file. Default: ./routes if it is one, else the shipped table.",
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="PATH",
        help="The keys file. Default: HYPERROUTE_KEYS, or hyperroute-keys.json in this folder.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Model = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="Model or alias to ask for.")
]
Intent = Annotated[
    str | None,
    typer.Option("--intent", metavar="NAME", help="Intent to ask for, where no model is named."),
]
Facts = Annotated[
    list[str] | None,
    typer.Option("--fact", metavar="NAME=VALUE", help="A fact about the caller; may be repeated."),
]


def place(given: Path | None, *, as_json: bool = False) -> Path | None:
    """Say where the table is; ``None`` stands for the shipped one.

    Raises:
        typer.Exit: The path that was given does not exist.
    """
    if given is not None:
        if not given.exists():
            misuse(f"there is no table at {str(given)!r}", as_json=as_json)
        return given
    here = Path("routes")
    return here if is_table(here) else None


def is_table(path: Path) -> bool:
    """Say whether a folder looks like a table: one of its files declares the language's version."""
    if not path.is_dir():
        return False
    return any(
        line.startswith("hyperroute:")
        for file in sorted(path.rglob("*.yaml"))
        for line in file.read_text("utf-8", errors="replace").splitlines()
    )


def pairs(words: list[str] | None, *, as_json: bool = False) -> dict[str, str]:
    """Read ``name=value`` words.

    Raises:
        typer.Exit: A word has no ``=`` or no name.
    """
    found: dict[str, str] = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            misuse(f"--fact needs NAME=VALUE, not {word!r}", as_json=as_json)
        found[name.strip()] = value.strip()
    return found
