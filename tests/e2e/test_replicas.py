"""``hyperroute serve --shared``: two servers that share a rate, and say what is down."""

from __future__ import annotations

import re
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.e2e.test_serve import BODY, Served, serving

TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:ONE_KEY], speaks: [chat]}
models:
  gpt: {kind: chat, endpoints: [chat], offers: [{at: one}]}
limits:
  user-speed: {per: user, rate: [20 req / h]}
"""
STATE = (
    "--simulated",
    "--tables",
    "table.yaml",
    "--state",
    "sqlite:///state.db",
    "--wallets",
    "none",
)


def first_key(served: Served) -> str:
    found = re.search(r"first key:\s+(\S+)", served.said)
    assert found is not None
    return found[1]


def statuses(urls: list[str], key: str, calls: int) -> Counter[int]:
    def ask(number: int) -> int:
        url = f"{urls[number % len(urls)]}/v1/chat/completions"
        headers = {"authorization": f"Bearer {key}"}
        return httpx.post(url, json=BODY, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        return Counter(pool.map(ask, range(calls)))


def test_two_replicas_have_one_rate_and_end_well(tmp_path: Path, valkey: str) -> None:
    (tmp_path / "table.yaml").write_text(TABLE, encoding="utf-8")
    shared = ("--shared", valkey)
    with serving(tmp_path, *STATE, *shared) as one, serving(tmp_path, *STATE, *shared) as other:
        urls = [served.ready().url for served in (one, other)]
        key = first_key(one if "first key" in one.said else other)
        assert statuses(urls, key, 40) == {200: 20, 429: 20}
        assert httpx.get(f"{urls[0]}/readyz").json() == {"status": "ready"}
        for served in (one, other):
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(20) == 0


@pytest.mark.parametrize(
    ("mode", "status", "told"),
    [
        ("closed", {503: 4}, {"down": ["limits"], "degraded": ["health"]}),
        ("open", {200: 4}, {"degraded": ["limits", "health"]}),
    ],
)
def test_without_the_shared_store_a_server_does_what_it_was_told_to(
    tmp_path: Path, mode: str, status: dict[int, int], told: dict[str, list[str]]
) -> None:
    (tmp_path / "table.yaml").write_text(TABLE, encoding="utf-8")
    nowhere = ("--shared", "redis://:hush@127.0.0.1:1/0", "--limits-degraded", mode)
    with serving(tmp_path, *STATE, *nowhere) as served:
        served.ready()
        assert statuses([served.url], first_key(served), 4) == status
        ready = httpx.get(f"{served.url}/readyz").json()
        assert {name: ready[name] for name in told} == told
    assert "hush" not in served.said


def test_a_wrong_url_is_told_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "table.yaml").write_text(TABLE, encoding="utf-8")
    with serving(tmp_path, *STATE, "--shared", "http://:hush@cache") as served:
        assert served.ended() == 2
    assert "--shared: " in served.said
    assert "redis://, rediss://, valkey://, valkeys://, not 'http'" in served.said
    assert "first key" not in served.said
    assert "Traceback" not in served.said
    assert "hush" not in served.said
