"""A few requests for each name of some tables, one on either side of everything that can matter.

What can matter to a plan is finite: the sizes, words and facts that conditions, windows, tiers and
caps mention. Every size is met at its limit and one token beyond it, in every company of facts that
some condition names; needs, limits of output and endpoints are varied one at a time. Beside them
stand the request classes of each table by itself, which are complete for it where they are few. Of
two tables together this is a sample, not a proof: what only matters in both at once may be missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Any

from hyperroute.bounds.classes import classes_of
from hyperroute.bounds.reach import reach
from hyperroute.catalog.card import Offer
from hyperroute.catalog.condition import Condition, FactRef
from hyperroute.proving.reach import owned, parts, reached
from hyperroute.proving.tests import DIALECTS, entry
from hyperroute.routing.resolve import find_service
from hyperroute.routing.table import IntentTerm, Match, RouteTable, Term
from hyperroute.tables.testcases import Given

MOST = 4_096
"""Requests of one name; beyond it the first ones in order are taken."""

_BASE = 1_000
_OUTPUT = 1_000


@dataclass(frozen=True, slots=True)
class Need:
    """What one request measures, without a word of it."""

    given: Given
    count: int = 1
    seed: int = 0
    """Draws the arm of a split by request."""

    @property
    def name(self) -> str:
        """The model or intent that it names."""
        return self.given.model or self.given.intent or ""

    def __str__(self) -> str:
        """A few words for people."""
        given = self.given
        said = [f"{given.input} tokens in"]
        said += [f"{given.output} out"] if given.output is not None else []
        said += [f"needs {', '.join(given.needs)}"] if given.needs else []
        said += [f"{name} {_word(value)}" for name, value in sorted(given.facts.items())]
        return f"{self.name}: {', '.join(said)}"


def representatives(tables: Sequence[RouteTable]) -> Iterator[Need]:
    """Give requests for every name that any of the tables has, in the order of names."""
    for name in sorted({name for table in tables for name in _names(table)}):
        met = set[str]()
        for need in chain(islice(_of_name(name, tables), MOST), _of_classes(name, tables)):
            if repr(need) not in met:
                met.add(repr(need))
                yield need


def _names(table: RouteTable) -> Iterator[str]:
    yield from (name.replace("*", "any") for name in table.services)
    yield from table.intents
    yield from table.aliases


def _of_name(name: str, tables: Sequence[RouteTable]) -> Iterator[Need]:
    holder = next((table for table in tables if name in (*table.services, *table.aliases)), None)
    model = holder is not None or not any(name in table.intents for table in tables)
    words: dict[str, Any] = {"model": name} if model else {"intent": name}
    table = next(one for one in tables if name in {*_names(one)})
    _, endpoint = entry(table, **words)
    offers = [offer for one in tables for offer in _offers(name, one)]
    sizes = _sizes(tables, offers)
    for facts, size in product(_facts(tables), sizes):
        yield _need(words, size, facts=facts)
    for word in sorted({word for offer in offers for word in offer.does}):
        yield _need(words, _BASE, needs=(word,))
    for limit in sorted({offer.output for offer in offers if offer.output is not None}):
        yield _need(words, _BASE, output=limit)
        yield _need(words, _BASE, output=limit + 1)
    for other in sorted({word for offer in offers for word in offer.endpoints} - {endpoint}):
        if other in DIALECTS:
            yield _need(words, _BASE, facts={"req.endpoint": other})


def _of_classes(name: str, tables: Sequence[RouteTable]) -> Iterator[Need]:
    """Give one request of each class that one of the tables has for a name."""
    for table in tables:
        meant = table.aliases[name].to if name in table.aliases else name
        service = find_service(meant, table)
        found = reach(table, meant if service is None else service.model.name)
        for situation in () if found is None else classes_of(found, most=MOST):
            told = {**situation.facts, "req.stream": situation.stream}
            told |= {"req.endpoint": situation.endpoint} if situation.endpoint else {}
            given = Given(
                model=None if meant in table.intents else name,
                intent=name if meant in table.intents else None,
                input=situation.tokens,
                output=situation.max_out,
                needs=tuple(sorted(situation.needs)),
                parameters=situation.parameters,
                facts=told,
                fallback=situation.fallback,
                avoid=situation.avoid,
                script={},
            )
            yield Need(given, seed=situation.seed)


def _offers(name: str, table: RouteTable) -> Iterator[Offer]:
    """Give what a name can come to: an alias, a model with its equivalents, a pattern, an intent."""
    name = table.aliases[name].to if name in table.aliases else name
    if name in table.intents:
        yield from reached(IntentTerm(name), table).values()
    service = find_service(name, table)
    if service is not None:
        yield from service.model.offers
        for other in service.instead:
            yield from reached(other.term, table).values()


def _need(
    words: Mapping[str, Any],
    size: int,
    *,
    output: int = _OUTPUT,
    needs: tuple[str, ...] = (),
    facts: Mapping[str, Any] | None = None,
) -> Need:
    given = Given(
        **words,
        input=size,
        output=output,
        needs=needs,
        parameters={},
        facts=dict(facts or {}),
        script={},
    )
    return Need(given)


# --- what can matter -----------------------------------------------------------------------------
def _conditions(tables: Sequence[RouteTable]) -> Iterator[Condition]:
    for table in tables:
        yield from (policy.when for policy in table.policies)
        yield from (policy.require for policy in table.policies)
        for _, term in owned(table):
            for part in parts(term):
                yield from _of_term(part)


def _of_term(part: Term) -> Iterable[Condition]:
    if isinstance(part, Match):
        return [when for when, _ in part.arms]
    found: Condition = getattr(part, "require", ())
    return [found]


def _sizes(tables: Sequence[RouteTable], offers: Iterable[Offer]) -> list[int]:
    marks = {
        value
        for condition in _conditions(tables)
        for line in condition
        if line.fact == "req.tokens"
        for value in line.values
        if isinstance(value, int)
    }
    for table in tables:
        marks |= {policy.cap.input for policy in table.policies if policy.cap.input is not None}
    for offer in offers:
        marks |= {size - _OUTPUT for size in (offer.context,) if size is not None}
        marks |= {size for size in (offer.input,) if size is not None}
        marks |= {
            value
            for sheet in offer.price
            for tier in sheet.tiers
            for line in tier.when
            if line.fact == "in"
            for value in line.values
            if isinstance(value, int)
        }
    near = {mark + beyond for mark in marks for beyond in (-1, 0, 1)}
    return sorted({_BASE, *(size for size in near if size > 0)})


def _facts(tables: Sequence[RouteTable]) -> list[dict[str, Any]]:
    """Give every company of caller's facts that conditions name, each fact unknown too."""
    values: dict[str, set[Any]] = {}
    for condition in _conditions(tables):
        for line in condition:
            told = {value for value in line.values if not isinstance(value, FactRef)}
            if _told_by_callers(line.fact):
                values.setdefault(line.fact, set()).update(told or {"any"})
            for value in line.values:
                if isinstance(value, FactRef) and _told_by_callers(value.name):
                    values.setdefault(value.name, set())
    for table in tables:
        for fact in table.facts.values():
            values.setdefault(fact.name, set()).update(fact.one_of or ())
    names = sorted(values)
    choices = [[None, *sorted(values[name], key=repr)] for name in names]
    return [
        {name: value for name, value in zip(names, company, strict=True) if value is not None}
        for company in islice(product(*choices), MOST)
    ]


def _told_by_callers(fact: str) -> bool:
    return fact.partition(".")[0] in ("org", "user", "key") or fact == "req.stream"


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value).lower()
