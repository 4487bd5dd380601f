"""Frames of an upstream that speaks the caller's own dialect, handed on as they came (law 7).

The tap cuts the body into whole frames, has the dialect's decoder read each, and lets every event
carry the bytes that are handed on with it. So whatever decides about an answer (its first content,
usage, an error inside a 200, the terminal) decides about the same events as where an answer is
written anew, and a frame that failed, or was cut, is never among them. Once every choice that began
has finished, frames wait for the ``Finished`` that proves the end: a cut is never handed on as one.

Frames that differ from the one before in their text alone are not parsed (``stencil``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from hyperroute.canon.content import Reasoning, Refusal, Text
from hyperroute.canon.events import (
    Delivery,
    Finished,
    PartDelta,
    PartStarted,
    Passage,
    StreamEvent,
)
from hyperroute.dialects.base import Decoder, ErrorInStream
from hyperroute.dialects.json import loads
from hyperroute.dialects.sse import BODY_BYTES_MAX, FrameCutter, SseReader, frame
from hyperroute.dialects.stencil import Stencil, text_of
from hyperroute.errors import ProviderWireError

BARE: Final = re.compile(rb"data: (?!\[DONE\])[^\r\n]++(?:\n\n|\r\n\r\n)")
"""A frame of one line, as Gemini's readers want every frame."""
NAMED: Final = re.compile(
    rb'event: ([\w.]++)(?:\n|\r\n)data: \{[ ]?"type":[ ]?"\1"[^\r\n]*+(?:\n\n|\r\n\r\n)'
)
"""A frame whose name is its type, told first."""


class Tapped(Decoder, Protocol):
    """A decoder that can be asked how far it is."""

    @property
    def finished(self) -> bool:
        """Whether a choice began, and all that began have finished."""
        ...


class Manners:
    """What readers of a dialect want of frames that pass; this one: nothing but their form.

    Attributes:
        form: Frames that may go out as they are; others are framed anew, their data kept.
        named: An event's name is its type.
        quiet: Marks frames that only keep a line alive.
    """

    form: re.Pattern[bytes] = BARE
    named: bool = False
    quiet: bytes | None = None

    def mended(self, frame: bytes) -> bytes:
        """Return a frame as readers survive it; ``b""`` to withhold it."""
        return frame

    def ended(self, frames: list[bytes]) -> list[bytes]:
        """Return the last frames, when everything is known to have ended well."""
        return frames


class NamedManners(Manners):
    """Of a dialect whose events are named by their type."""

    form = NAMED
    named = True


class Tap:
    """A decoder whose events carry the frames they came in."""

    __slots__ = (
        "_before", "_decoder", "_frames", "_manners", "_over", "_said", "_skip", "_stencil", "_tell",
        "_waiting", "last", "size",
    )  # fmt: skip

    def __init__(
        self,
        decoder: Tapped,
        manners: Manners,
        *,
        tell: Callable[[bytes], bytes] | None = None,
        skip: Callable[[int], None] | None = None,
    ) -> None:
        """Begin.

        Args:
            decoder: Reads the same dialect, and is this tap's alone.
            manners: What its readers want.
            tell: Puts the caller's model name into a frame; ``None``: the provider's own stays.
            skip: Told how many characters of the open part went by unread.
        """
        self._decoder = decoder
        self._manners = manners
        self._tell = tell
        self._skip = skip
        self.size = 0
        self.last = b""
        self._stencil: Stencil | None = None
        self._frames = FrameCutter()
        self._before: list[bytes] = []
        """Frames that no event carries yet."""
        self._waiting = 0
        self._said = False
        self._over = False

    def feed(self, chunk: bytes) -> Iterator[Delivery]:
        """Take any number of bytes, split anywhere.

        Raises:
            ProviderWireError: The bytes do not follow the dialect.
            ErrorInStream: The dialect's own error object came.
        """
        texts: list[str] = []
        frames: list[bytes] = []
        index = -1
        for whole in self._frames.cut(chunk):
            if (one := self._alike(whole)) is not None:
                index = one.index
                texts.append(one.text)
                frames.append(one.frame or b"")
                continue
            if frames:
                yield PartDelta(index, "".join(texts), b"".join(frames))
                texts, frames = [], []
            yield from self._read(whole)
        if frames:
            yield PartDelta(index, "".join(texts), b"".join(frames))

    def straight(self, chunk: bytes) -> bytes | None:
        """Take a chunk that is one frame, which differs from the one before in its text only."""
        stencil = self._stencil
        if stencil is None or self._frames.pending or (said := stencil.said(chunk)) is None:
            return None
        if said.isascii() and b"\\" not in said:
            size = len(said)
        elif (text := text_of(said)) is not None:
            size = len(text)
        else:
            return None
        if self._skip is not None:
            self._skip(size)
        self.size += size
        self.last = chunk if stencil.plain else stencil.passed(chunk, said)
        return self.last

    def close(self) -> Iterator[Delivery]:
        """Take the end of the body. What no blank line ended is handed on only if it was needed.

        Raises:
            ProviderWireError: It came before the dialect's success terminal; ``cut`` is set.
            ErrorInStream: What came last was an error object.
        """
        yield from self._read(self._frames.rest(), close=True)

    def _alike(self, whole: bytes) -> PartDelta | None:
        """Take a frame that differs from the one before in its text only, among others."""
        stencil = self._stencil
        if stencil is None or (said := stencil.said(whole)) is None:
            return None
        if (text := text_of(said)) is None:
            return None
        if self._skip is not None:
            self._skip(len(text))
        return PartDelta(stencil.index, text, stencil.passed(whole, said))

    def _read(self, whole: bytes, *, close: bool = False) -> Iterator[Delivery]:
        events: list[StreamEvent] = []
        self._stencil = None
        ended = self._decoder.finished
        try:
            for event in self._decoder.feed(whole):
                event.frame = b""
                events.append(event)
            for event in self._decoder.close() if close else ():
                event.frame = b""
                events.append(event)
        except (ProviderWireError, ErrorInStream):
            yield from events
            raise
        # Behind a finish only what still counts is handed on (rows 63 and 64), and whole.
        counts = not ended or (bool(events) and not close)
        shown = self._shown(whole) if counts else b""
        if shown:
            self._before.append(shown)
            self._waiting += len(shown)
            if self._waiting > BODY_BYTES_MAX:
                raise ProviderWireError(f"more than {BODY_BYTES_MAX} bytes wait to be handed on")
        last = events[-1] if events else None
        if isinstance(last, Finished):
            self._over = self._decoder.finished
            if self._over:
                self._before = self._manners.ended(self._before)
            last.frame = self._taken()
        elif self._decoder.finished:
            if self._over:
                self._taken()  # behind the terminal nothing counts
        elif last is not None:
            self._said = self._said or any(map(_says, events))
            last.frame = self._taken()
            if len(events) == 1 and isinstance(last, PartDelta) and last.frame == shown:
                self._stencil = Stencil.learnt(last.index, last.text, whole, shown)
        elif self._said and shown and not self._keeps_alive(shown):
            yield Passage(self._taken())
        yield from events

    def _taken(self) -> bytes:
        frames, self._before = self._before, []
        if self._said:
            self._waiting = 0  # before, whoever is told holds them back
        return b"".join(frames)

    def _keeps_alive(self, shown: bytes) -> bool:
        quiet = self._manners.quiet
        return quiet is not None and quiet in shown[:64]

    def _shown(self, whole: bytes) -> bytes:
        manners = self._manners
        if manners.form.fullmatch(whole) is None:
            whole = self._reframed(whole)
        if whole:
            whole = manners.mended(whole)
        return self._tell(whole) if whole and self._tell is not None else whole

    def _reframed(self, whole: bytes) -> bytes:
        """Keep a frame's data and nothing else: comments, ids and empty events break readers."""
        reader = SseReader()
        found = next(iter(reader.feed(whole)), None) or reader.close()
        if found is None:
            return b""
        name, data = found
        data = data.replace(b"\n", b" ").strip()  # one line; JSON has no line break inside a string
        if data[:1] != b"{":
            return frame(data) if self._manners.form.fullmatch(frame(data)) else b""
        if not self._manners.named:
            return frame(data)
        try:
            kind = loads(data).get("type")
        except ValueError:
            return b""
        return frame(data, name=kind if isinstance(kind, str) else name)


def _says(event: StreamEvent) -> bool:
    """Say whether an event gives something of the answer itself, so that nothing is held back."""
    if isinstance(event, PartStarted):
        return not isinstance(event.part, Text | Reasoning | Refusal)
    return isinstance(event, PartDelta)


__all__ = ["BARE", "NAMED", "Manners", "NamedManners", "Tap", "Tapped"]
