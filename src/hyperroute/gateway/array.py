"""A Gemini stream as one JSON array: what ``streamGenerateContent`` answers without ``alt=sse``.

The frames are the same ones; each loses its ``data:`` and gains a comma. White space keeps the line
alive, before an element as well as between two (reliability.md, 5.12).
"""

from __future__ import annotations

from dataclasses import dataclass

from hyperroute.dialects.sse import SseReader


@dataclass(slots=True)
class ArrayFraming:
    """Turns whole SSE frames into elements of an array. For one stream."""

    opening: bytes = b"["
    pulse: bytes = b" "
    closing: bytes = b"]"
    _begun: bool = False

    def each(self, frames: bytes) -> bytes:
        """Write frames as elements."""
        written: list[bytes] = []
        for _, data in SseReader().feed(frames):
            written.append(b",\r\n" + data if self._begun else data)
            self._begun = True
        return b"".join(written)


__all__ = ["ArrayFraming"]
