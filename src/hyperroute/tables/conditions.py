"""Conditions: maps of fact to value, resolved to lines with explicit operators.

A bare value is compared in its fact's direction (``catalog.condition.DIRECTIONS``). A fact that is
neither built in nor declared is an error, and so is a value that its fact can never have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hyperroute.catalog.condition import DIRECTIONS, Condition, FactRef, Line, Op, Scalar
from hyperroute.catalog.facts import compare
from hyperroute.tables import words
from hyperroute.tables.report import Spot
from hyperroute.tables.vocabulary import FactType, nearest

_EXPLICIT = re.compile(r"(>=|<=|>|<|=)\s*(\S.*)")
_NOT = re.compile(r"not\s+(\S.*)")
_ROOTS = ("req.", "org.", "user.", "key.", "limit.")
_ORDERED: frozenset[FactType] = frozenset(
    {"size", "time", "count", "share", "money", "value", "any"}
)
_UPWARD = frozenset({">", ">=", "at_least"})
_DOWNWARD = frozenset({"<", "<=", "at_most"})
_PIXELS = re.compile(r"[0-9]+\*[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSpace:
    """The facts that one kind of condition may read.

    Attributes:
        subject: Whose facts they are, for messages.
        types: Fact to the type of its value.
        choices: Fact to all values it can have, where that is closed.
        others: Facts that a value may refer to; empty: none.
        used: Facts of the request that were read; a declared one that is not among them is idle.
    """

    subject: str
    types: Mapping[str, FactType]
    choices: Mapping[str, Iterable[str]] = field(default_factory=dict[str, "Iterable[str]"])
    others: Mapping[str, FactType] = field(default_factory=dict[str, FactType])
    used: set[str] = field(default_factory=set)


def condition(spot: Spot, lines: Mapping[str, Any] | None, space: FactSpace) -> Condition:
    """Resolve a condition; a faulty line is told and left out.

    Lines are in the order of their facts' names, so that equal conditions are equal values.
    """
    found = (
        _line(spot / fact, fact, value, space) for fact, value in sorted((lines or {}).items())
    )
    return tuple(line for line in found if line is not None)


def _line(spot: Spot, fact: str, value: Any, space: FactSpace) -> Line | None:
    kind = space.types.get(fact)
    if kind is None:
        spot.error(
            f"unknown fact {fact!r} of {space.subject}{nearest(fact, space.types)}", key=True
        )
        return None
    space.used.add(fact)
    try:
        op, values = _parse(fact, kind, value, space)
    except ValueError as error:
        spot.error(str(error))
        return None
    return Line(fact, op, values, f"{fact}: {_written(value)}")


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return words.shown(value) if isinstance(value, bool) else str(value)


def _parse(
    fact: str, kind: FactType, value: Any, space: FactSpace
) -> tuple[Op, tuple[Scalar | FactRef, ...]]:
    if value in ("given", "not given") and isinstance(value, str):
        return value, ()  # type: ignore[return-value] # these two words are operators
    if isinstance(value, str):
        if found := _EXPLICIT.fullmatch(value):
            if found[1] != "=" and kind not in _ORDERED:
                raise ValueError(f"{found[1]} compares numbers, and {fact} is none")
            return found[1], (_value(fact, kind, found[2], space, op=found[1]),)  # type: ignore[return-value] # the regex admits operators only
        if found := _NOT.fullmatch(value):
            return "not", (_value(fact, kind, found[1], space, op="not"),)
    op = _direction(fact)
    many = value if isinstance(value, list) else [value]
    if len(many) > 1 and op in {"at_least", "at_most"}:
        raise ValueError(f"{fact} is compared with one value, found a list")
    values = tuple(_value(fact, kind, item, space, op=op) for item in many)
    if len(set(map(_same, values))) < len(values):
        raise ValueError(f"a value of {fact} stands there twice")
    if isinstance(value, list):
        values = tuple(sorted(values, key=lambda item: (type(item).__name__, str(item))))
    return op, values


def _same(value: Scalar | FactRef) -> tuple[str, object]:
    return type(value).__name__, value


def _direction(fact: str) -> Op:
    for name, op in DIRECTIONS:
        if fact == name or (name.endswith(".") and fact.startswith(name)):
            return op
    return "equal"


def _value(fact: str, kind: FactType, value: Any, space: FactSpace, *, op: str) -> Scalar | FactRef:
    if isinstance(value, str):
        if value in space.others:
            space.used.add(value)
            _check_reference(fact, kind, value, space.others[value])
            return FactRef(value)
        if value.startswith(_ROOTS) and kind != "value":
            if space.others:
                raise ValueError(f"unknown fact {value!r}{nearest(value, space.others)}")
            raise ValueError(f"{value} is a fact of the request, which is unknown here")
    if op in {">", ">=", "<", "<="} and kind == "value":
        return _amount(value)
    read = scalar(kind, value)
    choices = space.choices.get(fact)
    if choices is not None and isinstance(read, str) and "*" not in read and read not in choices:
        raise ValueError(f"unknown {fact} {read!r}{nearest(read, choices)}")
    return read


def _check_reference(fact: str, kind: FactType, other: str, its: FactType) -> None:
    words_both = {kind, its} <= {"word", "words"}
    if kind != its and not words_both and not {"value", "any"} & {kind, its}:
        raise ValueError(f"{fact} is a {kind} and {other} a {its}: they are never equal")


def _amount(value: Any) -> Scalar:
    try:
        return words.number(value)
    except ValueError:
        return words.time(value)


def scalar(kind: FactType, value: Any) -> Scalar:
    """Read one value of a fact.

    Raises:
        ValueError: It has another form.
    """
    match kind:
        case "size":
            return words.size(value)
        case "time":
            return words.time(value)
        case "share":
            return words.share(value)
        case "money":
            return words.money(value)
        case "count":
            return words.count(int(value) if isinstance(value, str) and value.isdigit() else value)
        case "flag":
            if isinstance(value, bool):
                return value
            if value in ("true", "false"):
                return bool(value == "true")
            raise ValueError(f"expected true or false, found {words.shown(value)}")
        case "word" | "words":
            if isinstance(value, str):
                return value
            raise ValueError(f"expected a word, found {words.shown(value)}; quote it")
        case "value" | "any":
            return parameter_value(value)


def parameter_value(value: Any) -> Scalar:
    """Read a parameter's value; ``1024*1024`` is ``1024x1024``, and no pattern."""
    if isinstance(value, str):
        if _PIXELS.fullmatch(value):
            return value.replace("*", "x")
        if value in ("true", "false"):
            return bool(value == "true")
        if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value):
            return words.number(value)
        return value
    assert isinstance(value, bool | int | Decimal)
    return value


def whole(when: Condition, written: Mapping[str, Any] | None) -> bool:
    """Say whether every line was understood; of a condition with a faulty line little can be said."""
    return len(when) == len(written or ())


def implies(stronger: Condition, weaker: Condition) -> bool:
    """Say whether ``weaker`` holds whenever ``stronger`` does, as far as lines show it."""
    return all(any(_line_implies(mine, line) for mine in stronger) for line in weaker)


def _line_implies(stronger: Line, weaker: Line) -> bool:
    if stronger.fact != weaker.fact:
        return False
    if (stronger.op, stronger.values) == (weaker.op, weaker.values):
        return True
    if weaker.op == "given":
        return stronger.op != "not given"
    mine = [value for value in stronger.values if not isinstance(value, FactRef)]
    its = [value for value in weaker.values if not isinstance(value, FactRef)]
    if not mine or not its or len(mine) + len(its) < len(stronger.values) + len(weaker.values):
        return False
    if stronger.op in {"equal", "="}:
        # A star stands for more than itself, and of a list of words one may fit and another not.
        plain = weaker.op != "not" and not any(isinstance(v, str) and "*" in v for v in mine)
        return plain and all(compare(weaker.op, value, tuple(its)) for value in mine)
    return _bound_implies(stronger, weaker)


def _bound_implies(stronger: Line, weaker: Line) -> bool:
    mine, its = stronger.values[0], weaker.values[0]
    for ops, sign in ((_UPWARD, 1), (_DOWNWARD, -1)):
        if stronger.op in ops and weaker.op in ops:
            ahead = (mine - its) * sign  # type: ignore[operator] # numbers, by their operators
            excluded = weaker.op in {">", "<"} and stronger.op not in {">", "<"}
            return bool(ahead > 0 or (ahead == 0 and not excluded))
    return False
