"""A gateway over the simulated provider: what ``serve --simulated`` streams, without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.unit.gateway.asking import ASKED, streaming
from tests.unit.gateway.conftest import TABLE

from hyperroute.canon.wire import HttpRequest
from hyperroute.client import Client, Router
from hyperroute.gateway import BlockingGateway
from hyperroute.plugins.registry import discover
from hyperroute.testing.world import World
from hyperroute_simulated import simulated_registry


@pytest.mark.parametrize("dialect", ASKED)
def test_frames_of_the_simulated_provider_pass_in_its_caller_s_own_dialect(dialect):
    router = Router.loads(TABLE, registry=simulated_registry(discover()))
    world = World()
    path, body = streaming(dialect)
    http = HttpRequest(method="POST", url=path, body=json.dumps(body).encode())
    response = BlockingGateway(Client(router, transport=world, clock=world)).handle(http)
    assert response.status == 200, response.body
    assert isinstance(response.pieces, Iterator)
    assert b"data: " in b"".join(response.pieces)
