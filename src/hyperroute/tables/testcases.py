"""Cases of the ``tests`` section: a given and an expected, checked for their words.

Running them is the work of ``hyperroute test``; here they become values with their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hyperroute.catalog.condition import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The request and the world.

    Attributes:
        input, output: Tokens; ``None``: not said.
        parameters: By the words of a shape, as written.
        facts: What the caller tells, by fact (``org.region``).
        down: Providers and offer ids.
        day: Days since 1970-01-01; ``None``: the latest row of every price.
        script: Offer id to what each of its attempts does: ``ok``, a failure class,
            ``cut after 20 tok``, ``slow 5s``.
        only: ``providers: {only}``; ``None``: not said.
        max_cost: USD.
    """

    model: str | None = None
    intent: str | None = None
    input: int | None = None
    output: int | None = None
    needs: tuple[str, ...] = ()
    parameters: Mapping[str, Any]
    facts: Mapping[str, Any]
    down: tuple[str, ...] = ()
    day: int | None = None
    script: Mapping[str, tuple[str, ...]]
    fallback: bool | None = None
    only: tuple[str, ...] | None = None
    avoid: tuple[str, ...] = ()
    max_cost: Decimal | None = None
    deadline_ns: int | None = None
    cache: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What must come out; ``None`` is not looked at."""

    served: str | None = None
    attempts: int | None = None
    order: tuple[str, ...] | None = None
    never: Condition = ()
    cost: Decimal | None = None
    ends: str | None = None
    error: str | None = None
    status: int | None = None
    rejected: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """One case and where it stands."""

    __test__ = False

    name: str
    given: Given
    expect: Expect
    path: str
    line: int
    column: int
