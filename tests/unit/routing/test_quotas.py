"""What an attempt takes from the limits of what it is made with, by name, amount and end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.money import BudgetKey
from hyperroute.canon.mutation import Pace, RateKey
from hyperroute.canon.units import DAY, MINUTE
from hyperroute.canon.usage import Usage
from hyperroute.client import Router
from hyperroute.routing.plan import Plan, plan
from hyperroute.routing.questions import Answers
from hyperroute.routing.quotas import (
    OWN,
    RateToll,
    SlotToll,
    SpendToll,
    Toll,
    Used,
    account_budgets,
    spent_from,
    tolls,
    used_by,
)
from hyperroute.routing.record import Attempt, Record
from hyperroute.testing import handmade

HOUR = 3_600_000_000_000
NOON = 20_778 * DAY + 12 * HOUR
"""2026-11-21, 12:00 UTC."""
AT = 5_000 * MINUTE
TABLE = """
hyperroute: 1
providers:
  p:
    plugin: openai
    url: "https://p.test"
    keys: [{key: "env:A", limits: {rate: 7 req / s}}, {key: "env:B", limits: {at_once: 2}}]
    limits: {rate: 9 tok / min, budget: 1 usd / day}
  q: {plugin: openai, url: "https://q.test", keys: []}
models:
  m:
    kind: chat
    output: 1k
    offers:
      - {at: p, limits: {at_once: 8}, price: {per: 1M tok, in: 0, out: 1}}
      - {at: q, price: {per: 1M tok, in: 0, out: 2}}
%s
"""
BODY = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


def planned(limits: str = "", **facts: Any) -> Plan:
    router = Router.loads(TABLE % (limits and f"limits: {{{limits}}}"))
    return plan(router.read(BODY), table=router.table, answers=Answers(facts=facts))


def asked(
    made: Plan, offer: int = 0, credential: str = "p#0", *, unix_ns: int = NOON
) -> tuple[Toll, ...]:
    return tolls(made, made.candidates[offer], credential, at=AT, unix_ns=unix_ns)


def test_an_attempt_takes_from_its_account_its_offer_and_its_key() -> None:
    made = planned()
    tokens, money, slot, requests = asked(made)
    assert tokens == RateToll(
        place="provider:p",
        barrier="limit",
        key=RateKey(OWN, "tok/min", (("provider", "p"),)),
        pace=Pace(9, MINUTE, 9),
        unit="tok",
        units=made.input_tokens,
    )
    assert money == SpendToll(
        place="provider:p",
        barrier="limit",
        key=BudgetKey(OWN, (("provider", "p"),), "2026-11-21"),
        most=100_000_000,
        amount=1_000,  # ten tokens at a dollar a million
        ends_at=AT + 12 * HOUR,
    )
    offer = (("offer", "m@p"),)
    assert slot == SlotToll(
        place="offer:m@p", barrier="limit", key=BudgetKey(OWN, offer, "now"), most=8
    )
    assert isinstance(requests, RateToll)
    assert (requests.place, requests.barrier) == ("credential:p#0", "credential_limit")
    assert asked(made, credential="p#1")[-1] == SlotToll(
        place="credential:p#1",
        barrier="credential_limit",
        key=BudgetKey(OWN, (("credential", "p#1"),), "now"),
        most=2,
    )
    assert asked(made, offer=1, credential="") == ()


@pytest.mark.parametrize(
    ("limit", "places"),
    [
        ("{per: provider, at_once: 3}", ["provider:p", "provider:q"]),
        ("{per: offer, at_once: 3}", ["offer:m@p", "offer:m@q"]),
        ("{per: credential, at_once: 3}", ["credential:p#0"]),
        ("{per: model, at_once: 3, over: next}", ["model:m", "model:m"]),
        ("{per: [user, provider], at_once: 3}", ["", ""]),
        ("{per: provider, for: {req.kind: chat}, at_once: 3}", ["", ""]),
        ("{per: provider, for: {req.kind: image}, at_once: 3}", []),
        ("{per: [org, provider], at_once: 3}", []),
        ("{per: user, at_once: 3}", []),
        ("{per: model, at_once: 3}", []),
    ],
)
def test_a_limit_of_the_table_is_asked_of_every_attempt_that_it_means(
    limit: str, places: list[str]
) -> None:
    """What holds for somebody alone is not told to be used up for all."""
    made = planned(f"one: {limit}", **{"user.id": "ada"})
    found = [*asked(made), *asked(made, offer=1, credential="")]
    named = [toll for toll in found if toll.key.limit == "one"]
    assert [toll.place for toll in named] == places
    assert all(isinstance(toll, SlotToll) and toll.most == 3 for toll in named)


def test_a_limit_of_the_table_that_observes_has_no_limit() -> None:
    limit = "one: {per: offer, at_once: 3, rate: 1 req / s, budget: 1 usd / day, over: observe}"
    rate, slot, money = [toll for toll in asked(planned(limit)) if toll.key.limit == "one"]
    assert isinstance(rate, RateToll)
    assert rate.observed
    assert isinstance(slot, SlotToll)
    assert slot.most is None
    assert isinstance(money, SpendToll)
    assert (money.most, money.amount) == (None, 1_000)


def test_a_budget_by_a_fact_is_asked_where_the_fact_is_known() -> None:
    limit = "one: {per: [key, provider], budget: key.limit / month}"
    known = asked(planned(limit, **{"key.id": "k", "key.limit": 2}))
    assert [toll.most for toll in known if toll.key.limit == "one"] == [200_000_000]  # type: ignore[union-attr]
    assert all(toll.key.limit == OWN for toll in asked(planned(limit, **{"key.id": "k"})))


@pytest.mark.parametrize(
    ("per", "unix_ns", "left"),
    [
        ("day", NOON, 12 * HOUR),
        ("day", NOON + 12 * HOUR - 1, 1),
        ("day", NOON + 12 * HOUR, DAY),
        ("month", NOON, 9 * DAY + 12 * HOUR),
        ("month", NOON + 10 * DAY, 30 * DAY + 12 * HOUR),  # the first of December
        ("month", NOON + 40 * DAY, 12 * HOUR),  # the last of it
        ("month", NOON + 41 * DAY, 30 * DAY + 12 * HOUR),  # the first of January
        ("month", NOON + 72 * DAY, 27 * DAY + 12 * HOUR),  # the first of February
    ],
)
def test_a_period_ends_with_its_day_or_its_month(per: str, unix_ns: int, left: int) -> None:
    made = planned(f"one: {{per: provider, budget: 3 usd / {per}}}")
    (money,) = [toll for toll in asked(made, unix_ns=unix_ns) if toll.key.limit == "one"]
    assert isinstance(money, SpendToll)
    assert money.ends_at == AT + left
    ends = {key: end for key, end in account_budgets(made.table, unix_ns) if key == money.key}
    assert ends == {money.key: unix_ns + left}


def test_budgets_of_accounts_are_known_before_anybody_asks() -> None:
    made = planned(
        "a: {per: provider, budget: 1 usd / day}, b: {per: [user, provider], budget: 1 usd / day},"
        "c: {per: provider, rate: 1 req / s}, d: {per: model, budget: 1 usd / day, over: next},"
        "e: {per: user, budget: 1 usd / day}, f: {per: credential, budget: 1 usd / month}"
    )
    assert [key for key, _ in account_budgets(made.table, NOON)] == [
        BudgetKey(OWN, (("provider", "p"),), "2026-11-21"),
        BudgetKey("a", (("provider", "p"),), "2026-11-21"),
        BudgetKey("a", (("provider", "q"),), "2026-11-21"),
        BudgetKey("d", (("model", "m"),), "2026-11-21"),
        BudgetKey("f", (("credential", "p#0"),), "2026-11"),
        BudgetKey("f", (("credential", "p#1"),), "2026-11"),
    ]


# --- when it is over -------------------------------------------------------------------------------
def attempt(offer: str = "m@p", **said: Any) -> Attempt:
    known: dict[str, Any] = {"started_at": AT, "ended_at": AT + 1, "credential": "p#0", **said}
    return Attempt(number=1, offer=offer, provider="p", model="m", kind="first", **known)


def test_an_attempt_counts_in_the_period_of_its_own_beginning() -> None:
    made = planned("one: {per: provider, budget: 1 usd / day}")
    over = attempt(started_at=AT + 13 * HOUR)
    record = Record(
        request_id="r", digest="", seed=0, asked="m", name="m", dialect="openai.chat", stream=False,
        candidates=(), attempts=(over,), outcome="exhausted", began_unix_ns=NOON, began_at=AT,
        ended_at=AT + 14 * HOUR,
    )  # fmt: skip
    p, q = (("provider", "p"),), (("provider", "q"),)
    days = [BudgetKey(OWN, p, "2026-11-22"), BudgetKey("one", p, "2026-11-22")]
    assert list(spent_from(made, record, over)) == days
    elsewhere = replace(over, offer="m@q", credential="")
    assert spent_from(made, record, elsewhere) == (BudgetKey("one", q, "2026-11-22"),)


def test_what_an_attempt_used_is_told_in_the_units_of_its_tolls() -> None:
    made = planned()
    usage = Usage(input_tokens=100, output_tokens=5)
    told = used_by(attempt(usage=usage, cost=made.table.scale // 100_000_000 + 1), made)
    assert told == Used(units={"req": 1, "tok": 105}, cost=2)
    unknown = used_by(attempt(failure=Failure(kind=FailureClass.STALLED)), made)
    assert unknown == Used(units={"req": 1, "tok": made.input_tokens}, cost=None)
    assert used_by(attempt(failure=Failure(kind=FailureClass.NET_UNSENT)), made) is None


def test_a_table_without_limits_asks_for_nothing() -> None:
    table = handmade.table(handmade.service("m", handmade.offer("m", "p")))
    made = plan(handmade.request("m"), table=table)
    assert tolls(made, made.candidates[0], "p#0", at=0, unix_ns=0) == ()
    assert account_budgets(table, 0) == ()
