"""Whether a gateway is ready: it has somebody to ask, and what it cannot do without answers.

What is told names a use (``state``, ``limits``, ``health``) and never a place.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any, Protocol

from hyperroute.dialects import json
from hyperroute.errors import StoreError
from hyperroute.gateway.door import Read


class Dependence(Protocol):
    """Something that a gateway asks and that may be down (``runtime.replicas.Dependence``)."""

    @property
    def use(self) -> str:
        """What it is for."""
        ...

    @property
    def closes(self) -> bool:
        """Whether nobody is served without it."""
        ...

    @property
    def down(self) -> bool:
        """Whether it does not answer."""
        ...


def ready(
    dependences: Sequence[Dependence], *, usable: bool
) -> Generator[Read, Any, tuple[int, bytes]]:
    """Ask every store whether it answers, and say how it stands: a status and a body of JSON.

    A store that is left alone because it was down is thereby asked again, when its time has come:
    a gateway that nobody is sent to would otherwise never learn that it is well.
    """
    if dependences:
        with suppress(StoreError):  # which one it is, they know themselves
            yield Read(())
    down = [one for one in dependences if one.down]
    degraded = [one.use for one in down if not one.closes]
    closed = [one.use for one in down if one.closes]
    told: dict[str, object] = {"status": "ready"}
    if closed:
        told = {"status": f"down: {', '.join(closed)}", "down": closed}
    elif not usable:
        told = {"status": "no provider has a credential"}
    if degraded:
        told["degraded"] = degraded
    return (200 if usable and not closed else 503), json.dumps(told)


__all__ = ["Dependence", "ready"]
