"""What is answered, as it arrives. A whole reply is the fold of these and nothing else.

Grammar of a stream (``grammar.py`` checks it)::

    Started  ( UsageReported | PartStarted | PartDelta | PartEnded )*  Finished+

Parts of one choice never overlap; part indexes are unique in a stream and never reused; usage is
cumulative, the last counts; every choice that started ends in one ``Finished``.

Where the answer passes as it came (architecture.md, law 7), each event carries in ``frame`` the bytes
that are handed on with it, ``b""`` if a later one carries them; two events are equal whatever they
carry. Frames that say nothing in the canon come as a ``Passage``.

The events are plain slotted dataclasses, not frozen: one is built per token, and freezing costs
three times the construction. Nobody mutates them but the tap that makes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never

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
from hyperroute.canon.quick import quick
from hyperroute.canon.usage import NO_USAGE, Usage

FinishReason = Literal[
    "stop",
    "stop_sequence",
    "length",
    "context_full",
    "tool_calls",
    "refusal",
    "filter",
    "pause",
    "malformed",
    "error",
    "other",
]


@dataclass(slots=True)
class Started:
    """The provider accepted the call. ``created`` is Unix seconds where the dialect says it."""

    id: str
    model: str
    created: int | None = None
    frame: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class PartStarted:
    """Part ``index`` begins as this (still empty, or for media and opaque parts whole) part."""

    index: int
    part: Part
    choice: int = 0
    frame: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class PartDelta:
    """More text, thinking, refusal or tool arguments for part ``index``."""

    index: int
    text: str
    frame: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class PartEnded:
    """Part ``index`` is complete; what is only known at its end comes here."""

    index: int
    sealed: Sealed | None = None
    citations: tuple[Json, ...] = ()
    frame: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class UsageReported:
    """Counts so far; the last one wins."""

    usage: Usage
    frame: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Finished:
    """Choice ``choice`` is complete.

    ``raw`` is the provider's own word for ``reason``; ``detail`` the stop sequence or the refusal
    category.
    """

    reason: FinishReason
    raw: str = ""
    choice: int = 0
    detail: str | None = None
    frame: bytes | None = field(default=None, compare=False, repr=False)


StreamEvent = Started | PartStarted | PartDelta | PartEnded | UsageReported | Finished


@dataclass(slots=True)
class Passage:
    """Whole frames of the caller's own dialect that say nothing in the canon, handed on as they are."""

    frame: bytes


Delivery = StreamEvent | Passage
"""What an answer is made of on its way to our caller."""


@quick(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer of ``n``."""

    index: int
    parts: tuple[Part, ...]
    finish: Finished

    @property
    def text(self) -> str:
        """All plain text, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


@quick(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer, only ever made by ``collect``."""

    id: str
    model: str
    created: int | None
    choices: tuple[Choice, ...]
    usage: Usage

    @property
    def text(self) -> str:
        """The first choice's plain text."""
        return self.choices[0].text if self.choices else ""


@dataclass(slots=True)
class _Open:
    part: Part
    choice: int
    pieces: list[str] = field(default_factory=list[str])


def collect(events: Iterable[StreamEvent]) -> Reply:
    """Fold a stream into a reply.

    Raises:
        ValueError: The stream does not start or does not finish.
    """
    started: Started | None = None
    usage = NO_USAGE
    parts: dict[int, _Open] = {}
    finishes: dict[int, Finished] = {}
    for event in events:
        if isinstance(event, PartDelta):
            parts[event.index].pieces.append(event.text)
        elif isinstance(event, PartStarted):
            parts[event.index] = _Open(event.part, event.choice)
        elif isinstance(event, PartEnded):
            ended = parts[event.index]
            if event.sealed is not None or event.citations:
                ended.part = sealed_with(ended.part, event.sealed, event.citations)
        elif isinstance(event, Started):
            started = event
        elif isinstance(event, UsageReported):
            usage = event.usage
        elif isinstance(event, Finished):
            finishes[event.choice] = event
        else:
            assert_never(event)
    if started is None or not finishes:
        raise ValueError("stream without a beginning or an end")
    said: dict[int, list[Part]] = {choice: [] for choice in sorted(finishes)}
    for _, one in sorted(parts.items()):
        if one.choice in said:
            said[one.choice].append(extended(one.part, "".join(one.pieces)))
    choices = [
        Choice(index=choice, parts=tuple(whole), finish=finishes[choice])
        for choice, whole in said.items()
    ]
    return Reply(
        id=started.id,
        model=started.model,
        created=started.created,
        choices=tuple(choices),
        usage=usage,
    )


def extended(part: Part, text: str) -> Part:
    """Append a delta to a part; parts that come whole take none."""
    if not text:
        return part
    match part:
        case Text():  # nearly every answer is one of these, and ``replace`` is slow
            return Text(part.text + text, part.citations, part.cache, part.sealed)
        case Reasoning() | Refusal():
            return replace(part, text=part.text + text)
        case ToolUse():
            return replace(part, arguments=part.arguments + text)
        case Media() | ToolResult() | ServerTool() | Opaque():
            raise ValueError(f"a {type(part).__name__} part takes no delta")
        case _:
            assert_never(part)


def sealed_with(part: Part, sealed: Sealed | None, citations: tuple[Json, ...]) -> Part:
    """Add what a part's end brought."""
    if sealed is not None and isinstance(part, Text | Reasoning | ToolUse):
        part = replace(part, sealed=sealed)
    if citations and isinstance(part, Text):
        part = replace(part, citations=(*part.citations, *citations))
    return part


def replay(reply: Reply) -> Iterable[StreamEvent]:
    """Unfold a reply into the shortest stream that collects to it."""
    yield Started(reply.id, reply.model, reply.created)
    index = 0
    for choice in reply.choices:
        for part in choice.parts:
            yield PartStarted(index, part, choice.index)
            yield PartEnded(index)
            index += 1
    if reply.usage is not NO_USAGE:
        yield UsageReported(reply.usage)
    for choice in reply.choices:
        yield choice.finish
