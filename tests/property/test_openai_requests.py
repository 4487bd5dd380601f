"""Laws of the OpenAI requests: law 7 of the house (bytes pass), and reading is total."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.content import ToolResult, ToolUse
from hyperroute.dialects.base import Dialect, Profile
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES
from hyperroute.errors import ClientWireError

NATIVE = Profile(
    vendor="openai", does=frozenset({"effort", "web_search", "json_schema", "json_object"})
)
DIALECTS: tuple[Dialect, ...] = (OPENAI_CHAT, OPENAI_RESPONSES)
KEYS = [
    "model", "messages", "input", "instructions", "role", "content", "type", "text", "tools",
    "function", "name", "parameters", "tool_calls", "tool_call_id", "call_id", "id", "arguments",
    "output", "image_url", "url", "tool_choice", "response_format", "json_schema", "schema",
    "stop", "stream", "stream_options", "reasoning", "effort", "summary", "encrypted_content",
    "metadata", "logit_bias", "temperature", "n", "format", "file", "file_data", "input_audio",
    "audio", "refusal", "include", "previous_response_id", "conversation", "web_search_options",
]  # fmt: skip
WORDS = [
    "user", "assistant", "system", "developer", "tool", "function", "text", "input_text", "message",
    "output_text", "image_url", "input_image", "file", "input_file", "function_call", "reasoning",
    "function_call_output", "custom", "custom_tool_call", "json_schema", "allowed_tools", "auto",
    "required", "web_search", "item_reference", "namespace", "data:image/png;base64,AAAA", "c1", "",
]  # fmt: skip
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.floats(0, 3) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=25,
)
bodies = st.dictionaries(st.sampled_from(KEYS), json_values, max_size=8)


@st.composite
def conversations(draw: st.DrawFn) -> dict[str, Any]:
    """A lawful chat request with tools, calls, results, images, and our extension or not."""
    words = st.text(max_size=8)
    messages: list[dict[str, Any]] = []
    if draw(st.booleans()):
        role = draw(st.sampled_from(["system", "developer"]))
        messages.append({"role": role, "content": draw(words)})
    for turn in range(draw(st.integers(1, 3))):
        said: object = draw(words)
        if draw(st.booleans()):
            url = draw(st.sampled_from(["https://e.org/a.png", "data:image/png;base64,AAAA"]))
            image = {"type": "image_url", "image_url": {"url": url, "detail": "low"}}
            said = [{"type": "text", "text": draw(words)}, image]
        messages.append({"role": "user", "content": said})
        count = draw(st.integers(0, 2))
        if count:
            calls = [
                {
                    "id": f"call_{turn}_{n}",
                    "type": "function",
                    "function": {
                        "name": "f",
                        "arguments": draw(st.sampled_from(['{"a":1}', "{}"])),
                    },
                }
                for n in range(count)
            ]
            text = draw(st.none() | words)
            messages.append({"role": "assistant", "content": text, "tool_calls": calls})
            messages += [
                {"role": "tool", "tool_call_id": call["id"], "content": draw(words)}
                for call in calls
            ]
        elif draw(st.booleans()):
            messages += [
                {"role": "assistant", "content": draw(words)},
                {"role": "user", "content": "?"},
            ]
    body: dict[str, Any] = {"model": "alias", "messages": messages}
    body["tools"] = [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    ]
    optional: Mapping[str, Any] = {
        "temperature": 0.5,
        "tool_choice": draw(st.sampled_from(["auto", "none", "required"])),
        "parallel_tool_calls": False,
        "max_completion_tokens": 99,
        "reasoning_effort": "low",
        "safety_identifier": "u",
        "metadata": {"k": "v"},
    }
    for key in draw(st.sets(st.sampled_from(sorted(optional)))):
        body[key] = optional[key]
    return body


spacing = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n  ", " :\t")])
extension = st.none() | st.just({"fallback": False}) | st.just({"providers": {"avoid": ["x{"]}})


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Dialect, dict[str, Any]]:
    """A lawful request of either dialect in which one value somewhere became anything."""
    body = draw(conversations())
    source: Dialect = OPENAI_CHAT
    if draw(st.booleans()):
        request = OPENAI_CHAT.parse_request(body)
        sent = OPENAI_RESPONSES.emit_request(request, model="m", profile=NATIVE).body
        source, body = OPENAI_RESPONSES, json.loads(sent)
        seal = draw(st.sampled_from(["E", "hr1.openai.g.E", "hr1.google.g.E", "hr1.x"]))
        body["input"].insert(
            0, {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": seal}
        )
        body["text"] = {"format": {"type": "json_schema", "name": "n", "schema": {}}}
    node: Any = body
    parent: Any = body
    key: Any = "model"
    for _ in range(draw(st.integers(1, 7))):
        if not isinstance(node, dict | list) or not node:
            break
        parent = node
        key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        node = parent[key]
    parent[key] = draw(json_values)
    if isinstance(parent, dict):
        parent[draw(st.sampled_from(KEYS))] = draw(json_values)
    return source, body


@given(mutated() | st.tuples(st.sampled_from(DIALECTS), bodies))
def test_reading_and_writing_are_total(case) -> None:
    """Whatever JSON a caller sends is read and sent on, or refused with a pointer into it."""
    source, raw = case
    for data in (None, json.dumps(raw).encode()):
        pointer, request = "", None
        try:
            request = source.parse_request(raw, body=data)
            request.conversation  # noqa: B018 - decoding is what is tested
        except ClientWireError as error:
            pointer = error.pointer
        assert pointer == "" or pointer.startswith("/")
        if request is None:
            continue
        for target in DIALECTS:
            for profile in (NATIVE, Profile()):
                try:
                    sent = target.emit_request(request, model="m", profile=profile)
                except ClientWireError:
                    continue
                assert json.loads(sent.body)["model"] == "m"
                assert all(loss.path == "" or loss.path.startswith("/") for loss in sent.losses)


@given(conversations(), spacing, extension, st.booleans(), st.randoms(use_true_random=False))
def test_the_same_dialect_passes_every_other_byte(body, marks, ours, stream, shuffle) -> None:
    """The parsed difference is the closed list of law 7, and the text around it is untouched."""
    if ours is not None:
        body["hyperroute"] = ours
    if stream:
        body["stream"] = True
    keys = list(body)
    shuffle.shuffle(keys)
    body = {key: body[key] for key in keys}
    data = json.dumps(body, separators=marks, ensure_ascii=shuffle.random() < 0.5).encode()
    request = OPENAI_CHAT.parse_request(body, body=data)
    sent = OPENAI_CHAT.emit_request(request, model="up", profile=NATIVE).body
    expected = {key: value for key, value in body.items() if key != "hyperroute"} | {"model": "up"}
    if stream:
        expected["stream_options"] = {"include_usage": True}
    assert json.loads(sent) == expected
    assert [key for key in json.loads(sent) if key in body] == [
        k for k in keys if k != "hyperroute"
    ]
    for key, value in body.items():
        if key not in ("model", "hyperroute"):
            piece = json.dumps({key: value}, separators=marks, ensure_ascii=False).encode()[1:-1]
            escaped = json.dumps({key: value}, separators=marks).encode()[1:-1]
            assert piece in sent or escaped in sent
    from_mapping = OPENAI_CHAT.parse_request(body)
    again = OPENAI_CHAT.emit_request(from_mapping, model="up", profile=NATIVE).body
    assert json.loads(again) == expected


@given(conversations())
def test_chat_to_responses_and_back_keeps_the_conversation(body) -> None:
    """Both dialects are OpenAI's: what both can say survives the way through the other one."""
    request = OPENAI_CHAT.parse_request(body)
    across = OPENAI_RESPONSES.emit_request(request, model="alias", profile=NATIVE)
    assert across.losses == ()
    there = OPENAI_RESPONSES.parse_request(json.loads(across.body))
    back = OPENAI_CHAT.emit_request(there, model="alias", profile=NATIVE)
    assert back.losses == ()
    returned = OPENAI_CHAT.parse_request(json.loads(back.body)).conversation
    original = request.conversation
    assert calls_of(returned) == calls_of(original)
    assert [(t.role, t.text) for t in returned.turns] == [(t.role, t.text) for t in original.turns]
    for member in (
        "tool_choice",
        "parallel",
        "max_output",
        "thinking",
        "user",
        "metadata",
        "sampling",
    ):
        assert getattr(returned, member) == getattr(original, member)
    assert [replace(tool, strict=None) for tool in returned.tools] == list(original.tools)


def calls_of(conversation) -> list[object]:
    """List calls and results in order, with ids and arguments."""
    return [
        part
        for turn in conversation.turns
        for part in turn.parts
        if isinstance(part, ToolUse | ToolResult)
    ]
