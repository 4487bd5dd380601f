"""One deployment of a group, on its way to an offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hyperroute.proving.litellm.catalogue import Known
from hyperroute.tables.source import Path


@dataclass(slots=True)
class Deployment:
    """One entry of the list, understood.

    Attributes:
        group: The name that clients send.
        offer: As it will be written, without the id.
        weight: Of the traffic of its group; ``None``: not said.
        order: Lower goes first; ``None``: not said.
        facts: Of the model: does, context, input, output.
    """

    path: Path
    group: str
    kind: str
    offer: dict[str, Any]
    weight: Decimal | None = None
    order: int | None = None
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    known: Known | None = None

    @property
    def id(self) -> str:
        """The id its offer will have."""
        variant = self.offer.get("variant")
        return f"{self.group}@{self.offer['at']}" + (f"/{variant}" if variant else "")
