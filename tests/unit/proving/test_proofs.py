"""A proof is what was played; a page of it stands alone."""

from __future__ import annotations

from decimal import Decimal

from hyperroute.bounds.worst import Trace
from hyperroute.proving.played import play
from hyperroute.proving.proofs import document, prove, told
from hyperroute.proving.report import bars, folded, grid, page, text
from hyperroute.tables.load import loads

TABLE = """
hyperroute: 1
providers: {a: {plugin: simulated, keys: [env:A, env:B]}, b: {plugin: simulated}}
models:
  m:
    kind: chat
    context: 10k
    output: 1k
    offers:
      - {at: a, price: {per: 1k tok, in: 1, out: 1}}
      - {at: b, price: {per: 1k tok, in: 2, out: 2}}
intents: {i: {kind: chat, rank: [cost], take: 1}}
"""


def test_every_bound_of_a_plain_table_is_attained() -> None:
    table = loads(TABLE).table
    proofs = list(prove(table))
    assert [(proof.name, proof.what) for proof in proofs] == [("m", "model"), ("i", "intent")]
    assert all(one.exact for proof in proofs for one in (proof.attempts, proof.cost, proof.time))
    found = document(proofs[1], table)
    assert found["cost_usd"]["bound"] == Decimal(44)
    assert found["cost_usd"]["trace"]["request"]["down"] == ["m@a"]
    assert found["attempts"]["attained"] == 3


def test_a_trace_that_does_not_come_to_its_bound_is_not_called_exact() -> None:
    table = loads(TABLE).table
    (proof,) = prove(table, ["m"])
    assert proof.attempts.trace is not None
    trace = proof.attempts.trace
    shorter = Trace(trace.situation, trace.attempts[-1:])
    assert play(trace, table).attempts == 5
    assert play(shorter, table).attempts == 1
    assert told(trace).startswith("a request (model m, in 10000)")


def test_a_page_stands_alone_and_escapes_what_it_is_told() -> None:
    made = page(
        "<title>",
        [
            ("a & b", text("<script>")),
            ("numbers", grid(("name", "n"), [("<i>", "1")], (1,))),
            ("chart", bars([("one", 2.0, "2 usd"), ("none", 0.0, "0")])),
            ("more", folded("<b>", ["<u>"])),
        ],
    )
    assert "<script" not in made
    assert "http" not in made
    assert 'name="viewport"' in made
    assert made.count("<rect") == 2
    for word in ("&lt;script&gt;", "a &amp; b", "&lt;i&gt;", "&lt;b&gt;", "&lt;u&gt;"):
        assert word in made
