"""Shapes: what a request to a model may look like (tables.md, Shapes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hyperroute.catalog.condition import Condition, Scalar

MEDIA_PARAMETERS = frozenset(
    {"images", "mask", "first_frame", "last_frame", "video", "audio", "voice"}
)
"""Parameters whose ``range`` in short form is a count."""

SPELLINGS: Mapping[str, str] = {
    "image": "images",
    "image_url": "images",
    "image_urls": "images",
    "reference_images": "images",
}
"""Other spellings of references, all one list."""


@dataclass(frozen=True, slots=True)
class Range:
    """``low..high``, both ends in; ``None`` is open. Times are nanoseconds."""

    low: Scalar | None = None
    high: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What one parameter may be. Everything absent means: anything."""

    name: str
    one_of: tuple[Scalar, ...] | None = None
    range: Range | None = None
    max_chars: int | None = None
    count: Range | tuple[int, ...] | None = None
    source: frozenset[Literal["https", "data"]] | None = None
    bytes: int | None = None
    length: Range | None = None
    pixels: Mapping[str, tuple[int, int]] | None = None
    area: Range | None = None
    """In pixels."""
    default: Scalar | None = None
    """Filled in and sent when absent; ``None``: nothing is filled in."""
    required: bool = False
    refused: bool = False
    ignored: bool = False
    otherwise: Literal["refuse", "clamp", "default"] = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When ``when`` holds of the parameters, ``then`` narrows others."""

    when: Condition
    then: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SumRule:
    """The counts of ``parameters`` together are at most ``max``."""

    parameters: tuple[str, ...]
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A whole shape; a parameter it does not name passes unchanged."""

    name: str = ""
    parameters: Mapping[str, Parameter]
    rules: tuple[Rule | SumRule, ...] = ()
