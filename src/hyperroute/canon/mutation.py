"""What outlives a request, as values: keys that are read, mutations that are committed.

This is the whole vocabulary of a store (decision 0011), closed on purpose: a store is right if it is
right for these, and the conformance suite plays every one of them. What is kept, beside the money
of ``canon/money.py`` and the journal of ``canon/journal.py``:

| kind | key | what is read | what changes it |
|---|---|---|---|
| a rate limit's counter | ``RateKey`` | ``Tat``, or ``None`` | ``Charge``, ``Correct`` |
| a record of an account | ``RowKey`` | ``Row``, or ``None`` | ``Put``, ``Delete`` |
| all records with a tag | ``Tagged`` | a tuple of ``Row``, by id | the same |

A mutation carries everything that deciding it needs but the time, which is the store's: replicas
disagree about it, their store does not. Only durations come back, never an instant of its clock.

Example:
    >>> key = RateKey(limit="user-speed", meter="req/min", subject=(("user", "ada"),))
    >>> charge = Charge(key, Pace(amount=300, period_ns=60_000_000_000, burst=50), units=1)
    >>> charge.key.subject
    (('user', 'ada'),)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hyperroute.canon.auditing import AuditFound, AuditKey
from hyperroute.canon.journal import (
    JournalCell,
    JournalMutation,
    JournalOutcome,
    JournalQuestion,
    Tallies,
    UsagePage,
    UsageRow,
)
from hyperroute.canon.money import (
    Barred,
    MoneyCell,
    MoneyMutation,
    MoneyOutcome,
    MoneyState,
    Overdue,
    Overdues,
    Repeated,
    Short,
    Sums,
    Totals,
)
from hyperroute.canon.quick import quick
from hyperroute.canon.units import Instant

# --- keys ----------------------------------------------------------------------------------------
Tags = tuple[tuple[str, str], ...]
"""By what a record is found beside its id, such as ``(("prefix", "ck_0a1b2"),)``; sorted."""

Shelf = Literal["idempotency", "key", "notice", "payment", "use"]
"""Kinds of records, a closed set: answers kept for idempotency keys; API keys, mails about them,
payments, when keys were last used."""


@quick(frozen=True, slots=True)
class RateKey:
    """One counter: a limit's meter (``req/min``) for one subject (``(("user", "ada"),)``).

    Neither the amount nor the burst is part of it, so that a table with another number goes on
    with what was already used.
    """

    limit: str
    meter: str
    subject: Tags


@quick(frozen=True, slots=True)
class RowKey:
    """One record."""

    shelf: Shelf
    id: str


@quick(frozen=True, slots=True)
class Tagged:
    """Every record of a shelf that bears a tag."""

    shelf: Shelf
    name: str
    value: str


@quick(frozen=True, slots=True)
class Shelved:
    """Every record of a shelf."""

    shelf: Shelf


Cell = RateKey | RowKey | MoneyCell | JournalCell
"""What a mutation may change: one counter, one record, one thing of money, rows of the journal."""

Lookup = Cell | Tagged | Shelved | Overdue | Totals | JournalQuestion
"""What requests ask, and what is kept in order for them."""

Key = Lookup | AuditKey


# --- what is read --------------------------------------------------------------------------------
@quick(frozen=True, slots=True)
class Tat:
    """Theoretical arrival time: when all that was charged has been worked off. Exact.

    The instant is ``ns + part / of`` on the clock of the store, with ``part`` below ``of``: a third
    of a nanosecond is kept, because a hundred million roundings are not nothing.
    """

    ns: int
    part: int = 0
    of: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One record. ``body`` is JSON text, which a store never looks into.

    ``version`` is the number of the commit that wrote it, so that no two writings of a record have
    the same, not even with a deletion between them. From ``until`` on, an instant of the store, it
    is not there any more; ``None``: it stays.
    """

    key: RowKey
    body: str
    tags: Tags
    version: int
    until: Instant | None = None


State = Tat | Row | MoneyState | UsageRow
"""What a cell holds; one that holds nothing is ``None``."""

Found = State | tuple[Row, ...] | Overdues | Sums | UsagePage | Tallies | AuditFound | None
"""By the kind of the key, as in the table above."""


# --- what changes --------------------------------------------------------------------------------
@quick(frozen=True, slots=True)
class Pace:
    """``amount`` units per ``period_ns``, of which ``burst`` may come at once. All at least 1."""

    amount: int
    period_ns: int
    burst: int


@quick(frozen=True, slots=True)
class Charge:
    """Take units from a counter, if they fit now; ``units`` is at least 1."""

    key: RateKey
    pace: Pace
    units: int


@quick(frozen=True, slots=True)
class Correct:
    """Take (or with less than 0, give back) units whatever the counter says; never declined.

    An estimate becomes what was really used; an observing limit counts and refuses nobody.
    """

    key: RateKey
    pace: Pace
    units: int


@quick(frozen=True, slots=True)
class Put:
    """Write a record whole.

    ``expected`` is the version it must have: 0 = there is none yet, ``None`` = whatever is there.
    ``keep_ns`` is for how long it is there; ``None``: until it is deleted. What has lapsed is
    nothing, for whoever reads and for whoever expects, whether or not it is removed yet.
    """

    key: RowKey
    body: str
    tags: Tags = ()
    expected: int | None = None
    keep_ns: int | None = None


@quick(frozen=True, slots=True)
class Delete:
    """Remove a record; ``expected`` as of ``Put``. What is not there is removed already."""

    key: RowKey
    expected: int | None = None


Mutation = Charge | Correct | Put | Delete | MoneyMutation | JournalMutation


# --- what a commit answers -----------------------------------------------------------------------
@quick(frozen=True, slots=True)
class Charged:
    """The units fit. ``left`` more would now; after ``full_ns`` the counter is as if untouched."""

    left: int
    full_ns: int


@quick(frozen=True, slots=True)
class Exceeded:
    """The units do not fit.

    Attributes:
        wait_ns: The least wait after which the same charge fits, if nobody else comes between;
            ``None``: it never does, because it is larger than the burst.
        left: Units that would fit now.
        full_ns: After it the counter is as if untouched.
    """

    wait_ns: int | None
    left: int
    full_ns: int


@quick(frozen=True, slots=True)
class Stored:
    """The record is written, or removed, by the commit of this number."""

    version: int


@quick(frozen=True, slots=True)
class Changed:
    """The record is not of the version that was expected. ``found`` 0: there is none."""

    found: int


@quick(frozen=True, slots=True)
class Untried:
    """Nobody looked at it: it is kept by another server than what decided the batch before."""


Outcome = Charged | Exceeded | Stored | Changed | Untried | MoneyOutcome | JournalOutcome

DECLINED = (Exceeded, Changed, Short, Barred, Repeated)
"""Outcomes that leave a whole batch undone."""


@quick(frozen=True, slots=True)
class Commit:
    """What became of a batch: all of it is ``done``, or nothing is.

    ``outcomes`` stand by the position of their mutations in either case, each judged against what
    the store held before the batch: so whoever is declined learns of every reason at once.
    """

    done: bool
    outcomes: tuple[Outcome, ...]


__all__ = [
    "DECLINED",
    "Cell",
    "Changed",
    "Charge",
    "Charged",
    "Commit",
    "Correct",
    "Delete",
    "Exceeded",
    "Found",
    "Key",
    "Lookup",
    "Mutation",
    "Outcome",
    "Pace",
    "Put",
    "RateKey",
    "Row",
    "RowKey",
    "Shelf",
    "Shelved",
    "State",
    "Stored",
    "Tagged",
    "Tags",
    "Tat",
    "Untried",
]
