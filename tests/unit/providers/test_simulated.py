from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hyperroute.canon.content import Media, ToolUse
from hyperroute.canon.events import collect
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.request import Conversation, Request
from hyperroute.canon.units import SECOND
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.providers.builtin import DIALECTS, PASSING
from hyperroute.providers.flow import Outbound, Pause
from hyperroute.testing.conformance_play import play
from hyperroute.testing.script import Script
from hyperroute_simulated import (
    INSTANT,
    SIMULATED,
    Simulation,
    Step,
    provider,
    simulated_registry,
    step_of,
)
from hyperroute_simulated.answer import tokens
from hyperroute_simulated.schema import smallest

CHAT = DIALECTS["chat"]
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}}}  # fmt: skip
UNUSED = Script(fault="reset")
"""Played to every flow: whoever opens a socket fails."""


def ask(text="Say hi in one word.", *, stream=False, messages=None, call=None, **more):
    messages = messages or [{"role": "user", "content": text}]
    raw = {"model": "m", "stream": stream, "messages": messages, **more}
    request = CHAT.parse_request(raw, body=json.dumps(raw).encode())
    return Outbound(**{"request": request, "model": "m", "url": "", "seed": 1, **(call or {})})


def heard(outbound, world=INSTANT):
    return play(provider(world), outbound, UNUSED)


def reply(outbound, world=INSTANT):
    found = heard(outbound, world)
    assert found.failure is None, found.failure
    assert found.sent == []
    return collect(found.events)


# --- what it says --------------------------------------------------------------------------------
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("upstream", list(DIALECTS))
def test_it_says_hi_in_every_dialect(upstream, stream):
    said = reply(ask(stream=stream, call={"speaks": (upstream,)}))
    assert said.text == "Hi."
    assert said.choices[0].finish.reason == "stop"
    assert (said.usage.input_tokens, said.usage.output_tokens) == (5, 1)


def test_any_other_question_is_quoted_and_digested():
    one, two = reply(ask("Why is the sky blue?")), reply(ask("Why is the sea blue?"))
    assert one.text.startswith("Simulated answer ")
    assert one.text.endswith(" to “Why is the sky blue?”.")
    assert one.text != two.text.replace("sea", "sky")


def test_the_answer_does_not_depend_on_the_seed_but_its_id_does():
    one, two = reply(ask()), reply(ask(call={"seed": 2}))
    assert (one.text, one.id) != (two.text, two.id)
    assert one.text == two.text


def test_a_fixed_answer_is_said_as_it_stands():
    assert reply(ask(), replace(INSTANT, answer="No.")).text == "No."
    assert reply(ask(call={"options": {"answer": "Yes."}})).text == "Yes."


def test_the_answer_is_cut_at_the_limit():
    said = reply(ask("a question that is long enough", max_completion_tokens=3))
    assert (len(tokens(said.text)), said.choices[0].finish.reason) == (3, "length")
    assert said.usage.output_tokens == 3


def test_the_answer_ends_before_a_stop_sequence():
    said = reply(ask("one two three", stop=["two"]))
    assert said.text.endswith("to “one ")


def test_two_choices_are_two():
    assert [choice.text for choice in reply(ask(n=2)).choices] == ["Hi.", "Hi."]


def test_a_schema_is_answered_with_the_smallest_document():
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 3},
            "age": {"type": "integer", "minimum": 18},
            "tags": {"type": "array", "minItems": 2, "items": {"enum": ["x"]}},
            "next": {"$ref": "#/$defs/node"},
            "more": {"type": "string"},
        },
        "required": ["name", "age", "tags", "next"],
        "$defs": {"node": {"anyOf": [{"const": 7}]}},
    }
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    said = json.loads(reply(ask(response_format=form)).text)
    assert said == {"name": "sim", "age": 18, "tags": ["x", "x"], "next": 7}


def test_a_schema_that_refers_to_itself_ends():
    assert smallest({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}) is None
    assert smallest({"$ref": "#"}) == {}


# --- tools ---------------------------------------------------------------------------------------
def calls(outbound):
    return [p for p in reply(outbound).choices[0].parts if isinstance(p, ToolUse)]


@pytest.mark.parametrize("upstream", list(DIALECTS))
def test_an_agent_gets_one_tool_call_and_then_its_answer(upstream):
    question = {"role": "user", "content": "Look it up."}
    speaks = {"speaks": (upstream,)}
    (used,) = calls(ask(messages=[question], tools=[TOOL], call=speaks))
    assert (used.name, json.loads(used.arguments)) == ("look", {"q": "simulated"})
    function = {"name": used.name, "arguments": used.arguments}
    turn = {
        "role": "assistant",
        "tool_calls": [{"id": used.id, "type": "function", "function": function}],
    }
    result = {"role": "tool", "tool_call_id": used.id, "content": "found"}
    said = reply(ask(messages=[question, turn, result], tools=[TOOL], call=speaks))
    assert said.text.startswith("Simulated answer")
    assert said.choices[0].finish.reason == "stop"


def test_a_tool_is_called_only_where_the_choice_allows_it():
    other = {"type": "function", "function": {"name": "other"}}
    named = {"type": "function", "function": {"name": "other"}}
    assert calls(ask(tools=[TOOL], tool_choice="none")) == []
    assert [c.name for c in calls(ask(tools=[TOOL, other], tool_choice="required"))] == ["look"]
    assert [c.name for c in calls(ask(tools=[TOOL, other], tool_choice=named))] == ["other"]


# --- time ----------------------------------------------------------------------------------------
def pauses(outbound, world):
    return [w.ns for w in heard(outbound, world).wishes if isinstance(w, Pause)]


def test_time_passes_as_declared_and_not_at_all_where_it_need_not():
    world = Simulation(latency_ns=SECOND, tokens_per_s=10)
    question = "a b c"
    count = len(tokens(reply(ask(question)).text))
    assert pauses(ask(question, stream=True), world) == [SECOND] + [SECOND // 10] * count
    assert pauses(ask(question), world) == [SECOND, count * SECOND // 10]
    assert pauses(ask(question, stream=True), INSTANT) == []


def test_options_say_how_it_behaves():
    options = {"latency_ms": 5, "tokens_per_s": 0, "script": ["slow 2s"]}
    assert pauses(ask(call={"options": options}), Simulation()) == [2_005_000_000]


# --- faults --------------------------------------------------------------------------------------
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("upstream", list(DIALECTS))
@pytest.mark.parametrize("kind", sorted(SIMULATED))
def test_every_class_of_failure_can_be_had(kind, upstream, stream):
    world = replace(INSTANT, script=(Step(kind=kind),))
    question = "a question that is answered at some length"
    found = heard(ask(question, stream=stream, call={"speaks": (upstream,)}), world)
    assert found.failure is not None
    assert found.failure.kind is kind


def test_a_script_is_played_attempt_by_attempt():
    script = ["rate_limited", "overloaded", "ok"]
    kinds = []
    for attempt in (1, 2, 3, 4):
        outbound = ask(call={"options": {"script": script}, "attempt": attempt})
        failure = heard(outbound).failure
        kinds.append(failure and failure.kind.value)
    assert kinds == ["rate_limited", "overloaded", None, None]


def test_a_cut_comes_after_so_many_tokens():
    outbound = ask("a question", stream=True, call={"options": {"script": ["cut after 2 tok"]}})
    found = heard(outbound)
    assert found.failure is not None
    assert found.failure.kind is FailureClass.TRUNCATED
    assert sum(type(event).__name__ == "PartDelta" for event in found.events) == 2


def test_shares_of_faults_are_kept_and_repeatable():
    world = replace(INSTANT, faults={FailureClass.OVERLOADED: 20, FailureClass.SERVER_ERROR: 10})
    ends = []
    for seed in range(1_000):
        failure = heard(ask(call={"seed": seed}), world).failure
        ends.append(failure.kind if failure else None)
    assert 150 < ends.count(FailureClass.OVERLOADED) < 250
    assert 60 < ends.count(FailureClass.SERVER_ERROR) < 140
    assert heard(ask(call={"seed": 5}), world) == heard(ask(call={"seed": 5}), world)


@pytest.mark.parametrize(
    "options",
    [
        {"script": ["sometimes"]},
        {"faults": {"overloaded": 101}},
        {"faults": {"client_gone": 1}},
        {"latency_ms": -1},
        {"latency_ms": "soon"},
    ],
)
def test_an_option_without_a_meaning_fails_the_attempt_loudly(options):
    failure = heard(ask(call={"options": options})).failure
    assert failure is not None
    assert (failure.kind, failure.alarm) == (FailureClass.BAD_REQUEST, True)


def test_the_words_of_a_script():
    assert step_of("ok") == Step()
    assert step_of("slow 250ms") == Step(slow_ns=250_000_000)
    assert step_of("cut after 20 tok") == Step(cut_after=20)
    with pytest.raises(ValueError, match="is no step of a script"):
        step_of("deadline")


# --- media ---------------------------------------------------------------------------------------
def make(kind, **parameters):
    return Outbound(
        request=Request(
            kind=kind,
            dialect="any",
            endpoint="any",
            raw={},
            parameters=parameters,
            decode=lambda raw: Conversation(),
        ),
        model="m",
        url="",
    )


def test_media_come_with_the_meters_that_bill_them():
    pictures = reply(make("image", n=2))
    assert pictures.usage.images == 2
    assert all(isinstance(choice.parts[0], Media) for choice in pictures.choices)
    assert reply(make("video", duration="10s")).usage.made_ms == 10_000
    assert reply(make("gpu")).usage.run_ms == 5_000
    assert reply(make("audio")).usage.made_ms == 5_000
    assert reply(make("embed")).usage.input_tokens == 0


def test_media_fail_by_script_too():
    found = heard(replace(make("image"), options={"script": ["overloaded"]}))
    assert found.failure is not None
    assert found.failure.kind is FailureClass.OVERLOADED


# --- in the place of others ----------------------------------------------------------------------
def test_it_stands_in_for_every_provider_and_needs_no_key():
    registry = simulated_registry(discover(), INSTANT)
    assert set(registry.providers) >= {"openai", "anthropic", "gemini", "simulated"}
    assert registry.secret("env:HR_NO_SUCH_KEY").secret == Secret("simulated env:HR_NO_SUCH_KEY")
    stand_in = registry.provider("anthropic")
    assert stand_in.vendor == "anthropic"
    found = play(stand_in, ask(), UNUSED)
    assert found.failure is None
    assert collect(found.events).text == "Hi."


def test_a_stand_in_translates_as_the_original_would():
    registry = simulated_registry(discover(), INSTANT)
    outbound = ask(logit_bias={"1": 1})
    play(registry.provider("anthropic"), outbound, UNUSED)
    assert "/logit_bias" in [loss.path for loss in outbound.losses]


# --- what only passes ------------------------------------------------------------------------------
def passed(word, **body):
    raw = {"model": "m", **body}
    request = PASSING[word].parse_request(raw, body=json.dumps(raw).encode())
    return reply(Outbound(request=request, model="m", url="", seed=1))


def test_embeddings_are_the_same_for_the_same_input_and_of_length_one():
    told = passed("embeddings", input=["a", "b", "a"], dimensions=5)
    first, other, again = (one["embedding"] for one in told.choices[0].parts[0].value["data"])
    assert first == again != other
    assert len(first) == 5
    assert sum(number * number for number in first) == pytest.approx(1)


def test_embeddings_come_in_base64_where_that_is_asked():
    told = passed("embeddings", input=[1, 2, 3], encoding_format="base64")
    assert isinstance(told.choices[0].parts[0].value["data"][0]["embedding"], str)
    assert told.usage.input_tokens == 3


@pytest.mark.parametrize("stream", [True, False])
def test_a_prompt_is_continued_and_cut_at_its_limit(stream):
    told = passed("completions", prompt=["x", "y"], max_tokens=2, stream=stream)
    assert [choice.finish.reason for choice in told.choices] == ["length", "length"]
    assert told.usage.output_tokens == 4
