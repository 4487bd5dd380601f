"""What a translated answer needs before our caller sees it.

A decoder cannot know for whom it reads. So where the caller's dialect is not the upstream's, this is
the one place that tells each seal its maker, so that encoders tag it and it comes back to that vendor
and account only (dialects.md, 1.4); that turns a call of a free-form tool, which was offered as a
function of one string, into the free-form call that the caller asked for; that brings citations into
the form that every encoder can write (3.11); that keeps arguments an object for a caller whose
dialect has one there (reliability.md, row 68); and where what that dialect cannot say is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from hyperroute.canon.content import Json, Part, Reasoning, Sealed, Text, ToolUse
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Request
from hyperroute.dialects import json
from hyperroute.dialects.arguments import Arguments
from hyperroute.dialects.citing import Said, neutral, octets
from hyperroute.dialects.renaming import fitted
from hyperroute.dialects.sealing import identified
from hyperroute.dialects.unsaid import BROKEN, Unsaid


@dataclass(slots=True)
class _Open:
    """A part that is being told: what it is, and what of it must be known at its end."""

    part: Part
    choice: int
    pieces: list[str] | None
    held: bool = False
    """A free-form call, told whole at its end."""
    arguments: Arguments | None = None
    """Of a call that must stay an object."""


@dataclass(slots=True)
class Returning:
    """Events of one translated answer, on their way up.

    Attributes:
        vendor: Who made its seals; ``""``: nobody can say, and they return to nobody.
        group: The account they were made at.
        custom: Names of the caller's free-form tools, as they were sent up.
        objects: Whether arguments are an object in the caller's dialect.
        losses: Where it is left what could not be handed on.
        unsaid: Told of everything, where it is known what the caller's dialect can say.
    """

    vendor: str
    group: str
    custom: frozenset[str] = frozenset()
    objects: bool = False
    losses: list[Loss] = field(default_factory=list[Loss])
    unsaid: Unsaid | None = None
    _broken: set[int] = field(default_factory=set[int])
    """Choices with a call whose arguments were no object."""
    _open: dict[int, _Open] = field(default_factory=dict[int, _Open])
    _texts: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    """Characters and bytes of text in the parts that ended, by choice."""

    def passed(self, events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
        """Hand events on, changed where they must be."""
        for event in events:
            match event:
                case PartDelta(index, text):
                    if told := self._more(index, text):
                        yield event if told is text else PartDelta(index, told)
                case PartStarted():
                    yield self._started(event)
                case PartEnded(index):
                    opened = self._open.pop(index, None)
                    yield from (event,) if opened is None else self._ended(event, opened)
                case UsageReported(usage):
                    if self.unsaid is not None:
                        self.unsaid.counted(usage)
                    yield event
                case Finished():
                    yield self._finished(event)
                case _:
                    yield event

    def _more(self, index: int, text: str) -> str:
        """Take more of a part; give what may be told of it now."""
        opened = self._open.get(index)
        if opened is None:
            return text
        if opened.arguments is not None:
            return opened.arguments.feed(text)
        if opened.pieces is not None:
            opened.pieces.append(text)
        return "" if opened.held else text

    def _finished(self, event: Finished) -> Finished:
        if event.choice in self._broken and event.reason in {"tool_calls", "stop"}:
            event = replace(event, reason="other")  # there is no call to act on
        if self.unsaid is not None:
            self.unsaid.finished(event)
        return event

    def _started(self, event: PartStarted) -> PartStarted:
        part: Part = event.part
        held = False
        pieces: list[str] | None = None
        if isinstance(part, Text | Reasoning | ToolUse) and part.sealed is not None:
            part = replace(part, sealed=self._sealed(part.sealed, part))
        arguments: Arguments | None = None
        if isinstance(part, ToolUse) and not part.custom:
            if part.name in self.custom:
                held, pieces = True, [part.arguments]
                part = replace(part, custom=True, arguments="")
            elif self.objects:
                arguments = Arguments()
                part = replace(part, arguments=arguments.feed(part.arguments))
        elif isinstance(part, Text):
            pieces = [part.text]
            if part.citations:
                cited = self._cited(part.citations, part.text, event.choice)
                part = replace(part, citations=cited)
        self._open[event.index] = _Open(part, event.choice, pieces, held, arguments)
        if self.unsaid is not None:
            self.unsaid.begun(event.index, part, event.choice)
        return event if part is event.part else replace(event, part=part)

    def _ended(self, event: PartEnded, opened: _Open) -> Iterator[StreamEvent]:
        said = "".join(opened.pieces or ())
        if opened.arguments is not None:
            due = self._closed(opened.arguments, opened.choice)
        else:
            due = spoken(said) if opened.held else ""
        if due:
            yield PartDelta(event.index, due)
        citations = event.citations
        if isinstance(opened.part, Text):
            if citations:
                citations = self._cited(citations, said, opened.choice)
            chars, size = self._texts.get(opened.choice, (0, 0))
            self._texts[opened.choice] = chars + len(said), size + octets(said)
        sealed = self._sealed(event.sealed, opened.part)
        if self.unsaid is not None:
            self.unsaid.ended(event.index, sealed, citations)
        yield PartEnded(event.index, sealed, citations)

    def repaired(self, calls: int) -> None:
        """Leave word of tool calls that the decoder had to give an id or a place (row 67)."""
        if calls:
            why = f"{calls} tool calls came without an id or out of their order"
            self.losses.append(Loss("/tool_calls", "synthesised", why, "reply"))

    def _closed(self, arguments: Arguments, choice: int) -> str:
        """End the arguments of a call; an answer with broken ones does not ask to be acted on."""
        whole = arguments.whole
        missing = arguments.close()
        if not whole:
            self._broken.add(choice)
            why = BROKEN.format(arguments.lost)
            self.losses.append(Loss("/arguments", "approximated", why, "reply"))
        return missing

    def _cited(self, citations: tuple[Json, ...], text: str, choice: int) -> tuple[Json, ...]:
        return neutral(citations, Said(text, self.vendor, *self._texts.get(choice, ())))

    def _sealed(self, sealed: Sealed | None, part: Part) -> Sealed | None:
        if sealed is None:
            return None
        own = replace(sealed, vendor=self.vendor, group=self.group)
        return identified(own, part.id) if isinstance(part, Reasoning) and part.id else own


def sent_custom(request: Request) -> frozenset[str]:
    """Name the caller's free-form tools as they were sent up, where a name did not fit another.

    Raises:
        ClientWireError: The request is malformed.
    """
    tools = request.conversation.tools
    names = fitted(tool.name for tool in tools if tool.kind != "server")
    return frozenset(names[tool.name] for tool in tools if tool.kind == "custom")


def spoken(arguments: str) -> str:
    """Take the one string out of a function's arguments; what has another form stays as it came."""
    try:
        said = json.loads(arguments.encode())
    except ValueError:
        return arguments
    text = said.get("input") if isinstance(said, dict) else None
    return text if isinstance(text, str) else arguments


__all__ = ["Returning", "sent_custom", "spoken"]
