"""The two verbs of every store, blocking and awaiting.

* ``read(keys)`` answers each key by its position, all of one instant.
* ``commit(mutations)`` carries out all of a batch or nothing, and says which and why. A batch names
  a counter or a record once at most; what it reads of one is what stood there before the batch.

A store that cannot answer raises ``StoreError``, and whoever asked fails closed: what is kept here
is exact. A store never waits longer than it was told at construction, and never retries a commit:
of one whose fate is ``unknown`` it says so, and the caller reads back what it wrote.

Example:
    >>> from hyperroute.stores.memory import MemoryStore
    >>> from hyperroute.canon.mutation import Put, RowKey
    >>> store = MemoryStore(now=lambda: 0)
    >>> store.commit([Put(RowKey("key", "k1"), "{}", expected=0)])
    Commit(done=True, outcomes=(Stored(version=1),))
    >>> store.commit([Put(RowKey("key", "k1"), "{}", expected=0)])
    Commit(done=False, outcomes=(Changed(found=1),))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hyperroute.canon.mutation import Commit, Found, Key, Mutation


class Store(Protocol):
    """Keeps what outlives a request. Safe to use from many threads at once."""

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position. Raises ``StoreError``."""
        ...

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing. Raises ``StoreError``."""
        ...

    def awaiting(self) -> AsyncStore:
        """Return the twin over the same state; closing it closes this."""
        ...

    def close(self) -> None:
        """Finish what was begun, and let go; closing twice is closing once."""
        ...


class AsyncStore(Protocol):
    """Keeps what outlives a request, awaited."""

    async def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position. Raises ``StoreError``."""
        ...

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing. Raises ``StoreError``."""
        ...

    async def close(self) -> None:
        """Finish what was begun, and let go; closing twice is closing once."""
        ...


class Immediate:
    """The awaiting twin of a store whose verbs take microseconds: it simply calls them."""

    def __init__(self, store: Store) -> None:
        """Wrap a store that waits for nothing: memory, or a file that is only looked at."""
        self._store = store

    async def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position.

        Raises:
            StoreError: The store cannot answer.
        """
        return self._store.read(keys)

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing.

        Raises:
            StoreError: The store cannot answer.
        """
        return self._store.commit(mutations)

    async def close(self) -> None:
        """Let go."""
        self._store.close()


__all__ = ["AsyncStore", "Immediate", "Store"]
