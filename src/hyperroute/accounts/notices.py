"""When whoever looks after a key is written to, and what: at 80 % and at 100 % of its limit.

Decided from what is kept and from nothing that is remembered: whichever replica looks, and whenever,
comes to the same. So what a crash has kept from being said is said at the next look, and what was
said is a record that cannot be made twice.

* Each threshold is told once a key and month. A jump past both tells both, 80 first.
* What is settled counts, and not what is held. The hard cap is met by refusals, because a budget
  holds the worst case in advance and is never overshot: so a request that was refused at 80 % or
  beyond tells of the 100 %, and so does one for which the key was disabled.
* Raising a limit arms again the thresholds that are now above what is settled.
* Money that comes back unsays nothing, and enables no key.

Example:
    >>> [notice.threshold for notice in due(key, settled=95, refused=True, period="2026-11", sent=(), now=0)]
    [80, 100]
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from hyperroute.accounts.amounts import credits_of
from hyperroute.accounts.keys import Key
from hyperroute.canon.money import BudgetKey, Microcredits
from hyperroute.canon.mutation import Put, Row, RowKey, Tagged
from hyperroute.canon.quick import quick
from hyperroute.canon.units import HOUR, MINUTE, Instant
from hyperroute.routing.budgets import SPENDING_LIMIT

THRESHOLDS: Final = (80, 100)
"""Per cent of a limit."""

LEASE_NS: Final = 5 * MINUTE
"""Whoever begins to send a mail has so long; then another may send it again."""

TRIES_MAX: Final = 80
"""Of one mail: by the waits between them some three days."""

_WAIT_NS: Final = MINUTE
_WAIT_MAX_NS: Final = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One mail about one key, with all that its text needs. Amounts are micro-credits.

    Attributes:
        number: Which one of this key, month and threshold, from 0.
        refused: A request was refused for the limit.
        disabled: The key was disabled for it.
        rearmed: The limit was raised since; this one stands in nobody's way any more.
        state: ``queued`` until it was taken by a mail server, ``failed`` where none ever did.
        due: When it is to be tried next.
        said: What came of the last try.
    """

    key: str
    name: str
    owner: str
    period: str
    threshold: int
    number: int
    limit: Microcredits
    settled: Microcredits
    refused: bool
    disabled: bool
    at: Instant
    rearmed: bool = False
    state: Literal["queued", "sent", "failed"] = "queued"
    due: Instant = 0
    tries: int = 0
    said: str = ""

    @property
    def id(self) -> str:
        """Its name; whoever makes it a second time is declined."""
        return f"{self.key}/{self.period}/{self.threshold}/{self.number}"


@quick(frozen=True, slots=True)
class Mail:
    """What is to be sent. ``id`` is the same at every try."""

    id: str
    subject: str
    text: str
    at: Instant


# --- what is due -----------------------------------------------------------------------------------
def due(
    key: Key,
    *,
    settled: Microcredits,
    refused: bool,
    period: str,
    sent: Sequence[Notice],
    now: Instant,
) -> tuple[Notice, ...]:
    """Say which notices are to be made, the lower threshold first.

    Args:
        key: As it is kept: inactive by now, if its limit disables it.
        settled: What its budget of the period has settled.
        refused: A request was refused for that budget.
        period: The month, such as ``2026-11``.
        sent: All notices of the key and the period.
        now: Unix nanoseconds.
    """
    limit = key.spending_limit_microcredits
    if limit is None:
        return ()
    disabled = refused and key.auto_disable and not key.active
    reached = [one for one in THRESHOLDS if 0 < one * limit <= 100 * settled]
    if disabled or (refused and reached):
        reached = sorted({*reached, THRESHOLDS[-1]})
    said = {one.threshold for one in sent if not one.rearmed}
    return tuple(
        Notice(
            key=key.id,
            name=key.name,
            owner=f"{key.owner_type}:{key.owner_id}",
            period=period,
            threshold=threshold,
            number=sum(one.threshold == threshold for one in sent),
            limit=limit,
            settled=settled,
            refused=refused,
            disabled=disabled,
            at=now,
            due=now,
        )
        for threshold in reached
        if threshold not in said
    )


def rearmed(
    limit: Microcredits | None, settled: Microcredits, rows: Sequence[Row]
) -> tuple[Put, ...]:
    """Arm again the thresholds that a raised limit has put above what is settled.

    Args:
        limit: The new one; ``None``: there is none any more, and so all of them.
        settled: In the month of the rows.
        rows: Of all notices of the key and the month.
    """
    found: list[Put] = []
    for row in rows:
        notice = read(row)
        above = limit is None or notice.threshold * limit > 100 * settled
        if above and not notice.rearmed:
            found.append(put(replace(notice, rearmed=True), expected=row.version))
    return tuple(found)


def budget_of(key_id: str, period: str) -> BudgetKey:
    """Name the budget that a key's own limit caps."""
    return BudgetKey(SPENDING_LIMIT, (("key", key_id),), period)


# --- sending ---------------------------------------------------------------------------------------
def claimed(notice: Notice, *, now: Instant) -> Notice:
    """Take a notice in hand, so that nobody else sends it meanwhile."""
    return replace(notice, tries=notice.tries + 1, due=now + LEASE_NS)


def delivered(notice: Notice, *, now: Instant) -> Notice:
    """Note that it was taken by who delivers it."""
    return replace(notice, state="sent", due=now, said="")


def failed(notice: Notice, why: str, *, now: Instant) -> Notice:
    """Note that it was not, and when to try again: after a minute, then twice as long, then hourly."""
    if notice.tries >= TRIES_MAX:
        return replace(notice, state="failed", said=why)
    wait_ns = min(_WAIT_NS << min(notice.tries - 1, 16), _WAIT_MAX_NS)
    return replace(notice, due=now + wait_ns, said=why)


def mail_of(notice: Notice) -> Mail:
    """Write a notice for people."""
    name = "".join(mark if mark.isprintable() else " " for mark in notice.name)
    what = (
        f"has spent {notice.threshold} % of its limit"
        if notice.threshold < THRESHOLDS[-1]
        else "has reached its limit"
    )
    told = [
        f"The API key {name!r} ({notice.key}, {notice.owner}) {what} for {notice.period}:",
        f"{_credits(notice.settled)} of {_credits(notice.limit)} credits are spent.",
    ]
    if notice.disabled:
        told.append(
            "A request was refused for it, and the key is disabled until somebody enables it."
        )
    elif notice.threshold < THRESHOLDS[-1]:
        told.append("Requests that could exceed it will be refused.")
    else:
        told.append("Requests that could exceed it are refused until the month is over, in UTC.")
    subject = f"hyperroute: the key {name!r} {what} for {notice.period}"
    return Mail(notice.id, subject, "\n".join(told) + "\n", notice.at)


def _credits(amount: Microcredits) -> str:
    told = credits_of(amount)
    return f"{told:f}" if isinstance(told, Decimal) else f"{told}"


# --- as records ------------------------------------------------------------------------------------
def about(key_id: str, period: str) -> Tagged:
    """Ask for all notices of a key and a month."""
    return Tagged("notice", "for", f"{key_id}/{period}")


QUEUED: Final = Tagged("notice", "state", "queued")
"""Asks for what is yet to be sent."""


def put(notice: Notice, *, expected: int = 0) -> Put:
    """Write a notice; by default a new one, which nobody else has made."""
    tags = (("for", f"{notice.key}/{notice.period}"), ("state", notice.state))
    body = json.dumps(asdict(notice), ensure_ascii=False)
    return Put(RowKey("notice", notice.id), body, tags, expected)


def read(row: Row) -> Notice:
    """Read a notice from its record."""
    return Notice(**json.loads(row.body))


__all__ = [
    "LEASE_NS",
    "QUEUED",
    "THRESHOLDS",
    "TRIES_MAX",
    "Mail",
    "Notice",
    "about",
    "budget_of",
    "claimed",
    "delivered",
    "due",
    "failed",
    "mail_of",
    "put",
    "read",
    "rearmed",
]
