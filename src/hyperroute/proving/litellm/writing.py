"""A table as YAML that people would have written: sections in block form, definitions in flow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

WIDTH = 120
"""Longer definitions are broken into one line a key."""

_PLAIN = re.compile(
    r"[A-Za-z_][\w.@/+-]*(?: [\w.%@/+-]+)*|\d+(?:\.\d+)?(?:s|ms|m|h|d|k|M|%)| ?\d{4}-\d\d-\d\d"
)
_URL = re.compile(r"(?:https?://[\w./-]+(?::\d+)?[\w./-]*|env:\w+)")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"})


def written(document: Mapping[str, Mapping[str, Any]], *, head: str = "") -> str:
    """Write a table; ``head`` is a comment on top."""
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    lines.append("hyperroute: 1")
    for section, definitions in document.items():
        lines.append(f"{section}:")
        for name, value in definitions.items():
            lines += _definition(name, value)
    return "\n".join(lines) + "\n"


def _definition(name: str, value: Any) -> Iterator[str]:
    whole = f"  {_text(name)}: {_flow(value)}"
    if len(whole) <= WIDTH or not isinstance(value, Mapping):
        yield whole
        return
    yield f"  {_text(name)}:"
    for key, item in value.items():
        if key == "offers" and isinstance(item, list) and item:
            yield f"    {key}:"
            yield from (f"      - {_flow(one)}" for one in item)
        else:
            yield f"    {_text(key)}: {_flow(item)}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if value is None:
        return "null"
    return str(value) if isinstance(value, int) else _text(str(value))


def _text(text: str) -> str:
    plain = _PLAIN.fullmatch(text) or _URL.fullmatch(text)
    return text if plain and text.casefold() not in _WORDS else json.dumps(text, ensure_ascii=False)
