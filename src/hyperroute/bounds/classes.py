"""Request classes: the product of a name's axes, exact up to a limit, beyond it a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import gcd
from types import MappingProxyType
from typing import Any

from hyperroute.bounds.axes import Axes, Axis, axes_of, named, product_size
from hyperroute.bounds.reach import Reach
from hyperroute.bounds.situation import Situation
from hyperroute.catalog.condition import Condition
from hyperroute.routing.readings import write_one

CLASSES_MAX = 4_096
"""Of one name; of more only a sample is looked at, and no bound is called exact for it alone."""

_PLAIN = frozenset({"stream", "endpoint", "needs", "fallback", "avoid", "seed"})


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of one name.

    Attributes:
        size: How many there are.
        complete: Whether the situations stand for every request of the name.
    """

    reach: Reach
    axes: Axes
    size: int
    complete: bool
    most: int

    def __iter__(self) -> Iterator[Situation]:
        """Give one situation for each class that is looked at."""
        for index in _indices(self.axes.axes, self.size, self.most):
            yield _situation(self.reach, _at(self.axes.axes, index))


def classes_of(
    reach: Reach, extra: Iterable[Condition] = (), *, most: int = CLASSES_MAX
) -> Classes:
    """Divide all requests of a name into classes.

    Args:
        reach: What the name can reach.
        extra: Further conditions that a class must be of one mind about.
        most: How many classes are looked at.
    """
    axes = axes_of(reach, extra)
    size = product_size(axes.axes)
    return Classes(reach, axes, size, axes.complete and size <= most, most)


def _indices(axes: list[Axis], size: int, most: int) -> Iterator[int]:
    """Number the classes to look at: all, or a sample that begins with one change at a time."""
    if size <= most:
        yield from range(size)
        return
    seen = dict.fromkeys(_single(axes))
    stride = max(1, size * 618 // 1000)
    while gcd(stride, size) != 1:
        stride += 1
    seen.update(dict.fromkeys(step * stride % size for step in range(most)))
    yield from list(seen)[:most]


def _single(axes: list[Axis]) -> Iterator[int]:
    """Number the classes that differ from the plainest in one way."""
    yield 0
    place = 1
    for axis in axes:
        yield from (digit * place for digit in range(1, len(axis.values)))
        place *= max(1, len(axis.values))


def _at(axes: Iterable[Axis], index: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for axis in axes:
        if axis.values:
            index, digit = divmod(index, len(axis.values))
            values[axis.name] = axis.values[digit]
    return values


def _situation(reach: Reach, values: Mapping[str, Any]) -> Situation:
    parameters = named(values, "parameter ")
    facts = {
        name: value
        for name, value in values.items()
        if name not in _PLAIN | {"size"} and value is not None and not name.startswith("parameter ")
    }
    tokens, max_out = values["size"]
    plain = {name: value for name, value in values.items() if name in _PLAIN}
    return Situation(
        kind=reach.kind,
        tokens=tokens,
        max_out=max_out,
        parameters=MappingProxyType(
            {name: write_one(name, value) for name, value in parameters.items()}
        ),
        facts=MappingProxyType(facts),
        **reach.asked(),
        **plain,
    )


__all__ = ["CLASSES_MAX", "Classes", "classes_of"]
