"""Merging policies only tightens, in any order (tables.md, Merging policies)."""

from dataclasses import fields, replace
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.catalog.card import Breaker, OpenByShare, OpenInRow, Timeouts
from hyperroute.catalog.condition import Line
from hyperroute.routing.policies import meet, merge, tighter
from hyperroute.routing.table import ATTEMPTS_CEILING, Cap, Policy, Retry, RetryBudget, Rules

quick = settings(max_examples=50)
COUNT = st.none() | st.integers(0, 9)
MONEY = st.none() | st.decimals(0, 9, places=2)
TIMEOUTS = st.builds(Timeouts, **{field.name: COUNT for field in fields(Timeouts)})
OPEN = st.lists(
    st.builds(OpenInRow, st.integers(1, 3))
    | st.builds(OpenByShare, st.integers(1, 99), st.integers(1, 3), st.integers(1, 3)),
    unique=True,
    max_size=3,
).map(lambda lines: tuple(sorted(lines, key=repr)))
LINES = st.lists(
    st.builds(
        Line, st.sampled_from(("region", "vendor")), st.just("equal"), st.just(("eu",)), st.just("")
    ),
    unique=True,
    max_size=2,
).map(lambda lines: tuple(sorted(lines, key=repr)))
ERRORS = st.dictionaries(
    st.sampled_from(list(FailureClass)[:4]),
    st.tuples(st.sampled_from(Reaction), st.none() | st.integers(1, 3)),
    max_size=3,
)
POLICIES = st.builds(
    Policy,
    name=st.sampled_from(("base", "chat", "eu", "scope")),
    when=LINES,
    require=LINES,
    cap=st.builds(Cap, attempts=COUNT, time_ns=COUNT, cost=MONEY, input=COUNT, output=COUNT),
    timeout=TIMEOUTS,
    retry=st.builds(
        Retry,
        per_offer=COUNT,
        rotate=COUNT,
        base_ns=COUNT,
        factor=MONEY,
        max_ns=COUNT,
        jitter=st.sampled_from((None, "full", "none")),
        budget=st.none() | st.builds(RetryBudget, *[st.integers(0, 9)] * 3),
    ),
    errors=ERRORS,
    breaker=st.none()
    | st.builds(Breaker, open=OPEN, cool_ns=st.integers(0, 9), cool_max_ns=st.integers(0, 9)),
    commit=st.sampled_from((None, "first_content", "first_byte")),
    hold_bytes=COUNT,
    lossy=st.sampled_from((None, "report", "refuse")),
)
NAMED = st.lists(POLICIES, max_size=4, unique_by=lambda one: one.name)


@given(POLICIES, POLICIES, POLICIES)
@quick
def test_meeting_is_commutative_associative_and_idempotent(a, b, c):
    assert meet(a, b) == meet(b, a)
    assert meet(meet(a, b), c) == meet(a, meet(b, c))
    assert meet(a, a) == a
    nothing = Policy(name="")
    assert meet(a, nothing) == a


@given(NAMED, st.randoms(use_true_random=False))
@quick
def test_merging_reads_a_set_of_policies(policies, dice):
    shuffled = policies + policies[:1]
    dice.shuffle(shuffled)
    assert merge(shuffled) == merge(policies)


@given(NAMED, POLICIES)
@quick
def test_another_policy_only_tightens(policies, more):
    one = replace(more, name="another")
    before, after = merge(policies), merge([*policies, one])
    said = merge([one])
    assert set(before.require) <= set(after.require)
    for name in ("time_ns", "cost", "input", "output", "per_offer", "rotate", "max_ns"):
        values = [
            value
            for value in (_said(policies, before, name), _said([one], said, name))
            if value is not None
        ]
        assert getattr(after, name) == (min(values) if values else getattr(Rules(), name))
    assert after.attempts <= ATTEMPTS_CEILING
    order = list(Reaction)
    for kind, (reaction, _) in before.errors.items():
        assert order.index(after.errors[kind][0]) <= order.index(reaction)


def _said(policies: Any, rules: Any, name: str) -> Any:
    """A merged number, or nothing where no policy says it and the language's default stands."""
    places = {"time_ns": "cap", "cost": "cap", "input": "cap", "output": "cap"}
    place = places.get(name, "retry")
    if all(getattr(getattr(one, place), name) is None for one in policies):
        return None
    return getattr(rules, name)


@given(st.lists(TIMEOUTS, max_size=3))
def test_the_smallest_of_every_time_limit_counts(limits):
    merged = tighter(None, *limits)
    for field in fields(Timeouts):
        said = [getattr(one, field.name) for one in limits if getattr(one, field.name) is not None]
        assert getattr(merged, field.name) == min(said, default=None)


@given(st.lists(st.builds(RetryBudget, *[st.integers(0, 9)] * 3), min_size=1, max_size=3))
def test_the_smallest_budget_of_retries_counts_and_the_slowest_refill(budgets):
    merged = merge([Policy(name=f"p{at}", retry=Retry(budget=b)) for at, b in enumerate(budgets)])
    assert merged.budget == RetryBudget(
        percent=min(one.percent for one in budgets),
        floor=min(one.floor for one in budgets),
        floor_ns=max(one.floor_ns for one in budgets),
    )


def test_of_two_reactions_the_stricter_counts_whichever_comes_first():
    said = [(reaction, count) for reaction in Reaction for count in (None, 0, 1, 2)]
    for one, other in product(said, said):
        first, second = (
            Policy(name="", errors={FailureClass.SERVER_ERROR: it}) for it in (one, other)
        )
        (reaction, count) = meet(first, second).errors[FailureClass.SERVER_ERROR]
        assert meet(second, first).errors == {FailureClass.SERVER_ERROR: (reaction, count)}
        assert (reaction, count) in {one, other}
        tries = [1 if n is None else n for r, n in (one, other) if r is reaction]
        assert (1 if count is None else count) == min(tries)


def test_what_no_policy_says_has_the_default_of_the_language():
    assert merge([]) == Rules()
    assert merge([]).base_said is False
    assert merge([Policy(name="base", retry=Retry(base_ns=1))]).base_said is True


def test_the_larger_wins_where_a_larger_number_is_the_stricter_one():
    slow = Policy(name="slow", retry=Retry(base_ns=9, factor=None))
    fast = Policy(name="fast", retry=Retry(base_ns=1))
    assert merge([slow, fast]).base_ns == 9


def test_the_ceiling_of_attempts_holds_whatever_a_policy_says():
    assert merge([Policy(name="many", cap=Cap(attempts=50))]).attempts == ATTEMPTS_CEILING
