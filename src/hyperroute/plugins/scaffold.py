"""Begin a plugin: copy the template with a new name (``hyperroute plugins new NAME``).

The template is a whole distribution that installs and passes its own tests as it stands, because a
reader changes what works more easily than they complete what does not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from hyperroute.errors import PluginError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_MAX: Final = 40
_SKIPPED: Final = frozenset({"__pycache__", ".pytest_cache", ".venv", "dist"})


def scaffold(name: str, *, into: Path | None = None) -> tuple[Path, ...]:
    """Write the distribution ``hyperroute-NAME`` below a folder and list its files.

    Args:
        name: Of the provider: lower-case words joined by dashes; ``hyperroute-`` in front is taken
            off.
        into: The folder that gets it; ``None`` is the current one.

    Raises:
        PluginError: The name is no provider's name, or the folder is already there.
    """
    name = name.removeprefix("hyperroute-")
    if not _NAME.fullmatch(name) or len(name) > _NAME_MAX:
        raise PluginError(
            f"{name!r} is no name for a plugin: write lower-case words, acme or acme-ai"
        )
    target = (into or Path()) / f"hyperroute-{name}"
    if target.exists():
        raise PluginError(
            f"{str(target)!r} is already there; choose another name or another folder"
        )
    source = template()
    written: list[Path] = []
    for path in sorted(source.rglob("*")):
        if path.is_dir() or _SKIPPED.intersection(path.relative_to(source).parts):
            continue
        place = target / renamed(str(path.relative_to(source)), name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(renamed(path.read_text("utf-8"), name), "utf-8")
        written.append(place)
    return tuple(written)


def renamed(text: str, name: str) -> str:
    """Replace the template's name in each of the spellings that a language wants."""
    word = name.replace("-", "_")
    for old, new in (
        ("hyperroute_acme", f"hyperroute_{word}"),
        ("hyperroute-acme", f"hyperroute-{name}"),
        ("test_acme", f"test_{word}"),
        ("ACME", word.upper()),
        ("Acme", " ".join(part.capitalize() for part in name.split("-"))),
        ("acme", name),
    ):
        text = text.replace(old, new)
    return text


def template() -> Path:
    """Find the template: in the wheel beside this module, in a checkout among the plugins.

    Raises:
        PluginError: It is in neither place; the installation is not whole.
    """
    here = Path(__file__).resolve().parent
    for place in (here / "_template", here.parents[2] / "plugins" / "_template"):
        if (place / "pyproject.toml").is_file():
            return place
    raise PluginError("the plugin template is missing; install hyperroute again")


__all__ = ["renamed", "scaffold", "template"]
