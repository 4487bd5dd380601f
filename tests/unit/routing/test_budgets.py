"""Which budgets, slots and wallet a request meets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hyperroute.canon.money import BudgetKey, Purse, Spend
from hyperroute.catalog.card import Budget, Rate
from hyperroute.catalog.condition import Line
from hyperroute.client import Router
from hyperroute.routing.budgets import (
    amount_of,
    budgets,
    disables,
    patience,
    period_of,
    purse,
    share,
    slots,
    wanted,
)
from hyperroute.routing.table import Limit

NOW = 1_795_300_000_000_000_000
"""2026-11-21 22:26:40 UTC."""
HOUR = 3_600_000_000_000
ADA: dict[str, Any] = {"user.id": "ada", "key.id": "k1"}
FIVE = Budget(per="month", amount=500_000_000)
OWN = (("key", "k1"),)


def limit(name: str = "l", *, per: tuple[str, ...] = ("user",), **said: Any) -> Limit:
    return Limit(name=name, per=per, **said)


def test_a_key_brings_its_own_budget_along() -> None:
    facts: dict[str, Any] = {**ADA, "key.limit": Decimal("0.005")}
    assert budgets((), facts.get, unix_ns=NOW) == (
        (BudgetKey("spending-limit", OWN, "2026-11"), 500_000),
    )
    assert budgets((), ADA.get, unix_ns=NOW) == (), "none is no cap"
    blocked: dict[str, Any] = {**ADA, "key.limit": Decimal(0)}
    assert [most for _, most in budgets((), blocked.get, unix_ns=NOW)] == [0], "0 blocks everything"


def test_every_level_that_pays_is_an_entry_of_its_own() -> None:
    limits = [
        limit("team", per=("org",), budget=FIVE),
        limit("mine", per=("key",), budget=Budget(per="day", amount=7)),
        limit("each", per=("key", "model"), budget=FIVE),
        limit("speed", rate=(Rate(1, "req", "s"),)),
    ]
    facts: dict[str, Any] = {"org.id": "acme", "key.id": "k1", "key.limit": 1}
    assert budgets(limits, facts.get, unix_ns=NOW, model="m") == (
        (BudgetKey("spending-limit", OWN, "2026-11"), 100_000_000),
        (BudgetKey("team", (("org", "acme"),), "2026-11"), 500_000_000),
        (BudgetKey("mine", OWN, "2026-11-21"), 7),
        (BudgetKey("each", (*OWN, ("model", "m")), "2026-11"), 500_000_000),
    )
    without = budgets(limits, facts.get, unix_ns=NOW)
    assert "each" not in [key.limit for key, _ in without], "an intent is no model"


@pytest.mark.parametrize(
    ("per", "at", "period"),
    [
        ("month", 0, "1970-01"),
        ("day", 24 * HOUR - 1, "1970-01-01"),
        ("day", 24 * HOUR, "1970-01-02"),
        ("day", NOW + 2 * HOUR, "2026-11-22"),
        ("month", 951_782_400_000_000_000 + 24 * HOUR - 1, "2000-02"),
        ("month", 951_782_400_000_000_000 + 24 * HOUR, "2000-03"),
    ],
)
def test_a_period_is_the_calendars_in_utc(per: Any, at: int, period: str) -> None:
    assert period_of(per, at) == period


def test_a_budget_by_a_fact_that_nobody_knows_is_none() -> None:
    mine = limit(budget=Budget(per="month", fact="org.spend"))
    assert budgets([mine], ADA.get, unix_ns=NOW) == ()
    for unknown in ("12", True, Decimal("NaN"), frozenset({"1"})):
        assert amount_of(Budget(per="day", fact="f"), {"f": unknown}.get) is None
    assert amount_of(Budget(per="day", fact="f"), {"f": Decimal("0.000000019")}.get) == 1


def test_a_limit_that_observes_counts_and_has_no_amount() -> None:
    watched = limit(budget=FIVE, at_once=3, over="observe")
    ((key, amount),) = budgets([watched], ADA.get, unix_ns=NOW)
    assert (key.period, amount) == ("2026-11", None)
    assert slots([watched], ADA.get) == ((BudgetKey("l", (("user", "ada"),), "now"), None),)


def test_slots_count_what_is_open_now() -> None:
    two = [limit("few", at_once=2), limit("many", per=("org",), at_once=9), limit(budget=FIVE)]
    assert slots(two, ADA.get) == ((BudgetKey("few", (("user", "ada"),), "now"), 2),)


def test_a_limit_applies_where_its_condition_holds_and_its_subject_is_known() -> None:
    images = limit(budget=FIVE, at_once=1, when=(Line("req.kind", "equal", ("image",)),))
    assert budgets([images], ADA.get, unix_ns=NOW) == ()
    assert slots([images], ADA.get) == ()
    assert budgets([images], {**ADA, "req.kind": "image"}.get, unix_ns=NOW)
    assert budgets([limit(budget=FIVE)], {"key.id": "k"}.get, unix_ns=NOW) == ()


def test_what_attempts_count_in_is_not_the_requests() -> None:
    upstream = [
        limit(per=("provider",), budget=FIVE, at_once=1),
        limit(per=("user", "model"), budget=FIVE, over="next"),
    ]
    assert budgets(upstream, ADA.get, unix_ns=NOW, model="m") == ()
    assert slots(upstream, ADA.get, model="m") == ()


# --- the wallet ------------------------------------------------------------------------------------
DEFAULT = Purse("user:ada", floor=5)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], DEFAULT),
        ([{"floor": 200, "hold": "none"}], Purse("user:ada", 200)),
        ([{"floor": 200}], Purse("user:ada")),
        ([{"floor": 200, "hold": "estimate"}], Purse("user:ada")),
        ([{"floor": 200, "hold": "none"}, {"floor": 300, "hold": "none"}], Purse("user:ada", 300)),
        ([{"floor": 900, "hold": "none"}, {"floor": 1}], Purse("user:ada")),
        ([{"floor": 200, "hold": "none", "over": "observe"}], DEFAULT),
        ([{"floor": 200, "hold": "none", "when": (Line("req.kind", "equal", ("gpu",)),)}], DEFAULT),
        ([{"floor": 200, "hold": "none", "per": ("org",)}], DEFAULT),
        ([{"over": "observe", "floor": 9}, {"floor": 7, "hold": "none"}], Purse("user:ada", 7)),
        ([{"floor": 0, "hold": "none"}], Purse("user:ada", 0)),
    ],
)
def test_the_strictest_floor_that_applies_decides_how_the_wallet_is_asked(
    said: list[dict[str, Any]], expected: Purse
) -> None:
    assert purse([limit(**one) for one in said], ADA.get, default=DEFAULT) == expected


def test_where_no_wallet_pays_a_floor_asks_for_one() -> None:
    assert purse([], ADA.get, default=None) is None
    mine = limit(per=("org",), floor=7, hold="none")
    assert purse([mine], {"org.id": "acme"}.get, default=None) == Purse("org:acme", 7)


# --- who refused, and how much is used ---------------------------------------------------------------
def test_a_key_is_disabled_by_the_limit_that_says_so_or_by_its_own() -> None:
    limits = [limit("trap", over="disable"), limit("mild")]
    assert disables(limits, "trap", own=False)
    assert not disables(limits, "mild", own=True)
    assert not disables(limits, "", own=True), "no limit refused"
    assert disables(limits, "spending-limit", own=True)
    assert not disables(limits, "spending-limit", own=False)


def test_a_slot_is_worth_waiting_for_and_a_budget_is_not() -> None:
    few = limit("few", at_once=1, budget=FIVE, over="wait", wait_ns=7)
    ada = (("user", "ada"),)
    assert patience([few], BudgetKey("few", ada, "now")) == 7
    assert patience([few], BudgetKey("few", ada, "2026-11")) == 0
    assert patience([few], BudgetKey("gone", ada, "now")) == 0


def test_what_is_used_is_an_exact_share_with_open_holds() -> None:
    limits = [limit("own", per=("key",), budget=Budget(per="month", amount=10), over="observe")]
    limits.append(limit("another", budget=FIVE, at_once=2))
    (one,) = wanted(limits, ADA.get, ("own", "none"), unix_ns=NOW)
    both = wanted(limits, ADA.get, ("another",), unix_ns=NOW)
    assert [each.key.period for each in both] == ["2026-11", "now"]
    assert share(both[1], Spend(0, 1)) == Decimal("0.5")
    assert share(one, Spend(settled=5, held=4)) == Decimal("0.9")
    assert share(one, Spend(20, 0)) == 2
    assert share(one, None) == 0
    nothing = [limit("own", budget=Budget(per="month", amount=0))]
    assert share(wanted(nothing, ADA.get, ("own",), unix_ns=NOW)[0], None) == 1


def test_money_of_a_table_is_whole_microcredits() -> None:
    table = Router.loads("""
hyperroute: 1
providers: {p: {plugin: openai, keys: [{key: "env:A", limits: {budget: 5 usd / day}}]}}
models: {m: {kind: chat, offers: [{at: p}]}}
limits:
  money: {per: key, budget: 50 credit / month, over: disable}
  fact: {per: key, budget: key.limit / day}
  patient: {per: user, rate: 5 req / min, over: wait 1.5s}
  wallet: {per: org, floor: 0.00000001 usd, hold: none}
""").table
    said = {one.name: one for one in table.limits}
    assert said["money"].budget == Budget(per="month", amount=50_000_000)
    assert said["fact"].budget == Budget(per="day", fact="key.limit")
    assert said["wallet"].floor == 1
    assert (said["patient"].over, said["patient"].wait_ns) == ("wait", 1_500_000_000)
    (key,) = table.providers["p"].keys or ()
    assert key.limits is not None
    assert key.limits.budget == Budget(per="day", amount=500_000_000)
