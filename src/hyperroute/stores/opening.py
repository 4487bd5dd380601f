"""A store by its URL: ``memory:``, ``sqlite:///state.db``, ``postgresql://user@host/database``, ``file:keys.json``.

Of a Postgres URL ``?schema=NAME`` says where our tables are, in place of ``hyperroute``.

``redis://host:port/0`` (or ``valkey``, or over TLS ``rediss``) keeps rate limits and nothing else.

What plugins add (``hyperroute_stores``) is opened in the same way; the shipped ones are a plugin's
too. A password in a URL is never part of a message.

Example:
    >>> store = opened("sqlite:///hyperroute.db", STORES, now=clock.unix_ns, book=book)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hyperroute.canon.units import Instant
from hyperroute.errors import StoreError
from hyperroute.stores.base import Store
from hyperroute.stores.deciding import Book, no_book
from hyperroute.stores.memory import MemoryStore

_FILES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "sqlite": (
            "sqlite:///",
            "sqlite:///name.db in this folder, sqlite:////srv/name.db from the root",
        ),
        "file": ("file:", "file:keys.json in this folder, file:/srv/keys.json from the root"),
    }
)
"""Schemes whose stores are one file: what stands before its path, and how that is written."""


def _memory(url: str, *, now: Callable[[], Instant], book: Book, **_more: Any) -> Store:
    """Open nothing; the clock is that of the machine, so that postings bear a date."""
    if url not in {"memory:", "memory://"}:
        raise StoreError("a store in memory has no path: memory:")
    return MemoryStore(now=now, book=book)


def _sqlite(url: str, *, now: Callable[[], Instant], book: Book, **more: Any) -> Store:
    from hyperroute.stores.sqlite import SqliteStore

    return SqliteStore(_named(url), now=now, book=book, **more)


def _file(url: str, *, now: Callable[[], Instant], book: Book, **_more: Any) -> Store:  # noqa: ARG001 - it keeps no money
    from hyperroute.stores.file import FileStore

    return FileStore(_named(url), now=now)


def _postgres(url: str, *, now: Callable[[], Instant], book: Book, **more: Any) -> Store:  # noqa: ARG001 - the time is the server's
    from hyperroute.stores.postgres import PostgresStore

    bare, _, query = url.partition("?")
    said = [pair for pair in query.split("&") if pair]
    schemas = [pair.removeprefix("schema=") for pair in said if pair.startswith("schema=")]
    rest = "&".join(pair for pair in said if not pair.startswith("schema="))
    schema = (schemas or ["hyperroute"])[-1]
    return PostgresStore(f"{bare}?{rest}" if rest else bare, schema=schema, book=book, **more)


def _valkey(url: str, *, now: Callable[[], Instant], book: Book) -> Store:  # noqa: ARG001 - the time is the server's, and money is elsewhere
    from hyperroute.stores.valkey import ValkeyStore

    return ValkeyStore(url)


STORES: Mapping[str, Callable[..., Store]] = MappingProxyType(
    {
        "file": _file,
        "memory": _memory,
        "sqlite": _sqlite,
        "postgresql": _postgres,
        "postgres": _postgres,
        "redis": _valkey,
        "rediss": _valkey,
        "valkey": _valkey,
        "valkeys": _valkey,
    }
)
"""By scheme."""


def opened(
    url: str,
    stores: Mapping[str, Callable[..., Any]],
    *,
    now: Callable[[], Instant],
    book: Book = no_book,
    patience_ns: int | None = None,
) -> Store:
    """Open the store that a URL names.

    Args:
        url: Its scheme chooses the store, which reads the rest.
        stores: Factories by scheme: those of the registry.
        now: Unix nanoseconds, for stores that have no clock of their own.
        book: ``ledger.book.book`` where it is to keep money.
        patience_ns: How long whoever asks may wait; ``None``: as long as the store has it.

    Raises:
        StoreError: It names none, or that one cannot be opened.
    """
    scheme, colon, _ = url.partition(":")
    factory = stores.get(scheme) if colon else None
    if factory is None:
        # The URL itself is not shown: it may hold a password.
        shown = f"scheme {scheme!r}" if colon else repr(url)
        raise StoreError(f"no store is known for {shown}; one of: {', '.join(sorted(stores))}")
    more = {} if patience_ns is None else {"patience_ns": patience_ns}
    store: Store = factory(url, now=now, book=book, **more)
    return store


def path_of(url: str) -> Path | None:
    """Return the file that a URL names; ``None`` where its scheme is none of files.

    Raises:
        StoreError: It should name one, and does not.
    """
    return _named(url) if url.partition(":")[0] in _FILES else None


def shown(url: str) -> str:
    """Name a store for people: its file, or its server without the user and the password."""
    path = path_of(url)
    if path is not None:
        return str(path)
    scheme, _, rest = url.partition(":")
    server = rest.removeprefix("//").partition("?")[0].rpartition("@")[2]
    return f"{scheme}://{server}" if server else f"{scheme}:"


def _named(url: str) -> Path:
    before, form = _FILES[url.partition(":")[0]]
    _, found, path = url.partition(before)
    if not found or not path or "?" in path:
        raise StoreError(f"{url!r} names no file: {form}")
    return Path(path)


__all__ = ["STORES", "opened", "path_of", "shown"]
