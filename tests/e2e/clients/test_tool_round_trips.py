"""Each vendor's client against a provider of each dialect: calls out, results in, a last word."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from tests.e2e.clients.standing import MODELS
from tests.e2e.clients.talks import CALLS, TALKS
from tests.e2e.clients.told import calls_in, results_in, seals_in

from hyperroute.testing.replies import DIALECTS, Said

DONE = Said(text=("Rain, ", "sün."))
RESULTS = ("rain", '{"sky": "sün", "list": [1]}')


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
def test_parallel_calls_and_sealed_reasoning_go_out_and_come_back(place, client, provider, stream):
    place.answers(provider, CALLS, DONE)
    arguments = [json.loads(call.arguments) for call in CALLS.calls]
    with closing(TALKS[client](place.url, MODELS[provider])) as talk:
        first = talk.ask(stream=stream)
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
    if "openai.chat" not in {client, provider}:  # which has no place for what vendors seal
        assert first.thought == CALLS.thought
        assert seals_in(provider, asked) == [CALLS.seal]


def _result(said):
    """Undo what Gemini's results, which are objects, had to be made of."""
    if isinstance(said, dict):
        return said.get("output") or json.dumps(said, ensure_ascii=False)
    return said
