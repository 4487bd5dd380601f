"""Canonical events as a Responses stream.

Measured rules of the readers (dialects.md, 5.2 and 6; clients.md, 6 to 9): ``response.created``
first, ``sequence_number`` from 0 by ones, an item added before its parts and a part before its
deltas, the same ids throughout, every item told whole when it is done (some clients read nothing
else), and the last event repeats them all with usage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, assert_never

from hyperroute.canon.content import (
    Json,
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
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.request import Request
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects.base import ClientError
from hyperroute.dialects.json import dumps, loads
from hyperroute.dialects.openai_answering import flat_citation, old_names
from hyperroute.dialects.openai_errors import error_object
from hyperroute.dialects.openai_responses_reply import Skeleton, ending
from hyperroute.dialects.sealing import tagged
from hyperroute.dialects.sse import COMMENT, SseReader, frame

_NUMBER: Final = re.compile(rb'"sequence_number":[ ]?(\d{1,9})')


@dataclass(slots=True)
class _Item:
    """The item being told; ``body`` is what its done event will hold."""

    body: dict[str, Any]
    index: int
    parts: int = 0
    """Content or summary parts that were begun."""


@dataclass(slots=True)
class _Part:
    """The part being told."""

    number: int
    kind: Literal["text", "refusal", "thinking", "call", "custom"]
    head: bytes
    """Of its delta events, up to the sequence number."""
    pieces: list[str] = field(default_factory=list[str])
    citations: tuple[Json, ...] = ()
    """That came with a part told whole."""


class ResponsesEncoder:
    """Writes one stream for our caller."""

    def __init__(self, *, request: Request, model: str) -> None:
        self._request = request
        self._names: Mapping[str, str] = old_names(request)
        self._skeleton = Skeleton(request, model)
        self._output: list[dict[str, Any]] = []
        self._item: _Item | None = None
        self._part: _Part | None = None
        self._sequence = 0
        self._usage: Usage = NO_USAGE
        self._refused = False
        self._begun = False
        self._over = False
        self._last: dict[str, Any] = {}

    def feed(self, event: StreamEvent) -> bytes:
        """Emit the bytes for one event; may be empty."""
        if self._over:
            return b""
        match event:
            case PartDelta(index, text):
                return self._more(index, text) if text else b""
            case Started():
                return self._begin(event)
            case PartStarted(index, part, choice):
                # One answer is all that this dialect has; more were refused on the way in.
                return self._start(index, part) if choice == 0 else b""
            case PartEnded(index, sealed, citations):
                return self._end(index, sealed, citations)
            case UsageReported(usage):
                self._usage = usage
                return b""
            case Finished():
                return self._finish(event) if event.choice == 0 else b""
            case _:
                assert_never(event)

    def passed(self, frame: bytes) -> None:
        """Go on behind a provider's own events: with their response, and their numbers."""
        for found in _NUMBER.finditer(frame):
            self._sequence = max(self._sequence, int(found[1]) + 1)
        if b'"response.created"' in frame or b'"response.output_item.done"' in frame:
            for kind, event in _events(frame):
                if kind == "response.created" and isinstance(made := event.get("response"), dict):
                    self._begun = True
                    self._skeleton.adopt(made)
                elif kind == "response.output_item.done" and isinstance(event.get("item"), dict):
                    self._output.append(event["item"])

    def pulse(self) -> bytes:
        """Emit an event outside the numbering; before ``response.created`` only a comment may stand.

        Some clients' idle timers do not count comments (clients.md, 6 and 7).
        """
        return frame(b'{"type":"keepalive"}', name="keepalive") if self._begun else COMMENT

    def fail(self, error: ClientError) -> bytes:
        """Emit the bytes that end a broken stream: ``response.failed`` with what was told so far.

        Helpers want a response created before it fails, also one that never began.
        """
        if self._over:
            return b""
        begun = b"" if self._begun else self._begin(Started("", ""))
        self._over = True
        response = self._skeleton.response("failed", self._output)
        response["error"] = failure(error_object(error))
        return begun + self._say("response.failed", response=response)

    def _begin(self, event: Started) -> bytes:
        self._begun = True
        self._skeleton.start(event)
        response = self._skeleton.response("in_progress", [])
        return self._say("response.created", response=response) + self._say(
            "response.in_progress", response=response
        )

    def _say(self, kind: str, **members: object) -> bytes:
        event = {"type": kind, "sequence_number": self._sequence, **members}
        self._sequence += 1
        return frame(dumps(event), name=kind)

    def _start(self, number: int, part: Part) -> bytes:
        match part:
            case Text(text, citations):
                out = self._content(number, "text", text)
                if self._part is not None:
                    self._part.citations = citations
                return out
            case Refusal(text):
                self._refused = True
                return self._content(number, "refusal", text)
            case Reasoning(text=text):
                return self._thinking(number, part, text)
            case ToolUse():
                return self._call(number, part)
            case ServerTool() | Opaque() if part.dialect == self._request.dialect:
                return self._close() + self._open(dict(part.value)) + self._close()
            case Media() | ToolResult() | ServerTool() | Opaque():
                return b""
            case _:
                assert_never(part)

    def _content(self, number: int, kind: Literal["text", "refusal"], text: str) -> bytes:
        out = b""
        if self._item is None or self._item.body["type"] != "message":
            out = self._close()
            body = {
                "type": "message",
                "id": self._skeleton.identity("msg", len(self._output)),
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            }
            out += self._open(body)
        item = self._current()
        place = item.parts
        item.parts += 1
        event = "response.output_text.delta" if kind == "text" else "response.refusal.delta"
        self._part = _Part(number, kind, self._delta_head(event, content_index=place))
        empty = _content_part(kind, "", [])
        where = self._where(content_index=place)
        out += self._say("response.content_part.added", **where, part=empty)
        return out + (self._more(number, text) if text else b"")

    def _thinking(self, number: int, part: Reasoning, text: str) -> bytes:
        """Tell thinking as a summary; parts of one item, by its id, stay one item."""
        item = self._item
        out = b""
        known = part.id or ""
        joins = item is not None and item.body["type"] == "reasoning" and item.body["id"] == known
        if not joins:
            out = self._close()
            identity = known or self._skeleton.identity("rs", len(self._output))
            body = {"type": "reasoning", "id": identity, "summary": []}
            out += self._open(body)
        self._part = _Part(number, "thinking", b"")
        if part.sealed is not None:
            self._seal(part.sealed)
        return out + (self._more(number, text) if text else b"")

    def _call(self, number: int, part: ToolUse) -> bytes:
        out = self._close()
        if part.sealed is not None:
            # A signature on a call has no place here: it rides on empty thinking before it.
            body = {"type": "reasoning", "id": self._skeleton.identity("rs", len(self._output))}
            out += self._open(body | {"summary": []})
            self._seal(part.sealed)
            out += self._close()
        name = self._names.get(part.name, part.name)
        head = {"call_id": part.id, "name": name}
        if part.custom:
            identity = part.item_id or self._skeleton.identity("ctc", len(self._output))
            body = {"type": "custom_tool_call", "id": identity, **head, "input": ""}
            event = "response.custom_tool_call_input.delta"
        else:
            identity = part.item_id or self._skeleton.identity("fc", len(self._output))
            body = {"type": "function_call", "id": identity, **head, "arguments": ""}
            body["status"] = "in_progress"
            event = "response.function_call_arguments.delta"
        out += self._open(body)
        self._part = _Part(number, "custom" if part.custom else "call", self._delta_head(event))
        return out + (self._more(number, part.arguments) if part.arguments else b"")

    def _more(self, number: int, text: str) -> bytes:
        part = self._part
        if part is None or part.number != number:
            return b""
        out = b""
        if part.kind == "thinking" and not part.head:
            item = self._current()
            place = item.parts
            item.parts += 1
            where = self._where(summary_index=place)
            empty = {"type": "summary_text", "text": ""}
            out = self._say("response.reasoning_summary_part.added", **where, part=empty)
            event = "response.reasoning_summary_text.delta"
            part.head = self._delta_head(event, summary_index=place)
        part.pieces.append(text)
        tail = b',"logprobs":[]}\n\n' if part.kind == "text" else b"}\n\n"
        said = b'%b%d,"delta":%b%b' % (part.head, self._sequence, dumps(text), tail)
        self._sequence += 1
        return out + said

    def _end(self, number: int, sealed: Sealed | None, citations: tuple[Json, ...]) -> bytes:
        part = self._part
        if part is None or part.number != number:
            return b""
        out = b""
        if part.kind == "call" and not part.pieces:
            out = self._more(number, "{}")  # readers parse the arguments: "" is no JSON
        self._part = None
        item = self._current()
        whole = "".join(part.pieces)
        place = item.parts - 1
        match part.kind:
            case "call":
                item.body |= {"arguments": whole, "status": "completed"}
                return out + self._say(
                    "response.function_call_arguments.done",
                    **self._where(),
                    name=item.body["name"],
                    arguments=whole,
                )
            case "custom":
                item.body["input"] = whole
                return self._say(
                    "response.custom_tool_call_input.done", **self._where(), input=whole
                )
            case "thinking":
                if sealed is not None:
                    self._seal(sealed)
                return self._thought(whole, place) if part.pieces else b""
            case "text" | "refusal":
                return self._said(part.kind, whole, place, (*part.citations, *citations))

    def _thought(self, whole: str, place: int) -> bytes:
        where = self._where(summary_index=place)
        said = {"type": "summary_text", "text": whole}
        self._current().body["summary"].append(said)
        out = self._say("response.reasoning_summary_text.done", **where, text=whole)
        return out + self._say("response.reasoning_summary_part.done", **where, part=said)

    def _said(
        self,
        kind: Literal["text", "refusal"],
        whole: str,
        place: int,
        citations: tuple[Json, ...],
    ) -> bytes:
        where = self._where(content_index=place)
        out = b""
        notes = [n for c in citations if (n := flat_citation(c, len(whole))) is not None]
        for number, note in enumerate(notes):
            out += self._say(
                "response.output_text.annotation.added",
                **where,
                annotation_index=number,
                annotation=note,
            )
        if kind == "text":
            out += self._say("response.output_text.done", **where, text=whole, logprobs=[])
        else:
            out += self._say("response.refusal.done", **where, refusal=whole)
        said = _content_part(kind, whole, notes)
        self._current().body["content"].append(said)
        return out + self._say("response.content_part.done", **where, part=said)

    def _seal(self, sealed: Sealed) -> None:
        self._current().body["encrypted_content"] = tagged(sealed, own="openai")

    def _open(self, body: dict[str, Any]) -> bytes:
        self._item = _Item(body, len(self._output))
        return self._say("response.output_item.added", output_index=len(self._output), item=body)

    def _close(self) -> bytes:
        item, self._item = self._item, None
        if item is None:
            return b""
        if item.body.get("status") == "in_progress":
            item.body["status"] = "completed"
        self._output.append(item.body)
        return self._say("response.output_item.done", output_index=item.index, item=item.body)

    def _finish(self, event: Finished) -> bytes:
        out = self._close()
        self._over = True
        status, reason = ending(event, refused=self._refused)
        response = self._skeleton.response(status, self._output, usage=self._usage, reason=reason)
        self._last = response
        return out + self._say(f"response.{status}", response=response)

    def whole(self) -> bytes:
        """Emit the response that the last event held, as a body of its own."""
        return dumps(self._last)

    def _current(self) -> _Item:
        assert self._item is not None
        return self._item

    def _where(self, **places: int) -> dict[str, Any]:
        item = self._current()
        return {"item_id": item.body["id"], "output_index": item.index, **places}

    def _delta_head(self, event: str, **places: int) -> bytes:
        members = dumps({"type": event, **self._where(**places)})[:-1]
        return b"event: %b\ndata: %b" % (event.encode(), members) + b',"sequence_number":'


def _events(frames: bytes) -> Iterator[tuple[object, dict[str, Any]]]:
    """Read events of a provider, by their types; they were read once before, so they are JSON."""
    for _, data in SseReader().feed(frames):
        event = loads(data)
        if isinstance(event, dict):
            yield event.get("type"), event


def failure(inner: Mapping[str, Any]) -> dict[str, Any]:
    """Say an error in the closed list of codes that a response may fail with.

    ``context_length_exceeded`` is outside OpenAI's types, but agents branch on it.
    """
    code = inner.get("code")
    known = {"rate_limit_exceeded", "context_length_exceeded", "server_is_overloaded"}
    return {"code": code if code in known else "server_error", "message": inner["message"]}


def _content_part(
    kind: Literal["text", "refusal"], text: str, notes: list[dict[str, Any]]
) -> dict[str, Any]:
    if kind == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": notes, "logprobs": []}
