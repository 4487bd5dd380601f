"""Counting, only where nothing needs to be downloaded, and never while a request waits."""

from __future__ import annotations

import base64
import hashlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.client import Client, Router
from hyperroute.plugins.registry import discover
from hyperroute.runtime.tokens import ADDRESS, COUNTED_BYTES_MAX, DIGEST, VOCABULARY, Tokens
from hyperroute.testing.world import World

BODY = {"model": "m", "messages": [{"role": "user", "content": "count me"}]}
TABLE = """
hyperroute: 1
providers: {p: {plugin: openai, keys: []}}
models: {m: {kind: chat, does: [vision], offers: [{at: p}]}}
"""
ROUTER = Router.loads(TABLE, registry=discover())


def asking(content: object = "count me"):
    return ROUTER.read({"model": "m", "messages": [{"role": "user", "content": content}]})


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without the extra, and with a cache of its own for tiktoken."""
    monkeypatch.setitem(sys.modules, "splintr", None)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def warm():
    tokens = Tokens()
    tokens.warm()
    return tokens


def test_what_is_cold_counts_nothing_and_reads_nothing():
    tokens = Tokens()
    assert not tokens.at_hand
    assert tokens.count(asking()) is None


@pytest.mark.parametrize("variable", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"])
def test_without_a_vocabulary_nothing_is_known(monkeypatch, tmp_path, variable):
    monkeypatch.setitem(sys.modules, "splintr", None)
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / variable))
    tokens = Tokens()
    tokens.warm()
    assert not tokens.at_hand
    assert tokens.count(asking()) is None


def test_a_cache_that_is_turned_off_is_no_reason_to_download(bare, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    tokens = Tokens()
    tokens.warm()
    assert tokens.count(asking()) is None


def test_a_broken_vocabulary_is_left_alone(bare):
    file = bare / hashlib.sha1(ADDRESS.encode(), usedforsecurity=False).hexdigest()
    file.write_bytes(b"half a file")
    tokens = Tokens()
    tokens.warm()
    assert tokens.count(asking()) is None
    assert file.exists()


def test_the_vocabulary_of_the_wheel_is_that_of_openai_byte_for_byte():
    splintr = pytest.importorskip("splintr")
    vocabulary = splintr.Tokenizer.from_pretrained(VOCABULARY)
    digest = hashlib.sha256()
    for rank in range(199_998):
        word = base64.b64encode(vocabulary.decode_token_bytes(rank))
        digest.update(b"%s %d\n" % (word, rank))
    assert digest.hexdigest() == DIGEST


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("hello world", 2),
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("<|endoftext|>", 7),
        ("\u4f60\u597d\u4e16\u754c", 2),
        ("x" * 800, 100),
    ],
)
def test_texts_count_as_tiktoken_counts_them(warm, text, count):
    pytest.importorskip("splintr")
    around = warm.count(asking("")), warm.count(asking(text))
    assert around[0] is not None
    assert around[1] is not None
    assert abs(around[1] - around[0] - count) <= 1  # the quotes may join what stands beside them
    assert len(warm._encode(text)) == count


@given(st.text())
def test_no_text_has_more_tokens_than_bytes(text):
    pytest.importorskip("splintr")
    tokens = Tokens()
    tokens.warm()
    measured = tokens.measure(asking(text))
    assert measured.way == "counted"
    assert measured.at_most is not None
    assert 0 < measured.tokens <= measured.at_most


def test_what_cannot_be_counted_is_estimated_and_says_so(warm):
    picture = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}
    pictured = warm.measure(asking([picture, {"type": "text", "text": "what is it?"}]))
    assert (pictured.way, pictured.at_most) == ("estimated", None)
    large = warm.measure(asking("x" * COUNTED_BYTES_MAX))
    assert large.way == "estimated"
    assert large.tokens * 4 >= COUNTED_BYTES_MAX
    cold = Tokens().measure(asking())
    assert cold.way == "estimated"
    assert cold.at_most is not None
    assert cold.tokens <= cold.at_most


def test_a_client_is_warm_when_it_starts_and_one_in_a_world_is_not():
    pytest.importorskip("splintr")
    world = World()
    with Client(ROUTER, transport=world, clock=world) as still:
        assert still.desk.measure(asking()).way == "estimated"
    with Client(ROUTER, transport=world) as client:
        assert client.desk.measure(asking()).way == "counted"
