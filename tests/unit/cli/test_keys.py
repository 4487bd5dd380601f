"""What a key goes through between its making and its end."""

from __future__ import annotations

import json
import os
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hyperroute.accounts import keys, notices
from hyperroute.canon.money import End, HoldKey, Reserve
from hyperroute.canon.mutation import Row, RowKey
from hyperroute.cli.app import app
from hyperroute.ledger.book import book
from hyperroute.routing.budgets import period_of
from hyperroute.runtime.clock import SystemClock
from hyperroute.stores.opening import STORES, opened


@pytest.fixture(params=["sqlite", "file", "postgres"])
def run(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("HYPERROUTE_KEYS", raising=False)
    monkeypatch.delenv("HYPERROUTE_STATE", raising=False)
    monkeypatch.delenv("HYPERROUTE_PEPPER", raising=False)
    match request.param:
        case "sqlite":
            monkeypatch.setenv("HYPERROUTE_STATE", f"sqlite:///{tmp_path}/state.db")
        case "file":
            monkeypatch.setenv("HYPERROUTE_KEYS", f"{tmp_path}/keys.json")
        case _:
            monkeypatch.setenv("HYPERROUTE_STATE", request.getfixturevalue("postgres_state"))
            monkeypatch.setenv("HYPERROUTE_PEPPER", "a pepper that every host knows")

    def invoke(*words: str) -> Any:
        found = CliRunner().invoke(app, ["keys", *words, "--json"])
        assert found.exit_code == 0, found.output
        return json.loads(found.stdout)

    return invoke


def test_a_key_is_disabled_enabled_and_deleted(run: Any, tmp_path: Path) -> None:
    made = run("create", "--user", "ada", "--name", "laptop")
    secret = made.pop("key")
    assert run("list") == {"keys": [made]}
    assert run("disable", made["id"]) == made | {"active": False}
    assert run("list")["keys"][0]["active"] is False
    assert run("enable", made["id"]) == made
    assert run("limit", made["id"], "0.5") == made | {"spendingLimit": "0.5"}
    assert run("limit", made["id"], "none") == made
    assert run("delete", made["id"]) == {"deleted": made["id"]}
    assert run("list") == {"keys": []}
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("run", ["sqlite"], indirect=True)
def test_a_raised_limit_arms_its_notices_again(run: Any) -> None:
    made = run("create", "--user", "ada", "--name", "laptop", "--limit", "100")
    now = SystemClock.unix_ns()
    key, period = made["id"], period_of("month", now)
    url = os.environ["HYPERROUTE_STATE"]
    with closing(opened(url, STORES, now=SystemClock.unix_ns, book=book)) as store:
        budget = notices.budget_of(key, period)
        store.commit([Reserve(HoldKey("h"), 90_000_000, ((budget, 10**9),))])
        store.commit([End(HoldKey("h"), 90_000_000)])
        (row,) = store.read([RowKey("key", key)])
        assert isinstance(row, Row)
        new = notices.due(
            keys.read(row), settled=90_000_000, refused=False, period=period, sent=(), now=now
        )
        store.commit([notices.put(one) for one in new])
        rearmed = []
        for limit in ("110", "113"):
            run("limit", key, limit)
            (rows,) = store.read([notices.about(key, period)])
            assert isinstance(rows, tuple)
            rearmed.append([notices.read(one).rearmed for one in rows])
    assert rearmed == [[False], [True]]


def test_an_id_with_a_typing_mistake_gets_the_nearest(run: Any) -> None:
    made = run("create", "--user", "ada", "--name", "laptop")
    found = CliRunner().invoke(app, ["keys", "disable", made["id"][:-1]])
    assert found.exit_code == 1
    assert f"did you mean '{made['id']}'?" in found.stderr
