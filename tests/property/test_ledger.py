"""The books under any sequence of requests (invariants 33 to 37, 40, 41 and 52)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyperroute.canon.money import (
    OPEN,
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
    Posting,
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
from hyperroute.ledger.checking import checked
from hyperroute.ledger.recovery import endings
from hyperroute.stores.base import Store
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

OWNERS = ("user:ada", "org:acme")
LIMITS = {
    BudgetKey("key-month", (("key", "k1"),), "2026-11"): 900,
    BudgetKey("team", (("org", "acme"),), "2026-11"): 1_500,
    BudgetKey("closed", (("key", "k2"),), "2026-11"): 0,
}
OFTEN = [*LIMITS, *list(LIMITS)[:2] * 3]
LEASE = 100
amounts = st.one_of(st.sampled_from([0, 1, 149, 150, 300, 301]), st.integers(0, 400))
"""Round ones and their neighbours, so that limits are met to the unit."""
prices = st.one_of(st.none(), st.sampled_from([0, 150, 300]), st.integers(0, 500))
costs = st.lists(
    st.builds(Cost, st.sampled_from(["p", "q"]), st.integers(0, 50), st.booleans()), max_size=3
).map(tuple)
purses = st.sampled_from([None, Purse(OWNERS[0]), Purse(OWNERS[0]), Purse(OWNERS[1], floor=200)])
budgets = st.lists(st.sampled_from(OFTEN), max_size=2, unique=True)
which = st.integers(0, 9)
"""Which hold: counted back from the latest."""
moves = st.lists(
    st.one_of(
        st.tuples(
            st.just("deposit"), st.integers(0, 6), st.sampled_from(OWNERS), st.integers(1, 900)
        ),
        st.tuples(st.just("reserve"), amounts, budgets, purses),
        st.tuples(st.just("reserve"), amounts, budgets, purses),
        st.tuples(st.just("repeat"), which),
        st.tuples(st.just("dispatch"), which, st.integers(1, 3)),
        st.tuples(st.just("checkpoint"), which, st.integers(0, 500)),
        st.tuples(st.just("end"), which, prices, costs, st.booleans()),
        st.tuples(st.just("end"), which, prices, costs, st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([1, LEASE // 2, LEASE])),
        st.tuples(st.just("sweep"), st.integers(1, 3)),
        st.tuples(st.just("refused_batch"), which),
        st.tuples(st.just("reopen")),
    ),
    min_size=25,
    max_size=60,
)


@dataclass
class Ledger:
    """Two owners, one strict and one under a floor, three budgets, and what they were told."""

    opened: Callable[[Callable[[], int]], Store]
    now: int = 1
    paid: dict[str, tuple[str, int]] = field(default_factory=dict)
    reserved: dict[str, Reserve] = field(default_factory=dict)
    ended: dict[str, Posted] = field(default_factory=dict)
    prices: dict[str, int | None] = field(default_factory=dict)
    postings: dict[PostingKey, Posting] = field(default_factory=dict)
    bought: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        self.store = self.opened(lambda: self.now)

    def play(self, move: str, *said: Any) -> None:
        getattr(self, move)(*said)
        for check in (
            self.accounts_sum_to_zero,
            self.no_posting_changes,
            self.holds_end_once,
            self.wallets_without_a_floor_are_not_below_zero,
            self.no_budget_is_overspent,
            self.nobody_pays_beyond_the_hold_nor_for_no_answer,
        ):
            check()

    def tell(self, mutation: MoneyMutation) -> MoneyOutcome:
        commit = self.store.commit([mutation])
        (outcome,) = commit.outcomes
        assert commit.done == (not isinstance(outcome, Short | Barred | Repeated))
        return outcome  # type: ignore[return-value] # a mutation of money

    def named(self, which: int) -> str:
        return f"h{max(0, len(self.reserved) - 1 - which)}"

    def is_open(self, name: str) -> bool:
        return name in self.reserved and name not in self.ended

    def hold(self, name: str) -> Hold | None:
        (found,) = self.store.read([HoldKey(name)])
        assert found is None or isinstance(found, Hold)
        return found

    def wallet(self, owner: str) -> Wallet:
        (found,) = self.store.read([WalletKey(owner)])
        assert found is None or isinstance(found, Wallet)
        return found or Wallet()

    def spend(self, budget: BudgetKey) -> Spend:
        (found,) = self.store.read([budget])
        assert found is None or isinstance(found, Spend)
        return found or Spend()

    # --- what may happen -------------------------------------------------------------------------
    def deposit(self, number: int, owner: str, amount: int) -> None:
        name = f"pay/{number}"
        told = self.tell(Deposit(PostingKey(name), owner, amount))
        assert isinstance(told, Repeated if name in self.paid else Posted)
        self.paid.setdefault(name, (owner, amount))

    def reserve(self, amount: int, budgets: list[BudgetKey], purse: Purse | None) -> None:
        terms = tuple((key, LIMITS[key]) for key in budgets)
        mutation = Reserve(HoldKey(f"h{len(self.reserved)}"), amount, terms, purse, LEASE)
        short = [key for key, limit in terms if amount > self.left(key) or limit == 0]
        needed = 0 if purse is None else amount if purse.floor is None else purse.floor
        poor = purse is not None and self.wallet(purse.owner).free < needed
        told = self.tell(mutation)
        if short or poor:
            assert isinstance(told, Short)
            assert told.budget == (short[0] if short else None)
            assert (told.left, told.needed) == (
                (self.left(short[0]), amount) if short else (self.wallet(purse.owner).free, needed)  # type: ignore[union-attr]
            )
        else:
            assert told == Held(self.now + LEASE)
            self.reserved[mutation.key.id] = mutation

    def left(self, budget: BudgetKey) -> int:
        spend = self.spend(budget)
        return LIMITS[budget] - spend.settled - spend.held

    def repeat(self, which: int) -> None:
        if name := self.reserved and self.named(which):
            before = self.hold(name)
            assert isinstance(self.tell(self.reserved[name]), Barred)
            assert self.hold(name) == before

    def dispatch(self, which: int, attempt: int) -> None:
        name = self.named(which)
        before = self.hold(name)
        told = self.tell(Dispatch(HoldKey(name), attempt, LEASE // 4))
        self.vouched(name, before, told, may=self.is_open(name))
        after = self.hold(name)
        assert not isinstance(told, Held) or (after and after.phase == "dispatched")

    def checkpoint(self, which: int, charged: int) -> None:
        name = self.named(which)
        before = self.hold(name)
        told = self.tell(Checkpoint(HoldKey(name), charged, LEASE))
        self.vouched(name, before, told, may=before is not None and before.phase == "dispatched")
        after = self.hold(name)
        if isinstance(told, Held) and before and after:
            assert after.charged == max(before.charged or 0, charged)

    def vouched(self, name: str, before: Hold | None, told: MoneyOutcome, *, may: bool) -> None:
        after = self.hold(name)
        if may:
            assert before is not None
            assert after is not None
            assert told == Held(after.due)
            assert after.due >= max(before.due, self.now)
        else:
            assert isinstance(told, Barred)
            assert after == before

    def end(self, which: int, charged: int | None, costs: tuple[Cost, ...], overdue: bool) -> None:
        name = self.named(which)
        hold = self.hold(name)
        left = hold is not None and hold.due <= self.now and hold.charged == charged
        self.closed(End(HoldKey(name), charged, costs, overdue), may=left or not overdue)

    def closed(self, mutation: End, *, may: bool) -> None:
        name = mutation.key.id
        before = self.hold(name)
        told = self.tell(mutation)
        if self.is_open(name) and may:
            assert isinstance(told, Posted)
            self.ended[name] = told
            self.prices[name] = mutation.charged
            self.bought += sum(cost.amount for cost in mutation.costs if cost.served)
            self.lost += sum(cost.amount for cost in mutation.costs if not cost.served)
        else:
            assert isinstance(told, Barred)
            assert self.hold(name) == before

    def wait(self, by: int) -> None:
        self.now += by

    def sweep(self, times: int) -> None:
        (overdue,) = self.store.read([Overdue(100)])
        assert isinstance(overdue, Overdues)
        assert all(hold.due <= self.now for _, hold in overdue.holds)
        for round_ in range(times):
            for mutation in endings(overdue):
                self.closed(mutation, may=round_ == 0)
        assert self.store.read([Overdue(100)]) == (Overdues(()),)
        for name in filter(self.is_open, self.reserved):
            hold = self.hold(name)
            assert hold is not None
            assert hold.due > self.now

    def refused_batch(self, which: int) -> None:
        if name := self.reserved and self.named(which):
            before = self.books()
            never = Deposit(PostingKey("pay/never"), OWNERS[0], 5)
            again = Reserve(HoldKey(name), 0, purse=Purse(OWNERS[1], floor=0))
            assert not self.store.commit([never, again]).done
            assert self.books() == before

    def books(self) -> object:
        keys = [WalletKey(owner) for owner in OWNERS]
        return self.store.read([*keys, *LIMITS, Totals(), PostingKey("pay/never")])

    def reopen(self) -> None:
        if not isinstance(self.store, MemoryStore):
            self.store.close()
            self.store = self.opened(lambda: self.now)

    def close(self) -> None:
        """An audit comes to the same, by ways of its own."""
        asking = checked()
        keys, verdict = next(asking), None
        while verdict is None:
            try:
                keys = asking.send(self.store.read(keys))
            except StopIteration as end:
                verdict = end.value
        self.store.close()
        assert verdict.wrong == ()

    # --- what always holds -----------------------------------------------------------------------
    def accounts_sum_to_zero(self) -> None:
        (sums,) = self.store.read([Totals()])
        assert isinstance(sums, Sums)
        accounts = dict(sums.accounts)
        assert sum(accounts.values()) == 0
        assert accounts.get("funds", 0) == -sum(amount for _, amount in self.paid.values())
        for owner in OWNERS:
            wallet = self.wallet(owner)
            assert accounts.get(f"wallet/{owner}", 0) == wallet.free
            assert accounts.get(f"held/{owner}", 0) == wallet.held
        assert accounts.get("bought", 0) == -self.bought
        assert accounts.get("lost/attempts", 0) == -self.lost
        walleted = [name for name in self.ended if self.reserved[name].purse is not None]
        assert accounts.get("sales", 0) == sum(self.prices[name] or 0 for name in walleted)
        assert accounts.get("lost/price", 0) == -sum(self.ended[name].lost for name in walleted)

    def no_posting_changes(self) -> None:
        names = [f"{name}/{kind}" for name in self.reserved for kind in ("hold", "end")]
        keys = [PostingKey(name) for name in (*names, *self.paid)]
        for key, posting in zip(keys, self.store.read(keys), strict=True):
            if isinstance(posting, Posting):
                assert sum(amount for _, amount in posting.entries) == 0
                assert self.postings.setdefault(key, posting) == posting
            else:
                assert key not in self.postings

    def holds_end_once(self) -> None:
        for name in self.reserved:
            hold = self.hold(name)
            assert hold is not None
            assert (hold.phase in OPEN) == (name not in self.ended)
            if name in self.ended:
                assert hold.charged == self.ended[name].charged
                assert hold.phase == ("released" if self.prices[name] is None else "settled")

    def wallets_without_a_floor_are_not_below_zero(self) -> None:
        wallet = self.wallet(OWNERS[0])
        assert min(wallet.free, wallet.held) >= 0
        strict = [one for name, one in self.reserved.items() if self.is_open(name) and one.purse]
        assert wallet.held == sum(one.amount for one in strict if one.purse == Purse(OWNERS[0]))

    def no_budget_is_overspent(self) -> None:
        for budget, limit in LIMITS.items():
            spend = self.spend(budget)
            assert spend.settled + spend.held <= limit
            mine = {
                name: one for name, one in self.reserved.items() if (budget, limit) in one.budgets
            }
            held = sum(one.amount for name, one in mine.items() if name not in self.ended)
            settled = sum(self.ended[name].charged for name in mine if name in self.ended)
            assert spend == Spend(settled, held)

    def nobody_pays_beyond_the_hold_nor_for_no_answer(self) -> None:
        for name, told in self.ended.items():
            terms, price = self.reserved[name], self.prices[name]
            assert told.charged + told.lost == (price or 0)
            strict = terms.purse is not None and terms.purse.floor is None
            free = not strict and not terms.budgets
            assert told.charged <= terms.amount or free
            assert told.lost == 0 or (not free and told.charged == terms.amount)


@given(moves)
def test_invariants_33_and_34_and_35_and_36_and_37_and_40_and_41_and_52_hold_in_memory(
    moves: list[tuple[Any, ...]],
) -> None:
    ledger = Ledger(lambda now: MemoryStore(now=now, book=book))
    for move in moves:
        ledger.play(*move)
    ledger.close()


@settings(max_examples=12)
@given(moves)
def test_invariants_33_and_34_and_35_and_36_and_37_and_40_and_41_and_52_hold_in_sqlite(
    moves: list[tuple[Any, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        ledger = Ledger(lambda now: SqliteStore(path, now=now, book=book))
        try:
            for move in moves:
                ledger.play(*move)
            ledger.close()
        finally:
            ledger.store.close()


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves)
def test_invariants_33_and_34_and_35_and_36_and_37_and_40_and_41_and_52_hold_in_postgres(
    postgres: tuple[str, str], moves: list[tuple[Any, ...]]
) -> None:
    url, schema = postgres
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    ledger = Ledger(lambda now: PostgresStore(url, schema=schema, now=now, book=book))
    try:
        for move in moves:
            ledger.play(*move)
        ledger.close()
    finally:
        ledger.store.close()
