"""A plan in words: what will be tried, and of every other offer the first thing it failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hyperroute.routing.candidate import Rejection

if TYPE_CHECKING:
    from hyperroute.routing.plan import Plan


def rejections(plan: Plan) -> tuple[Rejection, ...]:
    """Derive every rejection."""
    return ()


def explain(plan: Plan) -> str:
    """Write for people."""
    lines = [f"{plan.name}: {len(plan.candidates)} candidates"]
    lines += [f"  {at}. {one.offer.id}" for at, one in enumerate(plan.candidates, 1)]
    return "\n".join(lines)


def to_json(plan: Plan) -> Mapping[str, Any]:
    """Write for machines."""
    return {"name": plan.name, "candidates": [one.offer.id for one in plan.candidates]}
