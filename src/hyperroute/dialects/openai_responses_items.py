"""One output item of a Responses reply, told as canonical parts.

A message holds several parts, a thinking item too, a call is one. What an item seals
(``encrypted_content``) is known at its end only, so the last thinking part stays open until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

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
    ToolUse,
)
from hyperroute.canon.events import PartDelta, PartEnded, PartStarted, StreamEvent
from hyperroute.errors import ProviderWireError

_NAME: Final = "openai.responses"
_Slot = Literal["text", "refusal", "summary", "thinking", "call"]
_SLOTS: Final[dict[str, _Slot]] = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "summary",
    "response.reasoning_text.delta": "thinking",
    "response.function_call_arguments.delta": "call",
    "response.custom_tool_call_input.delta": "call",
    "output_text": "text",
    "text": "text",
    "refusal": "refusal",
    "summary_text": "summary",
    "reasoning_text": "thinking",
}
_CALLS: Final = frozenset({"function_call", "custom_tool_call"})


class Numbers:
    """Gives out part indexes, and remembers the pairing ids in use; one for a stream."""

    __slots__ = ("_last", "pairings")

    def __init__(self) -> None:
        self._last = -1
        self.pairings: set[str] = set()

    def take(self) -> int:
        """Give the next one."""
        self._last += 1
        return self._last


@dataclass(slots=True, eq=False)
class Item:
    """One item, half told."""

    index: int
    numbers: Numbers
    id: str | None = None
    known: bool = False
    over: bool = False
    called: bool = False
    refused: bool = False
    slot: _Slot | None = None
    """What the open part is; ``None`` while none is."""
    place: int = -1
    """Of the open part: its content or summary index."""
    part: int = -1
    told: int = 0
    """Characters of the open part that went out."""
    speaking: bool = False
    """The open part is text."""
    seen: set[tuple[bool, int]] = field(default_factory=set[tuple[bool, int]])
    citations: list[Json] = field(default_factory=list[Json])
    waiting: list[StreamEvent] = field(default_factory=list[StreamEvent])

    def added(self, item: dict[str, Any]) -> Iterator[StreamEvent]:
        """Begin: a call is a part at once, the parts of other items come later."""
        if self.known:
            return
        self._know(item)
        if item.get("type") in _CALLS:
            yield from self._begin_call(item)

    def begin(self, part: dict[str, Any], place: int) -> Iterator[StreamEvent]:
        """Begin the part at ``place``."""
        self.known = True
        slot = _SLOTS.get(str(part.get("type")))
        if slot is not None and (slot == "summary", place) not in self.seen:
            yield from self._open(slot, place)
            if isinstance(said := part.get("text") or part.get("refusal"), str):
                yield from self._more(said)

    def delta(self, kind: str, place: int, text: str) -> Iterator[StreamEvent]:
        """Take more of a part, begun or not."""
        self.known = True
        slot = _SLOTS[kind]
        if slot == "call":
            if self.slot != "call":
                raise ProviderWireError("arguments of a call that has not begun")
        elif self.slot != slot or self.place != place:
            if (slot == "summary", place) in self.seen:
                raise ProviderWireError("more of a part that has ended")
            yield from self._open(slot, place)
        yield from self._more(text)

    def done(self, item: dict[str, Any]) -> Iterator[StreamEvent]:
        """Complete from the whole item; an empty one if the server never sent it."""
        kind = item.get("type")
        if not self.known:
            self._know(item)
        if kind in _CALLS:
            if not self.called:
                yield from self._begin_call(item)
            elif self.slot == "call":
                said = item.get("input" if kind == "custom_tool_call" else "arguments")
                yield from self._rest(said)
        elif kind == "message":
            yield from self._parts(item.get("content"))
        elif kind == "reasoning":
            yield from self._parts(item.get("summary"))
            yield from self._parts(item.get("content"))
            payload = item.get("encrypted_content")
            if isinstance(payload, str) and payload:
                if self.slot not in {"summary", "thinking"}:
                    yield from self._end()
                    yield from self._open("summary", -2)
                yield from self._end(Sealed("encrypted", payload))
        elif isinstance(kind, str):
            yield from self._whole(kind, item)
        yield from self._end()

    def _parts(self, parts: object) -> Iterator[StreamEvent]:
        for place, part in enumerate(parts if isinstance(parts, list) else ()):
            slot = _SLOTS.get(str(part.get("type"))) if isinstance(part, dict) else None
            if slot is None:
                continue
            said = part.get("refusal" if slot == "refusal" else "text")
            notes = part.get("annotations")
            if self.slot == slot and self.place == place:
                yield from self._rest(said)
            elif (slot == "summary", place) in self.seen:
                continue
            else:
                yield from self._open(slot, place)
                yield from self._more(said if isinstance(said, str) else "")
            if isinstance(notes, list) and notes and not self.citations:
                self.citations = [note for note in notes if isinstance(note, dict)]

    def _know(self, item: dict[str, Any]) -> None:
        self.known = True
        identity = item.get("id")
        self.id = identity if isinstance(identity, str) and identity else None

    def _begin_call(self, item: dict[str, Any]) -> Iterator[StreamEvent]:
        custom = item.get("type") == "custom_tool_call"
        name = item.get("name")
        if not isinstance(name, str) or not name:
            raise ProviderWireError("a tool call without a name", pointer="/item/name")
        pairing = item.get("call_id")
        if not isinstance(pairing, str) or not pairing or pairing in self.numbers.pairings:
            # Missing, or given twice: without ids of their own two calls cannot be answered.
            pairing = self.id or f"call_{self.index}"
        self.numbers.pairings.add(pairing)
        part = ToolUse(id=pairing, name=name, custom=custom, item_id=self.id)
        self.called = True
        yield from self._start(part, "call", 0)
        said = item.get("input" if custom else "arguments")
        yield from self._more(said if isinstance(said, str) else "")

    def _open(self, slot: _Slot, place: int) -> Iterator[StreamEvent]:
        part: Part
        match slot:
            case "text":
                part = Text()
            case "refusal":
                self.refused = True
                part = Refusal()
            case "summary" | "thinking":
                part = Reasoning(summary=slot == "summary", id=self.id)
            case "call":
                raise ProviderWireError("a call is no part of an item")
        yield from self._start(part, slot, place)

    def _start(self, part: Part, slot: _Slot, place: int) -> Iterator[StreamEvent]:
        yield from self._end()
        self.part = self.numbers.take()
        self.slot, self.place, self.told = slot, place, 0
        self.speaking = slot == "text"
        self.seen.add((slot == "summary", place))
        yield PartStarted(self.part, part)

    def _more(self, text: str) -> Iterator[StreamEvent]:
        if text:
            self.told += len(text)
            yield PartDelta(self.part, text)

    def _rest(self, whole: object) -> Iterator[StreamEvent]:
        """Add what the deltas left out; where the two contradict, what was told stands."""
        if isinstance(whole, str) and len(whole) > self.told:
            yield from self._more(whole[self.told :])

    def _end(self, seal: Sealed | None = None) -> Iterator[StreamEvent]:
        if self.slot is None:
            return
        notes: tuple[Json, ...] = ()
        if self.slot == "text":
            notes, self.citations = tuple(self.citations), []
        self.slot, self.speaking = None, False
        yield PartEnded(self.part, sealed=seal, citations=notes)

    def _whole(self, kind: str, item: dict[str, Any]) -> Iterator[StreamEvent]:
        part: Part = Opaque(_NAME, item)
        if kind == "web_search_call":
            part = ServerTool(dialect=_NAME, kind="web_search", phase="call", value=item)
        elif kind == "image_generation_call" and isinstance(item.get("result"), str):
            form = item.get("output_format")
            mime = f"image/{form}" if isinstance(form, str) else "image/png"
            part = Media(kind="image", source="data", value=item["result"], mime=mime)
        number = self.numbers.take()
        yield PartStarted(number, part)
        yield PartEnded(number)
