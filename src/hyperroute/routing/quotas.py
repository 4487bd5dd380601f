"""What one attempt takes from the limits of what it is made with: account, offer, credential, model.

``limits`` of a provider, an offer or a key, and limits of the table per such a scope, count attempts
and not requests: beyond them the attempt is not made, and the run goes on to its next candidate. What
is asked is decided here; whoever counts (``runtime.quotas``) takes all of it or nothing.

Example:
    >>> tolls(plan, plan.candidates[0], "openai#0", at=now, unix_ns=unix_ns)
    (RateToll(place='provider:openai', barrier='limit', …), SlotToll(place='offer:m@openai', …))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.money import MICROCREDITS_PER_USD, BudgetKey, Microcredits
from hyperroute.canon.mutation import Pace, RateKey, Tags
from hyperroute.canon.quick import quick
from hyperroute.canon.units import DAY, Instant
from hyperroute.catalog.card import AccountLimits, Budget
from hyperroute.catalog.facts import Lookup, holds
from hyperroute.routing.budgets import OPEN_NOW, amount_of, period_of
from hyperroute.routing.limiting import estimated, meters, pace, person_of, used
from hyperroute.routing.plan import Candidate, Plan
from hyperroute.routing.record import Attempt, Barrier, Record
from hyperroute.routing.table import Limit, RouteTable
from hyperroute.routing.view import View

OWN: Final = "its own"
"""Stands for a limit's name where ``limits`` of an account are meant; no name has a blank."""

_EPOCH: Final = date(1970, 1, 1).toordinal()


@quick(frozen=True, slots=True, kw_only=True)
class RateToll:
    """Units of a rate.

    Attributes:
        place: What is used up with it (``Answers.full``); ``""``: only for somebody.
        observed: It counts, and keeps nobody away; so does a ``most`` of ``None`` of the others.
    """

    place: str
    barrier: Barrier
    key: RateKey
    pace: Pace
    unit: str
    units: int
    observed: bool = False


@quick(frozen=True, slots=True, kw_only=True)
class SlotToll:
    """One of so many attempts in flight."""

    place: str
    barrier: Barrier
    key: BudgetKey
    most: int | None


@quick(frozen=True, slots=True, kw_only=True)
class SpendToll:
    """Money of a period: the worst case, until it is known what the attempt cost.

    Attributes:
        amount: ``None``: nobody knows its bound, so that no budget has room for it.
        ends_at: When the period is over, on the clock of the run.
    """

    place: str
    barrier: Barrier
    key: BudgetKey
    most: Microcredits | None
    amount: Microcredits | None
    ends_at: Instant


Toll = RateToll | SlotToll | SpendToll


@quick(frozen=True, slots=True, kw_only=True)
class Used:
    """What an attempt really took. ``cost`` ``None``: nobody knows, and the worst case stays."""

    units: Mapping[str, int]
    cost: Microcredits | None


def tolls(
    plan: Plan, candidate: Candidate, credential: str, *, at: Instant, unix_ns: int
) -> tuple[Toll, ...]:
    """List what an attempt takes; nothing where nothing is limited.

    Args:
        plan: What was decided, for whom.
        candidate: One of the plan.
        credential: Id of the key; ``""``: the account has none.
        at: When it would begin, on the clock of the run.
        unix_ns: The same instant as Unix time: budgets are of the calendar.
    """
    table, offer = plan.table, candidate.offer
    entry = table.providers[offer.provider]
    named = limits_of_attempts(table)
    own = next((key.limits for key in entry.keys or () if key.id == credential), None)
    if entry.limits is None and offer.limits is None and own is None and not named:
        return ()
    asking = _Asking(plan, candidate, credential, at, unix_ns)
    found: list[Toll] = []
    for scope, name, limits in (
        ("provider", offer.provider, entry.limits),
        ("offer", offer.id, offer.limits),
        ("credential", credential, own),
    ):
        if limits is not None:
            found += asking.of_account(scope, name, limits)
    if named:
        known = View(plan.request, table, plan.answers, plan.seed).fact
        for limit in named:
            found += asking.of_limit(limit, known)
    return tuple(found)


def spent_from(plan: Plan, record: Record, attempt: Attempt) -> tuple[BudgetKey, ...]:
    """Name the budgets of accounts in which an attempt counted."""
    candidate = next(one for one in plan.candidates if one.offer.id == attempt.offer)
    unix_ns = record.began_unix_ns + attempt.started_at - record.began_at
    taken = tolls(plan, candidate, attempt.credential, at=attempt.started_at, unix_ns=unix_ns)
    return tuple([toll.key for toll in taken if isinstance(toll, SpendToll)])


def account_budgets(table: RouteTable, unix_ns: int) -> tuple[tuple[BudgetKey, int], ...]:
    """List the budgets of accounts, offers and keys as they are named now, with their periods' ends.

    Those of whoever asks are not among them: their subjects are not known before they ask.
    """
    found = vars(table).get("_account_budgets")
    if found is None:
        found = vars(table)["_account_budgets"] = tuple(_account_budgets(table))
    return tuple(
        [
            (BudgetKey(name, subject, period_of(budget.per, unix_ns)), _ends(budget, unix_ns))
            for name, subject, budget in found
        ]
    )


def _account_budgets(table: RouteTable) -> Iterator[tuple[str, Tags, Budget]]:
    keys = [key for entry in table.providers.values() for key in entry.keys or ()]
    for scope, name, limits in (
        *[("provider", name, entry.limits) for name, entry in table.providers.items()],
        *[("credential", key.id, key.limits) for key in keys],
        *[("offer", offer.id, offer.limits) for offer in table.offers.values()],
    ):
        if limits is not None and limits.budget is not None:
            yield OWN, ((scope, name),), limits.budget
    names = {
        "provider": tuple(table.providers),
        "credential": tuple([key.id for key in keys]),
        "offer": tuple(table.offers),
        "model": tuple(table.services),
    }
    for limit in limits_of_attempts(table):
        if limit.budget is not None and len(limit.per) == 1:
            for name in names.get(limit.per[0], ()):
                yield limit.name, ((limit.per[0], name),), limit.budget


def limits_of_attempts(table: RouteTable) -> tuple[Limit, ...]:
    """Find the limits of a table in which attempts count; they hang on it once they were asked for."""
    found = vars(table).get("_limits_of_attempts")
    if found is None:
        found = tuple([limit for limit in table.limits if limit.of_attempts])
        vars(table)["_limits_of_attempts"] = found
    return found


def used_by(attempt: Attempt, plan: Plan) -> Used | None:
    """Say what an attempt took once it is over; ``None``: nothing, for it was never sent."""
    failure = attempt.failure
    if failure is not None and failure.kind is FailureClass.NET_UNSENT:
        return None
    units = used(estimated(plan.request, plan.input_tokens), attempt.usage)
    return Used(units=units, cost=_microcredits(attempt.cost, plan.table.scale))


@quick(frozen=True, slots=True, kw_only=True)
class _Counter:
    """Whose counters: a limit's, of one subject, and what is used up with them."""

    limit: str
    subject: Tags
    place: str
    barrier: Barrier
    observed: bool = False

    def key(self, period: str) -> BudgetKey:
        return BudgetKey(self.limit, self.subject, period)


@quick(frozen=True, slots=True)
class _Asking:
    """One attempt that would like to be made."""

    plan: Plan
    candidate: Candidate
    credential: str
    at: Instant
    unix_ns: int

    def of_account(self, scope: str, name: str, limits: AccountLimits) -> Iterator[Toll]:
        """Ask what an account, an offer or a key says of itself."""
        counter = _Counter(
            limit=OWN,
            subject=((scope, name),),
            place=f"{scope}:{name}",
            barrier="credential_limit" if scope == "credential" else "limit",
        )
        amount = None if limits.budget is None else limits.budget.amount
        yield from self._of(counter, limits, amount)

    def of_limit(self, limit: Limit, known: Lookup) -> Iterator[Toll]:
        """Ask a limit of the table that counts attempts."""
        subject = self._subject(limit, known)
        if subject is None or not holds(limit.when, known):
            return
        alone = len(subject) == 1 and not limit.when
        counter = _Counter(
            limit=limit.name,
            subject=subject,
            place=f"{subject[0][0]}:{subject[0][1]}" if alone else "",
            barrier="credential_limit" if "credential" in limit.per else "limit",
            observed=limit.over == "observe",
        )
        amount = None if limit.budget is None else amount_of(limit.budget, known)
        yield from self._of(counter, limit, amount)

    def _subject(self, limit: Limit, known: Lookup) -> Tags | None:
        offer = self.candidate.offer
        made_with = {
            "provider": offer.provider,
            "offer": offer.id,
            "credential": self.credential,
            "model": offer.model,
        }
        subject: list[tuple[str, str]] = []
        for scope in limit.per:
            found = (scope, made_with[scope]) if scope in made_with else person_of(scope, known)
            if found is None or not found[1]:
                return None
            subject.append(found)
        return tuple(subject)

    def _of(
        self, counter: _Counter, limits: AccountLimits | Limit, amount: Microcredits | None
    ) -> Iterator[Toll]:
        place, barrier = counter.place, counter.barrier
        costs = estimated(self.plan.request, self.plan.input_tokens)
        for meter, rate in meters(limits.rate):
            if units := costs.get(rate.unit, 0):
                yield RateToll(
                    place=place,
                    barrier=barrier,
                    key=RateKey(counter.limit, meter, counter.subject),
                    pace=pace(rate),
                    unit=rate.unit,
                    units=units,
                    observed=counter.observed,
                )
        if limits.at_once is not None:
            most = None if counter.observed else limits.at_once
            yield SlotToll(place=place, barrier=barrier, key=counter.key(OPEN_NOW), most=most)
        if limits.budget is not None and amount is not None:
            yield SpendToll(
                place=place,
                barrier=barrier,
                key=counter.key(period_of(limits.budget.per, self.unix_ns)),
                most=None if counter.observed else amount,
                amount=_microcredits(self.candidate.worst, self.plan.table.scale),
                ends_at=self.at + _ends(limits.budget, self.unix_ns) - self.unix_ns,
            )


def _ends(budget: Budget, unix_ns: int) -> int:
    """Return the Unix time at which the period of an instant is over."""
    day = unix_ns // DAY + 1
    if budget.per == "month":
        first = date.fromordinal(_EPOCH + day - 1).replace(day=1)
        after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        day = after.toordinal() - _EPOCH
    return day * DAY


def _microcredits(units: int | None, scale: int) -> Microcredits | None:
    """Turn ``1 / scale`` USD into micro-credits, rounded up; unknown stays unknown."""
    return None if units is None else -(-units * MICROCREDITS_PER_USD // scale)


__all__ = [
    "OWN",
    "RateToll",
    "SlotToll",
    "SpendToll",
    "Toll",
    "Used",
    "account_budgets",
    "limits_of_attempts",
    "spent_from",
    "tolls",
    "used_by",
]
