r"""A stranger's JSON body, read strictly: what two readers could understand differently is refused.

We route and bill by what we read, and pass the bytes on to somebody who reads them again. So beside
what no reader takes (bad UTF-8, ``NaN``, lone surrogates, rests), a body is refused for a name that
one object has twice, for nesting, names and digits beyond any honest need (reliability.md, 6).

The price is kept near that of reading. orjson keeps the last of two equal names, so what it read is
written again: bytes that come out as they went in had each name once and no endless number. Where
they differ only in taste (spaces, ``\u00e9``, ``1.50``), the quotes of both are counted, because a
lost member takes at least two with it; only a body that spells its quotes ``\u0022`` is read a
second time by the standard library, which shows every pair. Faults are described by slow, linear
code that honest bodies never meet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from json import JSONDecoder
from math import isfinite
from typing import Any, Final, NoReturn

from hyperroute.dialects import json
from hyperroute.dialects.reading import at
from hyperroute.errors import ClientWireError

POINTER_MAX: Final = 200
"""How much of a pointer is told: names may be megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a body may have.

    Attributes:
        depth: Levels of nesting.
        keys: Names of one object.
        names: Names in all its objects. An agent's body has 6,000 to 9,000 of them in a megabyte,
            most in tool calls and schemas, and comes with several (clients.md, 29).
        digits: Digits of one number.
    """

    depth: int = 64
    keys: int = 10_000
    names: int = 200_000
    digits: int = 64


BOUNDS: Final = Bounds()

_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|([0-9][0-9.eE+-]*+)', re.DOTALL)
_DIGITS: Final = b"0123456789"
_BLURRED: Final = bytes(0x30 if chr(byte) in "0123456789" else 0x20 for byte in range(256))
"""Makes every digit a nought and all else a space, so that a run of digits is a plain search."""


@dataclass(slots=True)
class _Twice:
    """Stands where an object was that has a name twice."""

    name: str


def read_object(body: bytes, *, bounds: Bounds = BOUNDS) -> dict[str, Any]:
    """Read the one JSON object that a request body must be.

    Args:
        body: As it came, its size already limited.
        bounds: What it may have.

    Raises:
        ClientWireError: It is none, or one that another reader might read differently; the message
            names the byte, or ``pointer`` the member.
    """
    if not json.FAST:
        return standard_read_object(body, bounds=bounds)
    try:
        document = json.loads(body)
    except ValueError as error:
        _refuse_syntax(body, error, bounds)
    _check_shape(document, bounds)
    written = json.dumps(document)
    if written != body:
        if b"u0022" in body or written.count(b'"') != body.count(b'"'):
            _check_names(body, bounds)
        _check_digits(body, bounds)
    found: dict[str, Any] = document
    return found


def standard_read_object(body: bytes, *, bounds: Bounds = BOUNDS) -> dict[str, Any]:
    """Read with the standard library, under the same rules as ``read_object``.

    Raises:
        ClientWireError: As ``read_object``.
    """
    _check_digits(body, bounds)
    pairs = _Pairs(bounds)
    try:
        text = body.decode("utf-8")
        document = _decoder(pairs).decode(text)
    except RecursionError:
        raise _too_deep(bounds, "") from None
    except ValueError as error:
        _refuse_syntax(body, error, bounds)
    if pairs.twice:
        raise _doubled(document, pairs)
    _check_shape(document, bounds)
    if r"\u" in text:
        try:
            json.standard_dumps(document)
        except ValueError as error:
            _refuse_syntax(body, error, bounds)
    found: dict[str, Any] = document
    return found


class _Pairs:
    """Makes objects of pairs, and keeps note of names that come twice; counts no further than needed."""

    def __init__(self, bounds: Bounds) -> None:
        self.twice: list[_Twice] = []
        self._names = 0
        self._bounds = bounds

    def __call__(self, pairs: list[tuple[str, Any]]) -> object:
        made = dict(pairs)
        self._names += len(pairs)
        _check_number(self._names, len(pairs), self._bounds)
        if len(made) == len(pairs):
            return made
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                self.twice.append(_Twice(name))
                return self.twice[-1]
            seen.add(name)
        raise AssertionError("a dict is shorter than its pairs for equal names only")


def _decoder(pairs: Callable[[list[tuple[str, Any]]], object]) -> JSONDecoder:
    return JSONDecoder(object_pairs_hook=pairs, parse_float=_finite, parse_constant=_no_constant)


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError("a number is beyond any double")
    return value


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _check_shape(document: Any, bounds: Bounds) -> None:
    """Count levels and names, one level at a time, for a walk in Python costs by the step."""
    if type(document) is not dict:
        raise ClientWireError("the body must be a JSON object")
    level: list[Any] = [document]
    depth = names = 0
    while level:
        depth += 1
        if depth > bounds.depth:
            raise _too_deep(bounds, _place(document, lambda _, deep: deep > bounds.depth))
        keys = [len(one) for one in level if type(one) is dict]
        names += sum(keys)
        _check_number(names, max(keys, default=0), bounds)
        level = [
            inner
            for one in level
            for inner in (one.values() if type(one) is dict else one)
            if type(inner) is dict or type(inner) is list
        ]


def _check_number(names: int, keys: int, bounds: Bounds) -> None:
    if keys > bounds.keys:
        raise ClientWireError(f"an object of the body has more than {bounds.keys} names")
    if names > bounds.names:
        raise ClientWireError(f"the body has more than {bounds.names} names in its objects")


def _check_names(body: bytes, bounds: Bounds) -> None:
    pairs = _Pairs(bounds)
    document = _decoder(pairs).decode(body.decode("utf-8"))
    if pairs.twice:
        raise _doubled(document, pairs)


def _check_digits(body: bytes, bounds: Bounds) -> None:
    """Look for a number that is too long; what looks like one within a string is none."""
    # Of more digits than the bound, a third stand together: before the point, behind it, or in the
    # exponent.
    if b"0" * (bounds.digits // 3 + 1) not in body.translate(_BLURRED):
        return
    for token in _TOKEN.finditer(body):
        number = token[1]
        if number is None or len(number) <= bounds.digits:
            continue
        digits = len(number) - len(number.translate(None, _DIGITS))
        if digits > bounds.digits:
            raise ClientWireError(
                f"a number of {digits} digits at byte {token.start()}; at most {bounds.digits} are read"
            )


def _refuse_syntax(body: bytes, error: ValueError, bounds: Bounds) -> NoReturn:
    """Say what no reader takes, and where, in bytes: the body itself is never quoted.

    Raises:
        ClientWireError: Always.
    """
    if not body.strip(b" \t\r\n"):
        raise ClientWireError("the body is empty: send a JSON object") from None
    if body.startswith(b"\xef\xbb\xbf"):
        raise ClientWireError("the body begins with a byte order mark; JSON has none") from None
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise ClientWireError(f"the body is not UTF-8 at byte {wrong.start}") from None
    said = getattr(error, "msg", None) or "a lone surrogate, which is no text"
    if "depth limit" in said or "recursion" in said.lower():
        raise _too_deep(bounds, "") from None
    position = getattr(error, "pos", None)
    if position is None:
        said = said if isinstance(error, UnicodeError) else str(error)
        raise ClientWireError(f"the body is not JSON: {said}") from None
    offset = len(text[:position].encode())
    raise ClientWireError(f"the body is not JSON: {said}, at byte {offset}") from None


def _doubled(document: Any, pairs: _Pairs) -> ClientWireError:
    # The last is there for certain: an object around it that were replaced would come later.
    twice = pairs.twice[-1]
    where = at(_place(document, lambda value, _: value is twice), twice.name)
    return ClientWireError("this name is there twice in one object", pointer=where[:POINTER_MAX])


def _too_deep(bounds: Bounds, where: str) -> ClientWireError:
    return ClientWireError(f"must not nest deeper than {bounds.depth} levels", pointer=where)


_Link = tuple["_Link", str | int] | None


def _place(document: Any, wanted: Callable[[Any, int], bool]) -> str:
    """Find a value and return the pointer to it, as much of it as is told."""
    todo: list[tuple[Any, int, _Link]] = [(document, 1, None)]
    while todo:
        value, depth, link = todo.pop()
        if isinstance(value, dict | list | _Twice) and wanted(value, depth):
            return _pointer(link)
        if isinstance(value, dict):
            todo.extend((inner, depth + 1, (link, name)) for name, inner in value.items())
        elif isinstance(value, list):
            todo.extend((inner, depth + 1, (link, index)) for index, inner in enumerate(value))
    raise AssertionError("it was there a moment ago")


def _pointer(link: _Link) -> str:
    steps: list[str | int] = []
    while link is not None:
        link, step = link
        steps.append(step)
    return at("", *reversed(steps))[:POINTER_MAX]


__all__ = ["BOUNDS", "Bounds", "read_object", "standard_read_object"]
