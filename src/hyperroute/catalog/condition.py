"""Conditions: what must hold of a fact (tables.md, Meaning).

A condition is a conjunction of lines. A comparison with an unknown fact does not hold; of an unknown
fact only ``not given`` holds. A bare value is compared in its fact's own direction, which the loader
has already turned into an explicit ``op``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Scalar = str | int | Decimal | bool
"""Sizes are integers, times integer nanoseconds, shares and money ``Decimal``, words as written."""

Fact = Scalar | tuple[Scalar, ...] | frozenset[str]
"""What a fact may be; unknown is ``None`` and not among them."""

Op = Literal[
    "contains",  # the fact holds all of the value (does, tags, endpoints)
    "at_least",  # context, input, output, quality.*
    "at_most",  # retain
    "within",  # region: eu-central lies in eu
    "equal",  # all else; several values mean any of; * in a word is a pattern
    ">",
    ">=",
    "<",
    "<=",
    "=",
    "not",  # known, and not equal (or, with several, none of them)
    "given",
    "not given",
]

DIRECTIONS: tuple[tuple[str, Op], ...] = (
    ("does", "contains"),
    ("tags", "contains"),
    ("endpoints", "contains"),
    ("context", "at_least"),
    ("input", "at_least"),
    ("output", "at_least"),
    ("quality.", "at_least"),
    ("retain", "at_most"),
    ("region", "within"),
)
"""Fact, or prefix ending in a dot, to the meaning of a bare value. All others: ``equal``."""


@dataclass(frozen=True, slots=True)
class FactRef:
    """The value is another fact's (``{region: org.region}``); unknown makes the line fail."""

    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``values`` is empty for ``given`` and ``not given``; several mean any of."""

    fact: str
    op: Op
    values: tuple[Scalar | FactRef, ...] = ()
    text: str = ""
    """As the author wrote it, for explanations."""


Condition = tuple[Line, ...]
"""All lines must hold; the empty condition always holds."""
