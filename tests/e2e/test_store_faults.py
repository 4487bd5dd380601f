"""Servers of stores that stall, refuse, and lose what they answered: over real sockets."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.e2e.proxy import Proxy

from hyperroute.canon.mutation import Charge, Commit, Pace, Put, RateKey, RowKey, Tat
from hyperroute.canon.units import HOUR, MILLISECOND, SECOND
from hyperroute.errors import StoreError
from hyperroute.runtime.board import Board
from hyperroute.runtime.sharing import Sharing
from hyperroute.stores.guarding import Guard, GuardedStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.valkey import ValkeyStore
from hyperroute.stores.valkey_gossip import ValkeyGossip

KEY = RateKey("speed", "req/h", (("user", "ada"),))
PACE = Pace(1_000, HOUR, 1_000)
ONE = [Charge(KEY, PACE, 1)]
PATIENCE_NS = 300 * MILLISECOND
SOON_S = 1.5
"""Well above every patience here, and well below what a stall would take."""


@dataclass
class Line:
    """A server behind a proxy."""

    proxy: Proxy
    url: str
    """Through the proxy."""
    direct: str


@pytest.fixture
def line(valkey: str) -> Iterator[Line]:
    parts = urlsplit(valkey)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 6379)
    at = parts.netloc.rpartition("@")[0]
    netloc = f"{at}@127.0.0.1:{proxy.port}" if at else f"127.0.0.1:{proxy.port}"
    yield Line(proxy, parts._replace(netloc=netloc).geturl(), valkey)
    proxy.close()


def units_taken(url: str) -> float:
    with closing(ValkeyStore(url)) as store:
        (found,) = store.read([KEY])
    if found is None:
        return 0
    assert isinstance(found, Tat)
    return (found.ns - time.time_ns()) / (HOUR / 1_000)


Colour = Callable[[ValkeyStore], Any]


def blocking(store: ValkeyStore) -> Commit:
    return store.commit(ONE)


def awaiting(store: ValkeyStore) -> Commit:
    async def once() -> Commit:
        twin = store.awaiting()
        try:
            return await twin.commit(ONE)
        finally:
            await twin._connection.disconnect()  # type: ignore[attr-defined]

    return asyncio.run(once())


COLOURS = [blocking, awaiting]


@pytest.mark.parametrize("commit", COLOURS)
def test_a_server_that_stalls_is_given_up_and_asked_again_when_it_is_back(
    line: Line, commit: Colour
) -> None:
    with closing(ValkeyStore(line.url, patience_ns=PATIENCE_NS)) as store:
        assert commit(store).done
        line.proxy.mode = "stall"
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"does not answer|cannot be reached"):
            commit(store)
        assert time.monotonic() - began < SOON_S
        line.proxy.mode = "pass"
        assert commit(store).done


@pytest.mark.parametrize("colour", ["blocking", "awaiting"])
def test_an_answer_that_is_lost_is_of_unknown_fate_and_nothing_is_sent_twice(
    line: Line, colour: str
) -> None:
    with closing(ValkeyStore(line.url, patience_ns=PATIENCE_NS)) as store:
        lose: Callable[[], object] = lambda: _losing(store, line.proxy)  # noqa: E731
        if colour == "awaiting":
            lose = lambda: asyncio.run(_losing_awaited(store, line.proxy))  # noqa: E731
        with pytest.raises(StoreError, match="does not answer") as caught:
            lose()
        assert caught.value.unknown
        line.proxy.mode = "pass"
        assert line.proxy.connections == 1
    assert 0.9 < units_taken(line.direct) <= 1


def _losing(store: ValkeyStore, proxy: Proxy) -> Commit:
    store.read([])
    proxy.mode = "lose"
    return store.commit(ONE)


async def _losing_awaited(store: ValkeyStore, proxy: Proxy) -> Commit:
    twin = store.awaiting()
    await twin.read([])
    proxy.mode = "lose"
    return await twin.commit(ONE)


@pytest.mark.parametrize("commit", COLOURS)
def test_a_server_that_refuses_was_told_nothing(line: Line, commit: Colour) -> None:
    with closing(ValkeyStore(line.url, patience_ns=PATIENCE_NS)) as store:
        store.read([])
        line.proxy.refuse()
        for _ in range(2):
            with pytest.raises(StoreError) as caught:
                commit(store)
            assert not caught.value.unknown
        line.proxy.back()
        assert commit(store).done
    assert 0.9 < units_taken(line.direct) <= 1


def test_a_crowd_waits_once_and_is_then_answered_at_once(line: Line) -> None:
    store = ValkeyStore(line.url, patience_ns=2 * SECOND)
    guard = Guard("limits", now=time.monotonic_ns)
    door = GuardedStore(store, guard, patience_ns=PATIENCE_NS)

    async def crowds() -> list[float]:
        twin = door.awaiting()
        await twin.commit(ONE)
        line.proxy.mode = "stall"
        lasted = []
        for size in (200, 200):
            began = time.monotonic()
            verbs: list[Coroutine[Any, Any, Commit]] = [twin.commit(ONE) for _ in range(size)]
            told = await asyncio.gather(*verbs, return_exceptions=True)
            assert all(isinstance(one, StoreError) for one in told)
            lasted.append(time.monotonic() - began)
        line.proxy.mode = "pass"
        for _ in range(100):
            await asyncio.sleep(0.05)
            try:
                await twin.commit(ONE)
            except StoreError:
                continue
            if not guard.down:
                break
        assert not guard.down
        await twin.close()
        return lasted

    first, second = asyncio.run(crowds())
    assert first < SOON_S
    assert second < 0.5 * SOON_S, "nobody waits behind a server that is known to be down"


def test_health_goes_on_without_the_server_and_is_told_when_it_is_back(line: Line) -> None:
    board = Board()
    way = ValkeyGossip(line.url, patience_ns=PATIENCE_NS)
    sharing = Sharing(board, way, now=time.monotonic_ns)
    sharing.start()
    assert sharing.well
    line.proxy.mode = "stall"
    assert _within(5, lambda: not sharing.well)
    line.proxy.mode = "pass"
    assert _within(5, lambda: sharing.well)
    line.proxy.refuse()
    assert _within(5, lambda: not sharing.well)
    line.proxy.back()
    assert _within(5, lambda: sharing.well)
    sharing.close()


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return False


# --- Postgres ------------------------------------------------------------------------------------
@pytest.fixture
def postgres_line(postgres: tuple[str, str]) -> Iterator[tuple[Proxy, str, str]]:
    url, schema = postgres
    said = psycopg.conninfo.conninfo_to_dict(url)
    host = str(said.get("host") or os.environ.get("PGHOST") or "127.0.0.1")
    proxy = Proxy(host, int(said.get("port") or 5432))
    through = psycopg.conninfo.make_conninfo(url, host="127.0.0.1", port=proxy.port)
    yield proxy, through, schema
    proxy.close()


def test_a_database_that_stalls_is_given_up_in_both_verbs(
    postgres_line: tuple[Proxy, str, str],
) -> None:
    proxy, url, schema = postgres_line
    record = Put(RowKey("key", "a"), "{}")
    store = PostgresStore(url, schema=schema, patience_ns=PATIENCE_NS)
    guard = Guard("state", now=time.monotonic_ns)
    door = GuardedStore(store, guard, patience_ns=PATIENCE_NS)

    async def stalled() -> None:
        twin = door.awaiting()
        assert (await twin.commit([record])).done
        assert await twin.read([record.key]) != (None,)
        proxy.mode = "stall"
        began = time.monotonic()
        with pytest.raises(StoreError) as caught:
            await twin.commit([record])
        assert caught.value.unknown
        with pytest.raises(StoreError) as caught:
            await twin.read([record.key])
        assert not caught.value.unknown
        assert time.monotonic() - began < SOON_S
        proxy.mode = "pass"
        proxy.cut()
        for _ in range(100):
            await asyncio.sleep(0.05)
            try:
                await twin.commit([record])
                await twin.read([record.key])
            except StoreError:
                continue
            if not guard.down:
                break
        assert not guard.down
        await twin.close()

    asyncio.run(stalled())


def test_a_database_that_stalls_is_given_up_by_blocking_callers_too(
    postgres_line: tuple[Proxy, str, str],
) -> None:
    proxy, url, schema = postgres_line
    record = Put(RowKey("key", "a"), "{}")
    store = PostgresStore(url, schema=schema, patience_ns=PATIENCE_NS)
    store.commit([record])
    assert store.read([record.key]) != (None,)
    proxy.mode = "stall"
    began = time.monotonic()
    with pytest.raises(StoreError, match="did not answer"):
        store.read([record.key])
    with pytest.raises(StoreError, match="did not answer") as caught:
        store.commit([record])
    assert caught.value.unknown
    assert time.monotonic() - began < SOON_S
    proxy.mode = "pass"
    proxy.cut()
    assert _within(5, lambda: _answers(store))
    store.close()


def _answers(store: PostgresStore) -> bool:
    try:
        store.read([])
        return store.commit([]).done
    except StoreError:
        return False
