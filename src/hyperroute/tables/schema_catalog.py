"""Grammar of providers, models, offers, shapes and prices."""

# ruff: noqa: RUF012 - pydantic gives each document its own copy of a default
from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from hyperroute.tables.schema import (
    AccountLimitsDoc,
    BreakerDoc,
    Cond,
    Count,
    Day,
    Doc,
    Endpoint,
    FailureWord,
    Kind,
    Name,
    Named,
    Number,
    Positive,
    PromiseDoc,
    Quantity,
    Region,
    Secret,
    Size,
    Time,
    TimeoutDoc,
    Value,
    Word,
    one_or_many,
    text_or,
)
from hyperroute.tables.schema_terms import TermRef


class KeyDoc(Doc):
    """A credential with limits of its own."""

    key: Secret
    limits: AccountLimitsDoc | None = None


KeyRef = Annotated[
    Annotated[Secret, Tag("<text>")] | Annotated[KeyDoc, Tag("<key>")], text_or("key")
]


class ProviderDoc(Named):
    """An upstream account."""

    plugin: Word
    url: Name | None = None
    keys: list[KeyRef] | None = None
    region: Region | None = None
    retain: Time | None = None
    trains: bool | None = None
    speaks: Annotated[list[Endpoint], Field(min_length=1)] | None = None
    timeout: TimeoutDoc | None = None
    breaker: BreakerDoc | None = None
    limits: AccountLimitsDoc | None = None
    hidden: bool = False
    headers: dict[str, str] = {}
    options: dict[str, Any] = {}


class TierDoc(Doc):
    """Rates that replace others where a condition holds; the extra keys are meters."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Number]

    when: Cond


class SheetDoc(Doc):
    """One dated row of a price; the extra keys are meters."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Number]

    replace: bool = False
    begins: Day | None = Field(None, alias="from")
    per: Quantity | None = None
    currency: Literal["usd", "credit"] = "usd"
    tiers: Annotated[list[TierDoc], Field(min_length=1)] | None = None
    step: Quantity | None = None
    source: str = ""
    charged: Literal["usage", "success", "attempt"] | None = None

    @property
    def rates(self) -> dict[str, Decimal]:
        """Meter to rate, as written."""
        return self.__pydantic_extra__


def _price_form(value: object) -> str:
    if isinstance(value, list):
        return "<rows>"
    return "<row>" if isinstance(value, dict | Doc) else "<text>"


NamedPrice = Annotated[
    Annotated[SheetDoc, Tag("<row>")]
    | Annotated[list[SheetDoc], Field(min_length=1), Tag("<rows>")]
    | Annotated[Name, Tag("<text>")],
    Discriminator(_price_form),
]
PriceRef = Annotated[
    Annotated[SheetDoc, Tag("<row>")] | Annotated[Name, Tag("<text>")], text_or("row")
]
SellRef = Annotated[
    Annotated[SheetDoc, Tag("<row>")] | Annotated[str, Tag("<text>")], text_or("row")
]


def _parameter_form(value: object) -> str:
    if isinstance(value, list):
        return "<list>"
    return "<map>" if isinstance(value, dict | Doc) else "<value>"


CountForm = Annotated[
    Annotated[Value, Tag("<one>")] | Annotated[list[Count], Field(min_length=1), Tag("<many>")],
    Discriminator(one_or_many),
]


class ParameterDoc(Doc):
    """What one parameter may be."""

    one_of: Annotated[list[Value], Field(min_length=1)] | None = None
    range: str | None = None
    max: Positive | None = None
    count: CountForm | None = None
    source: Annotated[list[Literal["https", "data"]], Field(min_length=1)] | None = None
    bytes: Size | None = None
    length: str | None = None
    pixels: Annotated[dict[str, str], Field(min_length=1)] | None = None
    area: str | None = None
    default: Value | None = None
    required: bool = False
    otherwise: Literal["refuse", "clamp", "default"] | None = Field(None, alias="else")


ParameterRef = Annotated[
    Annotated[ParameterDoc, Tag("<map>")]
    | Annotated[list[Value], Field(min_length=1), Tag("<list>")]
    | Annotated[Value, Tag("<value>")],
    Discriminator(_parameter_form),
]


class RuleDoc(Doc):
    """One rule of a shape: ``when`` and ``then``, or ``sum`` and ``max``."""

    when: Cond | None = None
    then: Annotated[dict[str, ParameterRef], Field(min_length=1)] | None = None
    sum: Annotated[list[str], Field(min_length=1)] | None = None
    max: Count | None = None


class ShapeDoc(Named):
    """What a request may look like; the extra keys are parameters."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, ParameterRef]

    rules: Annotated[list[RuleDoc], Field(min_length=1)] = []

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameter to what it may be, in any of its forms."""
        return self.__pydantic_extra__


ShapeRef = Annotated[
    Annotated[ShapeDoc, Tag("<shape>")] | Annotated[Name, Tag("<text>")], text_or("shape")
]


class JobDoc(Doc):
    """How an asynchronous job is followed."""

    poll: Time | None = None
    within: Time | None = None
    cancel: bool = False
    notify: bool = False


class OfferDoc(Doc):
    """A model at a provider under a price."""

    at: str
    variant: Word | None = None
    sends: Name | None = None
    price: PriceRef | None = None
    does: list[str] | None = None
    context: Size | None = None
    input: Size | None = None
    output: Size | None = None
    region: Region | None = None
    retain: Time | None = None
    trains: bool | None = None
    tags: list[Word] | None = None
    takes: ShapeRef | None = None
    batch: Positive | None = None
    fields: dict[str, Name] = {}
    adds: dict[str, Any] = {}
    job: JobDoc | None = None
    limits: AccountLimitsDoc | None = None
    timeout: TimeoutDoc | None = None


class InsteadDoc(Doc):
    """An equivalent that is only tried after some failures."""

    model: str
    after: Annotated[list[FailureWord], Field(min_length=1)]


InsteadRef = Annotated[
    Annotated[InsteadDoc, Tag("<map>")] | Annotated[str, Tag("<text>")], text_or("map")
]


class ModelDoc(Named):
    """Facts about weights, and who offers them."""

    kind: Kind
    offers: list[OfferDoc] = []
    vendor: Word | None = None
    tags: list[Word] = []
    quality: dict[str, Count] = {}
    listed: bool = True
    does: list[str] = []
    context: Size | None = None
    input: Size | None = None
    output: Size | None = None
    endpoints: Annotated[list[Endpoint], Field(min_length=1)] | None = None
    takes: ShapeRef | None = None
    use: TermRef | None = None
    instead: list[InsteadRef] = []
    sell: SellRef | None = None
    wait: Time | None = None
    max_run: Time | None = None
    fps: Positive | None = None
    clients: Annotated[list[Word], Field(min_length=1)] | None = None
    promise: PromiseDoc | None = None
