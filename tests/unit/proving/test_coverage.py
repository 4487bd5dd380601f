"""What tests of a table came to, and what they did not."""

from hyperroute.proving.coverage import covered
from hyperroute.proving.tests import run
from hyperroute.tables.load import loads

TABLE = """hyperroute: 1
providers: {north: {plugin: simulated}, south: {plugin: simulated}}
models:
  alpha: {kind: chat, offers: [{at: north}]}
  beta: {kind: chat, offers: [{at: south}]}
chains:
  long:
    match:
      - {when: {req.tokens: "> 8k"}, use: beta}
      - {use: {match: [{when: {req.stream: true}, use: alpha}, {use: beta}]}}
  spare: {split: {by: user, arms: {alpha: 100%}}}
  never: {first: [beta]}
policies:
  base: {errors: {rate_limited: next, overloaded: next}}
  eu: {for: {org.region: eu}, cap: {attempts: 2}}
intents:
  smart: {kind: chat, use: {first: [long, spare]}}
  other: {kind: chat, use: never}
"""
TESTS = """tests:
  - name: short
    given: {intent: smart, in: 1k, script: {alpha@north: [overloaded, ok]}}
    expect: {ends: served}
  - name: long
    given: {intent: smart, in: 9k, org.region: eu}
    expect: {ends: served}
  - name: pinned
    given: {model: alpha, in: 1k}
    expect: {ends: served}
"""


def coverage(text):
    loaded = loads(text)
    return covered(loaded.table, [run(case, loaded.table) for case in loaded.tests])


def test_what_no_test_comes_to_is_named():
    found = coverage(TABLE + TESTS)
    assert found.missing("intents") == ("other",)
    assert found.missing("chains") == ("never",)
    assert found.missing("arms") == ("chain long (match 2): arm 2",)
    assert found.missing("policies") == ()
    assert found.missing("failures") == ("rate_limited",)
    assert not found.whole
    assert found.to_json()["arms"] == {
        "there": 4,
        "met": 3,
        "missing": ["chain long (match 2): arm 2"],
    }


def test_more_tests_cover_the_rest():
    more = """  - name: never
    given: {intent: other, in: 1k, script: {beta@south: [rate_limited]}}
    expect: {ends: exhausted}
  - name: whole
    given: {intent: smart, in: 1k, req.stream: false}
    expect: {ends: served}
"""
    assert coverage(TABLE + TESTS + more).whole


def test_without_tests_nothing_is_met():
    found = coverage(TABLE)
    assert found.missing("policies") == ("base", "eu")
    assert len(found.missing("arms")) == 4
