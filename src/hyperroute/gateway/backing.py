"""What stands behind one worker of a server, for as long as it runs: its store, and its replicas."""

from __future__ import annotations

import asyncio

from hyperroute.runtime.replicas import SharedState
from hyperroute.stores.base import AsyncStore


class Backing:
    """Started first and closed last: whatever else works in the background needs the store.

    Attributes:
        store: The one of the shared state, awaited.
    """

    def __init__(self, shared: SharedState) -> None:
        """Take what was put together; nothing is asked yet."""
        self.store: AsyncStore = shared.store.awaiting()
        self._sharing = shared.sharing

    def start(self) -> None:
        """Begin to share health."""
        if self._sharing is not None:
            self._sharing.start()

    async def close(self) -> None:
        """Tell the others what is left to tell, and let go of the store."""
        if self._sharing is not None:
            await asyncio.to_thread(self._sharing.close)
        await self.store.close()


__all__ = ["Backing"]
