"""What happens beyond a limit of whoever asks: it waits, disables, observes. Both colours."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.asking import CHAT, CLAUDE
from tests.unit.gateway.conftest import TABLE, opened
from tests.unit.gateway.test_door import PEPPER, made

from hyperroute.accounts import keys
from hyperroute.canon.money import BudgetKey, End, HoldKey, Reserve
from hyperroute.canon.mutation import Row, RowKey
from hyperroute.client import Router
from hyperroute.gateway.door import Door
from hyperroute.ledger.book import book
from hyperroute.routing.budgets import period_of
from hyperroute.runtime.tab import Wallets
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import whole
from hyperroute.testing.script import MS, SECOND
from hyperroute.testing.world import World

PATH = "/v1/chat/completions"


class Crowded(MemoryStore):
    """A store in which somebody else ends, once others were refused so often."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.asked = 0
        self.ends_at = 0

    def commit(self, mutations: Any) -> Any:
        if isinstance(mutations[0], Reserve):
            self.asked += 1
            if self.asked == self.ends_at:
                super().commit([End(HoldKey("other"), None)])
        return super().commit(mutations)


@pytest.fixture
def world():
    world = World()
    for host, dialect in (("one", "openai.chat"), ("two", "openai.chat"), ("claude", "anthropic.messages"), ("google", "gemini.generate")):  # fmt: skip
        world.serve(f"https://{host}.test", whole(dialect))
    return world


@pytest.fixture
def store(world):
    return Crowded(now=world.now, book=book)


@pytest.fixture
def serving(colour, registry, world, store):
    def serve(text: str, *, wallets: Wallets | None = None, **more: Any) -> Any:
        router = Router.loads(TABLE + text, registry=registry)
        guard = Door(pepper=PEPPER, **more)
        return opened(colour, router, world, guard, store, wallets=wallets)

    return serve


def bearer(store: MemoryStore, **more: Any) -> tuple[str, str]:
    return ("authorization", f"Bearer {made(store, **more)}")


def is_active(store: MemoryStore, key_id: str) -> bool:
    (row,) = store.read([RowKey("key", key_id)])
    assert isinstance(row, Row)
    return keys.read(row).active


# --- over: wait ------------------------------------------------------------------------------------
def test_a_request_is_held_until_its_rate_has_room_again(serving, store, world):
    door = serving("limits: {slow: {per: user, rate: 1 req / min, over: wait 60s}}\n")
    header = bearer(store)
    assert door.post(PATH, CHAT, header).status == 200
    began = world.now()
    answer = door.post(PATH, CHAT, header)
    assert (answer.status, world.now() - began) == (200, 60 * SECOND)
    assert answer.headers["x-ratelimit-remaining"] == "0"
    told = int(answer.headers["x-ratelimit-reset"]) * SECOND
    assert told - world.unix_ns() == pytest.approx(60 * SECOND, abs=SECOND)


def test_nobody_is_held_longer_than_the_limit_says_nor_for_nothing(serving, store, world):
    """What would be refused after the wait is refused before it."""
    door = serving("limits: {slow: {per: user, rate: 1 req / min, over: wait 59s}}\n")
    header = bearer(store)
    assert door.post(PATH, CHAT, header).status == 200
    began = world.now()
    refused = door.post(PATH, CHAT, header)
    assert (refused.status, refused.headers["retry-after"]) == (429, "60")
    assert world.now() == began


def test_a_limit_that_does_not_wait_is_not_waited_for(serving, store, world):
    door = serving(
        "limits: {slow: {per: user, rate: 1 req / min, over: wait 60s},"
        " fast: {per: key, rate: 1 req / min}}\n"
    )
    header = bearer(store)
    statuses = [door.post(PATH, CHAT, header).status for _ in range(2)]
    assert (statuses, world.now()) == ([200, 429], 0)


def test_a_deadline_of_the_request_is_not_waited_past(serving, store, world):
    door = serving("limits: {slow: {per: user, rate: 1 req / min, over: wait 60s}}\n")
    header = bearer(store)
    body = {**CHAT, "hyperroute": {"deadline": "30s"}}
    statuses = [door.post(PATH, body, header).status for _ in range(2)]
    assert (statuses, world.now()) == ([200, 429], 0)


# --- over: disable, observe ------------------------------------------------------------------------
def test_a_limit_may_disable_the_key_that_goes_beyond_it(serving, store):
    door = serving("limits: {trap: {per: key, rate: 1 req / min, over: disable}}\n")
    header, other = bearer(store, id="k1"), bearer(store, id="k2")
    assert door.post(PATH, CHAT, header).status == 200
    refused = door.post(PATH, CHAT, header)
    assert refused.status == 429
    assert "disabled" in refused.json["error"]["message"]
    assert refused.headers["x-should-retry"] == "false"
    assert "retry-after" not in refused.headers
    assert door.post(PATH, CHAT, header).status == 401
    assert door.post(PATH, CHAT, other).status == 200
    assert not is_active(store, "k1")


class Meddling(MemoryStore):
    """A store in which somebody else changes the key while a request is judged."""

    def commit(self, mutations: Any) -> Any:
        done = super().commit(mutations)
        (row,) = self.read([RowKey("key", "k1")])
        if isinstance(row, Row) and "Charge" in repr(mutations):
            super().commit([keys.put(keys.read(row), expected=None)])
        return done


def test_a_key_that_was_changed_meanwhile_is_left_as_it_is(colour, registry, world):
    store = Meddling(now=world.now)
    text = "limits: {trap: {per: key, rate: 1 req / min, over: disable}}\n"
    router = Router.loads(TABLE + text, registry=registry)
    door = opened(colour, router, world, Door(pepper=PEPPER), store)
    header = bearer(store, id="k1")
    assert [door.post(PATH, CHAT, header).status for _ in range(3)] == [200, 429, 429]
    assert is_active(store, "k1")


def test_a_limit_that_observes_refuses_nobody_and_is_told_to_nobody(serving, store):
    door = serving("limits: {watch: {per: user, rate: 1 req / h, over: observe}}\n")
    header = bearer(store)
    answers = [door.post(PATH, CHAT, header) for _ in range(3)]
    assert {answer.status for answer in answers} == {200}
    assert "x-ratelimit-limit" not in answers[-1].headers


# --- polls -----------------------------------------------------------------------------------------
def test_what_makes_nothing_has_counters_of_its_own(serving, store, world):
    """Else asking for models or counting tokens would starve what is paid for."""
    door = serving("limits: {both: {per: user, rate: [1 req / min, 3 poll / min]}}\n")
    header = bearer(store)
    listed = door.get("/v1/models", header)
    assert (listed.status, listed.headers["x-ratelimit-remaining"]) == (200, "2")
    assert door.get("/v1/models/gpt", header).headers["x-ratelimit-remaining"] == "1"
    counted = door.post("/v1/messages/count_tokens", CLAUDE, header)
    assert (counted.status, counted.headers["x-ratelimit-remaining"]) == (200, "0")
    refused = door.get("/v1/models", header)
    assert (refused.status, refused.headers["retry-after"]) == (429, "20")
    assert door.post(PATH, CHAT, header).status == 200
    assert door.post(PATH, CHAT, header).status == 429


def test_without_a_rate_of_polls_they_are_not_limited(serving, store):
    door = serving("limits: {one: {per: user, rate: 1 req / h}}\n")
    header = bearer(store)
    assert [door.get("/v1/models", header).status for _ in range(3)] == [200] * 3


# --- limit.NAME.used -------------------------------------------------------------------------------
ROUTED = """
chains:
  thrift: {match: [{when: {limit.%s.used: ">= 50%%"}, use: flash}, {use: gpt}]}
intents: {any: {kind: chat, use: thrift}}
"""
ANY = {**CHAT, "model": "any"}


def served(door: Any, header: tuple[str, str]) -> str:
    answer = door.post(PATH, ANY, header)
    assert answer.status == 200
    return str(answer.headers["x-hyperroute-served-by"])


def test_the_planner_reads_how_much_of_a_rate_was_used_before(serving, store):
    door = serving("limits: {speed: {per: user, rate: 4 req / min}}\n" + ROUTED % "speed")
    header = bearer(store)
    assert [served(door, header) for _ in range(4)] == [
        *["gpt@one"] * 2,
        *["flash@google"] * 2,
    ]


BUDGET = "limits: {month: {per: key, budget: 10 usd / month, over: observe}}\n" + ROUTED % "month"


@pytest.mark.parametrize(("spent", "where"), [(499_999_999, "gpt@one"), (500_000_000, "flash@google")])  # fmt: skip
def test_the_planner_reads_how_much_of_a_budget_is_used_with_what_is_held(
    serving, store, world, spent, where
):
    door = serving(BUDGET, money=True)
    header = bearer(store, id="k1")
    month = BudgetKey("month", (("key", "k1"),), period_of("month", world.unix_ns()))
    store.commit([Reserve(HoldKey("r1"), spent, ((month, None),))])
    assert served(door, header) == where
    store.commit([End(HoldKey("r1"), spent)])
    assert served(door, header) == where


def test_of_a_budget_that_nobody_keeps_nothing_is_known(serving, store, world):
    """Unknown is not 0: a comparison with it does not hold."""
    text = BUDGET.replace('">= 50%"', '"< 50%"')
    assert served(serving(text, money=True), bearer(store)) == "flash@google"
    assert served(serving(text), bearer(store)) == "gpt@one"


# --- at once, and budgets --------------------------------------------------------------------------
FEW = "limits: {few: {per: user, at_once: 1%s}, speed: {per: user, rate: 3 req / min}}\n"
ADA = (("user", "ada"),)


def crowd(store: Crowded, name: str = "other", *, until: int = 0) -> None:
    """Let another request of the same user be under way."""
    slot = BudgetKey("few", ADA, "now")
    assert store.commit([Reserve(HoldKey(name), 0, slots=((slot, 1),))]).done
    store.asked, store.ends_at = 0, until


def left(answer: Any) -> str:
    return str(answer.headers["x-ratelimit-remaining"])


def test_beyond_what_is_under_way_at_once_a_request_is_refused_and_takes_nothing(
    serving, store, world
):
    door = serving(FEW % "", wallets="none")
    header = bearer(store)
    assert left(door.post(PATH, CHAT, header)) == "2"
    assert left(door.post(PATH, CHAT, header)) == "1", "the slot came back"
    crowd(store)
    for stream in (False, True):
        refused = door.post(PATH, {**CHAT, "stream": stream}, header)
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        assert refused.json["error"]["type"] == "rate_limit_error"
        assert "'few'" in refused.json["error"]["message"]
        assert door.visits[-1].record.limit == "few"
    assert (len(world.sent), world.now()) == (2, 0)
    store.commit([End(HoldKey("other"), None)])
    assert left(door.post(PATH, CHAT, header)) == "0", "what was refused took nothing of the rate"


def test_a_slot_is_waited_for_as_long_as_its_limit_says(serving, store, world):
    door = serving(FEW % ", over: wait 1s", wallets="none")
    header = bearer(store)
    crowd(store, until=4)
    assert door.post(PATH, CHAT, header).status == 200
    assert world.now() == (20 + 40 + 80) * MS
    crowd(store, "another")
    began = world.now()
    assert door.post(PATH, CHAT, header).status == 429
    assert world.now() - began == SECOND


CAPPED = """
limits:
  cap: {per: key, budget: 0.00001 usd / day, over: %s}
  speed: {per: user, rate: 2 req / min}
"""
PRICED = TABLE.replace("sends: gpt}", "sends: gpt, price: {per: 1M tok, in: 1, out: 1}}")


def test_a_budget_that_refuses_may_disable_the_key_and_takes_nothing_else(
    colour, registry, world, store
):
    for over, after in (("stop", 402), ("disable", 401)):
        text = PRICED + CAPPED % over
        router = Router.loads(text, registry=registry)
        door = opened(colour, router, world, Door(pepper=PEPPER), store, wallets="none")
        header = bearer(store, id=f"k-{over}", owner_id=over)
        body = {**CHAT, "max_tokens": 50}
        assert door.post(PATH, body, header).status == 402
        assert door.post(PATH, body, header).status == after
        assert is_active(store, f"k-{over}") == (over == "stop")
        other = bearer(store, id=f"l-{over}", owner_id=over)
        assert left(door.post(PATH, body, other)) == "1"


def test_a_key_disables_itself_beyond_its_own_limit_if_its_owner_wants_that(
    colour, registry, world, store
):
    router = Router.loads(PRICED, registry=registry)
    door = opened(colour, router, world, Door(pepper=PEPPER), store, wallets="none")
    for auto, after in ((False, 402), (True, 401)):
        cap = {"spending_limit_microcredits": 0, "auto_disable": auto}
        header = bearer(store, id=f"k{auto}", **cap)
        statuses = [door.post(PATH, {**CHAT, "max_tokens": 5}, header).status for _ in range(2)]
        assert statuses == [402, after]


def test_a_request_that_was_never_tried_used_no_tokens(serving, store):
    door = serving("limits: {words: {per: user, rate: 40 tok / min}}\n")
    header = bearer(store)
    body = {**CHAT, "model": "nokey"}
    assert [door.post(PATH, body, header).status for _ in range(4)] == [503] * 4
