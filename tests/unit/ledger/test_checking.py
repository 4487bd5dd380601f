"""Books that agree with themselves pass; whatever is turned in them is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hyperroute.canon.money import (
    BudgetKey,
    Cost,
    Deposit,
    Dispatch,
    End,
    Hold,
    HoldKey,
    Posting,
    PostingKey,
    Purse,
    Reserve,
    Spend,
    Wallet,
    WalletKey,
)
from hyperroute.ledger.book import book
from hyperroute.ledger.checking import WRONG_MAX, Checked, checked
from hyperroute.stores.base import Store
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

ADA, BOB = Purse("user:ada"), Purse("user:bob", floor=200)
MONTH = BudgetKey("key-month", (("key", "k1"),), "2026-11")
SLOT = BudgetKey("at-once", (("user", "ada"),), "now")
COSTS = (Cost("p", 12, served=True), Cost("q", 3, served=False))


def kept(store: Store) -> Store:
    """Fill books with holds of every kind and phase."""
    store.commit([Deposit(PostingKey("pay/1"), "user:ada", 5_000)])
    store.commit([Deposit(PostingKey("pay/2"), "user:bob", 5_000)])
    for number in range(9):
        budgets = ((MONTH, 9_000),) if number % 2 else ()
        purse = (ADA, BOB, None)[number % 3]
        key = HoldKey(f"h{number}")
        assert store.commit([Reserve(key, 500, budgets, purse, slots=((SLOT, 99),))]).done
        if number < 7:
            assert store.commit([Dispatch(key, 1)]).done
        if number < 5:
            assert store.commit([End(key, (None, 300, 700, 0, 500)[number], COSTS)]).done
    return store


def verdict(store: Any, **options: Any) -> Checked:
    asking = checked(**options)
    keys = next(asking)
    while True:
        try:
            keys = asking.send(store.read(keys))
        except StopIteration as end:
            found: Checked = end.value
            return found


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store
    match request.param:
        case "memory":
            made = MemoryStore(now=lambda: 1, book=book)
        case "sqlite":
            made = SqliteStore(tmp_path / "s.db", now=lambda: 1, book=book)
        case _:
            url, schema = request.getfixturevalue("postgres")
            made = PostgresStore(url, schema=schema, now=lambda: 1, book=book)
    with closing(made):
        yield made


@pytest.mark.parametrize("page", [1, 2, 100])
def test_books_that_were_kept_well_agree(store: Store, page: int) -> None:
    assert verdict(store) == Checked(0, 0, 0, ())
    assert verdict(kept(store), page=page) == Checked(2, 2, 9, ())


TURNED: list[tuple[Any, Callable[[Any], Any], list[str]]] = [
    (
        WalletKey("user:ada"),
        lambda one: Wallet(one.free + 1, one.held),
        ["wallet user:ada: free is 4501, and its entries come to 4500"],
    ),
    (
        WalletKey("user:bob"),
        lambda one: Wallet(one.free, one.held - 7),
        [
            "wallet user:bob: held is -7, and its entries come to 0",
            "wallet user:bob: held is -7, and its open holds come to 0",
        ],
    ),
    (
        MONTH,
        lambda one: Spend(one.settled - 1, one.held + 2),
        [
            "budget key-month/key=k1/2026-11: held is 1002, and its open holds come to 1000",
            "budget key-month/key=k1/2026-11: settled is 299, and its ended holds come to 300",
        ],
    ),
    (SLOT, lambda one: Spend(0, 5), ["held is 5, and its open holds come to 4"]),
    (
        HoldKey("h1"),
        lambda one: replace(one, phase="held"),
        ["hold h1: is held, and its end is posted"],
    ),
    (
        HoldKey("h3"),
        lambda one: replace(one, charged=None),
        ["hold h3: is settled, and was charged None"],
    ),
    (HoldKey("h0"), lambda one: replace(one, charged=9), ["is released, and was charged 9"]),
    (HoldKey("h1"), lambda one: replace(one, amount=1), ["was charged 300, beyond its 1"]),
    (HoldKey("h6"), lambda one: replace(one, phase="settled", charged=5), ["is posted"]),
    (
        PostingKey("h4/end"),
        lambda one: Posting(one.at, one.entries[1:]),
        ["all accounts: come to", "posting h4/end: its entries come to"],
    ),
    (
        PostingKey("h4/end"),
        lambda one: Posting(one.at, (("sales", -9), ("wallet/user:bob", 9))),
        ["wallet user:bob: free is", "hold h4: ended with {'wallet': -500}", "posted as paid"],
    ),
    (
        PostingKey("h6/hold"),
        lambda one: Posting(one.at, (("funds", 500), ("wallet/user:ada", -500))),
        ["hold h6: sets 500 of its wallet aside, and {'wallet': -500} is posted"],
    ),
]


@pytest.mark.parametrize(("key", "turn", "said"), TURNED, ids=range(len(TURNED)))
def test_whatever_is_turned_is_named(key: Any, turn: Callable[[Any], Any], said: list[str]) -> None:
    store = MemoryStore(now=lambda: 1, book=book)
    kept(store)
    store._money[key] = turn(store._money[key])
    wrong = [f"{one.place}: {one.said}" for one in verdict(store).wrong]
    for words in said:
        assert any(words in one for one in wrong), wrong


def test_a_posting_or_a_wallet_that_is_gone_is_missed(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "s.db", now=lambda: 1, book=book)) as store:
        kept(store)
        with closing(sqlite3.connect(tmp_path / "s.db")) as other:
            other.execute("DELETE FROM entries WHERE posting = 'h1/end'")
            other.execute("DELETE FROM wallets WHERE owner = 'user:ada'")
            other.commit()
        told = "\n".join(f"{one.place}: {one.said}" for one in verdict(store).wrong)
    assert "hold h1: ended with {'wallet': -300} for its wallet, and {} is posted" in told
    assert "wallet user:ada: free is 0, and its entries come to 4500" in told


class Going:
    """A store in which a hold ends between every two questions."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ended = 0

    def read(self, keys: Any) -> Any:
        found = self.store.read(keys)
        name = f"g{self.ended:02}"
        self.ended += self.store.commit([End(HoldKey(name), 5)]).done
        return found


def test_a_gateway_that_goes_on_raises_no_false_alarm(store: Store) -> None:
    store.commit([Deposit(PostingKey("pay/1"), "user:ada", 5_000)])
    for number in range(30):
        store.commit([Reserve(HoldKey(f"g{number:02}"), 10, ((MONTH, 900),), ADA)])
    going = Going(store)
    assert verdict(going, page=3) == Checked(1, 1, 30, ())
    assert going.ended > 10


def test_while_many_commit_every_look_is_of_one_instant(store: Store) -> None:
    store.commit([Deposit(PostingKey("pay/1"), "user:ada", 10**9)])

    def spend(name: int) -> None:
        for number in range(80):
            key = HoldKey(f"{number:02}-{name}")
            terms = Reserve(key, 9, ((MONTH, 10**9),), ADA, slots=((SLOT, 99),))
            assert store.commit([terms]).done
            assert store.commit([End(key, 5)]).done

    looks: list[Checked] = []
    with ThreadPoolExecutor(3) as pool:
        spending = [pool.submit(spend, name) for name in range(3)]
        while not all(one.done() for one in spending):
            looks.append(verdict(store))
        for one in spending:
            one.result()
    looks.append(verdict(store))
    assert [one.wrong for one in looks] == [()] * len(looks)
    assert looks[-1] == Checked(1, 2, 240, ())


def test_so_many_mismatches_are_named_and_no_more() -> None:
    broken = MemoryStore(now=lambda: 1, book=book)
    for number in range(WRONG_MAX + 5):
        broken._money[HoldKey(f"h{number}")] = Hold(1, None, 0, True, (), "settled", 1, 0)
    assert len(verdict(broken).wrong) == WRONG_MAX
