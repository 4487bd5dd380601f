"""Gemini replies, written as a server: whole, and as ``data: `` chunks (dialects.md, 5.4).

Nothing but ``data: `` lines and blank ones ever goes out: comments and event names break Google's
reader (6.15). Calls go out whole, at the end of their part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    extended,
    sealed_with,
)
from hyperroute.canon.request import Request
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects import json
from hyperroute.dialects.base import ClientError
from hyperroute.dialects.citing import as_grounding, is_neutral
from hyperroute.dialects.gemini_errors import error_object
from hyperroute.dialects.gemini_spelling import NAME, seal
from hyperroute.dialects.gemini_usage import usage_metadata
from hyperroute.dialects.renaming import called
from hyperroute.dialects.sse import frame
from hyperroute.dialects.unsaid import TOKENS, Speech

SPEECH = Speech(
    dialect=NAME,
    choices=True,
    seals=frozenset({Text, Reasoning, ToolUse}),
    media=True,
    objects=True,
    finishes=frozenset({"stop", "length", "tool_calls", "filter", "pause", "malformed"}),
    meters=TOKENS
    | {
        "cache_read_tokens",
        "reasoning_tokens",
        "input_image_tokens",
        "input_audio_tokens",
        "output_image_tokens",
        "output_audio_tokens",
        "output_video_tokens",
    },
)

_REASONS: Mapping[FinishReason, str] = MappingProxyType(
    {
        "stop": "STOP",
        "stop_sequence": "STOP",
        "tool_calls": "STOP",
        "length": "MAX_TOKENS",
        "context_full": "MAX_TOKENS",
        "refusal": "SAFETY",
        "filter": "SAFETY",
        "pause": "CONTINUATION",
        "malformed": "MALFORMED_RESPONSE",
        "error": "OTHER",
        "other": "OTHER",
    }
)
MALFORMED_CALL = "MALFORMED_FUNCTION_CALL"


def emit_reply(reply: Reply, *, request: Request, model: str) -> bytes:
    """Write a whole reply."""
    candidates = []
    for choice in reply.choices:
        parts: list[dict[str, Any]] = []
        reason = _REASONS[choice.finish.reason]
        for part in choice.parts:
            written = _part(part, request)
            if written is None and isinstance(part, ToolUse):
                reason = MALFORMED_CALL
            elif written is not None:
                parts.append(written)
        metadata = _metadata(
            citation
            for part in choice.parts
            if isinstance(part, Text)
            for citation in part.citations
        )
        candidates.append(
            {
                "content": {"parts": parts, "role": "model"},
                "finishReason": reason,
                "index": choice.index,
                **metadata,
            }
        )
    return json.dumps(
        {
            "candidates": candidates,
            "usageMetadata": usage_metadata(reply.usage),
            "modelVersion": model,
            "responseId": reply.id,
        }
    )


def emit_error(error: ClientError) -> bytes:
    """Write an error body."""
    return json.dumps(error_object(error))


@dataclass(slots=True)
class GeminiEncoder:
    """Writes one stream; usage goes with the last chunk."""

    request: Request
    model: str
    _tail: bytes = b"}"
    """``modelVersion`` and ``responseId``, which end every chunk."""
    _usage: Usage = NO_USAGE
    _open: dict[int, tuple[int, Part]] = field(default_factory=dict[int, tuple[int, Part]])
    """Open parts by index: the choice and the part so far."""
    _heads: dict[int, bytes] = field(default_factory=dict[int, bytes])
    """Of an open text part: the chunk up to its text."""
    _pieces: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    _broken: set[int] = field(default_factory=set[int])
    """Choices with a call that is not JSON."""
    _over: bool = False

    def feed(self, event: StreamEvent) -> bytes:
        """Emit the bytes for one event."""
        match event:
            case PartDelta(index, text):
                return self._delta(index, text)
            case Started(ident):
                told = json.dumps({"modelVersion": self.model, "responseId": ident})
                self._tail = b"," + told[1:]
            case UsageReported(usage):
                self._usage = usage
            case PartStarted(index, part, choice):
                return self._start(index, part, choice)
            case PartEnded(index, sealed, citations):
                return self._end_part(index, sealed, citations)
            case Finished():
                return self._finish(event)
            case _:
                assert_never(event)
        return b""

    def passed(self, frame: bytes) -> None:
        """Do nothing: an error stands alone."""
        del frame

    def pulse(self) -> bytes:
        """Emit an empty line: anything else breaks Google's reader, comments too."""
        return b"\n"

    def fail(self, error: ClientError) -> bytes:
        """Emit the error chunk that ends a broken stream."""
        self._over = True
        return frame(json.dumps(error_object(error)))

    def _start(self, index: int, part: Part, choice: int) -> bytes:
        self._open[index] = choice, part
        thought = isinstance(part, Reasoning)
        if isinstance(part, Text | Refusal | Reasoning):
            self._heads[index] = b'{"candidates":[{"content":{"parts":[{%s"text":' % (
                b'"thought":true,' if thought else b""
            )
            return self._delta(index, part.text)
        self._pieces[index] = []
        return b""

    def _delta(self, index: int, text: str) -> bytes:
        head = self._heads.get(index)
        if head is None:
            if index in self._pieces:
                self._pieces[index].append(text)
            return b""
        if not text:
            return b""
        return b'data: %s%s}],"role":"model"},"index":%d}]%s\n\n' % (
            head,
            json.dumps(text),
            self._open[index][0],
            self._tail,
        )

    def _end_part(self, index: int, sealed: Sealed | None, citations: tuple[Any, ...]) -> bytes:
        choice, part = self._open.pop(index)
        if self._heads.pop(index, None) is not None:
            sealed = sealed or (part.sealed if isinstance(part, Text | Reasoning) else None)
            extra = _metadata((*part.citations, *citations)) if isinstance(part, Text) else {}
            if sealed is None and not extra:
                return b""
            last: dict[str, Any] = {"text": ""}
            if isinstance(part, Reasoning):
                last["thought"] = True
            if sealed is not None:
                last["thoughtSignature"] = seal(sealed)
            return self._chunk([last], choice, **extra)
        if isinstance(part, ToolUse):
            part = sealed_with(extended(part, "".join(self._pieces.pop(index))), sealed, ())
        written = _part(part, self.request)
        if written is None:
            if isinstance(part, ToolUse):
                self._broken.add(choice)
            return b""
        return self._chunk([written], choice)

    def _finish(self, event: Finished) -> bytes:
        if self._over:
            return b""
        reason = MALFORMED_CALL if event.choice in self._broken else _REASONS[event.reason]
        return self._chunk([], event.choice, finishReason=reason, usage=True)

    def _chunk(
        self, parts: list[dict[str, Any]], choice: int, *, usage: bool = False, **more: Any
    ) -> bytes:
        content = {"parts": parts, "role": "model"}
        document: dict[str, Any] = {"candidates": [{"content": content, **more, "index": choice}]}
        if usage:
            document["usageMetadata"] = usage_metadata(self._usage)
        return b"data: " + json.dumps(document)[:-1] + self._tail + b"\n\n"


def _part(part: Part, request: Request) -> dict[str, Any] | None:
    """Write a whole part; ``None`` if it has no form here."""
    match part:
        case Text():
            sealed = {} if part.sealed is None else {"thoughtSignature": seal(part.sealed)}
            return {"text": part.text, **sealed}
        case Refusal():
            return {"text": part.text}
        case Reasoning():
            sealed = {} if part.sealed is None else {"thoughtSignature": seal(part.sealed)}
            return {"text": part.text, "thought": True, **sealed}
        case ToolUse():
            arguments = _arguments(part)
            if arguments is None:
                return None
            name = called(request, part.name)
            sealed = {} if part.sealed is None else {"thoughtSignature": seal(part.sealed)}
            return {"functionCall": {"id": part.id, "name": name, "args": arguments}, **sealed}
        case Media(source="data"):
            return {"inlineData": {"mimeType": part.mime or "", "data": part.value}}
        case Media():
            return {"fileData": {"mimeType": part.mime or "", "fileUri": part.value}}
        case ServerTool() | Opaque():
            return dict(part.value) if part.dialect == NAME else None
        case ToolResult():
            return None
        case _:
            assert_never(part)


def _arguments(part: ToolUse) -> Mapping[str, Any] | None:
    if part.custom:
        return {"input": part.arguments}
    try:
        value = json.loads(part.arguments or "{}")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _metadata(citations: Iterable[Any]) -> dict[str, Any]:
    """Give back Google's own citation objects under the names they came by; others as grounding."""
    found: dict[str, Any] = {}
    foreign: list[Any] = []
    for citation in citations:
        if is_neutral(citation):
            foreign.append(citation)
        for name in ("citationMetadata", "groundingMetadata"):
            if isinstance(citation, Mapping) and name in citation:
                found[name] = citation[name]
    grounding = as_grounding(foreign)
    return found if grounding is None else {**found, "groundingMetadata": grounding}
