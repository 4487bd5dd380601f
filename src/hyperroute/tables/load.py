"""The way in: a folder, some files or a text, to a table that is whole, or an error that is.

Nothing heavy is imported here: a table that was compiled before is read without YAML and pydantic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from hyperroute.errors import Problem
from hyperroute.tables.loaded import Files, Loaded
from hyperroute.tables.vocabulary import PluginWords


def load(
    path: str | Path | Sequence[str | Path],
    *,
    plugins: PluginWords | None = None,
    strict: bool = False,
    cache: Path | None = None,
) -> Loaded:
    """Load a table from a file, from every ``*.yaml`` below a folder, or from several of these.

    Args:
        path: Where to read.
        plugins: What installed plugins add; ``None``: their names are not checked.
        strict: Treat warnings as errors.
        cache: A folder of compiled tables, of this user alone; ``None``: nothing is kept.

    Raises:
        TableError: With every problem of the whole table.
    """
    roots = [path] if isinstance(path, str | Path) else list(path)
    found = read_files(map(Path, roots))
    if cache is None or found.problems:
        return _cold(found, plugins, strict=strict)
    from hyperroute.tables.cache import Cache

    kept = Cache(cache)
    key = kept.key(found, plugins, strict=strict)
    warm = kept.read(key)
    if warm is not None:
        return warm
    loaded = _cold(found, plugins, strict=strict)
    kept.write(key, loaded)
    return loaded


def loads(
    text: str, name: str = "<text>", *, plugins: PluginWords | None = None, strict: bool = False
) -> Loaded:
    """Load a table from the text of one file.

    Raises:
        TableError: With every problem of it.
    """
    return _cold(text_files(text, name), plugins, strict=strict)


def text_files(text: str, name: str = "<text>") -> Files:
    """Give a text as the one file of a table."""
    shipped = _below(find_shipped()).own
    return Files(own=((name, text.encode(errors="surrogatepass")),), shipped=shipped)


def _cold(found: Files, plugins: PluginWords | None, *, strict: bool) -> Loaded:
    from hyperroute.tables.read import understand_files

    return understand_files(found, plugins, strict=strict)


def find_shipped() -> Path | None:
    """Find the table that comes with this library: in the package, else in the checkout."""
    packaged = Path(str(files("hyperroute"))) / "routes"
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).parents[3] / "routes"
    return checkout if checkout.is_dir() else None


def read_files(roots: Iterable[Path]) -> Files:
    """Read the bytes of all files of a table, and of the shipped one that it may include."""
    problems: list[Problem] = []
    wanted: dict[Path, str] = {}
    for root in roots:
        if root.is_dir():
            below = [item for item in root.rglob("*.yaml") if item.is_file()]
            if not below:
                problems.append(Problem(str(root), 0, 0, "no *.yaml file below this folder"))
        else:
            below = [root]
        for item in sorted(below):
            wanted.setdefault(item.resolve(), str(item))
    own: list[tuple[str, bytes]] = []
    for name in sorted(wanted.values()):
        try:
            own.append((name, Path(name).read_bytes()))
        except OSError as error:
            problems.append(Problem(name, 0, 0, f"cannot be read: {error.strerror or error}"))
    shipped = _below(find_shipped()).own
    return Files(own=tuple(own), shipped=shipped, problems=tuple(problems))


def _below(folder: Path | None) -> Files:
    if folder is None:
        return Files(own=())
    found = sorted(item for item in folder.rglob("*.yaml") if item.is_file())
    names = (f"shipped/{item.relative_to(folder).as_posix()}" for item in found)
    return Files(
        own=tuple((name, item.read_bytes()) for name, item in zip(names, found, strict=True))
    )
