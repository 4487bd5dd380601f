"""Bounds of small tables, worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hyperroute.bounds.classes import CLASSES_MAX
from hyperroute.bounds.told import run, said
from hyperroute.bounds.worst import Bounds, bounds_of
from hyperroute.canon.units import SECOND
from hyperroute.routing.table import RouteTable
from hyperroute.tables.load import loads

HOSTS = """
hyperroute: 1
providers:
  a: {plugin: simulated, keys: [env:A1, env:A2], region: us}
  b: {plugin: simulated, keys: [env:B], region: eu}
  c: {plugin: simulated, region: eu}
"""


def bounded(text: str, name: str, most: int = CLASSES_MAX) -> tuple[Bounds, RouteTable]:
    table = loads(HOSTS + text).table
    found = bounds_of(table, name, most=most)
    assert found is not None
    return found, table


def dollars(found: Bounds, table: RouteTable) -> Decimal:
    assert found.cost.bound is not None
    return Decimal(found.cost.bound) / table.scale


TWO = """
models:
  m:
    kind: chat
    context: 10k
    output: 1k
    offers:
      - {at: a, price: {per: 1k tok, in: 1, out: 1}}
      - {at: b, price: {per: 1k tok, in: 2, out: 2}}
"""


def test_attempts_are_firsts_retries_and_other_keys() -> None:
    found, _ = bounded(TWO, "m")
    assert found.attempts.bound == 3 + 2
    assert found.attempts.exact
    assert found.attempts.trace is not None
    assert run(found.attempts.trace) == ("m@a server_error 3 times, m@b server_error, m@b answers")


def test_a_key_is_only_turned_to_as_often_as_the_policy_says() -> None:
    found, _ = bounded(TWO + "policies: {base: {retry: {rotate: 0, per_offer: 2}}}\n", "m")
    assert found.attempts.bound == 3 + 3


def test_an_attempt_costs_its_whole_window_and_its_whole_output() -> None:
    found, table = bounded(TWO, "m")
    assert found.cost.exact
    assert dollars(found, table) == 3 * 11 + 2 * 22


def test_what_is_charged_only_for_success_is_paid_once() -> None:
    free = TWO.replace("in: 2, out: 2", "in: 2, out: 2, charged: success")
    found, table = bounded(free, "m")
    assert found.cost.exact
    assert dollars(found, table) == 3 * 11 + 22


def test_an_outage_can_raise_the_worst_cost() -> None:
    """A list of two is made of the cheapest two until one of them is out."""
    text = TWO + "intents: {i: {kind: chat, rank: [cost], take: 1}}\n"
    found, table = bounded(text, "i")
    assert dollars(found, table) == max(3 * 11, 2 * 22)
    assert found.cost.exact
    assert found.cost.trace is not None
    assert found.cost.trace.situation.closed == {"offer:m@a"}


def test_the_cap_of_a_policy_counts_where_it_applies() -> None:
    text = TWO + "policies: {eu: {for: {org.region: eu}, cap: {attempts: 1, time: 10s}}}\n"
    found, _ = bounded(text, "m")
    assert found.attempts.bound == 5
    table = loads(HOSTS + text).table
    when = table.policies[0].when
    narrowed = bounds_of(table, "m", when=when)
    assert narrowed is not None
    assert narrowed.attempts.bound == 1
    assert narrowed.time.bound == 10 * SECOND - 50_000_000


def test_a_request_lasts_until_its_deadline_less_the_time_for_an_answer() -> None:
    found, _ = bounded(TWO, "m")
    assert found.time.exact
    assert found.time.bound == 300 * SECOND - 50_000_000


def test_limits_of_attempts_add_up() -> None:
    text = TWO + "policies: {base: {timeout: {total: 5s}, retry: {per_offer: 0, rotate: 0}}}\n"
    found, _ = bounded(text, "m")
    assert found.time.exact
    assert found.time.bound == 10 * SECOND


def test_a_wait_that_is_asked_for_fills_the_time_between_two_attempts() -> None:
    found, _ = bounded(TWO + "policies: {base: {timeout: {total: 5s}}}\n", "m")
    assert found.time.exact
    assert found.time.bound == 300 * SECOND - 50_000_000


def test_an_equivalent_that_waits_for_a_failure_is_reached_by_it() -> None:
    text = TWO.replace(
        "    offers:", "    instead: [{model: n, after: [content_policy]}]\n    offers:", 1
    )
    text += "  n: {kind: chat, context: 10k, output: 1k, offers: [{at: c, price: {per: 1k tok, in: 1, out: 1}}]}\n"
    text += "policies: {base: {errors: {content_policy: instead}, retry: {rotate: 0}}}\n"
    found, _ = bounded(text, "m")
    assert found.attempts.bound == 2 + 2 + 2
    assert found.attempts.exact


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("context: 10k", "vendor: acme"), "a window"),
        ((", price: {per: 1k tok, in: 1, out: 1}", ""), "a price"),
    ],
)
def test_without_a_window_or_a_price_nothing_bounds_the_cost(
    change: tuple[str, str], reason: str
) -> None:
    found, _ = bounded(TWO.replace(*change), "m")
    assert found.cost.bound is None, reason
    assert not found.cost.exact
    assert found.attempts.exact


def test_media_are_bounded_by_the_values_of_their_shape() -> None:
    text = """
models:
  p:
    kind: image
    takes: {n: {range: 1..4, default: 1}, size: {one_of: [1024x1024, 2048x2048], default: 1024x1024}}
    offers: [{at: c, price: {image: 0.01, tiers: [{when: {size: 2048x2048}, image: 0.05}]}}]
"""
    found, table = bounded(text, "p")
    assert found.cost.exact
    assert dollars(found, table) == Decimal("0.05") * 4  # a picture that failed costs nothing
    assert found.cost.trace is not None
    assert "n 4, size 2048x2048" in said(found.cost.trace.situation)


def test_of_too_many_classes_a_bound_stays_a_bound_and_says_so() -> None:
    facts = "".join(f"  org.f{at}: {{one_of: [x, y]}}\n" for at in range(8))
    text = TWO + "facts:\n" + facts + "policies:\n"
    text += "".join(
        f"  p{at}: {{for: {{org.f{at}: x}}, cap: {{attempts: {at + 1}}}}}\n" for at in range(8)
    )
    exact, _ = bounded(text, "m", most=10**6)
    rough, _ = bounded(text, "m", most=20)
    assert exact.complete
    assert exact.attempts.exact
    assert not rough.complete
    assert rough.looked == 20
    assert rough.classes > 20
    assert rough.attempts.bound is not None
    assert exact.attempts.bound is not None
    assert rough.attempts.bound >= exact.attempts.bound


def test_a_name_that_is_not_there_has_no_bounds() -> None:
    assert bounds_of(loads(HOSTS + TWO).table, "nobody") is None


def test_every_arm_of_a_split_is_drawn() -> None:
    text = (
        TWO
        + """
chains: {half: {split: {by: user, arms: {"m@a": 90%, "m@b": 10%}}}}
intents: {i: {kind: chat, use: half}}
"""
    )
    found, table = bounded(text, "i")
    assert found.complete
    assert dollars(found, table) == 2 * 22
