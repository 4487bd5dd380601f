"""What holds of breakers, cool-downs and budgets over replicas (invariants 15, 22 and 23)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.failure import Cool, Failure, FailureClass
from hyperroute.canon.mutation import Pace, RateKey
from hyperroute.canon.units import MINUTE, SECOND
from hyperroute.routing.gossip import LEFT_NS_MAX, Word, read, spelt
from hyperroute.routing.health import standing
from hyperroute.routing.quotas import RateToll
from hyperroute.routing.record import Attempt, PermitKind
from hyperroute.routing.state import Permit
from hyperroute.routing.table import RetryBudget
from hyperroute.runtime.board import Board
from hyperroute.runtime.sharing import Sharing
from hyperroute.testing.replicas import Meeting

BAD = Failure(kind=FailureClass.SERVER_ERROR, health="counts")
COOLS = Failure(kind=FailureClass.RATE_LIMITED, cool=Cool(scope="offer", base_ns=20 * SECOND))
KEYED = Failure(
    kind=FailureClass.PROVIDER_AUTH, cool=Cool(scope="credential", base_ns=200 * SECOND)
)
STEP = 4 * SECOND
"""Rounds are made at least so often while time passes, so that no lease runs out."""


@dataclass
class Replica:
    board: Board
    sharing: Sharing
    flying: list[tuple[str, int, bool]] = field(default_factory=list)
    """Offer, began at, whether it is the probe of a half-open breaker."""


@dataclass
class Cluster:
    """Some replicas that share a meeting, and a clock that we move."""

    size: int = 3
    now: int = 0
    replicas: list[Replica] = field(init=False)
    meeting: Meeting = field(init=False)

    def __post_init__(self) -> None:
        self.meeting = Meeting(now=self.read)
        self.replicas = []
        for number in range(self.size):
            board = Board()
            way = self.meeting.replica(str(number))
            self.replicas.append(Replica(board, Sharing(board, way, now=self.read)))

    def read(self) -> int:
        return self.now

    def rounds(self) -> None:
        for replica in (*self.replicas, *self.replicas):  # so that everybody has heard everybody
            replica.sharing.round()

    def ask(self, at: int, kind: PermitKind, offer: str) -> bool:
        replica = self.replicas[at % self.size]
        permit = Permit(
            offer=offer, provider="p", model="m", credential=f"{offer}#0",
            kind=kind, at=self.now, charge=100 if kind == "retry" else 0,
        )  # fmt: skip
        told = replica.board.permit(permit, self.now)
        if told.unleased:
            assert not told.granted
            told = replica.sharing.permitted(permit)
            assert not told.unleased
        if told.granted:
            probe = replica.board.probes(offer, self.now) and kind != "last_resort"
            replica.flying.append((offer, self.now, probe))
        return told.granted

    def end(self, at: int, failure: Failure | None) -> None:
        replica = self.replicas[at % self.size]
        if replica.flying:
            offer, began, _ = replica.flying.pop(0)
            replica.board.note(
                Attempt(
                    number=1, offer=offer, provider="p", model="m", credential=f"{offer}#0",
                    kind="first", started_at=began, ended_at=self.now, failure=failure,
                )
            )  # fmt: skip

    def wait(self, ns: int) -> None:
        while ns > 0:
            self.now += min(ns, STEP)
            ns -= STEP
            self.rounds()

    def trip(self, at: int, offer: str) -> None:
        for _ in range(5):
            assert self.ask(at, "first", offer)
        for _ in range(5):
            self.end(at, BAD)

    def play(self, move: tuple[Any, ...]) -> None:
        match move:
            case ("ask", at, kind, offer):
                self.ask(at, kind, offer)
            case ("end", at, failure):
                self.end(at, failure)
            case ("trip", at, offer):
                for _ in range(5):
                    self.ask(at, "first", offer)
                    self.end(at, BAD)
            case ("round", at):
                self.replicas[at % self.size].sharing.round()
            case ("tick", ns):
                self.now += ns
            case ("down", down):
                self.meeting.down = down
            case (_, ns):
                self.wait(ns)
            case _:
                raise AssertionError(move)


places = st.integers(0, 2)
moves = st.lists(
    st.one_of(
        st.tuples(
            st.just("ask"), places, st.sampled_from(["first", "next", "rotate"]),
            st.sampled_from("xy"),
        ),
        st.tuples(st.just("end"), places, st.sampled_from([None, None, BAD, COOLS, KEYED])),
        st.tuples(st.just("trip"), places, st.sampled_from("xy")),
        st.tuples(st.just("round"), places),
        st.tuples(st.just("tick"), st.sampled_from([1, SECOND // 100])),
        st.tuples(st.just("pass"), st.sampled_from([1, SECOND, 34 * SECOND, 70 * SECOND])),
    ),
    max_size=60,
)  # fmt: skip


@given(moves)
def test_invariant_22_at_most_one_probe_is_in_flight_over_all_replicas(
    them: list[tuple[Any, ...]],
) -> None:
    cluster = Cluster()
    for move in them:
        cluster.play(move)
        for offer in "xy":
            owner = cluster.meeting.owner(offer)
            probing = [
                number
                for number, replica in enumerate(cluster.replicas)
                if replica.board.probes(offer, cluster.now)
            ]
            assert len(probing) <= 1
            assert not probing or owner == str(probing[0])


@given(moves)
def test_replicas_that_have_heard_everything_leave_the_same_alone(
    them: list[tuple[Any, ...]],
) -> None:
    cluster = Cluster()
    for move in them:
        cluster.play(move)
    cluster.rounds()
    first, *others = [replica.board.blocked(cluster.now)[0] for replica in cluster.replicas]
    assert all(other == first for other in others)


def test_invariant_22_a_breaker_that_opens_here_is_open_there() -> None:
    cluster = Cluster()
    cluster.trip(0, "x")
    assert cluster.ask(1, "first", "x"), "not heard yet"
    cluster.end(1, None)
    cluster.rounds()
    assert not any(cluster.ask(at, "first", "x") for at in range(3))
    until = {replica.board.blocked(cluster.now)[0]["offer:x"] for replica in cluster.replicas}
    assert len(until) == 1


def test_invariant_22_the_probe_is_one_replicas_and_its_good_end_is_news_to_all() -> None:
    cluster = Cluster()
    cluster.trip(0, "x")
    cluster.wait(34 * SECOND)
    assert [cluster.ask(at, "first", "x") for at in (1, 0, 2, 1)] == [True, False, False, False]
    cluster.wait(60 * SECOND)  # however long it takes
    assert not any(cluster.ask(at, "first", "x") for at in range(3))
    cluster.end(1, None)
    cluster.rounds()
    assert [cluster.ask(at, "next", "x") for at in (2, 0, 1)] == [True, False, False]
    cluster.end(2, None)
    cluster.rounds()
    assert all(cluster.ask(at, "retry", "x") for at in range(3)), "closed everywhere"


def test_invariant_22_a_probe_that_fails_opens_it_again_everywhere() -> None:
    cluster = Cluster()
    cluster.trip(0, "x")
    cluster.wait(34 * SECOND)
    assert cluster.ask(2, "first", "x")
    cluster.end(2, BAD)
    cluster.rounds()
    for replica in cluster.replicas:
        left = replica.board.blocked(cluster.now)[0]["offer:x"] - cluster.now
        assert 60 * SECOND <= left <= 66 * SECOND, "the second ejection is twice as long"


def test_invariant_23_a_replica_that_dies_with_the_probe_holds_nobody_up_for_long() -> None:
    cluster = Cluster()
    cluster.trip(0, "x")
    cluster.wait(34 * SECOND)
    assert cluster.ask(0, "first", "x")
    cluster.replicas[0].sharing.round()
    alive = cluster.replicas[1:]
    asked = []
    for _ in range(20):
        cluster.now += SECOND
        for replica in alive:
            replica.sharing.round()
        asked.append(cluster.ask(1, "first", "x"))
    assert asked.index(True) in {14, 15}


def test_who_joins_later_hears_of_what_still_lasts() -> None:
    cluster = Cluster()
    assert cluster.ask(0, "first", "x")
    cluster.end(0, KEYED)
    cluster.replicas[0].sharing.round()
    cluster.now += 190 * SECOND
    late = Board()
    Sharing(late, cluster.meeting.replica("late"), now=cluster.read).round()
    assert late.blocked(cluster.now)[0] == {"credential:x#0": 200 * SECOND}


def test_a_key_that_got_a_verdict_is_left_alone_everywhere_and_a_good_end_is_heard() -> None:
    cluster = Cluster()
    assert cluster.ask(0, "first", "x")
    cluster.end(0, KEYED)
    cluster.rounds()
    for replica in cluster.replicas:
        assert replica.board.blocked(cluster.now)[0] == {"credential:x#0": 200 * SECOND}
    assert cluster.ask(1, "last_resort", "x")
    cluster.rounds()
    assert not cluster.ask(2, "last_resort", "x"), "its one probe was made"
    cluster.now += SECOND
    cluster.end(1, None)
    cluster.rounds()
    assert cluster.ask(2, "first", "x")


# --- losing it costs attempts --------------------------------------------------------------------
@given(st.lists(st.one_of(*[st.just(("down", flag)) for flag in (True, False)], moves), max_size=6))
def test_a_store_that_comes_and_goes_stops_nobody(them: list[Any]) -> None:
    cluster = Cluster()
    for move in them:
        for one in [move] if isinstance(move, tuple) else move:
            cluster.play(one)
    cluster.meeting.down = True
    for at in range(3):
        while cluster.replicas[at].flying:
            cluster.end(at, None)
    cluster.now += 11 * MINUTE
    cluster.rounds()
    for at in range(3):
        assert cluster.ask(at, "first", "x"), "each goes by what it knows"


def test_without_the_store_each_replica_makes_its_own_probe() -> None:
    cluster = Cluster()
    cluster.trip(0, "x")
    cluster.wait(34 * SECOND)
    cluster.meeting.down = True
    assert [cluster.ask(at, "first", "x") for at in (0, 1, 2, 0)] == [True, True, True, False]


def test_what_could_not_be_told_is_told_when_the_store_is_back() -> None:
    cluster = Cluster()
    cluster.meeting.down = True
    cluster.trip(0, "x")
    cluster.rounds()
    assert cluster.ask(1, "first", "x")
    cluster.end(1, None)
    cluster.meeting.down = False
    cluster.rounds()
    assert not cluster.ask(1, "first", "x")


# --- the retry budget ----------------------------------------------------------------------------
@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, SECOND)), max_size=60),
    st.integers(0, 30),
)
def test_invariant_15_the_floor_of_a_retry_budget_is_one_over_all_replicas(
    size: int, asks: list[tuple[int, int]], percent: int
) -> None:
    cluster = Cluster(size=size)
    cluster.rounds()
    budget = RetryBudget(percent=percent)
    granted: list[int] = []
    first = 0
    for at, wait in asks:
        cluster.now += wait
        for replica in cluster.replicas:
            replica.sharing.round()
        board = cluster.replicas[at % size].board
        terms = {"offer": "x", "provider": "p", "model": "m", "credential": "", "at": cluster.now}
        first += board.permit(Permit(kind="first", budget=budget, **terms), cluster.now).granted  # type: ignore[arg-type]
        again = Permit(kind="retry", charge=100, budget=budget, **terms)  # type: ignore[arg-type]
        while board.permit(again, cluster.now).granted:
            granted.append(cluster.now)
    for begin in granted:
        within = sum(begin <= when < begin + budget.floor_ns for when in granted)
        # A leaky bucket: what it held, and what flows in meanwhile.
        assert within <= 2 * budget.floor + first * percent / 100
    spread = (asks and cluster.now // budget.floor_ns) or 0
    assert len(granted) <= budget.floor * (1 + spread + 1) + first * percent / 100


@given(
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, SECOND)), max_size=60),
)
def test_invariant_45_replicas_together_keep_the_rate_of_an_account(
    size: int, asks: list[tuple[int, int]]
) -> None:
    """Each has its share: of the burst its whole part, but one at least."""
    cluster = Cluster(size=size)
    cluster.rounds()
    pace = Pace(amount=7, period_ns=SECOND, burst=20)
    toll = RateToll(
        place="provider:p", barrier="limit", pace=pace, unit="req", units=1,
        key=RateKey("its own", "req/s", (("provider", "p"),)),
    )  # fmt: skip
    passed: list[int] = []
    for at, wait in asks:
        cluster.now += wait
        for replica in cluster.replicas:
            replica.sharing.round()
        permit = Permit(
            offer="x", provider="p", model="m", credential="", kind="first", at=cluster.now,
            tolls=(toll,),
        )  # fmt: skip
        while cluster.replicas[at % size].board.permit(permit, cluster.now).granted:
            passed.append(cluster.now)
    burst = size * (pace.burst // size)
    for first, began in enumerate(passed):
        for number, when in enumerate(passed[first:], 1):
            assert number <= burst + Fraction((when - began) * pace.amount, pace.period_ns)
    assert not asks or len(passed) >= pace.burst // size


# --- words ---------------------------------------------------------------------------------------
numbers = st.integers(-(2**61), 2**61)
natural = st.integers(0, 2**61)
words = st.builds(
    Word,
    kind=st.sampled_from(["circuit", "cooling"]),
    name=st.text(max_size=40),
    on=st.booleans(),
    since_ns=natural,
    left_ns=st.integers(-(2**61), LEFT_NS_MAX),
    count=natural,
    good=natural,
    remembered_ns=st.integers(-(2**61), 2 * LEFT_NS_MAX),
    keyed=st.booleans(),
    probed=st.booleans(),
)


@given(words)
def test_a_word_is_read_as_it_was_written(word: Word) -> None:
    assert read(spelt(word)) == word


junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=12),
    max_leaves=15,
)


@given(st.one_of(st.text(), junk.map(str), st.lists(junk, min_size=10, max_size=10).map(str)))
def test_no_text_of_another_release_does_harm(text: str) -> None:
    heard = read(text)
    assert heard is None or read(spelt(heard)) == heard


@given(st.lists(numbers, min_size=5, max_size=5), st.sampled_from(["circuit", "cooling"]))
def test_no_replica_is_believed_that_an_offer_is_lost_for_ever(said: list[int], kind: str) -> None:
    board = Board()
    name = "x" if kind == "circuit" else "offer:x"
    word = read(json.dumps([kind, name, 1, 0, 0, *said]))
    assert word is not None
    board.hear(word, MINUTE)
    permit = Permit(offer="x", provider="p", model="m", credential="", kind="first", at=0)
    later = MINUTE + LEFT_NS_MAX
    assert board.permit(replace(permit, at=later), later).granted


def test_a_board_that_hears_a_word_twice_has_heard_it_once() -> None:
    board = Board()
    word = Word(kind="circuit", name="x", on=True, since_ns=SECOND, left_ns=30 * SECOND, count=1)
    board.hear(word, MINUTE)
    before = board.blocked(MINUTE)
    board.hear(word, MINUTE)
    assert board.blocked(MINUTE) == before
    assert standing(board._circuits["x"], MINUTE) == "open"
