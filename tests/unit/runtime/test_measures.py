"""How fast offers have been lately."""

from __future__ import annotations

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.units import SECOND
from hyperroute.canon.usage import Usage
from hyperroute.routing.record import Attempt
from hyperroute.runtime.board import Board
from hyperroute.runtime.measures import STALE_NS

KEYS = ("ttft.p50", "ttft.p99", "latency.p90", "speed.p50", "load", "quality.chat", "ttft.pxx")


def served(seconds: int, *, at: int = 0, offer: str = "m@p", failure: Failure | None = None):
    return Attempt(
        number=1, offer=offer, provider="p", model="m", credential="", kind="first",
        started_at=at, first_content_at=at + seconds * SECOND // 2, ended_at=at + seconds * SECOND,
        usage=Usage(output_tokens=100), failure=failure,
    )  # fmt: skip


def test_percentiles_of_what_was_served():
    board = Board()
    for seconds in range(1, 11):
        board.note(served(seconds * 2))
    measured = board.measured(KEYS, 0)
    assert measured["ttft.p50"] == {"m@p": 6 * SECOND}
    assert measured["ttft.p99"] == {"m@p": 10 * SECOND}
    assert measured["latency.p90"] == {"m@p": 20 * SECOND}
    assert measured["speed.p50"] == {"m@p": 20}
    assert set(measured) == {"ttft.p50", "ttft.p99", "latency.p90", "speed.p50", "load"}


def test_failures_are_no_samples():
    board = Board()
    board.note(served(1, failure=Failure(kind=FailureClass.SERVER_ERROR)))
    assert board.measured(["ttft.p50"], 0) == {"ttft.p50": {}}


def test_old_samples_say_nothing():
    board = Board()
    board.note(served(1))
    assert board.measured(["ttft.p50"], STALE_NS)["ttft.p50"]
    assert board.measured(["ttft.p50"], STALE_NS + SECOND) == {"ttft.p50": {}}


def test_load_is_what_is_in_flight():
    board = Board()
    board.begun("m@p")
    board.begun("m@p")
    board.note(served(1))
    assert board.measured(["load"], 0) == {"load": {"m@p": 1}}


def test_memory_is_bounded():
    board = Board(entries_max=3)
    for number in range(9):
        board.begun(f"m{number}@p")
    assert len(board.measured(["load"], 0)["load"]) == 3
