"""A URL names a store, and a mistake in one is told without what may be a password."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from hyperroute.canon.money import Deposit, PostingKey
from hyperroute.canon.mutation import Put, RowKey
from hyperroute.errors import StoreError
from hyperroute.ledger.book import book
from hyperroute.plugins.registry import discover
from hyperroute.stores.opening import STORES, opened, path_of, shown
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
        (
            "mysql://ada:hush@db/x",
            "scheme 'mysql'; one of: file, memory, postgres, postgresql, redis, rediss, sqlite, valkey",
        ),
        ("here.db", "no store is known for 'here.db'"),
        ("sqlite://here.db", "names no file"),
        ("sqlite:///", "names no file"),
        ("file:", "names no file"),
        ("memory:here", "has no path"),
        ("postgresql://ada:hush@127.0.0.1:1/x", "cannot be opened"),
        ("postgresql://ada:hush@[x", "cannot be read"),
        ("redis://ada:hush@[x", "cannot be read"),
        ("redis:ada:hush@x", "begins with one of redis://, rediss://, valkey://, valkeys://"),
        ("redis://:hush@db/zero", "a database's number"),
        ("valkey://:hush@db/0?retry=1", "has no option 'retry'"),
        ("rediss://:hush@db/0?prefix=a{b", "prefix of a Valkey or Redis URL is a word"),
    ],
)
def test_a_mistake_is_told_without_a_password(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        opened(url, STORES, now=lambda: 0)
    assert "hush" not in str(caught.value)


def test_a_schema_is_a_word() -> None:
    with pytest.raises(StoreError, match="lower-case word"):
        PostgresStore("postgresql://127.0.0.1:1/x", schema='x"; DROP TABLE entries')


@pytest.mark.parametrize(
    ("url", "path", "name"),
    [
        ("sqlite:///here.db", "here.db", "here.db"),
        ("sqlite:////srv/state.db", "/srv/state.db", "/srv/state.db"),
        ("file:keys.json", "keys.json", "keys.json"),
        ("file:/srv/keys.json", "/srv/keys.json", "/srv/keys.json"),
        ("postgresql://ada:hush@db:5/x?password=hush", None, "postgresql://db:5/x"),
        ("postgresql:", None, "postgresql:"),
        ("memory:", None, "memory:"),
    ],
)
def test_a_store_is_named_for_people_by_its_place(url: str, path: str | None, name: str) -> None:
    assert path_of(url) == (None if path is None else Path(path))
    assert shown(url) == name


def test_a_file_of_records_is_opened_by_its_scheme(tmp_path: Path) -> None:
    with closing(opened(f"file:{tmp_path}/keys.json", STORES, now=lambda: 0)) as store:
        assert store.commit([Put(RowKey("key", "k"), "{}")]).done
    assert (tmp_path / "keys.json").exists()


def test_the_schema_of_a_postgres_is_said_in_its_url(postgres_state: str) -> None:
    for _ in range(2):
        with closing(opened(postgres_state, STORES, now=lambda: 0, book=book)) as store:
            store.commit([PAID])
    with pytest.raises(StoreError, match="lower-case word"):
        opened("postgresql://127.0.0.1:1/x?sslmode=disable&schema=X", STORES, now=lambda: 0)
