"""Traces of worst runs, played: the real planner, the real machine, the blocking driver, a World.

Every attempt of a trace fails or answers as the trace says, after reporting what made it dear, and
lasts as long as the trace says, kept alive by bytes that mean nothing. What the record of the run
then says is what is printed; a bound whose trace comes to less is no attained bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hyperroute.bounds.moment import view_of
from hyperroute.bounds.spending import spending
from hyperroute.bounds.worst import Attempted, Trace
from hyperroute.canon.events import Started, UsageReported
from hyperroute.canon.units import MILLISECOND, SECOND, Instant
from hyperroute.canon.usage import Usage
from hyperroute.canon.wire import HttpRequest
from hyperroute.errors import RequestError
from hyperroute.providers.flow import CallError, Flow, Outbound, Pause, read, send
from hyperroute.proving.scripted import accounts_of, answer
from hyperroute.routing.plan import Plan
from hyperroute.routing.record import Record
from hyperroute.routing.state import Call, Permit
from hyperroute.routing.table import RouteTable
from hyperroute.runtime import blocking, kernel
from hyperroute.runtime.board import Board
from hyperroute.runtime.conversation import Conversation
from hyperroute.testing.script import Script
from hyperroute.testing.world import World

CHUNKS_MAX = 5_000
"""Of one attempt; what would take more bytes to keep alive pauses instead."""

DEPOSITS = 600
"""First attempts of other runs, made before, so that the retry budget is full."""


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a trace.

    Attributes:
        plan: The decision that it was played under.
        attempts, cost, time_ns: Of the record.
    """

    plan: Plan
    record: Record

    @property
    def attempts(self) -> int:
        """How many attempts there were."""
        return len(self.record.attempts)

    @property
    def cost(self) -> int | None:
        """What they cost, in ``1 / scale`` USD."""
        return self.record.cost

    @property
    def time_ns(self) -> int:
        """How long the run took, rounded up to milliseconds."""
        return -(-self.record.latency_ns // MILLISECOND) * MILLISECOND


@dataclass(slots=True)
class _Stage:
    """Whose turn it is, and what comes of it."""

    attempts: tuple[Attempted, ...]
    usages: dict[str, Usage]
    turn: int = 0
    call: Call | None = None
    now: Instant = 0
    script: Script = field(default_factory=Script)

    def flow(self, outbound: Outbound) -> Flow:
        call = self.call
        assert call is not None
        said = self.attempts[min(self.turn, len(self.attempts) - 1)]
        self.turn += 1
        usage = self.usages.get(call.candidate.offer.id, Usage())
        yield from self._lasting(outbound, call, said.duration_ns)
        if said.failure is None:
            yield from answer(outbound.model, usage)
            return
        yield Started("played", outbound.model)
        yield UsageReported(usage)
        raise CallError(said.failure)

    def _lasting(self, outbound: Outbound, call: Call, lasts_ns: int) -> Flow:
        """Keep the line busy for so long, as the limits of the attempt demand."""
        idle = call.candidate.timeouts.idle_ns
        step = min(10 * SECOND, SECOND if idle is None else max(idle, 1))
        count, rest = divmod(lasts_ns, step)
        if count > CHUNKS_MAX or idle == 0:
            yield Pause(lasts_ns)
            return
        waits = (*((step,) * count), *((rest,) if rest else ()))
        self.script = Script(
            headers=(("content-type", "application/octet-stream"),),
            chunks=(b".",) * len(waits),
            waits_ns=waits,
        )
        yield from send(HttpRequest(method="POST", url=f"{outbound.url}/"))
        while (yield from read()):
            pass


class _Run(kernel.Run):
    """A run that tells the stage which call is open."""

    __slots__ = ("_stage",)

    def __init__(self, made: Plan, shared: kernel.Shared, stage: _Stage) -> None:
        super().__init__(made, shared, request_id="req_worst")
        self._stage = stage

    def open(self, call: Call, now: Instant, *, unix_ns: int) -> Conversation:
        self._stage.call, self._stage.now = call, now
        return super().open(call, now, unix_ns=unix_ns)


def play(trace: Trace, table: RouteTable) -> Played:
    """Play a trace in the production machine, with no time passing."""
    made = trace.situation.plan(table)
    view = view_of(trace.situation, made)
    usages = {one.offer.id: spending(one.offer, view).usage for one in made.candidates}
    stage = _Stage(trace.attempts, usages)
    records: list[Record] = []
    board = Board()
    _deposit(board, made)
    shared = kernel.Shared(
        accounts=accounts_of(table, stage.flow), board=board, sink=records.append
    )
    world = World()
    world.serve("https://", lambda _: stage.script)
    _drain(_Run(made, shared, stage), world)
    (record,) = records
    return Played(made, record)


def _deposit(board: Board, made: Plan) -> None:
    """Let other runs have begun before, which earns retries."""
    for candidate in made.candidates:
        permit = Permit(
            offer=candidate.offer.id,
            provider=candidate.offer.provider,
            model=candidate.offer.model,
            credential=candidate.credentials[0],
            kind="first",
            at=0,
            budget=made.rules.budget,
        )
        for _ in range(DEPOSITS // max(1, made.rules.budget.percent)):
            board.permit(permit, 0)


def _drain(run: kernel.Run, world: World) -> None:
    events: Iterator[object] = blocking.serve(run, transport=world, clock=world)
    try:
        for _ in events:
            pass
    except RequestError:
        return


__all__ = ["Played", "play"]
