"""The folder in which every key of the language stands."""

from pydantic import BaseModel

from hyperroute.tables import merge, sections, source
from hyperroute.tables.load import load
from hyperroute.tables.report import Report
from hyperroute.tables.schema import Doc


def documents(value):
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from documents(getattr(value, name))
        for item in (value.__pydantic_extra__ or {}).values():
            yield from documents(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from documents(item)
    elif isinstance(value, list):
        for item in value:
            yield from documents(item)


def every_document(cls=Doc):
    for child in cls.__subclasses__():
        yield child
        yield from every_document(child)


def test_loads_without_a_warning(whole, plugins):
    assert load(whole, plugins=plugins, strict=True).warnings == ()


def test_every_key_of_the_language_stands_in_it(whole):
    report, reader = Report(), source.Reader()
    files = [source.Source(str(path), path.read_text("utf-8")) for path in whole.glob("*.yaml")]
    folder = merge.merge(report, [(file, reader.read(file)) for file in files])
    docs = [sections.understand(folder, section) for section in folder.sections]
    docs += [[case for _, case in sections.understand_tests(folder)]]
    used = {
        (base, name)
        for found in documents(docs)
        for base in type(found).__mro__
        for name in found.model_fields_set
    }

    missing = {
        f"{form.__name__}.{name}"
        for form in every_document()
        if form.__module__.startswith("hyperroute.tables.schema")
        for name in form.__annotations__
        if name in form.model_fields and name != "replace" and (form, name) not in used
    }

    assert missing == set()


def test_effective_facts_are_the_offers_own_else_inherited(whole, plugins):
    offers = load(whole, plugins=plugins).table.offers
    inherits, own = offers["vendor/large@north"], offers["vendor/large@south/batch"]

    assert (inherits.context, inherits.region, inherits.retain_ns) == (1_050_000, "eu-central", 0)
    assert inherits.trains is False
    assert inherits.sends == "vendor/large"
    assert (own.context, own.region, own.trains, own.does) == (200_000, "eu", True, {"tools"})
    assert own.retain_ns == 30 * 86_400_000_000_000
    assert own.tags == {"slow"}
    assert offers["middle@south"].region is None, "nobody said it, so it is unknown"


def test_aliases_of_aliases_are_followed(whole, plugins):
    table = load(whole, plugins=plugins).table

    assert table.aliases["helper"].to == "smart"
    assert table.aliases["any-small"].to == "small/7b", "a name that only a pattern has"
    assert table.patterns == ("small/*",)


def test_credentials_are_references_with_ids_of_their_own(whole, plugins):
    table = load(whole, plugins=plugins).table

    assert [(key.id, key.secret) for key in table.providers["north"].keys] == [
        ("north#0", "env:NORTH_1"),
        ("north#1", "file:/run/secrets/north"),
    ]
    assert table.providers["south"].keys == (), "no credential"
    assert table.providers["studio"].keys is None, "not said"


def test_the_shapes_short_forms_mean_what_the_long_ones_do(whole, plugins):
    shape = load(whole, plugins=plugins).table.services["film-1"].model.takes
    parameters = shape.parameters

    assert parameters["duration"].one_of == (5_000_000_000, 10_000_000_000, 15_000_000_000)
    assert parameters["duration"].default == 5_000_000_000
    assert parameters["resolution"].one_of == ("720p", "1080p")
    assert parameters["resolution"].pixels["1080p"] == (1920, 1080)
    assert parameters["aspect_ratio"].one_of == ("16:9",)
    assert parameters["aspect_ratio"].default == "16:9"
    assert (parameters["first_frame"].count.low, parameters["first_frame"].count.high) == (0, 1)
    assert parameters["seed"].refused
    assert parameters["negative_prompt"].ignored
    assert parameters["text"].required
    assert parameters["size"].area.low == 65_536
    assert parameters["size"].area.high == 4_000_000


def test_a_case_keeps_its_place_and_tells_facts_from_parameters(whole, plugins):
    case, second = load(whole, plugins=plugins).tests

    assert case.path.endswith("rules.yaml")
    assert (case.line, case.column) == (23, 5)
    assert case.given.facts == {"org.region": "eu", "org.tags": ("a", "b")}
    assert case.given.parameters == {"temperature": 0.5}
    assert (case.given.input, case.given.output) == (2000, 500)
    assert second.name == ""
