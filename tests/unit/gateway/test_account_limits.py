"""Limits of what attempts are made with: beyond them others are tried. Both colours, in a World."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.asking import CHAT
from tests.unit.gateway.conftest import opened

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.money import BudgetKey, Spend, Sums, Totals
from hyperroute.client import Client, Router
from hyperroute.ledger.book import book
from hyperroute.routing.plan import plan
from hyperroute.routing.state import Call, Failed, Wait
from hyperroute.runtime.board import Board
from hyperroute.runtime.quotas import Quotas
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import refusal, streamed, whole
from hyperroute.testing.script import SECOND, Script
from hyperroute.testing.world import World

CHAT_PATH = "/v1/chat/completions"
ONE, TWO = "https://one.test", "https://two.test"
PRICE = "price: {per: 1M tok, in: 10, out: 10}"


def table(one: str = "", *, keys: str = "env:ONE", offer: str = "", more: str = "") -> str:
    return f"""
hyperroute: 1
providers:
  one: {{plugin: openai, url: "{ONE}/v1", keys: [{keys}], speaks: [chat]{one}}}
  two: {{plugin: openai, url: "{TWO}/v1", keys: [env:TWO], speaks: [chat]}}
models:
  gpt:
    kind: chat
    offers: [{{at: one, {PRICE}{offer}}}, {{at: two, {PRICE}}}]
policies: {{base: {{cap: {{out: 1k}}}}}}
{more}
"""


@pytest.fixture
def world():
    world = World()
    for at in (ONE, TWO):
        world.serve(at, whole("openai.chat"))
    return world


def serving(colour: str, registry: Any, world: World, text: str) -> Any:
    door = opened(colour, Router.loads(text, registry=registry), world)

    def ask() -> str:
        answer = door.post(CHAT_PATH, CHAT)
        assert answer.status in {200, 503}
        return str(answer.headers.get("x-hyperroute-served-by", answer.status))

    return door, ask


@pytest.mark.parametrize(
    "text",
    [
        table(", limits: {rate: 2 req / min}"),
        table(offer=", limits: {rate: 2 req / min}"),
        table(keys='{key: "env:ONE", limits: {rate: 2 req / min}}'),
        table(more="limits: {host: {per: offer, rate: 2 req / min}}").replace("at: two", "at: one, variant: b"),
        table(more="limits: {host: {per: provider, for: {req.kind: chat}, rate: 2 req / min}}"),
        table(", limits: {rate: 40 tok / min}"),
        table(", limits: {budget: 0.0107 usd / day}"),
    ],
    ids=["provider", "offer", "credential", "per offer", "per provider", "tokens", "budget"],
)  # fmt: skip
def test_beyond_a_limit_its_offers_are_skipped(colour, registry, world, text):
    _, ask = serving(colour, registry, world, text)
    served = [ask() for _ in range(4)]
    first, second = "gpt@one", "gpt@one/b" if "variant" in text else "gpt@two"
    assert served[0] == first
    assert served[-1] == second
    assert served == sorted(served), "and it does not come back within its time"


def test_a_rate_flows_and_a_budget_begins_anew_at_midnight(colour, registry, world):
    _, ask = serving(colour, registry, world, table(", limits: {rate: 1 req / min}"))
    assert [ask(), ask()] == ["gpt@one", "gpt@two"]
    world.sleep(60 * SECOND)
    assert ask() == "gpt@one"
    _, ask = serving(colour, registry, world, table(", limits: {budget: 0.0107 usd / day}"))
    assert [ask(), ask()] == ["gpt@one", "gpt@two"]
    world.sleep(86_400 * SECOND)
    assert ask() == "gpt@one"


def test_another_key_may_be_free_where_one_is_used_up(colour, registry, world):
    keys = '{key: "env:ONE", limits: {rate: 1 req / min}}, {key: "env:ALSO", limits: {rate: 1 req / min}}'
    door, ask = serving(colour, registry, world, table(keys=keys))
    assert [ask() for _ in range(3)] == ["gpt@one", "gpt@one", "gpt@two"]
    used = [visit.record.attempts[0].credential for visit in door.visits]
    assert sorted(used[:2]) == ["one#0", "one#1"]


def test_where_everything_is_used_up_nothing_is_sent_and_the_caller_is_told_when(
    colour, registry, world
):
    """Not even as a last resort: unlike health, a limit is no guess."""
    door, ask = serving(
        colour, registry, world, table(more="limits: {host: {per: provider, rate: 1 req / min}}")
    )
    assert [ask(), ask(), ask()] == ["gpt@one", "gpt@two", "503"]
    assert len(world.sent) == 2
    assert not door.visits[-1].record.attempts
    world.sleep(20 * SECOND)
    assert door.post(CHAT_PATH, CHAT).headers["retry-after"] == "40"


def test_a_limit_per_user_and_model_falls_to_what_is_declared_instead(colour, registry, world):
    text = table(more="limits: {each: {per: model, rate: 1 req / min, over: next}}").replace(
        "policies:",
        "  small: {kind: chat, offers: [{at: two, price: {per: 1M tok, in: 1, out: 1}}]}\npolicies:",
    )
    text = text.replace("  gpt:\n    kind: chat", "  gpt:\n    kind: chat\n    instead: [small]")
    _, ask = serving(colour, registry, world, text)
    assert [ask(), ask(), ask()] == ["gpt@one", "small@two", "503"]


def test_a_limit_that_observes_keeps_nobody_away(colour, registry, world):
    more = "limits: {host: {per: provider, rate: 1 req / h, at_once: 1, budget: 0 usd / day, over: observe}}"
    _, ask = serving(colour, registry, world, table(more=more))
    assert [ask() for _ in range(3)] == ["gpt@one"] * 3


def test_an_offer_whose_price_nobody_can_bound_has_no_room_in_a_budget(colour, registry, world):
    text = table(", limits: {budget: 1000 usd / day}").replace(PRICE, "sends: gpt", 1)
    _, ask = serving(colour, registry, world, text)
    assert ask() == "gpt@two"


def test_what_was_never_sent_takes_nothing(colour, registry):
    world = World()
    world.serve(ONE, [Script(fault="connect"), whole("openai.chat")])
    world.serve(TWO, whole("openai.chat"))
    policy = "policies: {base: {cap: {out: 1k}, retry: {per_offer: 0}}}"
    text = table(", limits: {rate: 1 req / h}").replace(
        "policies: {base: {cap: {out: 1k}}}", policy
    )
    _, ask = serving(colour, registry, world, text)
    assert ask() == "gpt@two"
    world.sleep(60 * SECOND)
    assert [ask(), ask()] == ["gpt@one", "gpt@two"]


def test_a_failed_attempt_counts_and_a_retry_does_too(colour, registry):
    world = World()
    world.serve(ONE, refusal("openai.chat", 500, kind="server_error"))
    world.serve(TWO, whole("openai.chat"))
    door, ask = serving(colour, registry, world, table(", limits: {rate: 1 req / h}"))
    assert ask() == "gpt@two"
    record = door.visits[0].record
    assert [attempt.offer for attempt in record.attempts] == ["gpt@one", "gpt@two"]
    assert [denial.why for denial in record.denials] == ["limit"]


# --- at once ---------------------------------------------------------------------------------------
def client_of(registry: Any, world: World, text: str, **more: Any) -> Client:
    return Client(Router.loads(text, registry=registry), transport=world, clock=world, **more)


def body() -> dict[str, Any]:
    return {**CHAT, "model": "gpt"}


def test_what_is_under_way_takes_a_slot_and_gives_it_back_however_it_ends(registry):
    world = World()
    world.serve(ONE, [streamed("openai.chat"), streamed("openai.chat"), whole("openai.chat")])
    world.serve(TWO, whole("openai.chat"))
    with client_of(registry, world, table(", limits: {at_once: 1}")) as client:
        for finish in (list, lambda stream: stream.close()):
            stream = client.stream(body())
            next(stream)
            assert client.send(body()).served == "gpt@two"
            finish(stream)
        assert client.send(body()).served == "gpt@one"


def test_whoever_leaves_while_a_retry_is_waited_for_leaves_no_slot_taken(registry, world):
    """The permit of a retry is granted before its wait: then there is no attempt that could end."""
    text = table(", limits: {at_once: 1, rate: 2 req / h}").replace(
        "at: two", "at: one, variant: b"
    )
    with client_of(registry, world, text) as client:
        counters = client.desk.board.counters
        told: dict[str, Any] = {"dialect": None, "headers": (), "labels": None, "facts": None}
        told |= {"request_id": "r1", "now": 0, "unix_ns": world.unix_ns(), "stream": False}
        run = client.desk.prepare(body(), **told)
        (call,) = run.begin(0, unix_ns=world.unix_ns())
        assert isinstance(call, Call)
        assert counters.full(0)
        broken = Failure(kind=FailureClass.SERVER_ERROR, status=500)
        (wait,) = run.take(Failed(0, broken))
        assert isinstance(wait, Wait)
        run.abandon(1)
        assert not counters.full(1), "the slot is free, and the rate has what was not tried"
        assert client.send(body()).served == "gpt@one"


def test_the_planner_knows_what_is_full(registry):
    world = World()
    world.serve(ONE, streamed("openai.chat"))
    with client_of(registry, world, table(", limits: {at_once: 1}")) as client:
        stream = client.stream(body())
        next(stream)
        request = client.router.read(body())
        answers = client.desk.answers(request, world.now(), unix_ns=world.unix_ns())
        made = plan(request, table=client.router.table, answers=answers)
        assert [one.offer.id for one in made.candidates] == ["gpt@two"]
        (rejection,) = made.rejections
        assert (rejection.requirement, rejection.had) == (
            "limit",
            "provider used up for another 1000 ms",
        )
        stream.close()
        assert not client.desk.answers(request, world.now(), unix_ns=0).full


def test_workers_have_a_share_each(registry, world):
    board = Board(counters=Quotas(workers=2))
    with client_of(registry, world, table(", limits: {rate: 2 req / min}"), board=board) as client:
        served = [client.send(body()).served for _ in range(3)]
        assert served == ["gpt@one", "gpt@two", "gpt@two"]


# --- what was spent elsewhere ----------------------------------------------------------------------
def replica(colour: str, registry: Any, world: World, store: Any, text: str) -> Any:
    board = Board(counters=Quotas(workers=4, learns=True))
    door = opened(
        colour,
        Router.loads(text, registry=registry),
        world,
        None,
        store,
        wallets="none",
        board=board,
    )

    def ask() -> str:
        return str(door.post(CHAT_PATH, CHAT).headers["x-hyperroute-served-by"])

    return ask


@pytest.mark.parametrize(
    "text",
    [
        table(", limits: {budget: 0.0109 usd / month}"),
        table(offer=", limits: {budget: 0.0109 usd / month}"),
        table(keys='{key: "env:ONE", limits: {budget: 0.0109 usd / month}}'),
        table(more="limits: {host: {per: provider, budget: 0.0109 usd / month}}"),
    ],
    ids=["provider", "offer", "credential", "per provider"],
)
def test_a_budget_of_an_account_outlives_the_process_and_is_one_over_replicas(
    colour, registry, world, text
):
    """One attempt costs 0.00018 and holds 0.01059: the third would hold beyond it."""
    store = MemoryStore(now=world.now, book=book)
    first = replica(colour, registry, world, store, text)
    second = replica(colour, registry, world, store, text)
    assert [first(), second()] == ["gpt@one", "gpt@one"]
    again = replica(colour, registry, world, store, text)
    assert again() == "gpt@two", "what others spent before it began"
    assert first() == "gpt@one", "what another spent a moment ago it has not heard"
    world.sleep(SECOND)
    assert first() == "gpt@two"
    world.sleep(31 * 86_400 * SECOND)
    assert [again(), first()] == ["gpt@one", "gpt@one"]


def test_what_failed_is_spent_too(colour, registry, world):
    store = MemoryStore(now=world.now, book=book)
    text = table(more="limits: {host: {per: model, budget: 9 usd / day, over: next}}")
    text = text.replace(PRICE, f"{PRICE[:-1]}, charged: attempt}}")
    world.serve(ONE, refusal("openai.chat", 500, kind="server_error"))
    ask = replica(colour, registry, world, store, text)
    assert ask() == "gpt@two"
    day = BudgetKey("host", (("model", "gpt"),), "2026-09-21")
    (spend,) = store.read([day])
    (sums,) = store.read([Totals()])
    assert isinstance(spend, Spend)
    assert isinstance(sums, Sums)
    owed = {name: amount for name, amount in sums.accounts if name.startswith("owed/")}
    assert spend == Spend(sum(owed.values()), 0)
    assert set(owed) >= {"owed/two"}
