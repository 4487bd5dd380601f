"""A store by its URL: ``memory:``, ``sqlite:///hyperroute.db``, ``postgresql://user@host/database``.

What plugins add (``hyperroute_stores``) is opened in the same way; the shipped ones are a plugin's
too. A password in a URL is never part of a message.

Example:
    >>> store = opened("sqlite:///hyperroute.db", STORES, now=clock.unix_ns, book=book)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.canon.units import Instant
from hyperroute.errors import StoreError
from hyperroute.stores.base import Store
from hyperroute.stores.deciding import Book, no_book
from hyperroute.stores.memory import MemoryStore


def _memory(url: str, *, now: Callable[[], Instant], book: Book) -> Store:
    """Open nothing; the clock is that of the machine, so that postings bear a date."""
    if url not in {"memory:", "memory://"}:
        raise StoreError("a store in memory has no path: memory:")
    return MemoryStore(now=now, book=book)


def _sqlite(url: str, *, now: Callable[[], Instant], book: Book) -> Store:
    from hyperroute.stores.sqlite import SqliteStore

    _, slashes, path = url.partition("sqlite:///")
    if not slashes or not path or "?" in path:
        raise StoreError(
            f"{url!r} names no file: sqlite:///name.db in this folder, sqlite:////srv/name.db from the root"
        )
    return SqliteStore(path, now=now, book=book)


def _postgres(url: str, *, now: Callable[[], Instant], book: Book) -> Store:  # noqa: ARG001 - the time is the server's
    from hyperroute.stores.postgres import PostgresStore

    return PostgresStore(url, book=book)


STORES: Mapping[str, Callable[..., Store]] = MappingProxyType(
    {"memory": _memory, "sqlite": _sqlite, "postgresql": _postgres, "postgres": _postgres}
)
"""By scheme."""


def opened(
    url: str,
    stores: Mapping[str, Callable[..., Any]],
    *,
    now: Callable[[], Instant],
    book: Book = no_book,
) -> Store:
    """Open the store that a URL names.

    Args:
        url: Its scheme chooses the store, which reads the rest.
        stores: Factories by scheme: those of the registry.
        now: Unix nanoseconds, for stores that have no clock of their own.
        book: ``ledger.book.book`` where it is to keep money.

    Raises:
        StoreError: It names none, or that one cannot be opened.
    """
    scheme, colon, _ = url.partition(":")
    factory = stores.get(scheme) if colon else None
    if factory is None:
        # The URL itself is not shown: it may hold a password.
        shown = f"scheme {scheme!r}" if colon else repr(url)
        raise StoreError(f"no store is known for {shown}; one of: {', '.join(sorted(stores))}")
    store: Store = factory(url, now=now, book=book)
    return store


__all__ = ["STORES", "opened"]
