"""Usage over a real socket: another process writes rows, the gateway and the command line tell them."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import time

import httpx
from tests.e2e.test_serve import serving

from hyperroute.canon.journal import Log, UsageRow
from hyperroute.stores.sqlite import SqliteStore

TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.example/v1", keys: [env:ONE_KEY], speaks: [chat]}
models:
  gpt: {kind: chat, endpoints: [chat], offers: [{at: one}]}
"""


def test_an_export_is_streamed_while_others_write(tmp_path):
    (tmp_path / "table.yaml").write_text(TABLE)
    state = f"sqlite:///{tmp_path / 'state.db'}"
    options = ("--simulated", "--tables", "table.yaml", "--state", state)
    with serving(tmp_path, *options) as served:
        served.ready()
        (key,) = re.findall(r"ck_[0-9a-f]{64}", served.said)
        headers = {"x-api-key": key}
        store = SqliteStore(tmp_path / "state.db", now=time.time_ns)
        for first in range(0, 3_000, 500):
            rows = [
                UsageRow(
                    id=f"req_{number}",
                    at=time.time_ns(),
                    owner="user:first" if number % 2 else "user:other",
                    model="gpt",
                    offer="gpt@one",
                    requested="=cmd",
                    credits=number,
                )
                for number in range(first, first + 500)
            ]
            assert store.commit([Log(row) for row in rows]).done
        store.close()
        url = f"{served.url}/api/api-usage"
        exported = httpx.get(f"{url}/export?days=2", headers=headers)
        assert exported.status_code == 200
        assert exported.headers["transfer-encoding"] == "chunked"
        name = re.search(r'filename="(.*)"', exported.headers["content-disposition"])
        assert name is not None
        assert re.fullmatch(r"hypereal-usage-\d{4}-\d\d-\d\d\.csv", name[1])
        lines = list(csv.DictReader(io.StringIO(exported.text, newline="")))
        assert [line["id"] for line in lines] == [f"req_{number}" for number in range(1, 3_000, 2)]
        assert {line["requestedModel"] for line in lines} == {"'=cmd"}
        told = httpx.get(f"{url}?days=2&limit=2", headers=headers).json()
        assert [row["id"] for row in told["logs"]] == ["req_2999", "req_2997"]
        assert told["costByModel"][0]["requests"] == 1_500
        assert round(sum(day["credits"] for day in told["dailyCost"]), 6) == 2.25
        assert httpx.get(url).status_code == 401
        command = [sys.executable, "-m", "hyperroute", "usage", "--by", "owner", "--json"]
        asked = subprocess.run(
            [*command, "--state", state], check=True, capture_output=True, text=True
        )
        sums = {one["owner"]: one["requests"] for one in json.loads(asked.stdout)["sums"]}
        assert sums == {"user:first": 1_500, "user:other": 1_500}


def test_every_request_leaves_a_row_that_holds_none_of_its_words(tmp_path):
    (tmp_path / "table.yaml").write_text(TABLE)
    state = f"sqlite:///{tmp_path / 'state.db'}"
    options = ("--simulated", "--tables", "table.yaml", "--state", state, "--wallets", "none")
    with serving(tmp_path, *options) as served:
        served.ready()
        (key,) = re.findall(r"ck_[0-9a-f]{64}", served.said)
        headers = {"x-api-key": key}
        url = f"{served.url}/api/api-usage"
        body = {"model": "gpt", "messages": [{"role": "user", "content": "the canary prompt"}]}
        asked_for = [
            httpx.post(f"{served.url}/v1/chat/completions", json=body | more, headers=headers)
            for more in ({}, {"stream": True}, {"model": "no-such"})
        ]
        assert [one.status_code for one in asked_for] == [200, 200, 400]
        refused, streamed, whole = httpx.get(url, headers=headers).json()["logs"][:3]
        for row, answer in zip((whole, streamed, refused), asked_for, strict=True):
            assert row["id"] == answer.headers["x-request-id"]
            assert row["status"] == answer.status_code
            assert (row["userId"], row["endpoint"]) == ("first", "chat")
        assert (whole["stream"], streamed["stream"]) == (False, True)
        assert whole["servedModel"] == streamed["servedModel"] == "gpt"
        assert (refused["servedModel"], refused["requestedModel"]) == (None, "no-such")
        held = b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))
        assert whole["id"].encode() in held
        assert b"canary" not in held
        assert key.encode() not in held
