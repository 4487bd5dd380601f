"""A store that may be down, guarded: how long a verb may take, when it is not even asked, and what then.

| use | kept there | while it is down |
|---|---|---|
| ``state`` | keys, money | closed: ``StoreError``, which a gateway tells as 503 |
| ``limits`` | rate counters | closed; or open, where the operator says so: each process counts for itself |
| ``health`` | how offers fare | open: each process knows what it saw (``runtime.sharing``) |

After a few failures in a row the breaker opens, and from then on whoever asks is told at once: no
request waits for a server that is known not to answer, and none piles up behind it. Every second or
so one verb is let through as a probe; two good ones close it. What is a batch's own fault (``misfit``,
a defect of the caller) says nothing of the store, nor does a question about so many rows that it was
given up: else whoever may ask for a report could shut the door for everybody.

It is the breaker of the offers (``routing.health``), with other figures.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from hyperroute.canon.mutation import Charge, Commit, Correct, Found, Key, Mutation, RateKey
from hyperroute.canon.units import SECOND, Instant
from hyperroute.catalog.card import Breaker, OpenInRow
from hyperroute.errors import StoreError
from hyperroute.routing.health import CLOSED, Verdict, probing, settled, standing
from hyperroute.stores.asking import browses
from hyperroute.stores.base import AsyncStore, Store

T = TypeVar("T")

BREAKER: Final = Breaker(open=(OpenInRow(5),), cool_ns=SECOND, cool_max_ns=10 * SECOND)

PATIENCE_NS: Final = 5 * SECOND
"""Of one verb, awaited; a blocking one takes as long as the store was told at construction."""

FLYING_MAX: Final = 1_000
"""Verbs in flight at one time; whoever comes then is refused at once."""


class Guard:
    """What both colours know of how a store fares. Safe between threads."""

    def __init__(
        self,
        use: str,
        *,
        now: Callable[[], Instant],
        breaker: Breaker = BREAKER,
        flying_max: int = FLYING_MAX,
    ) -> None:
        """Begin with the best of opinions.

        Args:
            use: What the store is for, as operators know it; in messages.
            now: Nanoseconds of a clock that never goes back.
            breaker: When to stop asking, and for how long.
            flying_max: As of ``FLYING_MAX``.
        """
        self.use = use
        self._now, self._breaker, self._flying_max = now, breaker, flying_max
        self._lock = threading.Lock()
        self._circuit = CLOSED
        self._flying = 0
        self._failed = False

    @property
    def down(self) -> bool:
        """Whether the store did not answer when it was last asked, or is not asked any more."""
        return self._failed or self._circuit.until is not None

    @contextmanager
    def asking(self, keys: Sequence[Key] = ()) -> Iterator[None]:
        """Let one verb through, and learn from how it ends.

        Args:
            keys: That it asks for.

        Raises:
            StoreError: The store is not asked now.
        """
        began = self._begin()
        verdict: Verdict = "neutral"
        try:
            yield
            verdict = "good"
        except StoreError as error:
            verdict = "neutral" if error.misfit or browses(keys) else "bad"
            raise
        finally:
            self._end(began, verdict)

    def late(self, patience_ns: int, *, unknown: bool) -> StoreError:
        """Say that a verb was given up."""
        message = f"the store of {self.use} did not answer within {patience_ns / SECOND:g} s"
        return StoreError(message, unknown=unknown)

    def _begin(self) -> Instant:
        with self._lock:
            now = self._now()
            match standing(self._circuit, now):
                case "open" | "probing":
                    raise StoreError(
                        f"the store of {self.use} is down, and is not asked for a while"
                    )
                case "half_open":
                    self._circuit = probing(self._circuit, now)
                case "closed" if self._flying >= self._flying_max:
                    raise StoreError(f"{self._flying_max} callers wait for the store of {self.use}")
                case _:
                    pass
            self._flying += 1
            return now

    def _end(self, began: Instant, verdict: Verdict) -> None:
        with self._lock:
            self._flying -= 1
            if verdict != "neutral":
                self._failed = verdict == "bad"
            self._circuit = settled(
                self._circuit,
                verdict,
                started_at=began,
                now=self._now(),
                breaker=self._breaker,
                name=self.use,
            )


class GuardedStore:
    """A store behind a guard."""

    def __init__(
        self,
        store: Store,
        guard: Guard,
        *,
        patience_ns: int = PATIENCE_NS,
        fallback: Store | None = None,
    ) -> None:
        """Take over a store, which is closed with this one.

        Args:
            store: The one that may be down.
            guard: Knows how it fares.
            patience_ns: As of ``PATIENCE_NS``.
            fallback: Counts rates while the store is down (degrades open); ``None``: nothing is
                counted, and so nothing passes (degrades closed).
        """
        self._store, self._guard, self._patience_ns = store, guard, patience_ns
        self._fallback = fallback

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position.

        Raises:
            StoreError: The store cannot answer, or is not asked now.
        """
        try:
            with self._guard.asking(keys):
                return self._store.read(keys)
        except StoreError as error:
            if self._fallback is None or error.misfit or not _counted(keys):
                raise
            return self._fallback.read(keys)

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing.

        Raises:
            StoreError: The store cannot answer, or is not asked now.
            ValueError: Two mutations are about the same thing.
        """
        try:
            with self._guard.asking():
                return self._store.commit(mutations)
        except StoreError as error:
            if self._fallback is None or error.misfit or not _counting(mutations):
                raise
            return self._fallback.commit(mutations)

    def awaiting(self) -> AsyncStore:
        """Return the twin over the same store, behind the same guard."""
        return AwaitingGuarded(
            self._store.awaiting(),
            self._guard,
            patience_ns=self._patience_ns,
            fallback=self._fallback,
        )

    def close(self) -> None:
        """Close the store."""
        self._store.close()


class AwaitingGuarded:
    """The awaiting twin, which also gives up what takes too long."""

    def __init__(
        self, store: AsyncStore, guard: Guard, *, patience_ns: int, fallback: Store | None
    ) -> None:
        """Take over a store; arguments as of ``GuardedStore``. The fallback must not wait."""
        self._store, self._guard, self._patience_ns = store, guard, patience_ns
        self._fallback = fallback

    async def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position.

        Raises:
            StoreError: The store cannot answer in time, or is not asked now.
        """
        try:
            with self._guard.asking(keys):
                return await self._within(self._store.read(keys), unknown=False)
        except StoreError as error:
            if self._fallback is None or error.misfit or not _counted(keys):
                raise
            return self._fallback.read(keys)

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing.

        Raises:
            StoreError: The store cannot answer in time (``unknown``), or is not asked now.
            ValueError: Two mutations are about the same thing.
        """
        try:
            with self._guard.asking():
                return await self._within(self._store.commit(mutations), unknown=True)
        except StoreError as error:
            if self._fallback is None or error.misfit or not _counting(mutations):
                raise
            return self._fallback.commit(mutations)

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()

    async def _within(self, verb: Coroutine[Any, Any, T], *, unknown: bool) -> T:
        try:
            async with asyncio.timeout(self._patience_ns / SECOND):
                return await verb
        except TimeoutError:
            raise self._guard.late(self._patience_ns, unknown=unknown) from None


def _counted(keys: Sequence[Key]) -> bool:
    return all(isinstance(key, RateKey) for key in keys) and bool(keys)


def _counting(mutations: Sequence[Mutation]) -> bool:
    return all(isinstance(one, Charge | Correct) for one in mutations)


__all__ = ["BREAKER", "FLYING_MAX", "PATIENCE_NS", "AwaitingGuarded", "Guard", "GuardedStore"]
