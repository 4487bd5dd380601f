"""A web search is needed where it is chosen or alone; beside other tools it is only offered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hyperroute.dialects.base import Profile
from hyperroute.providers.builtin import DIALECTS

USER = {"role": "user", "content": "hi"}
ASK: dict[str, dict[str, Any]] = {
    "chat": {"messages": [USER]},
    "responses": {"input": [USER]},
    "messages": {"max_tokens": 9, "messages": [USER]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}
SEARCH = {
    "responses": {"type": "web_search"},
    "messages": {"type": "web_search_20250305", "name": "web_search"},
    "gemini": {"googleSearch": {}},
}
FUNCTION = {
    "responses": {"type": "function", "name": "f", "parameters": {"type": "object"}},
    "messages": {"name": "f", "input_schema": {"type": "object"}},
    "gemini": {"functionDeclarations": [{"name": "f"}]},
}
CODEX = [
    FUNCTION["responses"],
    {"type": "custom", "name": "apply_patch"},
    {"type": "namespace", "name": "n", "tools": []},
    {"type": "tool_search"},
    {"type": "web_search", "external_web_access": False},
]
DEAF = Profile(does=frozenset({"tools"}))
ABLE = Profile(does=frozenset({"tools", "web_search"}))


def asked(endpoint, *tools, **more):
    raw = {"model": "m", **ASK[endpoint], "tools": list(tools), **more}
    return DIALECTS[endpoint].parse_request(raw, body=json.dumps(raw).encode())


def written(target, request, profile):
    emission = DIALECTS[target].emit_request(request, model="up", profile=profile)
    return json.dumps(json.loads(emission.body)), [
        loss for loss in emission.losses if "search the web" in loss.why
    ]


@pytest.mark.parametrize("endpoint", SEARCH)
def test_a_search_that_is_alone_is_needed_and_one_beside_others_is_not(endpoint):
    assert "web_search" in asked(endpoint, SEARCH[endpoint]).features
    both = asked(endpoint, FUNCTION[endpoint], SEARCH[endpoint]).features
    assert "tools" in both
    assert "web_search" not in both


@pytest.mark.parametrize(
    ("endpoint", "choice"),
    [
        ("responses", {"type": "web_search"}),
        ("responses", {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]}),
        ("messages", {"type": "tool", "name": "web_search"}),
    ],
)
def test_a_search_that_is_chosen_is_needed(endpoint, choice):
    tools = (FUNCTION[endpoint], SEARCH[endpoint])
    assert "web_search" in asked(endpoint, *tools, tool_choice=choice).features
    assert "web_search" not in asked(endpoint, *tools, tool_choice={"type": "auto"}).features


def test_chat_needs_a_search_that_it_has_options_for():
    request = DIALECTS["chat"].parse_request({**ASK["chat"], "web_search_options": {}})
    assert "web_search" in request.features


@pytest.mark.parametrize("endpoint", SEARCH)
@pytest.mark.parametrize("target", DIALECTS)
def test_an_offered_search_is_dropped_as_a_loss_where_nobody_searches(endpoint, target):
    request = asked(endpoint, SEARCH[endpoint], FUNCTION[endpoint])
    body, losses = written(target, request, DEAF)
    assert "search" not in body.lower()
    assert '"f"' in body
    assert [loss.kind for loss in losses] == ["dropped"]


@pytest.mark.parametrize("endpoint", SEARCH)
@pytest.mark.parametrize("target", SEARCH)
def test_an_offered_search_is_sent_to_who_can(endpoint, target):
    body, losses = written(target, asked(endpoint, SEARCH[endpoint], FUNCTION[endpoint]), ABLE)
    assert "search" in body.lower()
    assert losses == []


def test_the_tools_of_an_agent_reach_a_chat_host_without_what_only_its_vendor_knows():
    request = asked("responses", *CODEX)
    assert request.features == {"tools"}
    body, losses = written("chat", request, DEAF)
    tools = json.loads(body)["tools"]
    assert [(tool["type"], tool["function"]["name"]) for tool in tools] == [
        ("function", "f"),
        ("function", "apply_patch"),
    ]
    assert [loss.kind for loss in losses] == ["dropped"]
