"""A gateway is ready if what it cannot do without answers; which does not, it says by its use."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.unit.gateway.conftest import Door, opened

from hyperroute.canon.mutation import Commit, Found, Key, Mutation
from hyperroute.canon.units import SECOND
from hyperroute.errors import StoreError
from hyperroute.runtime.board import Board
from hyperroute.runtime.replicas import Dependence, shared_state
from hyperroute.stores.base import AsyncStore, Immediate
from hyperroute.stores.guarding import Guard, GuardedStore
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.split import SplitStore
from hyperroute.testing.world import World

NOWHERE = "redis://ada:hush@127.0.0.1:1/0"


class Switch:
    """A store that is up or down."""

    def __init__(self) -> None:
        self.up = True
        self.asked = 0

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        self.asked += 1
        if not self.up:
            raise StoreError("no answer from 10.1.2.3")
        return (None,) * len(keys)

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        self.read([])
        return Commit(True, ())

    def awaiting(self) -> AsyncStore:
        return Immediate(self)

    def close(self) -> None:
        """Nothing is held open."""


def test_a_gateway_without_its_state_is_not_ready_until_it_answers_again(colour, router) -> None:
    world, state = World(), Switch()
    backing = shared_state(None, state, board=Board(), now=world.now)
    assert backing.sharing is None
    door = opened(colour, router, world, store=backing.store, dependences=backing.dependences)
    assert door.get("/readyz").json == {"status": "ready"}
    state.up = False
    for _ in range(9):
        told = door.get("/readyz")
        assert (told.status, told.json) == (503, {"status": "down: state", "down": ["state"]})
        assert b"10.1" not in told.body
    assert state.asked == 1 + 5, "then it is left alone"
    assert door.get("/healthz").status == 200, "the process itself lives"
    state.up = True
    world.sleep(2 * SECOND)
    assert [door.get("/readyz").status for _ in range(3)] == [503, 200, 200]


@pytest.mark.parametrize("closes", [True, False])
def test_limits_that_degrade_open_do_not_stop_a_gateway(colour, router, closes: bool) -> None:
    world, rates, state = World(), Switch(), Switch()
    guards = Guard("limits", now=world.now), Guard("state", now=world.now)
    store = SplitStore(GuardedStore(rates, guards[0]), GuardedStore(state, guards[1]))
    dependences = (
        Dependence("state", closes=True, is_down=lambda: guards[1].down),
        Dependence("limits", closes=closes, is_down=lambda: guards[0].down),
    )
    door = opened(colour, router, world, store=store, dependences=dependences)
    rates.up = False
    told = door.get("/readyz")
    if closes:
        assert (told.status, told.json["down"]) == (503, ["limits"])
    else:
        assert (told.status, told.json) == (200, {"status": "ready", "degraded": ["limits"]})
    state.up = False
    told = door.get("/readyz")
    assert told.status == 503
    assert told.json["down"] == (["state", "limits"] if closes else ["state"])


def ready_with(colour, router, limits) -> Door:
    world = World()
    state = MemoryStore(now=world.now)
    backing = shared_state(NOWHERE, state, board=Board(), now=world.now, limits=limits)
    assert backing.sharing is not None
    backing.sharing.round()
    return opened(colour, router, world, store=backing.store, dependences=backing.dependences)


def test_a_shared_store_that_nobody_reaches_is_named_and_not_its_place(colour, router) -> None:
    told = ready_with(colour, router, "closed").get("/readyz")
    assert told.status == 503
    assert told.json == {"status": "down: limits", "down": ["limits"], "degraded": ["health"]}
    told = ready_with(colour, router, "open").get("/readyz")
    assert (told.status, told.json["degraded"]) == (200, ["limits", "health"])
    assert b"127.0.0.1" not in told.body


def test_a_wrong_url_is_told_at_once_and_without_its_password() -> None:
    with pytest.raises(StoreError, match="begins with one of redis") as caught:
        shared_state("http://:hush@x", MemoryStore(now=lambda: 0), board=Board(), now=lambda: 0)
    assert "hush" not in str(caught.value)
