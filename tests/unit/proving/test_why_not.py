"""Each kind of change, where it is the least that is enough."""

from decimal import Decimal
from typing import Any

import pytest

from hyperroute.proving.tests import answers_of, request_of
from hyperroute.proving.whynot.answer import why_not
from hyperroute.routing.plan import plan
from hyperroute.tables.load import loads
from hyperroute.tables.testcases import Given

TABLE = """hyperroute: 1
providers:
  north: {plugin: simulated, region: us, retain: 0d}
  south: {plugin: simulated, region: eu}
models:
  alpha: {kind: chat, does: [tools], context: 32k, output: 4k, offers: [{at: north, price: {per: 1M tok, in: 1, out: 2}}, {at: south, price: {per: 1M tok, in: 2, out: 4}}]}
  beta: {kind: chat, does: [tools, vision], quality: {chat: 50}, tags: [new], context: 200k, output: 8k, offers: [{at: south, price: {per: 1M tok, in: 9, out: 9}}]}
  gamma: {kind: chat, does: [tools], context: 32k, output: 4k, endpoints: [chat], offers: [{at: north}]}
policies:
  eu: {for: {org.region: eu}, require: {region: eu}}
  poor: {for: {org.plan: free}, cap: {cost: 0.001 usd, in: 20k}}
  kept: {for: {org.plan: health}, require: {retain: 0d}}
intents:
  cheap: {kind: chat, rank: [cost], take: 2}
  good: {kind: chat, from: {quality.chat: ">= 60"}}
  both: {kind: chat, use: {first: [alpha]}}
  tagged: {kind: chat, require: {tags: [safe]}, rank: [cost]}
"""
CASES = [
    ("alpha@north", {"needs": ("vision",)}, "does", "request", "do not need vision"),
    ("alpha@north", {"input": 40_000}, "context", "request", "send 31000 tokens of input instead of 40000"),
    ("alpha@north", {"output": 6000}, "output", "request", "ask for 4000 tokens of output instead of 6000"),
    ("alpha@north", {"avoid": ("north",)}, "providers.avoid", "request", "do not avoid north"),
    ("alpha@north", {"only": ("south",)}, "providers.only", "request", "name north in providers.only"),
    ("alpha@north", {"max_cost": Decimal("0.001")}, "max_cost", "request", "allow max_cost of 0.003 usd instead of 0.001"),
    ("alpha@north", {"down": ("north",)}, "health", "world", "wait until provider north is no longer left alone"),
    ("alpha@north", {"facts": {"org.region": "eu"}}, "region", "offer", "let region of alpha@north be eu instead of us"),
    ("alpha@south", {"facts": {"org.plan": "health"}}, "retain", "offer", "let retain of alpha@south be 0 instead of unknown"),
    ("alpha@north", {"facts": {"org.plan": "free"}}, "cost", "offer", "let alpha@north cost 67% less: 0.00099 instead of 0.003 usd for this request"),
    ("alpha@north", {"facts": {"org.plan": "free"}, "input": 25_000}, "over_cap", None, None),
    ("beta@south", {"intent": "good"}, "intent", "offer", "let quality.chat of beta be 60 instead of 50"),
    ("beta@south", {"intent": "cheap"}, "take", "offer", "let beta@south cost 67% less: 0.00594 instead of 0.018 usd for this request"),
    ("gamma@north", {"intent": "cheap"}, "take", "offer", "give gamma@north the price of alpha@north"),
    ("beta@south", {"intent": "both"}, "intent", "term", "add beta@south to the end of intent both"),
    ("beta@south", {}, "model", None, None),
    ("alpha@north", {"intent": "tagged"}, "tags", "offer", "let alpha@north have safe in tags"),
    ("gamma@north", {"model": "gamma", "facts": {"req.endpoint": "messages"}}, "model", "request", "send it to the endpoint chat"),
]  # fmt: skip


def asked(text=TABLE, **measures):
    table = loads(text).table
    named = {} if {"intent", "model"} & set(measures) else {"model": "alpha"}
    base = {"input": 1000, "output": 1000, "parameters": {}, "facts": {}, "script": {}}
    case = Given(**{**base, **named, **measures})
    return plan(request_of(case, table), table=table, answers=answers_of(case))


@pytest.mark.parametrize(("offer", "measures", "requirement", "kind", "text"), CASES)
def test_the_requirement_and_the_least_change(offer, measures, requirement, kind, text):
    found: Any = why_not(asked(**measures), offer)
    assert found.place is None
    assert found.rejection.requirement == requirement
    if kind is None:
        assert found.change is None
        assert str(found).endswith("needs several")
    else:
        assert (found.change.kind, found.change.text) == (kind, text)


def test_of_the_first_candidate_nothing_has_to_change():
    found: Any = why_not(asked(), "alpha@north")
    assert (found.place, found.change) == (1, None)
    assert str(found) == "alpha@north is what will be tried first"
    assert found.to_json()["rejection"] is None


def test_of_a_later_candidate_it_says_what_would_make_it_the_first():
    found: Any = why_not(asked(intent="cheap"), "alpha@south")
    assert found.place == 2
    assert found.change.text.startswith("let alpha@south cost 51% less")


def test_an_offer_that_the_table_does_not_have_is_an_error():
    with pytest.raises(KeyError):
        why_not(asked(), "alpha@west")
