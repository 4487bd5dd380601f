"""Members of a reply that no decoder reads, because the canon has no word for them.

Only ``translate`` asks for this: on the way of a request every frame would pay for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.loss import Loss
from hyperroute.dialects.reading import at

Shape = Mapping[str, Any]
"""Known members: a mapping to look into (or into each of a list), ``None`` for one read as a whole."""


def _leaves(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names)


_CHAT_SAID: Final = _leaves(
    "role", "content", "refusal", "annotations", "reasoning_content", "reasoning", "tool_calls",
    "function_call", "audio", "images",
)  # fmt: skip
_CHAT: Final = {
    **_leaves("id", "object", "created", "model", "usage", "error", "obfuscation"),
    "choices": {
        **_leaves("index", "finish_reason"),
        "message": _CHAT_SAID,
        "delta": _CHAT_SAID,
    },
}
_R_PART: Final = _leaves("type", "text", "refusal", "annotations")
_R_ITEM: Final = {
    **_leaves(
        "type", "id", "status", "role", "call_id", "name", "arguments", "input", "summary",
        "encrypted_content", "result", "output_format", "action", "code", "container_id", "outputs",
        "queries", "results",
    ),
    "content": _R_PART,
}  # fmt: skip
_RESPONSE: Final = {
    **_leaves(
        # What was asked, which every response repeats:
        "instructions", "metadata", "temperature", "top_p", "max_output_tokens", "max_tool_calls",
        "previous_response_id", "reasoning", "safety_identifier", "text", "top_logprobs",
        "truncation", "user", "prompt_cache_key", "store", "tool_choice", "tools",
        "parallel_tool_calls", "background", "conversation",
        # What was answered:
        "id", "object", "created_at", "status", "model", "usage", "error", "incomplete_details",
        "completed_at",
    ),
    "output": _R_ITEM,
}  # fmt: skip
_RESPONSES: Final = {
    **_RESPONSE,
    **_leaves(
        "type", "sequence_number", "item_id", "output_index", "content_index", "summary_index",
        "annotation_index", "annotation", "delta", "text", "refusal", "arguments", "name", "code",
        "message", "param", "obfuscation", "input",
    ),
    "response": _RESPONSE,
    "item": _R_ITEM,
    "part": _R_PART,
}  # fmt: skip
_MESSAGE: Final = _leaves(
    "id",
    "type",
    "role",
    "model",
    "content",
    "stop_reason",
    "stop_sequence",
    "stop_details",
    "usage",
)
_MESSAGES: Final = {
    **_MESSAGE,
    **_leaves("index", "content_block", "error"),
    "message": _MESSAGE,
    "delta": _leaves(
        "type", "text", "thinking", "partial_json", "signature", "citation", "stop_reason",
        "stop_sequence", "stop_details",
    ),
}  # fmt: skip
_GEMINI: Final = {
    **_leaves("usageMetadata", "modelVersion", "responseId", "promptFeedback", "error"),
    "candidates": _leaves(
        "content", "finishReason", "index", "citationMetadata", "groundingMetadata"
    ),
}
_SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "openai.chat": _CHAT,
        "openai.responses": _RESPONSES,
        "anthropic.messages": _MESSAGES,
        "gemini.generate": _GEMINI,
    }
)


def unread(document: Mapping[str, Any], dialect: str) -> Iterator[Loss]:
    """Name what a reply, or one event of a stream, holds beyond what is carried on.

    ``null``, empty lists and empty objects say nothing.
    """
    for where in _walk(document, _SHAPES.get(dialect, {}), ""):
        yield Loss(where, "dropped", "only the source dialect knows it", "reply")


def _walk(value: Any, shape: Shape, where: str) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _walk(item, shape, at(where, index))
    if not isinstance(value, Mapping):
        return
    for name, inner in value.items():
        known = name if name in shape else _camel(str(name))
        if known not in shape:
            if inner is not None and inner not in ([], {}, ()):
                yield at(where, str(name))
        elif shape[known] is not None:
            yield from _walk(inner, shape[known], at(where, str(name)))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)
