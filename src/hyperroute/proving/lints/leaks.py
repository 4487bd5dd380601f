"""``region-leak`` and ``retention-leak``: a fallback takes data where the first choice would not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition, Fact
from hyperroute.catalog.facts import within
from hyperroute.proving.lints.certain import Known, certain, taught
from hyperroute.proving.lints.ground import Finding, Ground, arms, bare
from hyperroute.proving.reach import reached
from hyperroute.routing.table import First, Match, ModelTerm, Restrict, RouteTable, Term
from hyperroute.tables.report import Spot


def region(ground: Ground) -> Iterator[Finding]:
    """Find fallbacks outside the one region where all of the first choice is."""
    for primary, rest, spot, known in _pairs(ground):
        regions = {offer.region for offer in primary}
        if _ruled("region", known, ground.table) or len(regions) != 1 or None in regions:
            continue
        (here,) = (one for one in regions if one is not None)
        for offer in rest:
            if offer.region is None or not (_near(offer.region, here)):
                where = offer.region or "an unknown region"
                yield Finding(
                    spot, f"{primary[0].id} is in {here}, its fallback {offer.id} in {where}"
                )
                break
    yield from _outside(ground)


def retention(ground: Ground) -> Iterator[Finding]:
    """Find fallbacks that keep data longer, or train on it, where the first choice does not."""
    for primary, rest, spot, known in _pairs(ground):
        kept = [offer.retain_ns for offer in primary]
        longest = None if None in kept else max(one for one in kept if one is not None)
        if longest is not None and not _ruled("retain", known, ground.table):
            for offer in rest:
                if offer.retain_ns is None or offer.retain_ns > longest:
                    yield Finding(
                        spot,
                        f"{primary[0].id} keeps data {_days(longest)}, its fallback {offer.id} "
                        f"{_days(offer.retain_ns)}",
                    )
                    break
        if all(offer.trains is False for offer in primary) and not _ruled(
            "trains", known, ground.table
        ):
            for offer in rest:
                if offer.trains is not False:
                    does = "may train" if offer.trains is None else "trains"
                    yield Finding(
                        spot,
                        f"{primary[0].id} does not train on data, its fallback {offer.id} {does}",
                    )
                    break


def _pairs(
    ground: Ground,
) -> Iterator[tuple[Sequence[Offer], Sequence[Offer], Spot, dict[str, Fact]]]:
    """Give first choices with what may come in their place: equivalents, later entries of a chain."""
    table = ground.table
    for service, spot in ground.services():
        own = list(reached(ModelTerm(service.model.name), table).values())
        for at, entry in enumerate(service.instead):
            rest = list(reached(entry.term, table).values())
            if own and rest:
                yield own, rest, spot / "instead" / at, {"req.kind": service.model.kind}
    for kind, term, spot, value in ground.terms():
        known: dict[str, Fact] = {"req.kind": kind} if kind else {}
        yield from _within_term(term, spot, value, known, table)


def _within_term(
    term: Term, spot: Spot, value: Any, known: Known, table: RouteTable
) -> Iterator[tuple[Sequence[Offer], Sequence[Offer], Spot, dict[str, Fact]]]:
    if isinstance(term, Restrict) and any(
        line.fact in ("region", "retain", "trains") for line in term.require
    ):
        return
    inner = bare(term)
    parts = arms(term, spot, value)
    if isinstance(inner, First):
        groups = [list(reached(one, table).values()) for one in inner.terms]
        filled = [(at, group) for at, group in enumerate(groups) if group]
        for at, group in filled[1:]:
            new = [offer for offer in group if offer not in filled[0][1]]
            if new and not _bounded(inner.terms[at]):
                yield filled[0][1], new, spot / "first" / at, dict(known)
    for at, part in enumerate(parts):
        facts = taught(inner.arms[at][0], known) if isinstance(inner, Match) else known
        yield from _within_term(*part, facts, table)


def _bounded(term: Term) -> bool:
    return isinstance(term, Restrict) and any(
        line.fact in ("region", "retain", "trains") for line in term.require
    )


def _outside(ground: Ground) -> Iterator[Finding]:
    """Find arms for callers of a region whose offers lie elsewhere, and no policy keeps them in."""
    table = ground.table
    for kind, term, spot, value in ground.terms():
        known: dict[str, Fact] = {"req.kind": kind} if kind else {}
        for condition, one, place in _asked(term, spot, value):
            wanted = taught(condition, known).get("org.region")
            facts = taught(condition, known)
            if not isinstance(wanted, str) or _ruled("region", facts, table) or _bounded(one):
                continue
            for offer in reached(one, table).values():
                if offer.region is None or not within(offer.region, wanted):
                    where = offer.region or "an unknown region"
                    yield Finding(
                        place, f"this arm serves callers of {wanted}, and {offer.id} is in {where}"
                    )
                    break


def _asked(term: Term, spot: Spot, value: Any) -> Iterator[tuple[Condition, Term, Spot]]:
    inner = bare(term)
    parts = arms(term, spot, value)
    if isinstance(inner, Match):
        for (condition, one), (_, place, _) in zip(inner.arms, parts, strict=True):
            if not _guarded(term):
                yield condition, one, place
    for part in parts:
        yield from _asked(*part)


def _guarded(term: Term) -> bool:
    while isinstance(term, Restrict):
        if _bounded(term):
            return True
        term = term.term
    return False


def _ruled(fact: str, known: Known, table: RouteTable) -> bool:
    """Say whether the author's policies already say of everybody what this fact must be."""
    return any(
        line.fact == fact and line.op != "given"
        for policy in certain(table, known)
        for line in policy.require
    )


def _near(one: str, other: str) -> bool:
    return within(one, other) or within(other, one)


def _days(kept: int | None) -> str:
    if kept is None:
        return "for an unknown time"
    days, rest = divmod(kept, 86_400_000_000_000)
    return f"for {days} days" if not rest else f"for {kept // 3_600_000_000_000} hours"
