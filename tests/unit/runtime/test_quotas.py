"""Counters of one process, from many threads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

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
