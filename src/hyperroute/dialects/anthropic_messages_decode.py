"""Messages replies, read as a client: streamed and whole bodies become the same events.

The success terminal is ``message_stop``, or a ``message_delta`` with its reason and then the end of
the body (dialects.md, 5.5). What follows the terminal is ignored, unread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hyperroute.canon.content import (
    Json,
    Part,
    Reasoning,
    Sealed,
    Text,
    ToolUse,
)
from hyperroute.canon.events import (
    Finished,
    FinishReason,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.usage import Usage
from hyperroute.dialects import json
from hyperroute.dialects.anthropic_messages_errors import report_of
from hyperroute.dialects.anthropic_messages_read import unknown_block
from hyperroute.dialects.base import ErrorInStream
from hyperroute.dialects.reading import count
from hyperroute.dialects.sse import BodyReader
from hyperroute.errors import ProviderWireError

VENDOR = "anthropic"

_REASONS: Mapping[str, FinishReason] = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop_sequence",
        "max_tokens": "length",
        "model_context_window_exceeded": "context_full",
        "tool_use": "tool_calls",
        "pause_turn": "pause",
        "refusal": "refusal",
    }
)
_DELTAS: Mapping[str, tuple[str, type[Part]]] = MappingProxyType(
    {
        "text_delta": ("text", Text),
        "thinking_delta": ("thinking", Reasoning),
        "input_json_delta": ("partial_json", ToolUse),
    }
)


@dataclass(slots=True)
class _Block:
    """The open block: ``at`` its index on the wire, ``index`` the part's; ``held`` comes whole."""

    at: object
    index: int
    part: Part
    held: dict[str, Any] | None = None
    json: list[str] = field(default_factory=list[str])
    signature: str | None = None
    citations: list[Json] = field(default_factory=list[Json])


@dataclass(slots=True)
class MessagesDecoder:
    """One reply; ``feed`` it bytes split anywhere."""

    _body: BodyReader = field(default_factory=BodyReader)
    _started: bool = False
    _done: bool = False
    _open: _Block | None = None
    _parts: int = 0
    _calls: bool = False
    _counts: dict[str, Any] = field(default_factory=dict[str, Any])
    _finish: Finished | None = None

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Take any number of bytes.

        Raises:
            ProviderWireError: They do not follow the dialect.
            ErrorInStream: The dialect's error object came.
        """
        if self._is_done():
            return
        for _, data in self._body.feed(chunk):
            yield from self._event(data)
            if self._is_done():
                return

    def close(self) -> Iterator[StreamEvent]:
        """Take the end of the body.

        Raises:
            ProviderWireError: It came before the success terminal.
            ErrorInStream: The whole body was an error object.
        """
        if self._is_done():
            return
        whole, last = self._body.close()
        if whole is not None:
            yield from self._whole(whole)
            return
        if last is not None and _is_json(last[1]):
            yield from self._event(last[1])
        if self._is_done():
            return
        if self._finish is None or self._open is not None:
            raise ProviderWireError("the reply ended before its terminal", cut=True)
        yield self._ended()

    @property
    def finished(self) -> bool:
        """Whether the message said why it stops."""
        return self._finish is not None

    def _is_done(self) -> bool:
        return self._done

    def _event(self, data: bytes) -> Iterator[StreamEvent]:
        obj = _parsed(data)
        if obj is None:
            return
        kind = obj.get("type")
        if kind == "content_block_delta":
            yield from self._delta(obj)
        elif kind == "error" or (kind is None and "error" in obj):
            raise ErrorInStream(report_of(obj))
        elif kind == "message_start":
            yield from self._start(_object(obj.get("message"), "message"))
        elif kind == "content_block_start":
            yield from self._open_block(
                obj.get("index"), _object(obj.get("content_block"), "block")
            )
        elif kind == "content_block_stop":
            if self._open is None or self._open.at != obj.get("index"):
                raise ProviderWireError("a block ends that is not open")
            yield from self._close_block()
        elif kind == "message_delta":
            yield from self._message_delta(obj)
        elif kind == "message_stop":
            yield from self._close_block()
            if not self._started:
                raise ProviderWireError("a message ends that did not start")
            self._finish = self._finish or self._reason(None, None, None)
            yield self._ended()

    def _start(self, message: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if self._started:
            raise ProviderWireError("a second message starts")
        self._started = True
        yield Started(_text(message, "id"), _text(message, "model"))
        yield from self._usage(message.get("usage"))

    def _usage(self, value: object) -> Iterator[StreamEvent]:
        """Overwrite what is counted anew: all counts are cumulative (dialects.md, 4.2)."""
        if not isinstance(value, dict):
            return
        self._counts.update({k: v for k, v in value.items() if v is not None})
        yield UsageReported(usage_of(self._counts))

    def _open_block(
        self, at: object, block: Mapping[str, Any], *, whole: bool = False
    ) -> Iterator[StreamEvent]:
        if not self._started:
            raise ProviderWireError("a block starts before its message")
        yield from self._close_block()
        part, held = self._part(block, whole=whole)
        self._open = _Block(at, self._parts, part, held)
        self._parts += 1
        if isinstance(part, Text):
            self._open.citations = _objects(block.get("citations"))
        if isinstance(part, Reasoning) and not part.redacted:
            self._open.signature = _text(block, "signature") or None
        if held is None:
            yield PartStarted(self._open.index, part)

    def _part(self, block: Mapping[str, Any], *, whole: bool) -> tuple[Part, dict[str, Any] | None]:
        """Make the part a block begins; a dict besides if it is only known at its end."""
        kind = block.get("type")
        if not isinstance(kind, str):
            raise ProviderWireError("a block without a type")
        match kind:
            case "text":
                return Text(_text(block, "text")), None
            case "thinking":
                return Reasoning(text=_text(block, "thinking")), None
            case "redacted_thinking":
                sealed = Sealed("redacted", _text(block, "data"), VENDOR)
                return Reasoning(redacted=True, sealed=sealed), None
            case "tool_use":
                self._calls = True
                name = _text(block, "name")
                if not name:
                    raise ProviderWireError("a tool call without a name")
                given = block.get("input")
                # In a stream ``{}`` stands for arguments that are still to come.
                arguments = json.dumps(given).decode() if given or (whole and given == {}) else ""
                # Row 67 of the fault catalogue: an id that is missing is made.
                ident = _text(block, "id") or f"call_{self._parts}"
                return ToolUse(id=ident, name=name, arguments=arguments), None
            case _:
                return unknown_block(block, kind), dict(block)

    def _delta(self, obj: Mapping[str, Any]) -> Iterator[StreamEvent]:
        block = self._open
        if block is None or block.at != obj.get("index"):
            raise ProviderWireError("a delta for a block that is not open")
        delta = obj.get("delta")
        if not isinstance(delta, dict):
            raise ProviderWireError("a delta that is no object")
        kind = delta.get("type")
        known = _DELTAS.get(kind) if isinstance(kind, str) else None
        if known is None:
            self._late(block, kind, delta)
            return
        key, part = known
        text = delta.get(key)
        if not isinstance(text, str):
            raise ProviderWireError(f"a {kind} without {key}")
        if block.held is not None:
            if part is ToolUse:
                block.json.append(text)
        elif not isinstance(block.part, part):
            raise ProviderWireError(f"a {kind} in a {type(block.part).__name__} block")
        elif text:
            yield PartDelta(block.index, text)

    def _late(self, block: _Block, kind: object, delta: Mapping[str, Any]) -> None:
        """Keep what is told at the block's end; deltas that we do not know say nothing."""
        if kind == "signature_delta":
            block.signature = _text(delta, "signature") or block.signature
        elif kind == "citations_delta":
            block.citations.append(_object(delta.get("citation"), "citation"))

    def _close_block(self) -> Iterator[StreamEvent]:
        block, self._open = self._open, None
        if block is None:
            return
        if block.held is not None:
            if block.json:
                block.held["input"] = _input("".join(block.json))
            yield PartStarted(block.index, unknown_block(block.held, str(block.held["type"])))
        sealed = Sealed("signature", block.signature, VENDOR) if block.signature else None
        sealed = sealed if isinstance(block.part, Reasoning) else None
        yield PartEnded(block.index, sealed, tuple(block.citations))

    def _message_delta(self, obj: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if not self._started:
            raise ProviderWireError("a message goes on that did not start")
        delta = _object(obj.get("delta") or {}, "delta")
        reason = delta.get("stop_reason")
        if reason is not None:
            yield from self._close_block()
            self._finish = self._reason(
                reason, delta.get("stop_sequence"), delta.get("stop_details")
            )
        yield from self._usage(obj.get("usage"))

    def _reason(self, said: object, sequence: object, details: object) -> Finished:
        raw = said if isinstance(said, str) else ""
        reason = _REASONS.get(raw, "other")
        if self._calls and reason in {"stop", "other"}:
            reason = "tool_calls"
        detail = sequence if reason == "stop_sequence" else None
        if reason == "refusal" and isinstance(details, dict):
            detail = details.get("category")
        return Finished(reason, raw, detail=detail if isinstance(detail, str) else None)

    def _ended(self) -> Finished:
        assert self._finish is not None
        self._done = True
        return self._finish

    def _whole(self, body: bytes) -> Iterator[StreamEvent]:
        try:
            obj = json.loads(body)
        except ValueError as error:
            cut = not body.rstrip().endswith(b"}")
            raise ProviderWireError("the reply is not JSON", cut=cut) from error
        if not isinstance(obj, dict):
            raise ProviderWireError("the reply is no object")
        if obj.get("type") == "error" or (obj.get("error") and "content" not in obj):
            raise ErrorInStream(report_of(obj))
        content = obj.get("content")
        if not isinstance(content, list):
            raise ProviderWireError("the reply has no content", pointer="/content")
        yield from self._start(obj)
        for index, block in enumerate(content):
            yield from self._open_block(index, _object(block, "block"), whole=True)
        yield from self._close_block()
        self._finish = self._reason(
            obj.get("stop_reason"), obj.get("stop_sequence"), obj.get("stop_details")
        )
        yield self._ended()


def usage_of(counts: Mapping[str, Any]) -> Usage:
    """Read a usage object: cached tokens stand beside ``input_tokens`` (dialects.md, 4.2)."""
    fresh = count(counts.get("input_tokens"))
    read = count(counts.get("cache_read_input_tokens"))
    written = count(counts.get("cache_creation_input_tokens"))
    split = counts.get("cache_creation")
    hour = five = None
    if isinstance(split, dict):
        hour = count(split.get("ephemeral_1h_input_tokens"))
        five = count(split.get("ephemeral_5m_input_tokens"))
    if written is None and (hour is not None or five is not None):
        written = (hour or 0) + (five or 0)
    details = counts.get("output_tokens_details")
    server = counts.get("server_tool_use")
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
        output_tokens=count(counts.get("output_tokens")),
        reasoning_tokens=count(details.get("thinking_tokens"))
        if isinstance(details, dict)
        else None,
        searches=count(server.get("web_search_requests")) if isinstance(server, dict) else None,
    )


def _parsed(data: bytes) -> Mapping[str, Any] | None:
    try:
        obj = json.loads(data)
    except ValueError as error:
        if data.strip() in {b"", b"[DONE]"}:
            return None
        raise ProviderWireError("an event is not JSON") from error
    if not isinstance(obj, dict):
        raise ProviderWireError("an event is no object")
    return obj


def _is_json(data: bytes) -> bool:
    """Tell whether an event that no blank line ended came whole; one that was cut never parses."""
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ProviderWireError(f"a {what} that is no object")
    return value


def _objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(obj: Mapping[str, Any], key: str) -> str:
    """Read a text that a strange server may leave out or send as something else."""
    value = obj.get(key)
    return value if isinstance(value, str) else ""


def _input(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
