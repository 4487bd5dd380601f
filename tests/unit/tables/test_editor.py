"""The JSON Schema that editors use."""

from hyperroute.tables.editor import json_schema
from hyperroute.tables.merge import SECTIONS


def walk(value):
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def test_has_every_section_and_no_other_key():
    schema = json_schema()

    assert list(schema["properties"]) == ["hyperroute", "include", *SECTIONS, "tests"]
    assert schema["required"] == ["hyperroute"]
    assert schema["additionalProperties"] is False


def test_is_closed_but_for_what_plugins_may_add():
    open_ones = {
        name
        for name, form in json_schema()["$defs"].items()
        if form.get("additionalProperties") is not False
    }

    assert open_ones == {"GivenDoc", "SheetDoc", "ShapeDoc", "TierDoc"}


def test_uses_the_words_of_the_language_not_of_its_models():
    schema = json_schema()
    models = schema["$defs"]

    assert "from" in models["IntentDoc"]["properties"]
    assert "for" in models["PolicyDoc"]["properties"]
    assert "else" in models["ParameterDoc"]["properties"]
    assert "in.cached" in models["SheetDoc"]["properties"]
    assert "aspect_ratio" in models["ShapeDoc"]["properties"]
    assert all(form.get("type") != "null" for form in walk(schema)), "nothing is no value"


def test_every_reference_leads_somewhere():
    schema = json_schema()

    for form in walk(schema):
        if "$ref" in form:
            assert form["$ref"].removeprefix("#/$defs/") in schema["$defs"]


def test_every_part_of_the_language_is_described():
    assert [n for n, form in json_schema()["$defs"].items() if not form.get("description")] == []
