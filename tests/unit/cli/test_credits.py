"""A payment counts once, on every database."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hyperroute.canon.money import WalletKey
from hyperroute.canon.mutation import Tagged
from hyperroute.cli.app import app
from hyperroute.ledger.book import book
from hyperroute.ledger.payments import Payment, deposited, kept_as, read
from hyperroute.stores.opening import STORES, opened


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state.db"
    return request.getfixturevalue("postgres_state")


def run(*words: str) -> Any:
    found = CliRunner().invoke(app, [*words, "--json"])
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_money_comes_in_exactly_and_once(url: str) -> None:
    add = ("credits", "add", "--state", url, "--user", "ada", "--id", "inv-1", "--note", "für Ada")
    assert run(*add, "20.00000001usd") == {
        "payment": "inv-1",
        "repeated": False,
        "owner": "user:ada",
        "free": "2000.000001",
        "held": 0,
    }
    assert run(*add, "2000.000001credit")["repeated"] is True
    assert run("credits", "show", "--state", url, "--user", "ada")["free"] == "2000.000001"
    assert run("ledger", "check", "--state", url)["wrong"] == []
    with closing(opened(url, STORES, now=lambda: 0, book=book)) as store:
        (rows,) = store.read([Tagged("payment", "owner", "user:ada")])
        assert isinstance(rows, tuple)
        assert [read(row) for row in rows] == [
            Payment("inv-1", "user:ada", 2_000_000_001, "für Ada")
        ]


def test_of_many_who_post_one_payment_at_once_one_does(url: str) -> None:
    with closing(opened(url, STORES, now=lambda: 0, book=book)) as store:
        payments = [Payment("inv-2", "user:bob", 5, str(number)) for number in range(12)]
        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda one: store.commit(deposited(one)).done, payments))
        assert done.count(True) == 1
        wallet, row = store.read([WalletKey("user:bob"), kept_as("inv-2")])
        assert getattr(wallet, "free", None) == 5
        assert row is not None
