"""Strangers' JSON, read with types: every surprise is an error with a pointer, never a ``KeyError``.

``null`` reads as absent. Where the two differ for a dialect it looks at the member itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hyperroute.dialects import json
from hyperroute.errors import ClientWireError

Object = Mapping[str, Any]


def at(where: str, *steps: str | int) -> str:
    """Extend a JSON pointer (RFC 6901)."""
    for step in steps:
        where += "/" + (
            str(step) if isinstance(step, int) else step.replace("~", "~0").replace("/", "~1")
        )
    return where


def wrong(what: str, where: str) -> ClientWireError:
    """Build the error for a member that must be something else."""
    return ClientWireError(f"must be {what}", pointer=where)


def as_object(value: Any, where: str) -> Object:
    """Take a value as an object.

    Raises:
        ClientWireError: It is none.
    """
    if isinstance(value, Mapping):
        return value
    raise wrong("an object", where)


def text(obj: Object, key: str, where: str) -> str | None:
    """Read a string member.

    Raises:
        ClientWireError: It is no string.
    """
    value = obj.get(key)
    if value is None or isinstance(value, str):
        return value
    raise wrong("a string", at(where, key))


def need_text(obj: Object, key: str, where: str) -> str:
    """Read a string member that must be there.

    Raises:
        ClientWireError: It is absent or no string.
    """
    value = obj.get(key)
    if isinstance(value, str):
        return value
    raise wrong("a string", at(where, key))


def flag(obj: Object, key: str, where: str) -> bool | None:
    """Read a boolean member.

    Raises:
        ClientWireError: It is no boolean.
    """
    value = obj.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise wrong("true or false", at(where, key))


def number(obj: Object, key: str, where: str) -> float | None:
    """Read a finite number, an integer left as it is.

    Raises:
        ClientWireError: It is no number.
    """
    value = obj.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise wrong("a number", at(where, key))
    return value


def integer(obj: Object, key: str, where: str) -> int | None:
    """Read an integer; ``5.0`` is one in JSON.

    Raises:
        ClientWireError: It is no integer.
    """
    value = obj.get(key)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("an integer", at(where, key))
    return value


def member(obj: Object, key: str, where: str) -> Object | None:
    """Read an object member.

    Raises:
        ClientWireError: It is no object.
    """
    value = obj.get(key)
    return None if value is None else as_object(value, at(where, key))


def items(obj: Object, key: str, where: str) -> Sequence[Any]:
    """Read a list member; absent is empty.

    Raises:
        ClientWireError: It is no list.
    """
    value = obj.get(key)
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return value
    raise wrong("a list", at(where, key))


def texts(obj: Object, key: str, where: str) -> tuple[str, ...] | None:
    """Read a list of strings; absent is ``None``, empty is empty.

    Raises:
        ClientWireError: It is no list of strings.
    """
    if obj.get(key) is None:
        return None
    found = items(obj, key, where)
    for index, value in enumerate(found):
        if not isinstance(value, str):
            raise wrong("a string", at(where, key, index))
    return tuple(found)


def measured(raw: Object, body: bytes | None) -> int:
    """Count the bytes of a request, which bound its tokens; a mapping's as it would be sent.

    Raises:
        ClientWireError: The mapping holds something that is not JSON.
    """
    if body is not None:
        return len(body)
    try:
        return len(json.dumps(raw))
    except ValueError as error:
        raise ClientWireError(f"the request is not JSON: {error}") from error


def count(value: Any) -> int | None:
    """Take a provider's token count, whatever it is: negative is 0, nonsense is unknown.

    Source: reliability.md, row 70.
    """
    if value is None or value.__class__ is int:
        return value if value is None or value > 0 else 0
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value)
    return max(value, 0) if isinstance(value, int) else None
