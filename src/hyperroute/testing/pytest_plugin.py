"""Fixtures for users' own test suites, found by pytest through its entry point.

pytest imports this module before anything else of a run, coverage included, so it imports the
library only inside the fixtures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hyperroute.testing.upstream import Upstream
    from hyperroute.testing.world import World


@pytest.fixture
def hyperroute_world() -> World:
    """Give a world at instant 0 with seed 0: a clock and a transport without waiting or sockets."""
    from hyperroute.testing.world import World

    return World()


@pytest.fixture
def hyperroute_upstream() -> Iterator[Upstream]:
    """Give a scripted upstream on a real loopback socket, closed after the test."""
    from hyperroute.testing.upstream import Upstream

    with Upstream() as upstream:
        yield upstream
