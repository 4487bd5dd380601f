"""Two tables compared: every aspect is told, nothing is told of equal ones."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings

from hyperroute.errors import TableError
from hyperroute.proving.diff import ASPECTS, compare
from hyperroute.proving.diff_page import diff_page
from hyperroute.proving.representatives import representatives
from hyperroute.proving.traffic import recorded
from hyperroute.tables.load import loads
from hyperroute.testing.tables import render, tables

BASE = """hyperroute: 1
providers: {north: {plugin: simulated, region: us}, south: {plugin: simulated, region: eu}}
models:
  alpha:
    kind: chat
    does: [tools]
    context: 32k
    offers: [{at: north, price: {per: 1M tok, in: 1, out: 2}}, {at: south, price: {per: 1M tok, in: 3, out: 6}}]
aliases: {beta: alpha}
"""
CHANGES = [
    ("offer", "{at: north, price: {per: 1M tok, in: 1, out: 2}}", "{at: south, variant: x, price: {per: 1M tok, in: 1, out: 2}}"),
    ("price", "in: 1,", "in: 2,"),
    ("region", "region: eu", "region: us"),
    ("survivability", ", {at: south, price: {per: 1M tok, in: 3, out: 6}}", ""),
    ("fallback", "{at: south, price", "{at: south, variant: spot, price"),
    ("served", "context: 32k", "context: 1M"),
    ("served", "aliases: {beta: alpha}", ""),
    ("served", "does: [tools]", "does: []"),
]  # fmt: skip


def differing(old, new, needs=None):
    one, other = loads(old).table, loads(new).table
    return compare(one, other, representatives((one, other)) if needs is None else needs)


@pytest.mark.parametrize(("aspect", "old", "new"), CHANGES)
def test_every_aspect_is_found_from_either_side(aspect, old, new):
    assert old in BASE
    changed = BASE.replace(old, new)
    for found in (differing(BASE, changed), differing(changed, BASE)):
        assert found.changed
        assert aspect in found.by_aspect()
        assert sum(count for _, count in found.groups()) == found.changed


def test_the_aspects_of_a_comparison_are_in_their_order():
    found = differing(BASE, BASE.replace("context: 32k", "context: 8k"))
    assert list(found.by_aspect()) == [one for one in ASPECTS if one in found.by_aspect()]


@given(tables())
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
def test_a_table_does_not_differ_from_itself_nor_from_its_sections_in_another_order(table):
    text, turned = render(table), render(dict(reversed(table.items())))
    assert differing(text, turned).changed == 0


def test_recorded_needs_are_counted_and_cost(tmp_path):
    path = tmp_path / "day.jsonl"
    path.write_text(
        '{"model": "alpha", "in": 1000, "out": 500, "count": 10}\n\n'
        '{"asked": "beta", "stream": true, "usage": {"input_tokens": 2000, "output_tokens": 0}}\n'
    )
    new = loads(BASE.replace("in: 1,", "in: 2,")).table
    found = compare(loads(BASE).table, new, recorded(path, new))
    assert (found.asked, found.changed) == (11, 11)
    assert [f"{one:f}" for one in found.spent] == ["0.022", "0.034"]
    assert [one.need.given.model for one in found.differences] == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "Expecting"),
        ("[]", "expected an object"),
        ('{"in": 5}', "either a model or an intent"),
        ('{"model": "alpha", "cuont": 3}', "did you mean 'count'"),
        ('{"model": "alpha", "count": 0}', "from 1"),
        ('{"model": "alpha", "needs": "tools"}', "list of words"),
        ('{"model": "alpha", "in": "many"}', "size"),
    ],
)
def test_a_line_that_is_no_need_is_an_error_at_its_place(tmp_path, line, said):
    path = tmp_path / "day.jsonl"
    path.write_text(f'{{"model": "alpha"}}\n{line}\n')
    with pytest.raises(TableError, match=said) as caught:
        list(recorded(path, loads(BASE).table))
    assert caught.value.problems[0].line == 2


def test_the_page_loads_nothing_and_escapes_names():
    found = differing(BASE, BASE.replace("in: 1,", "in: 2,"))
    text = diff_page(found, "<old>", "new&co")
    assert "&lt;old&gt; against new&amp;co" in text
    assert not re.search(r"(src|href)=|@import|url\(|<script", text)
    assert 'name="viewport"' in text
    assert text.count("<details>") == len(found.groups())


def test_the_json_form_is_json():
    document = differing(BASE, BASE.replace("in: 1,", "in: 2,")).to_json()
    assert json.loads(json.dumps(document))["changed"] == document["changed"]
    assert document["differences"][0]["before"]["offers"][0] == "alpha@north"


@pytest.mark.parametrize("name", ["alpha", "beta", "wild/any", "smart"])
def test_a_name_is_asked_on_either_side_of_its_windows(name):
    more = "intents: {smart: {kind: chat, rank: [cost]}}\n"
    wild = BASE.replace(
        "aliases:", "  wild/*: {kind: chat, context: 32k, offers: [{at: north}]}\naliases:"
    )
    sizes = {
        need.given.input
        for need in representatives([loads(wild + more).table])
        if need.name == name
    }
    assert {30_999, 31_000, 31_001} <= sizes
