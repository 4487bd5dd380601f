"""Terms of the algebra: chains, intents, splits and matches, with every name resolved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hyperroute.catalog.condition import Condition
from hyperroute.routing.table import (
    Arm,
    ChainTerm,
    First,
    From,
    IntentTerm,
    Match,
    ModelTerm,
    NoOffers,
    OfferTerm,
    RankKey,
    Restrict,
    Split,
    Term,
)
from hyperroute.tables.conditions import FactSpace, condition, implies, whole
from hyperroute.tables.namespace import Namespace
from hyperroute.tables.report import Spot
from hyperroute.tables.schema_terms import IntentDoc, MatchArmDoc, SplitDoc, TermDoc
from hyperroute.tables.vocabulary import MEASURES, RANKINGS, nearest

_RANK = re.compile(r"(\S+?)(?:\s*~\s*([1-9][0-9]?)%)?")
_PERCENTILE = re.compile(r"p[1-9][0-9]?")
_FORMS = ("first", "split", "match", "from")


@dataclass(slots=True)
class Terms:
    """Compiles terms of one table.

    Attributes:
        select: Gives the models that satisfy a ``from`` condition, of one kind or of all.
        edges: Intent or chain to those that its term names, for cycles.
    """

    names: Namespace
    request: FactSpace
    offers: FactSpace
    models: FactSpace
    qualities: frozenset[str]
    rankings: frozenset[str]
    select: Callable[[Condition, str | None], tuple[str, ...]]
    edges: dict[str, set[str]] = field(default_factory=dict)

    def term(self, spot: Spot, doc: TermDoc | str, owner: str) -> Term:
        """Compile a term that stands in ``owner``; what is wrong is told and becomes ``none``."""
        if isinstance(doc, str):
            return self.named(spot, doc, owner)
        forms = [
            form
            for form, value in zip(
                _FORMS, (doc.first, doc.split, doc.match, doc.select), strict=True
            )
            if value is not None
        ]
        if len(forms) != 1:
            found = " and ".join(forms) if forms else "none"
            spot.error(f"a term has one of first, split, match and from, found {found}")
            return NoOffers()
        term: Term
        if doc.first is not None:
            term = First(
                tuple(
                    self.term(spot / "first" / index, item, owner)
                    for index, item in enumerate(doc.first)
                )
            )
        elif doc.split is not None:
            term = self._split(spot / "split", doc.split, owner)
        elif doc.match is not None:
            term = self._match(spot / "match", doc.match, owner)
        else:
            term = self.from_(spot / "from", doc.select or {}, None)
        return self.restrict(spot, term, doc)

    def intent(self, spot: Spot, doc: IntentDoc, name: str) -> Term:
        """Compile what an intent denotes: ``use``, or what it selects, restricted."""
        if doc.use is not None:
            for key, value in (("from", doc.select), ("rank", doc.rank), ("take", doc.take)):
                if value is not None:
                    (spot / key).error(f"use stands in place of {key}", key=True)
            term = self.term(spot / "use", doc.use, name)
            required = condition(spot / "require", doc.require, self.offers)
            return Restrict(term, required) if required else term
        return self.restrict(spot, self.from_(spot / "from", doc.select or {}, doc.kind), doc)

    def from_(self, spot: Spot, lines: Mapping[str, Any], kind: str | None) -> From:
        """Resolve a condition over models to their names."""
        when = condition(spot, lines, self.models)
        return From(when, self.select(when, kind))

    def restrict(self, spot: Spot, term: Term, doc: TermDoc | IntentDoc) -> Term:
        """Wrap a term in what stands beside it."""
        required = condition(spot / "require", doc.require, self.offers)
        rank = self.rank(spot / "rank", doc.rank or ())
        if not required and not rank and doc.take is None:
            return term
        return Restrict(term, required, rank, doc.take)

    def rank(self, spot: Spot, written: Iterable[str]) -> tuple[RankKey, ...]:
        """Read the keys of an order."""
        keys: list[RankKey] = []
        for index, text in enumerate(written):
            found = _RANK.fullmatch(text)
            at = spot / index
            if not found:
                at.error(f"expected a rank key such as cost or cost ~10%, found {text!r}")
            elif not self._ranks(found[1]):
                valid = [*RANKINGS, *self.rankings, "latency.p90", "ttft.p90", "speed.p90"]
                valid += [f"quality.{name}" for name in self.qualities]
                at.error(f"unknown rank key {found[1]!r}{nearest(found[1], valid)}")
            elif any(key.name == found[1] for key in keys):
                at.error(f"{found[1]} already stands in this order")
            else:
                keys.append(RankKey(found[1], int(found[2] or 0)))
        return tuple(keys)

    def _ranks(self, name: str) -> bool:
        if name in RANKINGS or name in self.rankings:
            return True
        head, dot, tail = name.partition(".")
        if head == "quality":
            return tail in self.qualities
        return head + dot in MEASURES and _PERCENTILE.fullmatch(tail) is not None

    def named(self, spot: Spot, name: str, owner: str) -> Term:
        """Resolve a name to its term."""
        if name == "none":
            return NoOffers()
        final = self.names.resolve(name)
        if final in self.names.broken or (name != final and final not in self.names.kinds):
            return NoOffers()  # told where it is defined
        match self.names.kinds.get(final):
            case "model":
                if "*" in final:
                    spot.error(f"{final!r} is a pattern; a term needs one model")
                    return NoOffers()
                return ModelTerm(final)
            case "intent":
                self.edges.setdefault(owner, set()).add(final)
                return IntentTerm(final)
            case "chain":
                self.edges.setdefault(owner, set()).add(final)
                self.names.use("chains", final)
                return ChainTerm(final)
            case _:
                return self._offer(spot, final)

    def _offer(self, spot: Spot, name: str) -> Term:
        if name in self.names.offers:
            return OfferTerm(name)
        if self.names.excused(name) or name in self.names.aliases:
            return NoOffers()  # told where it is defined
        if pattern := self.names.pattern_for(name):
            spot.error(f"{name!r} is only matched by the pattern {pattern!r}; a term needs a model")
        else:
            spot.error(self.names.unknown(name))
        return NoOffers()

    def _split(self, spot: Spot, doc: SplitDoc, owner: str) -> Split:
        total = sum(doc.arms.values(), Decimal(0))
        if total != 1:
            (spot / "arms").error(f"the shares make {(total * 100).normalize():f}%, not 100%")
        arms = []
        for name in sorted(doc.arms):
            at = spot / "arms" / name
            if not doc.arms[name] and not doc.rest:
                at.error("an arm of 0% is never picked without rest: true")
            arms.append(Arm(name, doc.arms[name], self.named(at, name, owner)))
        return Split(doc.by, tuple(arms), doc.salt, doc.rest)

    def _match(self, spot: Spot, docs: list[MatchArmDoc], owner: str) -> Match:
        arms: list[tuple[Condition, Term]] = []
        understood: list[Condition] = []
        for index, doc in enumerate(docs):
            at = spot / index
            last = index == len(docs) - 1
            when = condition(at / "when", doc.when, self.request)
            if last and doc.when is not None:
                (at / "when").error(
                    "the last arm has no condition, so that something matches", key=True
                )
            elif not last and not doc.when:
                at.error("only the last arm has no condition; what follows is never reached")
            elif any(implies(when, earlier) for earlier in understood):
                at.error("this arm is never reached: an earlier one holds whenever it does")
            if when and whole(when, doc.when):
                understood.append(when)
            arms.append((when, self.term(at / "use", doc.use, owner)))
        return Match(tuple(arms))


def cycles(edges: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Find each cycle of intents and chains once, as a path that ends where it began."""
    found: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in sorted(edges):
        if start in done:
            continue
        path: list[str] = [start]
        waiting = [iter(sorted(edges.get(start, ())))]
        while waiting:
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
                done.add(path.pop())
            elif following in path:
                found.append((*path[path.index(following) :], following))
            elif following not in done:
                path.append(following)
                waiting.append(iter(sorted(edges.get(following, ()))))
    return found
