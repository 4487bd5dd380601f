"""What an audit is told, by every store that keeps money."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hyperroute.canon.auditing import (
    Cells,
    Every,
    HoldsAfter,
    HoldSum,
    HoldSums,
    PostingsOf,
    SumsOfHolds,
    Unbalanced,
)
from hyperroute.canon.money import (
    BudgetKey,
    Checkpoint,
    Deposit,
    Dispatch,
    End,
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
from hyperroute.stores.base import Store
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

ADA, BOB = Purse("user:ada"), Purse("user:bob")
MONTH = BudgetKey("key-month", (("key", "k1"),), "2026-11")
SLOT = BudgetKey("at-once", (("user", "ada"),), "now")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store
    match request.param:
        case "memory":
            opened = MemoryStore(now=lambda: 7, book=book)
        case "sqlite":
            opened = SqliteStore(tmp_path / "state.db", now=lambda: 7, book=book)
        case _:
            url, schema = request.getfixturevalue("postgres")
            opened = PostgresStore(url, schema=schema, now=lambda: 7, book=book)
    yield opened
    opened.close()


def read(store: Store, key: Any) -> Any:
    (found,) = store.read([key])
    return found


def test_where_nothing_was_kept_nothing_is_found(store: Store) -> None:
    for key in (
        Every("wallet"),
        Every("budget"),
        HoldsAfter("", 5),
        PostingsOf(()),
        PostingsOf(("a",)),
        Unbalanced(5),
    ):
        assert read(store, key) == Cells(())
    assert read(store, SumsOfHolds()) == HoldSums(())


def test_everything_is_listed_and_summed(store: Store) -> None:
    store.commit([Deposit(PostingKey("pay/1"), "user:ada", 900)])
    store.commit([Reserve(HoldKey("h1"), 300, ((MONTH, 900),), ADA, slots=((SLOT, 9),))])
    store.commit([Reserve(HoldKey("h2"), 200, ((MONTH, 900),), ADA, slots=((SLOT, 9),))])
    store.commit([Reserve(HoldKey("h3"), 100, (), ADA)])
    store.commit([Reserve(HoldKey("h4"), 50)])
    store.commit([Dispatch(HoldKey("h2"), 1)])
    store.commit([Checkpoint(HoldKey("h2"), 20)])
    store.commit([End(HoldKey("h3"), 70)])
    store.commit([End(HoldKey("h4"), None)])
    assert read(store, Every("wallet")) == Cells(((WalletKey("user:ada"), Wallet(330, 500)),))
    assert dict(read(store, Every("budget")).cells) == {MONTH: Spend(0, 500), SLOT: Spend(0, 2)}
    assert set(read(store, SumsOfHolds()).sums) == {
        HoldSum("user:ada", (MONTH,), (SLOT,), "held", 1, 300, 300, 0),
        HoldSum("user:ada", (MONTH,), (SLOT,), "dispatched", 1, 200, 200, 20),
        HoldSum("user:ada", (), (), "settled", 1, 100, 100, 70),
        HoldSum(None, (), (), "released", 1, 50, 0, 0),
    }
    found = read(store, PostingsOf(("h3/end", "none", "pay/1")))
    assert dict(found.cells) == {
        PostingKey("h3/end"): Posting(
            7, (("held/user:ada", -100), ("sales", 70), ("wallet/user:ada", 30))
        ),
        PostingKey("pay/1"): Posting(7, (("funds", -900), ("wallet/user:ada", 900))),
    }
    assert read(store, Unbalanced(5)) == Cells(())


def test_pages_hold_each_hold_once(store: Store) -> None:
    names = [f"req_{number:02}" for number in range(23)]
    for name in names:
        store.commit([Reserve(HoldKey(name), 1)])
    seen: list[str] = []
    while cells := read(store, HoldsAfter(seen[-1] if seen else "", 5)).cells:
        assert len(cells) <= 5
        seen += [key.id for key, _ in cells]
    assert seen == names
    assert read(store, HoldsAfter("req_21", 5)).cells[0][1] == read(store, HoldKey("req_22"))
