"""Prices are exact: every token once, parts out of their wholes, tiers for the whole request."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.catalog.price import METERS, Sell, Sheet, Tier
from hyperroute.catalog.pricing import ANCESTORS, bound, cost, linear, owed, sheet_on, sold
from hyperroute.testing import handmade

RATE = st.integers(0, 50)
COUNT = st.integers(0, 1_000)
PARTS = ("in.cached", "in.cache_write", "in.cache_write.1h", "in.image", "out.reasoning")


@st.composite
def token_sheets(draw):
    named = draw(st.lists(st.sampled_from(PARTS), unique=True))
    rates = {"in": draw(RATE), "out": draw(RATE), **{name: draw(RATE) for name in named}}
    tiers: tuple[Tier, ...] = ()
    if draw(st.booleans()):
        when = draw(
            st.sampled_from(
                (
                    (handmade.line("in", ">", 500),),
                    (handmade.line("in", "<=", 100),),
                    (handmade.line("service_tier", "equal", "flex"),),
                    (handmade.line("service_tier", "equal", "flex"), handmade.line("in", ">=", 9)),
                )
            )
        )
        tiers = (Tier(when=when, rates={draw(st.sampled_from(sorted(rates))): draw(RATE)}),)
    return Sheet(rates=rates, tiers=tiers, steps={})


@st.composite
def usages(draw):
    """Parts that add up within their wholes; an absent part is ``None``."""
    cached, written, hour, image, plain = (draw(COUNT) for _ in range(5))
    hour = min(hour, written)
    reasoning, text = draw(COUNT), draw(COUNT)
    known = {
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": hour,
        "input_image_tokens": image,
        "reasoning_tokens": reasoning,
    }
    gone = draw(st.lists(st.sampled_from(sorted(known)), unique=True))
    return Usage(
        input_tokens=cached + written + image + plain,
        output_tokens=reasoning + text,
        **{name: value for name, value in known.items() if name not in gone},
    )


PARAMETERS = st.sampled_from(({}, {"service_tier": "flex"}, {"service_tier": "default"}))


def token_by_token(usage: Any, sheet: Sheet, parameters: Any) -> int:
    """Pay every single token at the nearest rate of what it is."""
    rates = dict(sheet.rates)
    for tier in sheet.tiers:
        facts = {"in": usage.input_tokens, **parameters}
        if all(
            line.fact in facts
            and {
                ">": lambda a, b: a > b,
                ">=": lambda a, b: a >= b,
                "<=": lambda a, b: a <= b,
                "equal": lambda a, b: a == b,
            }[line.op](facts[line.fact], line.values[0])
            for line in tier.when
        ):
            rates.update(tier.rates)
            break
    total = 0
    counts = {name: getattr(usage, METERS[name][1]) or 0 for name in ("in", "out", *PARTS)}
    # An hour's cache write is a cache write, also where only the hour's count is told.
    counts["in.cache_write"] = max(counts["in.cache_write"], counts["in.cache_write.1h"])
    counts["in.cache_write"] -= counts["in.cache_write.1h"]
    for name in PARTS:
        counts[name.partition(".")[0]] -= counts[name]
    for name, count in counts.items():
        rated = next(one for one in (name, *ANCESTORS[name]) if one in rates)
        total += count * rates[rated]
    return total


@given(token_sheets(), usages(), PARAMETERS)
def test_every_token_is_paid_once_at_the_rate_of_its_part(sheet, usage, parameters):
    assert cost(usage, sheet, parameters) == token_by_token(usage, sheet, parameters)


@given(token_sheets(), usages(), RATE)
def test_equal_rates_make_parts_invisible(sheet, usage, rate):
    flat = replace(sheet, rates=dict.fromkeys(sheet.rates, rate), tiers=())
    assert cost(usage, flat) == rate * (usage.input_tokens + usage.output_tokens)


@given(token_sheets(), usages(), usages(), PARAMETERS)
def test_a_bound_covers_every_usage_within_it(sheet, usage, other, parameters):
    most = Usage(
        input_tokens=max(usage.input_tokens, other.input_tokens),
        output_tokens=max(usage.output_tokens, other.output_tokens),
    )
    ceiling: Any = bound(most, sheet, parameters)
    for one in (usage, other):
        paid: Any = cost(one, sheet, parameters)
        assert paid <= ceiling


@given(st.integers(0, 500), st.integers(1, 99), RATE, st.integers(0, 999))
def test_steps_round_up_to_whole_multiples(amount, step, rate, most):
    sheet = Sheet(rates={"in.second": rate}, steps={"in.second": step})
    paid: Any = cost(Usage(received_ms=amount), sheet)
    assert paid == rate * -(-amount // step) * step
    if amount <= most:
        ceiling: Any = bound(Usage(received_ms=most), sheet)
        assert paid <= ceiling


@given(token_sheets(), st.integers(0, 1_500), COUNT)
def test_a_linear_sheet_is_the_sum_of_its_two_rates(sheet, tokens_in, tokens_out):
    line = linear(sheet)
    reads_parameters = any(one.fact != "in" for tier in sheet.tiers for one in tier.when)
    assert (line is None) == reads_parameters
    if line is not None:
        rate_in, rate_out = line.at(tokens_in)
        usage = Usage(input_tokens=tokens_in, output_tokens=tokens_out)
        assert cost(usage, sheet) == rate_in * tokens_in + rate_out * tokens_out


@given(token_sheets(), usages())
def test_an_unknown_whole_or_a_missing_rate_makes_the_price_unknown(sheet, usage):
    assert cost(replace(usage, output_tokens=None), sheet) is None
    assert cost(NO_USAGE, sheet) is None
    rates = {name: rate for name, rate in sheet.rates.items() if not name.startswith("out")}
    unpriced = replace(sheet, rates=rates, tiers=())
    assert (cost(usage, unpriced) is None) == (usage.output_tokens > 0)
    assert cost(replace(usage, searches=1), sheet) is None
    assert cost(usage, Sheet(rates={}, steps={})) is None


@given(st.lists(st.integers(0, 9), unique=True), st.integers(0, 9))
def test_the_latest_begun_row_counts(begins, day):
    price = tuple(Sheet(begins=one, rates={}, steps={}) for one in sorted(begins))
    found = sheet_on(price, day)
    begun = [one for one in begins if one <= day]
    assert (found.begins if found else None) == max(begun, default=None)


@given(st.integers(0, 10**6), st.integers(0, 500))
def test_a_margin_is_never_below_what_it_says(paid, percent):
    price: Any = sold(Sell(margin_percent=percent), NO_USAGE, 0, paid, {})
    assert 0 <= price * 100 - paid * (100 + percent) < 100
    assert sold(Sell(), NO_USAGE, 0, None, {}) is None


def test_what_a_failed_attempt_costs_is_what_the_sheet_says():
    usage = Usage(input_tokens=10, output_tokens=1)
    rates = {"in": 2, "out": 3}
    by = {
        word: Sheet(rates=rates, steps={}, charged=word) for word in ("usage", "success", "attempt")
    }
    assert owed(usage, by["usage"], ended="cut") == 23
    assert owed(NO_USAGE, by["usage"], ended="failed") == 0
    assert owed(usage, by["success"], ended="cut") == 0
    assert owed(usage, by["success"], ended="served") == 23
    assert owed(usage, by["attempt"], ended="failed") == 23


def test_seconds_received_are_no_part_of_tokens():
    assert ANCESTORS["in.second"] == ()
    assert ANCESTORS["in.cache_write.1h"] == ("in.cache_write", "in")
    sheet = Sheet(rates={"in": 1, "in.second": 100, "out": 1}, steps={})
    usage = Usage(input_tokens=5, output_tokens=0, received_ms=2)
    assert cost(usage, sheet) == 205


def test_media_is_paid_by_the_measure_that_the_sheet_names():
    usage = Usage(clips=1, made_ms=5_000, images=0, calls=1)
    assert cost(usage, Sheet(rates={"second": 3}, steps={})) == 15_000
    assert cost(usage, Sheet(rates={"clip": 7}, steps={})) == 7
    assert cost(usage, Sheet(rates={"clip": 7, "call": 1}, steps={})) == 8
    assert cost(usage, Sheet(rates={"pixel": 1}, steps={})) is None
    videos = Sheet(rates={"out.video": 2}, steps={})
    assert cost(Usage(output_video_tokens=50), videos) == 100
    assert cost(Usage(output_video_tokens=50, output_tokens=50), videos) == 100
    assert cost(Usage(output_video_tokens=50, output_tokens=60), videos) is None
    assert cost(NO_USAGE, videos) is None
    assert bound(Usage(output_video_tokens=50), videos) == 100
