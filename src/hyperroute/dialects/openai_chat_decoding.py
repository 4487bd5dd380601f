"""Replies of chat completions, streamed or whole, as canonical events.

One choice is told part after part. Thinking, text and refusal follow one another as they come. A
tool call stays open until its choice finishes, because nothing in this dialect says that its
arguments are complete; what comes beside it (more calls, text) waits, in order, until then.

The success terminal is a ``finish_reason`` for every choice that began, ``[DONE]`` or not; a body
that ends before is cut. ``Finished`` is held until the usage-only chunk, ``[DONE]`` or the end,
because usage comes after the finish. Behind it nothing is read any more (reliability.md, 63 and 64).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hyperroute.canon.content import Media, Part, Reasoning, Refusal, Text, ToolUse
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
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects.base import ErrorInStream
from hyperroute.dialects.json import loads
from hyperroute.dialects.openai_chat_pieces import Calls, OpenCall, picture, sound, spoken, text_of
from hyperroute.dialects.openai_errors import is_error, report
from hyperroute.dialects.openai_usage import later, read_usage
from hyperroute.dialects.sse import BODY_BYTES_MAX, BodyReader
from hyperroute.errors import ProviderWireError

CHOICES_MAX: Final = 128
"""The most that ``n`` may ask for. Source: OpenAI's API reference, read 2026-11-22."""
_DONE: Final = b"[DONE]"
_FINISHES: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "filter",
    "error": "error",
}


@dataclass(slots=True)
class _Choice:
    """One answer of ``n``, half told."""

    index: int
    open: type[Part] | None = None
    """Kind of the open part; it is a call while ``calls.live`` is set."""
    part: int = -1
    calls: Calls = field(default_factory=Calls)
    waiting: list[tuple[type[Part], str] | OpenCall] = field(default_factory=list)
    citations: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    audio: dict[str, Any] = field(default_factory=dict[str, Any])
    images: list[Media] = field(default_factory=list[Media])
    refused: bool = False
    called: bool = False
    finish: str | None = None


class ChatDecoder:
    """Provider bytes in, canonical events out."""

    __slots__ = ("_body", "_choices", "_held", "_id", "_over", "_parts", "_started", "_usage")

    def __init__(self) -> None:
        self._body = BodyReader()
        self._choices: dict[int, _Choice] = {}
        self._started = False
        self._over = False
        self._id = ""
        self._parts = 0
        self._held = 0
        self._usage: Usage = NO_USAGE

    @property
    def repairs(self) -> int:
        """How many tool calls had to be given an id or a place (reliability.md, row 67)."""
        return sum(choice.calls.repairs for choice in self._choices.values())

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Take any number of bytes, split anywhere.

        Raises:
            ProviderWireError: The bytes do not follow the dialect.
            ErrorInStream: An error object came.
        """
        if self._over:
            return
        choices = self._choices
        for name, data in self._body.feed(chunk):
            if data == _DONE:
                yield from self._end("[DONE] came before a finish_reason")
                return
            value = self._read(name, data)
            if value is None:
                continue
            # The token's way: one choice, one key of text, its part open (so it has not finished).
            try:
                (entry,) = value["choices"]
                delta = entry["delta"]
                text = delta["content"]
                choice = choices[entry["index"]]
                plain = (
                    len(delta) == 1
                    and choice.open is Text
                    and text.__class__ is str
                    and entry.get("finish_reason") is None
                    and value.get("usage") is None
                )
            except (LookupError, TypeError, ValueError, AttributeError):
                plain = False
                text, choice = "", _NO_CHOICE
            if plain:
                if text:
                    yield PartDelta(choice.part, text)
                continue
            yield from self._chunk(value)
            if self._ended():
                return

    def close(self) -> Iterable[StreamEvent]:
        """Take the end of the body.

        Raises:
            ProviderWireError: It came before the success terminal; ``cut`` is set.
            ErrorInStream: The whole body was an error object.
        """
        if self._over:
            return ()
        whole, last = self._body.close()
        return self._last(last) if whole is None else self._whole(whole)

    def _last(self, last: tuple[str, bytes] | None) -> Iterator[StreamEvent]:
        if last is not None and last[1] != _DONE and not self.finished:
            try:
                value = self._read(*last)
            except ProviderWireError as error:
                raise ProviderWireError(str(error), cut=True) from None
            if value is not None:
                yield from self._chunk(value)
        yield from self._end("the stream ended before a finish_reason")

    def _read(self, name: str, data: bytes) -> dict[str, Any] | None:
        """Parse one event; ``None`` where it carries nothing for us."""
        try:
            value = loads(data)
        except (ValueError, RecursionError):
            if self.finished:
                return None
            raise ProviderWireError("an event is not JSON") from None
        if name == "error" or (isinstance(value, dict) and is_error(value)):
            if self.finished:
                return None
            raise ErrorInStream(report(value))
        if isinstance(value, dict):
            return value
        if self.finished:
            return None
        raise ProviderWireError("an event is not a JSON object")

    def _whole(self, body: bytes) -> list[StreamEvent]:
        text = body.strip()
        try:
            value = loads(text)
        except (ValueError, RecursionError):
            cut = not text.endswith((b"}", b"]"))
            raise ProviderWireError("the body is not JSON", cut=cut) from None
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict):
            raise ProviderWireError("the body is not a JSON object")
        if is_error(value):
            raise ErrorInStream(report(value))
        if not isinstance(value.get("choices"), list):
            raise ProviderWireError("must be a list", pointer="/choices")
        said = self._chunk(value)
        if not self._over:
            said += self._end("a choice has no finish_reason", cut=False)
        return said

    def _chunk(self, value: dict[str, Any]) -> list[StreamEvent]:
        """Read one object; all of it is told, or where it is broken nothing."""
        said: list[StreamEvent] = []
        choices = value.get("choices")
        if choices is None:
            choices = []
        if not isinstance(choices, list):
            raise ProviderWireError("must be a list", pointer="/choices")
        usage = read_usage(value.get("usage"))
        if not self._started and (choices or usage is not None or value.get("id")):
            self._started = True
            self._id = text_of(value.get("id"))
            created = value.get("created")
            whole = isinstance(created, int | float) and not isinstance(created, bool)
            model = text_of(value.get("model"))
            said.append(Started(self._id, model, int(created) if whole and created else None))
        for place, entry in enumerate(choices):
            if not isinstance(entry, dict):
                raise ProviderWireError("must be an object", pointer=f"/choices/{place}")
            self._entry(entry, place, said)
        if usage is not None:
            self._usage = later(self._usage, usage)
            said.append(UsageReported(self._usage))
            if not choices and self.finished:
                said += self._end("")
        return said

    def _entry(self, entry: dict[str, Any], place: int, said: list[StreamEvent]) -> None:
        index = entry.get("index")
        if not isinstance(index, int) or isinstance(index, bool):
            index = place
        choice = self._choices.get(index)
        if choice is None:
            if len(self._choices) >= CHOICES_MAX:
                raise ProviderWireError(f"more than {CHOICES_MAX} choices")
            choice = self._choices[index] = _Choice(index)
        if choice.finish is not None:
            return
        delta = entry.get("delta")
        if delta is None:
            delta = entry.get("message")
        if delta is not None:
            if not isinstance(delta, dict):
                raise ProviderWireError("must be an object", pointer=f"/choices/{place}/delta")
            self._delta(choice, delta, said)
        finish = entry.get("finish_reason")
        if finish is not None and not isinstance(finish, str):
            raise ProviderWireError("must be a string", pointer=f"/choices/{place}/finish_reason")
        if finish:  # some servers send "" until the end
            choice.finish = finish
            self._settle(choice, said)

    def _delta(self, choice: _Choice, delta: dict[str, Any], said: list[StreamEvent]) -> None:
        thinking = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thinking, str) and thinking:
            self._say(choice, Reasoning, thinking, said)
        content = delta.get("content")
        if isinstance(content, str):
            if content:
                self._say(choice, Text, content, said)
        elif isinstance(content, list):
            for kind, piece in spoken(content):
                self._say(choice, kind, piece, said)
        elif content is not None:
            raise ProviderWireError("must be text", pointer="/choices/0/delta/content")
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            choice.refused = True
            self._say(choice, Refusal, refusal, said)
        if isinstance(notes := delta.get("annotations"), list):
            choice.citations.extend(note for note in notes if isinstance(note, dict))
        if isinstance(heard := delta.get("audio"), dict):
            self._hear(choice, heard)
        if isinstance(pictures := delta.get("images"), list):
            choice.images.extend(media for entry in pictures if (media := picture(entry)))
        calls = delta.get("tool_calls")
        if isinstance(legacy := delta.get("function_call"), dict):
            calls = [{"index": 0, "function": legacy}]
        if calls is not None and not isinstance(calls, list):
            raise ProviderWireError("must be a list", pointer="/choices/0/delta/tool_calls")
        for call in calls or ():
            if not isinstance(call, dict):
                raise ProviderWireError("must be an object", pointer="/choices/0/delta/tool_calls")
            self._call(choice, call, said)

    def _say(self, choice: _Choice, kind: type[Part], text: str, said: list[StreamEvent]) -> None:
        if choice.open is ToolUse or choice.waiting:
            self._hold(len(text))
            choice.waiting.append((kind, text))
            return
        if choice.open is not kind:
            self._close_part(choice, said)
            self._open_part(choice, kind(), said)  # type: ignore[call-arg]
        said.append(PartDelta(choice.part, text))

    def _call(self, choice: _Choice, entry: dict[str, Any], said: list[StreamEvent]) -> None:
        choice.called = True
        call, piece = choice.calls.take(entry)
        if not call.queued:
            call.queued = True
            if choice.calls.live is None and not choice.waiting:
                choice.calls.live = call
                self._close_part(choice, said)
                choice.open = ToolUse
            else:
                choice.waiting.append(call)
        if choice.calls.live is not call:
            self._hold(len(piece))
            call.pieces.append(piece)
        elif call.told:
            if piece:
                said.append(PartDelta(choice.part, piece))
        else:
            call.pieces.append(piece)
            # Some servers send id, name and arguments one after the other: wait for the first two,
            # but no longer than for the arguments, since others never send an id.
            if call.name and (call.id or "".join(call.pieces)):
                self._tell(choice, call, said)

    def _tell(self, choice: _Choice, call: OpenCall, said: list[StreamEvent]) -> None:
        if not call.name:
            raise ProviderWireError("a tool call without a name")
        call.told = True
        identity = choice.calls.identity(self._id, choice.index, call)
        part = ToolUse(id=identity, name=call.name, custom=call.custom)
        self._open_part(choice, part, said)
        if pieces := "".join(call.pieces):
            said.append(PartDelta(choice.part, pieces))
        call.pieces = []

    def _hear(self, choice: _Choice, heard: dict[str, Any]) -> None:
        for key, value in heard.items():
            before = choice.audio.get(key)
            if key in {"data", "transcript"} and isinstance(value, str):
                self._hold(len(value))
                choice.audio[key] = (before or "") + value
            elif value is not None:
                choice.audio[key] = value

    def _settle(self, choice: _Choice, said: list[StreamEvent]) -> None:
        """Tell what waited, and close what is open."""
        live = choice.calls.live
        if live is not None and not live.told:
            self._tell(choice, live, said)
        for item in choice.waiting:
            if isinstance(item, OpenCall):
                self._close_part(choice, said)
                self._tell(choice, item, said)
                continue
            kind, text = item
            if choice.open is not kind:
                self._close_part(choice, said)
                self._open_part(choice, kind(), said)  # type: ignore[call-arg]
            said.append(PartDelta(choice.part, text))
        choice.waiting = []
        self._close_part(choice, said)
        if choice.citations:
            self._open_part(choice, Text(), said)
            self._close_part(choice, said)
        for media in (*choice.images, *sound(choice.audio)):
            self._open_part(choice, media, said)
            self._close_part(choice, said)

    def _end(self, broken: str, *, cut: bool = True) -> list[StreamEvent]:
        if not self.finished:
            raise ProviderWireError(broken, cut=cut)
        self._over = True
        ended = [self._choices[index] for index in sorted(self._choices)]
        return [Finished(_reason(one), one.finish or "", one.index) for one in ended]

    def _ended(self) -> bool:
        return self._over

    @property
    def finished(self) -> bool:
        """Whether a choice began, and all that began have their ``finish_reason``."""
        choices = self._choices
        return bool(choices) and None not in [choice.finish for choice in choices.values()]

    def _open_part(self, choice: _Choice, part: Part, said: list[StreamEvent]) -> None:
        choice.open, choice.part = type(part), self._parts
        self._parts += 1
        said.append(PartStarted(choice.part, part, choice.index))

    def _close_part(self, choice: _Choice, said: list[StreamEvent]) -> None:
        if choice.open is None:
            return
        citations: tuple[dict[str, Any], ...] = ()
        if choice.open is Text:
            citations, choice.citations = tuple(choice.citations), []
        choice.open = None
        said.append(PartEnded(choice.part, citations=citations))

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > BODY_BYTES_MAX:
            raise ProviderWireError(f"more than {BODY_BYTES_MAX} bytes wait for a call to end")


_NO_CHOICE: Final = _Choice(-1)
"""Stands in where a chunk names no choice; never told anything."""


def _reason(choice: _Choice) -> FinishReason:
    """Translate a finish; calls make it ``tool_calls``, except where the answer was stopped short."""
    reason = _FINISHES.get(choice.finish or "", "other")
    if choice.called and reason in {"stop", "other"}:
        return "tool_calls"
    if choice.refused and reason == "stop":
        return "refusal"
    return reason
