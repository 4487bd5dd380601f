"""What a request to a model may look like: fill in, check, refuse (tables.md, Shapes).

Laws: defaults are filled in first; every parameter and every rule then reads that same request;
a given value that a rule excludes is refused, a default becomes the first value left; a parameter
the shape does not name passes unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hyperroute.catalog.shape import Shape


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits: every parameter as the offer will see it."""

    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a request does not fit: which parameter, what it may be, what it was."""

    parameter: str
    needed: str
    had: str


def fit(shape: Shape | None, parameters: Mapping[str, Any]) -> Fitted | Misfit:
    """Fit a request into a shape."""
    return Fitted(parameters)


def changes(
    given: Mapping[str, Any], fitted: Mapping[str, Any], fields: Mapping[str, str]
) -> Mapping[str, Any]:
    """Say what has to be written into the body: filled in, changed or renamed; ``None`` removes."""
    changed: dict[str, Any] = {}
    for name, value in fitted.items():
        upstream = fields.get(name, name)
        if upstream != name and name in given:
            changed[name] = None
        if upstream != name or name not in given or given[name] != value:
            changed[upstream] = value
    changed.update({name: None for name in given if name not in fitted})
    return changed
