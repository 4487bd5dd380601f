"""Breakers, cool-downs and retry budgets, by hand; what holds of all histories is in property/."""

from __future__ import annotations

from typing import Any

import pytest

from hyperroute.canon.failure import Cool, Failure, FailureClass
from hyperroute.canon.units import HOUR, MINUTE, SECOND
from hyperroute.catalog.card import Breaker, OpenByShare, OpenInRow
from hyperroute.routing import health
from hyperroute.routing.health import CLOSED, FULL, Circuit, cooled, settled, standing, verdict_of
from hyperroute.routing.table import RetryBudget


def after(circuit: Circuit, *verdicts: Any, now: int = 0, **more: Any) -> Circuit:
    for verdict in verdicts:
        circuit = settled(circuit, verdict, started_at=now, now=now, **more)
    return circuit


def opened(now: int = 0) -> Circuit:
    return after(CLOSED, *["bad"] * 5, now=now)


def test_five_failures_in_a_row_open_it_for_thirty_seconds_and_a_tenth_at_most():
    assert after(CLOSED, *["bad"] * 4).until is None
    until = opened().until
    assert until is not None
    assert 30 * SECOND <= until <= 33 * SECOND


def test_a_success_ends_the_row():
    assert after(CLOSED, "bad", "bad", "bad", "bad", "good", "bad").until is None


def test_half_failures_count_half():
    assert after(CLOSED, *["half"] * 9).until is None
    assert after(CLOSED, *["half"] * 10).until is not None


def test_half_of_twenty_outcomes_within_the_window_open_it():
    mixed: list[health.Verdict] = ["good", "bad"] * 10
    assert after(CLOSED, *mixed[:-1]).until is None
    assert after(CLOSED, *mixed).until is not None


def test_outcomes_older_than_the_window_are_forgotten():
    aged = after(CLOSED, *["good", "bad"] * 9)
    assert after(aged, "good", "bad", now=40 * SECOND).until is None


def test_neutral_ends_change_nothing():
    assert after(CLOSED, *["neutral"] * 50) is CLOSED


def test_faults_of_local_origin_are_counted_apart():
    local = after(CLOSED, *["bad"] * 4, local=True)
    assert after(local, *["bad"] * 4).until is None
    assert after(local, "bad", local=True).until is not None


def test_it_lets_one_probe_through_when_its_time_is_over_and_two_good_ones_close_it():
    circuit = opened()
    assert standing(circuit, 10 * SECOND) == "open"
    later = 40 * SECOND
    assert standing(circuit, later) == "half_open"
    probe = health.probing(circuit, later)
    assert standing(probe, later + 1) == "probing"
    once = settled(probe, "good", started_at=later, now=later + 1)
    assert standing(once, later + 2) == "half_open"
    twice = settled(health.probing(once, later + 2), "good", started_at=later + 2, now=later + 3)
    assert standing(twice, later + 3) == "closed"


def test_a_probe_that_fails_opens_it_for_longer():
    later = 40 * SECOND
    again = settled(health.probing(opened(), later), "bad", started_at=later, now=later)
    assert again.until is not None
    assert 60 * SECOND <= again.until - later <= 66 * SECOND


def test_a_probe_that_says_nothing_frees_the_way():
    later = 40 * SECOND
    freed = settled(health.probing(opened(), later), "neutral", started_at=later, now=later)
    assert standing(freed, later) == "half_open"


def test_a_lost_probe_blocks_for_ten_minutes_at_most():
    later = 40 * SECOND
    probe = health.probing(opened(), later)
    assert standing(probe, later + health.LEASE_NS_MAX) == "half_open"


def test_attempts_from_before_it_opened_say_nothing():
    circuit = opened(now=100 * SECOND)
    assert settled(circuit, "good", started_at=99 * SECOND, now=101 * SECOND) is circuit
    assert settled(circuit, "bad", started_at=99 * SECOND, now=101 * SECOND) is circuit


def test_a_last_resort_counts_as_a_probe_if_it_went_well_and_not_at_all_if_not():
    circuit = opened()
    assert settled(circuit, "bad", started_at=1, now=2) == circuit
    once = settled(circuit, "good", started_at=1, now=2)
    assert settled(once, "good", started_at=3, now=4).until is None


def test_ejections_grow_up_to_the_cap_and_are_forgiven():
    now, circuit, lengths = 0, CLOSED, []
    for _ in range(12):
        circuit = after(circuit, *["bad"] * 5, now=now)
        assert circuit.until is not None
        lengths.append((circuit.until - now) // SECOND)
        now = circuit.until
        for _ in range(2):
            circuit = settled(health.probing(circuit, now), "good", started_at=now, now=now)
    assert lengths[1] >= 60
    assert 300 <= lengths[-1] <= 330
    rested = after(circuit, *["bad"] * 5, now=now + 3 * HOUR)
    assert rested.until is not None
    assert rested.until - (now + 3 * HOUR) <= 33 * SECOND


def test_a_breaker_can_be_turned_off():
    off = Breaker(open=(OpenInRow(1),), cool_ns=0, cool_max_ns=0)
    assert after(CLOSED, *["bad"] * 50, breaker=off).until is None


def test_every_line_of_a_breaker_counts():
    breaker = Breaker(
        open=(OpenInRow(100), OpenByShare(10, 5, 10 * SECOND)), cool_ns=SECOND, cool_max_ns=SECOND
    )
    assert after(CLOSED, "good", "good", "good", "bad", breaker=breaker).until is None
    assert after(CLOSED, "good", "good", "good", "good", "bad", breaker=breaker).until is not None


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (None, "good"),
        (Failure(kind=FailureClass.SERVER_ERROR, health="counts"), "bad"),
        (Failure(kind=FailureClass.EMPTY_COMPLETION, health="half"), "half"),
        (Failure(kind=FailureClass.BAD_REQUEST), "neutral"),
    ],
)
def test_a_failure_says_itself_how_it_counts(failure, verdict):
    assert verdict_of(failure) == verdict


LOAD = Cool(scope="offer", base_ns=5 * SECOND, max_ns=60 * SECOND)


def test_a_cool_down_doubles_with_each_repeat_up_to_its_limit():
    cooling, now, lasted = None, 0, []
    for _ in range(6):
        cooling = cooled(cooling, LOAD, hint_ns=None, started_at=now, now=now)
        lasted.append((cooling.until - now) // SECOND)
        now = cooling.until
    assert lasted == [5, 10, 20, 40, 60, 60]


def test_a_cool_down_without_a_limit_is_always_the_same():
    plain = Cool(scope="offer", base_ns=5 * SECOND)
    first = cooled(None, plain, hint_ns=None, started_at=0, now=0)
    second = cooled(first, plain, hint_ns=None, started_at=6 * SECOND, now=6 * SECOND)
    assert second.until == 11 * SECOND


def test_what_was_in_flight_already_is_no_repeat():
    first = cooled(None, LOAD, hint_ns=None, started_at=0, now=SECOND)
    second = cooled(first, LOAD, hint_ns=None, started_at=0, now=SECOND)
    assert second.repeats == 0


def test_repeats_are_forgotten_after_a_quiet_while():
    first = cooled(None, LOAD, hint_ns=None, started_at=0, now=0)
    late = first.remembered_until
    assert cooled(first, LOAD, hint_ns=None, started_at=late, now=late).repeats == 0


@pytest.mark.parametrize(
    ("hint", "lasts"),
    [(20 * SECOND, 20), (SECOND, 5), (0, 5), (HOUR, 600), (None, 5), (-SECOND, 5)],
)
def test_a_hint_lengthens_a_cool_down_within_limits(hint, lasts):
    cooling = cooled(None, LOAD, hint_ns=hint, started_at=0, now=0)
    assert cooling.until == lasts * SECOND


def test_a_new_failure_never_shortens_a_cool_down():
    long = cooled(None, LOAD, hint_ns=5 * MINUTE, started_at=0, now=0)
    assert cooled(long, LOAD, hint_ns=SECOND, started_at=0, now=SECOND).until == long.until


@pytest.mark.parametrize(
    ("scope", "credential", "key"),
    [
        ("offer", "p#0", "offer:m@p"),
        ("provider", "p#0", "provider:p"),
        ("credential", "p#0", "credential:p#0"),
        ("credential_model", "p#0", "credential_model:p#0/m"),
        ("credential", "", "provider:p"),
        ("credential_model", "", "offer:m@p"),
    ],
)
def test_scopes_are_named_as_the_planner_reads_them(scope, credential, key):
    named = health.cool_key(
        scope=scope, offer="m@p", provider="p", model="m", credential=credential
    )
    assert named == key


def test_a_budget_is_a_fifth_of_first_attempts_and_a_floor():
    budget, bucket, granted = RetryBudget(), FULL, 0
    for _ in range(50):
        bucket = health.deposited(bucket, budget)
    for _ in range(100):
        left = health.withdrawn(bucket, budget, charge=100, now=0)
        granted += left is not None
        bucket = left or bucket
    assert granted == 50 // 5 + 10


def test_the_floor_refills_with_time_and_throttled_retries_cost_half():
    budget = RetryBudget(percent=0, floor=2, floor_ns=10 * SECOND)
    bucket = FULL
    for _ in range(4):
        left = health.withdrawn(bucket, budget, charge=50, now=0)
        assert left is not None
        bucket = left
    assert health.withdrawn(bucket, budget, charge=50, now=0) is None
    assert health.withdrawn(bucket, budget, charge=50, now=5 * SECOND) is not None


def test_savings_are_bounded():
    bucket = FULL
    for _ in range(10_000):
        bucket = health.deposited(bucket, RetryBudget())
    assert bucket.saved == health.SAVED_MAX


def test_without_a_floor_nothing_is_given_on_credit():
    empty = RetryBudget(percent=0, floor=0)
    assert health.withdrawn(FULL, empty, charge=100, now=0) is None
    assert health.withdrawn(FULL, empty, charge=0, now=0) is not None


def test_nineteen_outcomes_are_too_few_for_a_share_however_bad():
    mixed: list[health.Verdict] = ["bad", "good"] * 9
    assert after(CLOSED, *mixed, "bad").until is None
    assert after(CLOSED, *mixed, "good", "bad").until is not None


def test_the_tenth_that_is_added_is_used_up_and_never_passed():
    lasts = [
        (after(CLOSED, *["bad"] * 5, name=str(at)).until or 0) - 30 * SECOND for at in range(300)
    ]
    assert 0 <= min(lasts) < SECOND // 10
    assert 3 * SECOND - SECOND // 10 < max(lasts) <= 3 * SECOND


def test_outcomes_are_counted_in_tenths_of_the_widest_window():
    first = after(CLOSED, "bad")
    assert (first.width_ns, first.slots) == (3 * SECOND, ((0, 1, 2),))
    again = after(first, "half", now=SECOND)
    assert again.slots == ((0, 2, 3),)
    later = after(again, "good", now=3 * SECOND)
    assert later.slots == ((0, 2, 3), (1, 1, 0))
    assert after(later, "good", now=30 * SECOND).slots == ((1, 1, 0), (10, 1, 0))
    narrow, wide = OpenByShare(50, 20, 5), OpenByShare(50, 20, 40 * SECOND)
    for rules, width in (((narrow,), 1), ((narrow, wide), 4 * SECOND), ((), SECOND)):
        breaker = Breaker(open=rules, cool_ns=1, cool_max_ns=1)
        assert after(CLOSED, "good", breaker=breaker).width_ns == width


def test_a_success_never_opens_it():
    mixed: list[health.Verdict] = ["bad", "good"] * 9
    assert after(CLOSED, *mixed, "bad", "good").until is None


def test_what_began_at_the_instant_it_opened_says_something_and_what_began_before_does_not():
    circuit = opened(now=50)
    assert circuit.until is not None
    late = circuit.until + 1
    assert settled(circuit, "good", started_at=49, now=late) == circuit
    assert settled(circuit, "good", started_at=50, now=late) != circuit
