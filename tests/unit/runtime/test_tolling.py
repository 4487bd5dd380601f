"""Tolls come back, whoever brought the permit and however it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.units import MINUTE
from hyperroute.client import Client, Router
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.routing.record import Attempt
from hyperroute.routing.state import Ask, Call, Failed, Permit, Told
from hyperroute.runtime import leasing
from hyperroute.runtime.board import Board
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers: {p: {plugin: openai, url: "https://p.test/v1", keys: [env:KEY], limits: {at_once: 1}}}
models: {m: {kind: chat, offers: [{at: p}]}}
policies: {base: {retry: {per_offer: 0}}}
"""
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
BAD = Failure(kind=FailureClass.SERVER_ERROR, health="counts", status=500)


def secret(reference: str) -> Secret:
    return Secret(f"sk-{reference}")


@dataclass
class Neighbours:
    """Other replicas, who have nothing against a probe, or have it themselves."""

    board: Board
    now: int
    lease: Any

    def wake(self) -> None:
        """Nobody is told."""

    def permitted(self, permit: Permit) -> Told:
        return self.board.permit(permit, self.now, lease=self.lease)

    async def permitting(self, permit: Permit) -> Told:
        return self.permitted(permit)


def troubled() -> Board:
    """Open the breaker of the one offer."""
    board = Board()
    for _ in range(5):
        board.note(
            Attempt(
                number=1, offer="m@p", provider="p", model="m", credential="p#0", kind="first",
                failure=BAD, started_at=0, ended_at=0,
            )
        )  # fmt: skip
    return board


@pytest.mark.parametrize("lease", ["granted", "denied"])
def test_the_probe_that_other_replicas_were_asked_for_gives_its_slot_back(lease: str) -> None:
    registry = discover(entry_points=True).with_secrets(secret)
    world, board, now = World(), troubled(), 10 * MINUTE
    router = Router.loads(TABLE, registry=registry)
    with Client(router, transport=world, clock=world, board=board) as client:
        board.leases = Neighbours(board, now, lease)
        told: dict[str, Any] = {"dialect": None, "headers": (), "labels": None, "facts": None}
        told |= {"request_id": "r1", "now": now, "unix_ns": world.unix_ns(), "stream": False}
        run = client.desk.prepare(BODY, **told)
        (ask,) = run.begin(now, unix_ns=world.unix_ns())
        assert isinstance(ask, Ask)
        assert not board.full(now), "what was not granted took nothing"
        todo = leasing.permitted(run, ask)
        while todo and isinstance(todo[0], Ask):
            todo = leasing.permitted(run, todo[0])
        assert isinstance(todo[0], Call) == (lease == "granted")
        assert bool(board.full(now)) == (lease == "granted")
        run.take(Failed(now, BAD))
        assert run.record is not None
        assert not board.full(now)
