"""A permit that other replicas are asked for: the probe of a breaker that is half open.

The one permit that a driver waits for. Everything else the board answers at once.
"""

from __future__ import annotations

from hyperroute.routing.state import Ask, Call, Told
from hyperroute.runtime.kernel import Run, Todo


def permitted(run: Run, ask: Ask) -> Todo:
    """Ask, and tell the run."""
    assert run.board.leases is not None, "nobody else to ask"
    return _taken(run, ask, run.board.leases.permitted(ask.permit))


async def permitting(run: Run, ask: Ask) -> Todo:
    """Ask, awaiting, and tell the run."""
    assert run.board.leases is not None, "nobody else to ask"
    return _taken(run, ask, await run.board.leases.permitting(ask.permit))


def _taken(run: Run, ask: Ask, told: Told) -> Todo:
    """Tell the run; a probe that it has no time for any more is not kept from others."""
    todo = run.take(told)
    if told.granted and not any(isinstance(action, Call) for action in todo):
        run.board.unused(ask.permit.offer)
    return todo


__all__ = ["permitted", "permitting"]
