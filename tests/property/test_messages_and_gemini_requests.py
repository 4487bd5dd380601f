"""Requests of strangers are read, translated or refused, never tripped over.

Invariant 31 from the other side: whatever JSON a caller sends, ``ClientWireError`` is all that comes
out; and what passes through comes back byte for byte but for the closed list of edits. The requests
are good ones with a few members replaced, taken away or doubled, so that most get far.
"""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import NO_PROFILE, Dialect, Profile
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.errors import ClientWireError

words = st.text(st.characters(codec="utf-8"), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
    | st.sampled_from(["text", "user", "system", "assistant", "model", "hr1.google..x", "gs://x"])
)
nonsense = scalars | st.lists(scalars, max_size=2) | st.dictionaries(words, scalars, max_size=2)
PROFILES = [
    NO_PROFILE,
    Profile(vendor="google", does=frozenset({"tools"}), model_max_output_tokens=10),
    Profile(vendor="anthropic", options={"prefill": True, "thinking_types": ["adaptive"]}),
    Profile(vendor="google", options={"prefill": True, "thinking_types": ["level"]}),
]

MESSAGES = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 2000,
    "stream": True,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look", "citations": [{"type": "char_location"}]},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
                },
                {
                    "type": "document",
                    "title": "t",
                    "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "c2ln"},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "is_error": True,
                    "content": [{"type": "text", "text": "ok"}],
                },
                {"type": "text", "text": "and?"},
            ],
        },
    ],
    "tools": [
        {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
    "temperature": 1,
    "top_k": 4,
    "stop_sequences": ["END"],
    "metadata": {"user_id": "u"},
    "service_tier": "auto",
    "hyperroute": {"deadline": "3s", "providers": {"only": ["a"]}, "max_cost": 0.5},
}
GEMINI = {
    "model": "gemini-3-pro",
    "stream": True,
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "Look"},
                {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
                {"file_data": {"mime_type": "application/pdf", "file_uri": "https://e.org/a.pdf"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": "aHIxLmFudGhyb3BpYy4ueA=="},
                {"functionCall": {"name": "f", "args": {"a": 1}}, "thought_signature": "c2ln"},
                {"functionCall": {"id": "x", "name": "f", "args": {}}},
                {"executableCode": {"language": "PYTHON", "code": "1"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "x", "name": "f", "response": {"output": "ok"}}},
                {"functionResponse": {"name": "f", "response": {"error": {"a": 1}}}},
                {"text": "and?"},
            ],
        },
    ],
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "parameters": {
                        "type": "OBJECT",
                        "properties": {"a": {"type": "STRING", "nullable": True, "maxLength": "5"}},
                    },
                }
            ]
        },
        {"googleSearch": {}},
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "temperature": 1.5,
        "topK": 3,
        "maxOutputTokens": 2000,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "response_schema": {"type": "OBJECT"},
        "responseModalities": ["TEXT"],
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1024},
    },
    "labels": {"a": "b"},
    "safetySettings": [],
    "hypereal": {"cache": False, "fallback": False},
}


@st.composite
def spoilt(draw, good):
    """Replace, remove or double up to three members anywhere in ``good``."""
    body = copy.deepcopy(good)
    for _ in range(draw(st.integers(0, 3))):
        holder = body
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = holder[key]
            if isinstance(inner, dict | list) and inner and draw(st.integers(0, 4)):
                holder = inner
                continue
            match draw(st.sampled_from(["replace", "remove", "double"])):
                case "replace":
                    holder[key] = draw(nonsense)
                case "remove":
                    del holder[key]
                case _:
                    if isinstance(holder, list):
                        holder.insert(key, copy.deepcopy(inner))
                    else:
                        holder[draw(words)] = inner
            break
    return body


@given(raw=spoilt(MESSAGES), profile=st.sampled_from(PROFILES))
def test_invariant_31_any_messages_request_is_served_or_refused(raw, profile):
    check(ANTHROPIC_MESSAGES, GEMINI_GENERATE, raw, profile)


@given(raw=spoilt(GEMINI), profile=st.sampled_from(PROFILES))
def test_invariant_31_any_gemini_request_is_served_or_refused(raw, profile):
    check(GEMINI_GENERATE, ANTHROPIC_MESSAGES, raw, profile)


def check(own: Dialect, other: Dialect, raw: dict[str, Any], profile: Profile) -> None:
    try:
        request = own.parse_request(raw)
    except ClientWireError:
        return
    passed = own.emit_request(request, model="upstream", profile=profile)
    json.loads(passed.body)
    try:
        request.conversation  # noqa: B018 - decoding is what is tested
        emission = other.emit_request(request, model="upstream", profile=profile)
    except ClientWireError:
        return
    json.loads(emission.body)
    for loss in emission.losses:
        assert there(raw, loss.path), loss


def there(raw: dict[str, Any], pointer: str) -> bool:
    """Tell whether a loss points at something the caller could look at."""
    assert pointer.startswith("/"), pointer
    top = pointer.split("/")[1].replace("~1", "/").replace("~0", "~")
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in top)
    return top in raw or snake in raw or top in {"max_tokens", "generationConfig"}


@given(
    text=words,
    indent=st.sampled_from([None, 1, 4]),
    marked=st.booleans(),
    model=words,
)
def test_a_request_passes_through_byte_for_byte(text, indent, marked, model):
    block = {"type": "text", "text": text}
    if marked:
        block["cache_control"] = {"type": "ephemeral"}
    raw = {"b": text, "model": "up", "messages": [{"role": "user", "content": [block]}], "a": 1.50}
    body = json.dumps(raw, indent=indent).encode()
    request = ANTHROPIC_MESSAGES.parse_request(raw, body=body)
    same = ANTHROPIC_MESSAGES.emit_request(request, model="up", profile=NO_PROFILE)
    assert same.body == body
    assert same.losses == ()
    other = ANTHROPIC_MESSAGES.emit_request(request, model=model, profile=NO_PROFILE)
    assert json.loads(other.body) == {**raw, "model": model}
