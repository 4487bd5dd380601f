"""Price sheets: dated rates per meter, exact (tables.md, Prices).

Money inside is an integer in units of ``1 / scale`` USD, one ``scale`` for a whole table, chosen by
the loader so that every rate of every sheet is a whole number of units. Nothing rounds here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hyperroute.catalog.condition import Condition

METERS: Mapping[str, tuple[str, str]] = {
    # meter: (unit, field of canon.usage.Usage)
    "in": ("tok", "input_tokens"),
    "in.cached": ("tok", "cache_read_tokens"),
    "in.cache_write": ("tok", "cache_write_tokens"),
    "in.cache_write.1h": ("tok", "cache_write_1h_tokens"),
    "in.image": ("tok", "input_image_tokens"),
    "in.audio": ("tok", "input_audio_tokens"),
    "out": ("tok", "output_tokens"),
    "out.reasoning": ("tok", "reasoning_tokens"),
    "out.image": ("tok", "output_image_tokens"),
    "out.audio": ("tok", "output_audio_tokens"),
    "out.video": ("tok", "output_video_tokens"),
    "image": ("one", "images"),
    "clip": ("one", "clips"),
    "call": ("one", "calls"),
    "search": ("one", "searches"),
    "second": ("second", "made_ms"),
    "in.second": ("second", "received_ms"),
    "run.second": ("second", "run_ms"),
    "in.byte": ("byte", "input_bytes"),
    "in.char": ("char", "input_chars"),
    "pixel": ("pixel", "pixels"),
}
"""A dotted meter is a part of the meter before its last dot, where that is a meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """The first tier whose ``when`` holds replaces the rates it names, for the whole request."""

    when: Condition
    rates: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One dated row of a price.

    Attributes:
        begins: Days since 1970-01-01 (UTC); 0 = always. The latest begun row counts.
        rates: Meter to units of ``1 / scale`` USD for one token, image, **millisecond**, byte, …
        steps: Meter to the multiple it is rounded up to, in the meter's base unit.
        charged: What of a failed or cut answer is paid: usage, only success, or every attempt.
        currency: What the author wrote, for display; rates are USD already (100 credit = 1 usd).
    """

    begins: int = 0
    rates: Mapping[str, int]
    tiers: tuple[Tier, ...] = ()
    steps: Mapping[str, int]
    charged: Literal["usage", "success", "attempt"] = "usage"
    currency: Literal["usd", "credit"] = "usd"
    source: str = ""


Price = tuple[Sheet, ...]
"""Dated rows, oldest first. ``()`` is an unknown price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sell:
    """What the caller pays: a sheet of its own, or the cost plus a margin."""

    price: Price | None = None
    margin_percent: int = 0
    """``cost + 15%``; only without a price of its own."""
