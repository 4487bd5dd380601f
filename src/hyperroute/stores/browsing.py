"""How questions about many rows (``asking.browses``) wait for one another, and for nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self, TypeVar

from hyperroute.errors import StoreError

R = TypeVar("R")

BROWSERS_MAX: Final = 4
"""Questions that are asked or wait for their turn; whoever comes then is refused at once."""


class Turns:
    """One at a time, and only so many who wait. Safe between threads.

    Awaiting callers ask and wait in threads of their own, one more than may wait, to refuse the
    others; and not in the loop's threads, which keys may be read in.

    Attributes:
        turn: Held by the one who asks.
    """

    def __init__(self, most: int = BROWSERS_MAX) -> None:
        """Begin with nobody."""
        self._places = threading.BoundedSemaphore(most)
        self.turn = threading.Lock()
        self._threads = ThreadPoolExecutor(most + 1, "hyperroute-browsing")

    async def awaited(self, ask: Callable[[], R]) -> R:
        """Ask in a thread; ``ask`` takes a turn.

        Raises:
            StoreError: As of ``ask``, or there are no turns any longer.
        """
        try:
            asking = asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except RuntimeError as error:
            raise StoreError("the store is closed") from error
        return await asking

    def close(self) -> None:
        """End the threads once everybody had a turn."""
        self._threads.shutdown()

    def __enter__(self) -> Self:
        """Wait for a turn.

        Raises:
            StoreError: Too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise StoreError("too many questions about many rows are asked at once")
        self.turn.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the turn to the next."""
        self.turn.release()
        self._places.release()


__all__ = ["BROWSERS_MAX", "Turns"]
