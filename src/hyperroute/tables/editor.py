"""The JSON Schema of the language, for editors: made of the very models that the loader reads with."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, create_model
from pydantic.json_schema import GenerateJsonSchema

from hyperroute.tables.merge import LANGUAGE
from hyperroute.tables.prices import builtin_meters
from hyperroute.tables.sections import FORMS
from hyperroute.tables.vocabulary import PARAMETERS

_INCLUDE: Any = {"type": "string", "pattern": "^(shipped|plugin:.+)$"}


class _Generator(GenerateJsonSchema):
    """Leaves out titles that only repeat the key, and ``null``, which is no value of the language."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Say no: editors show the key already."""
        del schema
        return False

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        """Show what is optional as what it is when it is there."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> dict[str, Any]:
        """Leave out the default of what is absent by default."""
        made = super().default_schema(schema)
        if "default" in made and made["default"] in (None, {}, []):
            del made["default"]
        return made


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema of one file of a table.

    It knows forms, not names: what only the whole folder can tell, the loader tells. Parameters and
    meters are proposed, and others allowed, because plugins may add them.
    """
    sections: dict[str, Any] = {
        section: (dict.__class_getitem__((str, form)), Field(default={}))
        for section, form in FORMS.items()
    }
    sections["tests"] = (list.__class_getitem__(FORMS["tests"]), Field(default=[]))
    top = create_model(
        "Table",
        __config__=ConfigDict(extra="forbid", strict=True),
        hyperroute=(int, Field(json_schema_extra={"const": LANGUAGE})),
        include=(list[str], Field(default=[], json_schema_extra={"items": _INCLUDE})),
        **sections,
    )
    schema = top.model_json_schema(schema_generator=_Generator)
    for name, words in (
        ("ShapeDoc", PARAMETERS),
        ("SheetDoc", builtin_meters()),
        ("TierDoc", builtin_meters()),
    ):
        known = schema["$defs"][name]
        proposed = dict.fromkeys(sorted(words), known["additionalProperties"])
        known["properties"] = {**known.get("properties", {}), **proposed}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": f"hyperroute routing table, version {LANGUAGE}",
    }
