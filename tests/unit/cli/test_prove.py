"""``prove`` and ``equal`` for machines: documents, pages, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hyperroute.cli.app import app

TABLE = """
hyperroute: 1
providers: {a: {plugin: openai, keys: [env:A]}, b: {plugin: openai, keys: [env:B]}}
models:
  m: {kind: chat, context: 10k, output: 1k, offers: [{at: a, price: {per: 1k tok, in: 1, out: 1}}, {at: b}]}
  n: {kind: chat, context: 10k, output: 1k, offers: [{at: b, price: {per: 1k tok, in: 1, out: 1}}]}
aliases: {latest: n}
"""


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "table.yaml"
    path.write_text(TABLE, "utf-8")
    return str(path)


def test_one_document_holds_every_bound_and_its_run(table: str) -> None:
    came = CliRunner().invoke(app, ["prove", table, "--json"])
    assert came.exit_code == 0
    (found,) = json.loads(came.stdout)["tables"]
    one, other = found["names"]
    assert one["name"] == "m"
    assert one["attempts"]["bound"] == one["attempts"]["attained"] == 4
    assert one["cost_usd"] == {"bound": None, "attained": None, "exact": False, "trace": None}
    assert other["cost_usd"]["bound"] == "22"
    assert [step["failure"] for step in other["attempts"]["trace"]["attempts"]] == [
        "server_error",
        None,
    ]


def test_a_page_is_written_beside_what_is_printed(table: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    came = CliRunner().invoke(app, ["prove", table, "--html", str(page)])
    assert came.exit_code == 0
    assert "unbounded" in came.stdout
    text = page.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "<svg" in text
    assert "n@b server_error, n@b answers" in text


@pytest.mark.parametrize(
    "words",
    [
        ["prove", "TABLE", "--model", "mm"],
        ["prove", "nowhere.yaml"],
        ["prove", "TABLE", "--html", "/nowhere/at/all.html"],
        ["equal", "m", "nobody", "--tables", "TABLE"],
    ],
)
def test_what_is_not_there_is_misuse(words: list[str], table: str) -> None:
    came = CliRunner().invoke(app, [table if word == "TABLE" else word for word in words])
    assert came.exit_code == 2
    assert "Traceback" not in came.output


def test_an_alias_is_proved_as_what_it_means(table: str) -> None:
    came = CliRunner().invoke(app, ["prove", table, "--model", "latest"])
    assert came.exit_code == 0
    assert "22 usd: a request (model n, in 10000): n@b server_error, n@b answers" in came.stdout


def test_a_difference_is_a_document_too(table: str) -> None:
    came = CliRunner().invoke(app, ["equal", "m", "latest", "--tables", table, "--json"])
    assert came.exit_code == 1
    found = json.loads(came.stdout)
    assert not found["equal"]
    assert found["difference"]["left"] == "m@a, m@b"
    assert found["difference"]["right"] == "n@b"
    same = CliRunner().invoke(app, ["equal", table, table, "--json"])
    assert same.exit_code == 0
    assert json.loads(same.stdout)["proved"]
