"""Waits: bounded, hinted, and the same in every replay."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.routing.backoff import drawn, envelope_ns, wait_ns
from hyperroute.routing.table import Rules

FAULT = FailureClass.SERVER_ERROR
FROM = (0, "r", 1)
kinds = st.sampled_from(FailureClass)
seeds = st.tuples(st.integers(0, 2**64), st.text(max_size=5), st.integers(1, 8))


@given(
    st.builds(
        Rules,
        base_ns=st.integers(1, 10 * SECOND),
        factor=st.decimals("0.5", 10, places=2),
        max_ns=st.integers(1, 100 * SECOND),
    ),
    kinds,
    seeds,
    st.integers(0, 7),
)
def test_invariant_18_a_wait_without_a_hint_stays_within_its_envelope(rules, kind, seed, repeat):
    wait = wait_ns(rules, kind, hint_ns=None, repeat=repeat, draw_from=seed)
    assert 0 <= wait <= envelope_ns(rules, kind, repeat) <= rules.max_ns


@given(kinds, st.decimals("0.1", 10, places=2), st.integers(0, 20))
def test_invariant_18_the_envelope_never_falls(kind, factor, repeat):
    rules = Rules(factor=factor)
    assert envelope_ns(rules, kind, repeat) <= envelope_ns(rules, kind, repeat + 1)


@given(kinds, seeds, st.integers(-(10**12), 10**15))
def test_invariant_18_a_hint_is_clamped_and_lengthened_by_a_tenth_at_most(kind, seed, hint):
    wait = wait_ns(Rules(), kind, hint_ns=hint, repeat=0, draw_from=seed)
    clamped = min(max(hint, 0), 600 * SECOND)
    assert clamped <= wait <= clamped + min(SECOND, clamped // 10)


def test_the_first_wait_is_half_a_second_at_most_and_doubles():
    assert [envelope_ns(Rules(), FAULT, k) // MILLISECOND for k in range(6)] == [
        500, 1000, 2000, 4000, 8000, 8000
    ]  # fmt: skip


def test_a_rate_limit_starts_from_a_second_unless_a_policy_names_the_base():
    assert envelope_ns(Rules(), FailureClass.RATE_LIMITED, 0) == SECOND
    said = Rules(base_said=True, base_ns=SECOND // 4)
    assert envelope_ns(said, FailureClass.RATE_LIMITED, 0) == SECOND // 4


def test_without_jitter_a_wait_is_its_envelope_and_a_hint_is_taken_as_it_is():
    rules = Rules(jitter="none", factor=Decimal(3))
    assert wait_ns(rules, FAULT, hint_ns=None, repeat=1, draw_from=FROM) == 1500 * MILLISECOND
    assert wait_ns(rules, FAULT, hint_ns=9 * SECOND, repeat=1, draw_from=FROM) == 9 * SECOND


@given(seeds, st.integers(0, 2**40))
def test_a_draw_is_within_its_bounds_and_repeats(seed, most):
    assert 0 <= drawn(*seed, most=most) <= most
    assert drawn(*seed, most=most) == drawn(*seed, most=most)


def test_draws_are_the_same_on_every_machine_and_reach_both_ends():
    assert drawn(7, "run-1", 2, most=1_000_000) == 702204
    assert {drawn(0, "r", number, most=3) for number in range(64)} == {0, 1, 2, 3}


@pytest.mark.parametrize("other", [(2, "r", 1), (1, "s", 1), (1, "r", 2)])
def test_seed_request_and_attempt_each_change_the_draw(other):
    assert drawn(1, "r", 1, most=2**60) != drawn(*other, most=2**60)


def test_a_factor_of_one_waits_the_same_each_time_and_half_more_is_half_more():
    even, half = Rules(factor=Decimal(1)), Rules(factor=Decimal("1.5"))
    assert {envelope_ns(even, FAULT, repeat) for repeat in range(4)} == {even.base_ns}
    assert envelope_ns(half, FAULT, 1) == half.base_ns * 3 // 2


def test_a_hint_is_lengthened_by_up_to_a_tenth_and_not_by_less():
    waits = [
        wait_ns(Rules(), FAULT, hint_ns=1_000, repeat=0, draw_from=(seed, "r", 1))
        for seed in range(2_000)
    ]
    assert (min(waits), max(waits)) == (1_000, 1_100)
