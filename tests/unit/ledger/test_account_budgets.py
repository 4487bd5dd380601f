"""What attempts cost counts in budgets of our accounts: in the same commit, in every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hyperroute.canon.money import BudgetKey, Cost, End, HoldKey, Reserve, Spend
from hyperroute.ledger.book import book
from hyperroute.stores.base import Store
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.sqlite import SqliteStore

ACME = BudgetKey("its own", (("provider", "acme"),), "2026-11")
OFFER = BudgetKey("its own", (("offer", "m@acme"),), "2026-11-22")
MINE = BudgetKey("mine", (("user", "ada"),), "2026-11")


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    found: Store = MemoryStore(now=lambda: 0, book=book)
    if request.param == "sqlite":
        found = SqliteStore(tmp_path / "state.db", now=lambda: 0, book=book)
    yield found
    found.close()


def test_every_attempt_counts_in_the_budgets_of_what_it_was_made_with(store: Store) -> None:
    store.commit([Reserve(HoldKey("r1"), 90, ((MINE, 100),))])
    costs = (
        Cost("acme", 7, False, (ACME, OFFER)),
        Cost("other", 5, False),
        Cost("acme", 11, True, (ACME,)),
    )
    assert store.commit([End(HoldKey("r1"), 30, costs)]).done
    assert store.read([ACME, OFFER, MINE]) == (Spend(18, 0), Spend(7, 0), Spend(30, 0))
    store.commit([Reserve(HoldKey("r2"), 90, ((MINE, 1_000),))])
    assert store.commit([End(HoldKey("r2"), None, (Cost("acme", 4, False, (ACME,)),))]).done
    assert store.read([ACME, MINE]) == (Spend(22, 0), Spend(30, 0))


def test_an_end_that_is_declined_spends_nothing(store: Store) -> None:
    store.commit([Reserve(HoldKey("r1"), 90)])
    end = End(HoldKey("r1"), 30, (Cost("acme", 7, True, (ACME,)),))
    assert store.commit([end]).done
    assert not store.commit([end]).done
    assert store.read([ACME]) == (Spend(7, 0),)
