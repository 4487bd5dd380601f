"""What the handler wishes of a client: runs. What it wishes of a store is in ``door``."""

from __future__ import annotations

from collections.abc import Mapping

from hyperroute.canon.quick import quick
from hyperroute.canon.request import Request
from hyperroute.catalog.condition import Fact
from hyperroute.client import AsyncClient, Client
from hyperroute.gateway.idempotent import Copy
from hyperroute.runtime.kernel import Run
from hyperroute.runtime.tab import Journal, no_journal


@quick(frozen=True, slots=True)
class Whole:
    """Carry a run out, and give its whole answer.

    ``journal`` is written with the end of its money, where there is a till. ``copy`` is told what is
    answered to an idempotency key, whether or not its caller still listens.
    """

    request: Request
    request_id: str
    facts: Mapping[str, Fact]
    journal: Journal = no_journal
    copy: Copy | None = None


@quick(frozen=True, slots=True)
class Streamed:
    """Begin a run whose answer is streamed; ``journal`` and ``copy`` as of ``Whole``."""

    request: Request
    request_id: str
    facts: Mapping[str, Fact]
    journal: Journal = no_journal
    copy: Copy | None = None


def prepared(client: Client | AsyncClient, wish: Whole | Streamed, *, stream: bool) -> Run:
    """Make a run of a wish that has not begun."""
    clock = client.clock
    return client.desk.prepare(
        wish.request,
        dialect=None,
        headers=(),
        labels=None,
        facts=wish.facts,
        stream=stream,
        request_id=wish.request_id,
        now=clock.now(),
        unix_ns=clock.unix_ns(),
        journal=wish.journal,
        with_hold=() if wish.copy is None else wish.copy.claim.vouched(),
    )


__all__ = ["Streamed", "Whole", "prepared"]
