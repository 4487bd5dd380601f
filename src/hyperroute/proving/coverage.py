"""What of a table its tests have walked: chains, intents, policies, arms and failure classes.

Covered is what some test's own decision came to: an intent or chain that was evaluated for it, the
arm of a ``match`` that it took, a policy that applied to it, a failure class that an attempt of its
run ended with. A failure class counts where a policy says what it means, since only that is the
table's own. What was included is not the author's to test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hyperroute.proving.reach import owned, parts
from hyperroute.proving.tests import Result
from hyperroute.routing.chains import chosen, matched
from hyperroute.routing.resolve import Resolved, resolve_name
from hyperroute.routing.table import (
    ChainTerm,
    First,
    IntentTerm,
    Match,
    ModelTerm,
    Restrict,
    RouteTable,
    Split,
    Term,
)
from hyperroute.routing.view import View

KINDS = ("intents", "chains", "arms", "policies", "failures")


@dataclass(frozen=True, slots=True)
class Coverage:
    """By kind: what there is, and which of it some test came to."""

    there: dict[str, tuple[str, ...]]
    met: dict[str, frozenset[str]]

    def missing(self, kind: str) -> tuple[str, ...]:
        """Name what no test came to, in the order of the table."""
        return tuple(name for name in self.there[kind] if name not in self.met[kind])

    @property
    def whole(self) -> bool:
        """Whether tests came to everything."""
        return not any(self.missing(kind) for kind in KINDS)

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {
            kind: {
                "there": len(self.there[kind]),
                "met": len(self.there[kind]) - len(self.missing(kind)),
                "missing": list(self.missing(kind)),
            }
            for kind in KINDS
        }


def covered(table: RouteTable, results: Iterable[Result]) -> Coverage:
    """Gather what the tests of a table came to."""
    there = {
        "intents": tuple(table.intents),
        "chains": tuple(table.chains),
        "arms": tuple(_arms(table)),
        "policies": tuple(policy.name for policy in table.policies),
        "failures": tuple(
            dict.fromkeys(kind.value for policy in table.policies for kind in policy.errors)
        ),
    }
    met: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for result in results:
        made = result.plan
        view = View(made.request, made.table, made.answers, made.seed)
        met["policies"].update(view.applied.key)
        met["failures"].update(
            attempt.failure.kind.value
            for attempt in result.record.attempts
            if attempt.failure is not None
        )
        resolved = resolve_name(made.request, made.table)
        if isinstance(resolved, Resolved):
            view.meant(resolved)
            _walk_from(resolved, view, met)
    return Coverage(there, {kind: frozenset(found) for kind, found in met.items()})


def _arms(table: RouteTable) -> Iterator[str]:
    for owner, term in owned(table):
        for number, match in enumerate(_matches(term)):
            yield from (_arm(owner, number, at) for at in range(len(match.arms)))


def _matches(term: Term) -> list[Match]:
    return [part for part in parts(term) if isinstance(part, Match)]


def _arm(owner: str, number: int, at: int) -> str:
    where = f" (match {number + 1})" if number else ""
    return f"{owner}{where}: arm {at + 1}"


def _walk_from(resolved: Resolved, view: View, met: dict[str, set[str]]) -> None:
    if resolved.intent is not None:
        _walk(IntentTerm(resolved.name), "", view, met)
    elif resolved.service is not None:
        _walk(ModelTerm(resolved.service.model.name), "", view, met)


def _walk(term: Term, owner: str, view: View, met: dict[str, set[str]]) -> None:
    """Follow a term as the planner does, and note what is met on the way."""
    table = view.table
    match term:
        case IntentTerm(name):
            met["intents"].add(name)
            _walk(table.intents[name].term, f"intent {name}", view, met)
        case ChainTerm(name):
            met["chains"].add(name)
            _walk(table.chains[name].term, f"chain {name}", view, met)
        case First(terms):
            for one in terms:
                _walk(one, owner, view, met)
        case Split():
            for arm in chosen(term, view):
                _walk(arm.term, owner, view, met)
        case Restrict(inner):
            _walk(inner, owner, view, met)
        case Match(pairs):
            taken = matched(pairs, view)
            top = dict(owned(table)).get(owner)
            at = next((at for at, (_, one) in enumerate(pairs) if one is taken), None)
            if top is not None and at is not None:
                number = next(n for n, one in enumerate(_matches(top)) if one is term)
                met["arms"].add(_arm(owner, number, at))
            _walk(taken, owner, view, met)
        case _:
            pass
