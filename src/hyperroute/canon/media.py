"""What media is, by its first bytes: its true type, its size on paper, and whether that is too much.

Nothing is decoded here. A header that claims a billion pixels is refused before anybody, we or a
provider, makes room for them.

Source: PNG 11.2.2, GIF89a 18, JPEG (T.81) B.2.2, WebP container and RFC 9649, ISO 14496-12 4.3,
RFC 8794; WHATWG MIME sniffing 6; read 2026-11-22.
"""

from __future__ import annotations

from binascii import Error as NoBase64
from binascii import a2b_base64
from typing import Final, Literal

Kind = Literal["image", "audio", "video", "file"]

IMAGE_BYTES_MAX: Final = 10 * 1024 * 1024
"""Of one image (reliability.md, 6)."""

MEDIA_BYTES_MAX: Final = 20 * 1024 * 1024
"""Of a sound, a film or a document."""

SIDE_MAX: Final = 16_384
PIXELS_MAX: Final = 100_000_000
"""Twice what cameras make; a full colour copy of it in memory is 400 MB."""

_SEGMENTS_MAX: Final = 1_000
"""How many segments of a JPEG may come before its size; cameras write a dozen."""

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_BRANDS: Final = (
    (b"hei", "image/heic"),
    (b"hev", "image/heic"),
    (b"mif1", "image/heif"),
    (b"msf1", "image/heif"),
    (b"avi", "image/avif"),
    (b"M4A", "audio/mp4"),
    (b"qt  ", "video/quicktime"),
)
_SAME: Final = (
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("image/x-png", "image/png"),
    ("audio/mp3", "audio/mpeg"),
    ("audio/x-mp3", "audio/mpeg"),
    ("audio/x-wav", "audio/wav"),
    ("audio/wave", "audio/wav"),
    ("audio/vnd.wave", "audio/wav"),
    ("audio/x-flac", "audio/flac"),
    ("audio/x-m4a", "audio/mp4"),
    ("audio/m4a", "audio/mp4"),
    ("application/x-pdf", "application/pdf"),
)
"""Names that mean the type beside them."""

_ONE_BOX: Final = (
    frozenset({"video/mp4", "audio/mp4", "video/quicktime", "video/3gpp", "audio/3gpp"}),
    frozenset({"image/heic", "image/heif", "image/avif"}),
    frozenset({"audio/ogg", "video/ogg", "application/ogg"}),
    frozenset({"video/webm", "audio/webm", "video/x-matroska", "audio/x-matroska"}),
)
"""Types that come in one container, whose first bytes do not tell what is in it."""


def sniffed(data: bytes) -> str | None:
    """Return the media type that the first bytes show; ``None``: none that is known here."""
    for beginning, mime in _BEGINNINGS:
        if data.startswith(beginning):
            return mime
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12])
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return next((mime for name, mime in _BRANDS if brand.startswith(name)), "video/mp4")
    return None


def plain(mime: str | None) -> str:
    """Spell a media type in one way, without its parameters; ``""`` for none."""
    bare = (mime or "").partition(";")[0].strip().lower()
    return dict(_SAME).get(bare, bare)


def agree(found: str, told: str) -> bool:
    """Say whether what the bytes show may be what a plain media type says."""
    one = plain(found)
    return one == told or any({one, told} <= box for box in _ONE_BOX)


def size_of(data: bytes) -> tuple[int, int] | None:
    """Read width and height from an image's header; ``None`` where they cannot be told."""
    mime = sniffed(data)
    if mime == "image/png" and len(data) >= 24 and data[12:16] == b"IHDR":
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if mime == "image/gif" and len(data) >= 10:
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if mime == "image/jpeg":
        return _jpeg_size(data)
    if mime == "image/webp" and len(data) >= 30:
        return _webp_size(data)
    return None


def fault(data: bytes, *, kind: Kind, claim: str | None) -> str | None:
    """Say what is wrong with media: too many bytes or pixels, or not what it claims to be.

    Args:
        data: All of it.
        kind: What it is to be.
        claim: The media type that its sender named; ``None``: none.
    """
    most = IMAGE_BYTES_MAX if kind == "image" else MEDIA_BYTES_MAX
    if len(data) > most:
        return f"has {len(data)} bytes, and at most {most} are taken"
    found = sniffed(data)
    told = plain(claim)
    silent = told in {"", "application/octet-stream", "binary/octet-stream"}
    if found is not None and not silent and not agree(found, told):
        return f"is {found}, and not {told[:80]} as it claims"
    if (size := size_of(data)) is not None:
        width, height = size
        if max(width, height) > SIDE_MAX or width * height > PIXELS_MAX:
            return f"is {width} by {height} pixels, and at most {PIXELS_MAX} in all are taken"
    return None


def base64_bytes(text: str) -> bytes | None:
    """Decode strict base64: the standard alphabet, padded, nothing else; ``None`` for any other."""
    try:
        return a2b_base64(text, strict_mode=True)
    except (NoBase64, ValueError):
        return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    for _ in range(_SEGMENTS_MAX):
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if len(data) < at + 9 or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    match data[12:16]:
        case b"VP8X":
            return (
                1 + int.from_bytes(data[24:27], "little"),
                1 + int.from_bytes(data[27:30], "little"),
            )
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = data[26:28], data[28:30]
            return (
                int.from_bytes(width, "little") & 0x3FFF,
                int.from_bytes(height, "little") & 0x3FFF,
            )
        case _:
            return None


__all__ = [
    "IMAGE_BYTES_MAX",
    "MEDIA_BYTES_MAX",
    "PIXELS_MAX",
    "SIDE_MAX",
    "Kind",
    "agree",
    "base64_bytes",
    "fault",
    "plain",
    "size_of",
    "sniffed",
]
