"""Messages replies, written as a server: whole, and as a stream in the order of dialects.md, 5.3.

The SDK asserts ``message_start`` first, wants block indexes in the order of starts, and takes the
last of several signatures, so each is sent once and whole (dialects.md, 6.11 to 6.13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, assert_never

from hyperroute.canon.content import (
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
)
from hyperroute.canon.events import (
    Finished,
    FinishReason,
    PartDelta,
    PartEnded,
    PartStarted,
    Reply,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.request import Request
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects import json
from hyperroute.dialects.anthropic_messages_errors import error_object
from hyperroute.dialects.anthropic_messages_read import NAME
from hyperroute.dialects.anthropic_messages_speech import VENDOR, cited
from hyperroute.dialects.base import ClientError
from hyperroute.dialects.renaming import called
from hyperroute.dialects.sealing import tagged
from hyperroute.dialects.sse import frame

_REASONS: Mapping[FinishReason, str] = MappingProxyType(
    {
        "stop": "end_turn",
        "stop_sequence": "stop_sequence",
        "length": "max_tokens",
        "context_full": "model_context_window_exceeded",
        "tool_calls": "tool_use",
        "refusal": "refusal",
        "filter": "refusal",
        "pause": "pause_turn",
        "malformed": "refusal",
        "error": "refusal",
        "other": "refusal",
    }
)
"""What the dialect has no word for ends as its failure-like neutral, never as ``end_turn``."""

_UNSIGNED = Sealed("signature", "", "unsigned")
"""For thinking of vendors that sign nothing: the tag keeps it from being replayed to Anthropic."""


def emit_reply(reply: Reply, *, request: Request, model: str) -> bytes:
    """Write a whole reply; of several choices the first."""
    content: list[dict[str, Any]] = []
    finish = Finished("other")
    if reply.choices:
        finish = reply.choices[0].finish
        for part in reply.choices[0].parts:
            content.extend(_whole(part, request))
    message = _message(reply.id, model, content)
    message |= _stop(finish)
    message["usage"] = usage_object(reply.usage)
    return json.dumps(message)


def emit_error(error: ClientError) -> bytes:
    """Write an error body."""
    return json.dumps(error_object(error))


def usage_object(usage: Usage) -> dict[str, Any]:
    """Write counts; cached tokens stand beside ``input_tokens`` here."""
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    counts: dict[str, Any] = {
        "input_tokens": max((usage.input_tokens or 0) - read - written, 0),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens or 0,
    }
    if usage.cache_write_1h_tokens is not None:
        counts["cache_creation"] = {
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
            "ephemeral_5m_input_tokens": max(written - usage.cache_write_1h_tokens, 0),
        }
    if usage.reasoning_tokens is not None:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    if usage.searches is not None:
        counts["server_tool_use"] = {"web_search_requests": usage.searches, "web_fetch_requests": 0}
    return counts


@dataclass(slots=True)
class MessagesEncoder:
    """Writes one stream. ``message_start`` waits for the first part, so that it can hold usage."""

    request: Request
    model: str
    _head: Started | None = None
    _usage: Usage = NO_USAGE
    _blocks: int = 0
    _part: Part | None = None
    _choices: dict[int, int] = field(default_factory=dict[int, int])
    """Parts of other choices than the first, which have no place here, by index."""
    _prefix: bytes = b""
    """Of a delta of the open block, up to its text; empty where the block takes none."""
    _buffer: list[str] = field(default_factory=list[str])
    _over: bool = False

    def feed(self, event: StreamEvent) -> bytes:
        """Emit the bytes for one event; other choices than the first have no place here."""
        match event:
            case PartDelta(index, text):
                return b"" if index in self._choices else self._delta(text)
            case Started():
                self._head = event
            case UsageReported(usage):
                self._usage = usage
            case PartStarted(index, part, choice):
                if choice == 0:
                    return self._begin() + self._open(part)
                self._choices[index] = choice
            case PartEnded(index, sealed, citations):
                return b"" if index in self._choices else self._close(sealed, citations)
            case Finished(choice=choice):
                return self._end(event) if choice == 0 and not self._over else b""
            case _:
                assert_never(event)
        return b""

    def passed(self, frame: bytes) -> None:
        """Do nothing: an error stands alone."""
        del frame

    def pulse(self) -> bytes:
        """Emit a ping, which may stand anywhere, also before the message starts."""
        return _event("ping")

    def fail(self, error: ClientError) -> bytes:
        """Emit the error event; readers drop one without its name (dialects.md, 5.6)."""
        self._over = True
        return frame(json.dumps(error_object(error)), name="error")

    def _begin(self) -> bytes:
        if self._head is None:
            return b""
        message = _message(self._head.id, self.model, [])
        message |= {"stop_reason": None, "stop_sequence": None}
        message["usage"] = usage_object(
            replace(self._usage, output_tokens=0, reasoning_tokens=None)
        )
        self._head = None
        return _event("message_start", message=message)

    def _open(self, part: Part) -> bytes:
        self._part, self._buffer, self._prefix = part, [], b""
        match part:
            case Text() | Refusal():
                return self._started({"type": "text", "text": ""}, "text_delta", "text", part.text)
            case Reasoning():
                if part.redacted:
                    return b""
                block = {"type": "thinking", "thinking": "", "signature": ""}
                return self._started(block, "thinking_delta", "thinking", part.text)
            case ToolUse():
                return self._carried(part) + self._started(
                    {
                        "type": "tool_use",
                        "id": part.id,
                        "name": called(self.request, part.name),
                        "input": {},
                    },
                    "input_json_delta",
                    "partial_json",
                    part.arguments,
                )
            case ServerTool() | Opaque():
                if part.dialect == NAME:
                    return self._start(dict(part.value))
                self._part = None
            case Media() | ToolResult():
                self._part = None
            case _:
                assert_never(part)
        return b""

    def _start(self, block: dict[str, Any]) -> bytes:
        index, self._blocks = self._blocks, self._blocks + 1
        return _event("content_block_start", index=index, content_block=block)

    def _started(self, block: dict[str, Any], kind: str, key: str, text: str) -> bytes:
        started = self._start(block)
        self._prefix = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":'
            b'%d,"delta":{"type":"%s","%s":' % (self._blocks - 1, kind.encode(), key.encode())
        )
        return started + self._delta(text) if text else started

    def _delta(self, text: str) -> bytes:
        if not self._prefix or not text:
            return b""
        if isinstance(self._part, ToolUse) and self._part.custom:
            self._buffer.append(text)
            return b""
        return b"%s%s}}\n\n" % (self._prefix, json.dumps(text))

    def _carried(self, part: ToolUse) -> bytes:
        """Put another vendor's seal of a call where the client will replay it."""
        if part.sealed is None:
            return b""
        thinking = self._start({"type": "thinking", "thinking": "", "signature": ""})
        return thinking + self._signature(part.sealed) + self._stopped()

    def _signature(self, sealed: Sealed) -> bytes:
        delta = {"type": "signature_delta", "signature": tagged(sealed, own=VENDOR)}
        return _event("content_block_delta", index=self._blocks - 1, delta=delta)

    def _close(self, sealed: Sealed | None, citations: tuple[Any, ...]) -> bytes:
        part, self._part, self._prefix = self._part, None, b""
        match part:
            case None:
                return b""
            case Reasoning(redacted=True):
                return self._start(_redacted(sealed or part.sealed)) + self._stopped()
            case Reasoning():
                seal = sealed or part.sealed or _UNSIGNED
                return self._signature(seal) + self._stopped()
            case ToolUse(custom=True):
                text = json.dumps({"input": "".join(self._buffer)}).decode()
                delta = {"type": "input_json_delta", "partial_json": text}
                written = _event("content_block_delta", index=self._blocks - 1, delta=delta)
                return written + self._stopped()
            case Text():
                told = b"".join(
                    _event(
                        "content_block_delta",
                        index=self._blocks - 1,
                        delta={"type": "citations_delta", "citation": citation},
                    )
                    for citation in cited((*part.citations, *citations))
                )
                return told + self._stopped()
            case _:
                return self._stopped()

    def _stopped(self) -> bytes:
        return _event("content_block_stop", index=self._blocks - 1)

    def _end(self, finish: Finished) -> bytes:
        self._over = True
        begun = self._begin()
        if finish.reason in {"malformed", "error"}:
            told = ClientError(status=502, kind="server_error", message="the model's answer broke")
            return begun + self.fail(told)
        usage = {k: v for k, v in usage_object(self._usage).items() if v is not None}
        usage.pop("cache_creation", None)
        return (
            begun
            + _event("message_delta", delta=_stop(finish), usage=usage)
            + _event("message_stop")
        )


def _event(kind: str, **members: Any) -> bytes:
    return frame(json.dumps({"type": kind, **members}), name=kind)


def _message(ident: str, model: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": ident or "msg_unknown",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
    }


def _stop(finish: Finished) -> dict[str, Any]:
    said: dict[str, Any] = {
        "stop_reason": _REASONS[finish.reason],
        "stop_sequence": finish.detail if finish.reason == "stop_sequence" else None,
    }
    if said["stop_reason"] == "refusal":
        category = finish.detail if finish.reason == "refusal" else None
        said["stop_details"] = {"type": "refusal", "category": category, "explanation": None}
    return said


def _redacted(sealed: Sealed | None) -> dict[str, Any]:
    return {"type": "redacted_thinking", "data": tagged(sealed or _UNSIGNED, own=VENDOR)}


def _whole(part: Part, request: Request) -> list[dict[str, Any]]:
    match part:
        case Text():
            block: dict[str, Any] = {"type": "text", "text": part.text}
            if citations := cited(part.citations):
                block["citations"] = citations
            return [block]
        case Refusal():
            return [{"type": "text", "text": part.text}]
        case Reasoning(redacted=True):
            return [_redacted(part.sealed)]
        case Reasoning():
            return [_thinking(part.text, part.sealed or _UNSIGNED)]
        case ToolUse():
            carried = [] if part.sealed is None else [_thinking("", part.sealed)]
            return [
                *carried,
                {
                    "type": "tool_use",
                    "id": part.id,
                    "name": called(request, part.name),
                    "input": _arguments(part),
                },
            ]
        case ServerTool() | Opaque():
            return [dict(part.value)] if part.dialect == NAME else []
        case Media() | ToolResult():
            return []
        case _:
            assert_never(part)


def _thinking(text: str, sealed: Sealed) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": tagged(sealed, own=VENDOR)}


def _arguments(part: ToolUse) -> Mapping[str, Any]:
    """Read a call's arguments as the object due here; broken ones are kept as text."""
    if part.custom:
        return {"input": part.arguments}
    try:
        value = json.loads(part.arguments or "{}")
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"arguments": part.arguments}
