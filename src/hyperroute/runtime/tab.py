"""The money of one run: what the store is asked, and when. ``paying`` asks.

| when | what is asked | if it is declined |
|---|---|---|
| before the first attempt | the worst case is set aside | the run is refused; nothing was sent |
| while it streams, every 2 s or 500 tokens | what was delivered so far is noted | the answer goes on |
| when it is over, before its end is told | it is charged, the rest given back | a sweeper had ended it |

So whoever has read the end of an answer has been charged for it, and a process that dies on the way
leaves a hold that says how far it came (``ledger.recovery``). A tab belongs to its run and not to the
caller's connection: who leaves is charged for what was delivered. The end of a run whose store does
not answer is kept by the till, and told again with the next.

A text run is dispatched once, by the hold itself: what recovery does for text is the same after
every attempt, and the hold outlasts them all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Generic, Literal, TypeVar

from hyperroute.canon.money import (
    MICROCREDITS_PER_CREDIT,
    Barred,
    Checkpoint,
    End,
    Held,
    HoldKey,
    Microcredits,
    Purse,
    Reserve,
    Short,
)
from hyperroute.canon.mutation import Mutation
from hyperroute.canon.units import MILLISECOND, SECOND, Instant
from hyperroute.catalog.facts import Lookup
from hyperroute.errors import StoreError
from hyperroute.providers.flow import Pause
from hyperroute.routing import budgets
from hyperroute.routing.candidate import Refusal
from hyperroute.routing.plan import Plan
from hyperroute.routing.record import Record
from hyperroute.routing.selling import charged, charged_so_far, costs, unpriced, worst_charge
from hyperroute.routing.view import View
from hyperroute.runtime.conversation import Conversation
from hyperroute.runtime.outcome import shown

CHECKPOINT_NS: Final = 2 * SECOND
CHECKPOINT_SIZE: Final = 2_000
"""Characters, which are about 500 tokens (reliability.md, 5.9)."""

LEASE_EXTRA_NS: Final = 120 * SECOND
"""How much longer a hold is vouched for than its run may take: it may be heard out (5.11)."""

FIRST_PAUSE_NS: Final = 20 * MILLISECOND
LONGEST_PAUSE_NS: Final = 500 * MILLISECOND
"""Before a slot that was taken is asked for again: twice as long each time."""

NOT_ADMITTED: Final = frozenset({"insufficient_credits", "too_many_at_once", "store_down"})
"""Codes of what is refused here: such a request has taken nothing anywhere."""

UNTOLD_MAX: Final = 10_000
"""Ends that wait for a store to come back; what comes beyond them is the sweeper's."""

FLOOR: Final = 200 * MICROCREDITS_PER_CREDIT
"""What a wallet must hold to enter (api.md, 22)."""

Wallets = Literal["none", "floor", "strict"]
"""Whether callers pay from wallets: not at all; with so much in them that the floor is kept, charged
in full afterwards; or with the worst case set aside."""

Journal = Callable[[Plan, Record, Microcredits | None], Sequence[Mutation]]
"""What is to be written with the end of a run that charged so much; ``None``: nothing was charged."""

Asking = Generator[Sequence[Mutation] | Pause, Any, "R"]
"""Yields batches, and is sent what the store made of each or has its ``StoreError`` thrown in; a
pause is answered with nothing once it is over."""

S = TypeVar("S")
R = TypeVar("R")

STORE_DOWN: Final = Refusal(
    status=503,
    code="store_down",
    message="Money and limits cannot be checked now. Try again shortly.",
    retry_after_s=1,
)


OVERTAKEN: Final = Refusal(
    status=409,
    code="overtaken",
    message="Another request is answering what this one was to answer.",
    retry_after_s=1,
)


def no_journal(_plan: Plan, _record: Record, _charged: Microcredits | None) -> Sequence[Mutation]:
    """Write nothing beside the money."""
    return ()


class Till(Generic[S]):
    """Where the runs of a client are paid. Safe between threads.

    Attributes:
        store: Keeps the books (``ledger.book``), in the client's colour.
        untold: Ends that the store has not heard yet, oldest first.
    """

    def __init__(self, store: S, *, wallets: Wallets = "none", floor: Microcredits = FLOOR) -> None:
        """Open, with nothing taken.

        Args:
            store: Of which money is kept.
            wallets: Whether callers pay from a wallet where no limit of the table says how.
            floor: For ``floor``.
        """
        self.store = store
        self.untold: deque[tuple[Mutation, ...]] = deque(maxlen=UNTOLD_MAX)
        self._wallets = wallets
        self._floor = floor

    def tab(
        self,
        plan: Plan,
        *,
        request_id: str,
        unix_ns: int,
        journal: Journal,
        with_hold: Sequence[Mutation] = (),
    ) -> Tab[S]:
        """Begin a tab; nothing is asked yet."""
        return Tab(
            self,
            plan,
            request_id=request_id,
            unix_ns=unix_ns,
            journal=journal,
            with_hold=with_hold,
        )

    def purse(self, owner: str) -> Purse | None:
        """Say how a caller's wallet is asked."""
        match self._wallets:
            case "none":
                return None
            case "floor":
                return Purse(owner, self._floor)
            case "strict":
                return Purse(owner)

    def retelling(self) -> Asking[None]:
        """Tell again what the store has not heard; the first that it does not hear ends it."""
        while self.untold:
            batch = self.untold[0]
            try:
                commit = yield batch
                if not commit.done and batch[1:]:
                    yield batch[1:]
            except StoreError:
                return
            if self.untold and self.untold[0] is batch:
                self.untold.popleft()


class Tab(Generic[S]):
    """What one run has asked so far.

    Attributes:
        store: Where it is asked.
        short: What had too little left, where that refused the run.
        charged: What the run came to; ``None``: nothing.
        over: It was asked to end.
    """

    __slots__ = (
        "_at",
        "_hold",
        "_journal",
        "_key",
        "_plan",
        "_size",
        "_till",
        "_unix_ns",
        "_with_hold",
        "charged",
        "over",
        "short",
        "store",
    )

    def __init__(
        self,
        till: Till[S],
        plan: Plan,
        *,
        request_id: str,
        unix_ns: int,
        journal: Journal,
        with_hold: Sequence[Mutation] = (),
    ) -> None:
        """Take a plan whose run has not begun; without ``with_hold`` there is no hold either."""
        self.store = till.store
        self.short: Short | None = None
        self.charged: Microcredits | None = None
        self.over = False
        self._till = till
        self._plan = plan
        self._key = HoldKey(request_id)
        self._unix_ns = unix_ns
        self._journal = journal
        self._with_hold = with_hold
        self._hold: Reserve | None = None
        self._at: Instant = 0
        self._size = 0

    def opening(self) -> Asking[Refusal | None]:
        """Set aside what the run may cost; what comes back refuses it."""
        if self._plan.refusal is not None:
            return None
        hold = self._terms()
        if isinstance(hold, Refusal):
            return hold
        self._hold = hold
        waited, pause = 0, FIRST_PAUSE_NS
        while True:
            told = yield from self._reserved(hold)
            if not isinstance(told, Short):
                return told
            left = self._patience(told) - waited
            if left <= 0:
                self._hold = None
                self.short = told
                return _short(told)
            pause = min(pause, left)
            yield Pause(pause)
            waited, pause = waited + pause, min(2 * pause, LONGEST_PAUSE_NS)

    def _reserved(self, hold: Reserve) -> Asking[Short | Refusal | None]:
        """Ask for a hold; ``None``: it stands."""
        for _ in range(2):
            try:
                commit = yield (hold, *self._with_hold)
            except StoreError as error:
                if not error.unknown:
                    break
                continue  # asked again: a hold of this name that stands is ours
            outcome = commit.outcomes[0]
            assert isinstance(outcome, Held | Barred | Short)
            if isinstance(outcome, Short):
                return outcome
            if isinstance(outcome, Barred) or commit.done:
                return None
            self._hold = None
            return OVERTAKEN
        self._hold = None
        return STORE_DOWN

    def _patience(self, short: Short) -> int:
        """Say how long it is worth asking again, which ends with the run's own time."""
        if short.budget is None:
            return 0
        longest = budgets.patience(self._plan.table.limits, short.budget)
        return min(longest, self._plan.deadline_ns)

    def is_due(self, call: Conversation | None, now: Instant) -> bool:
        """Say whether what was delivered since the last checkpoint is worth another."""
        if self._hold is None or call is None:
            return False
        if not self._at:
            self._at = now
        return now - self._at >= CHECKPOINT_NS or call.size - self._size >= CHECKPOINT_SIZE

    def noting(self, call: Conversation | None, now: Instant) -> Asking[None]:
        """Note what was delivered so far; a store that does not answer is left for the next time."""
        assert self._hold is not None
        assert call is not None
        self._at, self._size = now, call.size
        so_far = charged_so_far(self._plan, call.offer, call.size)
        with suppress(StoreError):
            yield (Checkpoint(self._key, self._most(so_far), self._hold.lease_ns),)

    def closing(self, plan: Plan, record: Record) -> Asking[None]:
        """Charge for what was delivered, and give back the rest.

        Args:
            plan: As it was carried out, or refused.
            record: Of the run, which is over.
        """
        self.over = True
        yield from self._till.retelling()
        price = None
        if self._hold is not None:
            price = charged(plan, record)
            self.charged = None if price is None else self._most(price)
        journal = tuple(self._journal(plan, record, self.charged))
        batch = journal
        if self._hold is not None:
            batch = (End(self._key, price, costs(self._plan, record)), *journal)
        if not batch:
            return
        for _ in range(2):
            try:
                commit = yield batch
                if not commit.done and isinstance(commit.outcomes[0], Barred) and journal:
                    yield journal
            except StoreError as error:
                if not error.unknown:
                    break
                continue
            return
        self._till.untold.append(batch)

    def _most(self, price: Microcredits) -> Microcredits:
        hold = self._hold
        return min(price, hold.amount) if hold is not None and hold.is_bounded else price

    def _terms(self) -> Reserve | Refusal:
        plan = self._plan
        known = View(plan.request, plan.table, plan.answers, plan.seed).fact
        limits = plan.table.limits
        model = None if not plan.pinned else plan.name
        caps = budgets.budgets(limits, known, unix_ns=self._unix_ns, model=model)
        owner = _owner(known)
        default = None if owner is None else self._till.purse(owner)
        purse = budgets.purse(limits, known, default=default)
        capped = any(limit is not None for _, limit in caps)
        if (purse is not None or capped) and (without := unpriced(plan)):
            names = ", ".join([shown(plan, one.id, one.provider) for one in without])
            return _unpriced(f"no price is known for {names}")
        hold = Reserve(
            self._key,
            0,
            caps,
            purse,
            lease_ns=plan.deadline_ns + LEASE_EXTRA_NS,
            attempt=1,
            slots=budgets.slots(limits, known, model=model),
        )
        if not hold.is_bounded:
            return hold
        worst = worst_charge(plan)
        if worst is None:
            return _unpriced("what it may cost has no bound; say how many tokens it may answer")
        return replace(hold, amount=worst)


def _owner(known: Lookup) -> str | None:
    """Name whose wallet pays: the organisation of the caller, else the user."""
    for kind in ("org", "user"):
        if (found := known(f"{kind}.id")) is not None:
            return f"{kind}:{found}"
    return None


def _unpriced(why: str) -> Refusal:
    return Refusal(
        status=402, code="insufficient_credits", message=f"This request is refused: {why}."
    )


def _short(short: Short) -> Refusal:
    """Say to a caller what had too little left."""
    budget = short.budget
    if budget is not None and budget.period == budgets.OPEN_NOW:
        return Refusal(
            status=429,
            code="too_many_at_once",
            message=f"The limit {budget.limit!r} of requests at once is reached.",
            retry_after_s=1,
            limit=budget.limit,
        )
    left, needed = credits_of(short.left), credits_of(short.needed)
    if budget is None:
        said = f"The balance is {left} credits, and {needed} are needed."
    else:
        said = (
            f"The budget {budget.limit!r} of {budget.period} has {left} credits left,"
            f" and this request may cost up to {needed}."
        )
    limit = "" if budget is None else budget.limit
    return Refusal(status=402, code="insufficient_credits", message=said, limit=limit)


def credits_of(amount: Microcredits) -> str:
    """Write an amount in credits, exactly."""
    whole, part = divmod(abs(amount), MICROCREDITS_PER_CREDIT)
    sign = "-" if amount < 0 else ""
    digits = f".{part:06d}".rstrip("0") if part else ""
    return f"{sign}{whole}{digits}"


__all__ = ["FLOOR", "Asking", "Journal", "Tab", "Till", "Wallets", "credits_of", "no_journal"]
