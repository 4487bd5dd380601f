"""What a key goes through between its making and its end."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hyperroute.cli.app import app


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
    assert run("delete", made["id"]) == {"deleted": made["id"]}
    assert run("list") == {"keys": []}
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_id_with_a_typing_mistake_gets_the_nearest(run: Any) -> None:
    made = run("create", "--user", "ada", "--name", "laptop")
    found = CliRunner().invoke(app, ["keys", "disable", made["id"][:-1]])
    assert found.exit_code == 1
    assert f"did you mean '{made['id']}'?" in found.stderr
