"""Options that several commands share, spelt once."""

from __future__ import annotations

import os
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
State = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="URL",
        help="Where accounts and money are kept: sqlite:///NAME.db or postgresql://… "
        "Default: HYPERROUTE_STATE, or sqlite:///hyperroute.db in this folder.",
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="PATH",
        help="Keys in a JSON file instead of the state. Default: HYPERROUTE_KEYS.",
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


STATE_DEFAULT = "sqlite:///hyperroute.db"


def state_url(given: str | None, *, as_json: bool = False) -> str:
    """Say where accounts and money are kept.

    Raises:
        typer.Exit: In memory, where nothing outlives a command.
    """
    url = given or os.environ.get("HYPERROUTE_STATE") or STATE_DEFAULT
    if url.partition(":")[0] == "memory":
        misuse(
            f"a store in memory ends with this command; name one that stays, such as {STATE_DEFAULT}",
            as_json=as_json,
        )
    return url


def keys_url(state: str | None, keys: Path | None, *, as_json: bool = False) -> str:
    """Say where the keys are: in the state, or in a file of their own where one is named.

    Raises:
        typer.Exit: Both are named, or nothing would stay.
    """
    if state is not None and keys is not None:
        misuse("--state and --keys are two places for keys; name one of them", as_json=as_json)
    named = keys or (None if state else os.environ.get("HYPERROUTE_KEYS"))
    if named:
        return f"file:{named}"
    return state_url(state, as_json=as_json)


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
