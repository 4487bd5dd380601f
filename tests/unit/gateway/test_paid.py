"""What a request costs its caller, end to end: both colours, in a World."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.gateway.conftest import Door as Asked
from tests.unit.gateway.conftest import opened
from tests.unit.gateway.test_door import PEPPER, made

from hyperroute.canon.journal import Selection, UsagePage, UsageQuery
from hyperroute.canon.money import (
    MICROCREDITS_PER_CREDIT,
    BudgetKey,
    Checkpoint,
    Deposit,
    HoldKey,
    PostingKey,
    Spend,
    Sums,
    Totals,
    Wallet,
    WalletKey,
)
from hyperroute.client import Router
from hyperroute.errors import StoreError
from hyperroute.gateway.door import Door
from hyperroute.ledger.book import book
from hyperroute.runtime.tab import Wallets
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.bodies import Said, to_event
from hyperroute.testing.replies import JSON, SSE, refusal, whole
from hyperroute.testing.script import SECOND, End, Script
from hyperroute.testing.world import World

ONE, TWO = "https://one.test", "https://two.test"
CHAT: dict[str, Any] = {
    "model": "gpt",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}
PRICED = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:ONE], speaks: [chat]}
  two: {plugin: openai, url: "https://two.test/v1", keys: [env:TWO], speaks: [chat]}
models:
  gpt:
    {kind: chat, context: 1k, output: 500, sell: cost + 50%, offers: [
      {at: one, price: {per: 1M tok, in: 1.00, out: 10.00}},
      {at: two, price: {per: 1M tok, in: 2.00, out: 20.00}}]}
  unbounded: {kind: chat, offers: [{at: one, price: {per: 1M tok, in: 1.00, out: 10.00}}]}
  unpriced: {kind: chat, output: 500, offers: [{at: one}]}
"""
HIDDEN = PRICED.replace("keys: [env:ONE]", "hidden: true, keys: [env:ONE]")
MONTH = BudgetKey("spending-limit", (("key", "capped"),), "2026-09")
EACH = 12_150
"""Of ``HELLO`` at ``one``: 11 tokens at 1.00 and 7 at 10.00 USD a million, and half of it again."""


class Failing(MemoryStore):
    """A store that does not answer some commits."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.faults: list[StoreError | None] = []
        """For the commits to come, in their order; ``None``: it answers."""

    def commit(self, mutations: Any) -> Any:
        fault = self.faults.pop(0) if self.faults else None
        if fault is None:
            return super().commit(mutations)
        if fault.unknown:
            super().commit(mutations)  # done, and nobody hears of it
        raise fault


@dataclass
class Shop:
    """A gateway with a till, and what is in its books."""

    world: World
    store: Failing
    asked: Asked
    key: str

    def post(self, **more: Any) -> Any:
        self.world.sleep(SECOND)
        bearer = ("authorization", f"Bearer {self.key}")
        return self.asked.post("/v1/chat/completions", _without_none({**CHAT, **more}), bearer)

    def capped(self, amount: str) -> Shop:
        """Go on with a key that may spend so much a month."""
        most = int(Decimal(amount) * MICROCREDITS_PER_CREDIT)
        self.key = made(self.store, id="capped", spending_limit_microcredits=most)
        return self

    def paid(self, amount: int) -> Shop:
        deposit = Deposit(PostingKey("pay/1"), "user:ada", amount * MICROCREDITS_PER_CREDIT)
        self.store.commit([deposit])
        return self

    def sums(self) -> dict[str, int]:
        (sums,) = self.store.read([Totals()])
        assert isinstance(sums, Sums)
        assert sum(amount for _, amount in sums.accounts) == 0
        return {account: amount for account, amount in sums.accounts if amount}

    def found(self, key: Any) -> Any:
        return self.store.read([key])[0]

    def hold(self) -> Any:
        return self.found(HoldKey(self.asked.visits[-1].request_id))

    @property
    def charged(self) -> int | None:
        return self.asked.visits[-1].charged


def _without_none(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


Opened = Callable[..., Shop]


@pytest.fixture
def shop(colour: str, registry: Any) -> Opened:
    def open_(wallets: Wallets = "none", table: str = PRICED) -> Shop:
        router = Router.loads(table, registry=registry)
        world = World()
        for host in (ONE, TWO):
            world.serve(host, whole("openai.chat"))
        store = Failing(now=world.now, book=book)
        key = made(store, id="k1")
        asked = opened(colour, router, world, Door(pepper=PEPPER), store, wallets=wallets)
        return Shop(world, store, asked, key)

    return open_


def words(number: int, *, gap_ns: int = SECOND, end: End = "clean") -> Script:
    """Stream words of eight characters, which two tokens are; the usage comes last, if it comes."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return to_event({"id": "c", "created": 1, "model": "m", "choices": choices})

    told = [chunk({"content": "eight   "}) for _ in range(number)]
    usage = {"prompt_tokens": 11, "completion_tokens": 40, "total_tokens": 51}
    last = {"id": "c", "created": 1, "model": "m", "choices": [], "usage": usage}
    if end == "clean":
        told += [chunk({}, "stop"), to_event(last), b"data: [DONE]\n\n"]
    return Script(headers=SSE, chunks=tuple(told), chunk_after_ns=gap_ns, end=end)


# --- what is charged -------------------------------------------------------------------------------
def test_an_answer_is_charged_exactly_and_its_cost_is_owed(shop: Opened) -> None:
    """Invariants 33 and 38: the selling price to the caller, the cost to us, nothing in between."""
    here = shop("strict").paid(200)
    assert here.post().status == 200
    assert here.charged == EACH
    assert here.sums() == {
        "funds": -200_000_000,
        "wallet/user:ada": 200_000_000 - EACH,
        "sales": EACH,
        "owed/one": 8_100,
        "bought": -8_100,
    }
    assert (here.hold().phase, here.hold().charged) == ("settled", EACH)
    # 500 bytes of input at most, 100 tokens of output, at the dearer of the two offers.
    assert here.hold().amount >= 3 * 100 * 10 * 100 > EACH


def test_what_failed_is_free_for_the_caller_and_ours_to_pay(shop: Opened) -> None:
    """Invariants 40 and 41: the one that answered is charged, at its own price."""
    here = shop("strict").paid(200)
    here.world.serve(ONE, refusal("openai.chat", 500, kind="server_error"))
    assert here.post().status == 200
    assert here.charged == 2 * EACH
    assert here.sums()["owed/two"] == 2 * 8_100
    here.world.serve(TWO, refusal("openai.chat", 500, kind="server_error"))
    assert here.post().status == 502
    assert here.asked.visits[-1].charged is None
    assert here.hold().phase == "released"
    assert here.found(WalletKey("user:ada")) == Wallet(200_000_000 - 2 * EACH, 0)


def test_zero_is_a_number_and_only_what_is_missing_is_estimated(shop: Opened) -> None:
    """Invariant 42."""
    here = shop()
    here.world.serve(ONE, whole("openai.chat", Said(input_tokens=0, output_tokens=0)))
    assert here.post().status == 200
    assert here.charged == 0
    silent = json.loads(whole("openai.chat").body)
    del silent["usage"]
    body = json.dumps(silent).encode()
    here.world.serve(ONE, Script(headers=JSON, chunks=(body,), length=len(body)))
    assert here.post().status == 200
    record = here.asked.visits[-1].record
    assert record is not None
    assert record.usage.estimated
    assert here.charged is not None
    assert here.charged > 0


# --- who may enter ---------------------------------------------------------------------------------
def test_a_budget_is_never_exceeded_and_refuses_before_anything_is_sent(shop: Opened) -> None:
    """Invariant 36: what is held counts, so that the last of it is not spent twice."""
    here = shop().capped("2")
    served = 0
    while here.post().status == 200:
        served += 1
        spend = here.found(MONTH)
        assert spend == Spend(served * EACH, 0)
    assert 0 < served * EACH <= 2_000_000
    told = here.post()
    assert (told.status, told.headers["x-should-retry"]) == (402, "false")
    assert told.json["error"]["type"] == "insufficient_credits"
    assert "'spending-limit' of 2026-09" in told.json["error"]["message"]
    assert len(here.world.sent) == served


def test_a_wallet_below_the_floor_lets_nobody_in(shop: Opened) -> None:
    here = shop("floor").paid(199)
    told = here.post()
    assert (told.status, told.json["error"]["message"]) == (
        402,
        "The balance is 199 credits, and 200 are needed.",
    )
    assert not here.world.sent
    here.store.commit([Deposit(PostingKey("pay/2"), "user:ada", 1_000_000)])
    assert here.post().status == 200
    assert here.found(WalletKey("user:ada")) == Wallet(200_000_000 - EACH, 0)
    assert here.post().status == 402


def test_under_a_floor_an_answer_is_charged_in_full_below_zero_too(shop: Opened) -> None:
    here = shop("floor").paid(200)
    here.world.serve(ONE, whole("openai.chat", Said(input_tokens=0, output_tokens=200_000)))
    assert here.post().status == 200
    assert here.found(WalletKey("user:ada")) == Wallet(200_000_000 - 300_000_000, 0)


def test_what_exceeds_a_hold_is_ours(shop: Opened) -> None:
    """Invariant 37: a provider that answers more than it was allowed to is not the caller's affair."""
    here = shop("strict").paid(200)
    here.world.serve(ONE, whole("openai.chat", Said(input_tokens=0, output_tokens=200_000)))
    assert here.post().status == 200
    assert here.charged == here.hold().amount
    assert here.sums()["lost/price"] == here.hold().amount - 300_000_000


@pytest.mark.parametrize(
    ("wallets", "model", "status"),
    [
        ("none", "unpriced", 200),
        ("floor", "unpriced", 402),
        ("strict", "unpriced", 402),
        ("none", "unbounded", 200),
        ("floor", "unbounded", 200),
        ("strict", "unbounded", 402),
    ],
)
def test_what_cannot_be_priced_is_not_free(
    shop: Opened, wallets: Wallets, model: str, status: int
) -> None:
    here = shop(wallets).paid(300)
    told = here.post(model=model, max_tokens=None)
    assert told.status == status
    assert status == 200 or told.json["error"]["type"] == "insufficient_credits"
    assert len(here.world.sent) == (status == 200)


def test_an_offer_without_a_price_is_named_as_its_caller_may_know_it(shop: Opened) -> None:
    """Invariant 29: a hidden provider is hidden in a refusal too."""
    plain, hidden = (shop("floor", table).paid(300) for table in (PRICED, HIDDEN))
    assert "unpriced@one." in plain.post(model="unpriced").json["error"]["message"]
    told = hidden.post(model="unpriced")
    assert told.status == 402
    assert "unpriced@" in told.json["error"]["message"]
    assert "@one" not in told.body.decode()


def test_a_budget_refuses_what_has_no_bound(shop: Opened) -> None:
    here = shop().capped("1000")
    assert here.post(model="unbounded", max_tokens=None).status == 402
    assert here.post(model="unbounded").status == 200


# --- streams ---------------------------------------------------------------------------------------
def test_who_has_read_the_end_of_a_stream_has_been_charged_for_it(shop: Opened) -> None:
    here = shop("strict").paid(200)
    here.world.serve(ONE, words(30))
    told = here.post(stream=True)
    assert b"[DONE]" in told.body
    assert here.charged == (11 + 40 * 10) * 150
    assert here.hold().charged == here.charged


def test_a_stream_notes_how_far_it_came(shop: Opened) -> None:
    """What a process that dies leaves behind is what recovery charges (reliability.md, 5.9)."""
    here = shop("strict").paid(200)
    here.world.serve(ONE, words(30))
    so_far: list[int] = []
    plain = here.store.commit

    def commit(mutations: Any) -> Any:
        done = plain(mutations)
        if isinstance(mutations[0], Checkpoint):
            so_far.append(mutations[0].charged)
        return done

    here.store.commit = commit  # type: ignore[method-assign] # a spy
    assert here.post(stream=True).status == 200
    assert len(so_far) >= 10
    assert so_far == sorted(so_far)
    assert so_far[-1] > 20 * 2 * 10 * 150


def test_an_answer_that_broke_off_is_charged_for_what_was_delivered(shop: Opened) -> None:
    here = shop("strict").paid(200)
    here.world.serve(ONE, words(30, end="cut"))
    told = here.post(stream=True)
    assert b"[DONE]" not in told.body
    record = here.asked.visits[-1].record
    assert record is not None
    assert (record.outcome, record.usage.output_tokens) == ("interrupted", 60)
    assert here.charged is not None
    assert here.charged >= 60 * 10 * 150
    assert here.hold().phase == "settled"


# --- when the store does not answer ----------------------------------------------------------------
DOWN, LOST = StoreError("down"), StoreError("nobody knows", unknown=True)


def test_a_store_that_is_down_lets_nobody_in(shop: Opened) -> None:
    here = shop("strict").paid(200)
    here.store.faults = [DOWN]
    told = here.post()
    assert (told.status, told.headers["retry-after"]) == (503, "1")
    assert not here.world.sent
    here.store.faults = []
    assert here.post().status == 200


def test_a_hold_whose_word_was_lost_is_asked_for_again(shop: Opened) -> None:
    here = shop("strict").paid(200)
    here.store.faults = [LOST]
    assert here.post().status == 200
    assert here.found(WalletKey("user:ada")) == Wallet(200_000_000 - EACH, 0)


@pytest.mark.parametrize("faults", [(LOST, LOST), (DOWN,)], ids=["lost", "down"])
def test_an_answer_is_given_although_its_end_is_not_heard_and_is_told_later(
    shop: Opened, faults: tuple[StoreError, ...]
) -> None:
    """Invariant 34: it ends once, however often it is told."""
    here = shop("strict").paid(200)
    here.store.faults = [None, *faults]
    assert here.post().status == 200
    first = here.asked.visits[-1].request_id
    assert here.post().status == 200
    assert here.found(HoldKey(first)).phase == "settled"
    assert here.found(WalletKey("user:ada")) == Wallet(200_000_000 - 2 * EACH, 0)
    assert here.sums()["sales"] == 2 * EACH


# --- the journal -----------------------------------------------------------------------------------
def test_every_request_of_a_known_caller_leaves_one_row(shop: Opened) -> None:
    here = shop("floor").paid(300)
    here.post()
    here.world.serve(ONE, words(3))
    here.post(stream=True)
    here.world.serve(ONE, words(3, end="cut"))
    here.post(stream=True)
    here.post(model="nobody")
    here.post(max_tokens="many")
    for host in (ONE, TWO):
        here.world.serve(host, refusal("openai.chat", 500, kind="server_error"))
    here.post()
    (found,) = here.store.read([UsageQuery(selection=Selection(owner="user:ada"))])
    assert isinstance(found, UsagePage)
    told = [
        (row.status, row.credits > 0, row.error, row.stream, row.attempts)
        for row in reversed(found.rows)
    ]
    assert told == [
        (200, True, None, False, 1),
        (200, True, None, True, 1),
        (200, True, "truncated", True, 1),
        (400, False, "model_not_found", False, 0),
        (400, False, "bad_request", False, 0),
        (502, False, "server_error", False, 4),
    ]
    visits = [visit.request_id for visit in here.asked.visits]
    assert [row.id for row in reversed(found.rows)] == visits
    assert found.rows[-1].cost == 8_100
    assert sum(row.credits for row in found.rows) == here.sums()["sales"]
