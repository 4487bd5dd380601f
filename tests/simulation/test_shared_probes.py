"""A permit that other replicas are asked for, in runs of both colours (invariant 22)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event

import pytest

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.units import SECOND
from hyperroute.routing.record import Attempt
from hyperroute.runtime import awaiting
from hyperroute.runtime.board import Board
from hyperroute.runtime.sharing import Sharing
from hyperroute.stores.gossiping import Incoming, Outgoing
from hyperroute.testing.lines import ANSWER, fails, says
from hyperroute.testing.replicas import Meeting, Replica
from hyperroute.testing.runs import Stage, Story, candidate, plan_of

BAD = Failure(kind=FailureClass.SERVER_ERROR, health="counts")
Played = Callable[[Stage, str], Story]

COLOURS: list[Played] = [Stage.blocking, Stage.awaiting]


def tripped(stage: Stage) -> Sharing:
    """Open the breaker of ``m@a`` and let its time pass; return another replica's part."""
    meeting = Meeting(now=stage.world.now)
    sharing = Sharing(stage.board, meeting.replica("here"), now=stage.world.now)
    for _ in range(5):
        stage.board.note(
            Attempt(
                number=1, offer="m@a", provider="a", model="m", credential="a#0", kind="first",
                started_at=0, ended_at=0, failure=BAD,
            )
        )  # fmt: skip
    sharing.round()
    stage.world.sleep(34 * SECOND)
    other = Sharing(Board(), meeting.replica("there"), now=stage.world.now)
    other.round()
    return other


def stage_of(**answers: object) -> Stage:
    plan = plan_of(candidate("m@a", retries=0), candidate("m@b", retries=0))
    return Stage(plan, answers)  # type: ignore[arg-type]


def offers(story: Story) -> list[str]:
    return [attempt.offer for attempt in story.record.attempts]


@pytest.mark.parametrize("play", COLOURS)
def test_a_run_that_gets_the_lease_probes(play: Played) -> None:
    stage = stage_of(a=says(*ANSWER), b=says(*ANSWER))
    tripped(stage)
    for number in range(2):
        assert offers(play(stage, f"r{number}")) == ["m@a"]
    assert not stage.board.blocked(stage.world.now())[0], "two good probes close it"


@pytest.mark.parametrize("play", COLOURS)
def test_a_run_that_another_replica_was_faster_than_goes_to_the_next_offer(play: Played) -> None:
    stage = stage_of(a=says(*ANSWER), b=says(*ANSWER))
    other = tripped(stage)
    other._gossip.exchange(Outgoing(wanted=("m@a",)))
    story = play(stage, "r1")
    assert offers(story) == ["m@b"]
    assert [(one.offer, one.why) for one in story.record.denials] == [("m@a", "probing")]
    other._gossip.exchange(Outgoing(freed=("m@a",)))
    assert offers(play(stage, "r2")) == ["m@a"]


@pytest.mark.parametrize("play", COLOURS)
def test_a_probe_that_fails_is_followed_by_the_next_offer(play: Played) -> None:
    stage = stage_of(a=fails("broken"), b=says(*ANSWER))
    other = tripped(stage)
    assert offers(play(stage, "r1")) == ["m@a", "m@b"]
    assert other._gossip.exchange(Outgoing(wanted=("m@a",))).granted == (), "held until a round"
    stage.board.leases.round()  # type: ignore[union-attr]
    assert other._gossip.exchange(Outgoing(wanted=("m@a",))).granted == ("m@a",)


class Stalled(Replica):
    """Answers nobody until it is let go."""

    let_go: Event

    def exchange(self, out: Outgoing) -> Incoming:
        self.let_go.wait(5)
        return super().exchange(out)


@pytest.fixture
def stalled() -> Iterator[tuple[Stage, Sharing, Event]]:
    stage = stage_of(a=says(*ANSWER), b=says(*ANSWER))
    tripped(stage)
    let_go = Event()
    let_go.set()
    way = type("Way", (Stalled,), {"let_go": let_go})(Meeting(now=stage.world.now), "here")
    sharing = Sharing(stage.board, way, now=stage.world.now, patience_ns=SECOND // 100)
    sharing.start()
    yield stage, sharing, let_go
    let_go.set()
    sharing.close()


@pytest.mark.parametrize("play", COLOURS)
def test_a_store_that_stalls_makes_a_run_go_by_what_its_process_knows(
    stalled: tuple[Stage, Sharing, Event], play: Played
) -> None:
    stage, _, let_go = stalled
    let_go.clear()
    assert offers(play(stage, "r1")) == ["m@a"]


def test_a_run_that_is_cancelled_while_it_asks_gives_back_what_it_would_have_got(
    stalled: tuple[Stage, Sharing, Event],
) -> None:
    stage, sharing, let_go = stalled
    sharing._patience_ns = 5 * SECOND
    let_go.clear()

    async def cancelled() -> None:
        run, _ = stage._run("r1")
        world = stage.world.awaiting()
        stream = awaiting.serve(run, transport=world, clock=world)
        task = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await stream.aclose()
        assert run.record is not None
        assert run.record.outcome == "abandoned"

    asyncio.run(cancelled())
    let_go.set()
    assert offers(stage.blocking("r2")) == ["m@a"], "nobody probes yet"
    sharing.round()
    assert not sharing._held
