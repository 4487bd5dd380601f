"""Which policies apply to a request, and their merged rules, found without reading them all again."""

from __future__ import annotations

from collections.abc import Hashable

from hyperroute.canon.failure import Reaction
from hyperroute.catalog.condition import Condition, Fact, FactRef, Line, Scalar
from hyperroute.catalog.facts import Lookup, holds, is_offer_fact, members
from hyperroute.routing.policies import merge
from hyperroute.routing.pools import Memo
from hyperroute.routing.table import Policy, Rules

Required = tuple[Line, tuple[Scalar, ...] | None, bool | None]
"""A line, its right side with references replaced, and for lines about the caller their truth."""


class Applied:
    """Merged rules, and what they require in a form ready for bit sets."""

    __slots__ = ("key", "lines", "retries", "rules")

    def __init__(self, key: tuple[str, ...], rules: Rules) -> None:
        """Prepare once what every request under these rules needs."""
        self.key = key
        self.rules = rules
        parts = [static_lines(condition) for _, condition in rules.require]
        self.lines: tuple[Required, ...] | None = None
        if None not in parts:
            self.lines = tuple(line for part in parts for line in part or ())
        counts = [n for reaction, n in rules.errors.values() if reaction is Reaction.RETRY and n]
        self.retries = max([rules.per_offer, *counts])


def static_lines(condition: Condition) -> tuple[Required, ...] | None:
    """Prepare lines that depend on the offer alone; ``None`` where one reads the request."""
    prepared: list[Required] = []
    for line in condition:
        values = tuple(value for value in line.values if not isinstance(value, FactRef))
        if not is_offer_fact(line.fact) or len(values) < len(line.values):
            return None
        prepared.append((line, values, None))
    return tuple(prepared)


def plain_values(line: Line) -> tuple[str, ...]:
    """List the words of a line that is nothing but equality with words."""
    return tuple(value for value in line.values if isinstance(value, str) and "*" not in value)


def gated(policy: Policy) -> bool:
    """Say whether a policy's application depends on nothing but equality of facts with words."""
    return all(
        line.op in ("equal", "=") and len(plain_values(line)) == len(line.values)
        for line in policy.when
    )


def as_key(value: Fact | None, values: frozenset[Scalar]) -> Hashable:
    """Reduce a fact to what equality with ``values`` can see of it."""
    if isinstance(value, tuple | frozenset):
        return tuple(sorted({one for one in members(value) if isinstance(one, str)} & values))
    return None


class Gates:
    """The policies of one table, by what decides whether each applies."""

    def __init__(self, policies: tuple[Policy, ...]) -> None:
        """Tell policies that compare words from those that have to be read each time."""
        self._policies = policies
        values: dict[str, set[Scalar]] = {}
        for policy in policies:
            if gated(policy):
                for line in policy.when:
                    values.setdefault(line.fact, set()).update(plain_values(line))
        self._facts = tuple((fact, frozenset(found)) for fact, found in values.items())
        self._others = tuple(one for one in policies if not gated(one))
        self._rules: Memo[Applied] = Memo()

    def rules_for(self, known: Lookup) -> Applied:
        """Find the merged rules of the policies that apply.

        Remembered by what decides: of facts compared for equality, the value if any policy names
        it; of all other policies, whether each holds.
        """
        told: list[Hashable] = []
        for fact, values in self._facts:
            value = known(fact)
            if value in values if type(value) is str else value is None:
                told.append(value)
            else:
                told.append(as_key(value, values))
        if self._others:
            told += [holds(policy.when, known) for policy in self._others]
        key = tuple(told)
        found = self._rules.get(key)
        if found is None:
            applied = tuple(one for one in self._policies if holds(one.when, known))
            names = tuple(sorted(policy.name for policy in applied))
            found = self._rules.keep(key, Applied(names, merge(applied)))
        return found
