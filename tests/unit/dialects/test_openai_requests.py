"""Single rules of both request readers and writers."""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from hyperroute.canon.content import (
    CacheMark,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Sealed,
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import (
    Conversation,
    OutputSpec,
    Request,
    Sampling,
    Thinking,
    Tool,
    ToolChoice,
)
from hyperroute.dialects.base import Dialect, Profile
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES
from hyperroute.errors import ClientWireError

NATIVE = Profile(vendor="openai")
OTHER = Profile(vendor="")
USER = {"role": "user", "content": "hi"}
BOTH = (OPENAI_CHAT, OPENAI_RESPONSES)


def chat(*messages: Mapping[str, Any], **members: Any) -> Request:
    return OPENAI_CHAT.parse_request({"model": "a", "messages": list(messages), **members})


def responses(*entries: Mapping[str, Any], **members: Any) -> Request:
    return OPENAI_RESPONSES.parse_request({"model": "a", "input": list(entries), **members})


def foreign(conversation: Conversation, *, stream: bool = False) -> Request:
    """A request of a dialect that is not OpenAI's, already decoded."""
    return Request(
        model="a",
        dialect="anthropic.messages",
        endpoint="messages",
        raw={},
        stream=stream,
        decode=lambda _: conversation,
    )


def user(*parts: Part) -> Turn:
    return Turn(role="user", parts=parts)


def said(*parts: Part) -> Turn:
    return Turn(role="assistant", parts=parts)


def sent(
    dialect: Dialect, conversation: Conversation, profile: Profile = NATIVE, **more: Any
) -> tuple[dict[str, Any], list[Loss]]:
    emission = dialect.emit_request(foreign(conversation, **more), model="up", profile=profile)
    return json.loads(emission.body), list(emission.losses)


def talk(*turns: Turn, **members: Any) -> Conversation:
    return Conversation(turns=turns or (user(Text("hi")),), **members)


# --- the head


def test_the_head_of_chat() -> None:
    request = chat(
        USER,
        temperature=0.5,
        top_p=1,
        seed=3,
        n=2,
        reasoning_effort="high",
        service_tier="flex",
        max_tokens=7,
        max_completion_tokens=9,
        stream=True,
        hyperroute={"fallback": False, "deadline": "30s", "max_cost": "0.05"},
    )
    assert dict(request.parameters) == {
        "temperature": 0.5,
        "top_p": 1,
        "seed": 3,
        "n": 2,
        "effort": "high",
        "service_tier": "flex",
    }
    assert (request.max_output, request.stream, request.endpoint) == (9, True, "chat")
    assert request.narrowing.fallback is False
    assert request.narrowing.deadline_ns == 30_000_000_000
    assert chat(USER, max_tokens=7).max_output == 7
    assert OPENAI_CHAT.parse_request({"intent": "text-fast"}).intent == "text-fast"


def test_the_head_of_responses() -> None:
    request = responses(
        USER,
        reasoning={"effort": "low"},
        text={"verbosity": "high", "format": {"type": "json_object"}},
        max_output_tokens=9,
    )
    assert dict(request.parameters) == {"effort": "low", "verbosity": "high"}
    assert request.features == {"effort", "json_object"}
    assert (request.max_output, request.endpoint) == (9, "responses")


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}


@pytest.mark.parametrize(
    ("members", "features"),
    [
        ({}, set()),
        ({"tools": []}, set()),
        ({"tools": [{"type": "function"}]}, {"tools"}),
        ({"functions": [{"name": "f"}]}, {"tools"}),
        ({"response_format": {"type": "text"}}, set()),
        ({"response_format": {"type": "json_schema"}}, {"json_schema"}),
        ({"response_format": {"type": "json_object"}}, {"json_object"}),
        ({"logprobs": True}, {"logprobs"}),
        ({"logprobs": False}, set()),
        ({"web_search_options": {}}, {"web_search"}),
        ({"reasoning_effort": "none"}, set()),
        ({"reasoning_effort": "low"}, {"effort"}),
        ({"messages": [{"content": [IMAGE]}]}, {"vision"}),
        ({"messages": [{"content": [{"type": "file", "file": {}}]}]}, {"pdf"}),
        ({"messages": [{"content": [{"type": "input_audio", "input_audio": {}}]}]}, {"audio_in"}),
        ({"messages": [{"content": "x"}, None, {"content": [None, {"type": []}]}]}, set()),
    ],
)
def test_features_are_what_it_cannot_do_without(
    members: dict[str, Any], features: set[str]
) -> None:
    assert OPENAI_CHAT.parse_request({"model": "a", **members}).features == features


@pytest.mark.parametrize(
    ("members", "features"),
    [
        ({"tools": [{"type": "function"}]}, {"tools"}),
        ({"tools": [{"type": "web_search"}]}, {"web_search"}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs"}),
        ({"input": [{"content": [{"type": "input_image"}]}]}, {"vision"}),
        ({"input": [{"output": [{"type": "input_image"}]}]}, {"vision"}),
        ({"input": [{"content": [{"type": "input_file", "file_data": "x"}]}]}, {"pdf"}),
        ({"input": [{"content": [{"type": "input_audio"}]}]}, {"audio_in"}),
    ],
)
def test_features_of_responses(members: dict[str, Any], features: set[str]) -> None:
    assert OPENAI_RESPONSES.parse_request({"model": "a", **members}).features == features


def test_input_bytes_bound_the_text_and_leave_media_out() -> None:
    big = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}
    raw = {
        "model": "a",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "ü"}, big]}],
    }
    body = json.dumps(raw).encode()
    for request in (OPENAI_CHAT.parse_request(raw), OPENAI_CHAT.parse_request(raw, body=body)):
        assert 2 <= request.input_bytes < 200
    plain = {"model": "a", "messages": [{"role": "user", "content": "é" * 500}]}
    assert OPENAI_CHAT.parse_request(plain).input_bytes >= 1_000


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"model": 5}, "/model"),
        ({"stream": "yes"}, "/stream"),
        ({"max_completion_tokens": "9"}, "/max_completion_tokens"),
        ({"temperature": True}, "/temperature"),
        ({"n": 1.5}, "/n"),
        ({"response_format": []}, "/response_format"),
        ({"hyperroute": {"fallbac": True}}, "/hyperroute/fallbac"),
    ],
)
def test_a_wrong_head_is_refused_with_its_place(members: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ClientWireError) as raised:
        OPENAI_CHAT.parse_request({"messages": [], **members})
    assert raised.value.pointer == pointer


# --- reading


def test_chat_messages_become_turns() -> None:
    request = chat(
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [{"type": "text", "text": "b"}]},
        {"role": "user", "content": "q", "name": "ann"},
        {
            "role": "assistant",
            "content": None,
            "refusal": "no",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "c2", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "2"}]},
        {"role": "system", "content": "mid"},
    )
    conversation = request.conversation
    assert conversation.system == (Text("a"), Text("b"))
    assert conversation.turns == (
        Turn(role="user", parts=(Text("q"),), name="ann"),
        said(Refusal("no"), ToolUse(id="c1", name="f", arguments="{}"),
             ToolUse(id="c2", name="sh", arguments="ls", custom=True)),
        user(ToolResult(id="c1", parts=(Text("1"),)), ToolResult(id="c2", parts=(Text("2"),))),
        Turn(role="system", parts=(Text("mid"),)),
    )  # fmt: skip


@pytest.mark.parametrize("content", [{}, {"content": None}, {"content": ""}, {"content": []}])
def test_call_history_without_content_is_read(content: dict[str, Any]) -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    turns = chat({"role": "assistant", "tool_calls": calls, **content}).conversation.turns
    assert turns[0].text == ""
    assert isinstance(turns[0].parts[-1], ToolUse)


def test_function_calls_of_before_tools_are_paired_by_name() -> None:
    (call, result) = chat(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
    ).conversation.turns
    assert call.parts == (ToolUse(id="call_0", name="f", arguments="{}"),)
    assert result.parts == (ToolResult(id="call_0", name="f", parts=(Text("1"),)),)


def test_responses_items_become_turns() -> None:
    conversation = responses(
        {"role": "developer", "content": "b"},
        {"role": "user", "content": [{"type": "input_text", "text": "q"}]},
        {"type": "reasoning", "id": "rs", "encrypted_content": "hr1.anthropic.g.S",
         "summary": [{"type": "summary_text", "text": "t"}, {"type": "summary_text", "text": "u"}]},
        {"type": "message", "role": "assistant", "phase": "commentary",
         "content": [{"type": "output_text", "text": "x", "annotations": []}]},
        {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
        {"type": "reasoning", "id": "r2", "summary": [], "encrypted_content": "E"},
        instructions="a",
    ).conversation  # fmt: skip
    assert conversation.system == (Text("a"), Text("b"))
    question, answer, result, thought = conversation.turns
    assert question == user(Text("q"))
    assert (answer.phase, answer.parts) == (
        "commentary",
        (
            Reasoning(text="t", summary=True, id="rs"),
            Reasoning(
                text="u", summary=True, id="rs", sealed=Sealed("signature", "S", "anthropic", "g")
            ),
            Text("x"),
            ToolUse(id="c", name="f", arguments="{}", item_id="fc"),
        ),
    )
    assert result == user(ToolResult(id="c", parts=(Text("1"),)))
    assert thought == said(Reasoning(summary=True, id="r2", sealed=Sealed("encrypted", "E")))


@pytest.mark.parametrize(
    ("members", "stored"),
    [
        ({"previous_response_id": "resp_1"}, "resp_1"),
        ({"conversation": "conv_1"}, "conv_1"),
        ({"conversation": {"id": "conv_2"}}, "conv_2"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "msg_1"),
        ({"input": [{"id": "msg_2"}]}, "msg_2"),
    ],
)
def test_stored_state_is_refused_elsewhere(members: dict[str, Any], stored: str) -> None:
    request = OPENAI_RESPONSES.parse_request({"model": "a", "input": "hi", **members})
    assert request.conversation.previous_id == stored
    with pytest.raises(ClientWireError):
        OPENAI_CHAT.emit_request(request, model="up", profile=NATIVE)
    assert OPENAI_RESPONSES.emit_request(request, model="up", profile=NATIVE).losses == ()


@pytest.mark.parametrize(
    ("request_", "pointer"),
    [
        (chat("x"), "/messages/0"),  # type: ignore[arg-type]
        (chat({"content": "x"}), "/messages/0/role"),
        (chat({"role": "robot"}), "/messages/0/role"),
        (chat({"role": "user", "content": 5}), "/messages/0/content"),
        (chat({"role": "user", "content": [{"type": "text"}]}), "/messages/0/content/0/text"),
        (chat({"role": "tool", "content": "x"}), "/messages/0/tool_call_id"),
        (chat({"role": "function", "name": "f"}), "/messages/0/name"),
        (
            chat(
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ftp:x"}}]}
            ),
            "/messages/0/content/0/image_url/url",
        ),
        (
            chat(
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}],
                }
            ),
            "/messages/0/content/0/image_url/url",
        ),
        (chat(USER, tools=[{"type": "function"}]), "/tools/0/function"),
        (chat(USER, tool_choice="maybe"), "/tool_choice"),
        (chat(USER, response_format={"type": "xml"}), "/response_format/type"),
        (chat(USER, stop=[1]), "/stop/0"),
        (chat(USER, metadata={"a~/b": 1}), "/metadata/a~0~1b"),
        (OPENAI_CHAT.parse_request({"model": "a"}), "/messages"),
        (OPENAI_RESPONSES.parse_request({"model": "a"}), "/input"),
        (responses({}), "/input/0"),
        (responses({"type": "function_call"}), "/input/0/call_id"),
        (responses({"type": "reasoning", "summary": [{}]}), "/input/0/summary/0/text"),
        (responses({"role": "x", "content": []}), "/input/0/role"),
    ],
)
def test_wrong_content_is_refused_with_its_place(request_: Request, pointer: str) -> None:
    with pytest.raises(ClientWireError) as raised:
        _ = request_.conversation
    assert raised.value.pointer == pointer


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", ToolChoice(mode="none")),
        ("auto", ToolChoice(mode="auto")),
        ("required", ToolChoice(mode="any")),
    ],
)
def test_tool_choices_in_words(choice: str, expected: ToolChoice) -> None:
    assert chat(USER, tool_choice=choice).conversation.tool_choice == expected
    assert responses(USER, tool_choice=choice).conversation.tool_choice == expected


def test_tool_choices_by_name() -> None:
    named, allowed = ToolChoice(mode="named", names=("f",)), {"mode": "required"}
    subset = ToolChoice(mode="allowed", names=("f",), required=True)
    flat = {"type": "function", "name": "f"}
    nested = {"type": "function", "function": {"name": "f"}}
    cases = [
        (chat(USER, tool_choice=nested), named),
        (chat(USER, function_call={"name": "f"}), named),
        (responses(USER, tool_choice=flat), named),
        (chat(USER, tool_choice={"type": "allowed_tools", "allowed_tools": {**allowed, "tools": [nested]}}), subset),
        (responses(USER, tool_choice={"type": "allowed_tools", **allowed, "tools": [flat]}), subset),
        (responses(USER, tool_choice={"type": "mcp"}), ToolChoice(mode="server", names=("mcp",))),
    ]  # fmt: skip
    for request, expected in cases:
        assert request.conversation.tool_choice == expected


def test_members_without_a_word_are_reported_by_their_place() -> None:
    request = chat(
        {"role": "assistant", "content": "a", "annotations": [], "audio": None, "prefix": True},
        USER,
        prediction={"type": "content"},
    )
    losses = OPENAI_RESPONSES.emit_request(request, model="up", profile=NATIVE).losses
    assert {loss.path for loss in losses} == {"/messages/0/prefix", "/prediction"}
    request = responses(
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "namespace": "n"},
        {"type": "function_call_output", "call_id": "c", "output": ""},
        include=["reasoning.encrypted_content", "web_search_call.results"],
        reasoning={"effort": "low", "mode": "pro"},
        tools=[{"type": "function", "name": "f", "defer_loading": True}],
        truncation="auto",
    )
    losses = OPENAI_CHAT.emit_request(request, model="up", profile=NATIVE).losses
    assert {loss.path for loss in losses} == {
        "/input/0/namespace",
        "/include",
        "/reasoning/mode",
        "/tools/0/defer_loading",
        "/truncation",
    }


def test_cache_marks_are_read_in_both_spellings() -> None:
    for mark in ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "1h"}},
                 {"cache_control": {"type": "ephemeral", "ttl": "1h"}}):  # fmt: skip
        part = {"type": "text", "text": "x", **mark}
        (turn,) = chat({"role": "user", "content": [part]}).conversation.turns
        assert turn.parts == (Text("x", cache=CacheMark("1h")),)


def test_what_json_cannot_hold_cannot_be_written() -> None:
    for dialect in BOTH:
        with pytest.raises(ClientWireError):
            sent(dialect, talk(user(Text("\ud800"))))


# --- passing through


def test_the_same_dialect_passes_with_the_closed_list_of_edits() -> None:
    body = (
        b'{ "model":"a","hypereal": {"fallback":false}, "messages":[ ] ,"stream":true,"odd":1.50 }'
    )
    request = OPENAI_CHAT.parse_request(json.loads(body), body=body)
    emission = OPENAI_CHAT.emit_request(request, model="up", profile=NATIVE)
    assert emission.body == (
        b'{ "model":"up", "messages":[ ] ,"stream":true,"odd":1.50,'
        b'"stream_options":{"include_usage":true} }'
    )
    assert (emission.path, emission.losses) == ("/chat/completions", ())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, {"include_usage": True}),
        ({}, {"include_usage": True}),
        ({"include_usage": False, "x": 1}, {"include_usage": True, "x": 1}),
        ({"include_usage": True}, {"include_usage": True}),
    ],
)
def test_usage_is_always_asked_for_in_a_stream(options: object, expected: object) -> None:
    request = chat(USER, stream=True, stream_options=options)
    body = json.loads(OPENAI_CHAT.emit_request(request, model="up", profile=NATIVE).body)
    assert body["stream_options"] == expected
    whole = replace(request, stream=False)
    body = json.loads(OPENAI_CHAT.emit_request(whole, model="up", profile=NATIVE).body)
    assert (body["stream"], body.get("stream_options")) == (False, options)


def test_what_is_not_json_cannot_pass() -> None:
    with pytest.raises(ClientWireError):
        OPENAI_CHAT.emit_request(chat(USER, odd=b"bytes"), model="up", profile=NATIVE)
    broken = OPENAI_CHAT.parse_request({"model": "a"}, body=b"[]")
    with pytest.raises(ClientWireError):
        OPENAI_CHAT.emit_request(broken, model="up", profile=NATIVE)


def test_seals_lose_their_tag_at_home_and_leave_elsewhere() -> None:
    seals = ["hr1.openai.g.MINE", "hr1.anthropic.g.THEIRS", "hr1.openai.h.OTHERS", "BARE"]
    entries = [
        {"type": "reasoning", "id": f"rs_{n}", "summary": [], "encrypted_content": seal}
        for n, seal in enumerate(seals)
    ]
    raw = {"model": "a", "input": [*entries, USER]}
    for body in (json.dumps(raw).encode(), None):
        request = OPENAI_RESPONSES.parse_request(raw, body=body)
        home = Profile(vendor="openai", group="g")
        emission = OPENAI_RESPONSES.emit_request(request, model="up", profile=home)
        left = [item.get("encrypted_content") for item in json.loads(emission.body)["input"]]
        assert left == ["MINE", "BARE", None]
        assert [loss.path for loss in emission.losses] == ["/input/1", "/input/2"]


# --- writing


def test_a_whole_tool_round_trip_is_written_for_both() -> None:
    conversation = talk(
        user(Text("q")),
        said(Text("let me"), ToolUse(id="c1", name="f", arguments=""), ToolUse(id="c2", name="g", arguments='{"a":1}')),
        user(ToolResult(id="c1", parts=(Text("1"),)), ToolResult(id="c2", failed=True, parts=(Text("boom"),)), Text("go on")),
        system=(Text("s1"), Text("s2")),
        tools=(Tool(name="f"), Tool(name="g", description="d", schema={"type": "object"}, strict=True)),
        tool_choice=ToolChoice(mode="named", names=("g",)),
        parallel=False,
    )  # fmt: skip
    body, losses = sent(OPENAI_CHAT, conversation)
    assert body["messages"] == [
        {"role": "system", "content": "s1\n\ns2"},
        {"role": "user", "content": "q"},
        {
            "role": "assistant",
            "content": "let me",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": '{"a":1}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "tool", "tool_call_id": "c2", "content": "Error: boom"},
        {"role": "user", "content": "go on"},
    ]
    assert body["tools"][0] == {"type": "function", "function": {"name": "f"}}
    assert body["tool_choice"] == {"type": "function", "function": {"name": "g"}}
    assert body["parallel_tool_calls"] is False
    assert sorted(loss.kind for loss in losses) == ["approximated", "dropped"]
    body, again = sent(OPENAI_RESPONSES, conversation)
    assert body["instructions"] == "s1\n\ns2"
    assert [item.get("call_id") or item["role"] for item in body["input"]] == [
        "user", "assistant", "c1", "c2", "c1", "c2", "user",
    ]  # fmt: skip
    assert body["input"][-2]["output"] == "Error: boom"
    assert body["tools"][0] == {
        "type": "function",
        "name": "f",
        "parameters": None,
        "strict": False,
    }
    assert body["tool_choice"] == {"type": "function", "name": "g"}
    assert body["store"] is False
    assert again == losses


def test_images_in_results_move_behind_all_tool_messages_of_chat() -> None:
    image = Media(kind="image", source="data", value="QUJD", mime="image/png")
    conversation = talk(
        user(Text("q")),
        said(ToolUse(id="c1", name="f"), ToolUse(id="c2", name="f")),
        user(ToolResult(id="c1", parts=(Text("see"), image)), ToolResult(id="c2")),
    )
    body, losses = sent(OPENAI_CHAT, conversation)
    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "tool", "tool", "user"]
    (shown,) = body["messages"][-1]["content"]
    assert shown["image_url"]["url"] == "data:image/png;base64,QUJD"
    assert losses == [Loss("/messages/2", "moved", "a tool message holds text only")]
    body, losses = sent(OPENAI_RESPONSES, conversation)
    assert [part["type"] for part in body["input"][3]["output"]] == ["input_text", "input_image"]
    assert losses == []


def test_names_and_ids_that_do_not_fit_are_replaced_at_both_ends() -> None:
    name, identity = "mcp.files/read:all", "toolu|" + "x" * 90
    conversation = talk(
        user(Text("q")),
        said(ToolUse(id=identity, name=name)),
        user(ToolResult(id=identity)),
        tools=(Tool(name=name),),
        tool_choice=ToolChoice(mode="named", names=(name,)),
    )
    body, _ = sent(OPENAI_CHAT, conversation)
    (call,) = body["messages"][1]["tool_calls"]
    names = {
        call["function"]["name"],
        body["tools"][0]["function"]["name"],
        body["tool_choice"]["function"]["name"],
    }
    assert len(names) == 1
    assert name not in names
    assert call["id"] == body["messages"][2]["tool_call_id"] != identity
    body, _ = sent(OPENAI_RESPONSES, conversation)
    assert {
        body["input"][1]["name"],
        body["tools"][0]["name"],
        body["tool_choice"]["name"],
    } == names
    assert body["input"][1]["call_id"] == body["input"][2]["call_id"]
    assert len(body["input"][1]["call_id"]) <= 64


FULL = Sampling(
    temperature=0.2, top_p=0.9, top_k=5, seed=1, presence_penalty=1, frequency_penalty=1,
    logit_bias=MappingProxyType({"5": 1}), logprobs=True, top_logprobs=2,
)  # fmt: skip


def test_chat_losses() -> None:
    conversation = talk(
        sampling=FULL,
        stop=("a", "b", "c", "d", "e"),
        thinking=Thinking(budget=9_000, visible="summary"),
        metadata={"k": "v"},
        user="u",
        tier="standard_only",
        cache_key="ck",
        extensions={"anthropic.messages": {"context_management": {}}},
    )
    body, losses = sent(OPENAI_CHAT, conversation, OTHER)
    assert body["stop"] == ["a", "b", "c", "d"]
    assert (body["reasoning_effort"], body["service_tier"], body["user"]) == (
        "medium",
        "default",
        "u",
    )
    assert body["logit_bias"] == {"5": 1}
    assert {(loss.path, loss.kind) for loss in losses} == {
        ("/stop_sequences", "clamped"),
        ("/top_k", "dropped"),
        ("/thinking", "dropped"),
        ("/thinking", "approximated"),
        ("/metadata", "dropped"),
        ("/cache_key", "dropped"),
        ("/service_tier", "approximated"),
        ("/context_management", "dropped"),
    }
    body, _ = sent(OPENAI_CHAT, conversation, replace(NATIVE, options={"top_k": True}))
    assert (body["metadata"], body["safety_identifier"], body["top_k"]) == ({"k": "v"}, "u", 5)


def test_responses_losses() -> None:
    conversation = talk(sampling=FULL, stop=("a",), max_output=3, thinking=Thinking(budget="off"))
    body, losses = sent(OPENAI_RESPONSES, conversation)
    assert (body["max_output_tokens"], body["reasoning"]) == (16, {"effort": "none"})
    assert (body["top_logprobs"], body["include"]) == (2, ["message.output_text.logprobs"])
    assert {(loss.path, loss.kind) for loss in losses} == {
        ("/stop_sequences", "dropped"),
        ("/seed", "dropped"),
        ("/top_k", "dropped"),
        ("/presence_penalty", "dropped"),
        ("/frequency_penalty", "dropped"),
        ("/logit_bias", "dropped"),
        ("/max_tokens", "clamped"),
    }


CALL, RESULT = ToolUse(id="c", name="f"), ToolResult(id="c")


@pytest.mark.parametrize(
    ("dialect", "conversation"),
    [
        *((dialect, talk(user(RESULT))) for dialect in BOTH),
        *((dialect, talk(user(Text("q")), said(CALL))) for dialect in BOTH),
        *((dialect, talk(user(Text("q")), said(Text("begin")))) for dialect in BOTH),
        *((dialect, talk(previous_id="resp_1")) for dialect in BOTH),
        *((dialect, talk(user(CALL), user(RESULT))) for dialect in BOTH),
        *(
            (dialect, talk(user(media)))
            for dialect in BOTH
            for media in (
                Media(kind="video", source="data", value="x", mime="video/mp4"),
                Media(kind="audio", source="data", value="x", mime="audio/flac"),
                Media(kind="audio", source="url", value="x"),
                Media(kind="image", source="file_id", value="x"),
                Media(kind="file", source="file_id", value="x"),
            )
        ),
        *(
            (dialect, talk(tools=(Tool(kind="server", name="code_execution", config={}),)))
            for dialect in BOTH
        ),
        *((dialect, talk(output=OutputSpec(modalities=("text", "audio")))) for dialect in BOTH),
        (OPENAI_CHAT, talk(user(Media(kind="file", source="url", value="https://e.org/a.pdf")))),
        (OPENAI_RESPONSES, talk(sampling=Sampling(n=2))),
    ],
)  # fmt: skip
def test_section_9_is_refused_and_never_lost(dialect: Dialect, conversation: Conversation) -> None:
    with pytest.raises(ClientWireError):
        sent(dialect, conversation)


def test_a_strict_schema_is_refused_where_none_is_kept() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    lacking = Profile(vendor="openai", does=frozenset({"tools"}))
    for dialect in BOTH:
        strict = talk(output=OutputSpec(form="json_schema", schema=schema, strict=True))
        with pytest.raises(ClientWireError):
            sent(dialect, strict, lacking)
        loose = talk(output=OutputSpec(form="json_schema", schema=schema))
        _, losses = sent(dialect, loose, lacking)
        assert [loss.kind for loss in losses] == ["dropped"]
        body, losses = sent(dialect, strict)
        form = body.get("text", {}).get("format") or body["response_format"]["json_schema"]
        assert (form["name"], form["strict"], form["schema"]) == ("response", True, schema)
        assert [loss.kind for loss in losses] == ["synthesised"]


def test_a_target_may_declare_prefill() -> None:
    able = Profile(options={"prefill": True})
    body, _ = sent(OPENAI_CHAT, talk(user(Text("q")), said(Text("begin"))), able)
    assert body["messages"][-1] == {"role": "assistant", "content": "begin"}


def test_options_of_compatible_servers() -> None:
    conversation = talk(
        user(Text("q")), said(Reasoning(text="hm"), Text("a")), user(Text("b")), max_output=5
    )
    able = Profile(options={"reasoning_content": True, "max_tokens": True})
    body, losses = sent(OPENAI_CHAT, conversation, able)
    assert (body["messages"][1]["reasoning_content"], body["max_tokens"]) == ("hm", 5)
    assert losses == []
    body, losses = sent(OPENAI_CHAT, conversation)
    assert (len(losses), body["max_completion_tokens"]) == (1, 5)


def test_thinking_goes_back_only_to_its_maker() -> None:
    def history(sealed: Sealed) -> Conversation:
        return talk(
            user(Text("q")),
            said(Reasoning(text="t", id="rs"), Reasoning(text="u", id="rs", sealed=sealed), CALL),
            user(RESULT),
        )

    home = Profile(vendor="openai", group="g")
    body, losses = sent(OPENAI_RESPONSES, history(Sealed("encrypted", "E", "openai", "g")), home)
    assert body["input"][1] == {
        "type": "reasoning",
        "id": "rs",
        "summary": [{"type": "summary_text", "text": text} for text in "tu"],
        "encrypted_content": "E",
    }
    assert losses == []
    for sealed in (Sealed("encrypted", "E", "openai", "h"), Sealed("signature", "E")):
        body, losses = sent(OPENAI_RESPONSES, history(sealed), home)
        assert "reasoning" not in [item["type"] for item in body["input"]]
        assert losses[-1].kind == "dropped"


def test_cache_marks_go_to_openai_with_the_nearest_life_not_shorter() -> None:
    marks = [CacheMark(), CacheMark("5m"), CacheMark("1h"), CacheMark("30m"), CacheMark("odd")]
    conversation = talk(user(*(Text("x", cache=mark) for mark in marks)))
    for dialect, path in ((OPENAI_CHAT, "messages"), (OPENAI_RESPONSES, "input")):
        body, losses = sent(dialect, conversation)
        lives = [part["prompt_cache_breakpoint"].get("ttl") for part in body[path][0]["content"]]
        assert lives == [None, "30m", "12h", "30m", "30m"]
        assert [loss.kind for loss in losses] == ["approximated"]
        body, losses = sent(dialect, conversation, OTHER)
        assert "prompt_cache_breakpoint" not in json.dumps(body)
        assert [loss.kind for loss in losses] == ["dropped"]


def test_documents() -> None:
    pdf = Media(
        kind="file",
        source="data",
        value="QUJD",
        mime="application/pdf",
        name="a.pdf",
        extra={"title": "T"},
    )
    note = Media(kind="file", source="data", value="aMO8", mime="text/plain")
    link = Media(kind="file", source="url", value="https://e.org/a.pdf")
    body, losses = sent(OPENAI_CHAT, talk(user(pdf, note)))
    file, text = body["messages"][0]["content"]
    assert file["file"] == {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}
    assert text == {"type": "text", "text": "hü"}
    assert [loss.kind for loss in losses] == ["dropped", "approximated"]
    body, _ = sent(OPENAI_RESPONSES, talk(user(pdf, note, link)))
    assert [part["type"] for part in body["input"][0]["content"]] == [
        "input_file", "input_text", "input_file",
    ]  # fmt: skip


def test_what_only_another_dialect_can_say_is_reported() -> None:
    odd = Opaque("anthropic.messages", {"type": "search_result"})
    search = ServerTool(dialect="anthropic.messages", kind="web_search", phase="call", value={})
    cited = Text("x", citations=({"url": "https://e.org"},))
    conversation = talk(user(odd, Text("q")), said(search, cited), user(Text("r")))
    for dialect in BOTH:
        _, losses = sent(dialect, conversation)
        assert [loss.kind for loss in losses] == ["dropped", "dropped", "dropped"]


def test_web_search_is_mapped_and_its_own_limits_reported() -> None:
    config = {"type": "web_search_20250305", "allowed_domains": ["e.org"], "max_uses": 3,
              "user_location": {"type": "approximate", "city": "Köln"}}  # fmt: skip
    tool = Tool(kind="server", name="web_search", config=config, dialect="anthropic.messages")
    body, losses = sent(OPENAI_RESPONSES, talk(tools=(tool,)))
    assert body["tools"] == [
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["e.org"]},
            "user_location": {"type": "approximate", "city": "Köln"},
        }
    ]
    assert [loss.path for loss in losses] == ["/tools/max_uses"]
    able = Profile(vendor="openai", does=frozenset({"web_search"}))
    body, losses = sent(OPENAI_CHAT, talk(tools=(tool,)), able)
    place = {"type": "approximate", "approximate": {"city": "Köln"}}
    assert body["web_search_options"] == {"user_location": place}
    assert len(losses) == 2
    body, _ = sent(OPENAI_CHAT, talk(tools=(tool,)))
    assert "web_search_options" not in body


def test_codex_tools_never_reach_a_chat_upstream() -> None:
    tools = [
        {"type": "function", "name": "shell", "parameters": {}, "strict": False},
        {"type": "custom", "name": "apply_patch",
         "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
        {"type": "namespace", "name": "mcp", "tools": []},
        {"type": "tool_search"},
        {"type": "web_search"},
    ]  # fmt: skip
    emission = OPENAI_CHAT.emit_request(responses(USER, tools=tools), model="up", profile=NATIVE)
    assert [tool["type"] for tool in json.loads(emission.body)["tools"]] == ["function", "custom"]
    assert {loss.path for loss in emission.losses} == {"/tools"}


def test_a_custom_grammar_is_nested_in_chat_and_flat_in_responses() -> None:
    flat = {"type": "grammar", "syntax": "lark", "definition": "x"}
    nested = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}
    tool = {"type": "custom", "name": "p"}
    across = OPENAI_CHAT.emit_request(
        responses(USER, tools=[{**tool, "format": flat}]), model="up", profile=NATIVE
    )
    assert json.loads(across.body)["tools"][0]["custom"]["format"] == nested
    back = OPENAI_RESPONSES.emit_request(
        chat(USER, tools=[{"type": "custom", "custom": {"name": "p", "format": nested}}]),
        model="up",
        profile=NATIVE,
    )
    assert json.loads(back.body)["tools"][0]["format"] == flat


def test_a_choice_without_tools_is_dropped() -> None:
    for dialect in BOTH:
        body, losses = sent(dialect, talk(tool_choice=ToolChoice(mode="any")))
        assert "tool_choice" not in body
        assert [loss.kind for loss in losses] == ["dropped"]


def test_allowed_tools_where_the_target_knows_no_such_choice() -> None:
    conversation = talk(
        tools=(Tool(name="f"), Tool(name="g")),
        tool_choice=ToolChoice(mode="allowed", names=("g",), required=True),
    )
    body, losses = sent(OPENAI_CHAT, conversation, OTHER)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["g"]
    assert (body["tool_choice"], len(losses)) == ("required", 1)
    body, losses = sent(OPENAI_CHAT, conversation)
    assert body["tool_choice"]["allowed_tools"]["mode"] == "required"
    assert (len(body["tools"]), losses) == (2, [])


def test_streams_ask_for_usage_in_their_own_way() -> None:
    body, _ = sent(OPENAI_CHAT, talk(), stream=True)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    body, _ = sent(OPENAI_RESPONSES, talk(), stream=True)
    assert body["stream"] is True
    assert "stream_options" not in body


def test_phases_and_mid_conversation_instructions() -> None:
    conversation = talk(
        user(Text("q")),
        Turn(role="assistant", parts=(Text("a"),), phase="commentary"),
        Turn(role="system", parts=(Text("now"),)),
        Turn(role="user", parts=(Text("b"),), name="ann"),
    )
    body, losses = sent(OPENAI_RESPONSES, conversation)
    assert body["input"][1]["phase"] == "commentary"
    assert body["input"][2]["role"] == "system"
    assert [loss.kind for loss in losses] == ["dropped"]
    body, losses = sent(OPENAI_CHAT, conversation)
    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "system", "user"]
    assert (body["messages"][3]["name"], len(losses)) == ("ann", 1)
