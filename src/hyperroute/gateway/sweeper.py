"""Sweeps a store for as long as a process serves: a task, or a thread.

The first round comes a whole wait after the start, because whoever restarts is not in a hurry: what
its last life left behind is vouched for until its lease is over.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress

from hyperroute.canon.units import SECOND
from hyperroute.errors import StoreError
from hyperroute.ledger.sweeping import PERIOD_NS, Swept, sweep, sweep_awaiting, wait_ns
from hyperroute.runtime.ports import AsyncClock
from hyperroute.stores.base import AsyncStore, Store

_log = logging.getLogger("hyperroute")

Dice = Callable[[], int]
"""Draws from 0 to 1,000."""


def _dice() -> int:
    return secrets.randbelow(1_001)


class AsyncSweeper:
    """A task that sweeps. Belongs to one event loop."""

    def __init__(
        self,
        store: AsyncStore,
        clock: AsyncClock,
        *,
        period_ns: int = PERIOD_NS,
        dice: Dice = _dice,
    ) -> None:
        """Begin nothing yet."""
        self._store = store
        self._clock = clock
        self._period_ns = period_ns
        self._dice = dice
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep; a second time changes nothing."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Stop, in the middle of a round too."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        failures = 0
        while True:
            await self._clock.sleep(wait_ns(self._period_ns, failures, self._dice()))
            try:
                _tell(await sweep_awaiting(self._store))
                failures = 0
            except StoreError as error:
                failures += 1
                _log.warning("holds are not swept: %s", error)


class Sweeper:
    """A thread that sweeps."""

    def __init__(self, store: Store, *, period_ns: int = PERIOD_NS, dice: Dice = _dice) -> None:
        """Begin nothing yet."""
        self._store = store
        self._period_ns = period_ns
        self._dice = dice
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hyperroute-sweeper", daemon=True)

    def start(self) -> None:
        """Begin to sweep."""
        self._thread.start()

    def close(self) -> None:
        """Stop, once the round that may be under way is over."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stop.wait(wait_ns(self._period_ns, failures, self._dice()) / SECOND):
            try:
                _tell(sweep(self._store))
                failures = 0
            except StoreError as error:
                failures += 1
                _log.warning("holds are not swept: %s", error)


def _tell(swept: Swept) -> None:
    if swept != Swept():
        _log.info("swept: %s", swept)


__all__ = ["AsyncSweeper", "Sweeper"]
