"""A period under other prices, against the prices themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hyperroute.canon.journal import UsageRow
from hyperroute.canon.money import MICROCREDITS_PER_CREDIT as CREDIT
from hyperroute.canon.units import DAY
from hyperroute.canon.usage import Usage
from hyperroute.client import Router
from hyperroute.plugins.registry import discover
from hyperroute.usage.rerating import Rerated, prices, rerated, together

TABLE = """
hyperroute: 1
providers:
  acme: {plugin: openai, url: "https://api.acme.example/v1", keys: [env:ACME]}
  other: {plugin: openai, url: "https://other.example/v1", keys: [env:OTHER]}
prices:
  dated:
    - {per: 1M tok, in: 1, out: 1}
    - {from: 2026-02-01, per: 1M tok, in: 2, out: 2}
models:
  plain:
    kind: chat
    sell: cost + 50%
    offers:
      - {at: acme, price: {per: 1M tok, in: 1, out: 4, in.cached: 0.1}}
      - {at: other}
  dated:
    kind: chat
    sell: {per: 1M tok, in: 10, out: 10}
    offers:
      - {at: acme, price: dated}
  tiered:
    kind: chat
    offers:
      - at: acme
        price: {per: 1M tok, in: 1, out: 1, tiers: [{when: {in: "> 1000"}, in: 2}]}
  picture:
    kind: image
    does: [text_to_image]
    offers:
      - at: acme
        price: {image: 0.04, tiers: [{when: {size: 2048x2048}, image: 0.08}]}
"""
JANUARY, MARCH = 20_454 * DAY, 20_513 * DAY
MILLION = 1_000_000
SERVED = UsageRow(
    id="r1",
    at=JANUARY,
    model="plain",
    offer="plain@acme",
    provider="acme",
    usage=Usage(input_tokens=MILLION, output_tokens=MILLION),
    credits=7 * CREDIT,
    cost=5 * CREDIT,
)


@pytest.fixture(scope="module")
def table():
    return Router.loads(TABLE, registry=discover(entry_points=True)).table


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, (750, 500)),
        ({"usage": Usage(input_tokens=MILLION, cache_read_tokens=MILLION, output_tokens=0)}, (15, 10)),
        ({"model": "dated", "offer": "dated@acme"}, (2_000, 200)),
        ({"model": "dated", "offer": "dated@acme", "at": MARCH}, (2_000, 400)),
        ({"model": "tiered", "offer": "tiered@acme"}, (300, 300)),
        ({"usage": Usage()}, (None, None)),
        ({"offer": "plain@acme/gone"}, (750, 500)),
        ({"offer": "plain@other", "provider": "other"}, (None, None)),
        ({"offer": "plain@third", "provider": "third"}, (None, None)),
        ({"model": "unknown", "offer": "unknown@acme"}, (None, None)),
        ({"model": "picture", "offer": "picture@acme", "usage": Usage(images=1)}, (None, None)),
    ],
)  # fmt: skip
def test_a_row_is_priced_by_its_offer_on_its_day(table, more, expected):
    wanted = tuple([None if one is None else one * CREDIT for one in expected])
    assert prices(replace(SERVED, **more), table) == wanted


def test_models_are_added_up_and_what_has_no_price_is_left_out_of_both_sums(table):
    rows = [
        SERVED,
        replace(SERVED, id="r2", cost=None),
        replace(SERVED, id="r3", usage=Usage()),
        replace(SERVED, id="r4", model="dated", offer="dated@acme", error="stalled"),
        replace(SERVED, id="r5", offer=None, credits=0),
    ]
    whole = rerated(rows, table)
    assert whole == {
        "plain": Rerated(
            model="plain",
            requests=2,
            charged=14 * CREDIT,
            would_charge=1_500 * CREDIT,
            cost=5 * CREDIT,
            would_cost=500 * CREDIT,
            unpriced=1,
            uncosted=1,
        ),
        "dated": Rerated(
            model="dated",
            requests=1,
            charged=7 * CREDIT,
            would_charge=2_000 * CREDIT,
            cost=5 * CREDIT,
            would_cost=200 * CREDIT,
        ),
    }
    first, second = rerated(rows[:1], table)["plain"], rerated(rows[1:], table)["plain"]
    assert together(first, second) == whole["plain"]
    assert together(None, first) == first
