"""Shapes: parameters in all their short forms, rules, and what the loader refuses of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hyperroute.catalog.condition import Line, Scalar
from hyperroute.catalog.shape import MEDIA_PARAMETERS, Parameter, Range, Rule, Shape, SumRule
from hyperroute.tables import words
from hyperroute.tables.conditions import FactSpace, condition, parameter_value
from hyperroute.tables.report import Spot
from hyperroute.tables.schema_catalog import ParameterDoc, RuleDoc, ShapeDoc
from hyperroute.tables.vocabulary import TIME_PARAMETERS, nearest

_SHAPE_KEYS = ("rules", "replace")


def shape(spot: Spot, doc: ShapeDoc, name: str, space: FactSpace) -> Shape:
    """Compile a shape; ``space`` holds the parameters there are."""
    parameters: dict[str, Parameter] = {}
    known = list(space.types)
    for word in sorted(doc.parameters):
        if word not in known:
            suggestion = nearest(word, [*known, *_SHAPE_KEYS])
            (spot / word).error(f"unknown parameter {word!r}{suggestion}", key=True)
        elif made := parameter(spot / word, word, doc.parameters[word]):
            parameters[word] = made
    rules: list[Rule | SumRule] = []
    for index, rule in enumerate(doc.rules):
        made_rule = _rule(spot / "rules" / index, rule, parameters, space, known)
        if made_rule:
            rules.append(made_rule)
    _check_defaults(spot / "rules", rules, parameters)
    return Shape(name=name, parameters=MappingProxyType(parameters), rules=tuple(rules))


def parameter(spot: Spot, name: str, doc: Any) -> Parameter | None:
    """Compile one parameter of any form, or tell what is wrong with it."""
    try:
        return _long(name, doc) if isinstance(doc, ParameterDoc) else _short(name, doc)
    except ValueError as error:
        spot.error(str(error))
        return None


def value(name: str, written: Any) -> Scalar:
    """Read a value of a parameter: times are nanoseconds, words stay as written.

    Raises:
        ValueError: The parameter's values have another form.
    """
    if name in TIME_PARAMETERS:
        return words.time(written)
    if isinstance(written, str):
        return written
    return parameter_value(written)


def _short(name: str, doc: Any) -> Parameter:
    media = name in MEDIA_PARAMETERS
    if isinstance(doc, list):
        if media and all(type(item) is int for item in doc):
            return Parameter(name=name, count=_counts(doc))
        return Parameter(name=name, one_of=_set(name, doc))
    if doc == "required":
        return Parameter(name=name, required=True)
    if doc == "refused":
        return Parameter(name=name, refused=True)
    if doc == "ignored":
        return Parameter(name=name, ignored=True)
    if isinstance(doc, str) and ".." in doc:
        if media:
            return Parameter(name=name, count=_count_range(doc))
        return Parameter(name=name, range=words.span(doc, times=name in TIME_PARAMETERS))
    if media and type(doc) is int:
        return Parameter(name=name, count=(doc,))
    only = value(name, doc)
    return Parameter(name=name, one_of=(only,), default=only)


def _long(name: str, doc: ParameterDoc) -> Parameter:
    one_of = _set(name, doc.one_of) if doc.one_of is not None else None
    pixels: dict[str, tuple[int, int]] | None = None
    if doc.pixels is not None:
        pixels = {word: words.pixels(doc.pixels[word]) for word in doc.pixels}
        if one_of is None:
            one_of = tuple(pixels)
        elif missing := [word for word in one_of if word not in pixels]:
            raise ValueError(f"pixels says nothing of {words.shown(missing[0])}")
    made = Parameter(
        name=name,
        one_of=one_of,
        range=words.span(doc.range, times=name in TIME_PARAMETERS) if doc.range else None,
        max_chars=doc.max,
        count=None if doc.count is None else _count(doc.count),
        source=frozenset(doc.source) if doc.source else None,
        bytes=doc.bytes,
        length=words.span(doc.length, times=True) if doc.length else None,
        pixels=MappingProxyType(pixels) if pixels else None,
        area=_area(doc.area) if doc.area else None,
        default=None if doc.default is None else value(name, doc.default),
        required=doc.required,
        otherwise=doc.otherwise or "refuse",
    )
    _check_else(made)
    if made.default is not None and made.required:
        raise ValueError("a parameter with a default is never missing: drop required or default")
    if made.default is not None and not admits(made, made.default):
        raise ValueError(f"the default {shown(name, made.default)} is outside its own set")
    return made


def _check_else(made: Parameter) -> None:
    if made.otherwise == "default" and made.default is None:
        raise ValueError("else: default needs a default")
    if made.otherwise == "clamp":
        ranged = made.range is not None and made.range.high is not None
        if not ranged and not any(_is_number(item) for item in made.one_of or ()):
            # Counts and texts are not cut: what the caller sent would silently be lost.
            raise ValueError("else: clamp needs an upper end: a range, or numbers")


def _is_number(item: Scalar) -> bool:
    return not isinstance(item, str | bool)


def _set(name: str, written: Iterable[Any]) -> tuple[Scalar, ...]:
    values = tuple(value(name, item) for item in written)
    seen = {canonical(item) for item in values}
    if len(seen) < len(values):
        raise ValueError("a value stands there twice (words compare without case)")
    return values


def _count(written: Any) -> Range | tuple[int, ...]:
    if isinstance(written, list):
        return _counts(written)
    if isinstance(written, str):
        return _count_range(written)
    return (words.count(written),)


def _counts(written: list[Any]) -> tuple[int, ...]:
    counts = tuple(sorted({words.count(item) for item in written}))
    if len(counts) < len(written):
        raise ValueError("a count stands there twice")
    return counts


def _count_range(written: str) -> Range:
    found = words.span(written, times=False)
    if not all(end is None or (type(end) is int and end >= 0) for end in (found.low, found.high)):
        raise ValueError(f"expected a range of counts such as 0..4, found {written!r}")
    return found


def _area(written: str) -> Range:
    low, dots, high = written.partition("..")
    if not dots or not (low or high):
        raise ValueError(f"expected a range such as 256x256..2048x2048, found {written!r}")
    return Range(_end_of_area(low), _end_of_area(high))


def _end_of_area(text: str) -> int | None:
    if not text:
        return None
    try:
        width, height = words.pixels(text)
    except ValueError:
        return words.size(text)
    return width * height


def canonical(item: Scalar) -> Scalar:
    """Give the form in which values of a shape are compared."""
    return words.canonical_word(item) if isinstance(item, str) else item


def shown(name: str, item: Scalar) -> str:
    """Write a value in the author's form."""
    if name in TIME_PARAMETERS and isinstance(item, int):
        return f"{Decimal(item) / 1_000_000_000:f}s"
    return words.shown(item)


def admits(limits: Parameter, item: Scalar) -> bool:
    """Say whether a parameter's own set holds a value."""
    if limits.refused or limits.ignored:
        return False
    if limits.one_of is not None and canonical(item) not in map(canonical, limits.one_of):
        return False
    if limits.range is not None and not _within(limits.range, item):
        return False
    if isinstance(item, str) and limits.max_chars is not None and len(item) > limits.max_chars:
        return False
    if limits.count is not None and isinstance(item, int) and not isinstance(item, bool):
        return (
            _within(limits.count, item) if isinstance(limits.count, Range) else item in limits.count
        )
    return True


def _within(limits: Range, item: Scalar) -> bool:
    if isinstance(item, str | bool):
        return False
    low, high = limits.low, limits.high
    return (low is None or item >= low) and (high is None or item <= high)  # type: ignore[operator] # ends are numbers


# --- rules ---------------------------------------------------------------------------------------
def _rule(
    spot: Spot,
    doc: RuleDoc,
    parameters: Mapping[str, Parameter],
    space: FactSpace,
    known: list[str],
) -> Rule | SumRule | None:
    if doc.sum is not None or doc.max is not None:
        return _sum(spot, doc, known)
    if doc.when is None or doc.then is None:
        missing = "when" if doc.when is None else "then"
        spot.error(f"the key {missing!r} is missing: a rule has when and then, or sum and max")
        return None
    when = condition(spot / "when", doc.when, space)
    for line in when:
        limits = parameters.get(line.fact)
        if limits is not None and not _can_hold(line, limits):
            (spot / "when" / line.fact).error(
                f"this rule can never apply: {line.fact} is never {line.text.split(': ', 1)[1]}"
            )
    then: list[Parameter] = []
    for word in sorted(doc.then):
        at = spot / "then" / word
        if word not in known:
            at.error(f"unknown parameter {word!r}{nearest(word, known)}", key=True)
        elif made := parameter(at, word, doc.then[word]):
            then.append(made)
            limits = parameters.get(word)
            if limits is not None and _disjoint(limits, made):
                at.error(f"this rule leaves nothing of {word}")
    return Rule(when=when, then=tuple(then))


def _sum(spot: Spot, doc: RuleDoc, known: list[str]) -> SumRule | None:
    if doc.sum is None or doc.max is None or doc.when is not None or doc.then is not None:
        spot.error("a rule has when and then, or sum and max")
        return None
    for index, word in enumerate(doc.sum):
        if word not in known:
            (spot / "sum" / index).error(f"unknown parameter {word!r}{nearest(word, known)}")
    return SumRule(parameters=tuple(sorted(set(doc.sum))), max=doc.max)


def _can_hold(line: Line, limits: Parameter) -> bool:
    """Say whether any request that the parameter admits can satisfy the line."""
    if line.op == "not given":
        return not limits.required and limits.default is None
    if limits.refused or limits.ignored:
        return False
    if line.op == "given":
        return True
    if limits.one_of is not None:
        return any(compares(line, item) for item in limits.one_of)
    if isinstance(limits.count, tuple):
        return any(compares(line, item) for item in limits.count)
    span = limits.count or limits.range
    if isinstance(span, Range):
        return _span_can(line, span)
    return True


def compares(line: Line, item: Scalar) -> bool:
    """Say whether a parameter's value satisfies a line."""
    values = [canonical(v) for v in line.values if not _is_ref(v)]  # type: ignore[arg-type] # parameters have no references
    mine = canonical(item)
    if line.op in {"equal", "="}:
        return mine in values or any(isinstance(v, str) and "*" in v for v in values)
    if line.op == "not":
        return mine not in values
    bound = values[0]
    if isinstance(mine, str | bool) or isinstance(bound, str | bool):
        return False
    return {">": mine > bound, ">=": mine >= bound, "<": mine < bound, "<=": mine <= bound}[line.op]


def _is_ref(item: object) -> bool:
    return not isinstance(item, str | int | Decimal)


def _span_can(line: Line, span: Range) -> bool:
    if line.op in {"equal", "="}:
        return any(not _is_ref(v) and _within(span, v) for v in line.values)  # type: ignore[arg-type]
    bound = line.values[0] if line.values else None
    if isinstance(bound, str | bool) or not isinstance(bound, int | Decimal):
        return True
    high, low = span.high, span.low
    assert not isinstance(high, str)
    assert not isinstance(low, str)
    match line.op:
        case ">":
            return high is None or high > bound
        case ">=":
            return high is None or high >= bound
        case "<":
            return low is None or low < bound
        case "<=":
            return low is None or low <= bound
        case _:
            return True


def _disjoint(limits: Parameter, narrowed: Parameter) -> bool:
    """Say whether nothing that the shape admits is left by a rule's narrowing."""
    if narrowed.refused or narrowed.ignored or narrowed.required:
        return False
    if limits.refused or limits.ignored:
        return narrowed.one_of is not None
    if narrowed.one_of is not None:
        return not any(admits(limits, item) for item in narrowed.one_of)
    if limits.one_of is not None:
        return not any(admits(narrowed, item) for item in limits.one_of)
    for mine, its in ((narrowed.range, limits.range), (narrowed.count, limits.count)):
        if mine is not None and its is not None and _apart(mine, its):
            return True
    return False


def _apart(one: Range | tuple[int, ...], other: Range | tuple[int, ...]) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return not set(one) & set(other)
    if isinstance(one, tuple):
        assert isinstance(other, Range)
        return not any(_within(other, item) for item in one)
    if isinstance(other, tuple):
        return not any(_within(one, item) for item in other)
    return _below(one.high, other.low) or _below(other.high, one.low)


def _below(high: Scalar | None, low: Scalar | None) -> bool:
    return high is not None and low is not None and high < low  # type: ignore[operator] # numbers both


def _check_defaults(
    spot: Spot, rules: list[Rule | SumRule], parameters: Mapping[str, Parameter]
) -> None:
    """A default that a rule changes must not be what another rule reads: order would matter."""
    changed: dict[str, int] = {}
    for index, rule in enumerate(rules):
        if isinstance(rule, Rule):
            for narrowed in rule.then:
                limits = parameters.get(narrowed.name)
                default = limits.default if limits else None
                if default is not None and not admits(narrowed, default):
                    changed.setdefault(narrowed.name, index)
    for index, rule in enumerate(rules):
        if isinstance(rule, Rule):
            for line in rule.when:
                if changed.get(line.fact, index) != index:
                    (spot / index / "when" / line.fact).error(
                        f"another rule changes the default of {line.fact}; no rule may read it"
                    )
