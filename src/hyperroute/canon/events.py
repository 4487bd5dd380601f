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
from operator import attrgetter
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


def is_content(event: Delivery) -> bool:
    """Say whether an event gives our caller something of the answer itself."""
    match event:
        case PartDelta(text=text):
            return text != ""
        case PartStarted(part=Text() | Reasoning() | Refusal() as part):
            sealed = None if isinstance(part, Refusal) else part.sealed
            return part.text != "" or sealed is not None
        case PartStarted():
            return True
        case PartEnded(sealed=sealed, citations=citations):
            return sealed is not None or bool(citations)
        case _:
            return False


@dataclass(slots=True)
class _Told:
    """A part as far as it was told; ``pieces`` is ``None`` where it takes none."""

    index: int
    choice: int
    part: Part
    pieces: list[str] | None


class Fold:
    """A reply being folded, and held to the grammar as far as a fold depends on it.

    A second beginning, the second finish of a choice, and what comes behind the last finish that is
    wanted are passed over (reliability.md, rows 63 and 64).

    Attributes:
        started: The beginning, once it came.
        usage: As reported last.
        said: Whether content came.
        size: Characters that came.
        ending: The finishes behind which nothing came yet.
        complete: Every choice has finished.
    """

    __slots__ = (
        "_choices",
        "_finishes",
        "_open",
        "_parts",
        "_wanted",
        "complete",
        "ending",
        "said",
        "size",
        "started",
        "usage",
    )

    def __init__(self, *, wanted: int | None = None) -> None:
        """Begin; ``wanted`` is how many choices were asked for, ``None``: any may still follow."""
        self.started: Started | None = None
        self.usage = NO_USAGE
        self.said = False
        self.size = 0
        self.ending: list[Finished] = []
        self.complete = False
        self._wanted = wanted
        self._parts: list[_Told] = []
        self._open: dict[int, _Told] = {}
        self._choices: set[int] = set()
        self._finishes: dict[int, Finished] = {}

    def take(self, events: Iterable[StreamEvent]) -> None:
        """Fold more; what came before a fault is folded.

        Raises:
            ValueError: An event does not fit what came before, or is none.
        """
        for event in events:
            if self.complete:
                return
            if isinstance(event, Started):
                self.started = self.started or event
                continue
            if self.started is None:
                raise ValueError("the stream began without a beginning")
            if isinstance(event, Finished):
                self._finish(event)
                continue
            if self.ending:
                self.ending = []
            if isinstance(event, PartDelta):
                told = self._open.get(event.index)
                if told is None or told.pieces is None:
                    raise ValueError(f"text for part {event.index}, which takes none")
                told.pieces.append(event.text)
                self.size += len(event.text)
                self.said = self.said or event.text != ""
            elif isinstance(event, PartStarted):
                self._begin(event)
            elif isinstance(event, PartEnded):
                self._end(event)
            elif isinstance(event, UsageReported):
                self.usage = event.usage
            else:
                raise ValueError(f"a {type(event).__name__} is no event")  # noqa: TRY004 - as any fault

    def reply(self) -> Reply:
        """Return what was folded.

        Raises:
            ValueError: The stream did not start or did not finish.
        """
        started = self.started
        if started is None or not self._finishes:
            raise ValueError("stream without a beginning or an end")
        parts: dict[int, list[Part]] = {choice: [] for choice in sorted(self._finishes)}
        for told in sorted(self._parts, key=_INDEX):
            if told.choice in parts:
                parts[told.choice].append(extended(told.part, "".join(told.pieces or ())))
        choices = [
            Choice(index=choice, parts=tuple(whole), finish=self._finishes[choice])
            for choice, whole in parts.items()
        ]
        return Reply(
            id=started.id,
            model=started.model,
            created=started.created,
            choices=tuple(choices),
            usage=self.usage,
        )

    def _begin(self, event: PartStarted) -> None:
        index, part = event.index, event.part
        if index in self._open:
            raise ValueError(f"part {index} began twice")
        pieces: list[str] | None = []
        if isinstance(part, Text | Reasoning | Refusal):
            self.size += len(part.text)
        elif isinstance(part, ToolUse):
            self.size += len(part.arguments)
        else:
            pieces = None
        told = self._open[index] = _Told(index, event.choice, part, pieces)
        self._parts.append(told)
        self._choices.add(event.choice)
        self.said = self.said or is_content(event)

    def _end(self, event: PartEnded) -> None:
        told = self._open.pop(event.index, None)
        if told is None:
            raise ValueError(f"part {event.index} ended and was not open")
        if event.sealed is not None or event.citations:
            told.part = sealed_with(told.part, event.sealed, event.citations)
            self.said = True

    def _finish(self, event: Finished) -> None:
        if event.choice in self._finishes:
            return
        self._finishes[event.choice] = event
        self.ending.append(event)
        if self._wanted is not None:
            wanted = max(len(self._choices), self._wanted)
            self.complete = len(self._finishes) >= wanted


_INDEX = attrgetter("index")


def collect(events: Iterable[StreamEvent]) -> Reply:
    """Fold a stream into a reply.

    Raises:
        ValueError: The stream does not start, does not finish, or breaks its grammar.
    """
    fold = Fold()
    fold.take(events)
    return fold.reply()


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
