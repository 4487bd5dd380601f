"""``kill -9`` of real gateways under load: nothing that was paid for is lost, nothing is paid twice.

``HYPERROUTE_KILLS=1000 pytest tests/e2e/test_gateway_survives.py`` is the long run, some 25 minutes.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.test_serve import free_port

from hyperroute.accounts.issuing import issue
from hyperroute.accounts.keys import put
from hyperroute.accounts.pepper import pepper_of
from hyperroute.canon.money import (  # fmt: skip
    OPEN,
    Deposit,
    Hold,
    HoldKey,
    PostingKey,
    Sums,
    Totals,
    Wallet,
    WalletKey,
)
from hyperroute.canon.mutation import Row
from hyperroute.canon.units import DAY
from hyperroute.canon.wire import HttpRequest
from hyperroute.gateway.door import Caller
from hyperroute.gateway.idempotent import DEFAULT_KEEPING, claim_of
from hyperroute.gateway.paths import find
from hyperroute.ledger.book import book
from hyperroute.ledger.sweeping import Swept, sweep
from hyperroute.stores.grouping import GroupStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore

KILLS = int(os.environ.get("HYPERROUTE_KILLS", "20"))
REPLICAS = 4
PEPPER = "a pepper of the tests"
PAID = 10**12
WORDS = 450
TABLE = f"""
hyperroute: 1
providers:
  one: {{plugin: simulated, options: {{latency_ms: 1, tokens_per_s: 2000, answer: "{"words " * WORDS}"}}}}
models:
  gpt:
    {{kind: chat, context: 8k, output: 2k, offers: [{{at: one, price: {{per: 1M tok, in: 1.00, out: 10.00}}}}]}}
"""
SERVER = """
import os, signal, sys
from hyperroute.canon.money import Checkpoint, End, Reserve
from hyperroute.canon.mutation import Put
from hyperroute.gateway import server

*words, kind, when = sys.argv[1:]
opened = server._store

def is_it(batch):
    names = {type(one).__name__ for one in batch}
    rows = [one for one in batch if isinstance(one, Put) and one.key.shelf == "idempotency"]
    done = any('"done"' in one.body for one in rows)
    said = "Kept" if done else "Claim" if rows and "Reserve" not in names else ""
    return kind in names | {said}

class Dying:
    def __init__(self, store):
        self._store = store
        self.read, self.close = store.read, store.close

    async def commit(self, batch):
        now = is_it(batch)
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit = await self._store.commit(batch)
        if now and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return commit

class Store:
    def __init__(self, store):
        self._store = store
        self.read, self.commit, self.close = store.read, store.commit, store.close

    def awaiting(self):
        return Dying(self._store.awaiting())

server._store = lambda serving: Store(opened(serving))
sys.argv = ["hyperroute", *words]
from hyperroute.cli import main
main()
"""
"""A server that dies at a commit of a kind, before the store hears of it or after its answer."""

POINTS = [(kind, when) for kind in ("Claim", "Reserve", "Checkpoint", "End", "Kept") for when in ("before", "after")]  # fmt: skip


@dataclass
class Asked:
    """One call: its key, and what came back."""

    key: str
    stream: bool
    id: str | None = None
    whole: bool = False
    body: bytes = b""
    status: int = 0
    replayed: bool = False


@dataclass
class Place:
    """A state that outlives its gateways, and whoever asks them."""

    folder: Path
    url: str
    schema: str = ""
    secret: str = ""
    asked: list[Asked] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def opened(self, *, later_ns: int = 0) -> GroupStore:
        def now() -> int:
            return time.time_ns() + later_ns

        if self.schema:
            bare = self.url.partition("?")[0]
            return PostgresStore(bare, schema=self.schema, now=now, book=book)
        return SqliteStore(self.url.removeprefix("sqlite:///"), now=now, book=book)

    def started(self, *more: str) -> tuple[subprocess.Popen[bytes], str]:
        port = free_port()
        words = ["serve", "--simulated", "--tables", str(self.folder / "table.yaml"), "--no-log"]
        words += ["--state", self.url, "--wallets", "strict", "--port", str(port)]
        code = ["-c", SERVER, *words, *more] if more else ["-m", "hyperroute", *words]
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "HYPERROUTE_PEPPER": PEPPER}
        env |= {name: said for name, said in os.environ.items() if name.startswith("PG")}
        with (self.folder / f"{port}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *code], cwd=self.folder, env=env, stderr=log
            )
        return process, f"http://127.0.0.1:{port}"

    def ask(self, url: str, one: Asked, *, seconds: float = 20) -> None:
        """Ask once, and note what comes back until it breaks off."""
        said = {"authorization": f"Bearer {self.secret}", "idempotency-key": one.key}
        body = {
            "model": "gpt",
            "stream": one.stream,
            "messages": [{"role": "user", "content": "hi"}],
        }
        if one.stream:
            body["stream_options"] = {"include_usage": True}
        with (
            suppress(httpx.TransportError),
            httpx.stream("POST", f"{url}/v1/chat/completions", json=body, headers=said, timeout=seconds) as told,
        ):  # fmt: skip
            one.status, one.id = told.status_code, told.headers["x-request-id"]
            one.replayed = "idempotent-replayed" in told.headers
            one.body = told.read() if not one.stream else b""
            if one.stream:
                for piece in told.iter_bytes():
                    one.body += piece
            one.whole = one.status == 200 and (b"[DONE]" in one.body or not one.stream)

    def body(self, one: Asked) -> dict[str, Any]:
        asked = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}
        streamed = {"stream": True, "stream_options": {"include_usage": True}}
        return {**asked, **(streamed if one.stream else {})}

    def wait_for(self, more: int) -> None:
        """Wait for so many more whole answers, so that a slow machine has its load too."""
        goal = sum(one.whole for one in self.asked) + more
        for _ in range(200):
            if sum(one.whole for one in self.asked) >= goal:
                return
            time.sleep(0.05)
        raise AssertionError("nothing is answered any more")

    def load(self, url: str, stop: threading.Event) -> None:
        while not stop.is_set():
            number = next(self.numbers)
            one = Asked(f"key-{number}", stream=number % 3 > 0)
            self.asked.append(one)
            self.ask(url, one)
            if not one.id:
                time.sleep(0.01)  # nobody answers any more


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        found = Place(tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
    else:
        url, schema = request.getfixturevalue("postgres")
        found = Place(tmp_path, f"{url}?schema={schema}", schema)
    (tmp_path / "table.yaml").write_text(TABLE)
    pepper = pepper_of(found.url, {"HYPERROUTE_PEPPER": PEPPER})
    found.secret, key = issue(name="t", owner_type="user", owner_id="ada", pepper=pepper, now=1)
    with closing(found.opened()) as store:
        assert store.commit([put(key), Deposit(PostingKey("pay/1"), "user:ada", PAID)]).done
    return found


def ready(process: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(600):
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        assert process.poll() is None
        time.sleep(0.05)
    raise AssertionError("it does not come up")


def check(place: Place) -> Swept:
    """Have everything swept, and prove that nothing was lost and nothing doubled."""
    with closing(place.opened(later_ns=DAY // 24)) as store:
        swept = sweep(store)
        assert sweep(store) == Swept(), "52"
        ids = sorted({one.id for one in place.asked if one.id})
        sums, wallet, *found = store.read(
            [Totals(), WalletKey("user:ada"), *[HoldKey(name) for name in ids]]
        )
    assert isinstance(sums, Sums)
    assert isinstance(wallet, Wallet)
    accounts = dict(sums.accounts)
    assert sum(accounts.values()) == 0, "33"
    assert wallet.held == accounts.get("held/user:ada", 0) == 0, "34"
    assert wallet.free == PAID - accounts.get("sales", 0), "every sale is paid, once"
    holds = {name: hold for name, hold in zip(ids, found, strict=True) if isinstance(hold, Hold)}
    assert all(hold.phase not in OPEN for hold in holds.values()), "34"
    for one in place.asked:
        hold = holds.get(one.id or "")
        if one.whole and not one.replayed:
            assert hold is not None
            assert (hold.phase, hold.charged) == ("settled", price(one)), "what came whole is paid"
        elif hold is not None:
            assert (hold.charged or 0) <= PRICE_MAX
    return swept


PRICE_MAX = 10**7


def price(one: Asked) -> int:
    """The price of what an answer says that it used, in millionths of a credit."""
    text = one.body.decode()
    if one.stream:
        lines = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
        (used,) = [told["usage"] for line in lines if (told := json.loads(line)).get("usage")]
    else:
        used = json.loads(text)["usage"]
    total: int = 100 * used["prompt_tokens"] + 1_000 * used["completion_tokens"]
    return total


def test_invariants_34_and_39_gateways_that_are_killed_lose_nothing_and_double_nothing(
    place: Place,
) -> None:
    dice = random.Random(KILLS)  # noqa: S311 - when to kill, not what to hide
    kills = max(1, KILLS * (2 if place.schema else 3) // 5)
    done = 0
    while done < kills:
        number = min(REPLICAS, kills - done)
        replicas = [place.started() for _ in range(number)]
        stop = threading.Event()
        try:
            for process, url in replicas:
                ready(process, url)
            with ThreadPoolExecutor(2 * number) as pool:
                for _, url in replicas * 2:
                    pool.submit(place.load, url, stop)
                for process, _ in replicas:
                    place.wait_for(dice.randrange(1, 6))
                    time.sleep(dice.uniform(0, 0.3))
                    process.send_signal(signal.SIGKILL)
                stop.set()
        finally:
            stop.set()
            for process, _ in replicas:
                process.kill()
                process.wait(timeout=30)
        done += number
    swept = check(place)
    whole = [one for one in place.asked if one.whole]
    assert len(whole) > kills, "there was a load"
    assert swept.settled + swept.released > 0, "and it was met"
    # Whoever comes back with a key is told what was answered, or that it is gone; nobody pays twice.
    process, url = place.started()
    try:
        ready(process, url)
        again = [Asked(one.key, one.stream) for one in dice.sample(whole, min(20, len(whole)))]
        for one in again:
            place.ask(url, one)
        first = {one.key: one for one in whole}
        assert all(one.replayed or one.status == 409 for one in again)
        assert all(one.body == first[one.key].body for one in again if one.replayed)
        assert sum(one.replayed for one in again) > len(again) // 2
    finally:
        process.kill()
        process.wait(timeout=30)


def test_invariant_39_of_64_at_once_over_four_processes_one_is_charged(place: Place) -> None:
    replicas = [place.started() for _ in range(4)]
    try:
        for process, url in replicas:
            ready(process, url)
        for stream in (False, True):
            told = [Asked(f"same-{stream}", stream) for _ in range(64)]
            with ThreadPoolExecutor(64) as pool:
                for number, one in enumerate(told):
                    pool.submit(place.ask, replicas[number % 4][1], one)
            again = Asked(f"same-{stream}", stream)
            place.ask(replicas[3][1], again)
            assert again.replayed
            assert {one.status for one in told} <= {200, 409}
            assert {one.body for one in told if one.whole} == {again.body}
            place.asked += [*told, again]
    finally:
        for process, _ in replicas:
            process.kill()
            process.wait(timeout=30)
    check(place)
    paid = [one for one in place.asked if one.whole and not one.replayed]
    with closing(place.opened()) as store:
        (sums,) = store.read([Totals()])
    assert isinstance(sums, Sums)
    assert len(paid) <= 2, "a caller whose answer was replayed may have been the first to see it"
    assert dict(sums.accounts)["sales"] == 2 * price(place.asked[-1])


def test_invariants_34_and_39_gateways_that_die_at_a_word_with_their_store(place: Place) -> None:
    """Ten of them over one state, each at a point of its own."""
    dying = {point: place.started(*point) for point in POINTS}
    asked = {
        point: Asked("-".join(point), stream=point[0] in {"Checkpoint", "Kept"}) for point in POINTS
    }
    try:
        for point, (process, url) in dying.items():
            ready(process, url)
            place.asked.append(asked[point])
            place.ask(url, asked[point])
            assert process.wait(timeout=30) == -signal.SIGKILL, point
    finally:
        for process, _ in dying.values():
            process.kill()
            process.wait(timeout=30)
    check(place)
    with closing(place.opened()) as store:
        for point, one in asked.items():
            told = kept(store, place, one)
            (hold,) = store.read([HoldKey(told.get("by", ""))])
            assert (hold, told.get("state")) == left_by(point, hold), point


def kept(store: GroupStore, place: Place, one: Asked) -> dict[str, str]:
    """What is remembered of a key."""
    http = HttpRequest(
        method="POST",
        url="/v1/chat/completions",
        headers=(("idempotency-key", one.key),),
        body=json.dumps(place.body(one)).encode(),
    )
    found = find(http.url)
    assert found is not None
    caller = Caller(facts={"user.id": "ada"})
    (row,) = store.read([claim_of(http, found, caller, "", DEFAULT_KEEPING).key])
    told: dict[str, str] = json.loads(row.body) if isinstance(row, Row) else {}
    return told


def left_by(point: tuple[str, str], hold: object) -> tuple[object, str | None]:
    """Say what a gateway that died there leaves, once it is swept."""
    kind = point[0]
    if kind == "Claim" or point == ("Reserve", "before"):
        return None, None if point == ("Claim", "before") else "running"
    assert isinstance(hold, Hold)
    free = kind == "Reserve" or point in {("End", "before"), ("Checkpoint", "before")}
    assert (hold.phase, hold.charged) == ("released", 0) if free else hold.charged, point
    return hold, "done" if point == ("Kept", "after") else "running"
