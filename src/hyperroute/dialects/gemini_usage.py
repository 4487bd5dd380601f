"""Gemini's ``usageMetadata``, both ways (dialects.md, 4.2).

Thoughts stand beside the candidates' tokens, cached tokens inside the prompt's. The parts are
trusted, not the total, whose documentation disagrees with itself. Counts are cumulative.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hyperroute.canon.usage import Usage
from hyperroute.dialects.gemini_spelling import pick
from hyperroute.dialects.reading import count


def usage_of(counts: Mapping[str, Any]) -> Usage:
    """Read the counts; proto JSON leaves zeros out, so a part missing beside its sibling is 0."""
    prompt = count(pick(counts, "promptTokenCount"))
    tool = count(pick(counts, "toolUsePromptTokenCount"))
    candidates = count(pick(counts, "candidatesTokenCount"))
    thoughts = count(pick(counts, "thoughtsTokenCount"))
    total = count(pick(counts, "totalTokenCount"))
    inputs = None if prompt is None and tool is None else (prompt or 0) + (tool or 0)
    if candidates is None and thoughts is None:
        output = 0 if inputs is not None and total == inputs else None
    else:
        output = (candidates or 0) + (thoughts or 0)
    asked = _by_modality(pick(counts, "promptTokensDetails"))
    made = _by_modality(pick(counts, "candidatesTokensDetails"))
    return Usage(
        input_tokens=inputs,
        cache_read_tokens=count(pick(counts, "cachedContentTokenCount")),
        input_image_tokens=asked.get("IMAGE"),
        input_audio_tokens=asked.get("AUDIO"),
        output_tokens=output,
        reasoning_tokens=thoughts,
        output_image_tokens=made.get("IMAGE"),
        output_audio_tokens=made.get("AUDIO"),
        output_video_tokens=made.get("VIDEO"),
    )


def usage_metadata(usage: Usage) -> dict[str, Any]:
    """Write counts; what is unknown is left out."""
    output, thoughts = usage.output_tokens, usage.reasoning_tokens
    made = _details(
        IMAGE=usage.output_image_tokens,
        AUDIO=usage.output_audio_tokens,
        VIDEO=usage.output_video_tokens,
    )
    written = {
        "promptTokenCount": usage.input_tokens,
        "cachedContentTokenCount": usage.cache_read_tokens,
        "candidatesTokenCount": None if output is None else max(output - (thoughts or 0), 0),
        "thoughtsTokenCount": thoughts,
        "promptTokensDetails": _details(
            IMAGE=usage.input_image_tokens, AUDIO=usage.input_audio_tokens
        ),
        "candidatesTokensDetails": made,
    }
    if usage.input_tokens is not None and output is not None:
        written["totalTokenCount"] = usage.input_tokens + output
    return {name: value for name, value in written.items() if value is not None}


def _by_modality(value: object) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict) and isinstance(word := entry.get("modality"), str):
            tokens = count(pick(entry, "tokenCount"))
            if tokens is not None:
                found[word.upper()] = tokens
    return found


def _details(**counts: int | None) -> list[dict[str, Any]] | None:
    told = [{"modality": k, "tokenCount": v} for k, v in counts.items() if v is not None]
    return told or None
