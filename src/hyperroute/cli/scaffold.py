"""``hyperroute plugins new``: a provider plugin that works, to be changed from there."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from hyperroute.cli.say import misuse

PLACEHOLDER = "acme"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


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
    if not _NAME.fullmatch(name):
        misuse(f"a plugin's name is lower case, words joined by -, not {name!r}")
    target = into / f"hyperroute-{name}"
    if target.exists():
        misuse(f"{str(target)!r} is already there")
    source = find_template()
    if source is None:
        misuse("the template is not part of this installation")
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            place = target / named(str(path.relative_to(source)), name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(named(path.read_text("utf-8"), name), "utf-8")
            print(place)
    print(f"next: pip install -e '{target}[test]' && pytest {target}")


def named(text: str, name: str) -> str:
    """Put a name in the place of the template's, in each of its spellings."""
    word = name.replace("-", "_")
    title = name.replace("-", " ").title().replace(" ", "")
    for old, new_word in (
        (f"hyperroute_{PLACEHOLDER}", f"hyperroute_{word}"),
        (f"test_{PLACEHOLDER}", f"test_{word}"),
        (PLACEHOLDER.upper(), word.upper()),
        (PLACEHOLDER.title(), title),
        (PLACEHOLDER, name),
    ):
        text = text.replace(old, new_word)
    return text


def find_template() -> Path | None:
    """Find the template: in the package, else in the checkout."""
    packaged = Path(str(files("hyperroute"))) / "plugin_template"
    checkout = Path(__file__).parents[3] / "plugins" / "_template"
    return next((path for path in (packaged, checkout) if path.is_dir()), None)


__all__ = ["find_template", "named", "new"]
