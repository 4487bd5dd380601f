"""The grammar of the language as pydantic models: which keys there are, and what form they take.

A closed world: unknown keys are errors. Names, facts and sums are judged later, by the compiler,
which knows the whole table. The same models print the JSON Schema.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
)

from hyperroute.catalog.card import Rate
from hyperroute.routing.candidate import RefusalCode
from hyperroute.tables import words

_WHOLE = {"type": "integer", "minimum": 0}
_DECIMAL = {"type": "number", "minimum": 0}


def _pattern(pattern: str, *examples: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "examples": list(examples)}


Size = Annotated[
    int,
    PlainValidator(words.size),
    WithJsonSchema({"anyOf": [_WHOLE, _pattern(r"^[0-9.]+[kM]?$", "200k", "1.5M")]}),
]
Time = Annotated[
    int, PlainValidator(words.time), WithJsonSchema(_pattern(r"^[0-9.]+ ?(ms|s|m|h|d)$", "30s"))
]
Money = Annotated[
    Decimal,
    PlainValidator(words.money),
    WithJsonSchema(_pattern(r"^[0-9.]+ ?(usd|credit)$", "0.50 usd", "50 credit")),
]
Status = Annotated[
    int,
    PlainValidator(words.status),
    WithJsonSchema({"type": "integer", "minimum": 100, "maximum": 599}),
]
Share = Annotated[
    Decimal, PlainValidator(words.share), WithJsonSchema(_pattern(r"^[0-9.]+ ?%$", "80%"))
]
Percent = Annotated[
    int, PlainValidator(words.percent), WithJsonSchema(_pattern(r"^[0-9]+ ?%$", "80%"))
]
Number = Annotated[Decimal, PlainValidator(words.decimal), WithJsonSchema(_DECIMAL)]
Count = Annotated[int, PlainValidator(words.count), WithJsonSchema(_WHOLE)]
Positive = Annotated[
    int, PlainValidator(words.positive), WithJsonSchema({"type": "integer", "minimum": 1})
]
Day = Annotated[
    int, PlainValidator(words.date), WithJsonSchema({"type": "string", "format": "date"})
]
RateLine = Annotated[
    Rate,
    PlainValidator(words.rate),
    WithJsonSchema(_pattern(r" / (s|min|h|day|month)", "300 req / min burst 50")),
]
Quantity = Annotated[
    tuple[int, str],
    PlainValidator(words.quantity),
    WithJsonSchema(_pattern(r"^[0-9.]+[kM]? [a-z]+$", "1M tok", "60 second")),
]
Budget = Annotated[
    tuple[str, Literal["day", "month"]],
    PlainValidator(words.budget),
    WithJsonSchema(_pattern(r"/ ?(day|month)$", "500 usd / month", "key.limit / month")),
]
Secret = Annotated[
    str,
    PlainValidator(words.secret),
    WithJsonSchema(_pattern(r"^(env:|file:/)", "env:OPENAI_API_KEY", "file:/run/secrets/key")),
]
Region = Annotated[
    str,
    PlainValidator(words.region),
    WithJsonSchema(_pattern(r"^[a-z0-9]+(-[a-z0-9]+)*$", "eu", "eu-central")),
]
Word = Annotated[str, PlainValidator(words.word), WithJsonSchema({"type": "string"})]
Name = Annotated[str, PlainValidator(words.name), WithJsonSchema({"type": "string"})]


def _scalar(value: object) -> object:
    if isinstance(value, str | bool | int | Decimal):
        return value
    raise ValueError(f"expected a word or a number, found {words.shown(value)}")


def _scalar_or_list(value: object) -> object:
    if isinstance(value, list):
        if not value:
            raise ValueError("the list is empty")
        return [_scalar(item) for item in value]
    if isinstance(value, str | bool | int | Decimal):
        return value
    raise ValueError(f"expected a word, a number or a list of them, found {words.shown(value)}")


_ANY_SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean"]}
Value = Annotated[Any, PlainValidator(_scalar), WithJsonSchema(_ANY_SCALAR)]
Test = Annotated[
    Any,
    PlainValidator(_scalar_or_list),
    WithJsonSchema({"anyOf": [_ANY_SCALAR, {"type": "array", "items": _ANY_SCALAR}]}),
]
Cond = dict[str, Test]
"""Fact to what it must be; read by ``conditions``."""

Kind = Literal["chat", "image", "video", "audio", "embed", "gpu"]
Endpoint = Literal[
    "chat",
    "messages",
    "responses",
    "gemini",
    "images",
    "videos",
    "audio",
    "embeddings",
    "completions",
    "gpu",
]
FailureWord = Literal[
    "rate_limited",
    "overloaded",
    "server_error",
    "net_unsent",
    "net_ambiguous",
    "slow_start",
    "stalled",
    "truncated",
    "malformed_output",
    "empty_completion",
    "context_length",
    "content_policy",
    "bad_request",
    "unknown_model",
    "provider_auth",
    "provider_funds",
    "provider_region",
    "client_gone",
    "deadline",
]
ErrorWord = Literal[FailureWord, RefusalCode]


class Doc(BaseModel):
    """A map of the language: closed, and read as it is written."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )


class Named(Doc):
    """A definition with a name of its own; ``replace`` puts it in place of an included one."""

    replace: bool = False


def text_or(tag: str) -> Discriminator:
    """Tell a map from the short form, which is text."""
    return Discriminator(_chooser(tag))


def _chooser(tag: str) -> Callable[[object], str]:
    def choose(value: object) -> str:
        return f"<{tag}>" if isinstance(value, dict | Doc) else "<text>"

    return choose


def one_or_many(value: object) -> str:
    """Tell a list from what may stand alone."""
    return "<many>" if isinstance(value, list) else "<one>"


Rates = Annotated[
    Annotated[RateLine, Tag("<one>")]
    | Annotated[list[RateLine], Field(min_length=1), Tag("<many>")],
    Discriminator(one_or_many),
]
Words = Annotated[
    Annotated[str, Tag("<one>")] | Annotated[list[str], Field(min_length=1), Tag("<many>")],
    Discriminator(one_or_many),
]


class AccountLimitsDoc(Doc):
    """``limits`` of a provider, a key or an offer."""

    rate: Rates | None = None
    at_once: Positive | None = None
    budget: Budget | None = None


class TimeoutDoc(Doc):
    """Limits of one attempt."""

    connect: Time | None = None
    first_byte: Time | None = None
    first_content: Time | None = None
    idle: Time | None = None
    total: Time | None = None


class BreakerDoc(Doc):
    """When to leave an offer alone."""

    open: Annotated[list[str], Field(min_length=1)] | None = None
    cool: Time | None = None
    cool_max: Time | None = None


class PromiseDoc(Doc):
    """A bound to be proved."""

    attempts: Positive | None = None
    cost: Money | None = None
    time: Time | None = None
    survives: str | None = None
    never: Cond | None = None
    when: Cond | None = Field(None, alias="for")
