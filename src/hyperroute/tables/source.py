"""Text to plain values, and the way back from a value to its line and column.

Only what rule 9 of the language allows gets through: core-schema scalars, unique keys, no tags, no
merge keys, bounded aliases. Values are dicts, lists, text, integers, ``Decimal``, booleans and
``None``; they carry no marks. A place is found by walking the text a second time, which only a
faulty table pays for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from hyperroute.errors import Problem

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a file to a value."""

BYTES_MAX = 16 * 1024 * 1024
"""Of one file."""
NODES_MAX = 1_000_000
"""Of one table."""
ALIASED_MAX = 10_000
"""Nodes that the expansion of aliases may add to one file."""
DEPTH_MAX = 64

_Take = Callable[[], Any]
"""Gives the next event."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,20})?")
_WORDS = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_BOOLEAN_KEYS = frozenset(
    form
    for word in ("yes", "no", "on", "off", "true", "false")
    for form in (word, word.title(), word.upper())
)
"""Keys that readers of YAML 1.1 in common use take for a boolean (PyYAML, Ruby, Go's v2)."""
_UNPRINTABLE = re.compile(
    "[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a value stands and what it holds: by key the key's own place too."""

    line: int
    column: int
    keys: dict[str, tuple[int, int, _Mark]]
    items: list[_Mark]


@dataclass(frozen=True)
class Source:
    """One file of a table; ``name`` is what problems say.

    ``own`` is false for what came in through ``include``.
    """

    name: str
    text: str
    own: bool = True

    def place(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Find line and column of a value, both from 1; of its key if ``key``.

        Parts that the text lacks are skipped, so that the place is the nearest one above.
        """
        mark: _Mark = self._marks
        found = last = (mark.line, mark.column)
        for part in path:
            if isinstance(part, int):
                if part < len(mark.items):
                    mark = mark.items[part]
                    found = last = (mark.line, mark.column)
            elif part in mark.keys:
                line, column, mark = mark.keys[part]
                last = (line, column)
                found = (mark.line, mark.column)
        return last if key else found

    def respell(self, path: Path, word: str, meant: str) -> None:
        """Let a key that stands misspelt below a path be found by the word that was meant."""
        mark: _Mark = self._marks
        for part in path:
            if isinstance(part, int):
                mark = mark.items[part] if part < len(mark.items) else mark
            elif part in mark.keys:
                mark = mark.keys[part][2]
        if word in mark.keys:
            mark.keys.setdefault(meant, mark.keys[word])

    @cached_property
    def _marks(self) -> _Mark:
        events = _events(self.text)
        return _mark(next(events), events, {})


def _mark(event: Any, events: Iterator[Any], anchors: dict[str, _Mark]) -> _Mark:
    start = event.start_mark
    if type(event) is AliasEvent:
        return anchors[str(event.anchor)]
    mark = _Mark(start.line + 1, start.column + 1, {}, [])
    if event.anchor:
        anchors[event.anchor] = mark
    if type(event) is SequenceStartEvent:
        while type(item := next(events)) is not SequenceEndEvent:
            mark.items.append(_mark(item, events, anchors))
    elif type(event) is MappingStartEvent:
        while type(key := next(events)) is not MappingEndEvent:
            at = key.start_mark
            value = _mark(next(events), events, anchors)
            mark.keys.setdefault(key.value, (at.line + 1, at.column + 1, value))
    return mark


def _events(text: str) -> Iterator[Any]:
    """Yield the events of the one document, from its first value on."""
    for event in yaml.parse(text, Loader=_LOADER):
        if type(event) in {ScalarEvent, AliasEvent, MappingStartEvent, MappingEndEvent} or (
            type(event) in {SequenceStartEvent, SequenceEndEvent}
        ):
            yield event


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


class _Stop(Exception):
    """The file cannot be read any further."""


class Reader:
    """Reads the files of one table: counts nodes over all of them, collects every problem."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self.problems: list[Problem] = []
        self.nodes = 0
        self.unread = False
        """Whether some file could not be read to its end."""

    def take(self, name: str, data: bytes, *, own: bool) -> tuple[Source, dict[str, Any]] | None:
        """Read one file; ``None`` after telling what keeps it from being read at all."""
        text = self.decode(name, data)
        source = None if text is None else Source(name, text, own)
        top = None if source is None else self.read(source)
        if source is None or top is None:
            self.unread = True
            return None
        return source, top

    def decode(self, name: str, data: bytes) -> str | None:
        """Turn bytes into text, or say why not; a byte-order mark of UTF-8 is skipped."""
        if len(data) > BYTES_MAX:
            self._tell(name, 0, 0, f"the file is larger than {BYTES_MAX // 1024 // 1024} MiB")
            return None
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            self._tell(name, 0, 0, "the file is UTF-16; save it as UTF-8")
            return None
        try:
            text = data.removeprefix(b"\xef\xbb\xbf").decode()
        except UnicodeDecodeError as error:
            before = data[: error.start]
            column = error.start - (before.rfind(b"\n") + 1) + 1
            self._tell(name, before.count(b"\n") + 1, column, "not UTF-8")
            return None
        return text

    def read(self, source: Source) -> dict[str, Any] | None:
        """Read the top map of a file; ``None`` after telling what keeps it from being read at all."""
        found = _UNPRINTABLE.search(source.text)
        if found:
            before = source.text[: found.start()]
            column = found.start() - (before.rfind("\n") + 1) + 1
            message = f"the character {found[0]!r} is not printable; write it as an escape"
            self._tell(source.name, before.count("\n") + 1, column, message)
            return None
        try:
            return _File(self, source).value()
        except yaml.YAMLError as error:
            self._broken(source, error)
            return None
        except _Stop:
            return None

    def _broken(self, source: Source, error: yaml.YAMLError) -> None:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        context = getattr(error, "context", None) or ""
        hint = ""
        lines = source.text.split("\n")
        character = lines[line - 1][column - 1 : column] if 0 < line <= len(lines) else ""
        if "alias" in context or "anchor" in context:
            hint = '; a value that begins with * or & must be quoted, as in "*"'
        elif character == "\t":
            hint = "; indent with blanks, not tabs"
        elif character in {"@", "`", "%"} and character:
            hint = f"; a value that begins with {character} must be quoted"
        text = " ".join(part for part in (context, getattr(error, "problem", "")) if part)
        self._tell(source.name, line, column, f"not YAML: {text}{hint}")

    def _tell(self, name: str, line: int, column: int, message: str) -> None:
        self.problems.append(Problem(name, line, column, message))


class _File:
    """Builds the values of one file from its events."""

    def __init__(self, reader: Reader, source: Source) -> None:
        self.reader = reader
        self.source = source
        self.anchors: dict[str, tuple[Any, int, int]] = {}
        """Value, how many values it holds, how deep it goes."""
        self.reach = 0
        self.open: set[str] = set()
        self.aliased = 0
        self.scalars: dict[str, Any] = dict(_WORDS)

    def value(self) -> dict[str, Any]:
        loader = _LOADER(self.source.text)
        try:
            return self.document(loader.get_event)
        finally:
            loader.dispose()

    def document(self, take: _Take) -> dict[str, Any]:
        root: Any = None
        documents = 0
        while type(event := take()) is not StreamEndEvent:
            if type(event) is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self.stop(event, "a second document; a file holds one")
                if event.version or event.tags:
                    self.stop(event, "directives are not part of the language")
            elif type(event) is MappingStartEvent:
                root = self.node(event, take, 1)
            elif isinstance(event, ScalarEvent | SequenceStartEvent | AliasEvent):
                self.stop(event, "a table is a map that begins with hyperroute: 1")
        if root is None:
            self.reader._tell(  # noqa: SLF001 - the other half of this reader
                self.source.name, 0, 0, "the file is empty; a table begins with hyperroute: 1"
            )
            raise _Stop
        return root  # type: ignore[no-any-return]

    def tell(self, event: Any, message: str) -> None:
        mark = event.start_mark
        self.reader._tell(self.source.name, mark.line + 1, mark.column + 1, message)  # noqa: SLF001

    def stop(self, event: Any, message: str) -> None:
        self.tell(event, message)
        raise _Stop

    def node(self, event: Any, take: _Take, depth: int) -> Any:
        kind = type(event)
        if kind is AliasEvent:
            return self.alias(event, depth)
        self.reader.nodes += 1
        if event.tag is not None:
            self.tell(event, f"the tag {_short(event.tag)} is not part of the language")
        if kind is ScalarEvent:
            value = self.scalar(event)
            if event.anchor:
                self.anchors[event.anchor] = (value, 1, 0)
            return value
        if depth > DEPTH_MAX:
            self.stop(event, f"more than {DEPTH_MAX} levels deep")
        if self.reader.nodes > NODES_MAX:
            self.stop(event, f"the table holds more than {NODES_MAX:,} values")
        before = self.reader.nodes + self.aliased
        outside, self.reach = self.reach, depth
        if event.anchor:
            self.open.add(event.anchor)
        value = self.mapping(take, depth) if kind is MappingStartEvent else self.items(take, depth)
        if event.anchor:
            self.open.discard(event.anchor)
            weight = self.reader.nodes + self.aliased - before + 1
            self.anchors[event.anchor] = (value, weight, self.reach - depth)
        self.reach = max(outside, self.reach)
        return value

    def alias(self, event: Any, depth: int) -> Any:
        if event.anchor in self.open:
            self.stop(event, f"the anchor {event.anchor!r} would contain itself")
        if event.anchor not in self.anchors:
            self.stop(event, f"no anchor {event.anchor!r} before this alias; quote a plain *")
        value, weight, height = self.anchors[event.anchor]
        self.reach = max(self.reach, depth + height)
        if depth + height > DEPTH_MAX:
            self.stop(event, f"more than {DEPTH_MAX} levels deep")
        self.aliased += weight
        if self.aliased > ALIASED_MAX:
            self.stop(event, f"aliases add more than {ALIASED_MAX:,} values")
        return value

    def scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.style or not (event.implicit[0] or event.tag):
            return text  # a tag was told already: what stands behind it is read as if it were not there
        try:
            return self.scalars[text]
        except KeyError:
            value: Any = text
            if text[0] in "+-0123456789" and (found := _NUMBER.fullmatch(text)):
                value = Decimal(text) if found[1] else int(text)
            self.scalars[text] = value
            return value

    def items(self, take: _Take, depth: int) -> list[Any]:
        values = []
        while type(event := take()) is not SequenceEndEvent:
            values.append(self.node(event, take, depth + 1))
        return values

    def mapping(self, take: _Take, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        places: dict[str, Any] = {}
        while type(event := take()) is not MappingEndEvent:
            if type(event) is not ScalarEvent:
                self.stop(event, "a key is a word, not a list, a map or an alias")
            key = event.value
            if event.tag is not None:
                self.tell(event, f"the tag {_short(event.tag)} is not part of the language")
            usable = event.tag is not None or not event.implicit[0] or self.check_key(event, key)
            value = self.node(take(), take, depth + 1)
            if not usable:
                merged = value if key == "<<" and isinstance(value, dict) else merged
            elif key in values:
                first = places[key]
                where = f"line {first.line + 1}, column {first.column + 1}"
                self.tell(event, f"the key {key!r} stands here a second time; first at {where}")
            else:
                values[key] = value
                places[key] = event.start_mark
        return {**merged, **values} if merged else values

    def check_key(self, event: Any, key: str) -> bool:
        """Tell what is wrong with a plain key, and whether it names anything all the same."""
        if key == "<<":
            self.tell(event, "merge keys are not part of the language")
            return False
        if key in _BOOLEAN_KEYS:
            self.tell(event, f"many YAML readers take the key {key} for a boolean; quote it")
        elif key in _WORDS:
            self.tell(event, "a key is a word, not nothing; quote it")
            return False
        return True
