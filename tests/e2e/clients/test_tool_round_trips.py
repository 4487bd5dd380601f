"""Each vendor's client against a provider of each dialect: calls out, results in, a last word."""

from __future__ import annotations

import json

import pytest
from tests.e2e.clients.standing import MODELS
from tests.e2e.clients.talks import TALKS
from tests.e2e.clients.told import calls_in, results_in, seals_in

from hyperroute.testing.replies import DIALECTS, Call, Said

OSLO = Call(id="call_oslo", arguments='{"city": "Oslo", "days": 2}')
TURIN = Call(id="call_turin", arguments='{"city": "Turín \\"x\\"", "days": 1}')
CALLS = Said(text=("Let me", " look."), calls=(OSLO, TURIN), thought="Two cities, two calls.")
DONE = Said(text=("Rain, ", "sün."))
RESULTS = ("rain", '{"sky": "sün", "list": [1]}')


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
def test_parallel_calls_and_their_results_keep_ids_order_and_arguments(
    place, client, provider, stream
):
    place.answers(provider, CALLS, DONE)
    talk = TALKS[client](place.url, MODELS[provider])
    first = talk.ask(stream=stream)
    arguments = [json.loads(call.arguments) for call in CALLS.calls]
    assert [call.arguments for call in first.calls] == arguments
    assert [call.name for call in first.calls] == ["get_weather"] * 2
    assert first.text == "Let me look."
    for call, result in zip(first.calls, RESULTS, strict=True):
        talk.tell(call, result)
    assert talk.ask(stream=stream).text == "Rain, sün."
    asked = place.bodies[1]
    assert calls_in(provider, asked) == [("get_weather", each) for each in arguments]
    ids, said = zip(*results_in(provider, asked), strict=True)
    own = ("get_weather",) * 2 if provider == "gemini.generate" else ("call_oslo", "call_turin")
    assert ids == own
    assert [_result(each) for each in said] == list(RESULTS)


def _result(said):
    """Undo what Gemini's results, which are objects, had to be made of."""
    if isinstance(said, dict):
        return said.get("output") or json.dumps(said, ensure_ascii=False)
    return said


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("provider", ["openai.responses", "anthropic.messages", "gemini.generate"])
@pytest.mark.parametrize("client", DIALECTS)
def test_sealed_reasoning_comes_back_to_its_vendor_byte_for_byte(place, client, provider, stream):
    place.answers(provider, CALLS, DONE)
    talk = TALKS[client](place.url, MODELS[provider])
    first = talk.ask(stream=stream)
    for call, result in zip(first.calls, RESULTS, strict=True):
        talk.tell(call, result)
    talk.ask(stream=stream)
    assert first.thought == CALLS.thought
    assert seals_in(provider, place.bodies[1]) == [CALLS.seal]
