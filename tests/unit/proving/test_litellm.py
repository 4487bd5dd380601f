"""A LiteLLM configuration becomes a table that loads; no key of it is left without a word.

Golden files lie beside the configurations; ``HYPERROUTE_WRITE=1`` writes them anew, to be read.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from hyperroute.errors import TableError
from hyperroute.plugins.registry import discover
from hyperroute.plugins.words import words_of
from hyperroute.proving.litellm import facts, settings
from hyperroute.proving.litellm.catalogue import shipped
from hyperroute.proving.litellm.reading import read
from hyperroute.proving.tests import answers_of, request_of
from hyperroute.routing.plan import plan
from hyperroute.tables.load import loads
from hyperroute.tables.source import Reader
from hyperroute.tables.testcases import Given

FOLDER = Path(__file__).parents[2] / "fixtures" / "litellm"
CONFIGS = sorted(path for path in FOLDER.glob("*.yaml") if not path.stem.endswith(".table"))
WORDS = words_of(discover())
CATALOGUE = shipped()


def imported(name):
    path = FOLDER / f"{name}.yaml"
    return read(path.name, path.read_bytes(), CATALOGUE, WORDS)


def told(made):
    return "".join(f"{line}\n" for line in made.report.lines)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_table_and_the_report_are_as_they_were_read_and_found_good(path):
    made = imported(path.stem)
    golden = (FOLDER / f"{path.stem}.table.yaml", FOLDER / f"{path.stem}.report.txt")
    if os.environ.get("HYPERROUTE_WRITE"):
        golden[0].write_text(made.table, "utf-8")
        golden[1].write_text(told(made), "utf-8")
    assert made.table == golden[0].read_text("utf-8")
    assert told(made) == golden[1].read_text("utf-8")


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for at, item in enumerate(value):
            yield from leaves(item, (*path, at))
    else:
        yield path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_key_has_a_line_of_the_report(path):
    """A line about a key speaks for all below it, and one about a deployment for its parts."""
    taken: Any = Reader().take(path.name, path.read_bytes(), own=True)
    source, top = taken
    lines = {(line.line, line.column) for line in imported(path.stem).report.lines}
    for leaf in leaves(top):
        places = {source.place(leaf[: end + 1], key=True) for end in range(len(leaf))}
        assert places & lines, f"nothing is said of {leaf}"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_no_secret_is_repeated(path):
    made = imported(path.stem)
    assert "planted" not in made.table + told(made)


def order(made, name, **given):
    table = loads(made.table, plugins=WORDS).table
    word = "intent" if name in table.intents else "model"
    case = Given(
        **{word: name, "input": 1000, "output": 100, "parameters": {}, "facts": {}, "script": {}}
        | given
    )
    found = plan(request_of(case, table), table=table, answers=answers_of(case))
    return [candidate.offer.provider for candidate in found.candidates]


def test_fallbacks_are_tried_in_their_order_dear_or_not():
    made = imported("fallbacks")
    assert order(made, "small") == ["openai", "anthropic", "openai"]
    assert order(made, "dear") == ["anthropic", "anthropic", "openai"]


def test_a_request_beyond_the_window_goes_to_the_larger_model():
    made = imported("windows-and-policies")
    table = loads(made.table, plugins=WORDS).table
    case = Given(intent="short", input=300_000, output=100, parameters={}, facts={}, script={})
    found = plan(request_of(case, table), table=table, answers=answers_of(case))
    assert [one.sends for one in found.candidates] == ["claude-sonnet-4-6"]


def test_orders_go_before_weights():
    made = imported("orders-and-weights")
    found = order(made, "writer")
    assert set(found[:2]) == {"openai", "openai-2"}
    assert found[2:] == ["openrouter", "azure"]


def test_weights_are_shares_of_the_traffic():
    made = imported("azure-weights")
    table = loads(made.table, plugins=WORDS).table
    split: Any = table.services["mini"].use
    assert sorted(str(arm.share) for arm in split.arms) == ["0.01", "0.09", "0.9"]


def test_what_is_no_configuration_is_an_error_with_its_place():
    for data, said in (
        (b"- a\n", "a table is a map"),
        (b"hyperroute: 1\n", "no model_list"),
        (b"model_list: [\n", "not YAML"),
        (b"model_list: []\nmodel_list: []\n", "a second time"),
    ):
        with pytest.raises(TableError, match=said):
            read("c.yaml", data, CATALOGUE, WORDS)


def test_an_alias_of_a_client_keeps_its_name():
    made = imported("aliases-and-defaults")
    assert order(made, "gpt-4") == ["deepseek", "groq"]


def test_the_reference_names_every_key_that_is_understood():
    text = (Path(__file__).parents[3] / "docs" / "reference" / "litellm.md").read_text("utf-8")
    named = {*settings.ERRORS, *settings.FRUITLESS, *settings.ELSEWHERE}
    read_here = {*facts.RATES, *facts.SUPPORTS, *named}
    asked = {key for path in CONFIGS for key in understood(path)}
    assert len(asked) > 30
    for key in sorted(read_here | asked):
        assert f"`{key}`" in text, key


def understood(path):
    for line in imported(path.stem).report.lines:
        *_, key = line.key.split(".")
        section = line.key.split(".")[0]
        if section in ("model_list", "router_settings") and line.verdict in ("exact", "adapted"):
            yield line.key.split(".")[1] if section == "router_settings" else key
