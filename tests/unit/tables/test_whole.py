"""The folder in which every key of the language stands."""

from decimal import Decimal

from pydantic import BaseModel

from hyperroute.catalog.shape import Parameter, Range
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
    folder = merge.merge(report, [(file, reader.read(file) or {}) for file in files])
    docs: list[object] = [
        sections.understand(folder, section, sections.extras(None)) for section in folder.sections
    ]
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
    assert (own.context, own.region, own.trains) == (200_000, "eu", True)
    assert own.does == {"tools"}
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

    assert [(key.id, key.secret) for key in table.providers["north"].keys or ()] == [
        ("north#0", "env:NORTH_1"),
        ("north#1", "file:/run/secrets/north"),
    ]
    assert table.providers["south"].keys == (), "no credential"
    assert table.providers["studio"].keys is None, "not said"


def test_the_shapes_short_forms_mean_what_the_long_ones_do(whole, plugins):
    shape = load(whole, plugins=plugins).table.services["film-1"].model.takes
    assert shape is not None
    named = shape.parameters

    assert named["duration"] == Parameter(
        name="duration",
        one_of=(5_000_000_000, 10_000_000_000, 15_000_000_000),
        default=5_000_000_000,
    )
    assert named["resolution"] == Parameter(
        name="resolution",
        one_of=("720p", "1080p"),
        pixels={"720p": (1280, 720), "1080p": (1920, 1080)},
        default="720p",
    )
    assert named["aspect_ratio"] == Parameter(name="aspect_ratio", one_of=("16:9",), default="16:9")
    assert named["first_frame"] == Parameter(name="first_frame", count=Range(0, 1))
    assert named["seed"] == Parameter(name="seed", refused=True)
    assert named["negative_prompt"] == Parameter(name="negative_prompt", ignored=True)
    assert named["text"] == Parameter(name="text", required=True)
    assert named["size"] == Parameter(name="size", area=Range(65_536, 4_000_000))
    assert named["cfg_scale"] == Parameter(name="cfg_scale", range=Range(0, Decimal("1.5")))
    assert named["voice"] == Parameter(name="voice", one_of=("alloy", "echo"))


def test_a_case_keeps_its_place_and_tells_facts_from_parameters(whole, plugins):
    case, second = load(whole, plugins=plugins).tests

    assert case.path.endswith("rules.yaml")
    assert (case.line, case.column) == (23, 5)
    assert case.given.facts == {"org.region": "eu", "org.tags": ("a", "b")}
    assert case.given.parameters == {"temperature": 0.5}
    assert (case.given.input, case.given.output) == (2000, 500)
    assert second.name == ""
