"""OpenAI's token counts, of both dialects and of the servers that speak them: read and written.

Details are parts of their totals (dialects.md, 4.2), and a detail that claims more is cut to its
total. A report that lacks a meter, or whose number falls, does not take back what was reported before
(reliability.md, row 70: the greatest valid number counts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects.reading import count

_NONE: Mapping[str, Any] = MappingProxyType({})
_METERS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "input_image_tokens",
    "input_audio_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
)


def read_usage(value: object) -> Usage | None:
    """Read ``usage`` of either dialect; ``None`` if it says nothing.

    Chat's ``prompt_tokens`` and ``completion_tokens`` are Responses' ``input_tokens`` and
    ``output_tokens``; servers between the two mix them. Cache hits of DeepSeek and Moonshot stand
    outside the details. xAI counts reasoning beside the completion, which its total gives away.

    Source: openai-python 3.54 types; DeepSeek and xAI API references, read 2026-11-22.
    """
    if not isinstance(value, dict):
        return None
    came_in = _either(value, "prompt_tokens", "input_tokens")
    came_out = _either(value, "completion_tokens", "output_tokens")
    ins = _details(value, "prompt_tokens_details", "input_tokens_details")
    outs = _details(value, "completion_tokens_details", "output_tokens_details")
    reasoning = count(outs.get("reasoning_tokens"))
    if reasoning and came_out is not None and came_in is not None:
        total = count(value.get("total_tokens"))
        if total == came_in + came_out + reasoning:
            came_out += reasoning
    cached = count(ins.get("cached_tokens"))
    if cached is None:
        cached = _either(value, "prompt_cache_hit_tokens", "cached_tokens")
    usage = Usage(
        input_tokens=came_in,
        cache_read_tokens=_within(came_in, cached),
        cache_write_tokens=_part(ins, "cache_write_tokens", came_in),
        input_image_tokens=_part(ins, "image_tokens", came_in),
        input_audio_tokens=_part(ins, "audio_tokens", came_in),
        output_tokens=came_out,
        reasoning_tokens=_within(came_out, reasoning),
        output_audio_tokens=_part(outs, "audio_tokens", came_out),
    )
    nothing = came_in is None and came_out is None and usage == NO_USAGE
    return None if nothing else usage


def later(before: Usage, now: Usage) -> Usage:
    """Join two cumulative reports: of each meter the greatest number that was said."""
    if before is NO_USAGE:
        return now
    joined: dict[str, Any] = {}
    for meter in _METERS:
        said = [n for n in (getattr(before, meter), getattr(now, meter)) if n is not None]
        if said:
            joined[meter] = max(said)
    return replace(now, **joined)


def chat_usage(usage: Usage) -> dict[str, Any] | None:
    """Write ``usage`` for chat; ``None`` while the totals are unknown, because 0 would be a lie."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    details = {
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": usage.input_audio_tokens,
            "image_tokens": usage.input_image_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.output_audio_tokens,
        },
    }
    written: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    for name, parts in details.items():
        if known := {key: value for key, value in parts.items() if value is not None}:
            written[name] = known
    return written


def responses_usage(usage: Usage) -> dict[str, Any] | None:
    """Write ``usage`` for Responses, whose details are required with all their integers."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _either(value: Mapping[str, Any], first: str, second: str) -> int | None:
    number = count(value[first]) if first in value else None
    return count(value[second]) if number is None and second in value else number


def _details(value: Mapping[str, Any], first: str, second: str) -> Mapping[str, Any]:
    details = value.get(first)
    if not isinstance(details, dict):
        details = value.get(second)
    return details if isinstance(details, dict) else _NONE


def _part(details: Mapping[str, Any], key: str, total: int | None) -> int | None:
    return _within(total, count(details[key])) if key in details else None


def _within(total: int | None, number: int | None) -> int | None:
    return number if number is None or total is None else min(number, total)
