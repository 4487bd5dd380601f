"""Compiled values to JSON text and back, without pickle: what digests and caches are made of.

Equal values give equal text. A dataclass is an object whose key ``""`` names its class and which
lists only what differs from its defaults.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.catalog import card, condition, price, shape
from hyperroute.errors import Problem
from hyperroute.routing import table
from hyperroute.tables import testcases
from hyperroute.tables.words import exact

_CLASSES: tuple[type[Any], ...] = (
    *(card.AccountLimits, card.Breaker, card.Budget, card.JobTerms, card.KeyEntry, card.Model),
    *(card.Offer, card.OpenByShare, card.OpenInRow, card.ProviderEntry, card.Rate, card.Timeouts),
    *(condition.FactRef, condition.Line, price.Sell, price.Sheet, price.Tier),
    *(shape.Parameter, shape.Range, shape.Rule, shape.Shape, shape.SumRule),
    *(table.Alias, table.Arm, table.Cap, table.Chain, table.ChainTerm, table.DeclaredFact),
    *(table.First, table.From, table.Instead, table.Intent, table.IntentTerm, table.Limit),
    *(table.Match, table.ModelTerm, table.NoOffers, table.OfferTerm, table.Policy, table.Promise),
    *(table.RankKey, table.Restrict, table.Retry, table.RetryBudget, table.Service, table.Split),
    *(Problem, testcases.Expect, testcases.Given, testcases.TestCase),
)


def _layout(cls: type[Any]) -> tuple[str, tuple[tuple[str, object], ...]]:
    return cls.__name__, tuple(
        (f.name, f.default_factory() if f.default_factory is not MISSING else f.default)
        for f in fields(cls)
    )


_LAYOUTS: Mapping[type[Any], tuple[str, tuple[tuple[str, object], ...]]] = {
    cls: _layout(cls) for cls in _CLASSES
}
_EMPTY: Mapping[str, Any] = MappingProxyType({})
_Maker = tuple[Callable[..., Any] | None, frozenset[str], tuple[str, ...]]


def _maker(cls: type[Any]) -> _Maker:
    words = (f.name for f in fields(cls) if "frozenset[str]" in str(f.type))
    maps = (f.name for f in fields(cls) if re.fullmatch(r"Mapping\[.*\]", str(f.type)))
    return cls, frozenset(words), tuple(maps)


_MAKERS: Mapping[str, _Maker] = {cls.__name__: _maker(cls) for cls in _CLASSES}
"""By name: the class; its fields that are sets of words, written as lists; its maps, left out when
empty."""


def encode(value: object, *, meaning: bool = False) -> str:
    """Write a compiled value as one line of JSON.

    Args:
        value: Of the types of a ``RouteTable``.
        meaning: Leave out what is only for display, so that equal meanings give equal text.
    """
    return json.dumps(
        _plain(value, meaning), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )


def decode(text: str | bytes) -> Any:
    """Read what ``encode`` wrote; maps come back read-only, lists as tuples."""
    made = _DECODER.decode(text if isinstance(text, str) else text.decode())
    return _tuples(made) if type(made) is list else made


def _plain(value: Any, meaning: bool) -> Any:
    kind = type(value)
    if kind is str or kind is int or value is None or kind is bool or kind is float:
        return value
    if kind is tuple or kind is list:
        return [_plain(item, meaning) for item in value]
    layout = _LAYOUTS.get(kind)
    if layout is not None:
        made: dict[str, Any] = {"": layout[0]}
        _, words, maps = _MAKERS[layout[0]]
        for name, default in layout[1]:
            item = getattr(value, name)
            if not item and name in maps:
                continue
            if item is not default and (type(item) is not type(default) or item != default):
                made[name] = sorted(item) if name in words else _plain(item, meaning)
        if meaning and kind is condition.Line:
            made.pop("text", None)
        return made
    if kind is frozenset:
        return {"": "set", "of": sorted((_plain(item, meaning) for item in value), key=str)}
    if kind is Decimal:
        return {"": "decimal", "of": exact(value)}
    if kind is FailureClass or kind is Reaction:
        return {"": kind.__name__, "of": value.value}
    if isinstance(value, Mapping):
        if all(type(key) is str and key for key in value):
            return {key: _plain(item, meaning) for key, item in value.items()}
        pairs = [[_plain(key, meaning), _plain(item, meaning)] for key, item in value.items()]
        return {"": "map", "of": sorted(pairs, key=str)}
    raise AssertionError(f"a table holds no {kind.__name__}")


def _tuples(values: list[Any]) -> tuple[Any, ...]:
    return tuple([_tuples(item) if type(item) is list else item for item in values])


def _object(found: dict[str, Any]) -> Any:
    name = found.pop("", None)
    maker, words, maps = _MAKERS.get(name, _NOTHING) if name else _NOTHING
    for key, item in found.items():
        if type(item) is list:
            found[key] = frozenset(item) if key in words else _tuples(item)
    if maker is not None:
        for key in maps:
            if key not in found:
                found[key] = _EMPTY
        return maker(**found)
    if name is None:
        return MappingProxyType(found)
    of = found["of"]
    match name:
        case "set":
            return frozenset(of)
        case "decimal":
            return Decimal(of)
        case "FailureClass":
            return FailureClass(of)
        case "Reaction":
            return Reaction(of)
        case _:
            return MappingProxyType(dict(of))


_NOTHING: _Maker = (None, frozenset(), ())
_DECODER = json.JSONDecoder(object_hook=_object)
