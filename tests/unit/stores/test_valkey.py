"""What only a server of counters can do: forget by itself, know the time, and refuse the rest."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing

import pytest
import redis

from hyperroute.canon.money import Deposit, HoldKey, PostingKey
from hyperroute.canon.mutation import (
    Charge,
    Correct,
    Exceeded,
    Mutation,
    Pace,
    Put,
    RateKey,
    RowKey,
    Shelved,
    Tat,
)
from hyperroute.canon.units import HOUR, MILLISECOND, MINUTE, SECOND
from hyperroute.errors import StoreError
from hyperroute.stores.valkey import ValkeyStore

KEY = RateKey("speed", "req/min", (("user", "ada"),))
TWO = Pace(2, MINUTE, 2)


def test_the_time_is_the_servers(valkey: str) -> None:
    with closing(ValkeyStore(valkey)) as store:
        store.commit([Charge(KEY, TWO, 1)])
        (found,) = store.read([KEY])
        assert isinstance(found, Tat)
        assert abs(found.ns - 30 * SECOND - time.time_ns()) < MINUTE
        told = store.commit([Charge(KEY, TWO, 2)]).outcomes
        assert isinstance(told[0], Exceeded)
        assert told[0].wait_ns is not None
        assert 0 < told[0].wait_ns <= 30 * SECOND


def test_a_counter_expires_when_it_is_full_again_and_not_before(valkey: str) -> None:
    client = redis.Redis.from_url(valkey.partition("?")[0])
    prefix = valkey.partition("prefix=")[2]
    with client, closing(ValkeyStore(valkey, slack_ms=0)) as store:
        store.commit([Charge(KEY, TWO, 2), Correct(RateKey("day", "tok/day", ()), TWO, 120)])
        lives = {name: client.pttl(name) for name in client.scan_iter(match=f"{{{prefix}}}*")}
        assert sorted(-(-ms // 60_000) for ms in lives.values()) == [1, 60]
        quick = RateKey("quick", "req/s", ())
        store.commit([Charge(quick, Pace(1, 1, 1), 1)])  # full again within a millisecond
        assert any(store.read([quick]) == (None,) for _ in range(1_000))
        store.commit([Correct(KEY, TWO, -2)])
        assert store.read([KEY]) == (None,)
        assert client.exists(*lives) == 1


def test_a_server_that_has_forgotten_the_script_is_told_it_again(valkey: str) -> None:
    client = redis.Redis.from_url(valkey.partition("?")[0])

    async def awaited(store: ValkeyStore) -> bool:
        twin = store.awaiting()
        told = await twin.commit([Charge(KEY, TWO, 1)])
        await twin.close()
        return told.done

    with client, closing(ValkeyStore(valkey)) as store:
        for _ in range(2):
            client.script_flush()
            assert store.commit([Correct(KEY, TWO, 0)]).done
        client.script_flush()
        assert asyncio.run(awaited(store))


def test_gateways_with_different_prefixes_share_nothing(valkey: str) -> None:
    with closing(ValkeyStore(valkey)) as one, closing(ValkeyStore(valkey + ".b")) as other:
        assert one.commit([Charge(KEY, TWO, 2)]).done
        assert other.commit([Charge(KEY, TWO, 2)]).done
        assert other.commit([Correct(KEY, TWO, -2)]).done


def test_records_and_money_are_refused_in_a_sentence(valkey: str) -> None:
    with closing(ValkeyStore(valkey)) as store:
        batches: list[list[Mutation]] = [
            [Put(RowKey("key", "k1"), "{}")],
            [Charge(KEY, TWO, 1), Deposit(PostingKey("pay/1"), "user:ada", 5)],
        ]
        for batch in batches:
            with pytest.raises(StoreError, match=r"keeps rate limits, but no (Put|Deposit): "):
                store.commit(batch)
        for key in (RowKey("key", "k1"), Shelved("key"), HoldKey("r1")):
            with pytest.raises(StoreError, match="belong in a database"):
                store.read([KEY, key])
        assert store.read([KEY]) == (None,)


def test_what_a_counter_cannot_hold_is_refused_and_changes_nothing(valkey: str) -> None:
    other = RateKey("other", "req/min", ())
    with closing(ValkeyStore(valkey)) as store:
        with pytest.raises(StoreError, match="beyond what a counter can hold") as caught:
            store.commit([Charge(other, TWO, 1), Correct(KEY, Pace(1, HOUR, 1), 1 << 60)])
        assert not caught.value.unknown
        most = Correct(KEY, Pace(1, SECOND, 1), (1 << 52) - 1)
        assert store.commit([most]).done
        with pytest.raises(StoreError, match="too far ahead"):
            store.commit([Charge(other, TWO, 1), most])
        assert store.read([other]) == (None,)


def test_nobody_there_is_told_at_the_first_verb_and_without_the_password() -> None:
    store = ValkeyStore("redis://ada:hush@127.0.0.1:1/0", patience_ns=500 * MILLISECOND)
    with closing(store):
        for verb in (lambda: store.read([]), lambda: store.commit([Charge(KEY, TWO, 1)])):
            with pytest.raises(StoreError, match="cannot be reached") as caught:
                verb()
            assert not caught.value.unknown
            assert "hush" not in str(caught.value)
    with pytest.raises(StoreError, match="is closed"):
        store.read([])


@pytest.mark.parametrize("user", ["ada:hush", ":hush"])
def test_a_wrong_password_is_told_without_it(valkey: str, user: str) -> None:
    url = valkey.replace("://", f"://{user}@", 1)
    with closing(ValkeyStore(url)) as store:
        with pytest.raises(StoreError, match="cannot be reached") as caught:
            store.read([])
        with pytest.raises(StoreError, match="cannot be reached") as awaited:
            asyncio.run(_read(store))
    for error in (caught.value, awaited.value):
        assert "hush" not in str(error)
        assert not error.unknown


async def _read(store: ValkeyStore) -> object:
    return await store.awaiting().read([])
