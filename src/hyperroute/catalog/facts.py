"""Reading conditions: does a conjunction of lines hold of what is known?

Laws: a comparison with an unknown fact does not hold; of an unknown fact only ``not given`` holds;
values of different kinds are never equal and never ordered, and no comparison raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from operator import ge, gt, le, lt
from types import MappingProxyType

from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.condition import Condition, Fact, FactRef, Line, Scalar

Lookup = Callable[[str], Fact | None]
"""A fact by its name; ``None`` is unknown."""


def holds(condition: Condition, known: Lookup) -> bool:
    """Say whether every line holds; the empty condition always does."""
    return all(line_holds(line, known) for line in condition)


def first_failing(condition: Condition, known: Lookup) -> Line | None:
    """Find the first line that does not hold, because a reader wants one reason, not all."""
    for line in condition:
        if not line_holds(line, known):
            return line
    return None


def line_holds(line: Line, known: Lookup, about: Lookup | None = None) -> bool:
    """Say whether one line holds.

    Args:
        line: Compared in the direction the loader wrote into ``op``.
        known: Where the fact itself is read.
        about: Where references on the right are read; the same place when absent. A policy's
            ``{region: org.region}`` reads an offer on the left and the caller on the right.
    """
    fact = known(line.fact)
    if line.op == "given":
        return fact is not None
    if line.op == "not given":
        return fact is None
    if fact is None:
        return False
    wanted = resolve(line, about or known)
    return wanted is not None and compare(line.op, fact, wanted)


def resolve(line: Line, about: Lookup) -> tuple[Scalar, ...] | None:
    """Replace references by their values; ``None`` when one of them is unknown."""
    values: list[Scalar] = []
    for value in line.values:
        if isinstance(value, FactRef):
            found = about(value.name)
            if found is None:
                return None
            values.extend(members(found))
        else:
            values.append(value)
    return tuple(values)


def compare(op: str, fact: Fact, wanted: tuple[Scalar, ...]) -> bool:
    """Compare a known fact with known values; several values mean any, but ``contains`` all."""
    have = members(fact)
    if op == "contains":
        return all(any(same(one, value) for one in have) for value in wanted)
    if op == "not":
        return not any(same(one, value) for one in have for value in wanted)
    test = _TESTS[op]
    return any(test(one, value) for one in have for value in wanted)


def members(fact: Fact) -> tuple[Scalar, ...]:
    """Treat one value as a list of one; sets in sorted order, so that nothing depends on hashes."""
    if isinstance(fact, tuple):
        return fact
    if isinstance(fact, frozenset):
        return tuple(sorted(fact))
    return (fact,)


def same(have: Scalar, wanted: Scalar) -> bool:
    """Say whether two values are equal; ``*`` in a wanted word stands for any text.

    A truth value is not a number here, although Python thinks that ``True == 1``.
    """
    if isinstance(have, bool) or isinstance(wanted, bool):
        return have is wanted
    if isinstance(have, str) and isinstance(wanted, str):
        return matches(wanted, have) if "*" in wanted else have == wanted
    return have == wanted


def matches(pattern: str, name: str) -> bool:
    """Match a name against a pattern in which ``*`` is any text, in linear time, without regexes."""
    head, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    tail = rest.pop()
    if len(name) < len(head) + len(tail) or not name.startswith(head) or not name.endswith(tail):
        return False
    at, end = len(head), len(name) - len(tail)
    for piece in rest:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def within(have: Scalar, wanted: Scalar) -> bool:
    """Say whether a region lies in another: ``eu-central`` lies in ``eu``, ``europe`` does not."""
    if not isinstance(have, str) or not isinstance(wanted, str):
        return False
    return have == wanted or have.startswith(wanted + "-") or wanted == "*"


def _ordered(
    op: Callable[[Decimal | int, Decimal | int], bool], have: Scalar, than: Scalar
) -> bool:
    if isinstance(have, str | bool) or isinstance(than, str | bool):
        return False
    return op(have, than)


_TESTS: Mapping[str, Callable[[Scalar, Scalar], bool]] = MappingProxyType(
    {
        "equal": same,
        "=": same,
        "within": within,
        "at_least": partial(_ordered, ge),
        "at_most": partial(_ordered, le),
        ">": partial(_ordered, gt),
        ">=": partial(_ordered, ge),
        "<": partial(_ordered, lt),
        "<=": partial(_ordered, le),
    }
)

_OFFER_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "offer": "id",
        "id": "id",
        "model": "model",
        "provider": "provider",
        "at": "provider",
        "variant": "variant",
        "sends": "sends",
        "kind": "kind",
        "does": "does",
        "endpoints": "endpoints",
        "context": "context",
        "input": "input",
        "output": "output",
        "region": "region",
        "retain": "retain_ns",
        "trains": "trains",
        "tags": "tags",
        "vendor": "vendor",
    }
)

_MODEL_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "model": "name",
        "name": "name",
        **{
            name: name
            for name in (
                *("kind", "vendor", "does", "context", "input", "output"),
                *("endpoints", "tags", "listed", "fps"),
            )
        },
        "wait": "wait_ns",
        "max_run": "max_run_ns",
    }
)


_MODEL_ONLY = frozenset({"fps", "wait", "max_run"})


def offer_fact(offer: Offer, name: str, model: Model | None = None) -> Fact | None:
    """Read a fact of an offer by the language's word for it; ``None`` is unknown.

    Args:
        offer: Whose own facts are effective: its model's and provider's where it says none.
        name: As in a condition.
        model: Where facts are read that no offer can say (``fps``, ``wait``, ``max_run``).
    """
    if name.startswith("quality."):
        return offer.quality.get(name[8:])
    attribute = _OFFER_FACTS.get(name)
    if attribute is not None:
        found: Fact | None = getattr(offer, attribute)
        return found
    return model_fact(model, name) if model is not None and name in _MODEL_ONLY else None


def model_fact(model: Model, name: str) -> Fact | None:
    """Read a fact of a model; what only an offer can have (region, price) is unknown here."""
    if name.startswith("quality."):
        return model.quality.get(name[8:])
    attribute = _MODEL_FACTS.get(name)
    return None if attribute is None else getattr(model, attribute)


def is_offer_fact(name: str) -> bool:
    """Say whether a word names a fact of offers, rather than one of the request or the caller."""
    return name in _OFFER_FACTS or name in _MODEL_ONLY or name.startswith("quality.")
