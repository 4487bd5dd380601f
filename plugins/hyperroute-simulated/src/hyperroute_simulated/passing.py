"""Answers to what only passes: embeddings and text completions, the same to the same question.

The rules, all of them:

* A vector has as many numbers as ``dimensions`` asks for, else eight, drawn from the input's digest and
  of length one; ``encoding_format: base64`` is kept. Input costs a token for four bytes, begun, and a
  token that was given as one is one.
* A prompt is continued by a sentence with a digest of it; ``max_tokens`` and ``n`` count.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from math import sqrt
from struct import pack
from typing import Any, Final

from hyperroute.canon.content import Text
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.usage import Usage
from hyperroute.dialects.json import dumps
from hyperroute_simulated.answer import tokens

_NUMBERS: Final = 8
_NUMBERS_MAX: Final = 4_096
_CHOICES_MAX: Final = 128


def embedded(raw: Mapping[str, Any], *, model: str) -> bytes:
    """Write the answer to a request for embeddings."""
    inputs = _inputs(raw.get("input"))
    asked = raw.get("dimensions")
    size = min(asked, _NUMBERS_MAX) if isinstance(asked, int) and asked > 0 else _NUMBERS
    coded = raw.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(one, size, coded=coded)}
        for index, one in enumerate(inputs)
    ]
    spent = sum(_weight(one) for one in inputs)
    usage = {"prompt_tokens": spent, "total_tokens": spent}
    return dumps({"object": "list", "data": data, "model": model, "usage": usage})


def continued(
    raw: Mapping[str, Any], *, reply_id: str, model: str, created: int, fixed: str | None = None
) -> Iterator[StreamEvent]:
    """Continue prompts, token by token.

    Args:
        raw: What is asked.
        reply_id: Of the answer.
        model: The name that is told.
        created: Unix seconds.
        fixed: Said in place of anything else.
    """
    yield Started(reply_id, model, created)
    limit, each = raw.get("max_tokens"), raw.get("n")
    prompts = _inputs(raw.get("prompt", ""))
    copies = each if isinstance(each, int) and each > 0 else 1
    finishes: list[Finished] = []
    used = 0
    for index, prompt in enumerate((prompts * copies)[:_CHOICES_MAX]):
        digest = blake2b(dumps(prompt), digest_size=3).hexdigest()
        pieces = tokens(f" and so on, simulated {digest}." if fixed is None else fixed)
        cut = isinstance(limit, int) and 0 <= limit < len(pieces)
        pieces = pieces[:limit] if cut else pieces
        yield PartStarted(index, Text(), index)
        for piece in pieces:
            yield PartDelta(index, piece)
        yield PartEnded(index)
        used += len(pieces)
        finishes.append(Finished("length" if cut else "stop", choice=index))
    yield UsageReported(Usage(input_tokens=sum(map(_weight, prompts)), output_tokens=used))
    yield from finishes


def _inputs(value: Any) -> list[Any]:
    """List what is asked: a text or a list of tokens is one, a list of these is several."""
    if isinstance(value, list) and value and not isinstance(value[0], int):
        return value
    return [value]


def _weight(value: Any) -> int:
    return len(value) if isinstance(value, list) else -(-len(str(value).encode()) // 4)


def _vector(value: Any, size: int, *, coded: bool) -> list[float] | str:
    drawn = [
        int.from_bytes(blake2b(b"%d" % at + dumps(value), digest_size=2).digest()) / 32768 - 1
        for at in range(size)
    ]
    length = sqrt(sum(one * one for one in drawn)) or 1.0
    unit = [one / length for one in drawn]
    return b64encode(pack(f"<{size}f", *unit)).decode() if coded else unit


__all__ = ["continued", "embedded"]
