"""What stands behind one process of a gateway: its state, guarded, and what it shares with others.

| use | where | while it is down |
|---|---|---|
| ``state`` | the state's store: keys, money, and rates where nothing is shared | closed: 503 |
| ``limits`` | ``--shared``: rates | closed, or open by ``--limits-degraded open`` |
| ``health`` | ``--shared``: how offers fare | open: each process knows what it saw |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from hyperroute.canon.units import SECOND, Instant
from hyperroute.runtime.board import Board
from hyperroute.runtime.sharing import Sharing
from hyperroute.stores.base import Store
from hyperroute.stores.guarding import Guard, GuardedStore
from hyperroute.stores.memory import MemoryStore
from hyperroute.stores.split import SplitStore

LIMITS_PATIENCE_NS: Final = SECOND
"""How long a request waits for a counter: it takes a millisecond where nothing is wrong."""

Degraded = Literal["closed", "open"]


@dataclass(frozen=True, slots=True)
class Dependence:
    """Something that may be down.

    Attributes:
        use: What it is for.
        closes: Nobody is served without it.
    """

    use: str
    closes: bool
    is_down: Callable[[], bool]

    @property
    def down(self) -> bool:
        """Whether it does not answer."""
        return self.is_down()


@dataclass(frozen=True, slots=True)
class SharedState:
    """What a process of a gateway needs of the world beside its providers.

    Attributes:
        store: Keeps everything, behind guards.
        sharing: The board's part in what replicas share; to be started and closed. ``None``: there
            are no others.
        dependences: What may be down.
    """

    store: Store
    sharing: Sharing | None
    dependences: tuple[Dependence, ...]


def shared_state(
    url: str | None,
    state: Store,
    *,
    board: Board,
    now: Callable[[], Instant],
    limits: Degraded = "closed",
) -> SharedState:
    """Put a process's state together; nothing is asked yet, so that nothing need be up.

    Args:
        url: Of the Valkey or Redis that all replicas share (``--shared``); ``None``: none.
        state: Keeps keys and money, and rates too without ``url``; closed with what is returned.
        board: Of the client.
        now: Nanoseconds that never go back: the clock of the board.
        limits: What becomes of rate limits while the shared store is down: nobody passes, or each
            process counts for itself.

    Raises:
        StoreError: The URL cannot be read, or the extra ``redis`` is not installed.
    """
    guard = Guard("state", now=now)
    guarded = GuardedStore(state, guard)
    needed = Dependence("state", closes=True, is_down=lambda: guard.down)
    if url is None:
        return SharedState(guarded, None, (needed,))
    from hyperroute.stores.valkey import ValkeyStore
    from hyperroute.stores.valkey_gossip import ValkeyGossip

    rates_guard = Guard("limits", now=now)
    rates = GuardedStore(
        ValkeyStore(url, patience_ns=LIMITS_PATIENCE_NS),
        rates_guard,
        patience_ns=LIMITS_PATIENCE_NS,
        fallback=MemoryStore(now=now) if limits == "open" else None,
    )
    sharing = Sharing(board, ValkeyGossip(url), now=now)
    return SharedState(
        SplitStore(rates, guarded),
        sharing,
        (
            needed,
            Dependence("limits", closes=limits == "closed", is_down=lambda: rates_guard.down),
            Dependence("health", closes=False, is_down=lambda: not sharing.well),
        ),
    )


__all__ = ["LIMITS_PATIENCE_NS", "Degraded", "Dependence", "SharedState", "shared_state"]
