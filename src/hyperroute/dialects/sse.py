"""Server-sent events, read incrementally from bytes (WHATWG HTML, 9.2.6) and written.

Lines end in LF, CR or CRLF and in nothing else: U+2028 inside data is data (dialects.md, 6.21).
An event that never ended in a blank line is not dispatched, as the standard demands; ``close`` hands
it to a dialect that knows whether its data can be whole.

What comes out does not depend on how the bytes were cut, also where the reader refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hyperroute.errors import ProviderWireError

EVENT_BYTES_MAX: Final = 16 * 1024 * 1024
"""A larger line, or more data in one event, is a fault of the provider (reliability.md, row 66)."""

BODY_BYTES_MAX: Final = 64 * 1024 * 1024
"""The largest whole body that is gathered (reliability.md, row 53)."""

COMMENT: Final = b": keep-alive\n\n"
"""A keep-alive that the standard bids readers ignore; not all do (dialects.md, 6.15)."""

_FIELDS: Final = b":deir"
"""What a line of an event stream begins with: a comment, ``data``, ``event``, ``id``, ``retry``."""
_BREAK: Final = rb"(?:\r\n|\n|\r(?!\n)(?!\Z))"
"""A line end that no further byte can make another."""
_BLANK: Final = re.compile(_BREAK + _BREAK)
_OVERLAP: Final = 3
"""So many bytes of a blank line may stand before a cut."""
_BOM: Final = b"\xef\xbb\xbf"
_LF: Final = 10
_ONE: Final = re.compile(rb"data: ([^\r\n]*+)\n\n")
"""A chunk that is one whole event of one line, as most providers send each token."""


@dataclass(slots=True)
class SseReader:
    """Bytes in, ``(event name, data)`` pairs out. The name is ``""`` where none was given."""

    _pieces: list[bytes] = field(default_factory=list[bytes])
    """Of a line that has not ended. A list, because joining at each chunk is quadratic."""
    _pending: int = 0
    _name: str = ""
    _data: list[bytes] = field(default_factory=list[bytes])
    _size: int = 0
    _begun: bool = False
    _after_cr: bool = False

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """Take any number of bytes, split anywhere.

        Raises:
            ProviderWireError: One line, or the data of one event, exceeds ``EVENT_BYTES_MAX``.
        """
        if not self._begun:
            chunk = self._unmarked(chunk)
        elif (
            (one := _ONE.fullmatch(chunk)) is not None
            and not (self._pieces or self._data or self._after_cr)
            and len(chunk) <= EVENT_BYTES_MAX
        ):
            event, self._name = (self._name, one[1]), ""
            yield event
            return
        if self._after_cr and chunk:
            # The CR already ended its line; the LF of a CRLF cut in two adds nothing.
            self._after_cr = False
            if chunk[0] == _LF:
                chunk = chunk[1:]
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        last = chunk.rfind(b"\n")
        if last < 0:
            self._hold(chunk)
            return
        head = chunk[:last]
        if self._pieces:
            self._pieces.append(head)
            head = b"".join(self._pieces)
            self._pieces = []
            self._pending = 0
        for line in head.split(b"\n"):
            if line:
                self._field(line)
            elif self._data:
                data = self._data
                event = self._name, data[0] if len(data) == 1 else b"\n".join(data)
                self._name, self._data, self._size = "", [], 0
                yield event
            else:
                self._name = ""
        self._hold(chunk[last + 1 :])

    def close(self) -> tuple[str, bytes] | None:
        """Take the end of the stream; hand over the event that no blank line ended, if any.

        The standard discards it. JSON that was cut never parses, so a dialect may try: some servers
        forget the last line end.
        """
        line = b"".join(self._pieces)
        self._pieces = []
        self._pending = 0
        if line:
            self._field(line)
        data, name = self._data, self._name
        self._name, self._data, self._size = "", [], 0
        return (name, b"\n".join(data)) if data else None

    def _unmarked(self, chunk: bytes) -> bytes:
        joined = b"".join((*self._pieces, chunk))
        self._pieces = []
        self._pending = 0
        if len(joined) < len(_BOM) and _BOM.startswith(joined):
            self._hold(joined)
            return b""
        self._begun = True
        return joined.removeprefix(_BOM)

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._pending += len(piece)
            if self._pending > EVENT_BYTES_MAX:
                raise ProviderWireError(f"one line exceeds {EVENT_BYTES_MAX} bytes")

    def _field(self, line: bytes) -> None:
        if len(line) > EVENT_BYTES_MAX:
            raise ProviderWireError(f"one line exceeds {EVENT_BYTES_MAX} bytes")
        if line.startswith(b"data:"):
            value = line[6:] if line[5:6] == b" " else line[5:]
            self._data.append(value)
            self._size += len(value)
            if self._size > EVENT_BYTES_MAX:
                raise ProviderWireError(f"one event exceeds {EVENT_BYTES_MAX} bytes")
        elif line.startswith(b"event:"):
            self._name = line[6:].removeprefix(b" ").decode("utf-8", "replace")
        elif line == b"data":
            self._data.append(b"")
        elif line == b"event":
            self._name = ""


@dataclass(slots=True)
class FrameCutter:
    """Bytes in, whole frames out, each with the blank line that ends it; nothing is read or changed."""

    _pieces: list[bytes] = field(default_factory=list[bytes])
    _edge: bytes = b""
    """The last bytes of them, among which a blank line may begin."""
    _size: int = 0

    @property
    def pending(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._pieces)

    def cut(self, chunk: bytes) -> list[bytes]:
        """Take any number of bytes, split anywhere.

        Raises:
            ProviderWireError: A frame exceeds ``EVENT_BYTES_MAX``.
        """
        if self._pieces:
            if _BLANK.search(self._edge + chunk) is None:
                self._hold(chunk)
                return []
            self._pieces.append(chunk)
            chunk = self.rest()
        if b"\r" in chunk:
            frames, begin = [], 0
            for blank in _BLANK.finditer(chunk):
                frames.append(chunk[begin : blank.end()])
                begin = blank.end()
            rest = chunk[begin:]
        else:
            *heads, rest = chunk.split(b"\n\n")
            frames = [head + b"\n\n" for head in heads]
        self._hold(rest)
        return frames

    def rest(self) -> bytes:
        """Take out what no blank line has ended."""
        rest = b"".join(self._pieces)
        self._pieces, self._edge, self._size = [], b"", 0
        return rest

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._edge = (self._edge + piece[-_OVERLAP:])[-_OVERLAP:]
            self._size += len(piece)
            if self._size > EVENT_BYTES_MAX:
                raise ProviderWireError(f"one event exceeds {EVENT_BYTES_MAX} bytes")


@dataclass(slots=True)
class BodyReader:
    """Reads a reply that is an event stream or one JSON document, told apart by its first byte.

    Some servers stream when not asked to and others answer an asked-for stream in one piece
    (clients.md, 23), so what was asked for decides nothing.
    """

    _events: SseReader = field(default_factory=SseReader)
    _whole: list[bytes] | None = None
    _head: bytes = b""
    _size: int = 0
    _begun: bool = False

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """Take bytes; give the events that they complete, none for a JSON document.

        Raises:
            ProviderWireError: A limit is exceeded, or it is neither of the two (a web page, text).
        """
        if self._begun and self._whole is None:
            return self._events.feed(chunk)  # of each token: no generator around a generator
        return self._fed(chunk)

    def _fed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        if not self._begun:
            self._head += chunk
            first = self._head.removeprefix(_BOM).lstrip()[:1]
            if not first or (len(self._head) < len(_BOM) and _BOM.startswith(self._head)):
                if len(self._head) > EVENT_BYTES_MAX:
                    raise ProviderWireError("nothing but white space")
                return
            self._begun = True
            chunk, self._head = self._head, b""
            if first in b'{["':
                self._whole = []
            elif first not in _FIELDS:
                raise ProviderWireError("neither JSON nor an event stream: a web page, or text")
        if self._whole is None:
            yield from self._events.feed(chunk)
            return
        self._whole.append(chunk)
        self._size += len(chunk)
        if self._size > BODY_BYTES_MAX:
            raise ProviderWireError(f"the body exceeds {BODY_BYTES_MAX} bytes")

    def close(self) -> tuple[bytes | None, tuple[str, bytes] | None]:
        """Take the end; give the whole document, or the last event if nothing ended it."""
        if self._whole is not None:
            return b"".join(self._whole).removeprefix(_BOM), None
        return None, self._events.close()


def frame(data: bytes, *, name: str = "") -> bytes:
    """Write one event. ``data`` must hold no line break, as compact JSON does not."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + data + b"\n\n"
