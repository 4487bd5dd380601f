"""Whether a JSON Schema may be called strict (dialects.md, 3.4).

The vendors' strict subsets differ; this one lies within all of them: every object closed, every
property required, and no keyword that narrows a value beyond its type. A schema outside it is sent
without ``strict``, because a 400 would be worse than a loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEYWORDS = frozenset(
    {
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "anyOf",
        "enum",
        "const",
        "description",
        "title",
        "$defs",
        "definitions",
        "$ref",
        "default",
    }
)
_DEPTH_MAX = 10


def in_strict_subset(schema: Any, depth: int = 0) -> bool:
    """Tell whether ``strict`` can be kept for this schema."""
    if not isinstance(schema, Mapping) or depth > _DEPTH_MAX or not _KEYWORDS.issuperset(schema):
        return False
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        required = schema.get("required") or ()
        if schema.get("additionalProperties") is not False:
            return False
        if not isinstance(properties, Mapping) or not isinstance(required, list | tuple):
            return False
        if any(name not in required for name in properties):
            return False
    return all(in_strict_subset(inner, depth + 1) for inner in _inner(schema))


def _inner(schema: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for key in ("properties", "$defs", "definitions"):
        if isinstance(named := schema.get(key), Mapping):
            found.extend(named.values())
    if isinstance(options := schema.get("anyOf"), list | tuple):
        found.extend(options)
    if "items" in schema:
        found.append(schema["items"])
    return found
