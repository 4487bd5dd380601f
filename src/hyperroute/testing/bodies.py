"""The shapes of an answer in four dialects, whole and streamed, written out by hand.

Each dialect has two functions: the JSON value of a whole answer, and the bytes of its stream, one
event at a time. ``replies.py`` makes scripts of them.

Source: dialects.md 4 and 5, after openai-python 3.54, anthropic-sdk-python 2.12 and google-genai
3.4; read 2026-11-22.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call.

    Attributes:
        arguments: JSON text, sent as it stands; any text where ``custom``.
        custom: Of a tool of OpenAI's that takes text; the others have none.
    """

    name: str = "get_weather"
    arguments: str = '{"city": "Oslo", "days": 2}'
    id: str = "call_1"
    custom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an answer says: what it thought, text in pieces, tool calls, and how much it was.

    Attributes:
        thought: Its reasoning, as far as it is shown; ``""``: none is.
        seal: What its own vendor wants to have back with the reasoning, byte for byte: a signature,
            encrypted content.
    """

    text: tuple[str, ...] = ("Hello", ", wörld", ".")
    calls: tuple[Call, ...] = ()
    thought: str = ""
    seal: str = "c2VhbGVk+08="
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
    if call.custom:
        custom = {"name": call.name, "input": call.arguments}
        return {"id": call.id, "type": "custom", "custom": custom}
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def chat_whole(said: Said) -> Any:
    """Return a ``chat.completion``."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(said.text) or None,
        "refusal": None,
    }
    if said.thought:
        message["reasoning_content"] = said.thought
    if said.calls:
        message["tool_calls"] = [_chat_call(call) for call in said.calls]
    finish = "tool_calls" if said.calls else "stop"
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
    if said.thought:
        yield chunk({"reasoning_content": said.thought})
    for text in said.text:
        yield chunk({"content": text})
    for index, call in enumerate(said.calls):
        kind, key = ("custom", "input") if call.custom else ("function", "arguments")
        yield chunk({"tool_calls": [{"index": index, **_chat_call(replace(call, arguments=""))}]})
        for piece in _halves(call.arguments):
            yield chunk({"tool_calls": [{"index": index, kind: {key: piece}}]})
    yield chunk({}, "tool_calls" if said.calls else "stop")
    yield to_event({**base, "choices": [], "usage": _chat_usage(said)})
    yield b"data: [DONE]\n\n"


# openai.responses


def _responses_items(said: Said) -> list[Any]:
    items: list[Any] = []
    if said.thought:
        summary = [{"type": "summary_text", "text": said.thought}]
        items.append(
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": summary,
                "encrypted_content": said.seal,
                "status": "completed",
            }
        )
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
    for number, call in enumerate(said.calls, 1):
        kind, key = _RESPONSES_CALLS[call.custom]
        items.append(
            {
                "type": kind,
                "id": f"fc_{number}",
                "call_id": call.id,
                "name": call.name,
                key: call.arguments,
                "status": "completed",
            }
        )
    return items


_RESPONSES_CALLS = (("function_call", "arguments"), ("custom_tool_call", "input"))


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
        empty, inner = _responses_inner(said, item, place)
        begun = {**item, **empty, "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": index, "item": begun}
        yield from inner
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": responses_whole(said)}


def _responses_inner(said: Said, item: Any, place: Any) -> tuple[Any, Iterator[Any]]:
    """Return what an item lacks when it is added, and how it comes."""
    match item["type"]:
        case "message":
            return {"content": []}, _responses_text(said, place)
        case "reasoning":
            return {"summary": [], "encrypted_content": None}, _responses_thought(said, place)
        case "custom_tool_call":
            return {"input": ""}, _responses_call(item, place, "custom_tool_call_input", "input")
        case _:
            come = _responses_call(item, place, "function_call_arguments", "arguments")
            return {"arguments": ""}, come


def _responses_thought(said: Said, place: Any) -> Iterator[Any]:
    place = {**place, "summary_index": 0}
    kind = "response.reasoning_summary"
    part = {"type": "summary_text", "text": ""}
    yield {"type": f"{kind}_part.added", **place, "part": part}
    yield {"type": f"{kind}_text.delta", **place, "delta": said.thought}
    yield {"type": f"{kind}_text.done", **place, "text": said.thought}
    yield {"type": f"{kind}_part.done", **place, "part": {**part, "text": said.thought}}


def _responses_text(said: Said, place: Any) -> Iterator[Any]:
    place = {**place, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    yield {"type": "response.content_part.added", **place, "part": part}
    for text in said.text:
        yield {"type": "response.output_text.delta", **place, "delta": text, "logprobs": []}
    text = "".join(said.text)
    yield {"type": "response.output_text.done", **place, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": {**part, "text": text}}


def _responses_call(item: Any, place: Any, event: str, key: str) -> Iterator[Any]:
    for piece in _halves(item[key]):
        yield {"type": f"response.{event}.delta", **place, "delta": piece}
    named = {"name": item["name"]} if key == "arguments" else {}
    yield {"type": f"response.{event}.done", **place, key: item[key], **named}


# anthropic.messages


def messages_whole(said: Said) -> Any:
    """Return a ``message``."""
    content: list[Any] = []
    if said.thought:
        content.append({"type": "thinking", "thinking": said.thought, "signature": said.seal})
    if said.text:
        content.append({"type": "text", "text": "".join(said.text)})
    for call in said.calls:
        given = json.loads(call.arguments)
        content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": given})
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": content,
        "stop_reason": "tool_use" if said.calls else "end_turn",
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
    calls = iter(said.calls)
    for index, block in enumerate(full["content"]):
        empty, deltas = _messages_inner(said, block, calls)
        yield {"type": "content_block_start", "index": index, "content_block": {**block, **empty}}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": full["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": said.output_tokens}
    yield {"type": "message_delta", "delta": delta, "usage": usage}
    yield {"type": "message_stop"}


def _messages_inner(said: Said, block: Any, calls: Iterator[Call]) -> tuple[Any, list[Any]]:
    """Return what a block lacks when it starts, and how it comes."""
    match block["type"]:
        case "text":
            return {"text": ""}, [{"type": "text_delta", "text": text} for text in said.text]
        case "thinking":
            thought = {"type": "thinking_delta", "thinking": said.thought}
            seal = {"type": "signature_delta", "signature": said.seal}
            return {"thinking": "", "signature": ""}, [thought, seal]
        case _:
            halves = _halves(next(calls).arguments)
            return {"input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in halves
            ]


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


def _gemini_rest(said: Said) -> list[Any]:
    """Return the calls; what was thought is sealed upon the first of them."""
    parts: list[Any] = [
        {"functionCall": {"name": call.name, "args": json.loads(call.arguments)}}
        for call in said.calls
    ]
    if parts and said.thought:
        parts[0]["thoughtSignature"] = said.seal
    return parts


def _gemini_thought(said: Said) -> list[Any]:
    return [{"text": said.thought, "thought": True}] if said.thought else []


def gemini_whole(said: Said) -> Any:
    """Return a ``GenerateContentResponse``."""
    text = [{"text": "".join(said.text)}] if said.text else []
    return _gemini(said, [*_gemini_thought(said), *text, *_gemini_rest(said)], last=True)


def gemini_streamed(said: Said) -> Iterator[bytes]:
    """Yield the documents of a Gemini stream, each with new parts only."""
    texts = [{"text": text} for text in said.text]
    parts = [*_gemini_thought(said), *texts, *_gemini_rest(said)]
    for index, part in enumerate(parts):
        yield to_event(_gemini(said, [part], last=index == len(parts) - 1))


def _halves(text: str) -> tuple[str, str]:
    middle = len(text) // 2
    return text[:middle], text[middle:]
