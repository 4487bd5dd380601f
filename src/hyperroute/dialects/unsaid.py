"""What of an answer the caller's dialect has no words for.

Each dialect states its ``Speech`` as data; one watcher compares every answer that is translated with
it. It stands on the way up and not in the encoders, because the record of a run is closed before its
last event is written. A property holds the two together: what an encoder wrote and a decoder read
back is what went in, minus what was told here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final, Literal, assert_never

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
from hyperroute.canon.events import Finished, FinishReason
from hyperroute.canon.loss import Loss, LossKind
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects.citing import is_neutral
from hyperroute.dialects.places import place_in_reply

NO_CHOICES: Final = "this dialect gives one answer"
NO_THINKING: Final = "this dialect shows no thinking"
AS_SUMMARY: Final = "thinking is shown as a summary"
NO_SEAL: Final = "sealed state has no place here"
AS_TEXT: Final = "a refusal is told as text"
NO_CATEGORY: Final = "the category of a refusal has no place here"
NOT_OURS: Final = "only its own vendor can say it"
AS_FUNCTION: Final = "a free-form call is told as a function of one string"
REORDERED: Final = "text, refusal and calls are told in this order"
BROKEN: Final = "no JSON object; {} characters are left out"
NO_DOCUMENT: Final = "only web pages can be cited to another vendor's client"
BY_WORDS: Final = "a place in the text is told by its words"
AT_END: Final = "the words of the page are not told, and its place is the end of the text"
BESIDE: Final = "what stood beside the medium has no place here"
MEDIUM: Final = "no {} in an answer here"
METER: Final = "no place for {}"
UNKNOWN: Final = "{} is required, and unknown"
NO_LOGPROBS: Final = "probabilities of tokens are told in the answer's own dialect only"
NEAREST: Final = "an end by {} is told by the nearest word"

TOKENS: Final = frozenset({"input_tokens", "output_tokens"})
_RANKS: Final[dict[type[Part], int]] = {Text: 0, Refusal: 1, ToolUse: 2}
_METERS: Final = tuple(field.name for field in fields(Usage) if field.name != "estimated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What one dialect can say of an answer; the finer rules are those of its encoder.

    Attributes:
        dialect: Its name.
        choices: Whether there may be more than one.
        thinking: As it came, as a summary, or not at all.
        seals: Kinds of part whose sealed state travels in a caller's hands.
        refusal: Whether words of refusal are told from text.
        media: Whether an answer may hold images or sound.
        ordered: Whether text, refusals and calls stay in their order.
        custom: Whether a call may be free text.
        objects: Whether arguments are an object, which readers parse as it comes.
        cites: How a web citation is told: by its place, or by its words.
        finishes: The ends that have a word of their own; any other is told by the nearest.
        meters: The counts that have a place.
        required: Those that must be there, as 0 where nobody counted.
    """

    dialect: str
    choices: bool = False
    thinking: Literal["said", "summary", "dropped"] = "said"
    seals: frozenset[type[Part]] = frozenset()
    refusal: bool = False
    media: bool = False
    ordered: bool = True
    custom: bool = False
    objects: bool = False
    cites: Literal["place", "words"] = "place"
    finishes: frozenset[FinishReason]
    meters: frozenset[str]
    required: bool = False


class Unsaid:
    """Watches one answer. Losses are put where the caller of this wants them, once each."""

    __slots__ = ("_found", "_kinds", "_ranks", "_refused", "_source", "_speech", "_usage")

    def __init__(self, speech: Speech, found: list[Loss], *, source: str) -> None:
        """Begin.

        Args:
            speech: Of the caller's dialect.
            found: Where losses go.
            source: The dialect that the answer came in, for the places of what is lost.
        """
        self._speech = speech
        self._found = found
        self._source = source
        self._kinds: dict[int, tuple[Part, int]] = {}
        self._ranks: dict[int, int] = {}
        """How far each choice is in the order of text, refusal and calls."""
        self._refused: set[int] = set()
        """Choices that have refused in words."""
        self._usage = NO_USAGE

    def begun(self, index: int, part: Part, choice: int) -> None:
        """Take a part's beginning."""
        speech = self._speech
        self._kinds[index] = part, choice
        if choice and not speech.choices:
            self._add("choices", choice, "dropped", NO_CHOICES)
            return
        match part:
            case Text() | Refusal() | ToolUse():
                self._said(part, choice)
            case Reasoning():
                self._thinking(part, choice)
            case Media():
                self._shown(part, choice)
            case ServerTool() | Opaque():
                if part.dialect != speech.dialect:
                    self._add("parts", choice, "dropped", NOT_OURS)
            case ToolResult():
                self._add("parts", choice, "dropped", "an answer holds no results")
            case _:
                assert_never(part)

    def ended(self, index: int, sealed: Sealed | None, citations: Iterable[Json]) -> None:
        """Take a part's end."""
        part, choice = self._kinds.pop(index)
        if choice and not self._speech.choices:
            return
        if isinstance(part, Text | Reasoning | ToolUse):
            sealed = sealed or part.sealed
            hidden = isinstance(part, Reasoning) and self._speech.thinking == "dropped"
            if sealed is not None and type(part) not in self._speech.seals and not hidden:
                self._add("seal", choice, "dropped", NO_SEAL)
        if isinstance(part, Text):
            for citation in (*part.citations, *citations):
                self._citation(citation, choice)

    def counted(self, usage: Usage) -> None:
        """Take counts so far; the last ones are judged when a choice ends."""
        self._usage = usage

    def finished(self, event: Finished) -> None:
        """Take the end of a choice."""
        speech, choice = self._speech, event.choice
        if choice and not speech.choices:
            return
        wordless = event.reason == "refusal" and speech.refusal and choice not in self._refused
        if event.reason not in speech.finishes or wordless:
            self._add("finish", choice, "approximated", NEAREST.format(event.reason))
        elif event.detail is not None and event.reason == "refusal" and speech.refusal:
            self._add("finish", choice, "dropped", NO_CATEGORY)
        for meter in _METERS:
            count = getattr(self._usage, meter)
            if count and meter not in speech.meters:
                self._add("usage", choice, "dropped", METER.format(meter))
            if count is None and speech.required and meter in TOKENS:
                self._add("usage", choice, "synthesised", UNKNOWN.format(meter))

    def _said(self, part: Text | Refusal | ToolUse, choice: int) -> None:
        speech = self._speech
        rank = _RANKS[type(part)]
        if rank < self._ranks.get(choice, 0) and not speech.ordered:
            self._add("parts", choice, "moved", REORDERED)
        self._ranks[choice] = max(rank, self._ranks.get(choice, 0))
        if isinstance(part, ToolUse):
            if part.custom and not speech.custom:
                self._add("parts", choice, "approximated", AS_FUNCTION)
        elif isinstance(part, Refusal):
            self._refused.add(choice)
            if not speech.refusal:
                self._add("refusal", choice, "approximated", AS_TEXT)

    def _shown(self, part: Media, choice: int) -> None:
        if not self._speech.media:
            self._add("media", choice, "dropped", MEDIUM.format(part.kind))
        elif part.extra or part.mime is None:
            self._add("media", choice, "dropped", BESIDE)

    def _thinking(self, part: Reasoning, choice: int) -> None:
        if self._speech.thinking == "dropped":
            self._add("thinking", choice, "dropped", NO_THINKING)
        elif self._speech.thinking == "summary" and not (part.summary or part.redacted):
            self._add("thinking", choice, "approximated", AS_SUMMARY)

    def _citation(self, citation: Json, choice: int) -> None:
        if not is_neutral(citation):
            self._add("citations", choice, "dropped", NO_DOCUMENT)
        elif self._speech.cites == "words":
            self._add("citations", choice, "approximated", BY_WORDS)
        elif "cited_text" in citation:
            self._add("citations", choice, "approximated", AT_END)

    def _add(self, name: str, choice: int, kind: LossKind, why: str) -> None:
        loss = Loss(place_in_reply(self._source, name, choice), kind, why, "reply")
        if loss not in self._found:
            self._found.append(loss)
