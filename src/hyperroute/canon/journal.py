"""What every request came to, as values: rows that are written once, questions about many of them.

A row holds names, numbers and instants, never a prompt, an answer, a secret or a query string, so
that it may be kept for a year and shown to its owner (invariant 29). Sums by day are kept with the
rows, in the same commit, and outlive them.

| asked | answered |
|---|---|
| ``UsageKey`` | one row, or ``None`` |
| ``UsageQuery`` | ``UsagePage``: rows, in an order, a page at a time |
| ``UsageSums`` | ``Tallies``: sums by day, model, key, …, over all rows that a selection has |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from hyperroute.canon.money import Microcredits
from hyperroute.canon.quick import quick
from hyperroute.canon.units import DAY, Instant
from hyperroute.canon.usage import NO_USAGE, Usage

ROWS_MAX: Final = 10_000
"""Rows of one page; more are asked for with ``after``."""

Dimension = Literal["day", "owner", "key", "model", "endpoint", "status"]
"""By what requests are summed."""

DIMENSIONS: Final[tuple[Dimension, ...]] = ("day", "owner", "key", "model", "endpoint", "status")
"""All of them, in the order in which a tally names its group."""

Order = Literal["newest", "oldest", "dearest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """One request and what it came to. A row is never changed.

    Attributes:
        id: Of the request, as its response named it; unique.
        at: Unix nanoseconds of its arrival.
        owner: Whose money: ``user:ada``, ``org:acme``; ``""``: nobody's.
        key: Id of the key, never the key; ``""``: none was needed.
        endpoint: As tables call it (``chat``); ``""``: none of them.
        requested: The model or intent as the caller wrote it.
        model: As the table calls it: the one that answered, or else that was tried last; ``""``:
            the table knows none. Sums are made by it, so that a caller cannot make up groups.
        offer: Whose answer was delivered, in whole or in part; ``None``: nobody's.
        provider: Of that offer, as is ``region``.
        status: That was answered, of a stream that broke too.
        latency_ms: To the last byte; ``ttft_ms`` to the provider's first content, ``None`` if none came.
        usage: Of the delivered answer.
        credits: Charged to the owner.
        cost: What the delivered answer costs us; ``None``: unknown. ``lost``: what all other
            attempts cost us.
        attempts: Calls to providers.
        job: Of work that outlives its connection; ``None``: it was none.
        error: The class of what went wrong, or the code of a refusal; ``None``: nothing did.
        left: What became of the call whose caller had left; ``None``: it stayed.
    """

    id: str
    at: Instant
    owner: str = ""
    key: str = ""
    endpoint: str = ""
    requested: str = ""
    model: str = ""
    offer: str | None = None
    provider: str | None = None
    region: str | None = None
    status: int = 200
    latency_ms: int = 0
    ttft_ms: int | None = None
    usage: Usage = NO_USAGE
    credits: Microcredits = 0
    cost: Microcredits | None = 0
    lost: Microcredits | None = 0
    attempts: int = 0
    stream: bool = False
    job: str | None = None
    error: str | None = None
    left: Literal["cancelled", "drained"] | None = None

    @property
    def served(self) -> str | None:
        """The model that answered."""
        return self.model if self.offer is not None else None


# --- cells ---------------------------------------------------------------------------------------
@quick(frozen=True, slots=True)
class UsageKey:
    """One row."""

    id: str


@quick(frozen=True, slots=True)
class PastRows:
    """Up to ``most`` rows of before an instant, the oldest first: what can only be forgotten."""

    before: Instant
    most: int


# --- what is asked about many ----------------------------------------------------------------------
@quick(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows; what is ``None`` selects nothing away.

    Attributes:
        since: Unix nanoseconds; this instant belongs to it.
        until: Unix nanoseconds; this instant does not.
        owner: As of ``UsageRow``, as are ``key``, ``endpoint`` and ``model``.
        status: From the first to the last, both included: ``(429, 429)``, ``(500, 599)``.
        latency_ms_min: As slow as this, or slower.
        credits_min: As dear as this, or dearer.
        text: Stands in the model, the requested model, the endpoint, the error or the id, whatever
            the case of its letters if they are all ASCII.
    """

    since: Instant | None = None
    until: Instant | None = None
    owner: str | None = None
    key: str | None = None
    endpoint: str | None = None
    model: str | None = None
    status: tuple[int, int] | None = None
    latency_ms_min: int | None = None
    credits_min: Microcredits | None = None
    text: str | None = None

    @property
    def by_day(self) -> bool:
        """Whether the sums by day know everything that is selected by."""
        rows_only = (self.latency_ms_min, self.credits_min, self.text)
        return rows_only == (None, None, None) and not any(
            bound is not None and bound % DAY for bound in (self.since, self.until)
        )


@quick(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """Asks for rows.

    Attributes:
        order: Rows of one instant, or of one price, stand in an order that does not change.
        limit: At most so many, up to ``ROWS_MAX``.
        after: Only what comes behind this row, named by its instant and id, in the order of time;
            ``None``: from the beginning.
    """

    selection: Selection = Selection()
    order: Order = "newest"
    limit: int = 1_000
    after: tuple[Instant, str] | None = None


@quick(frozen=True, slots=True, kw_only=True)
class UsageSums:
    """Asks for sums. Rows that were forgotten are still in those that ``by_day`` answers."""

    selection: Selection = Selection()
    by: tuple[Dimension, ...] = ()


@quick(frozen=True, slots=True)
class UsagePage:
    """What ``UsageQuery`` finds."""

    rows: tuple[UsageRow, ...]


@quick(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums of the requests of one group. What is unknown of one of them is not in a sum.

    Attributes:
        group: A value for each dimension that was asked for, in that order: days since 1970-01-01,
            a status, or a name.
        uncosted: Requests of which a cost is unknown.
    """

    group: tuple[int | str, ...]
    requests: int = 0
    credits: Microcredits = 0
    cost: Microcredits = 0
    lost: Microcredits = 0
    uncosted: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@quick(frozen=True, slots=True)
class Tallies:
    """What ``UsageSums`` finds, by group."""

    tallies: tuple[Tally, ...]


# --- mutations and their outcomes ------------------------------------------------------------------
@quick(frozen=True, slots=True)
class Log:
    """Write a row. Never declined, so it goes along with what must not fail.

    A second time under the same id changes nothing.
    """

    row: UsageRow


@quick(frozen=True, slots=True)
class Forget:
    """Remove up to ``most`` rows of before an instant, the oldest first; the sums by day stay."""

    before: Instant
    most: int = 1_000


@quick(frozen=True, slots=True)
class Logged:
    """The row is there. ``again``: it was before."""

    again: bool = False


@quick(frozen=True, slots=True)
class Forgotten:
    """They are gone."""


JournalCell = UsageKey | PastRows
JournalMutation = Log | Forget
JournalOutcome = Logged | Forgotten
JournalQuestion = UsageQuery | UsageSums

__all__ = [
    "DIMENSIONS",
    "ROWS_MAX",
    "Dimension",
    "Forget",
    "Forgotten",
    "JournalCell",
    "JournalMutation",
    "JournalOutcome",
    "JournalQuestion",
    "Log",
    "Logged",
    "Order",
    "PastRows",
    "Selection",
    "Tallies",
    "Tally",
    "UsageKey",
    "UsagePage",
    "UsageQuery",
    "UsageRow",
    "UsageSums",
]
