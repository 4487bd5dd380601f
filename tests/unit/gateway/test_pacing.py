"""When a silent stream says that it is alive (reliability.md 5.12, invariant 50)."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.asking import ASKED, streaming

from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient
from hyperroute.gateway import Gateway
from hyperroute.gateway.pacing import Pace, Pulse
from hyperroute.gateway.pouring import Pouring
from hyperroute.testing.replies import streamed
from hyperroute.testing.script import SECOND, Script
from hyperroute.testing.world import World

FORMS = {
    "openai.chat": (b": keep-alive\n\n", b": keep-alive\n\n"),
    "openai.responses": (b": keep-alive\n\n", b"event: keepalive\n"),
    "anthropic.messages": (b"event: ping\n", b"event: ping\n"),
    "gemini.generate": (b"\n", b"\n"),
}


def poured(router, dialect: str, script: Script) -> list[tuple[int, bytes]]:
    """Ask for a stream, and note what is written when."""
    world = World()
    world.serve(ASKED[dialect][2], script)
    twin = world.awaiting()
    written: list[tuple[int, bytes]] = []

    async def ask() -> None:
        gateway = Gateway(AsyncClient(router, transport=twin, clock=twin))
        path, body = streaming(dialect)
        http = HttpRequest(method="POST", url=path, body=json.dumps(body).encode())
        response = await gateway.respond(http)
        written.append((world.at, b""))
        assert isinstance(response, Pouring)

        async def write(piece: bytes) -> None:
            written.append((world.at, piece))

        await response.pour(write)

    asyncio.run(ask())
    assert world.open_now == 0
    return written


@pytest.mark.parametrize("dialect", FORMS)
@given(silence=st.integers(0, 55), when=st.integers(0, 3))
def test_invariant_50_a_silent_stream_is_kept_alive_first_after_10_s_and_then_every_15(
    router, dialect, silence, when
):
    """Invariant 50, for a silence of up to 55 s before any chunk of the answer."""
    script = streamed(dialect)
    waits = [0] * len(script.chunks)
    at = min(when, len(waits) - 1)
    waits[at] = silence * SECOND
    slow = Script(headers=script.headers, chunks=script.chunks, waits_ns=tuple(waits))
    written = poured(router, dialect, slow)
    plain = b"".join(piece for _, piece in poured(router, dialect, script))
    before, after = FORMS[dialect]

    def is_pulse(piece: bytes) -> bool:  # the provider's own ping comes with what follows it
        return piece.startswith((before, after)) and piece.count(b"\n\n") <= 1

    pulses = [(at_ns, piece) for at_ns, piece in written if is_pulse(piece)]
    content = b"".join(piece for _, piece in written if not is_pulse(piece))
    assert content == plain
    forms = [piece for _, piece in written[1:]]
    first = next(at for at, piece in enumerate(forms) if not piece.startswith((before, after)))
    assert all(piece.startswith(before) for piece in forms[:first])
    began = written[1][0] == 0  # content went out before the silence
    step = [15 * SECOND] if began else [10 * SECOND, 25 * SECOND]
    due = [*step, *(step[-1] + 15 * SECOND * n for n in range(1, 4))]
    expected = [at_ns for at_ns in due if at_ns < silence * SECOND]
    assert len(pulses) in {len(expected), len(expected) + (silence * SECOND in due)}
    for (at_ns, _), wanted in zip(pulses, due, strict=False):
        assert abs(at_ns - wanted) <= SECOND


@given(last=st.integers(0, 100), now=st.integers(0, 200), writing=st.none() | st.integers(0, 200))
def test_a_pulse_never_interrupts_a_write_and_never_comes_early(last, now, writing):
    pace = Pace(first_ns=10, then_ns=15, slow_ns=30)
    pulse = Pulse(pace, last, writing)
    assert not (pulse.is_due(now) and writing is not None)
    assert not (pulse.is_due(now) and now - last < 15)
    if pulse.wait_ns(now) == 0:
        assert pulse.is_due(now) or pulse.is_slow(now)
    assert not (pulse.is_slow(now) and writing is None)
