"""Grammar of policies, limits, facts and tests."""

# ruff: noqa: RUF012 - pydantic gives each document its own copy of a default
from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from hyperroute.tables.schema import (
    BreakerDoc,
    Budget,
    Cond,
    Count,
    Day,
    Doc,
    ErrorWord,
    FailureWord,
    Money,
    Named,
    Number,
    Percent,
    Positive,
    Rates,
    Size,
    Status,
    Time,
    TimeoutDoc,
    Value,
    Words,
)


class CapDoc(Doc):
    """What one request may cause."""

    attempts: Positive | None = None
    time: Time | None = None
    cost: Money | None = None
    input: Size | None = Field(None, alias="in")
    output: Size | None = Field(None, alias="out")


class RetryDoc(Doc):
    """What is repeated, and how long one waits before."""

    per_offer: Count | None = None
    rotate: Count | None = None
    base: Time | None = None
    factor: Number | None = None
    max: Time | None = None
    jitter: Literal["full", "none"] | None = None
    budget: str | None = None


class StreamDoc(Doc):
    """When a stream is committed."""

    commit: Literal["first_content", "first_byte"] | None = None
    hold: Size | None = None


class PolicyDoc(Named):
    """What must hold, what is capped, what each failure class means."""

    when: Cond | None = Field(None, alias="for")
    require: Cond | None = None
    cap: CapDoc | None = None
    timeout: TimeoutDoc | None = None
    retry: RetryDoc | None = None
    errors: dict[FailureWord, str] = {}
    breaker: BreakerDoc | None = None
    stream: StreamDoc | None = None
    lossy: Literal["report", "refuse"] | None = None


class LimitDoc(Named):
    """A counter with a scope."""

    per: Words
    when: Cond | None = Field(None, alias="for")
    rate: Rates | None = None
    at_once: Positive | None = None
    floor: Money | None = None
    budget: Budget | None = None
    hold: Literal["worst", "estimate", "none"] = "worst"
    warn: list[Percent] = []
    over: str = "stop"


class FactDoc(Named):
    """A fact that the caller tells about itself."""

    one_of: Annotated[list[str], Field(min_length=1)] | None = None
    type: Literal["text", "count", "money"] | None = None
    default: Any = None


class ProvidersDoc(Doc):
    """``providers`` of the narrowing."""

    only: list[str] | None = None
    avoid: list[str] | None = None


class GivenDoc(Doc):
    """The request and the world of a test; the extra keys are parameters and facts."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any]

    model: str | None = None
    intent: str | None = None
    input: Value | None = Field(None, alias="in")
    output: Value | None = Field(None, alias="out")
    needs: list[str] = []
    down: list[str] = []
    at: Day | None = None
    script: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    fallback: bool | None = None
    providers: ProvidersDoc | None = None
    max_cost: Money | None = None
    deadline: Time | None = None
    cache: bool | None = None


class ExpectDoc(Doc):
    """What must come out."""

    served: str | None = None
    attempts: Count | None = None
    order: list[str] | None = None
    never: Cond | None = None
    cost: Money | None = None
    ends: Literal["served", "exhausted", "interrupted", "refused"] | None = None
    error: ErrorWord | None = None
    status: Status | None = None
    rejected: dict[str, str] = {}


class TestDoc(Doc):
    """A given and an expected."""

    __test__ = False

    name: str = ""
    given: GivenDoc
    expect: ExpectDoc
