"""Whether the model that answered is the one that was asked for (reliability.md, row 76)."""

from __future__ import annotations

from hyperroute.providers.speak import same_model
from hyperroute.routing.plan import Candidate, Plan


def another_name(answered: str, *asked: str) -> str | None:
    """Return the name that a model answered under where it is clearly none of those asked for.

    That alone only warns: hosts call their deployments as they like, and the table's ``sends`` may
    be such a name.
    """
    if not answered or answered in asked or any(same_model(name, answered) for name in asked):
        return None
    return answered


def is_another(plan: Plan, candidate: Candidate, answered: str) -> bool:
    """Say whether a pinned model's place was taken by another that the table knows.

    A name that nobody knows proves nothing: hosts call their deployments as they like.
    """
    if not plan.pinned or not another_name(answered, candidate.sends, candidate.offer.model):
        return False
    return any(
        answered in {other.sends, other.model} or answered.startswith(f"{other.sends}-")
        for other in plan.table.offers.values()
    )


__all__ = ["another_name", "is_another"]
