"""Which limits apply, and what is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from hyperroute.canon.mutation import Charge, Correct, Pace
from hyperroute.canon.units import DAY, MINUTE, SECOND
from hyperroute.canon.usage import Usage
from hyperroute.catalog.card import Rate
from hyperroute.catalog.condition import Line
from hyperroute.client import Router
from hyperroute.routing.limiting import (
    UNLIMITED,
    Verdict,
    charges,
    estimated,
    granted,
    pace,
    patience,
    refusing,
    shares,
    unenforced,
    used,
)
from hyperroute.routing.table import Limit
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.handmade import request

ADA: dict[str, Any] = {"user.id": "ada", "key.id": "k1"}
NOBODY: dict[str, Any] = {}


def limit(name: str = "speed", *, per: tuple[str, ...] = ("user",), **said: Any) -> Limit:
    return Limit(name=name, per=per, **{"rate": (Rate(2, "req", "min"),), **said})


@dataclass
class Desk:
    """A store on a clock that stands still unless it is moved."""

    limits: list[Limit]
    now: int = 0

    def __post_init__(self) -> None:
        self.store = MemoryStore(now=lambda: self.now)

    def ask(
        self, facts: dict[str, Any] = ADA, *, model: str | None = None, **costs: int
    ) -> Verdict:
        demands = charges(self.limits, facts.get, {"req": 1, **costs}, model=model)
        return granted(demands, self.store.commit([demand.mutation for demand in demands]))


def test_a_user_is_refused_beyond_the_rate_and_told_when_to_come_back() -> None:
    desk = Desk([limit()])
    assert desk.ask().headers(0) == (
        ("X-RateLimit-Limit", "2"),
        ("X-RateLimit-Remaining", "1"),
        ("X-RateLimit-Reset", "30"),
    )
    assert desk.ask().left == 0
    refused = desk.ask()
    assert not refused.allowed
    assert (refused.limit, refused.rate) == ("speed", Rate(2, "req", "min"))
    assert refused.headers(5 * SECOND + 1) == (
        ("X-RateLimit-Limit", "2"),
        ("X-RateLimit-Remaining", "0"),
        ("X-RateLimit-Reset", "66"),
        ("Retry-After", "30"),
    )
    desk.now += 30 * SECOND
    assert desk.ask().allowed


def test_another_user_has_a_quota_of_its_own() -> None:
    desk = Desk([limit(rate=(Rate(1, "req", "min"),))])
    assert desk.ask().allowed
    assert not desk.ask().allowed
    assert desk.ask({"user.id": "bob"}).allowed


def test_the_subject_of_an_organisations_key_is_the_organisation() -> None:
    desk = Desk([limit(rate=(Rate(1, "req", "min"),))])
    assert desk.ask({"org.id": "acme", "key.id": "k1"}).allowed
    assert not desk.ask({"org.id": "acme", "key.id": "k2"}).allowed
    assert desk.ask({"user.id": "acme"}).allowed, "a user of that name is somebody else"


def test_nobody_that_is_known_is_limited_by_nothing() -> None:
    assert charges([limit(), limit(per=("org",))], NOBODY.get, {"req": 1}) == ()
    assert Desk([]).ask() is UNLIMITED
    assert UNLIMITED.headers(0) == ()


def test_a_limit_per_user_and_model_counts_each_pair() -> None:
    desk = Desk([limit(per=("user", "model"), rate=(Rate(1, "req", "min"),))])
    assert desk.ask(model="m1").allowed
    assert desk.ask(model="m2").allowed
    assert not desk.ask(model="m1").allowed
    assert desk.ask() is UNLIMITED, "an intent is no model"


def test_all_limits_are_charged_or_none_and_the_longest_wait_is_told() -> None:
    short = limit("short", rate=(Rate(1, "req", "s"),))
    long = limit("long", per=("key",), rate=(Rate(2, "req", "h"),))
    desk = Desk([short, long])
    assert desk.ask().limit == "short", "the least that is left"
    assert desk.ask().limit == "short", "the only one that refuses"
    desk.now += SECOND
    assert desk.ask().left == 0, "what was refused took nothing from the other"
    refused = desk.ask()
    assert refused.limit == "long"
    assert refused.wait_ns == 1_799 * SECOND


def test_tokens_refuse_in_their_own_unit_and_are_silent_otherwise() -> None:
    desk = Desk([limit(rate=(Rate(100, "tok", "min"),))])
    assert desk.ask(tok=70) is UNLIMITED
    refused = desk.ask(tok=40)
    assert (refused.amount, refused.left, refused.wait_ns) == (100, 30, 6 * SECOND)
    assert desk.ask(tok=30).allowed


def test_what_is_larger_than_the_burst_never_passes_and_no_wait_is_told() -> None:
    refused = Desk([limit(rate=(Rate(100, "tok", "min"),))]).ask(tok=101)
    assert not refused.allowed
    assert refused.wait_ns is None
    assert [name for name, _ in refused.headers(0)][-1] == "X-RateLimit-Reset"


def test_never_is_a_longer_wait_than_any() -> None:
    desk = Desk([limit(rate=(Rate(1, "req", "h"),)), limit("size", rate=(Rate(9, "tok", "s"),))])
    assert desk.ask().allowed
    assert desk.ask(tok=10).limit == "size"


def test_polls_have_a_bucket_of_their_own() -> None:
    limits = [limit(rate=(Rate(1, "poll", "min"), Rate(1, "req", "min")))]
    (poll,) = charges(limits, ADA.get, {"poll": 1})
    (request,) = charges(limits, ADA.get, {"req": 1})
    assert poll.mutation.key != request.mutation.key


def test_an_observing_limit_counts_and_refuses_nobody() -> None:
    (demand,) = charges([limit(over="observe")], ADA.get, {"req": 1})
    assert isinstance(demand.mutation, Correct)
    desk = Desk([limit(over="observe")])
    assert all(desk.ask() is UNLIMITED for _ in range(5))


def test_a_limit_applies_where_its_condition_holds() -> None:
    desk = Desk(
        [limit(when=(Line("req.kind", "equal", ("image",)),), rate=(Rate(1, "req", "min"),))]
    )
    assert desk.ask() is UNLIMITED
    assert desk.ask({**ADA, "req.kind": "image"}).limit == "speed"


def test_two_rates_of_one_meter_are_two_counters() -> None:
    limits = [limit(rate=(Rate(1, "req", "min"), Rate(9, "req", "min", burst=3)))]
    first, second = (demand.mutation for demand in charges(limits, ADA.get, {"req": 1}))
    assert isinstance(first, Charge)
    assert [first.key.meter, second.key.meter] == ["req/min", "req/min#2"]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (Rate(300, "req", "min", 50), Pace(300, MINUTE, 50)),
        (Rate(300, "req", "min"), Pace(300, MINUTE, 300)),
        (Rate(7, "req", "month"), Pace(7, 30 * DAY, 7)),
    ],
)
def test_a_rate_without_burst_may_be_spent_at_once(rate: Rate, expected: Pace) -> None:
    assert pace(rate) == expected


def test_four_workers_have_a_quarter_each() -> None:
    assert pace(Rate(300, "req", "min", 50), workers=4) == Pace(300, 4 * MINUTE, 12)
    assert pace(Rate(3, "req", "min"), workers=4) == Pace(3, 4 * MINUTE, 1)


def test_what_is_not_kept_as_it_is_said_is_told_by_name() -> None:
    text = """
hyperroute: 1
providers: {p: {plugin: openai, keys: [{key: "env:A", limits: {budget: 5 usd / day}}], limits: {at_once: 3, budget: 5 usd / day}}}
models: {m: {kind: chat, offers: [{at: p, limits: {rate: 5 req / s, budget: 5 usd / day}}]}}
limits:
  kept: {per: user, rate: 5 req / min}
  few: {per: user, at_once: 3}
  money: {per: key, budget: 5 usd / month, warn: [80%]}
  host: {per: [user, provider], rate: 5 req / min, budget: 5 usd / day}
  patient: {per: user, rate: 5 req / min, over: wait 5s}
  wallet: {per: user, floor: 2 usd, hold: estimate}
  purse: {per: org, floor: 2 usd, hold: none}
  kept-host: {per: provider, budget: 5 usd / day}
  rated-host: {per: [user, provider], rate: 5 req / s}
"""
    table = Router.loads(text).table
    kept = (
        "the budget of limit 'host' is counted anew at every start",
        "limit 'money': warn not enforced yet",
        "limit 'wallet': the worst case is held, and no estimate",
    )
    assert unenforced(table, money=True) == kept
    without = (
        "limit 'few': at_once not enforced without a state",
        "limit 'money': budget not enforced without a state",
        "limit 'wallet': floor not enforced without a state",
        "limit 'purse': floor not enforced without a state",
        "the budget of limit 'kept-host' is counted anew at every start",
        "the budget of provider 'p' is counted anew at every start without a state",
        "the budget of credential 'p#0' is counted anew at every start without a state",
        "the budget of offer 'm@p' is counted anew at every start without a state",
    )
    assert {told for told in unenforced(table) if told not in kept} == set(without)


def test_a_request_is_held_as_long_as_every_limit_that_refuses_it_would_wait() -> None:
    limits = [
        limit("a", over="wait", wait_ns=5),
        limit("b", over="wait", wait_ns=3),
        limit("c"),
    ]
    assert patience(limits, frozenset({"a"})) == 5
    assert patience(limits, frozenset({"a", "b"})) == 3
    assert patience(limits, frozenset({"a", "b", "c"})) == 0
    assert patience(limits, frozenset()) == 0


def test_what_is_used_of_a_rate_is_a_share_of_what_may_come_at_once() -> None:
    desk = Desk([limit(rate=(Rate(4, "req", "min"), Rate(100, "tok", "min")))])
    shares_told = []
    for _ in range(4):
        demands = charges(desk.limits, ADA.get, {"req": 1, "tok": 10})
        commit = desk.store.commit([demand.mutation for demand in demands])
        shares_told.append(shares(demands, commit)["speed"])
    assert shares_told == [0, Decimal("0.25"), Decimal("0.5"), Decimal("0.75")]


def test_what_is_made_is_charged_by_how_much_was_asked_for_and_corrected() -> None:
    asked = request("m", kind="image", parameters={"n": 3})
    estimate = estimated(asked, 0)
    assert estimate == {"req": 1, "tok": 1, "image": 3}
    assert used(estimate, Usage(images=2))["image"] == 2
    assert used(estimate, Usage())["image"] == 3
    spoken = estimated(request("m", kind="audio"), 7)
    assert spoken == {"req": 1, "tok": 7, "second": 1}
    assert used(spoken, Usage(made_ms=2_001))["second"] == 3
    assert used(spoken, Usage(input_tokens=0))["tok"] == 0
    assert used(spoken, Usage())["second"] == 1
    assert used({"req": 1, "tok": 1}, Usage(images=2, made_ms=5)) == {"req": 1, "tok": 1}


def test_what_attempts_count_in_is_not_charged_at_the_door() -> None:
    both = [
        limit(per=("user", "model"), over="next"),
        limit(per=("user", "provider")),
        limit("few", at_once=2, rate=()),
    ]
    assert charges(both, ADA.get, {"req": 1}, model="m") == ()


def test_those_that_refuse_are_named_and_no_others() -> None:
    desk = Desk([limit("a", rate=(Rate(1, "req", "min"),)), limit("b")])
    for names in (frozenset[str](), frozenset({"a"})):
        demands = charges(desk.limits, ADA.get, {"req": 1})
        commit = desk.store.commit([demand.mutation for demand in demands])
        assert refusing(demands, commit) == names
        assert commit.done == (not names)
