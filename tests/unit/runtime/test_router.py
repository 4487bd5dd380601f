"""The router as a value: what is read again, and from where."""

from __future__ import annotations

import pytest

from hyperroute import Router
from hyperroute.errors import TableError
from hyperroute.plugins.registry import discover

TABLE = """
hyperroute: 1
providers: {acme: {plugin: openai, keys: [env:ACME_KEY]}}
models:
  parrot: {kind: chat, context: 8k, output: 1k, offers: [{at: acme, price: {per: 1M tok, in: 1.00, out: 2.00}}]}
"""
BODY = {"model": "parrot", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def registry():
    return discover()


def test_a_table_from_the_cache_decides_what_the_table_itself_decides(tmp_path, registry):
    table = tmp_path / "table.yaml"
    table.write_text(TABLE, "utf-8")
    cold = Router.load(table, registry=registry, cache=tmp_path / "kept")
    kept = list((tmp_path / "kept").iterdir())
    warm = Router.load(table, registry=registry, cache=tmp_path / "kept")
    assert kept, "nothing was kept"
    assert warm.table.digest == cold.table.digest
    assert warm.plan(BODY).to_json() == cold.plan(BODY).to_json()


def test_a_changed_file_is_never_answered_from_the_cache(tmp_path, registry):
    table = tmp_path / "table.yaml"
    table.write_text(TABLE, "utf-8")
    before = Router.load(table, registry=registry, cache=tmp_path / "kept")
    table.write_text(TABLE.replace("2.00", "3.00"), "utf-8")
    after = before.reloaded()
    assert after.table.digest != before.table.digest
    assert after.cache == tmp_path / "kept"


def test_reading_a_broken_table_again_changes_nothing(tmp_path, registry):
    table = tmp_path / "table.yaml"
    table.write_text(TABLE, "utf-8")
    router = Router.load(table, registry=registry)
    table.write_text(TABLE.replace("chat", "chta"), "utf-8")
    with pytest.raises(TableError, match="did you mean 'chat'"):
        router.reloaded()
    assert router.plan(BODY).candidates
