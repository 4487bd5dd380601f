"""What no interleaving of attempts gets past the limits of accounts, nor leaves behind in them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.money import BudgetKey
from hyperroute.canon.mutation import Pace, RateKey
from hyperroute.canon.units import SECOND
from hyperroute.routing.quotas import RateToll, SlotToll, SpendToll, Toll, Used
from hyperroute.runtime.quotas import Quotas

DAY_NS = 100 * SECOND
"""A short one, so that periods end within an example."""
RATE = Pace(amount=4, period_ns=SECOND, burst=3)
SLOTS, MONEY = 2, 100
SUBJECTS = ("p", "q")


def rate(name: str, units: int) -> RateToll:
    key = RateKey("its own", "tok/s", (("provider", name),))
    place = f"provider:{name}"
    return RateToll(place=place, barrier="limit", key=key, pace=RATE, unit="tok", units=units)


def slot(name: str) -> SlotToll:
    key = BudgetKey("its own", (("credential", name),), "now")
    return SlotToll(place=f"credential:{name}", barrier="credential_limit", key=key, most=SLOTS)


def spend(name: str, amount: int | None, now: int) -> SpendToll:
    day = now // DAY_NS
    return SpendToll(
        place=f"provider:{name}",
        barrier="limit",
        key=BudgetKey("its own", (("provider", name),), str(day)),
        most=MONEY,
        amount=amount,
        ends_at=(day + 1) * DAY_NS,
    )


moves = st.lists(
    st.one_of(
        st.tuples(
            st.just("take"),
            st.sampled_from(SUBJECTS),
            st.sampled_from(SUBJECTS),
            st.integers(1, 3),
            st.sampled_from([0, 30, 50, 100, 101, None]),
        ),
        st.tuples(
            st.just("settle"),
            st.integers(0, 5),
            st.one_of(st.none(), st.tuples(st.integers(0, 6), st.sampled_from([None, 0, 20, 60]))),
        ),
        st.tuples(st.just("wait"), st.sampled_from([0, SECOND // 4, SECOND, DAY_NS])),
    ),
    max_size=50,
)


@dataclass
class Counting:
    """Attempts at two accounts with two keys, and what they were told."""

    observed: bool = False
    now: int = 0
    quotas: Quotas = field(default_factory=Quotas)
    flying: list[tuple[Toll, ...]] = field(default_factory=list)
    settled: dict[BudgetKey, int] = field(default_factory=dict)
    charged: list[tuple[int, str, int]] = field(default_factory=list)

    def play(self, move: str, *said: Any) -> None:
        getattr(self, move)(*said)
        self.slots_and_money_are_within_their_limits()

    def take(self, account: str, key: str, units: int, amount: int | None) -> None:
        tolls: tuple[Toll, ...] = (
            rate(account, units),
            slot(key),
            spend(account, amount, self.now),
        )
        if self.observed:
            tolls = tuple(unlimited(toll) for toll in tolls)
        before = deepcopy(self.counters())
        full = self.quotas.take(tolls, self.now)
        if full is None:
            self.flying.append(tolls)
            self.charged.append((self.now, account, units))
        else:
            assert not self.observed, "a limit that observes refuses nobody"
            assert self.counters() == before, "what is refused takes nothing"

    def counters(self) -> dict[str, Any]:
        return {name: vars(self.quotas)[name] for name in ("_rates", "_open", "_spent")}

    def settle(self, which: int, used: tuple[int, int | None] | None) -> None:
        if which < len(self.flying):
            tolls = self.flying.pop(which)
            told = None if used is None else Used(units={"tok": used[0]}, cost=used[1])
            self.quotas.settle(tolls, told, self.now)
            money = tolls[2]
            assert isinstance(money, SpendToll)
            cost = 0 if used is None else (money.amount or 0) if used[1] is None else used[1]
            self.settled[money.key] = self.settled.get(money.key, 0) + cost

    def wait(self, by: int) -> None:
        self.now += by

    def slots_and_money_are_within_their_limits(self) -> None:
        kept = self.counters()
        for name in SUBJECTS:
            taken = sum(one.key == slot(name).key for tolls in self.flying for one in tolls)
            assert kept["_open"].get(slot(name).key, 0) == taken
            assert self.observed or taken <= SLOTS
        for key, (spent, _) in kept["_spent"].items():
            held = sum(
                one.amount or 0
                for tolls in self.flying
                for one in tolls
                if isinstance(one, SpendToll) and one.key == key
            )
            assert spent.held == held
            assert spent.settled == self.settled.get(key, 0)


def unlimited(toll: Toll) -> Toll:
    return replace(toll, observed=True) if isinstance(toll, RateToll) else replace(toll, most=None)


@given(moves)
def test_slots_never_exceed_and_always_return_and_a_refused_attempt_takes_nothing(
    moves: list[tuple[Any, ...]],
) -> None:
    counting = Counting()
    for move in moves:
        counting.play(*move)
    while counting.flying:
        counting.play("settle", 0, None)
    assert counting.counters()["_open"] == {}


@given(moves)
def test_a_limit_that_observes_counts_and_never_refuses(moves: list[tuple[Any, ...]]) -> None:
    counting = Counting(observed=True)
    for move in moves:
        counting.play(*move)
    assert not counting.quotas.full(counting.now)


@given(moves)
def test_invariant_36_what_attempts_spend_and_hold_is_within_the_budget_of_an_account(
    moves: list[tuple[Any, ...]],
) -> None:
    """As long as nobody is charged beyond the worst case, which a provider may do and no budget can."""
    counting = Counting()
    for move in moves:
        if move[0] == "settle" and move[1] < len(counting.flying) and move[2] is not None:
            money = counting.flying[move[1]][2]
            assert isinstance(money, SpendToll)
            tokens, cost = move[2]
            move = (*move[:2], (tokens, None if cost is None else min(cost, money.amount or 0)))  # noqa: PLW2901
        counting.play(*move)
        for spent, _ in counting.counters()["_spent"].values():
            assert spent.settled + spent.held <= MONEY


@given(moves)
def test_invariant_45_attempts_at_an_account_keep_its_rate_over_any_window(
    moves: list[tuple[Any, ...]],
) -> None:
    counting = Counting()
    for move in moves:
        if move[0] == "settle":
            move = (*move[:2], (0, 0) if move[2] is None else (9, 0))  # noqa: PLW2901
            if move[2] == (0, 0):
                continue  # what is given back makes room, which is what it is for
        counting.play(*move)
    for name in SUBJECTS:
        passed = [(at, units) for at, account, units in counting.charged if account == name]
        for first in range(len(passed)):
            total = 0
            for at, units in passed[first:]:
                total += units
                window = at - passed[first][0]
                assert total <= RATE.burst + Fraction(window * RATE.amount, RATE.period_ns)


@given(moves)
def test_what_is_told_to_be_full_is_refused_and_has_an_end(moves: list[tuple[Any, ...]]) -> None:
    counting = Counting()
    for move in moves:
        counting.play(*move)
        full = counting.quotas.full(counting.now)
        assert all(until > counting.now for until in full.values())
        for name in SUBJECTS:
            least: tuple[Toll, ...] = (rate(name, 1), spend(name, 1, counting.now))
            for place, asked in (
                (f"provider:{name}", least),
                (f"credential:{name}", (slot(name),)),
            ):
                told = counting.quotas.take(asked, counting.now)
                if told is None:
                    counting.quotas.settle(asked, None, counting.now)
                assert (place not in full) or told is not None
