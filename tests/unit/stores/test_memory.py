"""What is full again is forgotten; what is in use never is."""

from __future__ import annotations

import pytest

from hyperroute.canon.mutation import Charge, Pace, Put, RateKey, RowKey
from hyperroute.canon.units import MINUTE
from hyperroute.errors import StoreError
from hyperroute.stores.memory import MemoryStore

ONE = Pace(1, MINUTE, 1)


def charge(number: int) -> Charge:
    return Charge(RateKey("l", "req/min", (("user", str(number)),)), ONE, 1)


def test_counters_that_are_full_again_are_forgotten() -> None:
    now = 0
    store = MemoryStore(now=lambda: now)
    for number in range(10_000):
        now += MINUTE // 500  # so that at most 500 are in use at one time
        assert store.commit([charge(number)]).done
    kept = sum(found is not None for found in store.read([charge(n).key for n in range(10_000)]))
    assert 500 <= kept <= 2_000


def test_beyond_the_most_that_may_be_in_use_a_store_fails_closed() -> None:
    now = 0
    store = MemoryStore(now=lambda: now, counters_max=2_000)
    for number in range(2_000):
        store.commit([charge(number)])
    for _ in range(2):
        with pytest.raises(StoreError, match="2000 rate counters"):
            store.commit([charge(9_999)])
    assert not store.commit([]).outcomes
    now = MINUTE
    assert store.commit([charge(9_999)]).done


def test_records_that_have_lapsed_are_forgotten_a_few_at_a_time() -> None:
    now = 0
    store = MemoryStore(now=lambda: now)
    for number in range(250):
        store.commit([Put(RowKey("idempotency", str(number)), "{}", keep_ns=1 + number % 2)])
    store.commit([Put(RowKey("idempotency", "0"), "{}", keep_ns=MINUTE)])
    now = 2
    left = []
    for _ in range(4):
        store.commit([])
        left.append(len(store._rows))
    assert left == [151, 51, 1, 1]
