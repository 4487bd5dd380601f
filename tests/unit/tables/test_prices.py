from decimal import Decimal
from fractions import Fraction

import pytest

from hyperroute.tables.load import loads

HEAD = "hyperroute: 1\nproviders: {p: {plugin: simulated}}\n"


def sheet(price, *, kind="chat"):
    text = f"{HEAD}models: {{m: {{kind: {kind}, offers: [{{at: p, price: {price}}}]}}}}\n"
    table = loads(text).table
    return table.offers["m@p"].price[-1], table.scale


def usd(rate, scale):
    return Fraction(rate, scale)


def test_per_scales_the_meters_of_its_unit_only():
    found, scale = sheet("{per: 1M tok, in: 0.75, out: 4.50, image: 0.02}")

    assert usd(found.rates["in"], scale) == Fraction(75, 100) / 1_000_000
    assert usd(found.rates["out"], scale) == Fraction(450, 100) / 1_000_000
    assert usd(found.rates["image"], scale) == Fraction(2, 100)


def test_a_hundred_credit_are_a_dollar_and_seconds_are_counted_in_milliseconds():
    found, scale = sheet("{currency: credit, per: 60 second, in.second: 1}", kind="audio")

    assert usd(found.rates["in.second"], scale) == Fraction(1, 100) / 60_000
    assert found.currency == "credit"


def test_no_rate_is_ever_rounded():
    found, scale = sheet("{per: 7 tok, in: 0.1, out: 0.0000000001, call: 3}")

    assert usd(found.rates["in"], scale) == Fraction(1, 70)
    assert usd(found.rates["out"], scale) == Fraction(Decimal("0.0000000001")) / 7
    assert all(type(rate) is int for rate in found.rates.values())


def test_the_scale_makes_a_micro_credit_whole():
    _, scale = sheet("{call: 1}")

    assert scale % 100_000_000 == 0


def test_zero_is_a_price_and_no_price_is_unknown():
    free, _ = sheet("{call: 0}")
    table = loads(f"{HEAD}models: {{m: {{kind: chat, offers: [{{at: p}}]}}}}\n").table

    assert free.rates == {"call": 0}
    assert table.offers["m@p"].price == ()


def test_dated_rows_are_sorted_and_a_row_without_a_date_is_the_oldest():
    text = (
        f"{HEAD}models: {{m: {{kind: chat, offers: [{{at: p, price: l}}]}}}}\n"
        "prices: {l: [{from: 2026-03-01, in: 3}, {in: 1}, {from: 2026-01-01, in: 2}]}\n"
    )
    rows = loads(text).table.offers["m@p"].price

    assert [row.begins for row in rows] == [0, 20454, 20513]
    assert [row.rates["in"] // rows[0].rates["in"] for row in rows] == [1, 2, 3]


def test_equal_rows_are_one_object():
    price = "{per: 1M tok, in: 0.5}"
    text = (
        f"{HEAD}models: {{m: {{kind: chat, offers: [{{at: p, price: {price}}}]}}, "
        f"n: {{kind: chat, offers: [{{at: p, price: {{in: 0.50, per: 1000k tok}}}}]}}}}\n"
    )
    offers = loads(text).table.offers

    assert offers["m@p"].price[0] is offers["n@p"].price[0]


@pytest.mark.parametrize(
    ("price", "kind", "charged"),
    [
        ("{in: 1}", "chat", "usage"),
        ("{clip: 1}", "video", "success"),
        ("{in: 1, search: 1}", "chat", "usage"),
        ("{clip: 1, charged: attempt}", "video", "attempt"),
    ],
)
def test_what_is_charged_follows_the_meters(price, kind, charged):
    assert sheet(price, kind=kind)[0].charged == charged


def test_steps_are_in_the_base_unit_of_their_meters():
    found, _ = sheet("{in.second: 1, run.second: 2, call: 1, step: 60 second}", kind="audio")

    assert found.steps == {"in.second": 60_000, "run.second": 60_000}


def test_tiers_keep_their_order_and_name_only_what_they_replace():
    found, scale = sheet(
        "{second: 0.067, tiers: [{when: {audio: true}, second: 0.112}, "
        "{when: {mode: pro, duration: 5s}, second: 0.090}]}",
        kind="video",
    )

    assert [usd(tier.rates["second"], scale) * 1000 for tier in found.tiers] == [
        Fraction(112, 1000),
        Fraction(90, 1000),
    ]
    assert found.tiers[0].when[0].values == (True,)
    assert found.tiers[1].when[0].values == (5_000_000_000,)


def test_sell_is_a_sheet_a_margin_or_the_cost():
    text = (
        f"{HEAD}models: {{a: {{kind: chat, sell: cost + 15%}}, b: {{kind: chat, sell: l}}, "
        "c: {kind: chat, sell: cost}, d: {kind: chat}}\nprices: {l: {in: 2}}\n"
    )
    sells = {name: service.model.sell for name, service in loads(text).table.services.items()}

    assert (sells["a"].margin_percent, sells["a"].price) == (15, None)
    assert [row.rates["in"] > 0 for row in sells["b"].price or ()] == [True]
    assert sells["c"] == sells["d"]
