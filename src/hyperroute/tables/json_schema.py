"""The grammar of the language as JSON Schema, for editors and for the reference.

It says less than the loader knows: names, facts and sums are judged there.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter

from hyperroute.tables.descriptions import MEANINGS
from hyperroute.tables.sections import FORMS

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
ABOUT: Final = {
    "providers": "Upstream accounts, by name.",
    "models": "Models by name, with their facts and offers.",
    "shapes": "Named shapes of requests.",
    "prices": "Named prices: a dated row, or a list of them.",
    "aliases": "Other names, each for a model or an intent.",
    "intents": "Capability buckets that a client names instead of a model.",
    "chains": "Named terms of the algebra.",
    "policies": "What must hold, what is capped, what each failure class means.",
    "limits": "Counters with a scope, and what happens beyond them.",
    "facts": "What the caller may tell about itself, beyond the built-in facts.",
    "tests": "A given and an expected each, run in virtual time.",
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of one file of a table."""
    keys = [(section, "validation", TypeAdapter(form)) for section, form in FORMS.items()]
    found, shared = TypeAdapter.json_schemas(keys, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    properties: dict[str, Any] = {
        "hyperroute": {"const": 1, "description": "Version of the language."},
        "include": {
            "type": "array",
            "items": {"type": "string", "pattern": "^(shipped|plugin:.+)$"},
            "description": "Tables to read before this one.",
        },
    }
    for section in FORMS:
        form = found[section, "validation"]
        properties[section] = {"description": ABOUT[section]} | (
            {"type": "array", "items": form}
            if section == "tests"
            else {"type": "object", "additionalProperties": form}
        )
    return {
        "$schema": DRAFT,
        "title": "hyperroute table",
        "type": "object",
        "properties": properties,
        "required": ["hyperroute"],
        "additionalProperties": False,
        "$defs": {name: _described(name, form) for name, form in shared.get("$defs", {}).items()},
    }


def _described(name: str, form: dict[str, Any]) -> dict[str, Any]:
    """Add the meaning of each key to a kind of map."""
    meanings = MEANINGS.get(name.removesuffix("Doc"), {})
    properties = {
        key: {**told, "description": meanings[key]} if key in meanings else told
        for key, told in form.get("properties", {}).items()
    }
    return {**form, "properties": properties} if properties else form
