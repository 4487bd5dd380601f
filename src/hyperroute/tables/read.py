"""The cold way: bytes to values, values to definitions, definitions to a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hyperroute.tables import lint
from hyperroute.tables.compile import compile_folder, understand_alone
from hyperroute.tables.digest import digest
from hyperroute.tables.given import cases
from hyperroute.tables.loaded import Files, Loaded
from hyperroute.tables.merge import Folder, includes, merge
from hyperroute.tables.promises import prove
from hyperroute.tables.report import Report, Spot
from hyperroute.tables.source import Reader, Source
from hyperroute.tables.vocabulary import PluginWords, nearest

_Tops = list[tuple[Source, dict[str, Any]]]


def understand_files(found: Files, plugins: PluginWords | None, *, strict: bool) -> Loaded:
    """Compile the files of a table.

    Raises:
        TableError: With every problem of all of them.
    """
    report = Report(strict=strict, problems=set(found.problems))
    folder, names, unread = _gather(found, plugins, report)
    if folder.incomplete or unread:
        understand_alone(folder, plugins)
        report.raise_if_failed()
    compiled = compile_folder(folder, plugins)
    tests = cases(folder, compiled)
    if not report.failed:
        # Of a faulty table it cannot be said what is used: one mistake would be told twice.
        lint.unused(folder, compiled.names)
        lint.empty(folder, compiled.table)
        prove(compiled)
    report.raise_if_failed()
    return Loaded(
        table=replace(compiled.table, digest=digest(compiled.table)),
        tests=tests,
        warnings=report.warnings(),
        sources=names,
    )


def gather(found: Files, plugins: PluginWords | None) -> Folder:
    """Give the definitions of a table as they are written, each with its place.

    Raises:
        TableError: The files cannot be read, or include what is not there.
    """
    report = Report(problems=set(found.problems))
    folder, _, _ = _gather(found, plugins, report)
    report.raise_if_failed()
    return folder


def _gather(
    found: Files, plugins: PluginWords | None, report: Report
) -> tuple[Folder, tuple[str, ...], bool]:
    """Give the folder, the names of its files, and whether some could not be read to the end."""
    reader = Reader()
    tops: _Tops = []
    wanted = _parse(reader, report, found.own, tops, own=True)
    for word, spot in sorted(wanted.items()):
        contents = _included(word, spot, found, plugins)
        for other, at in _parse(reader, report, contents, tops, own=False).items():
            if other != word:
                at.error("an included table includes no other")
    headless = report.failed  # another language, or a table that was to be included and is not here
    report.problems.update(reader.problems)
    if headless:
        report.raise_if_failed()
    names = tuple(sorted(source.name for source, _ in tops))
    return merge(report, tops), names, reader.unread


def _parse(
    reader: Reader,
    report: Report,
    contents: Iterable[tuple[str, bytes]],
    tops: _Tops,
    *,
    own: bool,
) -> dict[str, Spot]:
    """Read files into ``tops`` and give what they include, with one place for each."""
    wanted: dict[str, Spot] = {}
    for name, data in contents:
        taken = reader.take(name, data, own=own)
        if taken is not None:
            for word, spot in includes(report, *taken):
                wanted.setdefault(word, spot)
            tops.append(taken)
    return wanted


def _included(
    word: str, spot: Spot, found: Files, plugins: PluginWords | None
) -> tuple[tuple[str, bytes], ...]:
    if word == "shipped":
        if not found.shipped:
            spot.error("the shipped table is not there: the installation is broken")
        return found.shipped
    name = word.removeprefix("plugin:")
    tables = plugins.tables if plugins else {}
    if name not in tables:
        spot.error(f"no installed plugin {name!r} brings a table{nearest(name, tables)}")
    texts = tables.get(name, {})
    return tuple((f"plugin:{name}/{file}", text.encode()) for file, text in sorted(texts.items()))
