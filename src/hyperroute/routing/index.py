"""What a table knows, arranged so that a decision does not grow with it.

An ``Index`` hangs on its table and is built in parts, when first asked. Everything in it follows
from the table alone; memos are of look-ups, bounded, and forgetting them changes no answer.

A ``Pool`` is the offers that one leaf of the algebra denotes, with bit sets over their positions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from hyperroute.canon.failure import Reaction
from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.condition import Condition, Fact, FactRef, Line, Scalar
from hyperroute.catalog.facts import Lookup, compare, holds, is_offer_fact, members, offer_fact
from hyperroute.catalog.pricing import Linear, linear, sheet_on
from hyperroute.routing.cheapest import Cheapest
from hyperroute.routing.grids import Grid
from hyperroute.routing.policies import merge
from hyperroute.routing.table import From, Policy, RouteTable, Rules, Service

V = TypeVar("V")

MEMO_ENTRIES = 1_024
"""Of one memo; a full one starts again."""

LEVELS = 64
"""Sizes told apart by bit set; where a pool has more, the rest is checked offer by offer."""


class Memo(dict[Hashable, V]):
    """A bounded dictionary. Starting again when full is enough for keys that repeat."""

    __slots__ = ()

    def keep(self, key: Hashable, value: V) -> V:
        """Store and return."""
        if len(self) >= MEMO_ENTRIES:
            self.clear()
        self[key] = value
        return value


class Levels:
    """A size limit of many offers, as nested bit sets."""

    __slots__ = ("exact", "floors", "masks", "unknown")

    def __init__(self, limits: list[int | None]) -> None:
        """Sort the distinct limits, and keep at most ``LEVELS`` of them."""
        distinct = sorted({limit for limit in limits if limit is not None})
        stride = -(-len(distinct) // LEVELS) or 1
        self.exact = stride == 1
        self.floors = distinct[::stride]
        self.unknown = mask_of(limit is None for limit in limits)
        self.masks = [mask_of(limit is not None for limit in limits)]
        self.masks += [
            mask_of(limit is not None and limit > floor for limit in limits)
            for floor in self.floors
        ]

    def level(self, need: int) -> int:
        """Number the class of sizes that ``need`` falls into."""
        return bisect_left(self.floors, need)


def mask_of(bits: Iterable[bool]) -> int:
    """Make a bit set; position 0 is the lowest bit."""
    text = "".join("1" if bit else "0" for bit in bits)
    return int(text[::-1], 2) if text else 0


class Selection:
    """The offers of a pool that pass everything that is written, in the pool's order."""

    __slots__ = ("_priced", "offers", "pool")

    def __init__(self, pool: Pool, mask: int) -> None:
        """Spread the bit set."""
        self.pool = pool
        if mask == pool.everything:
            self.offers = pool.offers
        else:
            bits = f"{mask:b}"[::-1]
            self.offers = tuple(
                offer for offer, bit in zip(pool.offers, bits, strict=False) if bit == "1"
            )
        self._priced: Memo[Priced] = Memo()

    def priced(self, day: int, input_tokens: int) -> Priced:
        """Find the rates in force for requests like this one."""
        key = (day, bisect_right(self.pool.tiers_at(day), input_tokens))
        found = self._priced.get(key)
        return found or self._priced.keep(key, Priced(self, day, input_tokens))


class Priced:
    """A selection under the rates of one day and one range of input sizes.

    Attributes:
        linear: Input rate, output rate, id and offer, where the price is the sum of those two.
        others: Offers whose price is more than that, or unknown; they are priced one by one.
    """

    __slots__ = ("_cheapest", "linear", "others")

    def __init__(self, selection: Selection, day: int, input_tokens: int) -> None:
        """Read every sheet once."""
        lines = selection.pool.lines_at(day)
        self.linear: list[tuple[int, int, str, Offer]] = []
        self.others: list[Offer] = []
        for offer in selection.offers:
            line = lines[offer.id]
            if line is None:
                self.others.append(offer)
            else:
                self.linear.append((*line.at(input_tokens), offer.id, offer))
        self._cheapest: Cheapest | None = None

    @property
    def cheapest(self) -> Cheapest:
        """The sorted form, built on first use."""
        if self._cheapest is None:
            self._cheapest = Cheapest([(one[3], (one[0], one[1])) for one in self.linear])
        return self._cheapest


class Pool:
    """The offers of one leaf, arranged."""

    def __init__(self, index: Index, offers: Iterable[Offer]) -> None:
        """Keep the order given; it is the leaf's own."""
        self.index = index
        self.offers = tuple(offers)
        self.everything = (1 << len(self.offers)) - 1
        self.selections: Memo[Selection] = Memo()
        self._masks: Memo[int] = Memo()
        self._lines: Memo[Mapping[str, Linear | None]] = Memo()
        self._tiers: Memo[list[int]] = Memo()

    @cached_property
    def context(self) -> Levels:
        """Windows."""
        return Levels([offer.context for offer in self.offers])

    @cached_property
    def input(self) -> Levels:
        """Input limits."""
        return Levels([offer.input for offer in self.offers])

    @cached_property
    def output(self) -> Levels:
        """Output limits."""
        return Levels([offer.output for offer in self.offers])

    @cached_property
    def exact(self) -> bool:
        """Whether the bit sets alone decide about sizes."""
        return self.context.exact and self.input.exact and self.output.exact

    @cached_property
    def floors(self) -> tuple[list[int], list[int], list[int]]:
        """The steps of windows, input and output limits, for numbering a request's sizes."""
        return self.context.floors, self.input.floors, self.output.floors

    @cached_property
    def shaped(self) -> bool:
        """Whether some offer or its model rules what a request may look like, or who may ask."""
        return any(
            offer.takes is not None or model.takes is not None or model.clients is not None
            for offer, model in ((offer, self.index.model_of(offer)) for offer in self.offers)
        )

    def doing(self, kind: str, endpoint: str, features: frozenset[str]) -> int:
        """The offers of a kind that accept an endpoint and do all that is needed."""
        key = (kind, endpoint, features)
        found = self._masks.get(key)
        if found is not None:
            return found
        return self._masks.keep(
            key,
            mask_of(
                offer.kind == kind and endpoint in offer.endpoints and features <= offer.does
                for offer in self.offers
            ),
        )

    def at(self, providers: Iterable[str]) -> int:
        """The offers of some providers."""
        total = 0
        for provider in providers:
            total |= self._provider_masks.get(provider, 0)
        return total

    @cached_property
    def _provider_masks(self) -> dict[str, int]:
        masks: dict[str, list[str]] = {}
        for at, offer in enumerate(self.offers):
            masks.setdefault(offer.provider, ["0"] * len(self.offers))[at] = "1"
        return {name: int("".join(bits)[::-1], 2) for name, bits in masks.items()}

    def satisfying(self, line: Line, values: tuple[Scalar, ...] | None) -> int:
        """The offers of which a line holds, its references already replaced."""
        key = (line.fact, line.op, values)
        fact_of = self.index.fact_of
        found = self._masks.get(key)
        if found is None:
            found = self._masks.keep(
                key,
                mask_of(satisfies(line, fact_of(one, line.fact), values) for one in self.offers),
            )
        return found

    def lines_at(self, day: int) -> Mapping[str, Linear | None]:
        """Give the day's sheets in their simple form, by offer id."""
        found = self._lines.get(day)
        if found is None:
            line_of = self.index.line_of
            found = self._lines.keep(day, {one.id: line_of(one, day) for one in self.offers})
        return found

    def tiers_at(self, day: int) -> list[int]:
        """Give the input sizes at which some rate changes, ascending."""
        found = self._tiers.get(day)
        if found is None:
            steps = {
                int(value) + extra
                for line in self.lines_at(day).values()
                if line is not None
                for when, _, _ in line.tiers
                for test in when
                for value in test.values
                if isinstance(value, int | Decimal)
                for extra in (0, 1)
            }
            found = self._tiers.keep(day, sorted(steps))
        return found


def satisfies(line: Line, fact: Fact | None, values: tuple[Scalar, ...] | None) -> bool:
    """Say whether a line holds of a fact.

    Args:
        line: For its operator.
        fact: What an offer has; ``None``: unknown.
        values: The line's right side; ``None``: something on it is unknown.
    """
    if line.op == "given":
        return fact is not None
    if line.op == "not given":
        return fact is None
    return fact is not None and values is not None and compare(line.op, fact, values)


class Index:
    """All that is derived from one table."""

    def __init__(self, table: RouteTable) -> None:
        """Start empty; parts are built when first asked."""
        self.table = table
        self._models: dict[str, Pool] = {}
        self._froms: dict[int, tuple[object, Pool]] = {}
        self._offers: dict[str, Pool] = {}
        self._rules: Memo[Applied] = Memo()
        self._static: dict[int, tuple[Condition, tuple[Required, ...] | None]] = {}
        self._line_days: Memo[dict[str, Linear | None]] = Memo()
        self._grids: Memo[Grid] = Memo()

    def model_of(self, offer: Offer) -> Model:
        """Find the model an offer belongs to."""
        return self.table.services[offer.model].model

    def fact_of(self, offer: Offer, name: str) -> Fact | None:
        """Read a fact of an offer, or of its model where only that can say it."""
        return offer_fact(offer, name, self.model_of(offer))

    @cached_property
    def offers(self) -> Mapping[str, Offer]:
        """All offers by id."""
        return self.table.offers or {
            offer.id: offer
            for service in self.table.services.values()
            for offer in service.model.offers
        }

    def line_of(self, offer: Offer, day: int) -> Linear | None:
        """Give an offer's sheet of a day in its simple form, ``None`` if it has none."""
        lines = self._line_days.get(day)
        if lines is None:
            lines = self._line_days.keep(day, {})
        if offer.id not in lines:
            sheet = sheet_on(offer.price, day)
            lines[offer.id] = None if sheet is None else linear(sheet)
        return lines[offer.id]

    def of_model(self, service: Service) -> Pool:
        """The pool of a model's own offers, in declared order."""
        name = service.model.name
        pool = self._models.get(name)
        if pool is None:
            pool = self._models[name] = Pool(self, service.model.offers)
        return pool

    def of_offer(self, offer: Offer) -> Pool:
        """The pool of one offer."""
        pool = self._offers.get(offer.id)
        if pool is None:
            pool = self._offers[offer.id] = Pool(self, (offer,))
        return pool

    def of_from(self, term: From) -> Pool:
        """The pool of an open selection, by offer id. Held by the term's identity."""
        found = self._froms.get(id(term))
        if found is None:
            services = self.table.services
            offers = [
                offer
                for name in dict.fromkeys(term.models)
                if name in services
                for offer in services[name].model.offers
            ]
            found = (term, Pool(self, sorted(offers, key=lambda offer: offer.id)))
            self._froms[id(term)] = found
        return found[1]

    def cells(self, percent: int) -> Grid:
        """The grid of one width over this table's units."""
        return self._grids.get(percent) or self._grids.keep(
            percent, Grid(self.table.scale, percent)
        )

    # --- policies --------------------------------------------------------------------------------
    @cached_property
    def gates(self) -> tuple[tuple[str, frozenset[Scalar]], ...]:
        """The facts that decide about policies by plain equality, with the values that matter."""
        values: dict[str, set[Scalar]] = {}
        for policy in self.table.policies:
            if gated(policy):
                for line in policy.when:
                    values.setdefault(line.fact, set()).update(plain_values(line))
        return tuple((fact, frozenset(found)) for fact, found in values.items())

    @cached_property
    def ungated(self) -> tuple[int, ...]:
        """Positions of the policies whose conditions have to be read each time."""
        return tuple(at for at, one in enumerate(self.table.policies) if not gated(one))

    def rules_for(self, known: Lookup) -> Applied:
        """Find the merged rules of the policies that apply.

        Remembered by what decides: of facts compared for equality, the value if any policy names
        it; of all other policies, whether each holds.
        """
        told: list[Hashable] = []
        for fact, values in self.gates:
            value = known(fact)
            if value in values if type(value) is str else value is None:
                told.append(value)
            else:
                told.append(as_key(value, values))
        policies = self.table.policies
        if self.ungated:
            told += [holds(policies[at].when, known) for at in self.ungated]
        key = tuple(told)
        found = self._rules.get(key)
        if found is None:
            applied = tuple(policy for policy in policies if holds(policy.when, known))
            found = self._rules.keep(key, self._applied(applied))
        return found

    def _applied(self, policies: tuple[Policy, ...]) -> Applied:
        names = tuple(sorted(policy.name for policy in policies))
        return Applied(names, merge(policies))

    def static(self, condition: Condition) -> tuple[Required, ...] | None:
        """Prepare a condition on offers that refers to nothing else; ``None`` if it does.

        Held by identity: conditions live as long as their table.
        """
        found = self._static.get(id(condition))
        if found is None:
            found = self._static[id(condition)] = (condition, static_lines(condition))
        return found[1]


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


def index_of(table: RouteTable) -> Index:
    """Find the index that hangs on a table, or hang it there.

    Two threads may both build one; they are equal, and the last stays.
    """
    found = vars(table).get("_index")
    if isinstance(found, Index):
        return found
    index = Index(table)
    vars(table)["_index"] = index
    return index
