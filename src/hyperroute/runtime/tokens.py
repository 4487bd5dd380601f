"""Counting tokens, where that is possible without asking anybody.

Two libraries can: splintr (the extra ``tokens``), whose wheel carries the vocabulary, and tiktoken,
which downloads it when it first needs it. A download must never happen on the path of a request, nor
fail one: so tiktoken is used only if its vocabulary is in its own cache already, whole (the digest is
checked, because tiktoken would replace a broken file by a download).

Reading a vocabulary takes a tenth of a second and more, so no request does it: the first client of a
process does when it starts. In a thread it would not be sooner ready, and would stop all others just
the same, because splintr keeps the interpreter's lock meanwhile (measured). Where there is none the
planner goes by bytes, of which a byte-level vocabulary never makes more tokens than there are.

Source: tiktoken 0.12, ``tiktoken.load.read_file_cached`` and ``tiktoken_ext.openai_public``: the
cache's environment variables, its file names, the vocabulary's address and digest; read 2026-11-22.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final, Literal

from hyperroute.canon.request import Request
from hyperroute.dialects import json
from hyperroute.routing.needs import estimated_tokens

VOCABULARY: Final = "o200k_base"
ADDRESS: Final = f"https://openaipublic.blob.core.windows.net/encodings/{VOCABULARY}.tiktoken"
DIGEST: Final = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

COUNTED_BYTES_MAX: Final = 1024 * 1024
"""Of a larger body nothing is counted: it would hold up all others for up to a third of a second."""

_UNCOUNTABLE: Final = frozenset({"vision", "pdf", "audio_in"})
"""What costs tokens that are not those of its text."""

Encode = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Measured:
    """How many tokens a request has, and how that is known.

    Attributes:
        tokens: With OpenAI's vocabulary, whichever model is asked; other vendors' differ.
        way: ``counted`` is the body's text, its JSON included, so a little more than will be
            charged. ``estimated`` goes by bytes, and may be too low where prose is not English.
        at_most: No byte-level vocabulary makes more; ``None`` where media cost tokens of their own.
    """

    tokens: int
    way: Literal["counted", "estimated"]
    at_most: int | None


class Tokens:
    """Counts with one vocabulary, once it is warm."""

    def __init__(self) -> None:
        """Begin cold."""
        self._encode: Encode | None = None

    @property
    def at_hand(self) -> bool:
        """Whether counting is possible now."""
        return self._encode is not None

    def warm(self) -> None:
        """Read the vocabulary, if there is one on this machine; never fails."""
        self._encode = _encode(_cache())

    def count(self, request: Request) -> int | None:
        """Count the tokens of a request's body; ``None`` if that is not possible.

        The whole body is counted, with its JSON punctuation: an upper bound of what a provider with
        this vocabulary will charge for the same words, and near it.
        """
        encode = self._encode
        if encode is None or request.features & _UNCOUNTABLE:
            return None
        body = request.body if request.body is not None else json.dumps(request.raw)
        if len(body) > COUNTED_BYTES_MAX:
            return None
        return len(encode(body.decode("utf-8", "replace")))

    def measure(self, request: Request) -> Measured:
        """Count the tokens of a request, or estimate them and say so."""
        counted = self.count(request)
        media = bool(request.features & _UNCOUNTABLE)
        return Measured(
            tokens=estimated_tokens(request.input_bytes) if counted is None else counted,
            way="estimated" if counted is None else "counted",
            at_most=None if media else request.input_bytes,
        )


@cache
def _encode(folder: Path | None) -> Encode | None:
    """Read the vocabulary once for all clients of a process: it is large, and never changes."""
    return _carried() or _downloaded(folder)


def _carried() -> Encode | None:
    try:
        splintr = import_module("splintr")
        encode: Encode = splintr.Tokenizer.from_pretrained(VOCABULARY).encode_ordinary
        encode("warm")
    except Exception:  # noqa: BLE001 - whatever is wrong with an extra, requests go on without it
        return None
    return encode


def _downloaded(folder: Path | None) -> Encode | None:
    if folder is None:
        return None
    path = folder / hashlib.sha1(ADDRESS.encode()).hexdigest()  # noqa: S324 - tiktoken's name
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != DIGEST:
            return None
        encode: Encode = import_module("tiktoken").get_encoding(VOCABULARY).encode_ordinary
        encode("warm")
    except Exception:  # noqa: BLE001 - as above
        return None
    return encode


def _cache() -> Path | None:
    """Find tiktoken's cache as it does itself; a variable that is set but empty turns it off."""
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        folder = os.environ.get(name)
        if folder is not None:
            return Path(folder) if folder else None
    return Path(tempfile.gettempdir()) / "data-gym-cache"


__all__ = ["COUNTED_BYTES_MAX", "Measured", "Tokens"]
