"""Where a thing the canon names stands in the document it came from, so that a loss can point at it.

The canon keeps no positions; these few rules give them back. A part's place is exact where the
source dialect's turns are the canon's own, and otherwise the list that holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_CHAT = {
    "system": "/messages",
    "turns": "/messages",
    "stop": "/stop",
    "name": "/messages",
    "max_output": "/max_completion_tokens",
    "top_logprobs": "/top_logprobs",
    "output": "/response_format",
    "parallel": "/parallel_tool_calls",
    "thinking": "/reasoning_effort",
    "effort": "/reasoning_effort",
    "user": "/user",
    "tier": "/service_tier",
    "cache_key": "/prompt_cache_key",
    "modalities": "/modalities",
}
_RESPONSES = {
    **_CHAT,
    "system": "/instructions",
    "turns": "/input",
    "max_output": "/max_output_tokens",
    "output": "/text/format",
    "verbosity": "/text/verbosity",
    "thinking": "/reasoning",
    "effort": "/reasoning/effort",
    "previous_id": "/previous_response_id",
}
_MESSAGES = {
    "turns": "/messages",
    "max_output": "/max_tokens",
    "stop": "/stop_sequences",
    "output": "/output_config/format",
    "effort": "/output_config/effort",
    "parallel": "/tool_choice/disable_parallel_tool_use",
    "user": "/metadata/user_id",
    "tier": "/service_tier",
}
_GEMINI = {
    "system": "/systemInstruction",
    "turns": "/contents",
    "tool_choice": "/toolConfig/functionCallingConfig",
    "temperature": "/generationConfig/temperature",
    "top_p": "/generationConfig/topP",
    "top_k": "/generationConfig/topK",
    "seed": "/generationConfig/seed",
    "n": "/generationConfig/candidateCount",
    "presence_penalty": "/generationConfig/presencePenalty",
    "frequency_penalty": "/generationConfig/frequencyPenalty",
    "logprobs": "/generationConfig/responseLogprobs",
    "top_logprobs": "/generationConfig/logprobs",
    "max_output": "/generationConfig/maxOutputTokens",
    "stop": "/generationConfig/stopSequences",
    "output": "/generationConfig/responseMimeType",
    "modalities": "/generationConfig/responseModalities",
    "thinking": "/generationConfig/thinkingConfig",
    "effort": "/generationConfig/thinkingConfig",
    "metadata": "/labels",
    "tier": "/serviceTier",
    "previous_id": "/cachedContent",
}
_PLACES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "openai.chat": _CHAT,
        "openai.responses": _RESPONSES,
        "anthropic.messages": _MESSAGES,
        "gemini.generate": _GEMINI,
    }
)
_PARTS = MappingProxyType({"anthropic.messages": "content", "gemini.generate": "parts"})
"""The dialects whose decoder makes exactly one turn of each message."""


def place(dialect: str, name: str) -> str:
    """Point at a canonical member (``seed``, ``stop``, ``thinking``, …) in its source document."""
    return _PLACES.get(dialect, {}).get(name, f"/{name}")


def place_of_part(dialect: str, turn: int, part: int | None = None) -> str:
    """Point at a turn, or at a part of it. Both count from 0."""
    turns = place(dialect, "turns")
    inner = _PARTS.get(dialect)
    if inner is None:
        return turns
    return f"{turns}/{turn}" if part is None else f"{turns}/{turn}/{inner}/{part}"


_REPLIES: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "openai.chat": (
            "/choices/{}",
            {"parts": "/message", "finish": "/finish_reason", "choices": ""},
        ),
        "openai.responses": ("", {"parts": "/output", "finish": "/status", "choices": "/output"}),
        "anthropic.messages": (
            "",
            {"parts": "/content", "finish": "/stop_reason", "choices": "/content"},
        ),
        "gemini.generate": (
            "/candidates/{}",
            {"parts": "/content/parts", "finish": "/finishReason", "choices": ""},
        ),
    }
)
"""Of a reply: where a choice stands, and the members inside it."""


def place_in_reply(dialect: str, name: str, choice: int = 0) -> str:
    """Point at something of an answer in the reply it came in: ``finish``, ``usage``, else its parts."""
    if name == "usage":
        return "/usageMetadata" if dialect == "gemini.generate" else "/usage"
    head, inner = _REPLIES.get(dialect, ("", {}))
    return head.format(choice) + inner.get(name, inner.get("parts", f"/{name}"))
