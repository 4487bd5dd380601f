import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hyperroute.canon.failure import FailureClass
from hyperroute.catalog.shape import Parameter, Shape
from hyperroute.routing.capsule import packed, unpacked
from hyperroute.routing.explain import canonical
from hyperroute.routing.plan import plan, replan
from hyperroute.routing.questions import Answers
from hyperroute.routing.table import Alias, Cap, Instead, ModelTerm, Policy
from hyperroute.testing import handmade
from hyperroute.testing.handmade import offer, price, service

TABLE = handmade.table(
    service(
        "a",
        offer("a", "p", price(3_000_000, 15_000_000)),
        offer("a", "q", price(2_500_000, 5_000_000), region="eu"),
        instead=[Instead(ModelTerm("b"), frozenset({FailureClass.CONTEXT_LENGTH}))],
    ),
    service("b", offer("b", "p", price(1, 1))),
    aliases={"old": Alias(name="old", to="a")},
    intents={"cheap": handmade.intent("cheap", "ab", take=1)},
)


def test_an_explanation_tells_the_order_the_prices_and_the_reasons():
    made = plan(
        handmade.request("old", input_bytes=400, max_output=10),
        table=TABLE,
        answers=Answers(blocked={"provider:q": 2_000_000}),
    )
    assert made.explain().splitlines() == [
        "a (through old): pinned model, 100 tokens of input estimated",
        "  1. a@p: about 0.00045 usd, at most 0.00135 usd",
        "  2. b@p: about 0.00000000011 usd, at most 0.00000000041 usd, only after context_length",
        "  at most 4 attempts within 300 s",
        "not used:",
        "  a@q: health needs closed circuit, has provider left alone for another 2 ms",
    ]


def test_a_refusal_is_explained():
    told = plan(handmade.request("a", features=frozenset({"pdf"})), table=TABLE).explain()
    assert "refused: 400 no_candidate" in told
    assert "a@p: does needs pdf, has none (the request)" in told
    assert plan(handmade.request(), table=TABLE).explain().startswith("no model and no intent")
    unknown = plan(handmade.request("zzzzzz"), table=TABLE)
    assert unknown.refusal is not None
    assert f"  {unknown.refusal.message}" in unknown.explain().splitlines()


def test_many_rejections_are_counted_for_people_and_listed_for_machines():
    names = [f"m{at:03}" for at in range(60)]
    table = handmade.table(
        *(service(name, offer(name, "p")) for name in names),
        intents={"i": handmade.intent("i", names, take=1)},
    )
    made = plan(handmade.request(intent="i"), table=table)
    assert made.explain().splitlines()[-1] == "  and 19 more"
    assert len(made.to_json()["rejections"]) == 59
    assert made.rejections[0].by == "intent i takes 1"


def test_the_json_form_has_money_as_exact_text_and_no_prompt():
    shape = Shape(parameters={"prompt": Parameter(name="prompt", max_chars=99)})
    table = handmade.table(
        service("pic", offer("pic", "p", kind="image", fields={"prompt": "text"}), takes=shape)
    )
    request = handmade.request(
        "pic",
        kind="image",
        endpoint="images",
        parameters={"prompt": "a secret wish", "images": ["data:,secret"]},
    )
    made = plan(request, table=table)
    assert made.candidates[0].parameters["text"] == "a secret wish"
    for data in (canonical(made), made.capsule()):
        assert b"secret" not in data
    assert canonical(replan(made.capsule(), table)) == canonical(made)
    priced = plan(handmade.request("a", input_bytes=4, max_output=1), table=TABLE).to_json()
    assert priced["candidates"][0]["expected_usd"] == "0.000018"
    assert json.loads(canonical(made)) == json.loads(json.dumps(made.to_json()))


def test_a_capsule_belongs_to_its_table():
    data = plan(handmade.request("a"), table=TABLE).capsule()
    assert replan(data, TABLE).name == "a"
    with pytest.raises(ValueError, match="belongs to table"):
        replan(data, replace(TABLE, digest="another"))
    with pytest.raises(ValueError, match="no capsule"):
        replan(b"[]", TABLE)
    with pytest.raises(ValueError, match="version 4"):
        replan(data.replace(b'"capsule":3', b'"capsule":4'), TABLE)


def test_facts_survive_being_packed():
    value = {"a": Decimal("1.50"), "b": ("x", 1), "c": frozenset({"y", "x"}), "d": [None, True]}
    assert unpacked(json.loads(json.dumps(packed(value)))) == value


def test_what_an_intent_requires_is_told_with_its_name():
    require = (handmade.line("region", "within", "eu"),)
    table = replace(TABLE, intents={"i": handmade.intent("i", "a", require=require)})
    made = plan(handmade.request(intent="i"), table=table)
    assert [str(one) for one in made.rejections] == [
        "a@p: region needs region within eu, has unknown (intent i)"
    ]


def test_a_price_above_a_limit_is_a_reason_and_so_is_an_unknown_one():
    table = handmade.table(
        service("a", offer("a", "dear", price(10**12)), offer("a", "cheap", price(1)), offer("a", "unknown"))
    )  # fmt: skip
    made = plan(
        handmade.request("a", input_bytes=400, max_output=1, max_cost=Decimal(1)), table=table
    )
    assert [one.offer.id for one in made.candidates] == ["a@cheap"]
    told = made.explain()
    assert "a@dear: max_cost needs at most 1 usd" in told
    assert "a@unknown: max_cost needs at most 1 usd" in told
    assert "a@cheap: max_cost" not in told


def test_a_capsule_is_written_in_the_order_of_its_keys():
    made = plan(handmade.request("a", parameters={"z": 1, "b": 2}), table=TABLE)
    text = made.capsule()
    document = json.loads(text)
    assert text == json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def test_a_policy_cap_is_a_reason_against_dear_and_unknown_prices():
    service_ = service(
        "a", offer("a", "dear", price(10**12)), offer("a", "cheap", price(1)), offer("a", "unknown")
    )
    policy = Policy(name="thrift", cap=Cap(cost=Decimal(1)))
    table = handmade.table(service_, policies=(policy,))
    told = plan(handmade.request("a", input_bytes=400, max_output=1), table=table).explain()
    assert "a@dear: cost needs at most 1 usd" in told
    assert "a@unknown: cost needs at most 1 usd" in told
    assert "a@cheap: cost" not in told


def test_one_attempt_is_told_in_the_singular():
    once = replace(TABLE, policies=(Policy(name="once", cap=Cap(attempts=1)),))
    lines = plan(handmade.request("a"), table=once).explain().splitlines()
    assert "  at most 1 attempt within 300 s" in lines


def test_how_long_something_is_left_alone_is_told_exactly():
    blocked = Answers(at=1, blocked={"offer:a@p": 10**16 + 1})
    made = plan(handmade.request("a"), table=TABLE, answers=blocked)
    assert "another 10000000000 ms" in made.rejections[0].had


def test_the_json_form_tells_a_refusal_and_the_parameters_of_a_candidate():
    refused: Any = plan(handmade.request("a", features=frozenset({"pdf"})), table=TABLE)
    assert refused.to_json()["refusal"] == {
        "status": refused.refusal.status,
        "code": "no_candidate",
        "message": refused.refusal.message,
        "param": "model",
        "available": [],
    }
    count = Shape(parameters={"n": Parameter(name="n", default=2)})
    table = handmade.table(service("i", offer("i", "p", kind="image"), takes=count))
    made = plan(handmade.request("i", kind="image", endpoint="images"), table=table)
    assert made.to_json()["candidates"][0]["parameters"] == {"n": 2}
