"""What follows from requests that are over: in both colours, over replicas, and with servers down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.gateway.conftest import opened

from hyperroute.accounts import keys, notices, uses
from hyperroute.accounts.issuing import issue
from hyperroute.accounts.keys import Key
from hyperroute.accounts.notices import LEASE_NS, Mail, Notice
from hyperroute.canon.money import End, HoldKey, Reserve
from hyperroute.canon.mutation import Put, RowKey, Shelved
from hyperroute.canon.units import MINUTE, SECOND
from hyperroute.client import Router
from hyperroute.errors import StoreError
from hyperroute.gateway.door import Door
from hyperroute.gateway.mail import MailError
from hyperroute.gateway.postman import LOOK_NS, AsyncPostman, Postman
from hyperroute.gateway.visit import Visit
from hyperroute.ledger.book import book
from hyperroute.plugins.secret import Secret
from hyperroute.routing.budgets import SPENDING_LIMIT
from hyperroute.routing.record import Record
from hyperroute.runtime.clock import AsyncSystemClock
from hyperroute.stores.base import Store
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.postgres import PostgresStore
from hyperroute.stores.sqlite import SqliteStore
from hyperroute.testing.replies import streamed, whole
from hyperroute.testing.world import World

NOW = 1_795_000_000 * SECOND
MONTH = "2026-11"
LIMIT = 1_000


@dataclass
class Box:
    """Takes mails, or does not."""

    taken: list[Mail] = field(default_factory=list)
    down: bool = False

    async def send(self, mail: Mail) -> None:
        if self.down:
            raise MailError("down")
        self.taken.append(mail)

    @property
    def told(self) -> list[str]:
        return [mail.id.split("/", 1)[1] for mail in self.taken]


@dataclass
class Round:
    """A postman of either colour, one round at a time."""

    colour: str
    store: Any
    box: Box
    now: int = NOW

    def __post_init__(self) -> None:
        if self.colour == "blocking":
            self.postman: Any = Postman(self.store, self.box)
        else:
            self.postman = AsyncPostman(self.store.awaiting(), self.box, AsyncSystemClock())

    def over(self, key: Key, *, charged: int | None = None, refused: bool = False) -> None:
        visit = Visit(request_id="r", method="POST", path="/", key=key.id, began_unix_ns=self.now)
        visit.charged = charged
        visit.record = RECORD if refused else None
        self.postman.observe(visit)

    def go(self, by: int = LOOK_NS) -> list[str]:
        self.now += by
        done = self.postman.once(self.now)
        if done is not None:
            asyncio.run(done)
        return self.box.told


RECORD = Record(
    request_id="r",
    digest="",
    seed=0,
    asked="m",
    name="m",
    dialect="openai.chat",
    stream=False,
    candidates=(),
    attempts=(),
    outcome="refused",
    refusal="insufficient_credits",
    limit=SPENDING_LIMIT,
    began_at=0,
    ended_at=0,
)


@pytest.fixture
def store() -> Store:
    return MemoryStore(now=lambda: NOW, book=book)


@pytest.fixture
def round_(colour: str, store: Store) -> Round:
    return Round(colour, store, Box())


def made(store: Store, **more: Any) -> Key:
    given: dict[str, Any] = {"spending_limit_microcredits": LIMIT, **more}
    pepper = Secret("a pepper of at least sixteen characters")
    active = given.pop("active", True)
    _, key = issue(name="k", owner_type="user", owner_id="ada", pepper=pepper, now=0, **given)
    key = replace(key, active=active)
    assert store.commit([keys.put(key)]).done
    return key


def spent(store: Store, key: Key, amount: int) -> None:
    """Settle so much on a key's budget."""
    (rows,) = store.read([Shelved("payment")])
    assert isinstance(rows, tuple)
    name = HoldKey(f"h{len(rows)}")
    store.commit([Put(RowKey("payment", name.id), "{}")])  # a counter, no more
    budget = notices.budget_of(key.id, MONTH)
    assert store.commit([Reserve(name, amount, ((budget, 10**9),))]).done
    assert store.commit([End(name, amount)]).done


def kept(store: Store, key: Key) -> list[Notice]:
    (rows,) = store.read([notices.about(key.id, MONTH)])
    assert isinstance(rows, tuple)
    return [notices.read(row) for row in rows]


def test_each_threshold_is_told_once(round_: Round, store: Store) -> None:
    key = made(store)
    for amount in (700, 99, 1, 50, 149):
        spent(store, key, amount)
        round_.over(key, charged=amount)
        round_.go()
    assert round_.box.told == ["2026-11/80/0"]
    spent(store, key, 1)
    round_.over(key, charged=1)
    assert round_.go() == ["2026-11/80/0", "2026-11/100/0"]
    round_.over(key, charged=1)
    round_.over(key, refused=True)
    assert round_.go() == ["2026-11/80/0", "2026-11/100/0"]
    assert [notice.state for notice in kept(store, key)] == ["sent", "sent"]


def test_a_jump_past_both_tells_both_the_lower_first(round_: Round, store: Store) -> None:
    key = made(store)
    spent(store, key, 1_200)
    round_.over(key, charged=1_200)
    assert round_.go() == ["2026-11/80/0", "2026-11/100/0"]


def test_nothing_is_told_of_a_key_without_a_limit_or_that_is_gone(
    round_: Round, store: Store
) -> None:
    without, gone = made(store, spending_limit_microcredits=None), made(store)
    spent(store, without, 10**6)
    spent(store, gone, 10**6)
    store.commit([keys.delete(gone.id)])
    for key in (without, gone):
        round_.over(key, charged=5)
        round_.over(key, refused=True)
    assert round_.go() == []
    (rows,) = store.read([Shelved("use")])
    assert isinstance(rows, tuple)
    assert [row.key.id for row in rows] == [without.id]


def test_a_key_that_a_refusal_disabled_is_told_at_once(round_: Round, store: Store) -> None:
    gone, stays = made(store, auto_disable=True, active=False), made(store)
    for key in (gone, stays):
        spent(store, key, 10)
        round_.over(key, refused=True)
    assert round_.go(SECOND) == ["2026-11/100/0"], "a refusal does not wait for its turn"
    (notice,) = kept(store, gone)
    assert notice.disabled
    round_.over(gone, refused=True)
    assert round_.go() == ["2026-11/100/0"]


def test_a_mail_server_that_is_down_is_tried_again(round_: Round, store: Store, caplog) -> None:
    key = made(store)
    spent(store, key, 900)
    round_.over(key, charged=900)
    round_.box.down = True
    round_.go()
    (notice,) = kept(store, key)
    assert (notice.state, notice.tries, notice.said) == ("queued", 1, "down")
    assert "is not sent: down" in caplog.text
    assert round_.go(MINUTE - SECOND) == []
    assert round_.go(LOOK_NS) == []
    assert kept(store, key)[0].tries == 2
    round_.box.down = False
    assert round_.go(MINUTE) == []
    assert round_.go(MINUTE) == ["2026-11/80/0"]
    assert kept(store, key)[0].state == "sent"


def test_a_server_that_is_down_is_asked_once_a_round(round_: Round, store: Store) -> None:
    key = made(store)
    spent(store, key, 1_000)
    round_.over(key, charged=1_000)
    round_.box.down = True
    round_.go()
    assert [notice.tries for notice in sorted(kept(store, key), key=lambda one: one.threshold)] == [
        1,
        0,
    ]
    round_.box.down = False
    round_.go()
    assert round_.go(2 * MINUTE) == ["2026-11/100/0", "2026-11/80/0"]


def test_whoever_dies_while_sending_has_it_sent_by_another(round_: Round, store: Store) -> None:
    key = made(store)
    (notice,) = notices.due(key, settled=900, refused=False, period=MONTH, sent=(), now=NOW)
    store.commit([notices.put(notices.claimed(notice, now=NOW))])
    assert round_.go(LEASE_NS - SECOND) == []
    assert round_.go(LOOK_NS) == ["2026-11/80/0"]


class Halting(MemoryStore):
    """A store that stops answering after so many words."""

    def __init__(self) -> None:
        super().__init__(now=lambda: NOW, book=book)
        self.words = 10**9

    def _word(self) -> None:
        self.words -= 1
        if self.words < 0:
            raise StoreError("down")

    def read(self, keys: Any) -> Any:
        self._word()
        return super().read(keys)

    def commit(self, mutations: Any) -> Any:
        self._word()
        return super().commit(mutations)


@pytest.mark.parametrize("words", range(9))
def test_wherever_the_store_stops_answering_the_mail_comes_once_it_does(
    colour: str, words: int
) -> None:
    store = Halting()
    round_ = Round(colour, store, Box())
    key = made(store, auto_disable=True, active=False)
    spent(store, key, 900)
    round_.over(key, charged=900)
    round_.over(key, refused=True)
    store.words = words
    try:
        round_.go()
    except StoreError:
        pass
    else:
        pytest.fail("a round has more words than that")
    store.words = 10**9
    round_.go(LEASE_NS + LOOK_NS)
    round_.go(LOOK_NS)
    assert set(round_.box.told) == {"2026-11/80/0", "2026-11/100/0"}
    assert len(round_.box.told) <= 3, "at least once, and twice only where nobody can know"
    assert [notice.state for notice in kept(store, key)] == ["sent", "sent"]


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Store]]:
    def opened() -> Store:
        if request.param == "sqlite":
            return SqliteStore(tmp_path / "state.db", now=lambda: NOW, book=book)
        url, schema = request.getfixturevalue("postgres")
        return PostgresStore(url, schema=schema, now=lambda: NOW, book=book)

    stores = [opened() for _ in range(4)]
    yield stores
    for one in stores:
        one.close()


def test_replicas_that_all_see_it_tell_it_once(shared: list[Store]) -> None:
    key = made(shared[0])
    spent(shared[0], key, 1_000)
    rounds = [Round("blocking", store, Box()) for store in shared]
    for one in rounds:
        one.over(key, charged=1_000)
        one.over(key, refused=True)
    with ThreadPoolExecutor(len(rounds)) as pool:
        list(pool.map(lambda one: one.go(), rounds))
    told = [mail for one in rounds for mail in one.box.told]
    assert sorted(told) == ["2026-11/100/0", "2026-11/80/0"]
    assert {notice.state for notice in kept(shared[0], key)} == {"sent"}


def test_a_last_use_is_kept_once_a_minute_at_most(round_: Round, store: Store) -> None:
    key = made(store)

    def last() -> int | None:
        (row,) = store.read([uses.kept_as(key.id)])
        (found,) = uses.with_uses([key], [row])
        return found.last_used_at

    assert last() is None
    round_.over(key)
    round_.go(SECOND)
    assert last() == NOW
    round_.over(key)
    round_.go(SECOND)
    assert last() == NOW
    round_.go(MINUTE)
    assert last() == NOW + SECOND


def test_a_visit_of_nobody_leaves_nothing(round_: Round, store: Store) -> None:
    round_.postman.observe(Visit(request_id="r", method="GET", path="/"))
    round_.go()
    assert store.read([Shelved("use")]) == ((),)


def test_a_postman_does_its_rounds_until_it_is_closed(colour: str, store: Store) -> None:
    """In real time, once: what was noted before it was closed is told."""
    key, box = made(store), Box()
    spent(store, key, 800)
    visit = Visit(request_id="r", method="POST", path="/", key=key.id, began_unix_ns=NOW)
    visit.charged = 800
    if colour == "blocking":
        postman = Postman(store, box, period_ns=SECOND // 100)
        postman.start()
        postman.observe(visit)
        with closing(postman):
            pass
    else:

        async def run() -> None:
            twin = AsyncPostman(store.awaiting(), box, AsyncSystemClock(), period_ns=3_600 * SECOND)
            twin.start()
            twin.start()
            await asyncio.sleep(0)
            twin.observe(visit)
            await twin.close()

        asyncio.run(run())
    assert box.told == ["2026-11/80/0"]


PRICED = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:ONE], speaks: [chat]}
models:
  gpt:
    {kind: chat, context: 1k, output: 500, sell: cost, offers: [
      {at: one, price: {per: 1M tok, in: 1.00, out: 10.00}}]}
"""
ASKED = {"model": "gpt", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("stream", [False, True])
def test_through_a_gateway_a_limit_mails_refuses_and_disables(
    colour: str, registry: Any, stream: bool
) -> None:
    world = World()
    world.serve("https://one.test", (streamed if stream else whole)("openai.chat"))
    store = MemoryStore(now=world.unix_ns, book=book)
    router = Router.loads(PRICED, registry=registry)
    pepper = Secret("a pepper of at least sixteen characters")
    door = opened(colour, router, world, Door(pepper=pepper), store, wallets="none")
    round_ = Round(colour, store, Box(), now=world.unix_ns())
    secret, key = issue(
        name="k",
        owner_type="user",
        owner_id="ada",
        pepper=pepper,
        now=0,
        spending_limit_microcredits=1_000_000,
        auto_disable=True,
    )
    store.commit([keys.put(key)])
    statuses: list[int] = []
    header, answer = ("authorization", f"Bearer {secret}"), None
    while answer is None or answer.status == 200:
        answer = door.post("/v1/chat/completions", {**ASKED, "stream": stream}, header)
        statuses.append(answer.status)
        round_.postman.observe(door.visits[-1])
        round_.go()
        world.sleep(SECOND)
    assert statuses.count(200) > 10
    assert statuses[-1] == 402
    assert answer.json["error"]["code"] == "insufficient_credits"
    assert [name.split("/")[1] for name in round_.box.told] == ["80", "100"]
    assert "the key is disabled" in round_.box.taken[1].text
    assert door.post("/v1/chat/completions", ASKED, header).status == 401
