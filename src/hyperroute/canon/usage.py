"""Meters. ``None`` means unknown and is never the same as zero."""

from __future__ import annotations

from hyperroute.canon.quick import quick


@quick(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was consumed. Details are *parts of* their totals; unknown is ``None``.

    ``input_tokens`` holds all input, cached too (dialects.md, 4.2); ``output_tokens`` holds
    reasoning. ``cache_write_tokens`` holds ``cache_write_1h_tokens``. Durations are milliseconds.
    """

    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    input_image_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    output_image_tokens: int | None = None
    output_audio_tokens: int | None = None
    output_video_tokens: int | None = None
    images: int | None = None
    clips: int | None = None
    calls: int | None = None
    searches: int | None = None
    made_ms: int | None = None
    received_ms: int | None = None
    run_ms: int | None = None
    input_bytes: int | None = None
    input_chars: int | None = None
    pixels: int | None = None
    estimated: bool = False
    """Our own count, because the provider reported none (invariant 42)."""


NO_USAGE = Usage()
"""Nothing known yet."""
