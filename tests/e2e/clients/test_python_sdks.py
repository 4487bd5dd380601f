"""LangChain, pydantic-ai, instructor and ``llm``: tools out, results in.

They are no dependency of ours (``installed.py``), so this is skipped where they are not installed.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest
from tests.e2e.clients.installed import HERE, python_clients
from tests.e2e.clients.standing import KEY, MODELS
from tests.e2e.clients.talks import CALLS
from tests.e2e.clients.told import calls_in, results_in

from hyperroute.testing.replies import DIALECTS, Call, Said

VENDORS = ("openai", "responses", "anthropic", "gemini")
CLIENTS = (
    *(f"langchain-{vendor}" for vendor in VENDORS),
    *(f"pydantic-ai-{vendor}" for vendor in VENDORS),
    "llm",
)
DONE = Said(text=("Rain, ", "sün."))


def ran(client: str, url: str, model: str):
    script = HERE / "python" / "turn.py"
    done = subprocess.run(
        [str(python_clients()), str(script), client, url, KEY, model],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_of_python_runs_a_turn_with_parallel_tools(place, client, provider):
    place.answers(provider, CALLS, DONE)
    wanted = [json.loads(call.arguments) for call in CALLS.calls]
    came = ran(client, place.url, MODELS[provider])
    assert came["text"].endswith("Rain, sün.")
    assert sorted(came["seen"], key=str) == sorted(wanted, key=str)
    assert calls_in(provider, place.bodies[1]) == [("get_weather", args) for args in wanted]
    assert len(results_in(provider, place.bodies[1])) == 2


@pytest.mark.parametrize("provider", DIALECTS)
def test_instructor_gets_its_object(place, provider):
    trip = Call(name="Trip", arguments='{"city": "Oslo", "days": 2}')
    place.answers(provider, replace(CALLS, text=(), calls=(trip,)))
    assert ran("instructor", place.url, MODELS[provider]) == {"city": "Oslo", "days": 2}
