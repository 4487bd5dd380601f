"""One request through the books, from its hold to its end."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hyperroute.canon.money import (
    Barred,
    BudgetKey,
    Checkpoint,
    Cost,
    Deposit,
    Dispatch,
    End,
    Held,
    Hold,
    HoldKey,
    MoneyMutation,
    MoneyOutcome,
    Overdue,
    Overdues,
    Posted,
    PostingKey,
    Purse,
    Repeated,
    Reserve,
    Short,
    Spend,
    Sums,
    Totals,
    Wallet,
    WalletKey,
)
from hyperroute.ledger.book import book
from hyperroute.ledger.recovery import endings
from hyperroute.stores.memory import MemoryStore

ADA, STRICT, FLOOR = "user:ada", Purse("user:ada"), Purse("user:ada", floor=200)
MONTH = BudgetKey("key-month", (("key", "k1"),), "2026-11")
TEAM = BudgetKey("team", (("org", "acme"),), "2026-11")
ONE = HoldKey("r1")


@dataclass
class Books:
    now: int = 0
    store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(now=lambda: self.now, book=book)

    def tell(self, mutation: MoneyMutation) -> MoneyOutcome:
        return self.store.commit([mutation]).outcomes[0]  # type: ignore[return-value] # of money

    def paid(self, amount: int) -> Books:
        self.tell(Deposit(PostingKey("pay/1"), ADA, amount))
        return self

    def accounts(self) -> dict[str, int]:
        (sums,) = self.store.read([Totals()])
        assert isinstance(sums, Sums)
        return {account: amount for account, amount in sums.accounts if amount}

    def wallet(self) -> object:
        return self.store.read([WalletKey(ADA)])[0]

    def spent(self, budget: BudgetKey = MONTH) -> object:
        return self.store.read([budget])[0]


def test_a_request_is_held_settled_and_the_rest_given_back() -> None:
    books = Books().paid(1_000)
    assert books.tell(Reserve(ONE, 700, ((MONTH, 900),), STRICT, lease_ns=5)) == Held(5)
    assert (books.wallet(), books.spent()) == (Wallet(300, 700), Spend(0, 700))
    assert books.accounts() == {"funds": -1_000, "held/user:ada": 700, "wallet/user:ada": 300}
    assert books.tell(Dispatch(ONE, 1, lease_ns=9)) == Held(9)
    lost, served = Cost("p", 40, served=False), Cost("q", 100, served=True)
    assert books.tell(End(ONE, 450, (lost, served))) == Posted(450, 0)
    assert (books.wallet(), books.spent()) == (Wallet(550, 0), Spend(450, 0))
    assert books.accounts() == {
        "bought": -100,
        "funds": -1_000,
        "lost/attempts": -40,
        "owed/p": 40,
        "owed/q": 100,
        "sales": 450,
        "wallet/user:ada": 550,
    }


def test_an_end_that_is_told_twice_is_one_end() -> None:
    books = Books().paid(1_000)
    books.tell(Reserve(ONE, 700, purse=STRICT))
    assert books.tell(End(ONE, 450)) == Posted(450)
    before = books.accounts()
    assert books.tell(End(ONE, 450)) == Barred("settled", 450)
    assert books.tell(End(ONE, None)) == Barred("settled", 450)
    assert books.tell(Dispatch(ONE, 2)) == Barred("settled", 450)
    assert books.tell(Reserve(ONE, 5, purse=STRICT)) == Barred("settled", 450)
    assert books.accounts() == before


def test_what_does_not_exist_is_told_so() -> None:
    for mutation in (End(ONE, 1), Dispatch(ONE, 1), Checkpoint(ONE, 1)):
        assert Books().tell(mutation) == Barred(None)


def test_a_payment_that_is_told_twice_is_one_payment() -> None:
    books = Books()
    assert books.tell(Deposit(PostingKey("pay/1"), ADA, 5)) == Posted(0)
    assert books.tell(Deposit(PostingKey("pay/1"), ADA, 5)) == Repeated()
    assert books.wallet() == Wallet(5, 0)


@pytest.mark.parametrize(
    ("amount", "limit", "told"),
    [
        (900, 900, Held(1)),
        (901, 900, Short(MONTH, 900, 901)),
        (0, 0, Short(MONTH, 0, 0)),
        (0, 1, Held(1)),
    ],
)
def test_a_budget_is_met_to_the_unit_and_zero_blocks_everything(
    amount: int, limit: int, told: MoneyOutcome
) -> None:
    assert Books().tell(Reserve(ONE, amount, ((MONTH, limit),), lease_ns=1)) == told


def test_a_strict_wallet_is_met_to_the_unit() -> None:
    assert Books().paid(700).tell(Reserve(ONE, 701, purse=STRICT)) == Short(None, 700, 701)
    books = Books().paid(700)
    assert isinstance(books.tell(Reserve(ONE, 700, purse=STRICT)), Held)
    assert books.tell(Reserve(HoldKey("r2"), 1, purse=STRICT)) == Short(None, 0, 1)


def test_open_holds_count_against_every_budget_or_none() -> None:
    books = Books()
    books.tell(Reserve(ONE, 600, ((MONTH, 900), (TEAM, 1_000))))
    told = books.tell(Reserve(HoldKey("r2"), 300, ((MONTH, 900), (TEAM, 899))))
    assert told == Short(TEAM, 299, 300)
    assert (books.spent(), books.spent(TEAM)) == (Spend(0, 600), Spend(0, 600))


def test_a_limit_that_was_lowered_below_what_is_used_has_nothing_left() -> None:
    books = Books()
    books.tell(Reserve(ONE, 600, ((MONTH, 900),)))
    assert books.tell(Reserve(HoldKey("r2"), 1, ((MONTH, 500),))) == Short(MONTH, 0, 1)


@pytest.mark.parametrize(
    ("purse", "budgets", "charged", "lost"),
    [
        (STRICT, (), 700, 50),
        (FLOOR, (), 750, 0),
        (FLOOR, ((MONTH, 900),), 700, 50),
        (None, ((MONTH, 900),), 700, 50),
    ],
)
def test_what_exceeds_the_hold_is_ours_unless_a_floor_alone_is_in_the_way(
    purse: Purse | None, budgets: tuple[tuple[BudgetKey, int], ...], charged: int, lost: int
) -> None:
    books = Books().paid(700)
    books.tell(Reserve(ONE, 700, budgets, purse))
    assert books.tell(End(ONE, 750)) == Posted(charged, lost)
    assert sum(books.accounts().values()) == 0
    if purse is not None:
        assert books.wallet() == Wallet(700 - charged, 0)


def test_a_hold_of_nothing_is_still_strict() -> None:
    books = Books()
    assert isinstance(books.tell(Reserve(ONE, 0, purse=STRICT)), Held)
    assert books.tell(End(ONE, 5)) == Posted(0, 5)


def test_a_floor_admits_from_its_amount_on_and_may_end_below_zero() -> None:
    assert Books().paid(199).tell(Reserve(ONE, 9_999, purse=FLOOR)) == Short(None, 199, 200)
    books = Books().paid(200)
    assert isinstance(books.tell(Reserve(ONE, 9_999, purse=FLOOR)), Held)
    assert books.wallet() == Wallet(200, 0)
    assert books.tell(End(ONE, 300)) == Posted(300)
    assert books.wallet() == Wallet(-100, 0)


def test_no_answer_costs_nothing_and_an_answer_for_nothing_is_an_answer() -> None:
    for charged, phase in ((None, "released"), (0, "settled")):
        books = Books().paid(700)
        books.tell(Reserve(ONE, 700, purse=STRICT))
        assert books.tell(End(ONE, charged)) == Posted(0)
        (hold,) = books.store.read([ONE])
        assert isinstance(hold, Hold)
        assert hold.phase == phase
        assert books.wallet() == Wallet(700, 0)


def test_an_overdue_hold_is_settled_by_its_last_checkpoint() -> None:
    books = Books().paid(1_000)
    books.tell(Reserve(ONE, 700, purse=STRICT, lease_ns=10))
    assert books.tell(Checkpoint(ONE, 5)) == Barred("held"), "nothing was sent yet"
    books.tell(Dispatch(ONE, 1, lease_ns=10))
    books.now = 4
    assert books.tell(Checkpoint(ONE, 120, lease_ns=10)) == Held(14)
    assert books.tell(Checkpoint(ONE, 90, lease_ns=1)) == Held(14), "an old one takes nothing back"
    books.now = 13
    assert books.store.read([Overdue(9)]) == (Overdues(()),)
    assert books.tell(End(ONE, 5, overdue=True)) == Barred("dispatched", 120)
    books.now = 14
    (overdue,) = books.store.read([Overdue(9)])
    assert isinstance(overdue, Overdues)
    (end,) = endings(overdue)
    assert books.tell(end) == Posted(120)
    assert books.tell(End(ONE, 300)) == Barred("settled", 120), "its owner was only slow"


def test_an_overdue_hold_of_which_nothing_was_delivered_is_released() -> None:
    books = Books().paid(1_000)
    books.tell(Reserve(ONE, 700, purse=STRICT, lease_ns=0))
    books.tell(Reserve(HoldKey("r2"), 100, purse=STRICT, lease_ns=0))
    books.tell(Dispatch(HoldKey("r2"), 1, lease_ns=0))
    (overdue,) = books.store.read([Overdue(9)])
    assert isinstance(overdue, Overdues)
    for end in endings(overdue):
        assert books.tell(end) == Posted(0)
    assert books.wallet() == Wallet(1_000, 0)


def test_a_store_without_books_refuses_money_as_a_defect() -> None:
    with pytest.raises(ValueError, match="no Deposit"):
        MemoryStore(now=lambda: 0).commit([Deposit(PostingKey("pay/1"), ADA, 5)])


def test_an_open_hold_takes_a_slot_and_gives_it_back_when_it_ends() -> None:
    books, slot = Books(), BudgetKey("two-at-once", (("user", "ada"),), "now")
    for name in ("r1", "r2"):
        assert isinstance(books.tell(Reserve(HoldKey(name), 0, slots=((slot, 2),))), Held)
    third = Reserve(HoldKey("r3"), 0, slots=((slot, 2),))
    assert books.tell(third) == Short(slot, 0, 1)
    assert books.spent(slot) == Spend(0, 2)
    books.tell(End(ONE, None))
    assert books.spent(slot) == Spend(0, 1)
    assert isinstance(books.tell(third), Held)


def test_a_hold_whose_first_attempt_goes_out_at_once_is_dispatched_from_the_beginning() -> None:
    books = Books()
    books.tell(Reserve(ONE, 5, attempt=1))
    hold = books.store.read([ONE])[0]
    assert isinstance(hold, Hold)
    assert (hold.phase, hold.attempt) == ("dispatched", 1)
    assert isinstance(books.tell(Checkpoint(ONE, 2)), Held)


def test_a_budget_and_a_slot_without_a_limit_count_and_refuse_nobody() -> None:
    books, watched = Books(), BudgetKey("watched", (("user", "ada"),), "2026-11")
    slot = BudgetKey("watched", (("user", "ada"),), "now")
    for name in ("r1", "r2"):
        hold = Reserve(HoldKey(name), 10**15, ((watched, None),), slots=((slot, None),))
        assert isinstance(books.tell(hold), Held)
    books.tell(End(ONE, 7))
    assert books.spent(watched) == Spend(7, 10**15)
    assert books.spent(slot) == Spend(0, 1)


def test_a_budget_that_only_observes_bounds_nobodys_charge() -> None:
    """Else watching a wallet under a floor would make us lose what exceeds the hold."""
    books, watched = Books(), BudgetKey("watched", (("user", "ada"),), "2026-11")
    books.tell(Deposit(PostingKey("pay/1"), ADA, 1_000))
    books.tell(Reserve(ONE, 100, ((watched, None),), Purse(ADA, floor=200)))
    assert books.tell(End(ONE, 300)) == Posted(300)
    assert books.spent(watched) == Spend(300, 0)
