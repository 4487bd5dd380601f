"""A command's store: opened by its URL, closed when the command is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperroute.stores.base import Store


@contextmanager
def opened_state(
    url: str, *, makes: bool = False, patience_ns: int | None = None
) -> Iterator[Store]:
    """Open a store for one command.

    Args:
        url: Where it is.
        makes: Make its database if there is none; else that is an error, because whoever asks about
            one that is not there has most likely mistyped its name.
        patience_ns: How long it may take to answer; ``None``: as long as a request would wait.

    Raises:
        StoreError: It cannot be opened, or is not there.
    """
    from hyperroute.errors import StoreError
    from hyperroute.ledger.book import book
    from hyperroute.runtime.clock import SystemClock
    from hyperroute.stores.opening import STORES, opened, path_of

    path = path_of(url)
    if not makes and path is not None and not url.startswith("file:") and not path.exists():
        raise StoreError(f"there is no state at {str(path)!r} yet; --state names another place")
    stores: Mapping[str, Callable[..., object]] = STORES
    if url.partition(":")[0] not in stores:
        from hyperroute.plugins.registry import discover

        stores = discover().stores
    now = SystemClock.unix_ns
    with closing(opened(url, stores, now=now, book=book, patience_ns=patience_ns)) as store:
        yield store


__all__ = ["opened_state"]
