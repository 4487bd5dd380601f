"""Money that is set aside, spent and posted, as values. Integers of micro-credits, nothing else.

100 credits are one US dollar and a credit has a million parts. A *hold* is money set aside for one
request before it is sent anywhere, and ends once: it is settled or released. A *budget* caps what is
settled and held together; a *wallet* is whose money it is. What happens to them is posted in double
entry, and a posting is never changed.

| cell | key | holds |
|---|---|---|
| a wallet | ``WalletKey`` | what is free, what is held |
| a budget of one period | ``BudgetKey`` | what is settled, what is held |
| a hold | ``HoldKey`` | its terms, its phase, and until when its owner vouches for it |
| a posting | ``PostingKey`` | entries whose sum is zero |
"""

from __future__ import annotations

from typing import Literal

from hyperroute.canon.quick import quick
from hyperroute.canon.units import Instant

Microcredits = int
MICROCREDITS_PER_CREDIT = 1_000_000
MICROCREDITS_PER_USD = 100_000_000
Phase = Literal["held", "dispatched", "settled", "released"]

OPEN: tuple[Phase, ...] = ("held", "dispatched")
"""Phases that a hold leaves again."""


# --- cells ---------------------------------------------------------------------------------------
@quick(frozen=True, slots=True)
class WalletKey:
    """Whose money: ``user:ada``, ``org:acme``."""

    owner: str


@quick(frozen=True, slots=True)
class BudgetKey:
    """One budget of one subject in one period, such as ``2026-11``; of open holds it is ``now``."""

    limit: str
    subject: tuple[tuple[str, str], ...]
    period: str


@quick(frozen=True, slots=True)
class HoldKey:
    """A hold, named by whoever makes it, so that asking twice is asking once."""

    id: str


@quick(frozen=True, slots=True)
class PostingKey:
    """A posting; unique, so that nothing is posted twice."""

    id: str


@quick(frozen=True, slots=True)
class Wallet:
    """``free`` may be spent or set aside; ``held`` is set aside."""

    free: Microcredits = 0
    held: Microcredits = 0


@quick(frozen=True, slots=True)
class Spend:
    """What a budget has been used for; both count against its limit."""

    settled: Microcredits = 0
    held: Microcredits = 0


@quick(frozen=True, slots=True)
class Hold:
    """Money set aside for one request.

    Attributes:
        amount: The most it may cost.
        owner: Of the wallet; ``None``: no wallet pays, only budgets count.
        of_wallet: How much of the wallet is set aside: the amount, or 0 under a floor.
        bounded: Whether the customer never pays more than the amount: with a budget in the way that
            could refuse, or a wallet without a floor.
        budgets: What it counts against.
        phase: ``dispatched`` from before the first byte that may cost something was sent.
        attempt: Number of the last attempt that was dispatched, from 1.
        due: Instant of the store; from then on whoever sweeps may end it.
        charged: What it came to, once it is settled, and so far where a checkpoint was made.
        slots: Counters of open holds that it counts in.
    """

    amount: Microcredits
    owner: str | None
    of_wallet: Microcredits
    bounded: bool
    budgets: tuple[BudgetKey, ...]
    phase: Phase
    attempt: int
    due: Instant
    charged: Microcredits | None = None
    slots: tuple[BudgetKey, ...] = ()


@quick(frozen=True, slots=True)
class Posting:
    """Entries by account; their sum is zero. ``at`` is the store's instant."""

    at: Instant
    entries: tuple[tuple[str, Microcredits], ...]


# --- what is asked about many ----------------------------------------------------------------------
@quick(frozen=True, slots=True)
class Overdue:
    """Asks for holds that nobody vouches for any longer, the longest first: a sweeper ends them."""

    most: int


@quick(frozen=True, slots=True)
class Totals:
    """Asks for the sum of all entries of each account."""


@quick(frozen=True, slots=True)
class Overdues:
    """What ``Overdue`` finds."""

    holds: tuple[tuple[HoldKey, Hold], ...]


@quick(frozen=True, slots=True)
class Sums:
    """What ``Totals`` finds, by the account's name."""

    accounts: tuple[tuple[str, Microcredits], ...]


# --- mutations -----------------------------------------------------------------------------------
@quick(frozen=True, slots=True)
class Deposit:
    """Put money into a wallet. ``key`` names the payment: a second time changes nothing."""

    key: PostingKey
    owner: str
    amount: Microcredits


@quick(frozen=True, slots=True)
class Purse:
    """Which wallet pays, and how it is asked.

    ``floor``: it must have so much free, is charged in full, and may end below zero. Without a
    floor it is strict: the worst case is set aside, and it never falls below zero.
    """

    owner: str
    floor: Microcredits | None = None


@quick(frozen=True, slots=True)
class Reserve:
    """Set the worst case aside, in every budget and the wallet or nowhere.

    Attributes:
        amount: The most the request may cost, 0 or more.
        budgets: Each with its limit; ``None``: it counts, and refuses nobody.
        purse: ``None``: no wallet pays.
        lease_ns: How long the owner vouches for the hold without a further word.
        attempt: 1: its first attempt is dispatched as soon as the hold stands, which saves a word.
        slots: Counters of open holds, each with how many may be open (``None``: any number): this
            one takes one of each, and gives it back when it ends.
    """

    key: HoldKey
    amount: Microcredits
    budgets: tuple[tuple[BudgetKey, Microcredits | None], ...] = ()
    purse: Purse | None = None
    lease_ns: int = 600_000_000_000
    attempt: int = 0
    slots: tuple[tuple[BudgetKey, int | None], ...] = ()

    @property
    def is_bounded(self) -> bool:
        """Whether the customer never pays more than the amount."""
        capped = any(limit is not None for _, limit in self.budgets)
        return capped or (self.purse is not None and self.purse.floor is None)


@quick(frozen=True, slots=True)
class Dispatch:
    """Say that an attempt is about to cost something; answered before its first byte is sent."""

    key: HoldKey
    attempt: int
    lease_ns: int = 600_000_000_000


@quick(frozen=True, slots=True)
class Checkpoint:
    """Say what has certainly been delivered so far; renews the lease."""

    key: HoldKey
    charged: Microcredits
    lease_ns: int = 600_000_000_000


@quick(frozen=True, slots=True)
class Cost:
    """What one attempt costs us.

    Attributes:
        served: It is the one that was delivered.
        budgets: Of our accounts, in which it is counted; the money is spent, so none refuses it.
    """

    provider: str
    amount: Microcredits
    served: bool
    budgets: tuple[BudgetKey, ...] = ()


@quick(frozen=True, slots=True)
class End:
    """End a hold, once.

    Attributes:
        charged: What the answer is worth to the customer, be it 0; ``None``: there was no answer,
            and the hold is released. What exceeds the hold is our loss, unless a wallet under a
            floor pays and no budget is in the way.
        costs: Of every attempt, those that failed or lost a race too.
        overdue: Only if its owner no longer vouches for it, and its last checkpoint says the same
            charge: what a sweeper says, who may have looked a while ago.
    """

    key: HoldKey
    charged: Microcredits | None
    costs: tuple[Cost, ...] = ()
    overdue: bool = False


MoneyCell = WalletKey | BudgetKey | HoldKey | PostingKey
MoneyState = Wallet | Spend | Hold | Posting
MoneyMutation = Deposit | Reserve | Dispatch | Checkpoint | End


# --- outcomes ------------------------------------------------------------------------------------
@quick(frozen=True, slots=True)
class Held:
    """The hold stands, until then."""

    due: Instant


@quick(frozen=True, slots=True)
class Short:
    """Something has too little left. ``budget`` ``None``: the wallet; of a slot it is the counter."""

    budget: BudgetKey | None
    left: Microcredits
    needed: Microcredits


@quick(frozen=True, slots=True)
class Posted:
    """It is in the books. ``charged`` to the customer, ``lost`` of the price by us."""

    charged: Microcredits
    lost: Microcredits = 0


@quick(frozen=True, slots=True)
class Barred:
    """The hold is not in a phase for that: it ended, or is not overdue; ``None``: there is none."""

    phase: Phase | None
    charged: Microcredits | None = None


@quick(frozen=True, slots=True)
class Repeated:
    """It was posted before, under the same name."""


MoneyOutcome = Held | Short | Posted | Barred | Repeated

__all__ = [
    "MICROCREDITS_PER_CREDIT",
    "MICROCREDITS_PER_USD",
    "OPEN",
    "Barred",
    "BudgetKey",
    "Checkpoint",
    "Cost",
    "Deposit",
    "Dispatch",
    "End",
    "Held",
    "Hold",
    "HoldKey",
    "Microcredits",
    "MoneyCell",
    "MoneyMutation",
    "MoneyOutcome",
    "MoneyState",
    "Overdue",
    "Overdues",
    "Phase",
    "Posted",
    "Posting",
    "PostingKey",
    "Purse",
    "Repeated",
    "Reserve",
    "Short",
    "Spend",
    "Sums",
    "Totals",
    "Wallet",
    "WalletKey",
]
