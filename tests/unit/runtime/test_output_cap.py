"""A cap on output tokens binds the provider, or the worst price would be no bound."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hyperroute.client import Client, Router
from hyperroute.errors import RequestError
from hyperroute.plugins.registry import discover
from hyperroute.testing.replies import whole
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers:
  one: {plugin: PLUGIN, url: "https://one.test", keys: [env:ONE], speaks: [ENDPOINT]OPTIONS}
models:
  model-1:
    kind: chat
    does: [effort]
    output: LARGEST
    endpoints: [chat, responses, messages, gemini]
    offers: [{at: one, price: {in: 1, out: 10}}]
policies: {base: {cap: {out: CAP}}}
"""
TURN = {"role": "user", "content": "hi"}
BODIES: dict[str, dict[str, Any]] = {
    "openai.chat": {"model": "model-1", "messages": [TURN]},
    "openai.responses": {"model": "model-1", "input": "hi"},
    "anthropic.messages": {"model": "model-1", "messages": [TURN]},
    "gemini.generate": {"model": "model-1", "contents": [{"parts": [{"text": "hi"}]}]},
}
UPSTREAM = {
    "openai.chat": ("openai", "chat", "max_completion_tokens"),
    "openai.responses": ("openai", "responses", "max_output_tokens"),
    "anthropic.messages": ("anthropic", "messages", "max_tokens"),
    "gemini.generate": ("gemini", "gemini", "maxOutputTokens"),
}
REGISTRY = discover().with_secrets(lambda reference: f"the key of {reference}")


def asked(
    caller: str, upstream: str, body: dict[str, Any], *, cap: int, largest: int = 9_000, **how: str
) -> tuple[Any, Any]:
    """Send a body; give what the provider got, and the record."""
    plugin, endpoint, _ = UPSTREAM[upstream]
    words = {"PLUGIN": plugin, "ENDPOINT": endpoint, "LARGEST": largest, "CAP": cap}
    text = TABLE.replace("OPTIONS", how.get("options", ""))
    for word, value in words.items():
        text = text.replace(word, str(value))
    world = World()
    world.serve("https://one.test", whole(upstream))
    with Client(Router.loads(text, registry=REGISTRY), transport=world, clock=world) as client:
        record = client.send(body, dialect=caller).record
    return world.sent[0].request.body, record


def limit(upstream: str, body: bytes) -> Any:
    said = json.loads(body)
    said = said.get("generationConfig", {}) if upstream == "gemini.generate" else said
    return said.get(UPSTREAM[upstream][2])


@pytest.mark.parametrize("upstream", UPSTREAM)
@pytest.mark.parametrize("caller", BODIES)
@pytest.mark.parametrize(("cap", "largest"), [(5_000, 9_000), (9_000, 5_000)])
def test_whoever_says_nothing_is_sent_with_the_cap_and_told_so(caller, upstream, cap, largest):
    sent, record = asked(caller, upstream, BODIES[caller], cap=cap, largest=largest)
    assert limit(upstream, sent) == 5_000
    assert [loss.kind for loss in record.losses if "axOutput" in loss.path or "max_" in loss.path]
    assert record.attempts[0].offer == "model-1@one"


@pytest.mark.parametrize("caller", BODIES)
def test_a_body_that_passes_through_gains_nothing_else(caller):
    plain, _ = asked(caller, caller, BODIES[caller], cap=5_000)
    said = json.loads(plain)
    if caller == "gemini.generate":
        assert said.pop("generationConfig") == {"maxOutputTokens": 5_000}
    else:
        assert said.pop(UPSTREAM[caller][2]) == 5_000
    body = {name: value for name, value in BODIES[caller].items() if name in said}
    assert {name: said[name] for name in body} == body


@pytest.mark.parametrize("upstream", UPSTREAM)
def test_a_caller_who_sets_a_limit_keeps_it_or_is_refused(upstream):
    body = {**BODIES["openai.chat"], "max_completion_tokens": 4_000}
    sent, record = asked("openai.chat", upstream, body, cap=5_000)
    assert limit(upstream, sent) == 4_000
    assert not [loss for loss in record.losses if loss.kind == "synthesised"]
    with pytest.raises(RequestError, match="at most 3000 are allowed"):
        asked("openai.chat", upstream, body, cap=3_000)


def test_a_server_that_knows_the_old_name_is_told_by_it():
    sent, _ = asked(
        "openai.chat",
        "openai.chat",
        BODIES["openai.chat"],
        cap=5_000,
        options=", options: {max_tokens: true}",
    )
    assert json.loads(sent)["max_tokens"] == 5_000
    assert "max_completion_tokens" not in json.loads(sent)


def test_thinking_is_given_a_budget_within_the_cap():
    body = {**BODIES["openai.chat"], "reasoning_effort": "high"}
    sent, _ = asked(
        "openai.chat",
        "anthropic.messages",
        body,
        cap=2_000,
        options=", options: {thinking_types: [enabled]}",
    )
    said = json.loads(sent)
    assert said["max_tokens"] == 2_000
    assert said["thinking"]["budget_tokens"] < 2_000
