"""Random adversaries: providers that fail as they like, as long as they like, for what they like."""

from __future__ import annotations

from random import Random

from hyperroute.bounds.moment import view_of
from hyperroute.bounds.situation import Situation
from hyperroute.bounds.spending import spending
from hyperroute.canon.events import Started, UsageReported
from hyperroute.canon.failure import Failure, FailureClass, Reaction
from hyperroute.canon.units import SECOND
from hyperroute.canon.usage import Usage
from hyperroute.errors import RequestError
from hyperroute.providers import verdicts
from hyperroute.providers.flow import CallError, Flow, Outbound, Pause
from hyperroute.proving.scripted import accounts_of, answer
from hyperroute.routing.record import Record
from hyperroute.routing.table import RouteTable
from hyperroute.runtime import blocking, kernel
from hyperroute.runtime.board import Board
from hyperroute.testing.world import World

CATALOGUE = tuple(one for one in vars(verdicts).values() if isinstance(one, Failure))
KINDS = tuple(
    one for one in FailureClass if one not in {FailureClass.CLIENT_GONE, FailureClass.DEADLINE}
)


def failure(dice: Random) -> Failure:
    """Draw a failure: a row of the catalogue, or whatever a provider could say."""
    if dice.random() < 0.5:
        return dice.choice(CATALOGUE)
    return Failure(
        kind=dice.choice(KINDS),
        advice=dice.choice((None, *Reaction)),
        pushback=dice.random() < 0.2,
        hint_ns=dice.choice((None, 0, SECOND, 600 * SECOND)),
    )


def run(dice: Random, table: RouteTable, situation: Situation, board: Board) -> Record:
    """Play one request against providers that mostly fail."""
    made = situation.plan(table)
    view = view_of(situation, made)
    most = [spending(one.offer, view).usage for one in made.candidates]
    hosts = [(one.offer.provider, one.sends) for one in made.candidates]
    used = dict(zip(hosts, most, strict=True))
    answers = dice.random() < 0.3

    def flow(call: Outbound) -> Flow:
        usage = _some(dice, used[call.group, call.model])
        yield Pause(dice.choice((0, 0, 0, SECOND // 2, 3 * SECOND, 30 * SECOND)))
        if answers and dice.random() < 0.3:
            yield from answer(call.model, usage, cut=3 if dice.random() < 0.2 else None)
            return
        yield Started("drawn", call.model)
        if dice.random() < 0.8:
            yield UsageReported(usage)
        raise CallError(failure(dice))

    records: list[Record] = []
    shared = kernel.Shared(accounts=accounts_of(table, flow), board=board, sink=records.append)
    world = World()
    carried = kernel.Run(made, shared, request_id=f"req_{dice.random()}")
    try:
        for _ in blocking.serve(carried, transport=world, clock=world):
            pass
    except RequestError:
        pass
    (record,) = records
    return record


def _some(dice: Random, most: Usage) -> Usage:
    """Draw a usage within what an attempt may use at most."""

    def part(amount: int | None) -> int | None:
        return None if amount is None else dice.choice((amount, dice.randint(0, amount)))

    tokens = part(most.input_tokens)
    return Usage(
        input_tokens=tokens,
        cache_read_tokens=part(tokens) if dice.random() < 0.3 else None,
        output_tokens=part(most.output_tokens),
        images=part(most.images),
        calls=most.calls,
    )
