"""Media and cache marks as both OpenAI dialects spell their values."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final, Literal

from hyperroute.canon.content import CacheMark, Media
from hyperroute.dialects.reading import at, member, text
from hyperroute.errors import ClientWireError

_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.+-]+=[^;,]*)*);base64,", re.ASCII)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]*={0,2}", re.ASCII)
_SOUNDS: Final = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
_TTL: Final = (("30m", 1_800), ("12h", 43_200))
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def read_data_url(url: str, where: str) -> tuple[str | None, str]:
    """Take a data URL apart into media type and base64 text.

    Raises:
        ClientWireError: It is not of the form ``data:<type>;base64,<data>``.
    """
    head = _DATA_URL.match(url)
    data = url[head.end() :] if head else ""
    if head is None or not data or not _BASE64.fullmatch(data):
        raise ClientWireError("must be a data URL in base64", pointer=where)
    return head[1], data


def read_image(url: str, where: str, *, detail: str | None, cache: CacheMark | None) -> Media:
    """Read an image from a web address or a data URL.

    Raises:
        ClientWireError: It is neither.
    """
    if url.startswith("data:"):
        mime, data = read_data_url(url, where)
        return Media(kind="image", source="data", value=data, mime=mime, detail=detail, cache=cache)
    if not url.startswith(("https://", "http://")):
        raise ClientWireError("must be a web address or a data URL", pointer=where)
    return Media(kind="image", source="url", value=url, detail=detail, cache=cache)


def read_file(obj: Mapping[str, Any], where: str, *, cache: CacheMark | None) -> Media:
    """Read the members that say which file is meant: data, id or address.

    Raises:
        ClientWireError: There is none, or it has the wrong type.
    """
    name = text(obj, "filename", where)
    source: Literal["url", "data", "file_id"] = "file_id"
    mime: str | None = None
    if (data := text(obj, "file_data", where)) is not None:
        source, value = "data", data
        if data.startswith("data:"):
            mime, value = read_data_url(data, at(where, "file_data"))
        elif name and name.lower().endswith(".pdf"):
            mime = "application/pdf"
    elif (address := text(obj, "file_url", where)) is not None:
        source, value = "url", address
    elif (identity := text(obj, "file_id", where)) is not None:
        value = identity
    else:
        raise ClientWireError("must have file_data or file_id", pointer=where)
    return Media(
        kind="file",
        source=source,
        value=value,
        mime=mime,
        name=name,
        detail=text(obj, "detail", where),
        cache=cache,
    )


def read_sound(obj: Mapping[str, Any], where: str) -> Media:
    """Read ``input_audio``.

    Raises:
        ClientWireError: It has no data, or a format that OpenAI does not name.
    """
    form, data = text(obj, "format", where), text(obj, "data", where)
    if data is None:
        raise ClientWireError("must be a string", pointer=at(where, "data"))
    if form not in _SOUNDS:
        raise ClientWireError("must be wav or mp3", pointer=at(where, "format"))
    return Media(kind="audio", source="data", value=data, mime=_SOUNDS[form])


def sound_format(mime: str | None) -> str | None:
    """Name a sound's format in OpenAI's words, ``None`` if it has none."""
    return _FORMATS.get((mime or "").lower())


def data_url(media: Media, default: str) -> str:
    """Write inline data as a data URL."""
    return f"data:{media.mime or default};base64,{media.value}"


def plain_text(media: Media) -> str | None:
    """Decode a text document, which OpenAI has no file part for; ``None`` if it is none."""
    if media.source != "data" or not (media.mime or "").startswith("text/"):
        return None
    try:
        return b64decode(media.value, validate=True).decode("utf-8")
    except ValueError:
        return None


def read_mark(obj: Mapping[str, Any], where: str) -> CacheMark | None:
    """Read ``prompt_cache_breakpoint``, or Anthropic's ``cache_control``, which aggregators take too.

    Raises:
        ClientWireError: It is no object, or its ``ttl`` no text.
    """
    for key in ("prompt_cache_breakpoint", "cache_control"):
        mark = member(obj, key, where)
        if mark is not None:
            return CacheMark(text(mark, "ttl", at(where, key)))
    return None


def write_mark(mark: CacheMark) -> tuple[dict[str, Any], bool]:
    """Write a breakpoint with the nearest life that is not shorter; say whether that changed it."""
    said: dict[str, Any] = {"mode": "explicit"}
    if mark.ttl is None:
        return said, False
    wanted = _seconds(mark.ttl)
    name, seconds = next((pair for pair in _TTL if pair[1] >= wanted), _TTL[-1])
    said["ttl"] = name
    return said, seconds != wanted


def _seconds(ttl: str) -> int:
    count = ttl[:-1]
    if count.isdecimal() and count.isascii() and len(count) < 9 and ttl[-1:] in _SECONDS:
        return int(count) * _SECONDS[ttl[-1]]
    return 0
