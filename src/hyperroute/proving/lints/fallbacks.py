"""``fallback-lacks``: what the first choice can do and none of its fallbacks can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hyperroute.canon.failure import FailureClass
from hyperroute.catalog.card import Offer
from hyperroute.proving.lints.ground import Finding, Ground, bare, inside
from hyperroute.proving.reach import reached
from hyperroute.routing.table import First, ModelTerm, RouteTable, Service
from hyperroute.tables.report import Spot


def find(ground: Ground) -> Iterator[Finding]:
    """Compare the first offer of every model, and the first entry of every chain, with what follows."""
    table = ground.table
    for service, spot in ground.services():
        own = list(reached(ModelTerm(service.model.name), table).values())
        spare = [
            offer for entry in service.instead for offer in reached(entry.term, table).values()
        ]
        if own and (own[1:] or spare):
            at = spot / "instead" if service.instead else spot / "offers" / 1
            yield from _lacking(at, own[:1], own[1:] + spare)
        yield from _no_larger(service, own, spot, table)
    for _, term, spot, value in ground.terms():
        for part, place, _ in inside(term, spot, value):
            inner = bare(part)
            if isinstance(inner, First):
                groups = [list(reached(one, table).values()) for one in inner.terms]
                filled = [(at, group) for at, group in enumerate(groups) if group]
                if len(filled) > 1:
                    rest = [offer for _, group in filled[1:] for offer in group]
                    yield from _lacking(place / "first" / filled[1][0], filled[0][1], rest)


def _lacking(spot: Spot, primary: Sequence[Offer], rest: Iterable[Offer]) -> Iterator[Finding]:
    others = list(rest)
    for what, wanted in (
        ("do", frozenset.intersection(*(offer.does for offer in primary))),
        ("accept", frozenset.intersection(*(offer.endpoints for offer in primary))),
    ):
        had = frozenset[str]().union(
            *(offer.does if what == "do" else offer.endpoints for offer in others)
        )
        if wanted - had:
            yield Finding(
                spot,
                f"no fallback of {primary[0].id} can {what} {', '.join(sorted(wanted - had))}: "
                "requests that need it have none",
            )


def _no_larger(
    service: Service, own: list[Offer], spot: Spot, table: RouteTable
) -> Iterator[Finding]:
    windows = [offer.context for offer in own]
    known = [window for window in windows if window is not None]
    if not known or len(known) < len(windows):
        return
    for at, entry in enumerate(service.instead):
        if entry.after != frozenset({FailureClass.CONTEXT_LENGTH}):
            continue
        others = [offer.context for offer in reached(entry.term, table).values()]
        if others and all(other is not None and other <= max(known) for other in others):
            yield Finding(
                spot / "instead" / at,
                f"this comes after context_length, and its window of "
                f"{max(other for other in others if other is not None)} tokens is no larger "
                f"than {max(known)}",
            )
