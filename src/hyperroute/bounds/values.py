"""The values of parameters that make a difference to a plan or its price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hyperroute.bounds.reach import Reach
from hyperroute.catalog.condition import Scalar
from hyperroute.catalog.shape import Parameter, Range, Rule, Shape, SumRule
from hyperroute.routing.readings import is_list

MEASURED = frozenset({"n", "duration", "size", "resolution", "text", "prompt"})
"""What quantities are computed from."""

PICTURE = "https://pictures.example/one.png"


def parameter_axes(reach: Reach) -> tuple[bool, list[tuple[str, tuple[Any, ...]]]]:
    """Find the parameters that matter, with their values, and say whether those stand for all.

    A parameter that no rule, no price and no quantity reads can only make a request unfit, and an
    unfit request costs nothing; it is left out where it may be.
    """
    shapes = [model.takes for model in reach.models if model.takes is not None]
    shapes += [offer.takes for offer in reach.offers if offer.takes is not None]
    read = set(_priced(reach)) | {name for shape in shapes for name in _ruled(shape)} | MEASURED
    found: dict[str, dict[Any, None]] = {}
    complete = True
    for shape in shapes:
        for name, rule in shape.parameters.items():
            if rule.required or (name in read and not rule.refused and not rule.ignored):
                values = found.setdefault(name, {} if rule.required else {None: None})
                complete &= _add(values, rule, shape)
    for name in sorted(_priced(reach) - found.keys() - {"in"}):
        values = found.setdefault(name, {None: None})
        values.update(dict.fromkeys(_tier_values(reach, name)))
    return complete, [(name, tuple(values)) for name, values in sorted(found.items()) if values]


def _add(values: dict[Any, None], rule: Parameter, shape: Shape) -> bool:
    """Add what one shape allows of a parameter; say whether that stands for everything it allows."""
    if is_list(rule.name, rule):
        counts = rule.count
        if isinstance(counts, tuple):
            sizes: Iterable[int] = counts
        else:
            sizes = _ends(counts, _thresholds(shape, rule.name)) if counts is not None else (0, 1)
        values.update(dict.fromkeys((PICTURE,) * size for size in sizes))
        return counts is not None
    if rule.one_of is not None or rule.pixels:
        words: tuple[Scalar, ...] = rule.one_of or tuple(rule.pixels or ())
        values.update(dict.fromkeys(words))
        return True
    if rule.range is not None:
        values.update(dict.fromkeys(_ends(rule.range, _thresholds(shape, rule.name))))
        return rule.range.high is not None
    if rule.max_chars is not None:
        values["x" * rule.max_chars] = None
        return True
    if rule.required:
        values["x"] = None
    return rule.name not in MEASURED


def _ends(extent: Range, thresholds: Iterable[int]) -> tuple[int, ...]:
    low = int(extent.low) if isinstance(extent.low, int) else 0
    ends = {low, *(int(end) for end in (extent.high,) if isinstance(end, int))}
    high = max(ends)
    for threshold in thresholds:
        ends |= {threshold - 1, threshold, threshold + 1}
    return tuple(sorted(end for end in ends if low <= end <= high))


def _thresholds(shape: Shape, name: str) -> Iterator[int]:
    for rule in shape.rules:
        if isinstance(rule, SumRule):
            yield from (rule.max,) if name in rule.parameters else ()
            continue
        for line in rule.when:
            if line.fact == name:
                yield from (value for value in line.values if isinstance(value, int))
        for narrowed in rule.then:
            if narrowed.name == name and narrowed.range is not None:
                ends = (narrowed.range.low, narrowed.range.high)
                yield from (end for end in ends if isinstance(end, int))


def _ruled(shape: Shape) -> Iterator[str]:
    for rule in shape.rules:
        if isinstance(rule, Rule):
            yield from (line.fact for line in rule.when)
            yield from (parameter.name for parameter in rule.then)
        else:
            yield from rule.parameters


def _priced(reach: Reach) -> set[str]:
    return {
        line.fact
        for offer in reach.offers
        for sheet in offer.price[-1:]
        for tier in sheet.tiers
        for line in tier.when
    } - {"in"}


def _tier_values(reach: Reach, name: str) -> Iterator[Any]:
    for offer in reach.offers:
        for sheet in offer.price[-1:]:
            for tier in sheet.tiers:
                for line in tier.when:
                    if line.fact == name:
                        yield from line.values


__all__ = ["MEASURED", "parameter_axes"]
