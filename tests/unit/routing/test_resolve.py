from typing import Any

import pytest

from hyperroute.routing.candidate import Refusal
from hyperroute.routing.plan import plan
from hyperroute.routing.resolve import available, resolve_name, sends
from hyperroute.routing.table import Alias, Service
from hyperroute.testing import handmade


def service(name: str, **facts: Any) -> Service:
    return handmade.service(
        name, handmade.offer(name, "p", sends=facts.pop("sends", name)), **facts
    )


TABLE = handmade.table(
    service("gpt-5.5"),
    service("claude", endpoints=frozenset({"messages"})),
    service("hidden", listed=False),
    service("openai/*", sends="*"),
    service("openai/gpt-*", sends="v2/*"),
    handmade.service("empty"),
    intents={"smart": handmade.intent("smart", ("gpt-5.5", "claude"))},
    aliases={
        "old": Alias(name="old", to="older"),
        "older": Alias(name="older", to="gpt-5.5"),
        "assistant": Alias(name="assistant", to="smart"),
    },
)


def resolved(model: str | None = None, **facts: Any) -> Any:
    return resolve_name(handmade.request(model, **facts), TABLE)


def test_an_alias_renames_and_says_so():
    assert resolved("old").service.model.name == "gpt-5.5"
    assert resolved("old").via == ("old", "older")
    assert resolved("assistant").intent.name == "smart"
    assert resolved(intent="assistant").via == ("assistant",)


def test_a_model_beats_an_intent_and_either_field_may_name_an_intent():
    assert resolved("claude", intent="smart").service.model.name == "claude"
    assert resolved("smart").intent.name == "smart"
    assert resolved(intent="gpt-5.5").code == "intent_not_found"


def test_an_exact_name_beats_a_pattern_and_more_fixed_characters_beat_fewer():
    assert resolved("openai/gpt-4").service.model.name == "openai/gpt-*"
    assert resolved("openai/o3").service.model.name == "openai/*"
    assert resolved("openai/o3").name == "openai/o3"
    assert isinstance(resolved("openai/*"), Refusal) or resolved("openai/*").name == "openai/*"


@pytest.mark.parametrize(
    ("model", "upstream"),
    [("openai/gpt-4", "v2/4"), ("openai/o3", "o3"), ("gpt-5.5", "gpt-5.5"), ("openai/", "")],
)
def test_what_is_sent_holds_what_the_first_star_matched(model, upstream):
    assert plan(handmade.request(model), table=TABLE).candidates[0].sends == upstream


def test_only_the_first_star_is_sent():
    served = handmade.service("a-*-b-*", handmade.offer("a-*-b-*", "p"))
    assert sends(served.model, "x/*", "a-one-b-two") == "x/one"


@pytest.mark.parametrize(
    ("facts", "code", "said"),
    [
        ({"model": "gpt-5"}, "model_not_found", "Did you mean 'gpt-5.5'"),
        ({"intent": "smrt"}, "intent_not_found", "Did you mean 'smart'"),
        ({}, "missing_model", "neither"),
        ({"model": "zzzzzz"}, "model_not_found", "Unknown model 'zzzzzz'"),
    ],
)
def test_a_name_nobody_knows_is_refused_with_what_there_is(facts, code, said):
    refusal: Any = plan(handmade.request(**facts), table=TABLE).refusal
    assert (refusal.status, refusal.code) == (400, code)
    assert said in refusal.message
    assert refusal.available == (("smart",) if "intent" in facts else ("gpt-5.5",))


def test_available_models_are_those_of_the_endpoint():
    assert available(TABLE, handmade.request(endpoint="messages")) == ("gpt-5.5", "claude")


def test_a_name_is_suggested_among_very_many_by_its_beginning():
    many = handmade.table(
        *(service(f"Model-{n:03}") for n in range(301)), service("gemini"), service("zzz")
    )
    refusal = resolve_name(handmade.request("GEMimi"), many)
    assert isinstance(refusal, Refusal)
    assert "Did you mean 'gemini'?" not in refusal.message  # letters of another case are far
    refusal = resolve_name(handmade.request("gemimi"), many)
    assert isinstance(refusal, Refusal)
    assert "Did you mean 'gemini'?" in refusal.message
    unlike = resolve_name(handmade.request("zyz"), many)
    assert isinstance(unlike, Refusal)
    assert "Did you mean" not in unlike.message


def test_what_a_star_matched_in_the_middle_is_sent_without_its_surroundings():
    middle = service("a-*-z", sends="v-*")
    assert sends(middle.model, "v-*", "a-mid-z") == "v-mid"
    assert sends(middle.model, "fixed", "a-mid-z") == "fixed"
