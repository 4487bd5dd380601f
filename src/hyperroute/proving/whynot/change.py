"""One change to a request, to the world or to a table, how large it is, and what it makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from hyperroute.canon.request import Request
from hyperroute.routing.plan import Plan, plan
from hyperroute.routing.questions import Answers
from hyperroute.routing.resolve import Resolved, resolve_name
from hyperroute.routing.table import RouteTable
from hyperroute.routing.view import View

Kind = Literal["request", "world", "offer", "policy", "term"]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
"""In the order of what is asked of whom: a caller may change a request today, a term is a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that a plan is made of."""

    request: Request
    table: RouteTable
    answers: Answers
    seed: int

    def plan(self) -> Plan:
        """Decide."""
        return plan(self.request, table=self.table, answers=self.answers, seed=self.seed)

    def resolved(self) -> Resolved | None:
        """Find what the request names; ``None``: nothing that the table has."""
        found = resolve_name(self.request, self.table)
        return found if isinstance(found, Resolved) else None

    def view(self) -> View:
        """Read the same numbers as a plan does."""
        view = View(self.request, self.table, self.answers, self.seed)
        found = self.resolved()
        if found is not None:
            view.meant(found)
        return view


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A single change.

    Attributes:
        step: How large, against what there was: a tenth more is 1/10; a word, or what was unknown
            before, is 1.
        text: What to do, in one line.
        scene: What is then planned.
    """

    kind: Kind
    step: Fraction
    text: str
    scene: Scene

    @property
    def order(self) -> tuple[int, Fraction, str]:
        """Smaller comes first: by kind, then by step, then by its words."""
        return KINDS.index(self.kind), self.step, self.text


def chosen(found: Plan, offer: str, *, first: bool) -> bool:
    """Say whether an offer is among what will be tried; ``first``: before all others."""
    ids = [candidate.offer.id for candidate in found.candidates]
    return ids[:1] == [offer] if first else offer in ids


def step(have: int | None, need: int) -> Fraction:
    """Say how far it is from one number to another."""
    if have is None:
        return Fraction(1)
    return Fraction(abs(need - have), max(have, 1))
