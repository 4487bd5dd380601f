"""What holds of breakers, cool-downs and budgets in every history (invariants 15, 20 to 23)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.failure import Cool, Failure, FailureClass
from hyperroute.canon.units import SECOND
from hyperroute.routing.health import CLOSED, DEFAULT_BREAKER, settled, standing
from hyperroute.routing.record import Attempt
from hyperroute.routing.state import Permit
from hyperroute.routing.table import RetryBudget
from hyperroute.runtime.board import Board

CAP = DEFAULT_BREAKER.cool_max_ns * 11 // 10

NEUTRAL = [Failure(kind=kind) for kind in ("bad_request", "content_policy", "client_gone")]  # type: ignore[arg-type]
ENDS = [
    None,
    None,
    Failure(kind=FailureClass.SERVER_ERROR, health="counts"),
    Failure(kind=FailureClass.SERVER_ERROR, health="counts"),
    Failure(kind=FailureClass.SERVER_ERROR, health="counts"),
    Failure(kind=FailureClass.EMPTY_COMPLETION, health="half"),
    Failure(
        kind=FailureClass.NET_UNSENT,
        health="counts",
        cool=Cool(scope="offer", base_ns=5 * SECOND, local=True),
    ),
    Failure(kind=FailureClass.PROVIDER_AUTH, cool=Cool(scope="credential", base_ns=600 * SECOND)),
    *NEUTRAL,
]


@dataclass
class History:
    """A board under random traffic: some attempts are in flight, time passes, they end."""

    board: Board = field(default_factory=Board)
    now: int = 0
    flying: list[tuple[str, str, int]] = field(default_factory=list)
    """Kind, offer, began at."""
    granted: list[tuple[str, int]] = field(default_factory=list)

    def ask(self, kind: Any, offer: str) -> bool:
        told = self.board.permit(
            Permit(
                offer=offer, provider="p", model="m", credential=f"{offer}#0",
                kind=kind, at=self.now, charge=100 if kind == "retry" else 0,
            ),
            self.now,
        )  # fmt: skip
        if told.granted:
            self.flying.append((kind, offer, self.now))
            self.granted.append((kind, self.now))
        return told.granted

    def end(self, index: int, failure: Failure | None) -> None:
        kind, offer, began = self.flying.pop(index % len(self.flying))
        self.board.note(
            Attempt(
                number=1, offer=offer, provider="p", model="m", credential=f"{offer}#0",
                kind=kind, started_at=began, ended_at=self.now, failure=failure,
            )
        )  # fmt: skip


moves = st.lists(
    st.one_of(
        st.tuples(
            st.just("ask"),
            st.sampled_from(["first", "next", "rotate", "retry", "last_resort"]),
            st.sampled_from("xy"),
        ),
        st.tuples(st.just("end"), st.integers(0, 9), st.sampled_from(ENDS)),
        st.tuples(st.just("pass"), st.sampled_from([1, SECOND, 31 * SECOND, 400 * SECOND])),
    ),
    max_size=80,
)


def played(history: History, move: Any) -> bool | None:
    match move:
        case ("ask", kind, offer):
            return history.ask(kind, offer)
        case ("end", index, failure):
            if history.flying:
                history.end(index, failure)
        case ("pass", ns):
            history.now += ns
    return None


@given(moves)
def test_invariant_22_an_open_breaker_lets_nothing_through_and_a_half_open_one_one_probe(them):
    history = History()
    for move in them:
        blocked, probing = history.board.blocked(history.now)
        granted = played(history, move)
        if granted and move[0] == "ask":
            _, kind, offer = move
            if kind not in {"last_resort", "retry"}:
                assert f"offer:{offer}" not in blocked
            assert offer not in probing


@given(moves)
def test_invariant_22_an_ejection_is_at_most_the_cap(them):
    history = History()
    for move in them:
        played(history, move)
        for key, until in history.board.blocked(history.now)[0].items():
            if key.startswith("offer:"):
                assert until - history.now <= CAP


@given(moves, st.sampled_from("xy"))
def test_invariant_23_who_answers_well_from_now_on_is_used_again_within_the_cap(them, offer):
    history = History()
    for move in them:
        played(history, move)
    while history.flying:
        history.end(0, None)
    history.now += max(CAP, 600 * SECOND)
    assert history.ask("first", offer)
    history.end(0, None)
    assert history.ask("first", offer), "it is probed again at once"
    history.end(0, None)
    assert history.board.blocked(history.now)[0].get(f"offer:{offer}") is None
    assert history.ask("retry", offer), "and closed"


@given(moves)
def test_invariant_21_neutral_ends_change_no_count(them):
    """The same history, with neutral failures woven in, leaves every breaker where it was."""
    plain, woven = CLOSED, CLOSED
    now = 0
    for move in them:
        now += move[1] if move[0] == "pass" else 0
        if move[0] != "end" or move[2] is None or move[2].health == "neutral":
            continue
        plain = settled(plain, "bad", started_at=now, now=now)
        woven = settled(woven, "bad", started_at=now, now=now)
        woven = settled(woven, "neutral", started_at=now, now=now)
    assert woven == plain


@given(moves)
def test_invariant_20_a_key_with_a_verdict_rests_but_for_one_probe(them):
    history, resting = History(), dict[str, tuple[int, int]]()
    for move in them:
        before = list(history.flying)
        granted = played(history, move)
        if move[0] == "end" and before:
            _, offer, _ = before[move[1] % len(before)]
            if move[2] is not None and move[2].kind is FailureClass.PROVIDER_AUTH:
                probes = resting[offer][1] if resting.get(offer, (0, 0))[0] > history.now else 0
                resting[offer] = (history.now + 600 * SECOND, probes)
            elif move[2] is None:
                resting.pop(offer, None)
        elif granted and move[2] in resting and resting[move[2]][0] > history.now:
            until, probes = resting[move[2]]
            assert move[1] == "last_resort"
            assert probes == 0
            resting[move[2]] = (until, 1)


@given(
    st.lists(
        st.tuples(st.sampled_from(["first", "retry"]), st.integers(0, 3 * SECOND)), max_size=200
    )
)
def test_invariant_15_retries_stay_within_the_budget_over_any_window(traffic):
    history, budget = History(), RetryBudget()
    for kind, ns in traffic:
        history.now += ns
        history.ask(kind, "x")
    for start in range(0, len(history.granted), 7):
        window = history.granted[start:]
        saved = sum(kind == "first" for kind, _ in history.granted[:start]) * budget.percent / 100
        firsts = sum(kind == "first" for kind, _ in window)
        retries = sum(kind == "retry" for kind, _ in window)
        lasts = window[-1][1] - window[0][1]
        floor = budget.floor * (1 + lasts / budget.floor_ns)
        assert retries <= firsts * budget.percent / 100 + min(saved, 100) + floor


@given(st.lists(st.sampled_from(["good", "half", "bad", "neutral"]), max_size=60))
def test_a_breaker_is_always_in_one_of_four_standings(verdicts):
    circuit = CLOSED
    for number, verdict in enumerate(verdicts):
        now = number * SECOND
        circuit = settled(circuit, verdict, started_at=now, now=now)
        assert standing(circuit, now) in {"closed", "open", "half_open", "probing"}
        assert len(circuit.slots) <= 11
