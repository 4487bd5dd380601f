"""A client that watches its tables, with real files and real time."""

from __future__ import annotations

import logging
import time

import pytest

from hyperroute.client import Client, Router
from hyperroute.plugins.registry import discover
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers: {p: {plugin: openai, keys: []}}
models: {NAME: {kind: chat, offers: [{at: p}]}}
"""
PATIENCE_S = 20


def until(condition) -> None:
    """Wait for a file event to have come through."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def test_a_changed_table_is_used_and_a_broken_one_is_not(tmp_path, caplog):
    file = tmp_path / "table.yaml"
    file.write_text(TABLE.replace("NAME", "first"), "utf-8")
    router = Router.load(tmp_path, registry=discover())
    caplog.set_level(logging.INFO, "hyperroute")
    with Client(router, transport=World(), watch=True) as client:
        time.sleep(0.3)  # the watcher takes its first look
        file.write_text(TABLE.replace("NAME", "second"), "utf-8")
        until(lambda: "second" in client.router.table.services)
        file.write_text("hyperroute: 1\nnonsense: 1\n", "utf-8")
        until(lambda: "is not used" in caplog.text)
        assert "second" in client.router.table.services
    assert "nonsense" in caplog.text


def test_a_router_from_a_text_cannot_be_watched():
    router = Router.loads(TABLE.replace("NAME", "m"), registry=discover())
    with pytest.raises(ValueError, match="no path"):
        Client(router, transport=World(), watch=True)
