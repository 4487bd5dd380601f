"""What a table knows of providers, models and offers, after it was checked.

An unknown fact is ``None``. An offer's facts are *effective*: its own where it says them, else its
model's or its provider's, so that a decision reads one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hyperroute.canon.money import Microcredits
from hyperroute.canon.request import Kind
from hyperroute.catalog.price import Price, Sell
from hyperroute.catalog.shape import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Limits of one attempt, in nanoseconds; ``None``: not said (in a merged policy: none)."""

    connect_ns: int | None = None
    first_byte_ns: int | None = None
    first_content_ns: int | None = None
    idle_ns: int | None = None
    total_ns: int | None = None


@dataclass(frozen=True, slots=True)
class OpenInRow:
    """Open after this many failures in a row."""

    count: int


@dataclass(frozen=True, slots=True)
class OpenByShare:
    """Open when ``percent`` of at least ``samples`` outcomes within ``window_ns`` failed."""

    percent: int
    samples: int
    window_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When to leave an offer alone. ``cool_ns`` of 0 turns it off."""

    open: tuple[OpenInRow | OpenByShare, ...]
    cool_ns: int
    cool_max_ns: int


@dataclass(frozen=True, slots=True)
class Rate:
    """``amount`` of ``unit`` per ``per_ns``; ``burst`` is ``None`` where not said.

    ``per`` is the author's word. A rate flows evenly (``routing.limiting.PERIODS``); only a budget
    begins anew with the calendar.
    """

    amount: int
    unit: Literal["req", "poll", "tok", "image", "second"]
    per: Literal["s", "min", "h", "day", "month"]
    burst: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Money per calendar period, UTC.

    Attributes:
        amount: In micro-credits; ``None``: the fact is it.
        fact: Name of a fact of money; where that is unknown there is no budget.
    """

    per: Literal["day", "month"]
    amount: Microcredits | None = None
    fact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """Limits of an account, a key or an offer: beyond them it is as if it were not there."""

    rate: tuple[Rate, ...] = ()
    at_once: int | None = None
    budget: Budget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """One credential of an account. ``id`` is ``provider#0``, …; ``secret`` only a reference."""

    id: str
    secret: str
    limits: AccountLimits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """An upstream account. ``url`` and header values may be references (``env:NAME``)."""

    name: str
    plugin: str
    url: str | None = None
    keys: tuple[KeyEntry, ...] | None = None
    """``None``: not said, so the plugin's own default reference counts; ``()``: no credential."""
    region: str | None = None
    retain_ns: int | None = None
    trains: bool | None = None
    speaks: tuple[str, ...] | None = None
    timeout: Timeouts | None = None
    breaker: Breaker | None = None
    limits: AccountLimits | None = None
    hidden: bool = False
    headers: Mapping[str, str]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTerms:
    """How an asynchronous job at this host is followed."""

    poll_ns: int | None = None
    within_ns: int | None = None
    cancel: bool = False
    notify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model at a provider under a price: the only thing that can be attempted.

    ``id`` is ``model@provider`` or ``model@provider/variant``. ``sends`` may hold one ``*`` where
    the model's name is a pattern. ``takes`` is the host's own narrowing and only ever drops.
    """

    id: str
    model: str
    provider: str
    variant: str | None = None
    sends: str
    price: Price = ()
    kind: Kind
    does: frozenset[str]
    endpoints: frozenset[str]
    context: int | None = None
    input: int | None = None
    output: int | None = None
    region: str | None = None
    retain_ns: int | None = None
    trains: bool | None = None
    tags: frozenset[str] = frozenset()
    quality: Mapping[str, int]
    vendor: str | None = None
    takes: Shape | None = None
    batch: int | None = None
    fields: Mapping[str, str]
    adds: Mapping[str, Any]
    job: JobTerms | None = None
    limits: AccountLimits | None = None
    timeout: Timeouts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Facts about weights wherever they are served. ``offers`` in declared order."""

    name: str
    kind: Kind
    offers: tuple[Offer, ...]
    vendor: str | None = None
    does: frozenset[str]
    context: int | None = None
    input: int | None = None
    output: int | None = None
    endpoints: frozenset[str]
    tags: frozenset[str] = frozenset()
    quality: Mapping[str, int]
    listed: bool = True
    takes: Shape | None = None
    sell: Sell = Sell()
    wait_ns: int | None = None
    max_run_ns: int | None = None
    fps: int | None = None
    clients: frozenset[str] | None = None

    @property
    def is_pattern(self) -> bool:
        """Whether the name stands for many; such a model is not listed and no intent selects it."""
        return "*" in self.name
