"""Canonical events as a chat completions stream, and a reply as a whole body.

Measured rules of the readers (dialects.md, 6; clients.md, 21): the role is said once; id and name of
a call once, in its first fragment; calls are counted without gaps; usage is said once, on the last
chunk with a ``finish_reason``, or on one more chunk without choices if the caller asked for that;
then ``[DONE]``. Thinking is not shown, unless the dialect value says so: it never becomes text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never

from hyperroute.canon.content import (
    Json,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    ServerTool,
    Text,
    ToolResult,
    ToolUse,
)
from hyperroute.canon.events import (
    Choice,
    Finished,
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
from hyperroute.dialects.base import ClientError
from hyperroute.dialects.json import dumps
from hyperroute.dialects.openai_answering import flat_citation, old_names
from hyperroute.dialects.openai_errors import error_object
from hyperroute.dialects.openai_usage import chat_usage
from hyperroute.dialects.sse import COMMENT, frame
from hyperroute.dialects.unsaid import TOKENS, Speech

SPEECH: Final = Speech(
    dialect="openai.chat",
    choices=True,
    thinking="dropped",
    refusal=True,
    ordered=False,
    custom=True,
    finishes=frozenset({"stop", "length", "tool_calls", "filter", "refusal"}),
    meters=TOKENS
    | {
        "cache_read_tokens",
        "cache_write_tokens",
        "input_image_tokens",
        "input_audio_tokens",
        "reasoning_tokens",
        "output_audio_tokens",
    },
)
_DONE: Final = b"data: [DONE]\n\n"
_NO_ID: Final = "chatcmpl-unnamed"


@dataclass(slots=True)
class _Open:
    """One part being told: whose it is, what it is, and whether its arguments came."""

    choice: int
    kind: type[Part]
    call: int = -1
    custom: bool = False
    told: bool = False
    before: int = 0
    """Characters of the choice's text in front of it."""
    citations: tuple[Json, ...] = ()
    """That came with a part told whole."""


class ChatEncoder:
    """Writes one stream for our caller."""

    def __init__(self, *, request: Request, model: str, shows_thinking: bool = False) -> None:
        self._asked = asks_for_usage(request)
        self._model = model
        self._shows = shows_thinking
        self._names = old_names(request)
        self._head = b""
        self._tail = b""
        self._open: dict[int, _Open] = {}
        self._calls: dict[int, int] = {}
        self._length: dict[int, int] = {}
        self._refused: set[int] = set()
        self._begun: set[int] = set()
        self._finished: set[int] = set()
        self._usage: Usage = NO_USAGE
        self._over = False
        wanted = request.parameters.get("n")
        self._wanted = wanted if isinstance(wanted, int) else 1
        """Of several answers one may end before another begins."""

    def feed(self, event: StreamEvent) -> bytes:
        """Emit the bytes for one event; may be empty."""
        if self._over:
            return b""
        match event:
            case PartDelta(index, text):
                return self._more(index, text) if text else b""
            case Started():
                self._start(event)
                return b""
            case PartStarted(index, part, choice):
                return self._part(index, part, choice)
            case PartEnded(index, _, citations):
                return self._part_end(index, citations)
            case UsageReported(usage):
                self._usage = usage
                return b""
            case Finished():
                return self._finish(event)
            case _:
                assert_never(event)

    def passed(self, frame: bytes) -> None:
        """Do nothing: an error stands alone."""
        del frame

    def pulse(self) -> bytes:
        """Emit a comment: an event without data, or an ``id:``, would break readers."""
        return COMMENT

    def fail(self, error: ClientError) -> bytes:
        """Emit the bytes that end a broken stream, honestly: an error, and no ``[DONE]``."""
        if self._over:
            return b""
        self._over = True
        return frame(dumps({"error": error_object(error)}))

    def _start(self, event: Started) -> None:
        head = {
            "id": event.id or _NO_ID,
            "object": "chat.completion.chunk",
            "created": event.created or 0,
            "model": self._model,
        }
        self._head = b"data: " + dumps(head)[:-1] + b',"choices":['
        self._tail = b'],"usage":null}\n\n' if self._asked else b"]}\n\n"

    def _chunk(self, choice: int, delta: bytes, finish: bytes = b"null") -> bytes:
        entry = b'{"index":%d,"delta":%b,"logprobs":null,"finish_reason":%b}' % (
            choice,
            delta,
            finish,
        )
        return self._head + entry + self._tail

    def _role(self, choice: int, *, content: bytes = b'""') -> bytes:
        if choice in self._begun:
            return b""
        self._begun.add(choice)
        delta = b'{"role":"assistant","content":%b,"refusal":null}' % content
        return self._chunk(choice, delta)

    def _part(self, index: int, part: Part, choice: int) -> bytes:
        opened = self._open[index] = _Open(choice, type(part))
        match part:
            case Text(text) | Refusal(text) | Reasoning(text=text):
                if isinstance(part, Refusal):
                    self._refused.add(choice)
                elif isinstance(part, Text):
                    opened.citations = part.citations
                    opened.before = self._length.get(choice, 0)
                return self._role(choice) + (self._more(index, text) if text else b"")
            case ToolUse():
                opened.call = self._calls.get(choice, 0)
                opened.custom = part.custom
                self._calls[choice] = opened.call + 1
                name = self._names.get(part.name, part.name)
                inner = (
                    {"type": "custom", "custom": {"name": name, "input": ""}}
                    if part.custom
                    else {"type": "function", "function": {"name": name, "arguments": ""}}
                )
                call = {"index": opened.call, "id": part.id, **inner}
                first = self._chunk(choice, b'{"tool_calls":[%b]}' % dumps(call))
                more = self._more(index, part.arguments) if part.arguments else b""
                return self._role(choice, content=b"null") + first + more
            case Media() | ToolResult() | ServerTool() | Opaque():
                return self._role(choice)
            case _:
                assert_never(part)

    def _more(self, index: int, text: str) -> bytes:
        opened = self._open[index]
        opened.told = True
        choice = opened.choice
        said = dumps(text)
        if opened.kind is Text:
            self._length[choice] = self._length.get(choice, 0) + len(text)
            return self._chunk(choice, b'{"content":%b}' % said)
        if opened.kind is ToolUse:
            place = b'"custom":{"input":' if opened.custom else b'"function":{"arguments":'
            delta = b'{"tool_calls":[{"index":%d,%b%b}}]}' % (opened.call, place, said)
            return self._chunk(choice, delta)
        if opened.kind is Refusal:
            return self._chunk(choice, b'{"refusal":%b}' % said)
        if self._shows and opened.kind is Reasoning:
            return self._chunk(choice, b'{"reasoning_content":%b}' % said)
        return b""

    def _part_end(self, index: int, citations: tuple[Json, ...]) -> bytes:
        opened = self._open.pop(index)
        citations = (*opened.citations, *citations)
        if opened.kind is ToolUse and not opened.told and not opened.custom:
            self._open[index] = opened
            written = self._more(index, "{}")  # readers parse the arguments: "" is no JSON
            del self._open[index]
            return written
        if not citations:
            return b""
        length = self._length.get(opened.choice, 0)
        notes = _annotations(citations, length, opened.before)
        return self._chunk(opened.choice, b'{"annotations":%b}' % dumps(notes))

    def _finish(self, event: Finished) -> bytes:
        choice = event.choice
        role = self._role(choice)
        self._finished.add(choice)
        word = b'"%b"' % finish_word(event, refused=choice in self._refused).encode()
        usage = chat_usage(self._usage)
        if not self._finished >= self._begun or len(self._finished) < self._wanted:
            return role + self._chunk(choice, b"{}", word)
        self._over = True
        if self._asked:
            last = role + self._chunk(choice, b"{}", word)
            if usage is not None:
                last += self._head + b'],"usage":%b}\n\n' % dumps(usage)
            return last + _DONE
        if usage is not None:
            self._tail = b'],"usage":%b}\n\n' % dumps(usage)
        return role + self._chunk(choice, b"{}", word) + _DONE


def asks_for_usage(request: Request) -> bool:
    """Say whether our caller wants usage on a chunk of its own."""
    options = request.raw.get("stream_options")
    asked = options.get("include_usage") if isinstance(options, Mapping) else None
    return asked is True and request.dialect == "openai.chat"


def finish_word(finish: Finished, *, refused: bool) -> str:
    """Say why it ended in the five words that chat has (dialects.md, 4.1).

    What has no word is told as ``content_filter``, the neutral failure, never as a plain stop.
    """
    match finish.reason:
        case "stop" | "stop_sequence" | "pause":
            return "stop"
        case "length" | "context_full":
            return "length"
        case "tool_calls":
            return "tool_calls"
        case "refusal" if refused:
            return "stop"
        case "refusal" | "filter" | "malformed" | "error" | "other":
            return "content_filter"


def emit_reply(
    reply: Reply, *, request: Request, model: str, shows_thinking: bool = False
) -> bytes:
    """Write a whole reply; ``model`` is the name the caller is told."""
    names = old_names(request)
    body: dict[str, Any] = {
        "id": reply.id or _NO_ID,
        "object": "chat.completion",
        "created": reply.created or 0,
        "model": model,
        "choices": [_choice(choice, names, shows_thinking) for choice in reply.choices],
    }
    usage = chat_usage(reply.usage)
    return dumps(body if usage is None else body | {"usage": usage})


def _choice(choice: Choice, names: Mapping[str, str], shows_thinking: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for part in choice.parts:
        match part:
            case Text(text, citations):
                said = message["content"] or ""
                message["content"] = said + text
                notes += _annotations(citations, len(said) + len(text), len(said))
            case Refusal(text):
                message["refusal"] = (message["refusal"] or "") + text
            case Reasoning(text=text):
                thoughts.append(text)
            case ToolUse():
                name = names.get(part.name, part.name)
                kind, words = "function", {"name": name, "arguments": part.arguments or "{}"}
                if part.custom:
                    kind, words = "custom", {"name": name, "input": part.arguments}
                calls.append({"id": part.id, "type": kind, kind: words})
            case _:
                continue  # nothing in chat holds it
    if shows_thinking and thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if notes:
        message["annotations"] = notes
    if calls:
        message["tool_calls"] = calls
    elif message["content"] is None and message["refusal"] is None:
        message["content"] = ""
    word = finish_word(choice.finish, refused=message["refusal"] is not None)
    return {"index": choice.index, "message": message, "logprobs": None, "finish_reason": word}


def _annotations(citations: Iterable[Json], length: int, before: int) -> list[dict[str, Any]]:
    found = (flat_citation(citation, length, before=before) for citation in citations)
    return [
        {"type": "url_citation", "url_citation": {k: v for k, v in note.items() if k != "type"}}
        for note in found
        if note is not None
    ]
