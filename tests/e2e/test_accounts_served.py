"""A server with its state: keys over HTTP, a limit that is met, the mails of it, and whole books."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.test_serve import serving
from typer.testing import CliRunner

from hyperroute.cli.app import app

BODY = {"model": "gpt-5.5", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(params=["sqlite", "postgres"])
def state(request: pytest.FixtureRequest) -> Any:
    return (
        "sqlite:///state.db"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_state")
    )


def run(*words: str) -> Any:
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_limit_is_met_mailed_and_disables(
    tmp_path: Path, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYPERROUTE_PEPPER", "0123456789abcdef")
    at = ("--state", state)
    admin = run("keys", "create", *at, "--user", "root", "--name", "root", "--scope", "admin")
    options = ("--simulated", *at, "--wallets", "none", "--mail", "file:mails.jsonl")
    with serving(tmp_path, *options, more={"HYPERROUTE_PEPPER": "0123456789abcdef"}) as served:
        served.ready()
        assert "ck_" not in served.said, "there is a key already"
        with httpx.Client(base_url=served.url, timeout=30) as client:
            root = {"authorization": f"Bearer {admin['key']}"}
            said = {"name": "small", "spendingLimit": 1, "autoDisable": True}
            made = client.post("/api/api-keys", json=said, headers=root)
            assert made.status_code == 201
            other = client.post("/api/api-keys", json={"name": "other"}, headers=root).json()
            path = f"/api/api-keys/{other['id']}"
            renamed = client.patch(path, json={"name": "new"}, headers=root)
            assert (renamed.status_code, renamed.json()["name"]) == (200, "new")
            gone = client.delete(path, headers=root)
            assert (gone.status_code, gone.content) == (204, b"")
            assert "content-length" not in gone.headers
            assert client.get(path, headers=root).status_code == 404
            headers = {"authorization": f"Bearer {made.json()['key']}"}
            statuses = [200]
            while statuses[-1] == 200 and len(statuses) < 200:
                asked = client.post("/v1/chat/completions", json=BODY, headers=headers)
                statuses.append(asked.status_code)
            del statuses[0]
        assert statuses.count(200) > 3
        assert statuses[-1] == 402
        told = tmp_path / "mails.jsonl"
        for _ in range(100):
            if told.exists() and "disabled" in told.read_text("utf-8"):
                break
            time.sleep(0.1)
        assert "the key is disabled" in told.read_text("utf-8").splitlines()[-1]
        again = httpx.post(f"{served.url}/v1/chat/completions", json=BODY, headers=headers)
        assert again.status_code == 401
        verdict = run("ledger", "check", *at)
        assert verdict == {"wallets": 0, "budgets": 1, "holds": statuses.count(200), "wrong": []}
        served.process.send_signal(signal.SIGTERM)
        assert served.ended() == 0
    listed = {one["name"]: one for one in run("keys", "list", *at)["keys"]}
    assert listed["small"]["active"] is False
    assert listed["small"]["lastUsedAt"] is not None
    assert listed["root"]["active"] is True
