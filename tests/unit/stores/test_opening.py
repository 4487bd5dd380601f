"""A URL names a store, and a mistake in one is told without what may be a password."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from hyperroute.canon.money import Deposit, PostingKey
from hyperroute.errors import StoreError
from hyperroute.ledger.book import book
from hyperroute.plugins.registry import discover
from hyperroute.stores.opening import STORES, opened
from hyperroute.stores.postgres import PostgresStore

PAID = Deposit(PostingKey("pay/1"), "user:ada", 5)


def test_what_ships_is_opened_by_its_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stores = discover().stores
    for url in ("memory:", "sqlite:///here.db", f"sqlite:///{tmp_path}/there.db"):
        with closing(opened(url, stores, now=lambda: 0, book=book)) as store:
            assert store.commit([PAID]).done
    assert {path.name for path in tmp_path.glob("*.db")} == {"here.db", "there.db"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://ada:hush@db/x", "scheme 'mysql'; one of: memory, postgres, postgresql, sqlite"),
        ("here.db", "no store is known for 'here.db'"),
        ("sqlite://here.db", "names no file"),
        ("sqlite:///", "names no file"),
        ("memory:here", "has no path"),
        ("postgresql://ada:hush@127.0.0.1:1/x", "cannot be opened"),
        ("postgresql://ada:hush@[x", "cannot be read"),
    ],
)
def test_a_mistake_is_told_without_a_password(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        opened(url, STORES, now=lambda: 0)
    assert "hush" not in str(caught.value)


def test_a_schema_is_a_word() -> None:
    with pytest.raises(StoreError, match="lower-case word"):
        PostgresStore("postgresql://127.0.0.1:1/x", schema='x"; DROP TABLE entries')
