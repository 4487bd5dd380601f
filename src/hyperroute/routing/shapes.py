"""What a request to a model may look like: fill in, check, refuse (tables.md, Shapes).

Laws: defaults are filled in and an absent list counts 0; then each parameter is checked, then each
rule, and all of them read that same request, so the order of rules never matters. A given value
that a rule excludes is refused; a default becomes the first value left. A parameter that the shape
does not name passes unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hyperroute.catalog.condition import Condition, Fact, Scalar
from hyperroute.catalog.facts import line_holds
from hyperroute.catalog.shape import SPELLINGS, Parameter, Range, Shape, SumRule
from hyperroute.routing.readings import (
    TIMES,
    as_list,
    bytes_of,
    folded,
    is_list,
    listed,
    read_time,
    shown,
    source_of,
    text_size,
    write_one,
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits: every parameter as read, defaults filled in.

    ``filled`` names those that the caller did not give; ``dropped`` those not to be sent on;
    ``named`` those that a shape speaks of.
    """

    parameters: Mapping[str, Any]
    filled: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a request does not fit: which parameter, what it may be, what it was."""

    parameter: str
    needed: str
    had: str


def fit(shape: Shape, given: Fitted) -> Fitted | Misfit:
    """Fit a request into a shape.

    Args:
        shape: Loaded, so that a default lies in its own set and every rule leaves something.
        given: As read from the caller, or as an earlier shape left it: what that one filled in may
            still give way to a rule, what the caller gave may not.
    """
    values, filled, dropped = dict(given.parameters), set(given.filled), set(given.dropped)
    for name, rule in shape.parameters.items():
        if rule.ignored:
            if values.pop(name, None) is not None:
                dropped.add(name)
        elif name not in values and rule.default is not None:
            values[name] = rule.default
            filled.add(name)
    for name, rule in shape.parameters.items():
        if rule.ignored:
            continue
        checked = _mended(rule, name, values)
        if isinstance(checked, Misfit):
            return checked
        values.update(checked)
    misfit = _apply(shape, values, filled)
    named = given.named | shape.parameters.keys()
    return misfit or Fitted(values, frozenset(filled), frozenset(dropped), named)


def _mended(rule: Parameter, name: str, values: Mapping[str, Any]) -> Misfit | dict[str, Any]:
    """Check one parameter; give back its accepted spelling, or what ``else`` makes of it."""
    checked = _check(rule, name, values)
    if not isinstance(checked, Misfit):
        return checked
    if name in values and not rule.refused:
        if rule.otherwise == "default" and rule.default is not None:
            return {name: rule.default}
        if rule.otherwise == "clamp":
            clamped = _clamped(rule, name, values[name])
            again = checked if clamped is None else _check(rule, name, {**values, name: clamped})
            return checked if isinstance(again, Misfit) else {name: clamped, **again}
    return checked


def _clamped(rule: Parameter, name: str, value: Any) -> Any:
    """Cut what is too large, too many or too long down to the most there may be."""
    if is_list(name, rule):
        if rule.count is None:
            return None  # nothing says how many there may be: what is wrong is not their number
        most = rule.count.high if isinstance(rule.count, Range) else max(rule.count)
        return as_list(value)[: int(most)] if _number(most) and most is not None else None
    if rule.max_chars is not None and isinstance(value, str):
        return value[: rule.max_chars]
    highest = _highest(rule)
    return highest if highest is not None and _number(value) and value > highest else None


def _highest(rule: Parameter) -> Scalar | None:
    """Find what too large a number is clamped to."""
    if rule.range is not None:
        return rule.range.high
    numbers = [value for value in rule.one_of or () if _number(value)]
    return max(numbers, default=None)


def _check(rule: Parameter, name: str, values: Mapping[str, Any]) -> Misfit | dict[str, Any]:
    """Check one parameter as it stands; an accepted word takes the shape's own spelling."""
    present = name in values
    if is_list(name, rule):
        items = as_list(values.get(name))
        if rule.refused and items:
            return Misfit(name, "absent", shown(name, items))
        if rule.required and not items:
            return Misfit(name, "given", "absent")
        return _check_list(rule, name, items) or {}
    if not present:
        return Misfit(name, "given", "absent") if rule.required else {}
    value = values[name]
    if rule.refused:
        return Misfit(name, "absent", shown(name, value))
    words = rule.one_of if rule.one_of is not None else tuple(rule.pixels or ()) or None
    if words is not None:
        accepted = next((word for word in words if _alike(word, value)), None)
        if accepted is None:
            return Misfit(name, listed(name, words), shown(name, value))
        return {name: accepted}
    return _check_extent(rule, name, value) or {}


def _check_extent(rule: Parameter, name: str, value: Any) -> Misfit | None:
    if rule.range is not None and not (_number(value) and _in_range(value, rule.range)):
        return Misfit(name, _range_text(name, rule.range), shown(name, value))
    if rule.max_chars is not None:
        size = text_size(value)
        if size is None or size[0] > rule.max_chars:
            had = f"{size[0]} characters" if size else shown(name, value)
            return Misfit(name, f"at most {rule.max_chars} characters", had)
    if rule.area is not None:
        width, _, height = str(value).partition("x")
        whole = width.isdigit() and height.isdigit()
        if not whole or not _in_range(int(width) * int(height), rule.area):
            return Misfit(name, f"WxH of {_range_text('', rule.area)} pixels", shown(name, value))
    return None


def _check_list(rule: Parameter, name: str, items: list[Any]) -> Misfit | None:
    count = len(items)
    if isinstance(rule.count, Range):
        if not _in_range(count, rule.count):
            return Misfit(name, f"{_range_text('', rule.count)} of them", str(count))
    elif rule.count is not None and count not in rule.count:
        return Misfit(name, f"{listed('', rule.count)} of them", str(count))
    for item in items:
        if rule.source is not None and source_of(item) not in rule.source:
            accepted = " or ".join(f"{one}: URLs" for one in sorted(rule.source, reverse=True))
            return Misfit(name, accepted, "another form of reference")
        size = bytes_of(item)
        if rule.bytes is not None and size is not None and size > rule.bytes:
            return Misfit(name, f"at most {rule.bytes} bytes each", f"{size} bytes")
    return None


# --- rules ---------------------------------------------------------------------------------------
def _apply(shape: Shape, values: dict[str, Any], filled: set[str]) -> Misfit | None:
    """Apply every rule to the one request that all of them read."""
    narrowing: dict[str, list[Parameter]] = {}
    for rule in shape.rules:
        if isinstance(rule, SumRule):
            total = sum(_count(name, values) for name in rule.parameters)
            if total > rule.max:
                names = " and ".join(rule.parameters)
                return Misfit(rule.parameters[0], f"at most {rule.max} with {names}", str(total))
        elif _when(rule.when, values, shape):
            for parameter in rule.then:
                narrowing.setdefault(parameter.name, []).append(parameter)
    for name, limits in narrowing.items():
        misfit = _narrow(name, limits, shape.parameters.get(name), values, filled)
        if misfit is not None:
            return misfit
    return None


def _narrow(
    name: str,
    limits: list[Parameter],
    base: Parameter | None,
    values: dict[str, Any],
    filled: set[str],
) -> Misfit | None:
    given = name in values and name not in filled
    if not given:
        chosen = _first_left(name, limits, base, values)
        if chosen is not None:
            values[name] = chosen
            filled.add(name)
    for limit in limits:
        plain = replace(limit, default=None)
        checked = _check(plain, name, values)
        if isinstance(checked, Misfit):
            return checked
        values.update(checked)
    return None


def _first_left(
    name: str, limits: list[Parameter], base: Parameter | None, values: Mapping[str, Any]
) -> Scalar | None:
    """Pick what a default becomes: itself if every rule allows it, else the first value left.

    Nothing is filled in where nothing was and no rule says a value to fill in.
    """
    current = values.get(name)
    if current is None and all(limit.default is None for limit in limits):
        return None
    offered: list[Any] = [] if current is None else [current]
    offered += [limit.default for limit in limits if limit.default is not None]
    offered += (base.one_of or tuple(base.pixels or ())) if base is not None else ()
    for limit in limits:
        offered += limit.one_of or ()
        offered += (
            [end for end in (limit.range.low, limit.range.high) if end is not None]
            if (limit.range)
            else []
        )
    for value in offered:
        trial = {name: value}
        if not any(isinstance(_check(limit, name, trial), Misfit) for limit in limits):
            return value  # type: ignore[no-any-return]
    return None


def _when(when: Condition, values: Mapping[str, Any], shape: Shape) -> bool:
    return all(
        line_holds(
            replace(line, values=tuple(_comparable(line.fact, value) for value in line.values)),
            _reader(values, shape, present=line.op in ("given", "not given")),
        )
        for line in when
    )


def _comparable(name: str, value: Any) -> Any:
    return read_time(value) if name in TIMES and isinstance(value, str) else folded(value)


def _reader(
    values: Mapping[str, Any], shape: Shape, *, present: bool
) -> Callable[[str], Fact | None]:
    """Read parameters as facts: lists by their count, which is 0 when absent."""

    def known(name: str) -> Fact | None:
        value = values.get(name)
        if is_list(name, shape.parameters.get(name)):
            return None if present and not as_list(value) else len(as_list(value))
        found = folded(value)
        return found if isinstance(found, str | int | Decimal) else None

    return known


def _count(name: str, values: Mapping[str, Any]) -> int:
    """Count a list, or take a number for itself (``n`` results)."""
    value = values.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return len(as_list(value))


# --- comparing -----------------------------------------------------------------------------------
def _alike(word: Scalar, value: Any) -> bool:
    if isinstance(word, bool) or isinstance(value, bool):
        return word is value
    return bool(folded(word) == folded(value))


def _number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _in_range(value: Any, extent: Range) -> bool:
    return (extent.low is None or value >= extent.low) and (
        extent.high is None or value <= extent.high
    )


def _range_text(name: str, extent: Range) -> str:
    if extent.low is None:
        return f"at most {shown(name, extent.high)}"
    if extent.high is None:
        return f"at least {shown(name, extent.low)}"
    return f"{shown(name, extent.low)} to {shown(name, extent.high)}"


def changes(raw: Mapping[str, Any], fitted: Fitted, fields: Mapping[str, str]) -> Mapping[str, Any]:
    """Say what has to be written into the body, under upstream names; ``None`` takes a member out.

    A list that the caller gave is never rewritten, only renamed; what no shape names is left as it
    came, however it was spelt.

    Args:
        raw: The caller's parameters as they came.
        fitted: What became of them.
        fields: This host's own names for parameters.
    """
    changed: dict[str, Any] = dict.fromkeys(sorted(fitted.dropped))
    for name, value in fitted.parameters.items():
        upstream = fields.get(name, name)
        if isinstance(value, list | tuple) and not _cut(raw, name, value):
            if upstream != name:
                changed.update(
                    dict.fromkeys(word for word in raw if SPELLINGS.get(word, word) == name)
                )
                changed[upstream] = list(value)
            continue
        written = write_one(name, value) if name in fitted.named else raw.get(name, value)
        if upstream != name and name in raw:
            changed[name] = None
        if upstream != name or name not in raw or raw[name] != written:
            changed[upstream] = written
    return changed


def _cut(raw: Mapping[str, Any], name: str, value: list[Any] | tuple[Any, ...]) -> bool:
    """Say whether a list was clamped, so that the caller's own no longer stands."""
    return len(as_list(raw.get(name))) > len(value)
