"""What a dialect could not say, as a value with a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LossKind = Literal["dropped", "clamped", "moved", "approximated", "synthesised"]


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """One thing lost. ``path`` is a JSON pointer into the source document.

    ``of`` says which document that is: the caller's request, or the provider's reply to it.
    """

    path: str
    kind: LossKind
    why: str
    of: Literal["request", "reply"] = "request"
