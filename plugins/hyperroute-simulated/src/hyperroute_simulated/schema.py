"""The smallest document that a JSON Schema accepts, as far as plain schemas go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

DEPTH_MAX: Final = 16
"""Schemas refer to themselves; deeper than this everything is null."""


def smallest(
    schema: Mapping[str, Any], *, root: Mapping[str, Any] | None = None, depth: int = 0
) -> Any:
    """Build a document: required members only, the first of any choice, the least of any range.

    Total: what is not understood is ``"simulated"`` for texts and ``null`` otherwise.
    """
    root = schema if root is None else root
    if depth > DEPTH_MAX:
        return None
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if isinstance(target := schema.get("$ref"), str):
        return smallest(_resolved(target, root), root=root, depth=depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(options := schema.get(key), list | tuple) and options:
            first = options[0] if isinstance(options[0], Mapping) else {}
            return smallest(first, root=root, depth=depth + 1)
    return _plain(schema, root, depth)


def _plain(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list | tuple):
        kind = kind[0] if kind else None
    match kind.lower() if isinstance(kind, str) else kind:
        case "string":
            return "simulated".ljust(_least(schema, "minLength"), ".")[: _most(schema, "maxLength")]
        case "integer" | "number":
            return _least(schema, "minimum", "exclusiveMinimum")
        case "boolean":
            return True
        case "array":
            items = schema.get("items")
            inner = items if isinstance(items, Mapping) else {}
            count = min(_least(schema, "minItems"), DEPTH_MAX)
            return [smallest(inner, root=root, depth=depth + 1) for _ in range(count)]
        case "null":
            return None
        case _:
            return _object(schema, root, depth)


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    members = schema.get("properties")
    members = members if isinstance(members, Mapping) else {}
    required = schema.get("required")
    names = required if isinstance(required, list | tuple) else ()
    return {
        str(name): smallest(
            member if isinstance(member := members.get(name), Mapping) else {"type": "string"},
            root=root,
            depth=depth + 1,
        )
        for name in names
    }


def _least(schema: Mapping[str, Any], *keys: str) -> int:
    # An exclusive bound is one away; a whole number is right for both kinds of numbers.
    found = [int(schema[key]) + (key != keys[0]) for key in keys if _number(schema.get(key))]
    return max(found, default=0 if keys[0] != "minimum" else 1)


def _most(schema: Mapping[str, Any], key: str) -> int | None:
    return int(schema[key]) if _number(schema.get(key)) else None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6


def _resolved(target: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    place: Any = root
    for step in target.removeprefix("#/").split("/") if target.startswith("#/") else ():
        place = place.get(step) if isinstance(place, Mapping) else None
    return place if isinstance(place, Mapping) and place is not root else {}


__all__ = ["DEPTH_MAX", "smallest"]
