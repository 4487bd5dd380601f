"""All lints, by name, and one run over a table.

Law: only definitions of the author's own files are told of; a note depends on the day or on this
machine, so that it never decides whether a table is good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from hyperroute.errors import Problem
from hyperroute.proving.lints import (
    aliases,
    arms,
    attempts,
    fallbacks,
    leaks,
    names,
    offers,
    prices,
    promises,
)
from hyperroute.proving.lints.ground import Finding, Ground


@dataclass(frozen=True, slots=True)
class Lint:
    """What is looked for: its name, its page's title, and how much it weighs."""

    name: str
    about: str
    find: Callable[[Ground], Iterator[Finding]]
    weight: Literal["warning", "note"] = "warning"


LOADED: Mapping[str, str] = MappingProxyType(
    {
        "unused-name": "a definition that nothing refers to, or that never applies",
        "empty-intent": "an intent that selects no model",
    }
)
"""Lints that the loader itself finds."""

LINTS: tuple[Lint, ...] = (
    Lint("unreachable-arm", "a part of a term that no request can come to", arms.find),
    Lint("dead-offer", "an offer that no request can be served by", offers.find),
    Lint("shadowed-alias", "an alias that can be taken for another name", aliases.find),
    Lint("fallback-lacks", "what no fallback of an offer can do", fallbacks.find),
    Lint("price-inversion", "an equivalent that always costs more, a part above its whole", prices.inverted),
    Lint("cheapest-unknown", "an order by price over offers without one", prices.unknown),
    Lint("starved-fallback", "retries and keys that use up the attempts of the fallback", attempts.find),
    Lint("region-leak", "a fallback outside the region of the first choice", leaks.region),
    Lint("retention-leak", "a fallback that keeps data longer, or trains on it", leaks.retention),
    Lint("impossible-promise", "a promise that cannot hold", promises.find),
    Lint("unused-name", LOADED["unused-name"], names.unused),
    Lint("stale-price", "a dated price that has grown old, or has not begun", prices.stale, "note"),
    Lint("missing-credential", "an account whose variables are not set here", names.missing, "note"),
)  # fmt: skip

NAMES: tuple[str, ...] = tuple(sorted({*LOADED, *(lint.name for lint in LINTS)}))


def lint(ground: Ground, *, strict: bool = False, ignore: Iterable[str] = ()) -> list[Problem]:
    """Run every lint that is not ignored and give what was found, in reading order."""
    silent = frozenset(ignore)
    found: set[Problem] = set()
    for one in LINTS:
        if one.name in silent:
            continue
        severity = "error" if strict and one.weight == "warning" else one.weight
        for finding in one.find(ground):
            if finding.spot.source.own:
                found.add(finding.spot.problem(finding.message, severity, one.name))
    return sorted(found)
