"""Counting tokens, where that is possible without asking anybody.

tiktoken downloads its vocabulary when it first needs it. That must never happen on the path of a
request, nor fail one: so a vocabulary is used only if it is in tiktoken's own cache already, whole
(its digest is checked, because tiktoken would replace a broken file by a download). Otherwise the
answer is that nothing is known, and the planner goes by bytes, which are a sound upper bound.

Source: tiktoken 0.12, ``tiktoken.load.read_file_cached`` and ``tiktoken_ext.openai_public``: the
cache's environment variables, its file names, the vocabulary's address and digest; read 2026-11-22.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from hyperroute.canon.request import Request
from hyperroute.dialects import json

VOCABULARY: Final = "o200k_base"
ADDRESS: Final = f"https://openaipublic.blob.core.windows.net/encodings/{VOCABULARY}.tiktoken"
DIGEST: Final = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

_UNCOUNTABLE: Final = frozenset({"vision", "pdf", "audio_in"})
"""What costs tokens that are not those of its text."""


class Tokens:
    """Counts with one vocabulary, loaded on first use if it is at hand."""

    @property
    def at_hand(self) -> bool:
        """Whether counting is possible without a download."""
        return self._encoding is not None

    def count(self, request: Request) -> int | None:
        """Count the tokens of a request's body; ``None`` if that is not possible.

        The whole body is counted, with its JSON punctuation: an upper bound of what the provider
        will charge for the same words, and near it.
        """
        encoding = self._encoding
        if encoding is None or request.features & _UNCOUNTABLE:
            return None
        body = request.body if request.body is not None else json.dumps(request.raw)
        return len(encoding.encode_ordinary(body.decode("utf-8", "replace")))

    @cached_property
    def _encoding(self) -> Any | None:
        folder = _cache()
        if folder is None:
            return None
        path = folder / hashlib.sha1(ADDRESS.encode()).hexdigest()  # noqa: S324 - tiktoken's name
        try:
            if hashlib.sha256(path.read_bytes()).hexdigest() != DIGEST:
                return None
            import tiktoken

            return tiktoken.get_encoding(VOCABULARY)
        except (OSError, ImportError, ValueError):
            return None


def _cache() -> Path | None:
    """Find tiktoken's cache as it does itself; a variable that is set but empty turns it off."""
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        folder = os.environ.get(name)
        if folder is not None:
            return Path(folder) if folder else None
    return Path(tempfile.gettempdir()) / "data-gym-cache"


__all__ = ["Tokens"]
