"""The budgets and slots of a table under any requests (invariants 36 and 46)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.money import BudgetKey, End, Held, HoldKey, Reserve, Short, Spend
from hyperroute.catalog.card import Budget
from hyperroute.ledger.book import book
from hyperroute.routing.budgets import budgets, slots
from hyperroute.routing.table import Limit
from hyperroute.stores.memory import MemoryStore

DAY = 86_400_000_000_000
USD = 100_000_000
LIMITS = (
    Limit(name="own", per=("key",), budget=Budget(per="day", amount=300)),
    Limit(name="each", per=("user", "model"), budget=Budget(per="month", amount=500), at_once=2),
    Limit(name="all", per=("model",), budget=Budget(per="day", amount=700), at_once=3),
    Limit(name="watch", per=("user",), budget=Budget(per="day", amount=1), at_once=1, over="observe"),
)  # fmt: skip
amounts = st.sampled_from([0, 1, 99, 100, 150, 299, 300, 301])
callers = st.fixed_dictionaries(
    {"user.id": st.sampled_from("ab"), "key.id": st.sampled_from("kl")},
    optional={"key.limit": st.sampled_from([Decimal(0), Decimal(400) / USD])},
)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), callers, st.sampled_from([None, "m", "n"]), amounts),
        st.tuples(st.just("ask"), callers, st.sampled_from([None, "m", "n"]), amounts),
        st.tuples(st.just("end"), st.integers(0, 6), st.one_of(st.none(), amounts)),
        st.tuples(st.just("wait"), st.sampled_from([DAY // 2, DAY, 40 * DAY])),
    ),
    max_size=40,
)


@dataclass
class Payers:
    """Two users with two keys each, one of which may bring a budget along."""

    unix_ns: int = 0
    asked: int = 0
    open: dict[str, Reserve] = field(default_factory=dict)
    spent: dict[BudgetKey, int] = field(default_factory=dict)
    most: dict[BudgetKey, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = MemoryStore(now=lambda: self.unix_ns, book=book)

    def ask(self, facts: dict[str, Any], model: str | None, amount: int) -> bool:
        caps = budgets(LIMITS, facts.get, unix_ns=self.unix_ns, model=model)
        few = slots(LIMITS, facts.get, model=model)
        self.asked += 1
        hold = Reserve(HoldKey(f"h{self.asked}"), amount, caps, slots=few)
        before = self.counted()
        (told,) = self.store.commit([hold]).outcomes
        if isinstance(told, Held):
            self.open[hold.key.id] = hold
            self.most |= dict(caps) | dict(few)
            return True
        assert isinstance(told, Short)
        assert told.budget is not None
        assert told.budget.limit != "watch", "what observes refuses nobody"
        assert self.counted() == before, "on all levels, or on none"
        return False

    def end(self, which: int, charged: int | None) -> None:
        if which < len(self.open):
            hold = self.open.pop(list(self.open)[which])
            self.store.commit([End(hold.key, charged)])
            capped = any(limit is not None for _, limit in hold.budgets)
            price = charged or 0
            for key, _ in hold.budgets:
                paid = min(price, hold.amount) if capped or hold.purse is None else price
                self.spent[key] = self.spent.get(key, 0) + paid

    def wait(self, by: int) -> None:
        self.unix_ns += by

    def counted(self) -> list[object]:
        return list(self.store.read(list(self.most)))

    def check(self) -> None:
        for (key, most), state in zip(self.most.items(), self.counted(), strict=True):
            assert isinstance(state, Spend)
            if key.period == "now":
                taken = sum(key in dict(hold.slots) for hold in self.open.values())
                assert state == Spend(0, taken)
                assert most is None or taken <= most
            else:
                held = sum(h.amount for h in self.open.values() if key in dict(h.budgets))
                assert state == Spend(self.spent.get(key, 0), held)
                assert most is None or state.settled + state.held <= most


@given(moves)
def test_invariant_36_no_request_gets_past_a_budget_or_a_slot_on_any_level(
    moves: list[tuple[Any, ...]],
) -> None:
    payers = Payers()
    for move, *said in moves:
        getattr(payers, move)(*said)
        payers.check()
    while payers.open:
        payers.end(0, None)
    payers.check()


@given(st.lists(st.tuples(st.sampled_from("klm"), amounts), max_size=20))
def test_invariant_46_a_budget_of_a_user_is_the_same_over_any_split_among_its_keys(
    calls: list[tuple[str, int]],
) -> None:
    limits = [Limit(name="mine", per=("user",), budget=Budget(per="day", amount=700), at_once=4)]
    told: list[list[bool]] = []
    for one_key in (True, False):
        store = MemoryStore(now=lambda: 0, book=book)
        answers = []
        for number, (key, amount) in enumerate(calls):
            facts = {"user.id": "ada", "key.id": "k" if one_key else key}
            caps = budgets(limits, facts.get, unix_ns=0)
            hold = Reserve(HoldKey(f"h{number}"), amount, caps, slots=slots(limits, facts.get))
            answers.append(store.commit([hold]).done)
        told.append(answers)
    assert told[0] == told[1]
