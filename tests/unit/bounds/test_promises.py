"""Promises are proved when a table is loaded; a broken one tells the request that breaks it."""

from __future__ import annotations

import pytest

from hyperroute.errors import TableError
from hyperroute.tables.load import loads

TABLE = """\
hyperroute: 1
providers:
  a: {plugin: simulated, keys: [env:A, env:B], region: us, retain: 30d}
  b: {plugin: simulated, keys: [env:C], region: eu, retain: 0d}
models:
  m:
    kind: chat
    context: 100k
    output: 8k
    offers:
      - {at: a, price: {per: 1M tok, in: 1, out: 2}}
      - {at: b, price: {per: 1M tok, in: 2, out: 4}}
    promise: {PROMISE}
policies:
  eu: {for: {org.region: eu}, require: {region: eu}}
"""


@pytest.mark.parametrize(
    "promise",
    [
        "attempts: 6",
        "attempts: 5",
        "attempts: 2, for: {org.region: eu}",
        "cost: 0.812 usd",
        "time: 300s",
        "survives: 1 offer, for: {org.region: us}",
        "survives: 1 provider, for: {org.region: us}",
        "survives: 1 region, for: {org.region: us}",
        "never: {region: us}, for: {org.region: eu}",
        "never: {retain: not given}",
        "never: {region: cn}",
    ],
)
def test_what_is_kept_loads(promise: str) -> None:
    loaded = loads(TABLE.replace("PROMISE", promise))
    assert loaded.table.services["m"].promise is not None


@pytest.mark.parametrize(
    ("promise", "key", "told"),
    [
        (
            "attempts: 4",
            "attempts",
            "but one request can come to 5 attempts: a request (model m, in 100000): "  # noqa: ISC004
            "m@a server_error 3 times, m@b server_error, m@b answers",
        ),
        ("attempts: 2", "attempts", "can come to 5 attempts"),
        ("cost: 0.811 usd", "cost", "can come to 0.812 usd"),
        ("time: 299s", "time", "one request can come to 299.95s: a request (model m, in 100000)"),
        ("survives: 1 provider", "survives", "(model m, in 100000, org.region eu) has only b"),
        ("survives: 2 offers, for: {org.region: us}", "survives", "has only m@a, m@b"),
        ("never: {region: us}", "never", "promises never {region: us}, but a request (model m, in"),
        ("never: {retain: 0d}", "never", "can be tried at m@b"),
    ],
)
def test_what_is_broken_refuses_the_table_at_its_place(promise: str, key: str, told: str) -> None:
    with pytest.raises(TableError) as caught:
        loads(TABLE.replace("PROMISE", promise), "routes.yaml")
    (problem,) = caught.value.problems
    assert problem.line == 13
    assert problem.column == 15 + len(f"{key}: ") - 1 + 1
    assert told in problem.message


def test_a_cost_that_nothing_bounds_cannot_be_promised() -> None:
    text = TABLE.replace("PROMISE", "cost: 9 usd").replace("    context: 100k\n", "")
    with pytest.raises(TableError, match="nothing bounds it"):
        loads(text)


@pytest.mark.parametrize("where", ["intent", "chain"])
def test_intents_and_chains_promise_too(where: str) -> None:
    text = TABLE.replace("promise: {PROMISE}\n", "vendor: acme\n")
    text += (
        "chains: {c: {first: [m], take: 1, promise: {attempts: %d}}}\n" if where == "chain" else ""
    )
    text += "intents: {i: {kind: chat, use: c}}\n" if where == "chain" else ""
    text += (
        "intents: {i: {kind: chat, take: 1, promise: {attempts: %d}}}\n"
        if where == "intent"
        else ""
    )
    loads(text % 3)
    with pytest.raises(TableError, match="can come to 3 attempts"):
        loads(text % 2)


def test_what_is_promised_of_more_classes_than_are_looked_at_must_hold_of_all() -> None:
    facts = "facts:\n" + "".join(f"  org.f{at}: {{one_of: [x, y]}}\n" for at in range(9))
    policies = "".join(
        f"  p{at}: {{for: {{org.f{at}: x}}, cap: {{attempts: 4}}}}\n" for at in range(9)
    )
    text = TABLE + policies + facts
    loads(text.replace("PROMISE", "attempts: 5"))
    loads(text.replace("PROMISE", "never: {region: cn}"))
    with pytest.raises(TableError, match="not proved: what was looked at of 78732 classes"):
        loads(text.replace("PROMISE", "survives: 1 offer, for: {org.region: us}"))


def test_a_table_without_promises_does_not_load_the_prover() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from hyperroute.tables.load import loads; "
        f"loads({TABLE.replace('    promise: {PROMISE}', '')!r}); "
        "print('hyperroute.bounds' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "False"
