"""Which facts and words there are in one table: the built-in, the plugins' and the declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hyperroute.routing.table import DeclaredFact
from hyperroute.tables.conditions import FactSpace
from hyperroute.tables.namespace import Namespace
from hyperroute.tables.prices import builtin_meters
from hyperroute.tables.vocabulary import (
    DOES,
    ENDPOINTS,
    KINDS,
    MODEL_FACTS,
    OFFER_FACTS,
    PARAMETERS,
    REQUEST_FACTS,
    TIME_PARAMETERS,
    FactType,
    PluginWords,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spaces:
    """The closed world of one table.

    Attributes:
        request, models, offers, parameters: What each kind of condition may read.
        priced: What the tiers of a price may read: parameters, and ``in``.
        meters: Meter to unit.
        does: Kind to capabilities.
        qualities: Names of quality marks that some model has.
    """

    request: FactSpace
    models: FactSpace
    offers: FactSpace
    parameters: FactSpace
    priced: FactSpace
    meters: Mapping[str, str]
    does: Mapping[str, frozenset[str]]
    qualities: frozenset[str]


def spaces(
    docs: Mapping[str, Mapping[str, Any]],
    raw_models: Iterable[Any],
    names: Namespace,
    facts: Mapping[str, DeclaredFact],
    plugins: PluginWords | None,
) -> Spaces:
    """Gather the facts and words of a table.

    ``raw_models`` are the models as YAML gave them: what a broken one has is still no unknown word.
    """
    words = plugins or PluginWords()
    does = {
        kind: own | {word for word, kinds in words.does.items() if not kinds or kind in kinds}
        for kind, own in DOES.items()
    }
    every = frozenset().union(*does.values())
    qualities = frozenset(mark for value in raw_models for mark in _marks(value))
    marks: dict[str, FactType] = {f"quality.{mark}": "count" for mark in sorted(qualities)}
    request: dict[str, FactType] = dict(REQUEST_FACTS)
    request.update({f"limit.{name}.used": "share" for name in docs["limits"]})
    request.update({name: _type(facts.get(name)) for name in docs["facts"]})
    told: dict[str, Iterable[str]] = {
        name: fact.one_of for name, fact in facts.items() if fact.one_of
    }
    models = [name for name, what in names.kinds.items() if what == "model"]
    choices: dict[str, Iterable[str]] = {
        "kind": KINDS,
        "does": every,
        "endpoints": ENDPOINTS,
        "model": models,
        "provider": docs["providers"],
    }
    if not names.broken | names.astray:
        choices["offer"] = names.offers
    asked = {"req.kind": KINDS, "req.endpoint": ENDPOINTS, "req.needs": every, **told}
    parameters: dict[str, FactType] = {
        word: "time" if word in TIME_PARAMETERS else "value"
        for word in sorted(PARAMETERS | words.parameters)
    }
    used = names.used.setdefault("facts", set())
    return Spaces(
        request=FactSpace(
            subject="the request and its caller",
            types=request,
            choices=asked,
            others=request,
            used=used,
        ),
        models=FactSpace(subject="a model", types={**MODEL_FACTS, **marks}, choices=choices),
        offers=FactSpace(
            subject="an offer",
            types={**OFFER_FACTS, **marks},
            choices=choices,
            others=request,
            used=used,
        ),
        parameters=FactSpace(subject="a shape", types=parameters),
        priced=FactSpace(subject="a price", types={"in": "size", **parameters}),
        meters={**builtin_meters(), **words.meters},
        does=does,
        qualities=qualities,
    )


def _marks(model: Any) -> Iterable[str]:
    quality = model.get("quality") if isinstance(model, dict) else None
    return quality if isinstance(quality, dict) else ()


def _type(fact: DeclaredFact | None) -> FactType:
    if fact is None:
        return "any"  # broken: whatever is said of it may be right
    if fact.type in {None, "text"}:
        return "word"
    return "count" if fact.type == "count" else "money"
