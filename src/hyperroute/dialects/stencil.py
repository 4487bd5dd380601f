"""Frames that differ from the one before in their text alone.

Most of a stream is this: the same JSON with the next few words in it. Such a frame is told by what stands
before and behind its text, byte for byte, and then it says what the one before said, of another text;
so it is not parsed. Whatever else comes is no concern of a stencil, and ends it.

Two members may change besides: a number that counts events, by one each; and one that only hides how
long the text is.
"""

from __future__ import annotations

import re
from typing import Final

from hyperroute.dialects.json import loads

_TEXT: Final = rb'[^"\\\x00-\x1f]*+(?:\\["\\/bfnrt][^"\\\x00-\x1f]*+)*+'
"""What stands in a JSON string, but for escapes by number, which may be half a character."""
_SPOT: Final = re.compile(
    rb'"(?:content|delta|text|thinking|partial_json|arguments|input|refusal|reasoning_content'
    rb'|reasoning)":[ ]?"(' + _TEXT + rb')"'
)
_NUMBER: Final = re.compile(rb'"sequence_number":[ ]?(\d{1,9})')
_NOISE: Final = re.compile(rb'"obfuscation":[ ]?"([A-Za-z0-9]*)"')
_text_at = re.compile(_TEXT).match
_noise_at = re.compile(rb"[A-Za-z0-9]*+").match


class Stencil:
    """A frame but for its text.

    Attributes:
        index: The part whose text it is.
        plain: Frames are handed on as they come, and expected alike.
    """

    __slots__ = (
        "_head",
        "_noise",
        "_number",
        "_numbered",
        "_out_head",
        "_out_tail",
        "_tail",
        "index",
        "plain",
    )

    def __init__(self, index: int, head: bytes, tail: bytes) -> None:
        """Take what stands before and behind the text."""
        self.index = index
        self.plain = True
        self._head = head
        self._tail = tail
        self._out_head: bytes | None = None
        """What is handed on in the place of ``head``, if that differs."""
        self._out_tail = tail
        self._noise: tuple[bytes, bytes] | None = None
        """What stands before and behind the member that hides the text's length."""
        if (found := _NOISE.search(tail)) is not None:
            self._noise = tail[: found.start(1)], tail[found.end(1) :]
        self._numbered: tuple[bytes, bytes] | None = None
        """What stands before the number, and behind it up to the text."""
        self._number = 0

    @classmethod
    def learnt(cls, index: int, text: str, whole: bytes, shown: bytes) -> Stencil | None:
        """Take a frame that said nothing but this text as the pattern of those to come.

        Args:
            index: Of the part.
            text: What it said.
            whole: The frame as it came.
            shown: The frame as it was handed on.
        """
        spot = _spot(whole, text)
        if spot is None:
            return None
        stencil = cls(index, whole[: spot[0]], whole[spot[1] :])
        counted = b'"sequence_number"' in whole
        if shown != whole:
            place = _spot(shown, text)
            if place is None or counted:
                return None
            stencil.plain = False
            stencil._out_head = shown[: place[0]]
            if shown[place[1] :] != stencil._tail:
                stencil._out_tail = shown[place[1] :]
        return stencil if not counted or stencil._counts() else None

    def said(self, whole: bytes) -> bytes | None:
        """Return the text of a frame that differs in nothing else, as it stands in JSON."""
        head = self._head
        if not whole.startswith(head):
            return None
        begin = len(head)
        found = _text_at(whole, begin)
        assert found is not None  # nothing is a text too
        end = found.end()
        if end == begin or (whole[end:] != self._tail and not self._hides(whole, end)):
            return None
        return whole[begin:end]

    def passed(self, whole: bytes, said: bytes) -> bytes:
        """Return what is handed on for a frame that fits, and expect the next."""
        if self._numbered is not None:
            self._expect(self._number + 1)
            return whole
        if self._out_head is None:
            return whole
        tail = whole[len(self._head) + len(said) :]
        return self._out_head + said + (self._out_tail if tail == self._tail else tail)

    def _hides(self, whole: bytes, at: int) -> bool:
        if self._noise is None or self._out_tail is not self._tail:
            return False
        before, behind = self._noise
        if not whole.startswith(before, at):
            return False
        noise = _noise_at(whole, at + len(before))
        return noise is not None and whole[noise.end() :] == behind

    def _counts(self) -> bool:
        """Begin to count; false where the number does not stand before the text."""
        found = _NUMBER.search(self._head)
        if found is None or b'"sequence_number"' in self._tail:
            return False
        self.plain = False
        self._numbered = self._head[: found.start(1)], self._head[found.end(1) :]
        self._expect(int(found[1]) + 1)
        return True

    def _expect(self, number: int) -> None:
        assert self._numbered is not None
        self._number = number
        self._head = b"%b%d%b" % (self._numbered[0], number, self._numbered[1])


def text_of(said: bytes) -> str | None:
    """Read the inside of a JSON string; ``None``: it is none."""
    try:
        text: str = str(said, "utf-8") if b"\\" not in said else loads(b'"%b"' % said)
    except ValueError:
        return None
    return text


def _spot(whole: bytes, text: str) -> tuple[int, int] | None:
    """Say where a frame holds this text, if that is one place."""
    found = [match.span(1) for match in _SPOT.finditer(whole) if text_of(match[1]) == text]
    return found[0] if len(found) == 1 else None


__all__ = ["Stencil", "text_of"]
