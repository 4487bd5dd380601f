"""The machine's clock behind the ports: the one place that reads the time."""

from __future__ import annotations

import asyncio
import time

_SECOND = 1_000_000_000


class SystemClock:
    """Monotonic nanoseconds of this machine."""

    now = staticmethod(time.monotonic_ns)
    """The current instant; it only compares with others of the same boot."""

    unix_ns = staticmethod(time.time_ns)
    """Unix time, which may jump; never subtract two of them."""

    def sleep(self, ns: int) -> None:
        """Block the calling thread; a wait that is already over returns at once."""
        if ns > 0:
            time.sleep(ns / _SECOND)


class AsyncSystemClock:
    """The same clock, awaited."""

    now = staticmethod(time.monotonic_ns)
    """The current instant; it only compares with others of the same boot."""

    unix_ns = staticmethod(time.time_ns)
    """Unix time, which may jump; never subtract two of them."""

    async def sleep(self, ns: int) -> None:
        """Suspend the calling task; a wait that is already over still lets others run."""
        await asyncio.sleep(max(0, ns) / _SECOND)
