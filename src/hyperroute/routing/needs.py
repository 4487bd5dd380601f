"""What a request needs of an offer, in numbers: small, exact, free of prompt text.

Laws: an estimate says that it is one; a bound is never below what can be measured later; what
cannot be known is ``None``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hyperroute.canon.request import Request
from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.canon.usage import Usage
from hyperroute.catalog.card import Model, Offer
from hyperroute.routing.readings import text_size

BYTES_PER_TOKEN = 4
"""English prose has about 4.4 bytes a token, code 3.3, Chinese and Japanese 2 to 3 (byte-level BPE
vocabularies of 100,000 to 200,000 entries). An estimate only: nothing exact rests on it."""

ASSUMED_OUTPUT = 1_000
"""Output tokens for comparing prices when the caller declares none and no policy caps them. All
offers are compared with the same figure, so it only weighs output rates against input rates."""

UNKNOWN_WINDOW = 8_192
"""A request up to this size may go to an offer of unknown window, even where the router chose it;
a larger one would be sent on a guess. A pinned model is the caller's own choice."""

_PIXELS = re.compile(r"(\d{1,6})x(\d{1,6})\Z")


def estimated_tokens(text_bytes: int) -> int:
    """Estimate input tokens from bytes, rounded up."""
    return -(-text_bytes // BYTES_PER_TOKEN)


def answers_wanted(parameters: Mapping[str, Any]) -> int:
    """Count the results asked for (``n``); one where nothing usable is said."""
    count = parameters.get("n")
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 1


def expected_usage(
    request: Request,
    offer: Offer,
    model: Model,
    parameters: Mapping[str, Any],
    tokens: tuple[int, int],
) -> Usage:
    """Estimate what this request will consume at this offer; a meter nobody can guess is ``None``.

    Args:
        request: For its kind.
        offer: For how many results one call makes.
        model: For frames per second and the longest run.
        parameters: Defaults filled in, shape words normalised (times in nanoseconds).
        tokens: Input and output, each counted or assumed.
    """
    count = answers_wanted(parameters)
    if request.kind == "chat":
        return Usage(input_tokens=tokens[0], output_tokens=tokens[1] * count)
    if request.kind == "embed":
        return Usage(input_tokens=tokens[0], output_tokens=0)
    return media_usage(request, offer, model, parameters)


def worst_usage(
    request: Request,
    offer: Offer,
    model: Model,
    parameters: Mapping[str, Any],
    *,
    input_tokens: int,
    output_cap: int | None,
) -> Usage:
    """Bound what one attempt can consume: bytes bound tokens, limits bound output.

    Args:
        request: Byte-level tokenizers never make more tokens than bytes.
        offer: Its own output limit, else its window, bounds the output.
        model: For frames per second and the longest run.
        parameters: As in ``expected_usage``.
        input_tokens: Counted input; or else the bytes.
        output_cap: Declared by the caller or capped by policy; ``None``: neither.
    """
    if request.kind == "chat":
        limits = (output_cap, offer.output, offer.context)
        most = min((limit for limit in limits if limit is not None), default=None)
        count = answers_wanted(parameters)
        return Usage(
            input_tokens=input_tokens, output_tokens=None if most is None else most * count
        )
    if request.kind == "embed":
        return Usage(input_tokens=input_tokens, output_tokens=0)
    return media_usage(request, offer, model, parameters)


def media_usage(
    request: Request, offer: Offer, model: Model, parameters: Mapping[str, Any]
) -> Usage:
    """Measure media by what was asked for: pieces, seconds, pixels, characters."""
    count = answers_wanted(parameters)
    made = parameters.get("duration")
    made_ms = -(-made // MILLISECOND) * count if isinstance(made, int) else None
    frame = frame_of(model, parameters)
    text = text_size(parameters.get("text", parameters.get("prompt")))
    return Usage(
        input_tokens=None,
        output_video_tokens=video_tokens(made, frame, model.fps, count),
        images=count if request.kind == "image" else None,
        clips=count if request.kind == "video" else None,
        calls=-(-count // offer.batch) if offer.batch else 1,
        made_ms=made_ms,
        run_ms=None if model.max_run_ns is None else -(-model.max_run_ns // MILLISECOND),
        input_chars=None if text is None else text[0],
        input_bytes=None if text is None else text[1],
        pixels=frame[0] * frame[1] * count if frame else None,
    )


def frame_of(model: Model, parameters: Mapping[str, Any]) -> tuple[int, int] | None:
    """Read width and height from ``size`` or ``resolution``, by the shape's own ``pixels`` first."""
    for name in ("size", "resolution"):
        value = parameters.get(name)
        if not isinstance(value, str):
            continue
        rule = model.takes.parameters.get(name) if model.takes else None
        if rule is not None and rule.pixels and value in rule.pixels:
            return rule.pixels[value]
        found = _PIXELS.match(value)
        if found:
            return int(found[1]), int(found[2])
    return None


def video_tokens(
    made: object, frame: tuple[int, int] | None, fps: int | None, count: int
) -> int | None:
    """Compute seconds x width x height x fps / 1024, rounded up; ``None`` if a factor is unknown."""
    if not isinstance(made, int) or frame is None or fps is None:
        return None
    return -(-made * frame[0] * frame[1] * fps * count // (1024 * SECOND))
