"""Coding agents run a turn that makes a file: a tool call out, its result in, a last word.

They need clients that are no dependency of ours (``installed.py``), so they are skipped without.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace

import pytest
from tests.e2e.clients.agents import CLAUDE, CODEX, CONTENT, FILE, GEMINI, OPENCODE, PATCH, Agent
from tests.e2e.clients.installed import node_clients
from tests.e2e.clients.standing import MODELS, Standing, routed, shipped
from tests.e2e.clients.told import Pairs, calls_in, results_in, tools_in

from hyperroute.canon.wire import HttpRequest
from hyperroute.testing.replies import DIALECTS, Said

AGENTS = (CODEX, CLAUDE, GEMINI, *OPENCODE.values())


class Model:
    """What plays the model: calls one tool, and once it has the result, says so."""

    def __init__(self, agent: Agent, provider: str, tool: str | None = None) -> None:
        self.agent = agent
        self.provider = provider
        self.tool = tool
        self.results: Pairs = []

    def play(self, place, folder, path):
        """Let the agent make its file."""
        project = path / "project"
        calls = self.agent.calls(project)
        name = self.tool or next(iter(calls))
        call = calls[name]
        if call.custom and self.provider not in {"openai.chat", "openai.responses"}:
            call = replace(call, arguments=json.dumps({"input": PATCH}), custom=False)

        def answer(http: HttpRequest) -> Said:
            body = json.loads(http.body)
            if results := results_in(self.provider, body):
                assert [made for made, _ in calls_in(self.provider, body)] == [name]
                self.results = results
                return Said(text=("All ", "done."))
            if name not in tools_in(self.provider, body):
                return Said(text=("A title",))  # an agent asks for one on the side
            return Said(text=("I make it.",), calls=(call,), thought="A file is wanted.")

        place.answers(self.provider, answer)
        ran = self.agent.run(folder, place.url, path)
        assert (ran.project / FILE).exists(), ran
        assert (ran.project / FILE).read_text("utf-8") == CONTENT
        assert ran.code == 0, ran
        assert len(self.results) == 1
        assert {visit.status for visit in place.visits} == {200}
        assert {visit.ended for visit in place.visits} == {"streamed"}
        return ran


@pytest.fixture(scope="module")
def folder():
    return node_clients()


@pytest.fixture
def begun(server, upstream):
    """Begin to serve, under the shipped table or under one that leads a model elsewhere."""
    with ExitStack() as stack:

        def begin(agent: Agent, provider: str | None = None) -> Standing:
            known = dict.fromkeys((agent.model, *agent.also), MODELS[provider or agent.dialect])
            table = shipped(upstream.url) if provider is None else routed(upstream.url, known)
            place: Standing = stack.enter_context(server.standing(upstream, table))
            return place

        yield begin


@pytest.mark.parametrize("agent", [CODEX, CLAUDE, GEMINI], ids=lambda agent: agent.name)
def test_an_agent_makes_a_file_under_the_shipped_table(begun, folder, tmp_path, agent):
    Model(agent, agent.dialect).play(begun(agent), folder, tmp_path)


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: f"{agent.name}-{agent.dialect}")
def test_an_agent_makes_a_file_whatever_its_provider_speaks(
    begun, folder, tmp_path, agent, provider
):
    Model(agent, provider).play(begun(agent, provider), folder, tmp_path)


@pytest.mark.parametrize("provider", DIALECTS)
def test_codex_patches_with_its_freeform_tool(begun, folder, tmp_path, provider):
    place = begun(CODEX, provider)
    Model(CODEX, provider, "apply_patch").play(place, folder, tmp_path)
    if provider != "openai.responses":
        foreign = {"tool_search", "web_search", "namespace"}
        assert not {tool.get("type") for tool in place.bodies[0]["tools"]} & foreign


def test_what_claude_code_sends_reaches_its_vendor_as_it_was_sent(begun, folder, tmp_path):
    place = begun(CLAUDE)
    Model(CLAUDE, "anthropic.messages").play(place, folder, tmp_path)
    for asked, body in zip(place.asked, place.bodies, strict=True):
        headers = dict(asked.headers)
        assert len(headers["anthropic-beta"].split(",")) >= 6
        assert headers["anthropic-version"]
        assert body["thinking"]["type"] == "adaptive"
        assert {"context_management", "output_config", "metadata"} <= set(body)
        assert "x-anthropic-billing-header" in body["system"][0]["text"]
