"""Arguments of a call, kept a JSON object while they stream (reliability.md, row 68).

Models write arguments that are no JSON, and answers end in the middle of them. Where our caller's
dialect has an object in that place, its readers parse what has come so far and fall over. So only
what can still become an object is handed on: of what is due, a value whose beginning is certain.
What is open at the end is closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from hyperroute.dialects import json

HELD_MAX: Final = 4_096
"""Characters that wait for the end of a name or a number; longer ones are none."""

PROSE_MAX: Final = 64 * 1024
"""Characters kept of arguments that are no object at all."""

_SPACE: Final = r"[ \t\n\r]*"
_CHARS: Final = r'(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*'
_KEY: Final = rf'"{_CHARS}"{_SPACE}:{_SPACE}'
_NUMBER: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_VALUE: Final = rf'(?:(?P<open>["{{\[])|(?:{_NUMBER}|true|false|null)(?=[ \t\n\r,\]}}]))'
_COMMA: Final = rf"{_SPACE},{_SPACE}"
_NEXT: Final = {
    ("", True): re.compile(rf"{_SPACE}(?P<open>\{{)"),
    ("", False): re.compile(r"(?P<open>(?!))|[ \t\n\r]+"),
    ("{", True): re.compile(rf"{_SPACE}(?:\}}|{_KEY}{_VALUE})"),
    ("{", False): re.compile(rf"{_SPACE}\}}|{_COMMA}{_KEY}{_VALUE}"),
    ("[", True): re.compile(rf"{_SPACE}(?:\]|{_VALUE})"),
    ("[", False): re.compile(rf"{_SPACE}\]|{_COMMA}{_VALUE}"),
}
"""By what is open and whether it is empty so far: its end, or one more of it up to a sure value."""
_TEXT: Final = re.compile(_CHARS)
_CLOSING: Final = {"{": "}", "[": "]"}


@dataclass(slots=True)
class Arguments:
    """What has come of one call's arguments.

    Attributes:
        lost: Characters that could not be handed on.
    """

    lost: int = 0
    _held: str = ""
    _open: list[str] = field(default_factory=list[str])
    _empty: bool = True
    """Whether nothing has come yet of what is open."""
    _text: bool = False
    """Whether a string is open."""
    _prose: bool = False

    def feed(self, piece: str) -> str:
        """Take a piece; give what may be handed on."""
        limit = PROSE_MAX if self._prose else HELD_MAX
        if len(self._held) > limit:
            self.lost += len(piece)
            return ""
        text = self._held + piece
        at = 0 if self._prose else self._read(text)
        self._held = text[at:]
        begun = bool(self._open) or not self._empty
        self._prose = self._prose or (not begun and text.lstrip()[:1] not in {"", "{"})
        return text[:at]

    def close(self) -> str:
        """Take the end; give what is missing to an object.

        Arguments that are none become the one member of one, so that they reach our caller.
        """
        if self._prose:
            said = self._held[:PROSE_MAX]
            self.lost += len(self._held) - len(said)
            return json.dumps({"arguments": said}).decode()
        self.lost += len(self._held.strip())
        missing = '"' if self._text else ""
        return missing + "".join(_CLOSING[one] for one in reversed(self._open))

    @property
    def whole(self) -> bool:
        """Whether an object has come to its end, with nothing behind it; or nothing at all."""
        return not (self._open or self._held.strip() or self.lost)

    def _read(self, text: str) -> int:
        """Go as far as is sure."""
        at, end = 0, len(text)
        while at < end:
            if self._text:
                found = _TEXT.match(text, at)
                at = at if found is None else found.end()
                if text[at : at + 1] != '"':
                    break
                at, self._text = at + 1, False
                continue
            found = _NEXT[self._open[-1] if self._open else "", self._empty].match(text, at)
            if found is None:
                break
            at = found.end()
            self._step(found["open"], text[at - 1])
        return at

    def _step(self, opened: str | None, last: str) -> None:
        if opened in {"{", "["}:
            self._open.append(opened)
            self._empty = True
        elif opened == '"':
            self._text, self._empty = True, False
        else:
            if last in "}]" and self._open:
                self._open.pop()
            self._empty = False


__all__ = ["HELD_MAX", "PROSE_MAX", "Arguments"]
