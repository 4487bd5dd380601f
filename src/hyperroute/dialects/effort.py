"""Effort in words and thinking in tokens, one to the other (dialects.md, 3.7). The numbers are ours."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hyperroute.canon.request import Thinking

BUDGETS: Mapping[str, int] = MappingProxyType(
    {"minimal": 512, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 32_768}
)
"""Tokens by effort, rising; ``none`` is off and ``max`` the model's limit."""

EFFORTS = ("none", *BUDGETS, "max")


def budget_of(effort: str, *, limit: int | None) -> int | None:
    """Give the thinking tokens of an effort; ``None`` for a word we do not know, or no limit known."""
    return limit if effort == "max" else BUDGETS.get(effort)


def effort_of(budget: int) -> str:
    """Name the effort whose budget is the nearest lower bound; anything less is ``minimal``."""
    return next(
        (e for e, tokens in reversed(tuple(BUDGETS.items())) if tokens <= budget), "minimal"
    )


def said_by(asked: Thinking) -> str:
    """Name the canonical member a loss of thinking is about: some dialects keep effort apart."""
    return "effort" if asked.budget is None else "thinking"


def nearest(effort: str, among: tuple[str, ...]) -> str | None:
    """Give the effort of ``among`` (rising) that is nearest; the lower one of two."""
    if effort in among:
        return effort
    if effort not in EFFORTS or not among:
        return None
    rank = EFFORTS.index(effort)
    return min(among, key=lambda word: (abs(EFFORTS.index(word) - rank), EFFORTS.index(word)))
