"""Every row of the fault catalogue over a socket and in a World: the same head, body and fault."""

import time

import pytest

from hyperroute.canon.wire import HttpRequest
from hyperroute.runtime.http import default_transport
from hyperroute.runtime.ports import Limits, TransportError
from hyperroute.testing.faults import FAULTS
from hyperroute.testing.replies import DIALECTS, streamed, whole
from hyperroute.testing.script import MS, SECOND
from hyperroute.testing.upstream import Upstream
from hyperroute.testing.world import World

PATIENCE_NS = 150 * MS
"""Enough for a busy machine, little enough for five rows that wait for its end."""


def play(transport, url, now):
    """Read all there is; return status, body and fault."""
    limits = Limits(SECOND, PATIENCE_NS, PATIENCE_NS, now + 20 * SECOND)
    request = HttpRequest(method="POST", url=url, body=b"{}")
    try:
        exchange = transport.open(request, limits=limits)
    except TransportError as error:
        return None, b"", error.fault
    body, fault = b"", None
    try:
        while chunk := exchange.read(timeout_ns=PATIENCE_NS):
            body += chunk
    except TransportError as error:
        fault = error.fault
    exchange.close()
    return exchange.head.status, body, fault


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as upstream:
        yield upstream
    assert upstream.errors == []


@pytest.fixture(scope="module", params=["aiohttp", "httpx", "pyreqwest"])
def transport(request, upstream):
    transport = default_transport(request.param)
    upstream.serve("/", whole("openai.chat"))
    play(transport, upstream.url, time.monotonic_ns())  # the first call loads libraries
    yield transport
    transport.close()


@pytest.mark.parametrize(
    "script",
    [
        *(pytest.param(f.script, id=f"{f.row} {f.name}") for f in FAULTS if f.sockets),
        *(pytest.param(whole(dialect), id=dialect) for dialect in DIALECTS),
        *(pytest.param(streamed(dialect), id=f"{dialect} stream") for dialect in DIALECTS),
    ],
)
def test_a_row_is_the_same_over_sockets_and_in_a_world(transport, upstream, script):
    world = World()
    world.serve("http://", script)
    upstream.serve("/", script)
    before = len(upstream.seen)
    expected = play(world, "http://upstream/v1", 0)
    assert play(transport, upstream.url + "/v1", time.monotonic_ns()) == expected
    # Invariant 14: what was sent is what the client says it sent, once.
    assert (len(upstream.seen) - before, len(world.sent)) == (1, 1)
