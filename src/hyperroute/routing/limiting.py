"""Which limits of a table a request meets, and what a store's answer to them means.

Every endpoint asks the same three questions, and so every endpoint is limited by the same code:
``charges`` says what is to be taken from which counter, the store takes all of it or nothing, and
``granted`` reads what came of it. A subject is a user, not a key: another key of the same user is
no other quota (invariant 46); of a key that belongs to an organisation it is the organisation.

What is not kept as the table says it is not passed over: ``unenforced`` names it, for ``serve`` to
print at its start.

Example:
    >>> demands = charges(table.limits, facts.get, {"req": 1})
    >>> commit = store.commit([demand.mutation for demand in demands])
    >>> told = granted(demands, commit)
    >>> told.headers(unix_ns)
    (('X-RateLimit-Limit', '300'), ('X-RateLimit-Remaining', '299'), ('X-RateLimit-Reset', '1763836800'))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Final

from hyperroute.canon.mutation import (
    Charge,
    Charged,
    Commit,
    Correct,
    Exceeded,
    Pace,
    RateKey,
    Tags,
)
from hyperroute.canon.quick import quick
from hyperroute.canon.request import Request
from hyperroute.canon.units import DAY, HOUR, MINUTE, SECOND, Instant
from hyperroute.canon.usage import Usage
from hyperroute.canon.wire import Headers
from hyperroute.catalog.card import AccountLimits, Rate
from hyperroute.catalog.facts import Lookup, holds
from hyperroute.routing.needs import answers_wanted
from hyperroute.routing.table import Limit, RouteTable

PERIODS: Mapping[str, int] = MappingProxyType(
    {"s": SECOND, "min": MINUTE, "h": HOUR, "day": DAY, "month": 30 * DAY}
)
"""Nanoseconds of what a rate is per. It flows evenly, so a month is thirty days; only a budget
begins anew with the calendar."""

MODEL = "model"

_EXACT: Final = Context(prec=28)
"""Of this module, so that nobody's settings change a share."""

_SUBJECTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "user": ("user.id", "org.id"),
        "key": ("key.id",),
        "org": ("org.id",),
    }
)
"""Scope to the facts that name its subject; the first that is known counts."""


@quick(frozen=True, slots=True)
class Demand:
    """One charge, and the limit that wants it."""

    limit: str
    rate: Rate
    mutation: Charge | Correct


@quick(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the limits say to one request.

    Attributes:
        allowed: Whether all of it was taken; if not, nothing was.
        limit: Name of the limit that the other members speak of: of those that refuse, the one
            with the longest wait; of those that allow, the one with the least left. ``""``: none.
        rate: As the table has it, for a message.
        amount: What may come at once, in the rate's unit.
        left: How much of it is left.
        reset_ns: After it all of it is there again.
        wait_ns: The least wait after which the same request passes; ``None``: allowed, or never.
    """

    allowed: bool
    limit: str = ""
    rate: Rate | None = None
    amount: int = 0
    left: int = 0
    reset_ns: int = 0
    wait_ns: int | None = None

    def headers(self, unix_ns: Instant) -> Headers:
        """Write ``X-RateLimit-*``, and ``Retry-After`` if waiting helps; nothing if none applies.

        Seconds are rounded up, so that whoever obeys them passes.
        """
        if not self.limit:
            return ()
        found: Headers = (
            ("X-RateLimit-Limit", str(self.amount)),
            ("X-RateLimit-Remaining", str(self.left)),
            ("X-RateLimit-Reset", str(_seconds(unix_ns + self.reset_ns))),
        )
        if self.wait_ns is None:
            return found
        return (*found, ("Retry-After", str(_seconds(self.wait_ns))))


UNLIMITED = Verdict(allowed=True)


def charges(
    limits: Sequence[Limit],
    known: Lookup,
    costs: Mapping[str, int],
    *,
    model: str | None = None,
    workers: int = 1,
) -> tuple[Demand, ...]:
    """List what one request takes from which counters.

    Args:
        limits: Of the table.
        known: Facts of the request and its caller; ``user.id``, ``org.id`` and ``key.id`` are
            those of ``accounts.keys.Granted.facts``.
        costs: Units of the request by the word of a rate (``req``, ``poll``, ``tok``, …). Of a unit
            that is not in it, or 0, the request takes nothing.
        model: The table's own name of the model that was asked for, so that neither an alias nor an
            invented word is another counter; ``None``: an intent, which is no model.
        workers: How many processes share each rate without sharing a store.

    Returns:
        No two of the same counter. Empty if nothing limits this request.
    """
    return tuple(
        demand
        for limit in limits
        if limit.rate and not limit.of_attempts
        for demand in _demands(limit, known, costs, model=model, workers=workers)
    )


def estimated(request: Request, tokens: int) -> Mapping[str, int]:
    """Say by the word of a rate what a request is charged before it is made.

    Its input, counted or estimated, and nothing of its output; of what is made as many as were asked
    for, and of a time that nobody knows yet one second.
    """
    found = {"req": 1, "tok": max(1, tokens)}
    if request.kind == "image":
        found["image"] = answers_wanted(request.parameters)
    if request.kind in {"video", "audio", "gpu"}:
        found["second"] = 1
    return found


def used(estimate: Mapping[str, int], usage: Usage) -> Mapping[str, int]:
    """Say the same once it is known what was used; what nobody reported stays as it was estimated."""
    found = dict(estimate)
    read = estimate["tok"] if usage.input_tokens is None else usage.input_tokens
    found["tok"] = read + (usage.output_tokens or 0)
    if usage.images is not None and "image" in found:
        found["image"] = usage.images
    times = [ms for ms in (usage.made_ms, usage.received_ms, usage.run_ms) if ms is not None]
    if times and "second" in found:
        found["second"] = -(-sum(times) // 1_000)
    return found


def granted(demands: Sequence[Demand], commit: Commit) -> Verdict:
    """Read what a store answered to the mutations of ``demands``, in their order.

    Of units that are no requests the headers speak only where their limit refuses: a client takes
    ``X-RateLimit-Remaining`` for a number of calls.
    """
    told = list(zip(demands, commit.outcomes, strict=True))
    if not commit.done:
        over = [(d, o) for d, o in told if isinstance(o, Exceeded)]
        assert over, "a batch of charges is declined by a charge"
        demand, outcome = max(over, key=lambda pair: _longest_last(pair[1].wait_ns))
        return _verdict(demand, outcome)
    counted = [
        (demand, outcome)
        for demand, outcome in told
        if isinstance(outcome, Charged)
        and isinstance(demand.mutation, Charge)
        and demand.rate.unit in {"req", "poll"}
    ]
    if not counted:
        return UNLIMITED
    demand, tightest = min(counted, key=lambda pair: (pair[1].left, -pair[1].full_ns))
    return _verdict(demand, tightest)


def refusing(demands: Sequence[Demand], commit: Commit) -> frozenset[str]:
    """Name the limits that refuse."""
    told = zip(demands, commit.outcomes, strict=True)
    return frozenset([demand.limit for demand, told_ in told if isinstance(told_, Exceeded)])


def patience(limits: Sequence[Limit], names: frozenset[str]) -> int:
    """Say how long a request that all of these refuse is held, in nanoseconds; the least counts."""
    return min([limit.wait_ns for limit in limits if limit.name in names], default=0)


def shares(demands: Sequence[Demand], commit: Commit) -> Mapping[str, Decimal]:
    """Say how much of each rate was used before this request, of what may come at once.

    The fullest of a limit counts; tokens are as they were estimated.
    """
    found: dict[str, Decimal] = {}
    for demand, outcome in zip(demands, commit.outcomes, strict=True):
        if isinstance(outcome, Charged):
            burst = demand.mutation.pace.burst
            part = share_of(max(0, burst - outcome.left - demand.mutation.units), burst)
            found[demand.limit] = max(part, found.get(demand.limit, part))
    return found


def share_of(used: int, most: int) -> Decimal:
    """Divide; of nothing everything is used."""
    return _EXACT.divide(Decimal(used), Decimal(most)) if most > 0 else Decimal(1)


def pace(rate: Rate, *, workers: int = 1) -> Pace:
    """Turn a rate of the table into what a counter needs.

    A worker's share is exact: the same amount, in so many times the period. Of the burst it has the
    whole part, but never less than one, or nothing would ever pass.
    """
    burst = rate.amount if rate.burst is None else rate.burst
    return Pace(rate.amount, PERIODS[rate.per] * workers, max(1, burst // workers))


def unenforced(table: RouteTable, *, money: bool = False) -> tuple[str, ...]:
    """Say, a sentence each, what the table limits and is not kept as it says.

    ``money``: whether a store keeps holds, in which budgets, floors and slots of callers are.
    """
    return (
        *(told for limit in table.limits for told in _not_kept(limit, money=money)),
        *(
            f"the budget of {place} is counted anew at every start without a state"
            for place, limits in _account_limits(table)
            if limits is not None and limits.budget is not None and not money
        ),
    )


def _demands(
    limit: Limit, known: Lookup, costs: Mapping[str, int], *, model: str | None, workers: int
) -> Iterator[Demand]:
    subject = subject_of(limit, known, model)
    if subject is None or not holds(limit.when, known):
        return
    for meter, rate in meters(limit.rate):
        if units := costs.get(rate.unit, 0):
            kind = Correct if limit.over == "observe" else Charge
            key = RateKey(limit.name, meter, subject)
            yield Demand(limit.name, rate, kind(key, pace(rate, workers=workers), units))


def subject_of(limit: Limit, known: Lookup, model: str | None) -> Tags | None:
    """Name whose counter it is; ``None`` if one of its scopes is unknown, or is of attempts."""
    subject: list[tuple[str, str]] = []
    for scope in limit.per:
        found = person_of(scope, known)
        if scope == MODEL and model is not None:
            found = MODEL, model
        if found is None:
            return None
        subject.append(found)
    return tuple(subject)


def person_of(scope: str, known: Lookup) -> tuple[str, str] | None:
    """Name who is meant by a scope; ``None``: nobody that is known."""
    for fact in _SUBJECTS.get(scope, ()):
        value = known(fact)
        if value is not None:
            return fact.removesuffix(".id"), str(value)
    return None


def meters(rates: Sequence[Rate]) -> Iterator[tuple[str, Rate]]:
    """Name the counter of each rate (``req/min``); a second one of a name is ``req/min#2``."""
    seen: dict[str, int] = {}
    for rate in rates:
        meter = f"{rate.unit}/{rate.per}"
        seen[meter] = seen.get(meter, 0) + 1
        yield (meter if seen[meter] == 1 else f"{meter}#{seen[meter]}"), rate


def _verdict(demand: Demand, outcome: Charged | Exceeded) -> Verdict:
    return Verdict(
        allowed=isinstance(outcome, Charged),
        limit=demand.limit,
        rate=demand.rate,
        amount=demand.mutation.pace.burst,
        left=outcome.left,
        reset_ns=outcome.full_ns,
        wait_ns=outcome.wait_ns if isinstance(outcome, Exceeded) else None,
    )


def _longest_last(wait_ns: int | None) -> tuple[bool, int]:
    """Order waits; never is the longest."""
    return wait_ns is None, wait_ns or 0


def _seconds(ns: int) -> int:
    return -(-ns // SECOND)


# --- what is not kept as it is said -----------------------------------------------------------------------
def _not_kept(limit: Limit, *, money: bool) -> Iterator[str]:
    parts = [
        word
        for word, said in (
            ("at_once", limit.at_once),
            ("floor", limit.floor),
            ("budget", limit.budget),
        )
        if said is not None
    ]
    if parts and not limit.of_attempts and not money:
        yield f"limit {limit.name!r}: {', '.join(parts)} not enforced without a state"
    if limit.of_attempts and limit.budget is not None and not (money and len(limit.per) == 1):
        yield f"the budget of limit {limit.name!r} is counted anew at every start"
    if limit.floor is not None and limit.hold == "estimate":
        yield f"limit {limit.name!r}: the worst case is held, and no estimate"
    if limit.warn:
        yield f"limit {limit.name!r}: warn not enforced yet"


def _account_limits(table: RouteTable) -> Iterator[tuple[str, AccountLimits | None]]:
    for provider in table.providers.values():
        yield f"provider {provider.name!r}", provider.limits
        for key in provider.keys or ():
            yield f"credential {key.id!r}", key.limits
    for offer in table.offers.values():
        yield f"offer {offer.id!r}", offer.limits


__all__ = [
    "PERIODS",
    "UNLIMITED",
    "Demand",
    "Verdict",
    "charges",
    "estimated",
    "granted",
    "meters",
    "pace",
    "patience",
    "person_of",
    "refusing",
    "share_of",
    "shares",
    "subject_of",
    "unenforced",
    "used",
]
