"""Counting, only where nothing needs to be downloaded."""

from __future__ import annotations

import hashlib

import pytest

from hyperroute.client import Router
from hyperroute.plugins.registry import discover
from hyperroute.runtime.tokens import ADDRESS, Tokens

BODY = {"model": "m", "messages": [{"role": "user", "content": "count me"}]}
TABLE = """
hyperroute: 1
providers: {p: {plugin: openai, keys: []}}
models: {m: {kind: chat, offers: [{at: p}]}}
"""


@pytest.fixture(scope="module")
def request_():
    return Router.loads(TABLE, registry=discover()).read(BODY)


@pytest.mark.parametrize("variable", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"])
def test_without_a_vocabulary_nothing_is_known(monkeypatch, tmp_path, request_, variable):
    monkeypatch.setenv(variable, str(tmp_path))
    tokens = Tokens()
    assert not tokens.at_hand
    assert tokens.count(request_) is None


def test_a_cache_that_is_turned_off_is_no_reason_to_download(monkeypatch, request_):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert Tokens().count(request_) is None


def test_a_broken_vocabulary_is_left_alone(monkeypatch, tmp_path, request_):
    file = tmp_path / hashlib.sha1(ADDRESS.encode(), usedforsecurity=False).hexdigest()
    file.write_bytes(b"half a file")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert Tokens().count(request_) is None
    assert file.exists()
