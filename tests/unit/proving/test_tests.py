"""The runner of a table's tests must be able to say no to each expectation."""

from __future__ import annotations

import pytest

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.errors import TableError
from hyperroute.proving.scripted import duration
from hyperroute.proving.tests import Result, run
from hyperroute.tables.load import loads

TABLE = """
hyperroute: 1
providers:
  acme:   {plugin: openai, keys: [env:ACME_1, env:ACME_2], region: us}
  bolder: {plugin: openai, keys: [env:BOLDER], region: eu}
  plain:  {plugin: openai}
models:
  teller:
    kind: chat
    does: [tools]
    context: 32k
    output: 8k
    offers:
      - {at: acme, price: {per: 1M tok, in: 1, out: 2}}
      - {at: bolder, context: 128k, price: {per: 1M tok, in: 2, out: 4}}
  other: {kind: chat, endpoints: [messages], offers: [{at: plain}]}
  twin:
    kind: chat
    offers:
      - {at: acme, sends: same, variant: a, price: {per: 1M tok, in: 1, out: 2}}
      - {at: acme, sends: same, variant: b, price: {per: 1M tok, in: 1, out: 2}}
  painter: {kind: image, takes: {size: [1024x1024, 2048x2048]}, offers: [{at: acme, price: {image: 0.04}}]}
  dated:
    kind: chat
    offers: [{at: acme, price: dated.list}]
prices:
  dated.list:
    - {from: 2026-01-01, per: 1M tok, in: 1, out: 1}
    - {from: 2026-06-01, per: 1M tok, in: 9, out: 9}
policies:
  base: {errors: {rate_limited: rotate}}
  eu: {for: {org.region: eu}, require: {region: eu}}
intents:
  cheap: {kind: chat, from: {does: [tools]}, rank: [cost], take: 2}
tests:
"""


def play(given: str, expect: str) -> Result:
    loaded = loads(f"{TABLE}  - {{name: one, given: {{{given}}}, expect: {{{expect}}}}}\n")
    return run(loaded.tests[0], loaded.table)


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        (
            "model: teller, in: 1k tok",
            "served: teller@acme, attempts: 1, ends: served, status: 200",
        ),
        ("model: teller", "order: [teller@acme, teller@bolder]"),
        ("model: teller, in: 1k tok, out: 100", "cost: 0.0012 usd"),
        ("model: teller, down: [acme]", "served: teller@bolder, attempts: 1, never: {region: us}"),
        ("model: teller, down: [teller@acme]", "served: teller@bolder, attempts: 1"),
        ("model: teller, down: [acme, bolder]", "ends: exhausted, attempts: 1, error: net_unsent"),
        ("model: teller, org.region: eu", "served: teller@bolder, rejected: {teller@acme: region}"),
        ("model: teller, in: 60k tok", "rejected: {teller@acme: context}"),
        ("model: teller, needs: [vision]", "ends: refused, attempts: 0, status: 400"),
        ("intent: cheap, in: 1k tok", "served: teller@acme"),
        ("model: other", "served: other@plain"),
        ("model: other, req.endpoint: chat", "ends: refused, error: wrong_endpoint"),
        ("model: nobody", "ends: refused, error: model_not_found"),
        ("model: teller, max_cost: 0 usd", "ends: refused, error: over_cap"),
        ("model: twin, script: {twin@acme/a: [overloaded]}", "served: twin@acme/b"),
        ("model: painter, size: 2048x2048, n: 2", "served: painter@acme, cost: 0.08 usd"),
        ("model: painter, size: 1x1", "ends: refused, status: 400"),
        ("model: dated, in: 1M tok, out: 0, at: 2026-05-31", "cost: 1 usd"),
        ("model: dated, in: 1M tok, out: 0, at: 2026-06-01", "cost: 9 usd"),
        ("model: dated, in: 1M tok, out: 0", "cost: 9 usd"),
        ("model: teller, providers: {avoid: [acme]}", "served: teller@bolder"),
        ("model: teller, providers: {only: [bolder]}", "served: teller@bolder"),
        ("model: teller, script: {teller@acme: [slow 50s]}", "served: teller@acme"),
        ("model: teller, script: {teller@acme: [slow 61s]}", "served: teller@bolder, attempts: 2"),
        (
            "model: teller, script: {teller@acme: [server_error, ok]}",
            "served: teller@acme, attempts: 2",
        ),
        (
            "model: teller, script: {teller@acme: [rate_limited, ok]}",
            "served: teller@acme, attempts: 2",
        ),
        (
            "model: teller, script: {teller@acme: [cut after 20 tok]}",
            "ends: interrupted, error: truncated",
        ),
        ("model: teller, script: {teller@acme: [cut after 0 tok]}", "served: teller@bolder"),
        (
            "model: teller, req.stream: false, script: {teller@acme: [cut after 20 tok]}",
            "served: teller@bolder, attempts: 2",
        ),
    ],
)
def test_what_comes_true_passes(given: str, expect: str) -> None:
    assert play(given, expect).wrong == ()


@pytest.mark.parametrize(
    ("given", "expect", "wrong"),
    [
        (
            "model: teller",
            "served: teller@bolder",
            "served: expected teller@bolder, came teller@acme",
        ),
        ("model: teller", "attempts: 2", "attempts: expected 2, came 1"),
        ("model: teller", "ends: refused", "ends: expected refused, came served"),
        ("model: teller", "error: truncated", "error: expected truncated, came none"),
        ("model: teller", "status: 400", "status: expected 400, came 200"),
        ("model: teller", "never: {region: us}", "never: teller@acme was attempted"),
        (
            "model: teller",
            "order: [teller@acme]",
            "order: expected teller@acme; came teller@acme, ",
        ),
        (
            "model: teller, in: 1k tok, out: 100",
            "cost: 0.0011 usd",
            "cost: expected at most 0.0011 usd",
        ),
        (
            "model: other, in: 1k tok",
            "cost: 1 usd",
            "cost: expected at most 1 usd, came an unknown",
        ),
        (
            "model: teller",
            "rejected: {teller@acme: region}",
            "rejected: teller@acme was not rejected",
        ),
        (
            "model: teller, org.region: eu",
            "rejected: {teller@acme: context}",
            "rejected: expected context",
        ),
        (
            "model: teller, script: {teller@acme: [cut after 20 tok]}",
            "served: teller@acme",
            "served: expected teller@acme, came none",
        ),
    ],
)
def test_what_does_not_come_true_is_told(given: str, expect: str, wrong: str) -> None:
    result = play(given, expect)
    assert not result.passed
    assert len(result.wrong) == 1
    assert result.wrong[0].startswith(wrong)


@pytest.mark.parametrize("kind", FailureClass)
def test_every_failure_class_can_be_played(kind: FailureClass) -> None:
    result = play(
        f"model: teller, script: {{teller@acme: [{kind}], teller@bolder: [{kind}]}}", "attempts: 9"
    )
    failures = {attempt.failure.kind for attempt in result.record.attempts if attempt.failure}
    assert failures == {kind}
    assert result.record.outcome == "exhausted"


def test_a_word_that_is_no_step_is_refused_when_the_table_loads() -> None:
    with pytest.raises(TableError, match="rate_limted"):
        play("model: teller, script: {teller@acme: [rate_limted]}", "attempts: 1")


def test_playing_twice_gives_the_same_record() -> None:
    given = (
        "model: teller, script: {teller@acme: [server_error], teller@bolder: [server_error, ok]}"
    )
    assert play(given, "attempts: 4").record == play(given, "attempts: 4").record


def test_times_are_read_as_the_language_writes_them() -> None:
    assert duration("500ms") == 500 * MILLISECOND
    assert duration("1.5s") == 3 * SECOND // 2
    assert duration("2m") == 120 * SECOND
    with pytest.raises(ValueError, match="no time"):
        duration("soon")
