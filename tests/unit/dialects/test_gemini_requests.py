"""Gemini requests: the head, passing through, content into the canon and out of it."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from hyperroute.canon.content import (
    CacheMark,
    Media,
    Opaque,
    Reasoning,
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
from hyperroute.dialects.base import NO_PROFILE, Emission, Profile
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.dialects.gemini_spelling import DUMMY_SIGNATURE
from hyperroute.errors import ClientWireError

USER = Turn(role="user", parts=(Text("hi"),))
BASE = Conversation(turns=(USER,))
TOOL = Tool(name="f", schema={"type": "object"})
USE = ToolUse(id="t1", name="f", arguments='{"a":1}')
CALL = Turn(role="assistant", parts=(USE,))
RESULT = Turn(role="user", parts=(ToolResult(id="t1", parts=(Text("ok"),)),))
GOOGLE = Profile(vendor="google")


def request_of(**raw: Any) -> Request:
    return GEMINI_GENERATE.parse_request({"contents": [], **raw})


def decoded(**raw: Any) -> Conversation:
    return request_of(**raw).conversation


def parts_of(*parts: dict[str, Any], role: str = "user") -> tuple[object, ...]:
    return decoded(contents=[{"role": role, "parts": list(parts)}]).turns[0].parts


def sent(
    conversation: Conversation,
    *,
    profile: Profile = NO_PROFILE,
    dialect: str = "openai.chat",
    stream: bool = False,
) -> Emission:
    request = Request(
        dialect=dialect, endpoint="chat", raw={}, decode=lambda _: conversation, stream=stream
    )
    return GEMINI_GENERATE.emit_request(request, model="up", profile=profile)


def body_of(conversation: Conversation, *, profile: Profile = NO_PROFILE) -> Any:
    return json.loads(sent(conversation, profile=profile).body)


def config_of(conversation: Conversation, *, profile: Profile = NO_PROFILE) -> Any:
    return body_of(conversation, profile=profile).get("generationConfig", {})


def losses_of(conversation: Conversation, *, profile: Profile = NO_PROFILE) -> set[tuple[str, str]]:
    return {(loss.path, loss.kind) for loss in sent(conversation, profile=profile).losses}


def turns(*more: Turn, **changes: Any) -> Conversation:
    return replace(BASE, turns=more, **changes)


# ---- the head


def test_the_head_says_what_routing_needs():
    request = request_of(
        model="models/gemini-3-pro",
        stream=True,
        contents=[
            {
                "parts": [
                    {"inline_data": {"mime_type": "image/png", "data": ""}},
                    {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://a"}},
                    {"inlineData": {"mimeType": "audio/wav", "data": ""}},
                ]
            }
        ],
        tools=[{"function_declarations": [{"name": "f"}]}, {"googleSearch": {}}],
        generation_config={
            "max_output_tokens": 9,
            "temperature": 1,
            "responseLogprobs": True,
            "responseMimeType": "application/json",
            "thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True},
        },
        hyperroute={"fallback": False},
    )
    assert (request.model, request.stream, request.max_output) == ("gemini-3-pro", True, 9)
    assert request.features == {
        "vision",
        "pdf",
        "audio_in",
        "tools",
        "logprobs",
        "json_object",
        "thinking",
        "effort",
    }
    assert request.parameters == {"temperature": 1, "effort": "high"}
    assert not request.narrowing.fallback


def test_no_thinking_is_no_need():
    config = {"thinkingConfig": {"thinkingBudget": 0}}
    assert request_of(generationConfig=config).features == frozenset()


def test_pictures_in_results_need_vision():
    media = {"inlineData": {"mimeType": "image/png", "data": ""}}
    part = {"functionResponse": {"name": "f", "parts": [media]}}
    assert request_of(contents=[{"parts": [part]}]).features == {"vision"}


# ---- passing through


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-3-pro", False, "/models/gemini-3-pro:generateContent"),
        ("gemini-3-pro", True, "/models/gemini-3-pro:streamGenerateContent?alt=sse"),
        ("tunedModels/x", False, "/tunedModels/x:generateContent"),
        ("a?b#c:d", False, "/models/a%3Fb%23c%3Ad:generateContent"),
    ],
)
def test_the_path_says_model_and_streaming(model, stream, path):
    request = request_of(model="m", stream=stream)
    assert GEMINI_GENERATE.emit_request(request, model=model, profile=NO_PROFILE).path == path


def test_only_our_own_members_are_removed():
    raw = {
        "model": "m",
        "contents": [{"parts": [{"text": "s\u2028"}]}],
        "stream": True,
        "hypereal": {"cache": False},
        "generation_config": {"topK": 1.50},
    }
    body = json.dumps(raw, indent=1).encode()
    request = GEMINI_GENERATE.parse_request(raw, body=body)
    emission = GEMINI_GENERATE.emit_request(request, model="up", profile=NO_PROFILE)
    kept = {k: v for k, v in raw.items() if k not in {"model", "stream", "hypereal"}}
    assert json.loads(emission.body) == kept
    assert b'{\n   "topK": 1.5\n  }' in emission.body or b'"topK": 1.5' in emission.body
    assert emission.losses == ()


def test_a_body_that_says_no_model_passes_untouched():
    body = b'{ "contents" : [ ] }'
    raw = {**json.loads(body), "model": "m", "stream": True}
    request = GEMINI_GENERATE.parse_request(raw, body=body)
    assert GEMINI_GENERATE.emit_request(request, model="up", profile=NO_PROFILE).body == body


def tag(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_tagged_seals_are_opened_for_their_vendor_and_removed_for_others():
    raw = {
        "contents": [
            {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True, "thoughtSignature": tag("hr1.anthropic..x")},
                    {"text": "a", "thought_signature": tag("hr1.anthropic..x")},
                    {"functionCall": {"name": "f"}, "thoughtSignature": tag("hr1.anthropic..x")},
                    {"text": "b", "thoughtSignature": tag("hr1.google.eu.c2ln")},
                    {"text": "c", "thoughtSignature": "c2ln"},
                ],
            }
        ]
    }
    profile = Profile(vendor="google", group="eu")
    emission = GEMINI_GENERATE.emit_request(request_of(**raw), model="up", profile=profile)
    assert json.loads(emission.body)["contents"][0]["parts"] == [
        {"text": ""},
        {"text": "a"},
        {"functionCall": {"name": "f"}, "thoughtSignature": DUMMY_SIGNATURE},
        {"text": "b", "thoughtSignature": "c2ln"},
        {"text": "c", "thoughtSignature": "c2ln"},
    ]
    assert [loss.path for loss in emission.losses] == [
        "/contents/0/parts/0",
        "/contents/0/parts/1",
        "/contents/0/parts/2",
    ]


def test_the_caller_s_model_name_is_told_everywhere():
    chunk = b'data: {"candidates": [], "modelVersion": "up"}\n\n'
    assert GEMINI_GENERATE.tell_model(chunk, "mine") == chunk.replace(b'"up"', b'"mine"')


# ---- reading


def test_every_kind_of_part_is_read_in_both_spellings():
    assert parts_of(
        {"text": "a", "thoughtSignature": "c2ln"},
        {"text": "hm", "thought": True, "thought_signature": tag("hr1.anthropic..Eq")},
        {"inline_data": {"mime_type": "image/png", "data": "_-8="}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v"}, "videoMetadata": {"fps": 1}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://e.org/a.png"}},
        {"executableCode": {"code": "1"}},
        {"code_execution_result": {"output": "1"}},
        {"somethingNew": 1},
    ) == (
        Text("a", sealed=Sealed("signature", "c2ln")),
        Reasoning(text="hm", sealed=Sealed("signature", "Eq", "anthropic")),
        Media(kind="image", source="data", value="/+8=", mime="image/png"),
        Media(
            kind="video",
            source="file_id",
            value="gs://b/v",
            mime="video/mp4",
            extra={"videoMetadata": {"fps": 1}},
        ),
        Media(kind="image", source="url", value="https://e.org/a.png", mime="image/png"),
        ServerTool(
            dialect="gemini.generate",
            kind="code_execution",
            phase="call",
            value={"executableCode": {"code": "1"}},
        ),
        ServerTool(
            dialect="gemini.generate",
            kind="code_execution",
            phase="result",
            value={"code_execution_result": {"output": "1"}},
        ),
        Opaque("gemini.generate", {"somethingNew": 1}),
    )


def call(name: str, ident: str | None = None) -> dict[str, Any]:
    return {"functionCall": {"name": name} if ident is None else {"name": name, "id": ident}}


def response(name: str, said: Any, ident: str | None = None) -> dict[str, Any]:
    body = {"name": name, "response": said}
    return {"functionResponse": body if ident is None else {**body, "id": ident}}


def test_responses_find_their_calls_by_id_else_name_else_order():
    asked = decoded(
        contents=[
            {
                "role": "model",
                "parts": [call("f"), call("f", "call_0"), call("g"), call("h"), call("f")],
            },
            {
                "parts": [
                    response("g", {"a": 1}),
                    response("f", {"output": "first"}),
                    response("f", {"error": "no"}, "call_0"),
                    response("f", {"output": {"b": 2}}),
                    response("renamed", {"output": "h"}),
                ]
            },
        ]
    )
    ids = [part.id for part in asked.turns[0].parts if isinstance(part, ToolUse)]
    assert ids == ["call_1", "call_0", "call_2", "call_3", "call_4"]
    assert asked.turns[1].parts == (
        ToolResult(id="call_2", name="g", parts=(Text('{"a":1}'),)),
        ToolResult(id="call_1", name="f", parts=(Text("first"),)),
        ToolResult(id="call_0", name="f", parts=(Text("no"),), failed=True),
        ToolResult(id="call_4", name="f", parts=(Text('{"b":2}'),)),
        ToolResult(id="call_3", name="renamed", parts=(Text("h"),)),
    )


def test_an_id_that_is_nobody_s_finds_the_call_that_came_without_one():
    asked = decoded(
        contents=[
            {"role": "model", "parts": [call("f", "a"), call("f")]},
            {
                "parts": [
                    response("f", {"output": "x"}, "mine"),
                    response("f", {"output": "y"}, "a"),
                ]
            },
        ]
    )
    results = [part.id for part in asked.turns[1].parts if isinstance(part, ToolResult)]
    assert results == ["call_0", "a"]


def test_a_response_without_a_call_is_no_call_s_answer():
    asked = decoded(contents=[{"parts": [response("f", {"output": "x"})]}])
    with pytest.raises(ClientWireError):
        sent(asked)


def test_settings_are_read_in_both_spellings():
    asked = decoded(
        system_instruction={"parts": {"text": "s"}},
        tools=[
            {
                "function_declarations": [
                    {
                        "name": "f",
                        "description": "d",
                        "parameters": {
                            "type": "OBJECT",
                            "properties": {
                                "a": {"type": "STRING", "nullable": True, "enum": ["x"]},
                                "b": {
                                    "type": "ARRAY",
                                    "items": {"type": "INTEGER"},
                                    "maxItems": "3",
                                },
                            },
                            "property_ordering": ["a", "b"],
                        },
                    },
                    {"name": "g", "parametersJsonSchema": {"type": "object"}},
                ],
                "google_search": {},
            }
        ],
        tool_config={"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        generationConfig={
            "temperature": 2,
            "top_p": 0.5,
            "candidateCount": 2,
            "stop_sequences": ["END"],
            "response_mime_type": "application/json",
            "response_schema": {"type": "OBJECT"},
            "responseModalities": ["TEXT"],
            "thinking_config": {"thinking_budget": -1, "include_thoughts": True},
            "speechConfig": {"a": 1},
        },
        labels={"a": "b"},
        safety_settings=[{"category": "x"}],
        serviceTier="flex",
    )
    assert asked.system == (Text("s"),)
    assert asked.tools[0].schema == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "b": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
        },
    }
    assert [(tool.kind, tool.name) for tool in asked.tools] == [
        ("function", "f"),
        ("function", "g"),
        ("server", "web_search"),
    ]
    assert asked.tool_choice == ToolChoice(mode="named", names=("f",))
    assert asked.sampling == Sampling(temperature=2, top_p=0.5, n=2)
    assert asked.output == OutputSpec(
        form="json_schema", schema={"type": "object"}, modalities=("text",)
    )
    assert asked.thinking == Thinking(budget="auto", visible="summary")
    assert (asked.stop, asked.metadata, asked.tier) == (("END",), {"a": "b"}, "flex")
    assert asked.extensions == {
        "gemini.generate": {
            "safety_settings": [{"category": "x"}],
            "generationConfig": {"speechConfig": {"a": 1}},
        }
    }


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({}, None),
        ({"mode": "NONE"}, ToolChoice(mode="none")),
        ({"mode": "AUTO"}, ToolChoice(mode="auto")),
        ({"mode": "any"}, ToolChoice(mode="any")),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, ToolChoice(mode="allowed", names=("f", "g"), required=True)),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, ToolChoice(mode="allowed", names=("f",))),
        ({"mode": "VALIDATED"}, ToolChoice(mode="auto")),
    ],
)  # fmt: skip
def test_the_choice_among_tools_is_read(calling, choice):
    asked = decoded(
        toolConfig={"functionCallingConfig": calling},
        tools=[{"functionDeclarations": [{"name": "f"}]}],
    )
    assert asked.tool_choice == choice
    assert asked.tools[0].strict is (True if calling.get("mode") == "VALIDATED" else None)


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ({"contents": "hi"}, "/contents"),
        ({"contents": ["hi"]}, "/contents/0"),
        ({"contents": [{"role": "assistant", "parts": []}]}, "/contents/0/role"),
        ({"contents": [{"parts": "hi"}]}, "/contents/0/parts"),
        ({"contents": [{"parts": [3]}]}, "/contents/0/parts/0"),
        ({"contents": [{"parts": [{"text": 3}]}]}, "/contents/0/parts/0/text"),
        ({"contents": [{"parts": [{"inline_data": {"data": 3}}]}]}, "/contents/0/parts/0/inline_data/data"),
        ({"contents": [{"parts": [{"functionCall": {}}]}]}, "/contents/0/parts/0/functionCall/name"),
        ({"contents": [{"parts": [{"functionCall": {"name": "f", "args": []}}]}]}, "/contents/0/parts/0/functionCall/args"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "SOME"}}}, "/toolConfig/functionCallingConfig/mode"),
        ({"generation_config": {"stopSequences": "x"}}, "/generation_config/stopSequences"),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": -2}}}, "/generationConfig/thinkingConfig/thinkingBudget"),
        ({"tools": [{"functionDeclarations": [{}]}]}, "/tools/0/functionDeclarations/0/name"),
    ],
)  # fmt: skip
def test_malformed_content_is_refused_with_its_place(raw, pointer):
    with pytest.raises(ClientWireError) as caught:
        decoded(**raw)
    assert caught.value.pointer == pointer


# ---- writing


def test_a_plain_question_is_written_plainly():
    emission = sent(BASE, stream=True)
    assert json.loads(emission.body) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    assert emission.path == "/models/up:streamGenerateContent?alt=sse"
    assert (emission.headers, emission.losses) == ((), ())


def test_a_tool_round_trip_keeps_ids_order_and_arguments():
    asked = turns(
        USER,
        Turn(
            role="assistant",
            parts=(
                Text("a"),
                ToolUse(id="1", name="my.tool", arguments='{"b":[1]}'),
                ToolUse(id="2", name="f", arguments="broken"),
            ),
        ),
        Turn(role="user", parts=(ToolResult(id="2", parts=(Text("x"),), failed=True),)),
        Turn(role="user", parts=(ToolResult(id="1", parts=(Text('{"c":2}'),)), Text("and"))),
        tools=(Tool(name="my.tool"), TOOL),
    )
    contents = body_of(asked)["contents"]
    name = contents[1]["parts"][1]["functionCall"]["name"]
    assert name.startswith("my_tool_")
    assert contents[1]["parts"] == [
        {"text": "a"},
        {
            "functionCall": {"id": "1", "name": name, "args": {"b": [1]}},
            "thoughtSignature": DUMMY_SIGNATURE,
        },
        {"functionCall": {"id": "2", "name": "f", "args": {"arguments": "broken"}}},
    ]
    assert contents[2] == {
        "role": "user",
        "parts": [
            {"functionResponse": {"id": "2", "name": "f", "response": {"error": "x"}}},
            {"functionResponse": {"id": "1", "name": name, "response": {"c": 2}}},
            {"text": "and"},
        ],
    }
    assert losses_of(asked) == {("/messages", "synthesised"), ("/messages", "approximated")}


def test_google_s_own_signatures_go_back_where_they_were():
    own = Sealed("signature", "c2ln", "google")
    asked = turns(
        USER,
        Turn(
            role="assistant",
            parts=(
                Reasoning(text="hm", sealed=own),
                Text("", sealed=own),
                replace(USE, sealed=own),
            ),
        ),
        RESULT,
    )
    assert body_of(asked, profile=GOOGLE)["contents"][1]["parts"] == [
        {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "", "thoughtSignature": "c2ln"},
        {
            "functionCall": {"id": "t1", "name": "f", "args": {"a": 1}},
            "thoughtSignature": "c2ln",
        },
    ]
    assert losses_of(asked, profile=GOOGLE) == set()
    elsewhere = Profile(vendor="stranger")
    assert {"text": "hm"} not in body_of(asked, profile=elsewhere)["contents"][1]["parts"]
    assert ("/messages", "dropped") in losses_of(asked, profile=elsewhere)


@pytest.mark.parametrize(
    "history",
    [
        (USER, CALL),
        (USER, CALL, USER),
        (USER, RESULT),
        (USER, CALL, Turn(role="system", parts=(Text("x"),)), RESULT),
        (USER, Turn(role="assistant", parts=(Text("prefill"),))),
        (),
    ],
)
def test_what_must_not_be_lost_is_refused(history):
    with pytest.raises(ClientWireError):
        sent(turns(*history, tools=(TOOL,)))


def test_instructions_in_mid_conversation_become_marked_user_text():
    asked = turns(USER, Turn(role="system", parts=(Text("French"),)), USER, system=(Text("s"),))
    body = body_of(asked)
    assert body["systemInstruction"] == {"parts": [{"text": "s"}]}
    assert body["contents"] == [
        {
            "role": "user",
            "parts": [{"text": "hi"}, {"text": "<system>\nFrench\n</system>"}, {"text": "hi"}],
        }
    ]
    assert losses_of(asked) == {("/messages", "approximated")}


def test_the_first_turn_is_always_the_user_s():
    asked = turns(Turn(role="assistant", parts=(Text("hello"),)), USER)
    assert [content["role"] for content in body_of(asked)["contents"]] == ["user", "model", "user"]
    assert losses_of(asked) == {("/messages", "synthesised")}
    only = turns(system=(Text("s"),))
    assert body_of(only) == {"contents": [{"role": "user", "parts": [{"text": "s"}]}]}


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (ToolChoice(mode="none"), {"mode": "NONE"}),
        (ToolChoice(mode="auto"), {"mode": "AUTO"}),
        (ToolChoice(mode="any"), {"mode": "ANY"}),
        (ToolChoice(mode="named", names=("f",)), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice(mode="allowed", names=("f",), required=True), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice(mode="allowed", names=("f",)), {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
    ],
)  # fmt: skip
def test_the_choice_among_tools(choice, written):
    asked = replace(BASE, tools=(TOOL,), tool_choice=choice)
    assert body_of(asked)["toolConfig"] == {"functionCallingConfig": written}
    assert "toolConfig" not in body_of(replace(asked, tools=()))


def test_tools_of_all_kinds():
    asked = replace(
        BASE,
        tools=(
            replace(TOOL, strict=True, cache=CacheMark()),
            Tool(kind="custom", name="patch"),
            Tool(kind="server", name="web_search", config={"filters": {"allowed_domains": ["a"]}}),
        ),
        parallel=False,
    )
    body = body_of(asked)
    names = [declared["name"] for declared in body["tools"][0]["functionDeclarations"]]
    assert (names, body["tools"][1]) == (["f", "patch"], {"googleSearch": {}})
    assert losses_of(asked) == {
        ("/tools/0", "dropped"),
        ("/tools/0/strict", "dropped"),
        ("/tools/1", "approximated"),
        ("/tools/2", "dropped"),
        ("/parallel_tool_calls", "dropped"),
    }
    with pytest.raises(ClientWireError):
        sent(replace(BASE, tools=(Tool(kind="server", name="computer"),)))


def test_settings_are_written_under_their_names():
    asked = replace(
        BASE,
        sampling=Sampling(
            temperature=3.0,
            top_p=0.5,
            top_k=4,
            seed=0,
            n=2,
            presence_penalty=0.1,
            frequency_penalty=0.2,
            logprobs=True,
            top_logprobs=3,
            logit_bias={"1": 2},
        ),
        max_output=50,
        stop=("a", "b", "c", "d", "e", "f"),
        output=OutputSpec(form="json_object", modalities=("text", "image")),
        user="u",
        tier="default",
        store=False,
    )
    profile = Profile(model_max_output_tokens=20)
    assert config_of(asked, profile=profile) == {
        "temperature": 2,
        "topP": 0.5,
        "topK": 4,
        "seed": 0,
        "candidateCount": 2,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 3,
        "maxOutputTokens": 20,
        "stopSequences": ["a", "b", "c", "d", "e"],
        "responseModalities": ["TEXT", "IMAGE"],
        "responseMimeType": "application/json",
    }
    assert body_of(asked)["serviceTier"] == "standard"
    assert losses_of(asked, profile=profile) == {
        ("/temperature", "clamped"),
        ("/max_completion_tokens", "clamped"),
        ("/stop", "clamped"),
        ("/logit_bias", "dropped"),
        ("/user", "dropped"),
    }


def test_a_schema_is_always_json_schema():
    spec = OutputSpec(form="json_schema", name="n", schema={"type": "object"}, strict=True)
    assert config_of(replace(BASE, output=spec)) == {
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }


@pytest.mark.parametrize(
    ("asked", "kinds", "written"),
    [
        (Thinking(effort="none"), None, {"thinkingBudget": 0}),
        (Thinking(budget="off"), ["level"], {"thinkingLevel": "MINIMAL"}),
        (Thinking(budget="auto", visible="summary"), None, {"thinkingBudget": -1, "includeThoughts": True}),
        (Thinking(budget="auto"), ["level"], {}),
        (Thinking(effort="high"), None, {"thinkingBudget": 24_576}),
        (Thinking(effort="high", budget="auto"), ["level"], {"thinkingLevel": "HIGH"}),
        (Thinking(effort="max", visible="none"), ["level"], {"thinkingLevel": "XHIGH", "includeThoughts": False}),
        (Thinking(budget=99_999), None, {"thinkingBudget": 32_768}),
        (Thinking(budget=2000), ["level"], {"thinkingLevel": "LOW"}),
        (Thinking(effort="enormous"), None, {}),
    ],
)  # fmt: skip
def test_thinking_is_asked_for_by_budget_or_level(asked, kinds, written):
    options = {} if kinds is None else {"thinking_types": kinds}
    config = config_of(replace(BASE, thinking=asked), profile=Profile(options=options))
    assert config.get("thinkingConfig", {}) == written


def test_a_target_that_does_not_think_is_not_asked_to():
    asked = replace(BASE, thinking=Thinking(effort="high"))
    profile = Profile(does=frozenset({"tools"}))
    assert "thinkingConfig" not in config_of(asked, profile=profile)
    assert losses_of(asked, profile=profile) == {("/reasoning_effort", "dropped")}


@pytest.mark.parametrize(
    ("media", "written"),
    [
        (Media(kind="image", source="data", value="aGk=", mime="image/png"), {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        (Media(kind="audio", source="data", value="aGk=", mime="wav"), {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}}),
        (Media(kind="file", source="data", value="aGk=", mime="application/pdf", name="a"), {"inlineData": {"mimeType": "application/pdf", "data": "aGk=", "displayName": "a"}}),
        (Media(kind="video", source="url", value="https://youtu.be/x"), {"fileData": {"fileUri": "https://youtu.be/x"}}),
        (Media(kind="image", source="url", value="https://e.org/a.png"), None),
        (Media(kind="image", source="file_id", value="file_1"), None),
        (Media(kind="image", source="data", value="aGk="), None),
    ],
)  # fmt: skip
def test_media(media, written):
    asked = turns(Turn(role="user", parts=(media,)))
    if written is None:
        with pytest.raises(ClientWireError):
            sent(asked)
    else:
        assert body_of(asked)["contents"][0]["parts"] == [written]


def test_a_target_that_fetches_takes_any_url():
    media = Media(kind="image", source="url", value="https://e.org/a.png", mime="image/png")
    profile = Profile(options={"file_urls": True})
    parts = body_of(turns(Turn(role="user", parts=(media,))), profile=profile)["contents"][0][
        "parts"
    ]
    assert parts == [{"fileData": {"fileUri": "https://e.org/a.png", "mimeType": "image/png"}}]


def test_losses_of_a_messages_request_point_into_it():
    asked = turns(
        Turn(role="user", parts=(Text("a"), Text("b", cache=CacheMark()))),
        Turn(role="assistant", parts=(Reasoning(text="hm", sealed=Sealed("signature", "Eq")), Text("c"))),
        USER,
    )  # fmt: skip
    assert sent(asked, profile=GOOGLE, dialect="anthropic.messages").losses == (
        Loss("/messages/0/content/1", "dropped", "caching is implicit here"),
        Loss("/messages/1/content/0", "dropped", "thinking without a seal of this vendor"),
    )
