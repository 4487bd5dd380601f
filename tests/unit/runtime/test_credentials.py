"""References resolved once, at the start; what is missing is named and never stops it."""

from __future__ import annotations

import pytest

from hyperroute.client import Router
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.routing.questions import Answers
from hyperroute.runtime.credentials import NO_SECRET, resolve

TABLE = """
hyperroute: 1
providers:
  own: {plugin: openai}
  two: {plugin: openai, keys: [env:SET, env:UNSET]}
  open: {plugin: openai, url: "http://localhost:8000/v1", keys: []}
  far: {plugin: openai, url: env:FAR_URL, keys: [env:SET], headers: {x-team: env:TEAM, x-plain: yes}}
models:
  m: {kind: chat, offers: [{at: own}, {at: two}, {at: open}, {at: far}]}
"""
KNOWN = {
    "env:SET": "sk-set",
    "env:OPENAI_API_KEY": "sk-own",
    "env:FAR_URL": "https://far.test/v1/",
}


def accounts(known=KNOWN):
    def resolver(reference):
        value = known.get(reference)
        return None if value is None else Secret(value)

    registry = discover().with_secrets(resolver)
    router = Router.loads(TABLE, registry=registry)
    return resolve(router.table, router.registry)


def test_an_account_that_names_no_key_has_the_one_its_plugin_names():
    assert accounts().secret("own#0").reveal() == "sk-own"


def test_a_missing_key_is_told_by_the_name_of_its_variable():
    found = accounts()
    assert found.secret("two#0").reveal() == "sk-set"
    assert set(found.missing) == {"two#1", "far"}
    assert "UNSET" in found.missing["two#1"]
    assert "TEAM" in found.missing["far"]
    assert found.wanted == {"two#1": "UNSET", "far": "TEAM"}


def test_what_is_wanted_reads_on_from_needs():
    registry = discover().with_secrets(lambda _: None)
    table = """
hyperroute: 1
providers:
  one: {plugin: openai, url: env:ONE_URL, keys: ["file:/no/such/key"], headers: {x-team: env:TEAM}}
models:
  m: {kind: chat, offers: [{at: one}]}
"""
    router = Router.loads(table, registry=registry)
    found = resolve(router.table, registry)
    assert found.wanted == {"one": "ONE_URL and TEAM", "one#0": "the file '/no/such/key'"}
    made = router.plan(
        {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
        answers=Answers(missing=found.wanted),
    )
    assert made.refusal is not None
    assert made.refusal.message == (
        "No credential is set for 'm': it needs ONE_URL and TEAM and the file '/no/such/key'."
    )


def test_an_account_without_keys_needs_none():
    assert accounts().secret("") is NO_SECRET


def test_a_url_and_a_header_may_be_references():
    far = accounts({**KNOWN, "env:TEAM": "red"}).by_name["far"]
    assert far.url == "https://far.test/v1"
    assert dict(far.headers) == {"x-team": "red", "x-plain": "yes"}


def test_nothing_prints_a_secret():
    found = accounts({**KNOWN, "env:TEAM": "sk-team"})
    assert "sk-" not in repr(found)


def test_a_planner_that_was_not_told_is_a_bug_of_ours():
    with pytest.raises(KeyError):
        accounts().secret("two#1")
