"""Grammar of terms: chains, intents and what stands in ``use``."""

# ruff: noqa: RUF012 - pydantic gives each document its own copy of a default
from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from hyperroute.tables.schema import (
    Cond,
    Doc,
    Kind,
    Named,
    Positive,
    PromiseDoc,
    Share,
    Value,
    text_or,
)


class SplitDoc(Doc):
    """A choice by a hash of who asks."""

    by: Literal["req", "user", "key", "org", "session"]
    arms: Annotated[dict[str, Share], Field(min_length=1)]
    salt: str = ""
    rest: bool = False


class MatchArmDoc(Doc):
    """One arm; the last has no ``when``."""

    when: Cond | None = None
    use: TermRef


class TermDoc(Doc):
    """A term as a map: one of ``first split match from``, and what restricts it."""

    first: list[TermRef] | None = None
    split: SplitDoc | None = None
    match: Annotated[list[MatchArmDoc], Field(min_length=1)] | None = None
    select: Cond | None = Field(None, alias="from")
    require: Cond | None = None
    rank: Annotated[list[str], Field(min_length=1)] | None = None
    take: Positive | None = None


TermRef = Annotated[
    Annotated[TermDoc, Tag("<term>")] | Annotated[str, Tag("<text>")], text_or("term")
]


class ChainDoc(TermDoc):
    """A named term."""

    replace: bool = False
    promise: PromiseDoc | None = None


ChainRef = Annotated[
    Annotated[ChainDoc, Tag("<term>")] | Annotated[str, Tag("<text>")], text_or("term")
]


class IntentDoc(Named):
    """A capability bucket that a client names."""

    kind: Kind
    listed: bool = True
    promise: PromiseDoc | None = None
    default: dict[str, Value] = {}
    select: Cond | None = Field(None, alias="from")
    require: Cond | None = None
    rank: Annotated[list[str], Field(min_length=1)] | None = None
    take: Positive | None = None
    use: TermRef | None = None


class AliasDoc(Named):
    """An alias that may be listed."""

    to: str
    listed: bool = False


AliasRef = Annotated[
    Annotated[AliasDoc, Tag("<alias>")] | Annotated[str, Tag("<text>")], text_or("alias")
]

for _model in (MatchArmDoc, TermDoc, ChainDoc, IntentDoc):
    _model.model_rebuild()
