"""Four real gateways over one store, in virtual time: providers fail, lines break, replicas die.

What ``test_money_worlds.py`` plays with requests of its own is played here by whole requests: door,
keys, attempts, streams, checkpoints and ends are those of the product. Chance comes from one seed.

``HYPERROUTE_MONEY_GATEWAYS=1000 pytest tests/simulation/test_money_gateways.py`` is the long run.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.gateway.test_door import PEPPER, made
from tests.unit.gateway.test_leaving import told

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
from hyperroute.canon.mutation import Commit, Found, Key, Mutation
from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient, Router
from hyperroute.errors import StoreError
from hyperroute.gateway import Gateway, HttpResponse
from hyperroute.gateway.door import Door
from hyperroute.gateway.idempotent import Keeping
from hyperroute.gateway.sweeper import AsyncSweeper
from hyperroute.ledger.book import book
from hyperroute.ledger.sweeping import Swept, sweep
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.runtime.tab import Till
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import refusal, whole
from hyperroute.testing.script import Script
from hyperroute.testing.world import AsyncWorld, World

CHUNKS = 2
WORLDS = int(os.environ.get("HYPERROUTE_MONEY_GATEWAYS", "12"))
REPLICAS = 4
CALLS = 60
PAID = 10**12
PATIENCE = 5 * SECOND
TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:ONE], speaks: [chat]}
  two: {plugin: openai, url: "https://two.test/v1", keys: [env:TWO], speaks: [chat]}
models:
  gpt:
    {kind: chat, context: 1k, output: 500, sell: cost + 50%, offers: [
      {at: one, price: {per: 1M tok, in: 1.00, out: 10.00}},
      {at: two, price: {per: 1M tok, in: 2.00, out: 20.00}}]}
"""


class Died(Exception):
    """What a process that is gone would say, if it could."""


class Line:
    """A replica's line to the store."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.is_dead = False

    async def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        await self._wait()
        return self._scene.store.read(keys)

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        scene = self._scene
        fault = scene.dice.choices(["none", "refused", "there", "back", "late"], scene.weights)[0]
        await self._wait()
        if fault == "refused":
            raise StoreError("down")
        if fault == "there":
            raise StoreError("?", unknown=True)
        if fault == "late":
            task = asyncio.ensure_future(self._late(mutations))
            scene.late.add(task)
            await scene.clock.sleep(PATIENCE)
            raise StoreError("?", unknown=True)
        commit = scene.committed(mutations)
        await self._wait()
        if fault == "back":
            raise StoreError("?", unknown=True)
        return commit

    async def close(self) -> None:
        """Nothing is held open."""

    async def _late(self, mutations: Sequence[Mutation]) -> None:
        scene = self._scene
        await scene.clock.sleep(scene.dice.randrange(8 * SECOND))
        scene.committed(mutations)

    async def _wait(self) -> None:
        if self.is_dead:
            raise Died
        await self._scene.clock.sleep(self._scene.dice.randrange(1, 20 * MILLISECOND))
        if self.is_dead:
            raise Died


@dataclass
class Call:
    """What a client asked, and what it was told until it left or its gateway died."""

    key: str | None
    stream: bool
    id: str | None = None
    status: int = 0
    body: bytes = b""
    whole: bool = False
    replayed: bool = False


@dataclass
class Replica:
    gateway: Gateway
    line: Line
    sweeper: AsyncSweeper
    tasks: dict[asyncio.Task[None], None] = field(default_factory=dict)

    def runs(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self.tasks[task] = None
        task.add_done_callback(self.tasks.pop)
        return task


class Scene:
    """One world, from its beginning until everything is swept."""

    def __init__(self, seed: int, router: Router) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - it must repeat
        self.router = router
        self.world = World(seed)
        self.clock: AsyncWorld = self.world.awaiting()
        self.store = MemoryStore(now=self.world.now, book=book)
        self.calls: list[Call] = []
        self.operations = 0
        self.late: set[asyncio.Task[None]] = set()
        self.deaths = 0
        self.swept = 0
        wild = self.dice.random() < 0.7
        self.weights = [90, 1, 2, 2, 2] if wild else [1, 0, 0, 0, 0]
        self.dies = self.dice.random() < 0.7
        self.secret = made(self.store, owner_id="ada")
        self.store.commit([Deposit(PostingKey("pay/1"), "user:ada", PAID)])
        for host in ("one", "two"):
            self.world.serve(f"https://{host}.test", self.answered)

    def answered(self, request: HttpRequest) -> Script:
        """Choose what a provider does."""
        dice = self.dice
        if dice.random() < 0.15:
            return refusal("openai.chat", 503, kind="server_error", message="no")
        after = dice.randrange(12 * SECOND)
        if not json.loads(request.body).get("stream"):
            one = whole("openai.chat")
            return Script(headers=one.headers, chunks=one.chunks, head_after_ns=after)
        end = dice.choices(["clean", "cut", "reset"], [8, 1, 1])[0]
        return told(dice.randrange(1, 20), gap_ns=dice.randrange(1, SECOND), end=end)  # type: ignore[arg-type] # a word of its own

    def committed(self, mutations: Sequence[Mutation]) -> Commit:
        """Have the store carry a batch out, and look at the books."""
        commit = self.store.commit(mutations)
        self.operations += 1
        (sums,) = self.store.read([Totals()])
        assert isinstance(sums, Sums)
        accounts = dict(sums.accounts)
        assert sum(accounts.values()) == 0, "33"
        assert accounts.get("wallet/user:ada", 0) >= 0, "35"
        assert accounts.get("held/user:ada", 0) >= 0, "35"
        return commit

    def replica(self) -> Replica:
        line = Line(self)
        client = AsyncClient(
            self.router, transport=self.clock, clock=self.clock, till=Till(line, wallets="strict")
        )
        keeping = Keeping(lease_ns=40 * SECOND)
        gateway = Gateway(client, door=Door(pepper=PEPPER), store=line, keeping=keeping)
        sweeper = AsyncSweeper(line, self.clock, dice=lambda: self.dice.randrange(1_001))
        sweeper.start()
        return Replica(gateway, line, sweeper)

    async def play(self) -> None:
        replicas = [self.replica() for _ in range(REPLICAS)]
        for _ in range(CALLS):
            await self.clock.sleep(self.dice.randrange(4 * SECOND))
            at = self.dice.randrange(REPLICAS)
            if self.dies and self.dice.random() < 0.08:
                await self.die(replicas[at])
                replicas[at] = self.replica()
            self.begin(replicas[at])
        for one in replicas:
            while one.tasks:
                await asyncio.gather(*one.tasks, return_exceptions=True)
            await one.sweeper.close()
            await one.gateway.close()
        while self.late:
            await asyncio.gather(*self.late)
            self.late = {task for task in self.late if not task.done()}

    async def die(self, replica: Replica) -> None:
        """Nothing that it does is heard any more, by nobody."""
        self.deaths += 1
        replica.line.is_dead = True
        everything = [*replica.tasks, *replica.gateway.drains._tasks]
        for task in everything:
            task.cancel()
        await asyncio.gather(*everything, return_exceptions=True)
        with suppress(Died):
            await replica.sweeper.close()

    def begin(self, replica: Replica) -> None:
        dice = self.dice
        again = [call for call in self.calls if call.key and not call.whole]
        call = Call(f"key-{len(self.calls)}" if dice.random() < 0.6 else None, dice.random() < 0.6)
        if again and dice.random() < 0.4:
            before = dice.choice(again)
            call = Call(before.key, before.stream)
        self.calls.append(call)
        task = replica.runs(self.ask(replica, call))
        if dice.random() < 0.15:
            replica.runs(self.leave(task, dice.randrange(20 * SECOND)))

    async def leave(self, task: asyncio.Task[None], after_ns: int) -> None:
        await self.clock.sleep(after_ns)
        task.cancel()

    async def ask(self, replica: Replica, call: Call) -> None:
        body: dict[str, Any] = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}
        if call.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        headers = [("content-type", "application/json"), ("authorization", f"Bearer {self.secret}")]
        if call.key is not None:
            headers.append(("idempotency-key", call.key))
        http = HttpRequest(
            method="POST",
            url="/v1/chat/completions",
            headers=tuple(headers),
            body=json.dumps(body).encode(),
        )
        response = await replica.gateway.respond(http)
        said = dict(response.headers)
        call.status, call.id = response.status, said["x-request-id"]
        call.replayed = "idempotent-replayed" in said
        if isinstance(response, HttpResponse):
            call.body = response.body
            call.whole = call.status == 200
            return

        async def write(piece: bytes) -> None:
            await self.clock.sleep(self.dice.randrange(1, 50 * MILLISECOND))
            if replica.line.is_dead:
                raise Died
            call.body += piece

        try:
            await response.pour(write)
        finally:
            await response.close()
        call.whole = b"[DONE]" in call.body

    def seen(self) -> Counter[str]:
        """Count what happened."""
        found = Counter(self.deaths * ["died"] + self.swept * ["swept"])
        for call in self.calls:
            running = call.status == 409
            kind = "whole" if call.whole else "running" if running else "refused"
            found[
                "replayed"
                if call.replayed
                else kind
                if call.status != 200 or call.whole
                else "broken"
            ] += 1
        return found

    def check(self) -> None:
        self.world.sleep(3_600 * SECOND)
        swept = sweep(self.store)
        self.swept += swept.settled + swept.released
        assert sweep(self.store) == Swept(), "52"
        sums, wallet = self.store.read([Totals(), WalletKey("user:ada")])
        assert isinstance(sums, Sums)
        assert isinstance(wallet, Wallet)
        accounts = dict(sums.accounts)
        assert wallet == Wallet(PAID - accounts.get("sales", 0), 0), "34: all holds have ended"
        paid: Counter[str] = Counter()
        total = 0
        for call in self.calls:
            (hold,) = self.store.read([HoldKey(call.id or "")])
            if call.replayed or not isinstance(hold, Hold):
                assert call.replayed or not call.whole, "nothing is answered without a hold"
                continue
            assert hold.phase not in OPEN, "34"
            charge = hold.charged or 0
            total += charge
            if call.key is not None:
                paid[call.key] += charge > 0
            if call.whole and self.weights[0] == 1:
                assert charge == price(call, hold), "what came whole is paid in full"
            if call.status >= 400:
                assert charge == 0, "40"
        assert not paid or max(paid.values()) == 1, "39"
        assert total <= accounts.get("sales", 0), "who left before its head may have paid too"
        for key in paid:
            told = {call.body for call in self.calls if call.key == key and call.replayed}
            assert len(told) <= 1, "39: one answer for a key"


def price(call: Call, hold: Hold) -> int:
    """What the answer says that it used, at one provider's price or the other's."""
    text = call.body.decode()
    if call.stream:
        lines = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
        (used,) = [said["usage"] for line in lines if (said := json.loads(line)).get("usage")]
    else:
        used = json.loads(text)["usage"]
    once: int = (used["prompt_tokens"] * 100 + used["completion_tokens"] * 1_000) * 3 // 2
    return once if hold.charged == once else 2 * once


@pytest.fixture(scope="module")
def router():
    registry = discover().with_secrets(lambda reference: Secret(f"sk-canary-{reference}"))
    return Router.loads(TABLE, registry=registry)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_invariants_33_and_34_and_35_and_39_and_40_and_52_through_four_gateways(
    router, chunk, monkeypatch
):
    """Request ids decide what runs draw, so they come from the world's seed."""
    seen: Counter[str] = Counter()
    for seed in range(chunk, WORLDS, CHUNKS):
        scene = Scene(seed, router)
        names = random.Random(seed)  # noqa: S311 - it must repeat
        monkeypatch.setattr(
            "hyperroute.gateway.handler.token_hex",
            lambda size, names=names: names.randbytes(size).hex(),
        )
        try:
            asyncio.run(scene.play())
            scene.check()
        except AssertionError as error:
            pytest.fail(f"seed {seed}: {error}")
        seen += scene.seen()
    # A simulation in which nothing happens would prove nothing.
    assert set(seen) == {"whole", "replayed", "broken", "refused", "running", "died", "swept"}, seen
