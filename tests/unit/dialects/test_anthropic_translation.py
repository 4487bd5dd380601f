"""Messages requests: content into the canon, and conversations of other dialects out of it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from hyperroute.canon.content import (
    CacheMark,
    Media,
    Opaque,
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
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import NO_PROFILE, Emission, Profile
from hyperroute.errors import ClientWireError

USER = Turn(role="user", parts=(Text("hi"),))
BASE = Conversation(turns=(USER,), max_output=100)
TOOL = Tool(name="f", schema={"type": "object", "properties": {}})
CALL = Turn(role="assistant", parts=(ToolUse(id="t1", name="f", arguments='{"a":1}'),))
RESULT = Turn(role="user", parts=(ToolResult(id="t1", parts=(Text("ok"),)),))


def decoded(**raw: Any) -> Conversation:
    return ANTHROPIC_MESSAGES.parse_request({"messages": [], **raw}).conversation


def parts_of(*blocks: dict[str, Any], role: str = "user") -> tuple[object, ...]:
    return decoded(messages=[{"role": role, "content": list(blocks)}]).turns[0].parts


def sent(
    conversation: Conversation, *, profile: Profile = NO_PROFILE, dialect: str = "openai.chat"
) -> Emission:
    request = Request(
        dialect=dialect, endpoint="chat", raw={}, decode=lambda _: conversation, stream=False
    )
    return ANTHROPIC_MESSAGES.emit_request(request, model="up", profile=profile)


def body_of(conversation: Conversation, *, profile: Profile = NO_PROFILE) -> Any:
    return json.loads(sent(conversation, profile=profile).body)


def losses_of(conversation: Conversation, *, profile: Profile = NO_PROFILE) -> set[tuple[str, str]]:
    return {(loss.path, loss.kind) for loss in sent(conversation, profile=profile).losses}


def turns(*more: Turn, **changes: Any) -> Conversation:
    return replace(BASE, turns=more, **changes)


# ---- reading


def test_every_kind_of_block_is_read():
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert parts_of(
        {"type": "text", "text": "a", **mark},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {
            "type": "document",
            "title": "t",
            "context": "c",
            "source": {"type": "text", "media_type": "text/plain", "data": "hé"},
        },
        {
            "type": "tool_result",
            "tool_use_id": "t1",
            "is_error": True,
            "content": [{"type": "text", "text": "bad"}, {"type": "tool_result"}],
        },
        {"type": "search_result", "title": "x"},
    ) == (
        Text("a", cache=CacheMark("1h")),
        Media(kind="image", source="data", value="aGk=", mime="image/png"),
        Media(kind="image", source="file_id", value="file_1"),
        Media(
            kind="file",
            source="data",
            value="aMOp",
            mime="text/plain",
            name="t",
            extra={"context": "c"},
        ),
        ToolResult(
            id="t1",
            failed=True,
            parts=(Text("bad"), Opaque("anthropic.messages", {"type": "tool_result"})),
        ),
        Opaque("anthropic.messages", {"type": "search_result", "title": "x"}),
    )


def test_thinking_is_read_with_its_seal():
    assert parts_of(
        {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
        {"type": "thinking", "thinking": "x", "signature": "hr1.openai.eu.encrypted:abc"},
        {"type": "redacted_thinking", "data": "Emw"},
        role="assistant",
    ) == (
        Reasoning(text="hm", sealed=Sealed("signature", "EqQB")),
        Reasoning(text="x", sealed=Sealed("encrypted", "abc", "openai", "eu")),
        Reasoning(redacted=True, sealed=Sealed("redacted", "Emw")),
    )


def test_a_carried_seal_returns_to_its_call():
    carrier = {"type": "thinking", "thinking": "", "signature": "hr1.google..Zm9v"}
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"b": 1, "a": [2]}}
    assert parts_of(carrier, call, role="assistant") == (
        ToolUse(
            id="t",
            name="f",
            arguments='{"b":1,"a":[2]}',
            sealed=Sealed("signature", "Zm9v", "google"),
        ),
    )


def test_settings_are_read():
    asked = decoded(
        system="s",
        max_tokens=5,
        tools=[
            {"name": "f", "input_schema": {"type": "object"}, "strict": True},
            {"type": "bash_20250124", "name": "bash"},
        ],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
        output_config={
            "effort": "max",
            "format": {"type": "json_schema", "schema": {"a": 1}},
            "x": 1,
        },
        stop_sequences=["END"],
        top_k=3,
        metadata={"user_id": "u", "other": 1},
        context_management={"edits": []},
        container=None,
    )
    assert asked.system == (Text("s"),)
    assert asked.tools[0] == Tool(name="f", schema={"type": "object"}, strict=True)
    assert (asked.tools[1].kind, asked.tools[1].name) == ("server", "bash_20250124")
    assert asked.tool_choice == ToolChoice(mode="named", names=("f",))
    assert asked.parallel is False
    assert asked.thinking == Thinking(effort="max", budget=2048, visible="none")
    assert asked.output == OutputSpec(form="json_schema", schema={"a": 1})
    assert asked.sampling == Sampling(top_k=3)
    assert (asked.max_output, asked.stop, asked.user) == (5, ("END",), "u")
    assert asked.extensions == {
        "anthropic.messages": {
            "context_management": {"edits": []},
            "output_config": {"x": 1},
            "metadata": {"other": 1},
        }
    }


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"thinking": {"type": "disabled"}}, Thinking(budget="off")),
        ({"thinking": {"type": "adaptive", "display": "summarized"}}, Thinking(budget="auto", visible="summary")),
        ({"output_config": {"effort": "low"}}, Thinking(effort="low")),
        ({}, None),
    ],
)  # fmt: skip
def test_thinking_is_read(said, read):
    assert decoded(**said).thinking == read


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ({"messages": None}, "/messages"),
        ({"messages": [3]}, "/messages/0"),
        ({"messages": [{"role": "tool", "content": ""}]}, "/messages/0/role"),
        ({"messages": [{"role": "user"}]}, "/messages/0/content"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "/messages/0/content/0/type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "/messages/0/content/0/text"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "/messages/0/content/0/source"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "x", "name": "f", "input": []}]}]}, "/messages/0/content/0/input"),
        ({"tools": [{"input_schema": {}}]}, "/tools/0/name"),
        ({"tool_choice": {"type": "some"}}, "/tool_choice/type"),
        ({"thinking": {"type": "enabled"}}, "/thinking/budget_tokens"),
        ({"thinking": {"type": "deep"}}, "/thinking/type"),
        ({"output_config": {"format": {"type": "xml"}}}, "/output_config/format/type"),
        ({"stop_sequences": ["a", 1]}, "/stop_sequences/1"),
        ({"temperature": "hot"}, "/temperature"),
    ],
)  # fmt: skip
def test_malformed_content_is_refused_with_its_place(raw, pointer):
    with pytest.raises(ClientWireError) as caught:
        decoded(**raw)
    assert caught.value.pointer == pointer


# ---- writing


def test_a_plain_question_is_written_plainly():
    emission = sent(BASE)
    assert json.loads(emission.body) == {
        "model": "up",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "hi"}],
    }
    assert emission.losses == ()
    assert emission.headers == (("anthropic-version", "2023-06-01"),)


@pytest.mark.parametrize(
    ("limit", "thinking", "sent_tokens"),
    [(None, None, 4096), (64_000, None, 64_000), (None, Thinking(effort="low"), 5120)],
)
def test_a_missing_max_tokens_is_made_up_and_told(limit, thinking, sent_tokens):
    asked = replace(BASE, max_output=None, thinking=thinking)
    profile = Profile(model_max_output_tokens=limit)
    assert body_of(asked, profile=profile)["max_tokens"] == sent_tokens
    assert ("/max_completion_tokens", "synthesised") in losses_of(asked, profile=profile)


def test_too_large_a_max_tokens_is_clamped():
    profile = Profile(model_max_output_tokens=50)
    assert body_of(BASE, profile=profile)["max_tokens"] == 50
    assert losses_of(BASE, profile=profile) == {("/max_completion_tokens", "clamped")}


def test_results_of_one_turn_are_gathered_first_in_the_next():
    asked = turns(
        USER,
        Turn(role="assistant", parts=(Text("a"), ToolUse(id="1", name="f"), ToolUse(id="2", name="f"))),
        Turn(role="user", parts=(ToolResult(id="1", parts=(Text("x"),)),)),
        Turn(role="user", parts=(Text("and"), ToolResult(id="2", failed=True))),
        tools=(TOOL,),
    )  # fmt: skip
    assert body_of(asked)["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "1", "content": "x"},
        {"type": "tool_result", "tool_use_id": "2", "is_error": True},
        {"type": "text", "text": "and"},
    ]
    assert losses_of(asked) == {("/messages", "moved")}


@pytest.mark.parametrize(
    "history",
    [
        (USER, CALL),
        (USER, CALL, USER),
        (USER, RESULT),
        (USER, CALL, RESULT, RESULT),
        (USER, CALL, Turn(role="system", parts=(Text("x"),)), RESULT),
        (USER, Turn(role="assistant", parts=(Text("prefill"),))),
        (),
    ],
)
def test_what_must_not_be_lost_is_refused(history):
    with pytest.raises(ClientWireError):
        sent(turns(*history, tools=(TOOL,)))


def test_prefill_goes_where_the_target_declares_it():
    asked = turns(USER, Turn(role="assistant", parts=(Text("{"),)))
    messages = body_of(asked, profile=Profile(options={"prefill": True}))["messages"]
    assert messages[-1] == {"role": "assistant", "content": "{"}


def test_instructions_in_mid_conversation_keep_their_place():
    asked = turns(USER, Turn(role="system", parts=(Text("French"),)), USER, system=(Text("s"),))
    body = body_of(asked)
    assert body["system"] == "s"
    assert [message["role"] for message in body["messages"]] == ["user", "system", "user"]


def test_a_request_of_instructions_only_becomes_a_user_turn():
    asked = turns(system=(Text("s"), Text("t")))
    body = body_of(asked)
    assert "system" not in body
    assert [block["text"] for block in body["messages"][0]["content"]] == ["s", "t"]
    assert losses_of(asked) == {("/messages", "moved")}


def test_empty_text_is_left_out():
    asked = turns(Turn(role="user", parts=(Text(""), Text("a"))))
    assert body_of(asked)["messages"] == [{"role": "user", "content": "a"}]
    assert losses_of(asked) == set()


def test_arguments_are_objects_whatever_they_were():
    asked = turns(
        USER,
        Turn(
            role="assistant",
            parts=(
                ToolUse(id="1", name="f", arguments=""),
                ToolUse(id="2", name="f", arguments="[1]"),
                ToolUse(id="3", name="p", arguments="*** x", custom=True),
            ),
        ),
        Turn(role="user", parts=tuple(ToolResult(id=i) for i in "123")),
    )
    inputs = [block["input"] for block in body_of(asked)["messages"][1]["content"]]
    assert inputs == [{}, {"arguments": "[1]"}, {"input": "*** x"}]
    assert losses_of(asked) == {("/messages", "approximated")}


def test_ids_and_names_that_do_not_fit_are_replaced_at_both_ends():
    asked = turns(
        USER,
        Turn(role="assistant", parts=(ToolUse(id="call:1", name="my.tool"),)),
        Turn(role="user", parts=(ToolResult(id="call:1"),)),
        tools=(Tool(name="my.tool"),),
        tool_choice=ToolChoice(mode="named", names=("my.tool",)),
    )
    body = body_of(asked)
    use = body["messages"][1]["content"][0]
    assert use["id"] == body["messages"][2]["content"][0]["tool_use_id"] != "call:1"
    assert use["name"] == body["tools"][0]["name"] == body["tool_choice"]["name"] != "my.tool"


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        (ToolChoice(mode="none"), None, {"type": "none"}),
        (ToolChoice(mode="any"), None, {"type": "any"}),
        (ToolChoice(mode="named", names=("f",)), True, {"type": "tool", "name": "f"}),
        (ToolChoice(mode="any"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(mode="none"), False, {"type": "none"}),
        (None, None, None),
    ],
)
def test_the_choice_among_tools(choice, parallel, written):
    asked = replace(BASE, tools=(TOOL,), tool_choice=choice, parallel=parallel)
    assert body_of(asked).get("tool_choice") == written


def test_allowed_tools_are_the_only_ones_sent():
    asked = replace(
        BASE,
        tools=(TOOL, Tool(name="g")),
        tool_choice=ToolChoice(mode="allowed", names=("g",), required=True),
    )
    body = body_of(asked)
    assert [tool["name"] for tool in body["tools"]] == ["g"]
    assert body["tools"][0]["input_schema"] == {"type": "object", "properties": {}}
    assert body["tool_choice"] == {"type": "any"}
    assert losses_of(asked) == {("/tool_choice", "approximated")}


def test_a_choice_without_tools_is_dropped():
    asked = replace(BASE, tool_choice=ToolChoice(mode="any"))
    assert "tool_choice" not in body_of(asked)
    assert losses_of(asked) == {("/tool_choice", "dropped")}


def test_strict_goes_only_with_a_schema_that_can_be_strict():
    loose = Tool(name="f", schema={"type": "object", "properties": {}}, strict=True)
    closed = replace(
        loose, schema={"type": "object", "properties": {}, "additionalProperties": False}
    )
    assert "strict" not in body_of(replace(BASE, tools=(loose,)))["tools"][0]
    assert losses_of(replace(BASE, tools=(loose,))) == {("/tools/0/strict", "dropped")}
    assert body_of(replace(BASE, tools=(closed,)))["tools"][0]["strict"] is True


def test_web_search_crosses_and_other_server_tools_do_not():
    config = {"filters": {"allowed_domains": ["a.org"]}, "user_location": {"city": "Bern"}}
    search = Tool(kind="server", name="web_search", dialect="openai.responses", config=config)
    assert body_of(replace(BASE, tools=(search,)))["tools"] == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "allowed_domains": ["a.org"],
            "user_location": {"type": "approximate", "city": "Bern"},
        }
    ]
    with pytest.raises(ClientWireError) as caught:
        sent(replace(BASE, tools=(Tool(kind="server", name="code_interpreter"),)))
    assert caught.value.pointer == "/tools/0"


def test_sampling_of_the_old_version_goes_within_its_range():
    asked = replace(BASE, sampling=Sampling(temperature=1.5, top_p=0.9, top_k=4, seed=1, n=1))
    body = body_of(asked)
    assert (body["temperature"], body["top_p"], body["top_k"]) == (1, 0.9, 4)
    assert losses_of(asked) == {("/temperature", "clamped"), ("/seed", "dropped")}


def test_the_new_version_takes_no_sampling():
    asked = replace(BASE, sampling=Sampling(temperature=0.5, top_p=0.9))
    emission = sent(asked, profile=Profile(options={"anthropic_version": "2026-10-21"}))
    assert not {"temperature", "top_p"} & set(json.loads(emission.body))
    assert [loss.path for loss in emission.losses] == ["/temperature", "/top_p"]
    assert emission.headers == (("anthropic-version", "2026-10-21"),)


def test_several_answers_are_refused():
    with pytest.raises(ClientWireError) as caught:
        sent(replace(BASE, sampling=Sampling(n=2)))
    assert caught.value.pointer == "/n"


@pytest.mark.parametrize(
    ("asked", "kinds", "max_tokens", "written"),
    [
        (Thinking(effort="none"), ["enabled", "disabled"], 9000, {"thinking": {"type": "disabled"}}),
        (Thinking(effort="none"), ["adaptive"], 9000, {}),
        (Thinking(effort="low"), ["enabled"], 9000, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (Thinking(effort="minimal"), ["enabled"], 9000, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (Thinking(effort="high"), ["enabled"], 9000, {"thinking": {"type": "enabled", "budget_tokens": 8999}}),
        (Thinking(budget=3000), ["enabled"], 9000, {"thinking": {"type": "enabled", "budget_tokens": 3000}}),
        (Thinking(budget=3000), ["enabled"], 900, {}),
        (Thinking(effort="max"), ["adaptive"], 900, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}),
        (Thinking(effort="minimal"), ["adaptive"], 900, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        (Thinking(budget=8200), ["adaptive"], 900, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}}),
        (Thinking(budget="auto", visible="summary"), ["adaptive"], 900, {"thinking": {"type": "adaptive", "display": "summarized"}}),
        (Thinking(effort="high"), [], 9000, {}),
        (Thinking(), ["enabled"], 9000, {}),
    ],
)  # fmt: skip
def test_the_target_s_thinking_types_decide_how_it_is_asked(asked, kinds, max_tokens, written):
    profile = Profile(options={"thinking_types": kinds})
    body = body_of(replace(BASE, thinking=asked, max_output=max_tokens), profile=profile)
    assert {k: body[k] for k in ("thinking", "output_config") if k in body} == written


def test_a_budget_is_not_asked_for_in_a_loop_without_its_thinking():
    asked = turns(
        USER, CALL, RESULT, tools=(TOOL,), thinking=Thinking(budget=2000), max_output=9000
    )
    assert "thinking" not in body_of(asked)
    sealed = Reasoning(text="hm", sealed=Sealed("signature", "x", "anthropic"))
    signed = replace(CALL, parts=(sealed, *CALL.parts))
    profile = Profile(vendor="anthropic")
    body = body_of(replace(asked, turns=(USER, signed, RESULT)), profile=profile)
    assert body["thinking"]["budget_tokens"] == 2000
    assert body["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "hm",
        "signature": "x",
    }


def test_a_budget_gives_way_to_a_forced_tool():
    asked = replace(
        BASE,
        tools=(TOOL,),
        tool_choice=ToolChoice(mode="any"),
        thinking=Thinking(budget=2000),
        max_output=9000,
    )
    body = body_of(asked)
    assert "thinking" not in body
    assert body["tool_choice"] == {"type": "any"}


def test_foreign_seals_and_refusals_in_history():
    asked = turns(
        USER,
        Turn(
            role="assistant",
            parts=(
                Reasoning(text="hm", sealed=Sealed("encrypted", "x", "openai")),
                Refusal("no"),
                ServerTool(dialect="openai.responses", kind="web_search", phase="call", value={}),
            ),
        ),
        USER,
    )
    assert body_of(asked)["messages"][1]["content"] == "no"
    kinds = [loss.kind for loss in sent(asked).losses]
    assert kinds == ["dropped", "approximated", "dropped"]


def test_structured_output():
    schema = {"type": "object"}
    spec = OutputSpec(form="json_schema", name="n", schema=schema, strict=True)
    asked = replace(BASE, output=spec)
    assert body_of(asked)["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    profile = Profile(does=frozenset({"tools"}))
    with pytest.raises(ClientWireError):
        sent(asked, profile=profile)
    loose = replace(BASE, output=replace(spec, strict=None))
    assert json.dumps(schema, separators=(",", ":")) in body_of(loose, profile=profile)["system"]
    plain = replace(BASE, output=OutputSpec(form="json_object"), system=(Text("s"),))
    assert len(body_of(plain)["system"]) == 2
    assert losses_of(plain) == {("/response_format", "approximated")}


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="audio", source="data", value="aGk=", mime="audio/wav"),
        Media(kind="video", source="url", value="https://e.org/a.mp4"),
        Media(kind="image", source="file_id", value="file-1"),
        Media(kind="image", source="data", value="aGk=", mime="image/tiff"),
        Media(kind="file", source="data", value="aGk=", mime="application/zip"),
        Media(kind="file", source="data", value="//8=", mime="text/plain"),
        Media(kind="image", source="url", value="ftp://e.org/a"),
    ],
)
def test_media_that_cannot_be_said_is_refused(media):
    with pytest.raises(ClientWireError):
        sent(turns(Turn(role="user", parts=(media,))))


def test_media_that_can_be_said():
    asked = turns(
        Turn(
            role="user",
            parts=(
                Media(kind="image", source="data", value="aGk=", mime="image/PNG", detail="high"),
                Media(kind="file", source="data", value="aGk=", mime="text/csv", name="a.csv"),
                Media(kind="file", source="data", value="aGk=", mime="application/pdf"),
            ),
        )
    )
    assert body_of(asked)["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {
            "type": "document",
            "title": "a.csv",
            "source": {"type": "text", "media_type": "text/plain", "data": "hi"},
        },
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
        },
    ]
    assert losses_of(asked) == {("/messages", "dropped")}


def test_at_most_four_breakpoints_go():
    marked = tuple(Text(str(i), cache=CacheMark("30m" if i == 0 else None)) for i in range(6))
    asked = turns(Turn(role="user", parts=marked))
    blocks = body_of(asked)["messages"][0]["content"]
    assert ["cache_control" in block for block in blocks] == [True] * 4 + [False] * 2
    assert blocks[0]["cache_control"]["ttl"] == "1h"
    assert {loss.kind for loss in sent(asked).losses} == {"approximated", "dropped"}


def test_what_only_the_source_knows_is_told():
    asked = replace(
        BASE,
        user="u",
        metadata={"a": "b"},
        tier="flex",
        cache_key="k",
        store=True,
        extensions={"openai.chat": {"prediction": {}}},
        output=OutputSpec(verbosity="low", modalities=("text", "audio")),
    )
    assert body_of(asked)["metadata"] == {"user_id": "u"}
    assert losses_of(asked) == {
        (path, "dropped")
        for path in (
            "/metadata",
            "/service_tier",
            "/prompt_cache_key",
            "/store",
            "/prediction",
            "/verbosity",
            "/modalities",
        )
    }


def test_losses_of_a_gemini_request_point_into_it():
    call = ToolUse(id="1", name="f", sealed=Sealed("signature", "x"))
    asked = turns(
        USER,
        Turn(role="assistant", parts=(Text("a"), call)),
        Turn(role="user", parts=(ToolResult(id="1"),)),
        sampling=Sampling(seed=3),
    )
    emission = sent(asked, profile=Profile(vendor="anthropic"), dialect="gemini.generate")
    assert emission.losses == (
        Loss("/generationConfig/seed", "dropped", "no such parameter here"),
        Loss("/contents/1/parts/1", "dropped", "a signature of another vendor"),
    )


def test_stored_state_of_another_vendor_is_refused():
    with pytest.raises(ClientWireError) as caught:
        sent(replace(BASE, previous_id="resp_1"), dialect="openai.responses")
    assert caught.value.pointer == "/previous_response_id"
