"""Features of answers, each written out in the words of every dialect that has them.

``REPLIES`` holds whole bodies; ``as_stream`` says the same as the dialect's documented stream.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

Document = dict[str, Any]

_COUNTS: Final = (30, 7)
SIGNED: Final = "c2lnbmVk"


def chat(message: Document | None = None, finish: str = "stop", **usage: Any) -> Document:
    """Write a ``chat.completion``; ``message`` adds to or replaces a greeting."""
    said = {"role": "assistant", "content": "Hi there", "refusal": None, **(message or {})}
    came, went = _COUNTS
    counts = {"prompt_tokens": came, "completion_tokens": went, "total_tokens": came + went}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1790000000,
        "model": "m",
        "choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": finish}],
        "usage": counts | usage,
    }


def responses(*items: Document, reason: str | None = None, **usage: Any) -> Document:
    """Write a ``response``; incomplete where there is a reason."""
    came, went = _COUNTS
    counts: Document = {
        "input_tokens": came,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": went,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": came + went,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1790000000,
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "model": "m",
        "output": list(items) or [_said()],
        "usage": counts | usage,
    }


def messages(
    *blocks: Document, stop: str = "end_turn", detail: Document | None = None, **usage: Any
) -> Document:
    """Write a ``message``."""
    came, went = _COUNTS
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(blocks) or [_TEXT],
        "stop_reason": stop,
        "stop_sequence": None,
        **(detail or {}),
        "usage": {"input_tokens": came, "output_tokens": went, **usage},
    }


def gemini(
    *parts: Document, finish: str = "STOP", more: Document | None = None, **usage: Any
) -> Document:
    """Write a ``GenerateContentResponse``; ``more`` adds to its candidate."""
    came, went = _COUNTS
    candidate = {
        "content": {"role": "model", "parts": list(parts) or [{"text": "Hi there"}]},
        "finishReason": finish,
        "index": 0,
        **(more or {}),
    }
    counts = {
        "promptTokenCount": came,
        "candidatesTokenCount": went,
        "totalTokenCount": came + went,
    }
    return {
        "candidates": [candidate],
        "usageMetadata": counts | usage,
        "modelVersion": "m",
        "responseId": "r1",
    }  # fmt: skip


_TEXT: Final = {"type": "text", "text": "Hi there"}


def _said(*parts: Document) -> Document:
    text = {"type": "output_text", "text": "Hi there", "annotations": []}
    content = list(parts) or [text]
    return {"type": "message", "id": "m_1", "status": "completed", "role": "assistant", "content": content}  # fmt: skip


def _chat_call(number: int) -> Document:
    said = {"name": "look", "arguments": f'{{"at":"{number}"}}'}
    return {"id": f"call_{number}", "type": "function", "function": said}


def _item_call(number: int) -> Document:
    head = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}"}
    return {**head, "name": "look", "arguments": f'{{"at":"{number}"}}', "status": "completed"}


def _block_call(number: int) -> Document:
    return {
        "type": "tool_use",
        "id": f"call_{number}",
        "name": "look",
        "input": {"at": str(number)},
    }


def _part_call(number: int, **more: Any) -> Document:
    call = {"id": f"call_{number}", "name": "look", "args": {"at": str(number)}}
    return {"functionCall": call, **more}


def _two_choices(document: Document, key: str) -> Document:
    (first,) = document[key]
    return document | {key: [first, {**first, "index": 1}]}


_URL: Final = {"url": "https://example.org/a", "title": "A"}
_ANNOTATION: Final = {"type": "url_citation", "start_index": 0, "end_index": 2, **_URL}
_NESTED: Final = {
    "type": "url_citation",
    "url_citation": {"start_index": 0, "end_index": 2, **_URL},
}
_QUOTED: Final = {
    "type": "web_search_result_location", **_URL, "cited_text": "as it says",
    "encrypted_index": "Eo8B",
}  # fmt: skip
_PAGE: Final = {
    "type": "page_location", "cited_text": "as it says", "document_index": 0,
    "document_title": "A", "start_page_number": 1, "end_page_number": 2,
}  # fmt: skip
_GROUNDED: Final = {
    "groundingMetadata": {
        "groundingChunks": [{"web": {"uri": _URL["url"], "title": "A"}}],
        "groundingSupports": [
            {
                "segment": {"startIndex": 0, "endIndex": 3, "text": "Zü"},
                "groundingChunkIndices": [0],
            }
        ],
    }
}

C: Final = "openai.chat"
R: Final = "openai.responses"
A: Final = "anthropic.messages"
G: Final = "gemini.generate"

REPLIES: Final[Mapping[str, Mapping[str, Document]]] = MappingProxyType(
    {
        "text": {C: chat(), R: responses(), A: messages(), G: gemini()},
        "thinking": {
            C: chat({"reasoning_content": "hm"}),
            R: responses(
                {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
                _said(),
            ),
            A: messages({"type": "thinking", "thinking": "hm", "signature": ""}, _TEXT),
            G: gemini({"text": "hm", "thought": True}, {"text": "Hi there"}),
        },
        "thinking with its seal": {
            R: responses(
                {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": SIGNED},
                _said(),
            ),
            A: messages({"type": "thinking", "thinking": "hm", "signature": SIGNED}, _TEXT),
            G: gemini({"text": "hm", "thought": True, "thoughtSignature": SIGNED}, {"text": "Hi there"}),
        },
        "redacted thinking": {A: messages({"type": "redacted_thinking", "data": SIGNED}, _TEXT)},
        "one call": {
            C: chat({"content": None, "tool_calls": [_chat_call(1)]}, "tool_calls"),
            R: responses(_item_call(1)),
            A: messages(_block_call(1), stop="tool_use"),
            G: gemini(_part_call(1)),
        },
        "text, then parallel calls": {
            C: chat({"tool_calls": [_chat_call(1), _chat_call(2)]}, "tool_calls"),
            R: responses(_said(), _item_call(1), _item_call(2)),
            A: messages(_TEXT, _block_call(1), _block_call(2), stop="tool_use"),
            G: gemini({"text": "Hi there"}, _part_call(1), _part_call(2)),
        },
        "text behind a call": {
            R: responses(_item_call(1), _said()),
            A: messages(_block_call(1), _TEXT, stop="tool_use"),
            G: gemini(_part_call(1), {"text": "Hi there"}),
        },
        "a sealed call": {G: gemini(_part_call(1, thoughtSignature=SIGNED))},
        "sealed text": {G: gemini({"text": "Hi there", "thoughtSignature": SIGNED})},
        "a free-form call": {
            C: chat({"content": None, "tool_calls": [{"id": "call_1", "type": "custom", "custom": {"name": "patch", "input": "*** +1"}}]}, "tool_calls"),
            R: responses({"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "patch", "input": "*** +1"}),
        },
        "arguments that are no JSON": {
            C: chat({"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at":'}}]}, "tool_calls"),
            R: responses({**_item_call(1), "arguments": '{"at":'}),
        },
        "a refusal in words": {
            C: chat({"content": None, "refusal": "No."}),
            R: responses(_said({"type": "refusal", "refusal": "No."})),
        },
        "a refusal by its reason": {
            A: messages(stop="refusal", detail={"stop_details": {"type": "refusal", "category": "bio", "explanation": None}}),
        },
        "stopped by a sequence": {A: messages(stop="stop_sequence", detail={"stop_sequence": "END"})},
        "stopped by length": {
            C: chat(finish="length"), R: responses(reason="max_output_tokens"),
            A: messages(stop="max_tokens"), G: gemini(finish="MAX_TOKENS"),
        },
        "stopped by a full context": {A: messages(stop="model_context_window_exceeded")},
        "stopped by a filter": {
            C: chat(finish="content_filter"), R: responses(reason="content_filter"),
            G: gemini(finish="SAFETY"),
        },
        "paused": {A: messages(stop="pause_turn"), G: gemini(finish="CONTINUATION")},
        "a broken answer": {G: gemini(finish="MALFORMED_FUNCTION_CALL")},
        "an end nobody knows": {
            C: chat(finish="strange"), R: responses(reason="strange"), A: messages(stop="strange"),
            G: gemini(finish="STRANGE"),
        },
        "tokens from a cache": {
            C: chat(prompt_tokens_details={"cached_tokens": 12}),
            R: responses(input_tokens_details={"cached_tokens": 12}),
            A: messages(input_tokens=18, cache_read_input_tokens=12),
            G: gemini(cachedContentTokenCount=12),
        },
        "tokens into a cache": {
            C: chat(prompt_tokens_details={"cache_write_tokens": 12}),
            R: responses(input_tokens_details={"cached_tokens": 0, "cache_write_tokens": 12}),
            A: messages(input_tokens=18, cache_creation_input_tokens=12),
        },
        "tokens into a cache for an hour": {
            A: messages(input_tokens=18, cache_creation_input_tokens=12, cache_creation={"ephemeral_1h_input_tokens": 12, "ephemeral_5m_input_tokens": 0}),
        },
        "tokens of thinking": {
            C: chat(completion_tokens_details={"reasoning_tokens": 4}),
            R: responses(output_tokens_details={"reasoning_tokens": 4}),
            A: messages(output_tokens_details={"thinking_tokens": 4}),
            G: gemini(candidatesTokenCount=3, thoughtsTokenCount=4),
        },
        "tokens of sound": {
            C: chat(prompt_tokens_details={"audio_tokens": 4}),
            G: gemini(promptTokensDetails=[{"modality": "AUDIO", "tokenCount": 4}]),
        },
        "searches": {A: messages(server_tool_use={"web_search_requests": 1})},
        "a web page cited": {
            C: chat({"annotations": [_NESTED]}),
            R: responses(_said({"type": "output_text", "text": "Hi there", "annotations": [_ANNOTATION]})),
            A: messages({"type": "text", "text": "Hi there", "citations": [_QUOTED]}),
            G: gemini({"text": "Zürich"}, more=_GROUNDED),
        },
        "a document cited": {A: messages({"type": "text", "text": "Hi there", "citations": [_PAGE]})},
        "an image": {
            C: chat({"images": [{"image_url": {"url": "data:image/png;base64,aGk="}}]}),
            R: responses({"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "aGk=", "output_format": "png"}),
            G: gemini({"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        },
        "sound": {C: chat({"content": None, "audio": {"id": "a1", "data": "aGk=", "transcript": "Hi"}})},
        "two choices": {C: _two_choices(chat(), "choices"), G: _two_choices(gemini(), "candidates")},
        "a search that the provider ran": {
            R: responses({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}, _said()),
            A: messages({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}, {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}, _TEXT),
        },
        "code that the provider ran": {
            R: responses({"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "code": "1"}, _said()),
            G: gemini({"executableCode": {"language": "PYTHON", "code": "1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}, {"text": "Hi there"}),
        },
        "a member that nobody knows": {
            C: chat() | {"strange": 1}, R: responses() | {"strange": 1},
            A: messages() | {"strange": 1}, G: gemini() | {"strange": 1},
        },
    }
)  # fmt: skip
"""By feature and dialect."""


# --- the same as streams ---------------------------------------------------------------------------
def as_stream(dialect: str, whole: Document) -> Document:
    """Say a whole reply as its dialect streams it."""
    events = _STREAMS[dialect](whole)
    return {"events": [{"event": name, "data": data} for name, data in events]}


def _chat_stream(whole: Document) -> Iterator[tuple[str | None, Any]]:
    head = {k: v for k, v in whole.items() if k not in ("choices", "usage", "object")}
    head |= {"object": "chat.completion.chunk"}
    for choice in whole["choices"]:
        said = dict(choice["message"])
        notes = said.pop("annotations", None)
        calls = [{"index": i, **call} for i, call in enumerate(said.pop("tool_calls", None) or ())]
        deltas = [said, *({"tool_calls": [call]} for call in calls)]
        deltas += [{"annotations": notes}] if notes else []
        for delta in deltas:
            entry = {"index": choice["index"], "delta": delta, "finish_reason": None}
            yield None, head | {"choices": [entry], "usage": None}
        last = {"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}
        yield None, head | {"choices": [last], "usage": None}
    yield None, head | {"choices": [], "usage": whole["usage"]}
    yield None, "[DONE]"


def _responses_stream(whole: Document) -> Iterator[tuple[str | None, Any]]:
    numbered = enumerate(_responses_events(whole))
    for number, (kind, members) in numbered:
        yield kind, {"type": kind, "sequence_number": number, **members}


def _responses_events(whole: Document) -> Iterator[tuple[str, Document]]:
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    begun["incomplete_details"] = None
    yield "response.created", {"response": begun}
    for index, item in enumerate(whole["output"]):
        empty: Document = {k: [] for k in ("content", "summary") if k in item}
        place = {"output_index": index}
        yield "response.output_item.added", {**place, "item": item | empty}
        yield "response.output_item.done", {**place, "item": item}
    yield f"response.{whole['status']}", {"response": whole}


def _messages_stream(whole: Document) -> Iterator[tuple[str | None, Any]]:
    for payload in _messages_events(whole):
        yield payload["type"], payload


def _messages_events(whole: Document) -> Iterator[Document]:
    begun = {k: v for k, v in whole.items() if k != "stop_details"}
    begun |= {"content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(whole["content"]):
        empty, deltas = _block_stream(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {k: whole.get(k) for k in ("stop_reason", "stop_sequence", "stop_details")}
    yield {"type": "message_delta", "delta": delta, "usage": whole["usage"]}
    yield {"type": "message_stop"}


def _block_stream(block: Document) -> tuple[Document, list[Document]]:
    match block["type"]:
        case "text":
            cited = [{"type": "citations_delta", "citation": c} for c in block.get("citations", ())]
            return block | {"text": "", "citations": []}, [
                {"type": "text_delta", "text": block["text"]},
                *cited,
            ]
        case "thinking":
            return block | {"thinking": "", "signature": ""}, [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case "tool_use" | "server_tool_use":
            said = json.dumps(block["input"])
            return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": said}]
        case _:
            return block, []


def _gemini_stream(whole: Document) -> Iterator[tuple[str | None, Any]]:
    for candidate in whole["candidates"]:
        for part in candidate["content"]["parts"]:
            one = {"content": {"role": "model", "parts": [part]}, "index": candidate["index"]}
            yield None, whole | {"candidates": [one]}
    for candidate in whole["candidates"]:
        last = {k: v for k, v in candidate.items() if k != "content"}
        yield None, whole | {"candidates": [last]}


_STREAMS: Final[Mapping[str, Callable[[Document], Iterator[tuple[str | None, Any]]]]] = (
    MappingProxyType(
        {C: _chat_stream, R: _responses_stream, A: _messages_stream, G: _gemini_stream}
    )
)
