"""Messages requests: the head for routing, and the closed list of edits on the way through."""

import json
from typing import Any

import pytest

from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Request
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import NO_PROFILE, Emission, Profile
from hyperroute.errors import ClientWireError

MARK = {"type": "ephemeral"}
USER = {"role": "user", "content": "hi"}


def request_of(raw: dict[str, Any], *, headers=()) -> Request:
    body = json.dumps(raw, indent=2, ensure_ascii=False).encode()
    return ANTHROPIC_MESSAGES.parse_request(raw, body=body, headers=headers)


def sent(raw: dict[str, Any], *, profile: Profile = NO_PROFILE, headers=()) -> Emission:
    request = request_of(raw, headers=headers)
    return ANTHROPIC_MESSAGES.emit_request(request, model="up", profile=profile)


def body_of(raw: dict[str, Any], *, profile: Profile = NO_PROFILE) -> Any:
    return json.loads(sent(raw, profile=profile).body)


def test_the_head_says_what_routing_needs():
    raw = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 10,
        "stream": True,
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "url", "url": "https://e.org/a.png"}},
                    {"type": "document", "source": {"type": "base64", "data": ""}},
                ],
            }
        ],
        "tools": [{"name": "f", "input_schema": {}}, {"type": "web_search_20250305"}],
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
        "temperature": 0.5,
        "service_tier": "auto",
        "hypereal": {"cache": False},
    }
    request = request_of(raw)
    assert request.features == {
        "tools",
        "vision",
        "pdf",
        "thinking",
        "effort",
        "json_schema",
    }
    assert (request.model, request.stream, request.max_output) == ("claude-sonnet-4-6", True, 10)
    assert request.parameters == {
        "temperature": 0.5,
        "thinking": "adaptive",
        "effort": "high",
        "service_tier": "auto",
    }
    assert not request.narrowing.cache
    assert request.body is not None
    assert request.input_bytes == len(request.body)


@pytest.mark.parametrize(
    "raw",
    [
        {"thinking": {"type": "disabled"}},
        {"messages": [{"role": "user", "content": [{"type": "text", "cache_control": MARK}]}]},
        {"messages": "malformed", "tools": 3},
        {"messages": [{"content": [{"type": "document", "source": {"type": "text"}}, 7]}, None]},
    ],
)
def test_a_feature_is_there_only_if_it_is_needed(raw):
    assert request_of(raw).features == frozenset()


def test_pictures_in_results_need_vision():
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image"}]}
    raw = {"messages": [{"role": "user", "content": [result]}]}
    assert request_of(raw).features == {"vision"}


def test_text_of_a_mapping_is_measured_as_it_would_be_sent():
    raw = {"model": "m", "messages": [{"role": "user", "content": "é" * 10}]}
    assert ANTHROPIC_MESSAGES.parse_request(raw).input_bytes >= 20


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ({"model": 3}, "/model"),
        ({"stream": "yes"}, "/stream"),
        ({"max_tokens": "many"}, "/max_tokens"),
        ({"thinking": []}, "/thinking"),
        ({"thread": {"type": "create"}}, "/thread"),
        ({"hyperroute": {"deadline": -1}}, "/hyperroute/deadline"),
    ],
)
def test_a_wrong_head_is_refused_with_its_place(raw, pointer):
    with pytest.raises(ClientWireError) as caught:
        request_of(raw)
    assert caught.value.pointer == pointer


def test_a_marked_request_keeps_every_byte_but_the_model():
    raw = {"model": "alias", "system": [{"type": "text", "text": "s\u2028", "cache_control": MARK}]}
    request = request_of(raw)
    assert request.body is not None
    emission = ANTHROPIC_MESSAGES.emit_request(request, model="up", profile=NO_PROFILE)
    assert emission.body == request.body.replace(b'"alias"', b'"up"')
    assert emission.path == "/v1/messages"


def test_our_own_members_are_removed():
    raw = {"model": "up", "messages": [USER], "hyperroute": {"fallback": False}, "intent": "smart"}
    assert body_of(raw) == {"model": "up", "messages": [USER]}


def test_a_mapping_without_bytes_is_written_once():
    request = ANTHROPIC_MESSAGES.parse_request({"model": "m", "messages": [USER]})
    emission = ANTHROPIC_MESSAGES.emit_request(request, model="up", profile=NO_PROFILE)
    assert json.loads(emission.body) == {"model": "up", "messages": [USER]}


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"system": "be brief", "tools": [{"name": "f"}]}, ("system", 0)),
        ({"system": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, ("system", 1)),
        ({"system": [], "tools": [{"name": "f"}, {"name": "g"}]}, ("tools", 1)),
        ({"system": " ", "tools": [{"name": "f"}]}, ("tools", 0)),
        ({"messages": [USER, {"role": "assistant", "content": "x"}, USER]}, ("messages", 0, "content", 0)),
        (
            {
                "messages": [
                    USER,
                    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image"}]},
                    USER,
                ]
            },
            ("messages", 1, "content", 1),
        ),
    ],
)  # fmt: skip
def test_one_default_breakpoint_goes_behind_what_repeats(raw, path):
    body = body_of({"model": "up", **raw})
    marked = body
    for step in path:
        marked = marked[step]
    assert marked["cache_control"] == MARK
    assert json.dumps(body).count("cache_control") == 1


@pytest.mark.parametrize(
    "raw",
    [
        {"messages": [USER]},
        {"system": "s", "hyperroute": {"cache": False}},
        {"system": "s", "tools": [{"name": "f", "cache_control": MARK}]},
        {"system": "s", "cache_control": MARK},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}, USER]},
        {"messages": [7, {"role": "user"}, {"role": "user"}]},
    ],
)
def test_no_breakpoint_is_added_where_none_may_be(raw):
    before = json.dumps(raw).count("cache_control")
    assert sent({"model": "up", **raw}).body.count(b"cache_control") == before


def test_the_caller_s_version_and_betas_go_on():
    emission = sent(
        {"model": "up"},
        headers=(
            ("Anthropic-Version", "2026-10-21"),
            ("anthropic-beta", "a,b"),
            ("x-api-key", "secret"),
        ),
    )
    assert emission.headers == (("anthropic-version", "2026-10-21"), ("anthropic-beta", "a,b"))


def test_a_version_is_sent_where_the_caller_gave_none():
    assert sent({"model": "up"}).headers == (("anthropic-version", "2023-06-01"),)
    profile = Profile(options={"anthropic_version": "2026-10-21"})
    assert sent({"model": "up"}, profile=profile).headers == (("anthropic-version", "2026-10-21"),)


def test_tagged_seals_are_opened_for_their_vendor_and_removed_for_others():
    thinking = {"type": "thinking", "thinking": "hm", "signature": "hr1.anthropic..EqQB"}
    foreign = {"type": "thinking", "thinking": "", "signature": "hr1.google..Zm9v"}
    unsigned = {"type": "thinking", "thinking": "x", "signature": "hr1.unsigned.."}
    text = {"type": "text", "text": "hr1.google..not a seal"}
    raw = {
        "model": "up",
        "messages": [
            USER,
            {"role": "assistant", "content": [thinking, foreign, text]},
            USER,
            {"role": "assistant", "content": [unsigned]},
            USER,
        ],
        "hyperroute": {"cache": False},
    }
    emission = sent(raw, profile=Profile(vendor="anthropic"))
    messages = json.loads(emission.body)["messages"]
    assert messages[1]["content"] == [{**thinking, "signature": "EqQB"}, text]
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "user"]
    assert emission.losses == (
        Loss("/messages/1/content/1", "dropped", "thinking of another vendor"),
        Loss("/messages/3/content/0", "dropped", "thinking of another vendor"),
    )


def test_the_caller_s_model_name_is_told_everywhere():
    whole = b'{"id":"m", "model": "up-2026", "content":[{"text":"\\"model\\":\\"up-2026\\""}]}'
    assert ANTHROPIC_MESSAGES.tell_model(whole, "mine") == whole.replace(
        b'"model": "up-2026"', b'"model": "mine"'
    )
    frame = b'event: message_start\ndata: {"type":"message_start","message":{"model":"up"}}\n\n'
    assert ANTHROPIC_MESSAGES.tell_model(frame, "mine") == frame.replace(b'"up"', b'"mine"')
    assert ANTHROPIC_MESSAGES.tell_model(b"<html>", "mine") == b"<html>"


@pytest.mark.parametrize(
    ("raw", "kinds", "written", "kind"),
    [
        (
            {"thinking": {"type": "enabled", "budget_tokens": 9000}},
            ["adaptive"],
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
            "approximated",
        ),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 1, "display": "omitted"},
                "output_config": {"format": None},
            },
            ["adaptive"],
            {
                "thinking": {"type": "adaptive", "display": "omitted"},
                "output_config": {"format": None, "effort": "low"},
            },
            "approximated",
        ),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 9000},
                "output_config": {"effort": "max"},
            },
            ["adaptive"],
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            "approximated",
        ),
        (
            {"thinking": {"type": "adaptive"}, "max_tokens": 5000},
            ["enabled", "disabled"],
            {"thinking": {"type": "enabled", "budget_tokens": 4999}, "max_tokens": 5000},
            "approximated",
        ),
        (
            {"thinking": {"type": "adaptive"}, "max_tokens": 500},
            ["enabled", "disabled"],
            {"max_tokens": 500},
            "dropped",
        ),
        ({"thinking": {"type": "disabled"}}, ["adaptive"], {}, "dropped"),
    ],
)
def test_thinking_the_target_refuses_is_asked_for_in_its_own_way(raw, kinds, written, kind):
    profile = Profile(options={"thinking_types": kinds})
    emission = sent({"model": "up", **raw}, profile=profile)
    assert json.loads(emission.body) == {"model": "up", **written}
    assert [(loss.path, loss.kind) for loss in emission.losses] == [("/thinking", kind)]


@pytest.mark.parametrize("kinds", [None, ["enabled"], ["adaptive", "enabled"]])
def test_thinking_the_target_takes_is_left_alone(kinds):
    raw = {"model": "up", "thinking": {"type": "enabled", "budget_tokens": 9000}}
    profile = Profile(options={} if kinds is None else {"thinking_types": kinds})
    request = request_of(raw)
    emission = ANTHROPIC_MESSAGES.emit_request(request, model="up", profile=profile)
    assert emission.body == request.body
