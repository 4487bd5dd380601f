"""Counters of one process, from many threads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from hyperroute.canon.money import BudgetKey
from hyperroute.canon.mutation import Pace, RateKey
from hyperroute.canon.units import SECOND
from hyperroute.routing.quotas import RateToll, SlotToll, SpendToll, Toll, Used
from hyperroute.runtime.quotas import Full, Quotas

ACME = (("provider", "acme"),)
SLOT = SlotToll(place="provider:acme", barrier="limit", key=BudgetKey("own", ACME, "now"), most=3)
SPEND = SpendToll(
    place="provider:acme",
    barrier="limit",
    key=BudgetKey("own", ACME, "2026-11"),
    most=100,
    amount=10,
    ends_at=10**18,
)


def rate(name: str, *, barrier: str = "limit", units: int = 1) -> RateToll:
    return RateToll(
        place=f"offer:{name}",
        barrier="limit" if barrier == "limit" else "credential_limit",
        key=RateKey("own", "req/s", (("offer", name),)),
        pace=Pace(amount=1, period_ns=SECOND, burst=1),
        unit="req",
        units=units,
    )


def test_no_interleaving_of_threads_gets_past_a_slot_or_a_budget() -> None:
    quotas, tolls = Quotas(), (SLOT, SPEND)
    under_way, most, granted = 0, 0, 0
    lock, begin = threading.Lock(), threading.Barrier(8)

    def work(_: int) -> None:
        nonlocal under_way, most, granted
        begin.wait()
        for _ in range(200):
            if quotas.take(tolls, 0) is not None:
                continue
            with lock:
                under_way, granted = under_way + 1, granted + 1
                most = max(most, under_way)
            with lock:
                under_way -= 1
            quotas.settle(tolls, Used(units={}, cost=4), 0)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert most <= 3
    while quotas.take(tolls, 0) is None:
        quotas.settle(tolls, Used(units={}, cost=4), 0)
        granted += 1
    assert granted == 23, "each holds 10 and costs 4: the last that fits begins at 88"
    assert quotas.take((SLOT,), 0) is None


def test_of_several_that_refuse_the_one_is_told_that_no_other_key_helps_against() -> None:
    quotas = Quotas()
    key, offer = rate("k", barrier="credential"), rate("o")
    assert quotas.take((key,), 0) is None
    assert quotas.take((key, offer), 0) == Full("credential_limit", SECOND)
    assert quotas.take((offer,), SECOND // 2) is None
    assert quotas.take((key, offer), SECOND // 2) == Full("limit", 3 * SECOND // 2)


def test_what_never_fits_has_no_end() -> None:
    assert Quotas().take((rate("o", units=2),), 0) == Full("limit", None)


def test_counters_that_are_full_again_are_forgotten_and_those_in_use_never() -> None:
    quotas = Quotas(counters_max=2_000)
    for number in range(2_000):
        assert quotas.take((rate(f"o{number}"),), 0) is None
    refused = quotas.take((rate("one more"),), 0)
    assert refused == Full("limit", None), "refused, rather than that one is forgotten"
    later: tuple[Toll, ...] = (rate("o0"),)
    assert quotas.take(later, 3 * SECOND) is None
    assert len(vars(quotas)["_rates"]) == 1


def test_what_a_store_knows_counts_where_it_is_more() -> None:
    quotas = Quotas(learns=True)
    assert quotas.asks(0)
    assert not quotas.asks(SECOND - 1)
    quotas.learn([(SPEND.key, 85, SPEND.ends_at)])
    assert quotas.take((SPEND,), 0) is None
    quotas.settle((SPEND,), Used(units={}, cost=6), 0)
    assert quotas.asks(SECOND)
    quotas.learn([(SPEND.key, 85, SPEND.ends_at)])
    assert quotas.take((SPEND,), SECOND) is not None, "it has not heard of the last one yet"
    assert not Quotas().asks(0)


# --- shares ----------------------------------------------------------------------------------------
def taken(quotas: Quotas, toll: Toll) -> int:
    """Count how often something can be taken at one instant."""
    count = 0
    while count < 200 and quotas.take((toll,), 0) is None:
        count += 1
    return count


def test_each_worker_has_its_share_and_of_what_cannot_be_divided_one() -> None:
    six = replace(rate("o"), pace=Pace(amount=6, period_ns=SECOND, burst=6))
    few, unlimited = replace(SLOT, most=2), replace(SLOT, most=None)
    assert [taken(Quotas(workers=3), one) for one in (six, SLOT, few)] == [2, 1, 1]
    assert taken(Quotas(workers=3), unlimited) == 200
    assert taken(Quotas(workers=3), SPEND) == 3
    assert taken(Quotas(workers=3), replace(SPEND, most=2)) == 0, "money is not rounded up"
    assert taken(Quotas(workers=3, learns=True), SPEND) == 10, "what all have spent is known"
    assert taken(Quotas(workers=3, learns=True), SLOT) == 1
    third = Quotas(workers=3)
    assert taken(third, six) == 2
    assert third.take((six,), SECOND // 2 - 1) is not None
    assert third.take((six,), SECOND // 2) is None, "a third of six a second is one in half of one"


# --- what is full ----------------------------------------------------------------------------------
def test_a_rate_is_full_until_the_least_of_it_fits() -> None:
    quotas = Quotas()
    assert quotas.full(0) == {}
    quotas.take((rate("o"),), 0)
    assert quotas.full(0) == {"offer:o": SECOND}
    assert quotas.full(SECOND - 1) == {"offer:o": SECOND}
    assert quotas.full(SECOND) == {}


def test_a_slot_is_looked_at_again_after_a_second_and_free_when_it_comes_back() -> None:
    quotas, one = Quotas(), replace(SLOT, most=1)
    quotas.take((one,), 0)
    assert quotas.full(0) == {"provider:acme": SECOND}
    assert quotas.full(5) == {"provider:acme": SECOND + 5}
    quotas.settle((one,), None, 5)
    assert quotas.full(5) == {}
    two = replace(SLOT, most=2)
    quotas.take((two,), 5)
    assert quotas.full(5) == {}


def test_a_budget_is_full_when_nothing_is_left_of_it() -> None:
    quotas = Quotas()
    quotas.take((replace(SPEND, amount=99),), 0)
    assert quotas.full(0) == {}
    quotas.take((replace(SPEND, amount=1),), 0)
    assert quotas.full(0) == {"provider:acme": SPEND.ends_at}
    assert quotas.take((replace(SPEND, amount=0),), 0) is None, "what costs nothing is not refused"
    nothing = replace(SPEND, key=BudgetKey("none", ACME, "2026-11"), most=0, amount=0)
    assert quotas.take((nothing,), 0) == Full("limit", SPEND.ends_at), "0 blocks everything"


def test_of_several_that_fill_a_place_the_last_to_end_counts() -> None:
    quotas = Quotas()
    here = replace(rate("o"), place="provider:acme")
    spent = replace(SPEND, most=10, ends_at=9 * SECOND)
    quotas.take((here, spent), 0)
    assert quotas.full(0) == {"provider:acme": 9 * SECOND}
    quotas.settle((here, spent), Used(units={"req": 1}, cost=0), 0)
    assert quotas.full(0) == {"provider:acme": SECOND}


def test_what_observes_or_is_somebodys_own_is_never_full() -> None:
    quotas = Quotas()
    quotas.take((replace(rate("o"), observed=True), replace(SLOT, most=None)), 0)
    quotas.take((replace(SPEND, most=None, amount=None),), 0)
    quotas.take((replace(rate("mine"), place=""),), 0)
    assert quotas.full(0) == {}
    quotas.settle((replace(SPEND, most=None, amount=None),), Used(units={}, cost=7), 0)
    quotas.learn([(SPEND.key, 3, SPEND.ends_at)])
    assert quotas.take((replace(SPEND, amount=94),), 0) is not None, "7 were spent, known or not"
    assert quotas.take((replace(SPEND, amount=93),), 0) is None


def test_a_refusal_is_marked_too_so_that_the_planner_need_not_try() -> None:
    quotas = Quotas()
    quotas.learn([(SPEND.key, 100, SPEND.ends_at)])
    assert quotas.full(0) == {}
    assert quotas.take((SPEND,), 0) is not None
    assert quotas.full(0) == {"provider:acme": SPEND.ends_at}


def test_budgets_of_periods_that_are_over_are_forgotten_and_those_with_holds_never() -> None:
    quotas = Quotas(counters_max=1_000)
    held = replace(SPEND, key=BudgetKey("own", ACME, "held"), ends_at=1)
    quotas.take((held,), 0)
    for number in range(999):
        old = replace(SPEND, key=BudgetKey("own", ACME, str(number)), ends_at=1)
        assert quotas.take((old,), 0) is None
        quotas.settle((old,), Used(units={}, cost=1), 0)
    assert quotas.take((SPEND,), 0) == Full("limit", None)
    assert quotas.take((SPEND,), 2 * SECOND) is None
    assert set(vars(quotas)["_spent"]) == {held.key, SPEND.key}
