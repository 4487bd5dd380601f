"""Seals and free-form calls survive a translation there and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hyperroute.canon.content import Sealed, ToolUse
from hyperroute.canon.events import PartDelta, PartEnded, PartStarted, StreamEvent, collect
from hyperroute.dialects.base import Profile
from hyperroute.dialects.returning import Returning, spoken
from hyperroute.providers.builtin import DIALECTS
from hyperroute.providers.flow import Outbound, Provider
from hyperroute.providers.sign import unsigned
from hyperroute.providers.speak import speak
from hyperroute.testing.conformance_play import play
from hyperroute.testing.script import Script

AT_ONE = Profile(vendor="anthropic", group="one")
PATCH = {"type": "custom", "name": "apply_patch", "description": "Change files."}
BODIES: dict[str, dict[str, Any]] = {
    "responses": {"input": [{"role": "user", "content": "hi"}], "tools": [PATCH]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}
THOUGHT: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "thinking", "thinking": "Let me see.", "signature": "c2lnbmF0dXJl"},
        {"type": "tool_use", "id": "toolu_1", "name": "apply_patch", "input": {"input": "*** +1"}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 3, "output_tokens": 5},
}
PLAIN = Provider(name="plain", flow=speak(DIALECTS, url="https://up.example", sign=unsigned))


def asked(endpoint, body):
    raw = {"model": "m", **body}
    return DIALECTS[endpoint].parse_request(raw, body=json.dumps(raw).encode())


def answered(request, profile=AT_ONE, message=THOUGHT):
    """Play one call at an upstream that speaks Messages, and write the reply for the caller."""
    outbound = Outbound(request=request, model="up", url="", speaks=("messages",), profile=profile)
    head = (("content-type", "application/json"),)
    script = Script(headers=head, chunks=(json.dumps(message).encode(),))
    heard = play(PLAIN, outbound, script)
    assert heard.failure is None
    reply = collect(heard.events)
    dialect = DIALECTS[request.endpoint]
    return json.loads(dialect.emit_reply(reply, request=request, model="m"))


def again(request, profile):
    """Write the second turn upstream."""
    emission = DIALECTS["messages"].emit_request(request, model="up", profile=profile)
    return json.loads(emission.body)["messages"][1]["content"]


def responses_turn():
    first = asked("responses", BODIES["responses"])
    output = answered(first)["output"]
    result = {"type": "custom_tool_call_output", "call_id": output[-1]["call_id"], "output": "ok"}
    history = [*BODIES["responses"]["input"], *output, result]
    return output, asked("responses", {**BODIES["responses"], "input": history})


def test_a_responses_client_keeps_the_thinking_of_another_vendor_across_turns():
    output, second = responses_turn()
    assert output[0]["encrypted_content"] == "hr1.anthropic.one.c2lnbmF0dXJl"
    assert again(second, AT_ONE)[0] == THOUGHT["content"][0]


@pytest.mark.parametrize(
    "other",
    [
        Profile(vendor="anthropic", group="two"),
        Profile(vendor="", group="one"),
        Profile(vendor="openai", group="one"),
    ],
    ids=["another account", "another host", "another vendor"],
)
def test_a_seal_comes_back_to_nobody_but_its_maker(other):
    _, second = responses_turn()
    assert "c2lnbmF0dXJl" not in json.dumps(again(second, other))
    home = DIALECTS["responses"].emit_request(second, model="up", profile=other)
    assert b"c2lnbmF0dXJl" not in home.body


def test_a_gemini_client_keeps_them_too():
    message = {**THOUGHT, "stop_reason": "end_turn"}
    message["content"] = [THOUGHT["content"][0], {"type": "text", "text": "Seen."}]
    first = asked("gemini", BODIES["gemini"])
    content = answered(first, message=message)["candidates"][0]["content"]
    user = BODIES["gemini"]["contents"][0]
    second = asked("gemini", {"contents": [user, content, user]})
    assert again(second, AT_ONE)[0] == THOUGHT["content"][0]


def test_the_same_dialect_gets_its_seals_bare():
    body = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    assert answered(asked("messages", body))["content"][0]["signature"] == "c2lnbmF0dXJl"


def test_a_free_form_tool_is_called_free_form_and_answered_as_the_function_it_was():
    output, second = responses_turn()
    call = output[-1]
    assert (call["type"], call["input"]) == ("custom_tool_call", "*** +1")
    assert again(second, AT_ONE)[-1]["input"] == {"input": "*** +1"}


def test_a_compatible_chat_host_is_offered_a_function_of_one_string():
    _, second = responses_turn()
    emission = DIALECTS["chat"].emit_request(second, model="up", profile=Profile(group="one"))
    body = json.loads(emission.body)
    assert body["tools"][0]["function"]["parameters"]["required"] == ["input"]
    (call,) = body["messages"][1]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"input": "*** +1"}
    assert "approximated" in [loss.kind for loss in emission.losses]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input":"a\\nb"}', "a\nb"),
        ('{"input":1}', '{"input":1}'),
        ("[1]", "[1]"),
        ("broken", "broken"),
        ("", ""),
    ],
)
def test_what_is_not_one_string_stays_as_it_came(arguments, text):
    assert spoken(arguments) == text


def test_a_call_in_pieces_is_said_once_and_others_stream_on():
    custom = ToolUse(id="1", name="apply_patch", arguments="")
    other = replace(custom, id="2", name="look")
    seal = Sealed("signature", "s")
    events: list[StreamEvent] = [
        PartStarted(0, custom),
        PartDelta(0, '{"inp'),
        PartDelta(0, 'ut":"x"}'),
        PartEnded(0, seal),
        PartStarted(1, other),
        PartDelta(1, '{"a'),
        PartEnded(1),
    ]
    returning = Returning("v", "g", frozenset({"apply_patch"}))
    assert list(returning.passed(events)) == [
        PartStarted(0, replace(custom, custom=True)),
        PartDelta(0, "x"),
        PartEnded(0, Sealed("signature", "s", "v", "g")),
        PartStarted(1, other),
        PartDelta(1, '{"a'),
        PartEnded(1),
    ]
