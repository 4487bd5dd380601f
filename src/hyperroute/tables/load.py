"""The way in: a folder, some files or a text, to a table that is whole, or an error that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from hyperroute.errors import Problem
from hyperroute.routing.table import RouteTable
from hyperroute.tables.compile import compile_folder
from hyperroute.tables.given import cases
from hyperroute.tables.merge import includes, merge
from hyperroute.tables.report import Report, Spot
from hyperroute.tables.source import Reader, Source
from hyperroute.tables.testcases import TestCase
from hyperroute.tables.vocabulary import PluginWords, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A table that was loaded whole.

    Attributes:
        table: What routing reads.
        tests: Cases of the table's own files, in reading order.
        warnings: What is an error under ``strict``.
        sources: Names of the files that were read, included ones too.
    """

    table: RouteTable
    tests: tuple[TestCase, ...]
    warnings: tuple[Problem, ...]
    sources: tuple[str, ...]


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
        cache: A folder of compiled tables; ``None``: nothing is kept.

    Raises:
        TableError: With every problem of the whole table.
    """
    roots = [path] if isinstance(path, str | Path) else list(path)
    sources, problems = _read_all(map(Path, roots))
    del cache
    return _load(sources, problems, plugins, strict=strict)


def loads(
    text: str, name: str = "<text>", *, plugins: PluginWords | None = None, strict: bool = False
) -> Loaded:
    """Load a table from the text of one file.

    Raises:
        TableError: With every problem of it.
    """
    return _load([(name, text.encode())], [], plugins, strict=strict)


def find_shipped() -> Path | None:
    """Find the table that comes with this library: in the package, else in the checkout."""
    packaged = Path(str(files("hyperroute"))) / "routes"
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).parents[3] / "routes"
    return checkout if checkout.is_dir() else None


def _read_all(roots: Iterable[Path]) -> tuple[list[tuple[str, bytes]], list[Problem]]:
    problems: list[Problem] = []
    found: dict[Path, str] = {}
    for root in roots:
        if root.is_dir():
            below = sorted(item for item in root.rglob("*.yaml") if item.is_file())
            if not below:
                problems.append(Problem(str(root), 0, 0, "no *.yaml file below this folder"))
        else:
            below = [root]
        for item in below:
            found.setdefault(item.resolve(), str(item))
    contents: list[tuple[str, bytes]] = []
    for name in found.values():
        try:
            contents.append((name, Path(name).read_bytes()))
        except OSError as error:
            problems.append(Problem(name, 0, 0, f"cannot be read: {error.strerror or error}"))
    return contents, problems


def _load(
    contents: list[tuple[str, bytes]],
    problems: list[Problem],
    plugins: PluginWords | None,
    *,
    strict: bool,
) -> Loaded:
    report = Report(strict=strict, problems=set(problems))
    reader = Reader()
    tops: list[tuple[Source, dict[str, Any]]] = []
    wanted: dict[str, Spot] = {}
    _parse(reader, report, contents, tops, wanted, own=True)
    for word, spot in sorted(wanted.items()):
        _parse(reader, report, _included(word, spot, plugins), tops, None, own=False)
    report.problems.update(reader.problems)
    report.raise_if_failed()
    folder = merge(report, tops)
    names = tuple(source.name for source, _ in tops)
    tops.clear()
    compiled = compile_folder(folder, plugins)
    tests = cases(folder, compiled)
    report.raise_if_failed()
    return Loaded(
        table=compiled.table, tests=tests, warnings=report.warnings(), sources=tuple(sorted(names))
    )


def _parse(
    reader: Reader,
    report: Report,
    contents: Iterable[tuple[str, bytes]],
    tops: list[tuple[Source, dict[str, Any]]],
    wanted: dict[str, Spot] | None,
    *,
    own: bool,
) -> None:
    for name, data in contents:
        text = reader.decode(name, data)
        if text is None:
            continue
        source = Source(name, text, own)
        top = reader.read(source)
        if top is None:
            continue
        for word, spot in includes(report, source, top):
            if wanted is None:
                spot.error("an included table includes no other")
            else:
                wanted.setdefault(word, spot)
        tops.append((source, top))


def _included(word: str, spot: Spot, plugins: PluginWords | None) -> list[tuple[str, bytes]]:
    if word == "shipped":
        shipped = find_shipped()
        contents, problems = _read_all([shipped]) if shipped else ([], [])
        if shipped is None or problems:
            spot.error("the shipped table is not there: the installation is broken")
        return contents
    name = word.removeprefix("plugin:")
    tables = plugins.tables if plugins else {}
    if name not in tables:
        spot.error(f"no installed plugin {name!r} brings a table{nearest(name, tables)}")
    texts = tables.get(name, {})
    return [(f"plugin:{name}/{file}", text.encode()) for file, text in sorted(texts.items())]
