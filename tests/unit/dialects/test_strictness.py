"""The strict subset that all vendors share."""

from typing import Any

import pytest

from hyperroute.dialects.strictness import in_strict_subset

CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": ["string", "null"], "enum": ["x", None]}},
    "required": ["a"],
    "additionalProperties": False,
}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    "schema", [CLOSED, {"type": "array", "items": CLOSED}, {"anyOf": [CLOSED]}]
)
def test_closed_schemas_are_in(schema):
    assert in_strict_subset(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {**CLOSED, "additionalProperties": True},
        {**CLOSED, "required": []},
        {**CLOSED, "properties": {"a": {"type": "string", "maxLength": 3}}},
        {**CLOSED, "properties": ["a"]},
        {"oneOf": [CLOSED]},
        {"anyOf": [CLOSED, {"type": "object"}]},
        True,
        nested(11),
    ],
)
def test_all_others_are_out(schema):
    assert not in_strict_subset(schema)
