"""Edits to JSON bytes that leave every other byte as it came (architecture.md, law 7).

``splice`` knows two edits, ``Set`` and ``Remove``, addressed by a path of keys and indexes. A key
that occurs twice is edited at every place, because parsers disagree on which one counts. A member
that is not there is put behind the last one.

The scanner does not validate: it is given text that a JSON parser has read. Most of it is stepped
over by one regular expression, three levels of nesting at a time, so that megabytes cost
milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from hyperroute.dialects.json import dumps, loads

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """Give the member or element at ``path`` this JSON ``value``; a missing last key is added."""

    path: Path
    value: bytes


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the member or element at ``path`` away; nothing happens where there is none."""

    path: Path


Edit = Set | Remove


class SpliceError(ValueError):
    """A path leads nowhere, or the text is not JSON."""


class _Member(NamedTuple):
    key: str | int
    begin: int
    """Of the key, in objects; of the value, in arrays."""
    value: int
    end: int


_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT: Final = rb'[^"{}\[\]]*+(?:' + _STRING + rb'[^"{}\[\]]*+)*+'


def _deeper(level: bytes) -> bytes:
    nested = rb"[{\[]" + level + rb"[}\]]"
    return rb'[^"{}\[\]]*+(?:(?:' + _STRING + rb"|" + nested + rb')[^"{}\[\]]*+)*+'


_STEP: Final = re.compile(_deeper(_deeper(_deeper(_FLAT))), re.DOTALL)
_QUOTED: Final = re.compile(_STRING, re.DOTALL)
_MODEL: Final = re.compile(rb'[{,]\s*+"model"\s*+:\s*+(' + _STRING + rb")", re.DOTALL)
_SPACE: Final = re.compile(rb"[ \t\n\r]*+")
_SCALAR: Final = re.compile(rb"[^\s,\]}]++")
_LINE_END: Final = re.compile(rb"(\r\n|\n|\r)")


def splice(body: bytes, edits: Sequence[Edit]) -> bytes:
    """Apply edits to a JSON document, in order where they meet, and keep all other bytes.

    Raises:
        SpliceError: A path goes through something that is not there or holds no members; an index
            is out of range; the text is not JSON.
    """
    if not edits:
        return body
    start = _space(body, 0)
    pieces: list[bytes] = [body[:start]]
    end = _rewrite(body, start, list(edits), 0, pieces)
    pieces.append(body[end:])
    return b"".join(pieces)


def merge_top(body: bytes, members: Mapping[str, Any]) -> bytes:
    """Set top-level members to Python values; what the flow fills in or adds.

    Raises:
        SpliceError: The body is not a JSON object.
        ValueError: A value is not JSON.
    """
    return splice(body, [Set((key,), dumps(value)) for key, value in members.items()])


def tell_model(body: bytes, model: str, *paths: Path) -> bytes:
    """Put the caller's model name at those ``paths`` that are there; whole bodies and SSE frames.

    Total: what is not JSON comes back as it came. The data of an event must be on one line, as every
    provider sends it; an event over several lines is left alone.
    """
    if b'"model' not in body and b"\\u" not in body:
        return body
    value = dumps(model)
    if body.lstrip()[:1] == b"{":
        return _told(body, value, paths)
    lines = _LINE_END.split(body)
    for number in range(0, len(lines), 2):
        line = lines[number]
        if line.startswith(b"data:") and (brace := line.find(b"{")) >= 0:
            lines[number] = line[:brace] + _told(line[brace:], value, paths)
    return b"".join(lines)


def only_model(body: bytes) -> tuple[int, int] | None:
    """Say where the top object's ``model`` stands, where one look tells that it stands there once.

    The word comes once in quotes, no key is spelt with escapes, and ``_plain_place`` knows the rest.
    """
    if body.count(b'"model"') != 1 or b"\\u" in body:
        return None
    return _plain_place(body, ("model",))


def _told(body: bytes, value: bytes, paths: Sequence[Path]) -> bytes:
    for path in paths:
        try:
            place = _plain_place(body, path) or find(body, path)
        except ValueError:
            continue
        if place is not None:
            body = body[: place[0]] + value + body[place[1] :]
    return body


def _plain_place(body: bytes, path: Path) -> tuple[int, int] | None:
    """Find the usual ``{"id":…,"model":"…"`` without scanning the rest of a token's chunk.

    An unescaped quote before the word, behind a comma, opens a key; and one brace before it, without
    any bracket, means that the key is the top object's.
    """
    if path != ("model",):
        return None
    found = _MODEL.search(body)
    if found is None:
        return None
    place = found.start(1)
    if body.count(b"{", 0, place) != 1 or body.find(b"[", 0, place) >= 0:
        return None
    return found.span(1)


def find(body: bytes, path: Path) -> tuple[int, int] | None:
    """Say where the value at ``path`` begins and ends, ``None`` if there is none.

    Raises:
        SpliceError: The text is not JSON.
    """
    at = _space(body, 0)
    end = len(body)
    for step in path:
        if body[at : at + 1] not in (b"{", b"["):
            return None
        members, end = _members(body, at)
        places = _places(members, step, is_object=body[at : at + 1] == b"{")
        if not places:
            return None
        at, end = members[places[-1]].value, members[places[-1]].end
    return at, end


def _rewrite(body: bytes, start: int, edits: list[Edit], depth: int, out: list[bytes]) -> int:
    """Write the container at ``start`` with its edits applied; return where it ends."""
    is_object = body[start : start + 1] == b"{"
    if not is_object and body[start : start + 1] != b"[":
        raise SpliceError(f"nothing to go into for {edits[0].path!r}")
    members, end = _members(body, start)
    mine: dict[int, list[Edit]] = {}
    added: dict[str, bytes] = {}
    gone: set[int] = set()
    for edit in edits:
        step, last = edit.path[depth], depth + 1 == len(edit.path)
        places = _places(members, step, is_object=is_object)
        if last and isinstance(edit, Remove):
            gone.update(places)
            added.pop(str(step), None)
        elif places:
            gone.difference_update(places if last else ())
            for place in places if last else places[-1:]:
                mine.setdefault(place, []).append(edit)
        elif last and is_object and isinstance(step, str) and isinstance(edit, Set):
            added[step] = edit.value
        elif isinstance(edit, Set):
            raise SpliceError(f"no {step!r} for {edit.path!r}")
    kept = [place for place in range(len(members)) if place not in gone]
    out.append(body[start : members[0].begin] if members else body[start : start + 1])
    for number, place in enumerate(kept):
        member = members[place]
        if number:
            out.append(body[members[place - 1].end : member.begin])
        out.append(body[member.begin : member.value])
        _write(body, member, mine.get(place, []), depth + 1, out)
    for number, (key, value) in enumerate(added.items()):
        out.append((b"," if kept or number else b"") + dumps(key) + b":" + value)
    out.append(body[members[-1].end : end] if members else body[start + 1 : end])
    return end


def _write(body: bytes, member: _Member, edits: list[Edit], depth: int, out: list[bytes]) -> None:
    whole = [edit for edit in edits if len(edit.path) == depth and isinstance(edit, Set)]
    if whole:
        out.append(whole[-1].value)
    elif edits:
        _rewrite(body, member.value, edits, depth, out)
    else:
        out.append(body[member.value : member.end])


def _places(members: list[_Member], step: str | int, *, is_object: bool) -> list[int]:
    if is_object:
        return [place for place, member in enumerate(members) if member.key == step]
    if not isinstance(step, int) or not -len(members) <= step < len(members):
        return []
    return [step % len(members)]


def _members(body: bytes, start: int) -> tuple[list[_Member], int]:
    """List what the container at ``start`` holds, and say where it ends."""
    is_object = body[start : start + 1] == b"{"
    close = b"}" if is_object else b"]"
    members: list[_Member] = []
    at = _space(body, start + 1)
    if body[at : at + 1] == close:
        return members, at + 1
    while True:
        begin = at
        key: str | int = len(members)
        if is_object:
            quoted = _QUOTED.match(body, at)
            if quoted is None:
                raise SpliceError(f"no key at byte {at}")
            text = quoted[0]
            key = loads(text) if b"\\" in text else text[1:-1].decode("utf-8", "replace")
            at = _space(body, quoted.end())
            if body[at : at + 1] != b":":
                raise SpliceError(f"no colon at byte {at}")
            at = _space(body, at + 1)
        end = _value_end(body, at)
        members.append(_Member(key, begin, at, end))
        at = _space(body, end)
        mark = body[at : at + 1]
        if mark == close:
            return members, at + 1
        if mark != b",":
            raise SpliceError(f"no comma at byte {at}")
        at = _space(body, at + 1)


def _value_end(body: bytes, at: int) -> int:
    first = body[at : at + 1]
    if first == b'"':
        match = _QUOTED.match(body, at)
    elif first in (b"{", b"["):
        return _container_end(body, at)
    else:
        match = _SCALAR.match(body, at)
    if match is None:
        raise SpliceError(f"no value at byte {at}")
    return match.end()


def _container_end(body: bytes, at: int) -> int:
    depth = 0
    size = len(body)
    while at < size:
        mark = body[at]
        if mark in b"{[":
            depth += 1
        elif mark in b"}]":
            depth -= 1
            if not depth:
                return at + 1
        else:
            break
        match = _STEP.match(body, at + 1)
        at = match.end() if match else size
    raise SpliceError("the text ends inside a value")


def _space(body: bytes, at: int) -> int:
    match = _SPACE.match(body, at)
    return match.end() if match else at
