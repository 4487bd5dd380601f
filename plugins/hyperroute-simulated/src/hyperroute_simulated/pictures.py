"""Small, valid pictures: a pattern of two colours that follows from what was asked, and nothing else.

Source: PNG specification, third edition, 11.2; read 2026-11-22.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import pack
from typing import Final
from zlib import compress, crc32

SIDE_MAX: Final = 4_096
_CELLS: Final = 8
"""Of the pattern, each way: 64 bits of a digest."""


def png(seed: bytes, width: int, height: int) -> bytes:
    """Draw a pattern.

    Args:
        seed: What it follows from.
        width: In pixels, cut to ``SIDE_MAX``.
        height: Likewise.
    """
    width, height = (max(1, min(side, SIDE_MAX)) for side in (width, height))
    digest = blake2b(seed, digest_size=14).digest()
    rows = [_row(byte, width) for byte in digest[:_CELLS]]
    lines = b"".join(b"\0" + rows[at * _CELLS // height] for at in range(height))
    header = pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", digest[8:14]),
            _chunk(b"IDAT", compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _row(byte: int, width: int) -> bytes:
    """Stretch eight cells over a line of pixels, one bit each."""
    bits = 0
    for at in range(width):
        bits = bits << 1 | byte >> (at * _CELLS // width) & 1
    spare = -width % 8
    return (bits << spare).to_bytes((width + 7) // 8)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))


__all__ = ["SIDE_MAX", "png"]
