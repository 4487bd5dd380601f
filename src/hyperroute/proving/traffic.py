"""Recorded traffic: what requests measured, one JSON object a line, never a word of them.

A line is either a need in the words of a table's tests (``model`` or ``intent``, ``in``, ``out``,
``needs``, facts by their names, and ``count``), or a record as ``Record.to_json`` writes it, of which
the name, the stream and the usage are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hyperroute.errors import Problem, TableError
from hyperroute.proving.representatives import Need
from hyperroute.routing.table import RouteTable
from hyperroute.tables.testcases import Given
from hyperroute.tables.vocabulary import REQUEST_FACTS, nearest
from hyperroute.tables.words import size

_WORDS = frozenset({"model", "intent", "in", "out", "needs", "count"})


def recorded(path: Path, table: RouteTable) -> Iterator[Need]:
    """Read the needs of a file, in its order.

    Raises:
        TableError: A line is no need and no record; it says which and why.
    """
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield _read(json.loads(line), table)
        except ValueError as error:
            raise TableError((Problem(str(path), number, 1, str(error)),)) from None


def _read(value: object, table: RouteTable) -> Need:
    if not isinstance(value, dict):
        raise ValueError("expected an object")  # noqa: TRY004 - of the file, not of our caller
    return _record(value, table) if "asked" in value else _need(value, table)


def _need(value: dict[str, Any], table: RouteTable) -> Need:
    if ("model" in value) == ("intent" in value):
        raise ValueError("a request names either a model or an intent")
    facts = {
        name: tuple(said) if isinstance(said, list) else said
        for name, said in value.items()
        if name not in _WORDS
    }
    for name in facts:
        if name not in REQUEST_FACTS and name not in table.facts and not name.startswith("limit."):
            valid = [*_WORDS, *REQUEST_FACTS, *table.facts]
            raise ValueError(f"unknown key {name!r}{nearest(name, valid)}")
    count, needs = value.get("count", 1), value.get("needs", [])
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ValueError(f"count is a whole number from 1, found {count!r}")
    if not isinstance(needs, list) or not all(isinstance(word, str) for word in needs):
        raise ValueError(f"needs is a list of words, found {needs!r}")
    given = Given(
        model=value.get("model"),
        intent=value.get("intent"),
        input=size(value["in"]) if "in" in value else None,
        output=size(value["out"]) if "out" in value else None,
        needs=tuple(needs),
        parameters={},
        facts=facts,
        script={},
    )
    return Need(given, count)


def _record(value: dict[str, Any], table: RouteTable) -> Need:
    usage = value.get("usage") or {}
    name = str(value["asked"])
    intent = not value.get("pinned") and name in table.intents
    given = Given(
        model=None if intent else name,
        intent=name if intent else None,
        input=usage.get("input_tokens"),
        output=usage.get("output_tokens"),
        parameters={},
        facts={"req.stream": bool(value.get("stream"))},
        script={},
    )
    return Need(given)
