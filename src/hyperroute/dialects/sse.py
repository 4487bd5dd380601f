"""Server-sent events, read incrementally from bytes (WHATWG HTML, 9.2.6) and written.

Lines end in LF, CR or CRLF and in nothing else: U+2028 inside data is data (dialects.md, 6.21).
An event that never ended in a blank line is not dispatched, as the standard demands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hyperroute.errors import ProviderWireError

EVENT_BYTES_MAX = 16 * 1024 * 1024
"""A larger event is a fault of the provider (reliability.md, row 66)."""


@dataclass(slots=True)
class SseReader:
    """Bytes in, ``(event name, data)`` pairs out. The name is ``""`` where none was given."""

    _tail: bytes = b""
    _name: str = ""
    _data: list[bytes] = field(default_factory=list[bytes])
    _size: int = 0
    _begun: bool = False

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """Take any number of bytes, split anywhere.

        Raises:
            ProviderWireError: One event grew beyond ``EVENT_BYTES_MAX``.
        """
        if not self._begun:
            joined = self._tail + chunk
            if len(joined) < 3 and b"\xef\xbb\xbf".startswith(joined):
                self._tail = joined
                return
            self._begun = True
            self._tail = b""
            chunk = joined.removeprefix(b"\xef\xbb\xbf")
        buffer = self._tail + chunk
        if b"\r" in buffer:
            # A CR at the very end may be half of a CRLF: keep it until its neighbour is known.
            held = b"\r" if buffer.endswith(b"\r") else b""
            buffer = buffer.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
        start = 0
        while (end := buffer.find(b"\n", start)) >= 0:
            line = buffer[start:end]
            start = end + 1
            if line:
                self._field(line)
            elif self._data:
                yield self._name, b"\n".join(self._data)
                self._name, self._data, self._size = "", [], 0
            else:
                self._name = ""
        self._tail = buffer[start:]
        if self._size + len(self._tail) > EVENT_BYTES_MAX:
            raise ProviderWireError(f"one event exceeds {EVENT_BYTES_MAX} bytes")

    def _field(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            value = line[6:] if line[5:6] == b" " else line[5:]
            self._data.append(value)
            self._size += len(value)
        elif line.startswith(b"event:"):
            self._name = line[6:].removeprefix(b" ").decode("utf-8", "replace")
        elif line == b"data":
            self._data.append(b"")


def frame(data: bytes, *, name: str = "") -> bytes:
    """Write one event. ``data`` must hold no line break, as compact JSON does not."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + data + b"\n\n"
