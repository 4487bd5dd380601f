"""What two tables decide of the same requests, and where they differ.

Laws: a table does not differ from itself; a difference is told with a request that shows it; both
are planned by the production planner with nothing known to be down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from hyperroute.proving.representatives import Need
from hyperroute.proving.tests import answers_of, request_of
from hyperroute.routing.explain import usd
from hyperroute.routing.plan import plan
from hyperroute.routing.table import RouteTable
from hyperroute.routing.why import plain

Aspect = Literal["served", "offer", "price", "region", "survivability", "fallback"]
ASPECTS: tuple[Aspect, ...] = Aspect.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What one table decides of a request.

    Attributes:
        refused: The code of a refusal; empty: it is served.
        offers: To be tried, in order.
        expected: Price at the first of them, exact; ``None`` unknown.
        regions: Where its data may go.
        survives: How many providers may be lost before it is served no more.
    """

    refused: str
    offers: tuple[str, ...]
    expected: Decimal | None
    regions: tuple[str, ...]
    survives: int

    def to_json(self) -> Mapping[str, Any]:
        """Give it as plain JSON values."""
        return {
            "refused": self.refused or None,
            "offers": list(self.offers),
            "expected_usd": None if self.expected is None else plain(self.expected),
            "regions": list(self.regions),
            "survives_providers": self.survives,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that the two decide differently, and in what."""

    need: Need
    before: Decided
    after: Decided
    aspects: tuple[Aspect, ...]

    @property
    def key(self) -> tuple[str, tuple[Aspect, ...], tuple[str, ...], tuple[str, ...]]:
        """What differences have in common that are told as one."""
        return self.need.name, self.aspects, self.before.offers, self.after.offers


@dataclass(frozen=True, slots=True)
class Diff:
    """All differences.

    Attributes:
        asked: Requests that were compared, each as often as it was counted.
        changed: Of these, the ones decided differently.
        spent: Expected cost of all that both tables serve at a known price, before and after.
    """

    asked: int
    changed: int
    differences: tuple[Difference, ...]
    spent: tuple[Decimal, Decimal]

    def groups(self) -> list[tuple[Difference, int]]:
        """Give one example of each kind of difference and how many requests are of it."""
        first: dict[Any, Difference] = {}
        counts: Counter[Any] = Counter()
        for one in self.differences:
            first.setdefault(one.key, one)
            counts[one.key] += one.need.count
        return [(one, counts[key]) for key, one in first.items()]

    def by_aspect(self) -> Mapping[str, int]:
        """Count requests by what differs."""
        found: Counter[str] = Counter()
        for one in self.differences:
            for aspect in one.aspects:
                found[aspect] += one.need.count
        return {aspect: found[aspect] for aspect in ASPECTS if found[aspect]}

    def to_json(self) -> Mapping[str, Any]:
        """Give it as plain JSON values."""
        return {
            "requests": self.asked,
            "changed": self.changed,
            "by_aspect": self.by_aspect(),
            "expected_usd": {"before": plain(self.spent[0]), "after": plain(self.spent[1])},
            "differences": [
                {
                    "name": one.need.name,
                    "example": str(one.need),
                    "requests": count,
                    "aspects": list(one.aspects),
                    "before": one.before.to_json(),
                    "after": one.after.to_json(),
                }
                for one, count in self.groups()
            ],
        }


def compare(old: RouteTable, new: RouteTable, needs: Iterable[Need]) -> Diff:
    """Plan every request by both tables."""
    differences: list[Difference] = []
    asked = changed = 0
    before, after = Decimal(0), Decimal(0)
    for need in needs:
        asked += need.count
        one, other = decide(old, need), decide(new, need)
        if one.expected is not None and other.expected is not None:
            before += one.expected * need.count
            after += other.expected * need.count
        aspects = _aspects(one, other)
        if aspects:
            changed += need.count
            differences.append(Difference(need, one, other, aspects))
    return Diff(asked, changed, tuple(differences), (before, after))


def decide(table: RouteTable, need: Need) -> Decided:
    """Plan one request by one table."""
    request, answers = request_of(need.given, table), answers_of(need.given)
    made = plan(request, table=table, answers=answers, seed=need.seed)
    offers = [candidate.offer for candidate in made.candidates]
    first = made.candidates[0].expected if made.candidates else None
    price = usd(first, table)
    return Decided(
        refused=made.refusal.code if made.refusal is not None else "",
        offers=tuple(offer.id for offer in offers),
        expected=None if price is None else Decimal(price),
        regions=tuple(sorted({offer.region or "unknown" for offer in offers})),
        survives=max(len({offer.provider for offer in offers}) - 1, 0),
    )


def _aspects(one: Decided, other: Decided) -> tuple[Aspect, ...]:
    differs: dict[Aspect, bool] = {
        "served": one.refused != other.refused,
        "offer": one.offers[:1] != other.offers[:1],
        "price": one.expected != other.expected,
        "region": one.regions != other.regions,
        "survivability": one.survives != other.survives,
        "fallback": one.offers[1:] != other.offers[1:],
    }
    return tuple(aspect for aspect, differing in differs.items() if differing)
