"""The shapes of an answer in four dialects, whole and streamed, written out by hand.

Each dialect has two functions: the JSON value of a whole answer, and the bytes of its stream, one
event at a time. ``replies.py`` makes scripts of them.

Source: dialects.md 4 and 5, after openai-python 3.54, anthropic-sdk-python 2.12 and google-genai
3.4; read 2026-11-22.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; ``arguments`` is JSON text, sent as it stands."""

    name: str = "get_weather"
    arguments: str = '{"city": "Oslo", "days": 2}'
    id: str = "call_1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an answer says: text in pieces, then perhaps a tool call, then how much it was."""

    text: tuple[str, ...] = ("Hello", ", wörld", ".")
    call: Call | None = None
    model: str = "model-1"
    input_tokens: int = 11
    output_tokens: int = 7


def to_json(value: Any) -> bytes:
    """Write JSON as providers do: compact, not escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def to_event(value: Any, *, name: str = "") -> bytes:
    """Write one server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + to_json(value) + b"\n\n"


# openai.chat


def _chat_usage(said: Said) -> Any:
    total = said.input_tokens + said.output_tokens
    return {
        "prompt_tokens": said.input_tokens,
        "completion_tokens": said.output_tokens,
        "total_tokens": total,
    }


def _chat_call(call: Call) -> Any:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def chat_whole(said: Said) -> Any:
    """Return a ``chat.completion``."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(said.text) or None,
        "refusal": None,
    }
    if said.call:
        message["tool_calls"] = [_chat_call(said.call)]
    finish = "tool_calls" if said.call else "stop"
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1790000000,
        "model": said.model,
        "choices": [choice],
        "usage": _chat_usage(said),
    }


def chat_streamed(said: Said) -> Iterator[bytes]:
    """Yield the chunks of a chat stream, usage before ``[DONE]``."""
    base = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": said.model,
    }

    def chunk(delta: Any, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return to_event({**base, "choices": [choice], "usage": None})

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for text in said.text:
        yield chunk({"content": text})
    if said.call:
        first = _chat_call(Call(said.call.name, "", said.call.id))
        yield chunk({"tool_calls": [{"index": 0, **first}]})
        for piece in _halves(said.call.arguments):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    yield chunk({}, "tool_calls" if said.call else "stop")
    yield to_event({**base, "choices": [], "usage": _chat_usage(said)})
    yield b"data: [DONE]\n\n"


# openai.responses


def _responses_items(said: Said) -> list[Any]:
    items: list[Any] = []
    if said.text:
        part = {
            "type": "output_text",
            "text": "".join(said.text),
            "annotations": [],
            "logprobs": [],
        }
        items.append(
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        )
    if said.call:
        items.append(
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": said.call.id,
                "name": said.call.name,
                "arguments": said.call.arguments,
                "status": "completed",
            }
        )
    return items


def responses_whole(said: Said, status: str = "completed") -> Any:
    """Return a ``response``; empty and without usage while it is in progress."""
    done = status == "completed"
    usage = {
        "input_tokens": said.input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": said.input_tokens + said.output_tokens,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1790000000,
        "status": status,
        "model": said.model,
        "output": _responses_items(said) if done else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": usage if done else None,
    }


def responses_streamed(said: Said) -> Iterator[bytes]:
    """Yield the named, numbered events of a Responses stream."""
    for number, payload in enumerate(_responses_events(said)):
        yield to_event({**payload, "sequence_number": number}, name=payload["type"])


def _responses_events(said: Said) -> Iterator[Any]:
    for kind in ("created", "in_progress"):
        yield {"type": f"response.{kind}", "response": responses_whole(said, "in_progress")}
    for index, item in enumerate(_responses_items(said)):
        place = {"item_id": item["id"], "output_index": index}
        is_text = item["type"] == "message"
        empty: dict[str, Any] = {"content": []} if is_text else {"arguments": ""}
        begun = {**item, **empty, "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": index, "item": begun}
        yield from _responses_text(said, place) if is_text else _responses_call(item, place)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": responses_whole(said)}


def _responses_text(said: Said, place: Any) -> Iterator[Any]:
    place = {**place, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    yield {"type": "response.content_part.added", **place, "part": part}
    for text in said.text:
        yield {"type": "response.output_text.delta", **place, "delta": text, "logprobs": []}
    text = "".join(said.text)
    yield {"type": "response.output_text.done", **place, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": {**part, "text": text}}


def _responses_call(item: Any, place: Any) -> Iterator[Any]:
    for piece in _halves(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    done = {"arguments": item["arguments"], "name": item["name"]}
    yield {"type": "response.function_call_arguments.done", **place, **done}


# anthropic.messages


def messages_whole(said: Said) -> Any:
    """Return a ``message``."""
    content: list[Any] = []
    if said.text:
        content.append({"type": "text", "text": "".join(said.text)})
    if said.call:
        given = json.loads(said.call.arguments)
        content.append(
            {"type": "tool_use", "id": said.call.id, "name": said.call.name, "input": given}
        )
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": content,
        "stop_reason": "tool_use" if said.call else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": said.input_tokens, "output_tokens": said.output_tokens},
    }


def messages_streamed(said: Said) -> Iterator[bytes]:
    """Yield the named events of a Messages stream, one ping among them."""
    for payload in _messages_events(said):
        yield to_event(payload, name=payload["type"])


def _messages_events(said: Said) -> Iterator[Any]:
    full = messages_whole(said)
    begun = {
        **full,
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": said.input_tokens, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(full["content"]):
        is_text = block["type"] == "text"
        empty: dict[str, Any] = {"text": ""} if is_text else {"input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": {**block, **empty}}
        if index == 0:
            yield {"type": "ping"}
        for delta in _messages_deltas(said, is_text=is_text):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": full["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": said.output_tokens}
    yield {"type": "message_delta", "delta": delta, "usage": usage}
    yield {"type": "message_stop"}


def _messages_deltas(said: Said, *, is_text: bool) -> Iterator[Any]:
    if is_text:
        for text in said.text:
            yield {"type": "text_delta", "text": text}
        return
    assert said.call is not None
    for piece in _halves(said.call.arguments):
        yield {"type": "input_json_delta", "partial_json": piece}


# gemini.generate


def _gemini(said: Said, parts: list[Any], *, last: bool) -> Any:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if last:
        candidate["finishReason"] = "STOP"
    output = said.output_tokens if last else 1
    usage = {
        "promptTokenCount": said.input_tokens,
        "candidatesTokenCount": output,
        "totalTokenCount": said.input_tokens + output,
    }
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": said.model,
        "responseId": "resp-1",
    }


def _gemini_call(call: Call) -> Any:
    return {"functionCall": {"name": call.name, "args": json.loads(call.arguments)}}


def gemini_whole(said: Said) -> Any:
    """Return a ``GenerateContentResponse``."""
    parts: list[Any] = [{"text": "".join(said.text)}] if said.text else []
    if said.call:
        parts.append(_gemini_call(said.call))
    return _gemini(said, parts, last=True)


def gemini_streamed(said: Said) -> Iterator[bytes]:
    """Yield the documents of a Gemini stream, each with new parts only."""
    parts: list[Any] = [{"text": text} for text in said.text]
    if said.call:
        parts.append(_gemini_call(said.call))
    for index, part in enumerate(parts):
        yield to_event(_gemini(said, [part], last=index == len(parts) - 1))


def _halves(text: str) -> tuple[str, str]:
    middle = len(text) // 2
    return text[:middle], text[middle:]
