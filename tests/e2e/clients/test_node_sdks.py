"""Clients of Node and the Vercel AI SDK: tools out, results in, whole and streamed.

They are no dependency of ours (``installed.py``), so this is skipped where they are not installed.
"""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from tests.e2e.clients.installed import HERE, environment, node_clients
from tests.e2e.clients.standing import KEY, MODELS
from tests.e2e.clients.talks import CALLS
from tests.e2e.clients.told import calls_in, results_in

from hyperroute.testing.replies import DIALECTS, Said

CLIENTS = ("chat", "responses", "messages", "gemini")
DONE = Said(text=("Rain, ", "sün."))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Put the script beside the installed packages, because Node looks for them from there."""
    found = node_clients()
    there = tmp_path_factory.mktemp("node")
    shutil.copy(HERE / "node" / "turn.mjs", there)
    (there / "node_modules").symlink_to(found / "node_modules")
    return there


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("client", [*CLIENTS, *(f"vercel-{client}" for client in CLIENTS)])
def test_a_client_of_node_runs_a_turn_with_parallel_tools(place, folder, client, provider):
    place.answers(provider, CALLS, DONE, CALLS, DONE)
    done = subprocess.run(
        ["node", "turn.mjs", client, place.url, KEY, MODELS[provider]],  # noqa: S607 - as a shell finds it
        cwd=folder,
        env=environment(folder, folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    turn = {"text": "Rain, sün.", "seen": [json.loads(call.arguments) for call in CALLS.calls]}
    assert json.loads(done.stdout) == {"whole": turn, "streamed": turn}
    for body in (place.bodies[1], place.bodies[3]):
        assert calls_in(provider, body) == [("get_weather", args) for args in turn["seen"]]
        assert len(results_in(provider, body)) == 2
