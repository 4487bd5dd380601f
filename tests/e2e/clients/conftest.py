"""One gateway a test, over a scripted provider that all tests of a worker share."""

from __future__ import annotations

import pytest
from tests.e2e.clients.standing import Server, routed

from hyperroute.testing.upstream import Upstream


@pytest.fixture(scope="session")
def upstream():
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def router(upstream):
    return routed(upstream.url)


@pytest.fixture(scope="session")
def server():
    with Server() as server:
        yield server


@pytest.fixture
def place(server, upstream, router):
    with server.standing(upstream, router) as place:
        yield place
