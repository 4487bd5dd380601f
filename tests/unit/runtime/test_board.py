"""What runs share: breakers, cool-downs and budgets behind one lock."""

from __future__ import annotations

import threading
from typing import Any

from hyperroute.canon.failure import Cool, Failure, FailureClass
from hyperroute.canon.units import MINUTE, SECOND
from hyperroute.providers.verdicts import SLOW_DOWN
from hyperroute.routing.record import Attempt
from hyperroute.routing.state import Permit
from hyperroute.routing.table import RetryBudget
from hyperroute.runtime.board import Board

BAD = Failure(kind=FailureClass.SERVER_ERROR, health="counts")
AUTH = Failure(kind=FailureClass.PROVIDER_AUTH, cool=Cool(scope="credential", base_ns=10 * MINUTE))


def permit(kind: Any = "first", at: int = 0, offer: str = "m@p", **more: Any) -> Permit:
    return Permit(offer=offer, provider="p", model="m", credential="p#0", kind=kind, at=at, **more)


def attempt(
    failure: Failure | None = None, at: int = 0, offer: str = "m@p", **more: Any
) -> Attempt:
    told: dict[str, Any] = {"started_at": at, "ended_at": at, **more}
    return Attempt(
        number=1, offer=offer, provider="p", model="m", credential="p#0", kind="first",
        failure=failure, **told,
    )  # fmt: skip


def broken(board: Board, at: int = 0) -> Board:
    for _ in range(5):
        board.note(attempt(BAD, at))
    return board


def test_nothing_known_blocks_nothing():
    board = Board()
    assert not any(board.blocked(0))
    assert board.permit(permit(), 0).granted


def test_invariant_22_an_open_breaker_sends_nothing_before_its_time_and_then_one_probe():
    board = broken(Board())
    told = board.permit(permit(at=SECOND), SECOND)
    assert (told.granted, told.why) == (False, "breaker")
    assert told.until is not None
    assert set(board.blocked(SECOND)[0]) == {"offer:m@p"}
    assert board.permit(permit(at=told.until), told.until).granted
    assert board.permit(permit(at=told.until), told.until).why == "probing"
    blocked, probing = board.blocked(told.until)
    assert not blocked
    assert probing == {"m@p"}


def test_a_last_resort_passes_an_open_breaker_but_not_a_probe_in_flight():
    board = broken(Board())
    assert board.permit(permit("last_resort", SECOND), SECOND).granted
    later = 40 * SECOND
    assert board.permit(permit(at=later), later).granted
    assert board.permit(permit("last_resort", later), later).why == "probing"


def test_invariant_20_a_key_with_a_verdict_rests_for_every_run_but_one_probe():
    board = Board()
    board.note(attempt(AUTH))
    assert board.permit(permit(at=SECOND), SECOND).why == "credential"
    assert board.permit(permit("retry", SECOND), SECOND).why == "credential"
    assert board.permit(permit("last_resort", SECOND), SECOND).granted
    assert board.permit(permit("last_resort", 2 * SECOND), 2 * SECOND).why == "credential"
    assert board.permit(permit(at=10 * MINUTE), 10 * MINUTE).granted


def test_a_success_of_the_probe_ends_the_cool_down():
    board = Board()
    board.note(attempt(AUTH))
    board.note(attempt(None, at=SECOND))
    assert board.permit(permit(at=2 * SECOND), 2 * SECOND).granted


def test_a_success_that_began_before_the_cool_down_does_not_end_it():
    board = Board()
    board.note(attempt(AUTH, at=5 * SECOND))
    board.note(attempt(None, at=6 * SECOND, started_at=SECOND))
    assert board.permit(permit(at=7 * SECOND), 7 * SECOND).why == "credential"


def test_a_cool_down_is_over_for_who_would_start_behind_it():
    board = Board()
    load = Failure(kind=FailureClass.RATE_LIMITED, cool=Cool(scope="provider", base_ns=15 * SECOND))
    board.note(attempt(load))
    assert board.permit(permit(at=14 * SECOND), 0).why == "provider"
    assert board.permit(permit(at=15 * SECOND), 0).granted
    assert board.blocked(0)[0] == {"provider:p": 15 * SECOND}


def test_a_retry_does_not_mind_the_cool_down_of_its_own_failure():
    board = Board()
    load = Failure(kind=FailureClass.OVERLOADED, cool=Cool(scope="offer", base_ns=5 * SECOND))
    board.note(attempt(load))
    assert board.permit(permit("retry", SECOND, charge=50), 0).granted
    assert board.permit(permit("first", SECOND), 0).why == "offer"


def test_a_retry_needs_a_closed_breaker():
    board = broken(Board())
    assert board.permit(permit("retry", SECOND, charge=100), SECOND).why == "breaker"
    later = 40 * SECOND
    assert board.permit(permit("retry", later, charge=100), later).why == "breaker"


def test_a_retry_takes_from_the_providers_budget():
    board, budget = Board(), RetryBudget(percent=20, floor=1)
    for _ in range(10):
        board.permit(permit(budget=budget), 0)
    retries = [board.permit(permit("retry", charge=100, budget=budget), 0) for _ in range(5)]
    assert [told.granted for told in retries] == [True, True, True, False, False]
    assert retries[-1].why == "budget"


def test_a_rotation_neither_earns_nor_costs():
    board, budget = Board(), RetryBudget(percent=100, floor=0)
    assert board.permit(permit("rotate", budget=budget), 0).granted
    assert not board.permit(permit("retry", charge=100, budget=budget), 0).granted


def test_one_offers_trouble_is_not_anothers():
    board = broken(Board())
    assert board.permit(permit(at=SECOND, offer="n@p"), SECOND).granted


def test_memory_is_bounded_and_the_longest_untouched_is_forgotten():
    board = Board(entries_max=10)
    for number in range(50):
        board.note(attempt(AUTH, offer=f"m{number}@p"))
        board.permit(permit(offer=f"m{number}@p"), 0)
        cool = Cool(scope="offer", base_ns=MINUTE)
        board.note(attempt(Failure(kind=FailureClass.OVERLOADED, cool=cool), offer=f"m{number}@p"))
    assert len(board.blocked(0)[0]) <= 10


def test_forgetting_a_troubled_offer_leaves_no_trace():
    board = Board(entries_max=1)
    broken(board)
    board.note(attempt(None, offer="n@p"))
    assert not any(board.blocked(0))


def test_many_threads_get_one_probe_between_them():
    board = broken(Board())
    later, granted = 40 * SECOND, []
    gate = threading.Barrier(8)

    def probe() -> None:
        gate.wait()
        granted.append(board.permit(permit(at=later), later).granted)

    threads = [threading.Thread(target=probe) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted) == [False] * 7 + [True]


def test_row_33_a_provider_that_asks_us_to_slow_down_is_sent_less_when_it_is_back():
    board = Board()
    for _ in range(10):
        assert board.permit(permit(), 0).granted
    board.note(attempt(SLOW_DOWN, SECOND))
    back = 20 * SECOND
    granted = [board.permit(permit(at=back), back).granted for _ in range(10)]
    assert granted.count(True) == 7 + 1  # a window has passed since the cool-down ended
    denied = board.permit(permit(at=back), back)
    assert (denied.why, denied.until) == ("provider", 30 * SECOND)
    assert board.permit(permit("last_resort", back), back).granted
    assert board.permit(permit(at=30 * SECOND), 30 * SECOND).granted
