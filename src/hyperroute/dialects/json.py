"""JSON in and out, one way everywhere: orjson where it is installed, else the standard library.

Both readers agree on what matters (a property test holds them side by side): UTF-8 only, the last of
duplicate keys wins, ``NaN`` and ``Infinity`` are refused, lone surrogates are refused because no
writer could send them on, and any fault is a ``ValueError``. They may differ on integers beyond 64
bits, which orjson reads as floats. What is not finite is written as ``null``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

_orjson: Any
try:
    _orjson = import_module("orjson")
except ImportError:  # pragma: no cover - the standard library serves
    _orjson = None

FAST: Final = _orjson is not None
"""Whether orjson reads and writes here."""


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _finite(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value


def standard_loads(data: bytes | str) -> Any:
    """Read with the standard library, under the same rules as ``loads``.

    Raises:
        ValueError: It is not JSON, or not UTF-8.
    """
    text = data if isinstance(data, str) else data.decode("utf-8")
    try:
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("JSON is nested too deep") from None
    return value


def standard_dumps(value: object) -> bytes:
    """Write with the standard library, under the same rules as ``dumps``.

    Raises:
        ValueError: Something in it is not JSON.
    """
    try:
        text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), default=_plain)
        return text.encode("utf-8")
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def loads(data: bytes | str) -> Any:
    """Read one JSON value.

    Raises:
        ValueError: It is not JSON, or not UTF-8.
    """
    if _orjson is None:
        return standard_loads(data)
    return _orjson.loads(data)


def dumps(value: object) -> bytes:
    """Write a value compactly, as UTF-8.

    Raises:
        ValueError: Something in it is not JSON.
    """
    if _orjson is None:
        return standard_dumps(value)
    try:
        written: bytes = _orjson.dumps(value, default=_plain)
    except TypeError:  # integers beyond 64 bits, which the standard library can write
        return standard_dumps(value)
    return written
