"""Why not this offer? The first requirement it failed, and the least that would change the answer.

Laws: a suggestion was planned again and flips the answer; of the changes that are enumerated no
smaller one does. Where no single change is enough, that is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition
from hyperroute.proving.reach import owned, parts
from hyperroute.proving.whynot.change import Change, Scene, chosen
from hyperroute.proving.whynot.offers import of_offer, of_price
from hyperroute.proving.whynot.requests import of_request, of_world
from hyperroute.proving.whynot.rules import of_policies, of_terms
from hyperroute.routing.candidate import Rejection
from hyperroute.routing.plan import Plan
from hyperroute.routing.table import From, Restrict
from hyperroute.routing.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """The answer about one offer.

    Attributes:
        place: Of the offer among the candidates, from 1; ``None``: it is none.
        first: Whether the question was why it is not the first; else, why it is none.
        rejection: What it failed; ``None`` for a candidate.
        change: The smallest single change that is enough; ``None``: none is, or none is needed.
    """

    offer: str
    place: int | None
    first: bool
    rejection: Rejection | None
    change: Change | None

    def __str__(self) -> str:
        """Two lines for people."""
        if self.place == 1:
            return f"{self.offer} is what will be tried first"
        if self.place is not None:
            lines = [f"{self.offer} will be tried, as number {self.place}"]
        else:
            lines = [str(self.rejection)]
        goal = "would be first" if self.first else "would be tried"
        if self.change is None:
            lines.append(f"no single change is enough: {self.offer} needs several")
        else:
            lines.append(f"{goal} by a change of the {self.change.kind}: {self.change.text}")
        return "\n".join(lines)

    def to_json(self) -> Mapping[str, Any]:
        """Give the same as plain JSON values."""
        change = self.change
        return {
            "offer": self.offer,
            "place": self.place,
            "rejection": None if self.rejection is None else asdict(self.rejection),
            "goal": "first" if self.first else "candidate",
            "change": None
            if change is None
            else {"kind": change.kind, "step": str(change.step), "text": change.text},
        }


def why_not(made: Plan, offer_id: str) -> WhyNot:
    """Say why a plan does not use an offer, or not first, and what would change that.

    Raises:
        KeyError: The table has no such offer.
    """
    offer = made.table.offers[offer_id]
    ids = [candidate.offer.id for candidate in made.candidates]
    place = ids.index(offer_id) + 1 if offer_id in ids else None
    first = place is not None
    rejection = None if first else _rejection(made, offer)
    change = None
    if place != 1:
        enough = (one for one in changes(made, offer) if flips(one, offer_id, first=first))
        change = next(enough, None)
    return WhyNot(offer=offer_id, place=place, first=first, rejection=rejection, change=change)


def flips(change: Change, offer_id: str, *, first: bool) -> bool:
    """Plan again, and say whether the change is enough."""
    return chosen(change.scene.plan(), offer_id, first=first)


def changes(made: Plan, offer: Offer) -> list[Change]:
    """List every single change of the enumerated kinds, smallest first."""
    scene = Scene(request=made.request, table=made.table, answers=made.answers, seed=made.seed)
    view, resolved = scene.view(), scene.resolved()
    ids = [candidate.offer.id for candidate in made.candidates]
    found = [
        *of_request(scene, offer, view),
        *of_world(scene, offer, view),
        *of_offer(scene, offer, view, _demands(made, view), _froms(made)),
        *of_price(scene, offer.id, first=offer.id in ids),
        *of_policies(scene, offer, view),
        *of_terms(scene, offer, resolved),
    ]
    return sorted(found, key=lambda change: change.order)


def _demands(made: Plan, view: View) -> Condition:
    """Gather what policies and terms require, each line once."""
    lines = [line for _, condition in view.rules.require for line in condition]
    for _, term in owned(made.table):
        lines += [
            line for part in parts(term) if isinstance(part, Restrict) for line in part.require
        ]
    return tuple(dict.fromkeys(lines))


def _froms(made: Plan) -> tuple[From, ...]:
    found = [
        part for _, term in owned(made.table) for part in parts(term) if isinstance(part, From)
    ]
    return tuple(dict.fromkeys(found))


def _rejection(made: Plan, offer: Offer) -> Rejection:
    """Find the first requirement that failed, be it that the offer was never looked at."""
    for rejection in made.rejections:
        if rejection.offer == offer.id:
            return rejection
    refusal = made.refusal
    empty = (
        refusal is not None
        and refusal.code == "model_not_found"
        and made.name in made.table.intents
    )
    if refusal is not None and not refusal.looked and not empty:
        what, needed = refusal.param or refusal.code, refusal.message
        return Rejection(
            offer=offer.id, requirement=what, needed=needed, had="refused", by="the request"
        )
    what = "model" if made.pinned else "intent"
    return Rejection(
        offer=offer.id,
        requirement=what,
        needed=f"a place in {what} {made.name}",
        had="none",
        by=f"{what} {made.name}",
    )
