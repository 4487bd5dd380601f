"""What about a request can make a difference to a plan: finite axes, each with a few values.

An axis holds one value for every way in which the conditions of a table tell its fact apart. Of the
facts that only ever remove offers, the value that removes none stands for all: what it removes an
outage can remove as well, and every outage is looked at. That is not so where a removed offer would
change the price that equivalents are compared with, so for these names nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from typing import Any

from hyperroute.bounds.reach import Reach
from hyperroute.bounds.sizes import size_values
from hyperroute.bounds.values import parameter_axes
from hyperroute.catalog.condition import Condition, Fact, FactRef, Line, Scalar
from hyperroute.catalog.facts import is_offer_fact, offer_fact
from hyperroute.routing.resolve import of_kind

OTHER = "some-other"
"""A word that no condition of a table names."""

SUBSETS_MAX = 4
"""Members of a set whose every subset is looked at."""

SETS = frozenset({"org.tags", "user.tags", "key.tags", "req.tags", "key.models", "req.needs"})
_OWN_AXES = frozenset({"req.kind", "req.tokens", "req.max_out", "req.stream", "req.endpoint"})


@dataclass(frozen=True, slots=True)
class Axis:
    """One way in which requests differ. A value of ``None`` is unknown or not said."""

    name: str
    values: tuple[Any, ...]


@dataclass(slots=True)
class Axes:
    """All axes of a name, and whether their values stand for every request."""

    axes: list[Axis] = field(default_factory=list)
    complete: bool = True

    def add(self, name: str, values: Iterable[Any]) -> None:
        """Add an axis; one value alone is kept too, since it may be needed."""
        self.axes.append(Axis(name, tuple(values)))


def axes_of(reach: Reach, extra: Iterable[Condition] = ()) -> Axes:
    """Find the axes of a name.

    Args:
        reach: What it can reach.
        extra: Conditions of whoever asks, such as a promise's ``for``.
    """
    conditions = (*reach.conditions, *extra)
    found = Axes()
    found.add("size", size_values(reach, conditions))
    read = _facts(reach, conditions)
    stream = "req.stream" in read
    found.add("stream", (True, False) if stream else (True,))
    entered = "req.endpoint" in read
    found.add("endpoint", ("", *of_kind(reach.kind)) if entered else ("",))
    if any(policy.cap.cost is not None for policy in reach.policies):
        found.complete = False  # where a price passes a cap is no threshold of the table
    for name, lines in sorted(read.items()):
        if name == "req.needs" or name not in _OWN_AXES:
            _fact_axis(found, reach, name, lines)
    _equivalents(found, reach, needs_read="req.needs" in read)
    _splits(found, reach)
    complete, parameters = parameter_axes(reach)
    found.complete &= complete
    for name, values in parameters:
        found.add(f"parameter {name}", values)
    return found


# --- facts of callers ------------------------------------------------------------------------------
@dataclass(slots=True)
class _Reading:
    """What is asked of one fact.

    ``values``: what it is compared with. ``offered``: what offers have, where it is what they are
    compared with. ``narrows``: it is read only in that way, or for being known at all.
    """

    values: set[Scalar] = field(default_factory=set)
    offered: set[Scalar] = field(default_factory=set)
    ops: set[str] = field(default_factory=set)
    narrows: bool = True


def _facts(reach: Reach, conditions: Iterable[Condition]) -> dict[str, _Reading]:
    found: dict[str, _Reading] = {}
    for line in (line for condition in conditions for line in condition):
        about_offers = is_offer_fact(line.fact)
        if not about_offers:
            reading = found.setdefault(line.fact, _Reading())
            reading.values |= {value for value in line.values if not isinstance(value, FactRef)}
            reading.ops.add(line.op)
            reading.narrows &= line.op in ("given", "not given")
        for value in line.values:
            if isinstance(value, FactRef):
                _referred(found, reach, line, value.name, about_offers=about_offers)
    clients = {word for model in reach.models for word in model.clients or ()}
    if clients:
        reading = found.setdefault("req.client", _Reading())
        reading.values |= clients
        reading.narrows = False
    return found


def _referred(
    found: dict[str, _Reading], reach: Reach, line: Line, name: str, *, about_offers: bool
) -> None:
    reading = found.setdefault(name, _Reading())
    reading.ops.add(line.op)
    if about_offers:
        reading.offered |= _had(reach, line)
    else:
        # One fact of the caller's against another: they may be equal or not.
        reading.narrows = False
        reading.values.add("same")
        other = found.setdefault(line.fact, _Reading())
        other.values.add("same")
        other.narrows = False


def _had(reach: Reach, line: Line) -> set[Scalar]:
    values: set[Scalar] = set()
    for offer in reach.offers:
        model = reach.table.services[offer.model].model
        fact = offer_fact(offer, line.fact, model)
        members = fact if isinstance(fact, tuple | frozenset) else (fact,)
        values |= {one for one in members if one is not None}
    if line.op == "within":
        words = {word for word in values if isinstance(word, str)}
        values |= {
            "-".join(word.split("-")[:count])
            for word in words
            for count in range(1, len(word.split("-")))
        }
    return values


def _fact_axis(found: Axes, reach: Reach, name: str, reading: _Reading) -> None:
    values = reading.values | reading.offered
    if name in SETS or "contains" in reading.ops:
        _set_axis(found, reach, name, reading)
        return
    numbers = sorted(v for v in values if isinstance(v, int | Decimal) and not isinstance(v, bool))
    words = sorted(v for v in values if isinstance(v, str))
    flags = [v for v in (True, False) if v in [x for x in values if isinstance(x, bool)]]
    made: list[Any] = [None] if _may_be_unknown(reach, name) else []
    made += flags + ([not flags[0]] if len(flags) == 1 else [])
    made += list(_around(numbers))
    patterns = [word for word in words if "*" in word]
    made += [word.replace("*", "some") for word in words]
    if len(patterns) > 1:
        found.complete = False  # a word that two patterns match may be none of these
    if words or not made or made == [None]:
        made.append(OTHER)
    found.add(name, dict.fromkeys(made))


def _around(numbers: list[Any]) -> Iterator[Any]:
    """Give every number, and one value in each gap between them and beyond them."""
    if not numbers:
        return
    if all(isinstance(number, int) for number in numbers):
        values = {number + step for number in numbers for step in (-1, 0, 1)}
        yield from sorted(value for value in values if value >= 0)
        return
    previous: Decimal | None = None
    for number in map(Decimal, numbers):
        yield (number / 2) if previous is None else (previous + number) / 2
        yield number
        previous = number
    yield Decimal(numbers[-1]) + 1


def _may_be_unknown(reach: Reach, name: str) -> bool:
    declared = reach.table.facts.get(name)
    return declared is None or declared.default is None


def _set_axis(found: Axes, reach: Reach, name: str, reading: _Reading) -> None:
    """Give the subsets that matter of a fact that holds several words."""
    members = sorted({str(value) for value in reading.values | reading.offered})
    made: list[Fact | frozenset[str] | None] = [] if name == "req.needs" else [None]
    if name == "key.models":
        made += _models(found, reach, reading, members)
    elif reading.narrows and reach.service is None and "contains" in reading.ops:
        made.append(())  # to ask for nothing removes nothing
    elif len(members) <= SUBSETS_MAX:
        made += _subsets(members)
    else:
        found.complete = False
        made += [(), *((one,) for one in members), tuple(members)]
    if name == "req.needs":
        found.add("needs", dict.fromkeys(frozenset(map(str, one or ())) for one in made))  # type: ignore[arg-type] # sets are made of words here
    else:
        found.add(name, dict.fromkeys(made))


def _models(found: Axes, reach: Reach, reading: _Reading, members: list[str]) -> list[Any]:
    """Give the lists of models that a key may be open to."""
    every = tuple(members) or ("*",)
    if not reading.narrows:
        if len(members) <= SUBSETS_MAX:
            return _subsets(members)
        found.complete = False
        return [every, ("*",), *((one,) for one in members)]
    if reach.service is None or not reach.service.instead:
        return [("*",)]
    # Its own offers have one name, so they pass all or none; what becomes of others is an outage.
    return [("*",), tuple(one for one in every if one != reach.name)]


def _subsets(members: list[str]) -> list[Any]:
    return [chosen for size in range(len(members) + 1) for chosen in combinations(members, size)]


# --- what only equivalents make a difference of ------------------------------------------------------
def _equivalents(found: Axes, reach: Reach, *, needs_read: bool) -> None:
    """Add what changes which of its own offers a pinned model is compared by."""
    service = reach.service
    if service is None or not service.instead:
        return
    found.add("fallback", (True, False))
    hosts = sorted({offer.provider for offer in service.model.offers})
    if len(hosts) <= SUBSETS_MAX:
        found.add("avoid", _subsets(hosts))
    else:
        found.complete = False
        found.add("avoid", [(), *((one,) for one in hosts), tuple(hosts)])
    skills = sorted({offer.does for offer in service.model.offers}, key=sorted)
    if len(skills) > 1 and not needs_read:
        met = {frozenset[str](), *skills}
        met |= {one & other for one in skills for other in skills}
        met |= {frozenset({word}) for one in skills for word in one}
        found.complete &= len(skills) <= 2  # of more, three may meet where no two do
        found.add("needs", sorted(met, key=sorted))


def _splits(found: Axes, reach: Reach) -> None:
    """Add keys by which every arm of every split is drawn."""
    from hyperroute.bounds.draws import keys_of

    by: dict[str, list[Any]] = {}
    for split in reach.splits:
        by.setdefault(split.by, []).append(split)
    for name, splits in sorted(by.items()):
        complete, keys = keys_of(splits)
        found.complete &= complete
        axis = "seed" if name == "req" else f"{name}.id"
        clash = [one for one in found.axes if one.name == axis]
        found.axes[:] = [one for one in found.axes if one.name != axis]
        found.complete &= not clash
        found.add(axis, dict.fromkeys([*(v for one in clash for v in one.values), *keys]))


def product_size(axes: Iterable[Axis]) -> int:
    """Count the classes."""
    size = 1
    for axis in axes:
        size *= max(1, len(axis.values))
    return size


def named(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Pick the values of the axes whose names begin so, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix) and value is not None
    }


__all__ = ["OTHER", "Axes", "Axis", "axes_of", "named", "product_size"]
