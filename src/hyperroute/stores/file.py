"""Records in one JSON file, for a gateway on one host: written once, read by every worker.

Laws: the file is replaced, never edited, so that a reader sees all of a commit or nothing, and a
crash leaves the old one; writers take turns by a lock beside it; a reader looks at the file's
identity before each read, and reads it again if somebody replaced it. Mode 0600 from its first
byte. Rate counters are no records: they live in this process, in memory.

It is a file for dozens of keys that people make by hand, not a database: a commit writes all of it.

Example:
    >>> from hyperroute.canon.mutation import Shelved
    >>> store = FileStore("keys.json", now=lambda: 0)
    >>> store.read([Shelved("key")])
    ((),)
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, get_args

from hyperroute.canon.mutation import (
    Commit,
    Delete,
    Found,
    Key,
    Mutation,
    Put,
    RateKey,
    Row,
    RowKey,
    Shelf,
)
from hyperroute.canon.units import Instant
from hyperroute.errors import StoreError
from hyperroute.stores.base import AsyncStore, Immediate
from hyperroute.stores.memory import MemoryStore

FORMAT = 1
"""Of the file: ``{"hyperroute_records": 1, "version": 7, "key": [{"id": …, "body": …}]}``, with a
list for each shelf; one that is empty may be missing, but for that of the keys."""

_SHELVES: Final[tuple[Shelf, ...]] = get_args(Shelf)

BYTES_MAX = 64 * 1024 * 1024
"""A larger file is not ours; reading stops there."""

Seen = tuple[int, int, int]
"""Which file it was: inode, size, time of its last change. A replaced file has another inode."""

_NOTHING: Seen = (0, 0, 0)


class FileStore:
    """Records in a file, rate counters in memory. Safe between threads and processes of one host."""

    def __init__(self, path: str | os.PathLike[str], *, now: Callable[[], Instant]) -> None:
        """Read nothing yet: a file that is not there is an empty one.

        Args:
            path: Of the file; its folder must exist before the first commit of a record.
            now: Nanoseconds of a clock that never goes back, for the rate counters.
        """
        self.path = Path(path)
        self._memory = MemoryStore(now=now, write=self._write)
        self._lock = threading.Lock()
        self._seen: Seen | None = None

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position, from the file as it is now.

        Raises:
            StoreError: The file cannot be read, or is none of ours.
        """
        if not all(isinstance(key, RateKey) for key in keys):
            with self._lock:
                self._refresh()
        return self._memory.read(keys)

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing; a batch with records is durable when it is done.

        Raises:
            StoreError: The file cannot be read or written, or is none of ours.
            ValueError: Two mutations are about the same thing.
        """
        if not any(isinstance(mutation, Put | Delete) for mutation in mutations):
            return self._memory.commit(mutations)
        with self._lock, self._writing():
            self._refresh()
            return self._memory.commit(mutations)

    def awaiting(self) -> AsyncStore:
        """Return the twin over the same state."""
        return Immediate(self)

    def close(self) -> None:
        """Nothing is held open."""

    # --- reading ---------------------------------------------------------------------------------
    def _refresh(self) -> None:
        """Read the file unless it is the one that was read last."""
        try:
            if self._identity() == self._seen:
                return
            with self.path.open("rb") as file:
                seen = _identity(os.fstat(file.fileno()))
                data = file.read(BYTES_MAX + 1)
        except FileNotFoundError:
            seen, data = _NOTHING, b""
        except OSError as error:
            raise self._trouble("read", error) from None
        version, rows = self._parsed(data) if seen != _NOTHING else (0, [])
        self._memory.replace_rows(rows, version=version)
        self._seen = seen

    def _identity(self) -> Seen:
        try:
            return _identity(self.path.stat())
        except FileNotFoundError:
            return _NOTHING

    def _parsed(self, data: bytes) -> tuple[int, list[Row]]:
        if len(data) > BYTES_MAX:
            raise StoreError(f"{str(self.path)!r} is larger than {BYTES_MAX} bytes")
        try:
            document = json.loads(data)
        except ValueError as error:
            raise StoreError(f"{str(self.path)!r} is not JSON: {error}") from None
        if not isinstance(document, dict) or document.get("hyperroute_records") != FORMAT:
            raise StoreError(f'{str(self.path)!r} does not say "hyperroute_records": {FORMAT}')
        try:
            kept = {"key": document["key"]} | document
            rows = [_row(shelf, one) for shelf in _SHELVES for one in kept.get(shelf, ())]
            return int(document["version"]), rows
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"{str(self.path)!r} is damaged: {error!r}") from None

    # --- writing ---------------------------------------------------------------------------------
    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep other writers out, of this host's other processes too."""
        try:
            handle = os.open(
                self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600
            )
        except OSError as error:
            raise self._trouble("locked", error) from None
        try:
            _lock(handle)
            yield
        finally:
            os.close(handle)

    def _write(self, version: int, rows: Sequence[Row]) -> None:
        document: dict[str, Any] = {
            "hyperroute_records": FORMAT,
            "version": version,
            "key": [],
        }
        for row in sorted(rows, key=lambda row: row.key.id):
            document.setdefault(row.key.shelf, []).append(_told(row))
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        try:
            self._seen = _replaced(self.path, text.encode())
        except OSError as error:
            raise self._trouble("written", error) from None

    def _trouble(self, verb: str, error: OSError) -> StoreError:
        return StoreError(f"{str(self.path)!r} cannot be {verb}: {error.strerror}")


def _row(shelf: Shelf, one: Any) -> Row:
    body = json.dumps(one["body"], ensure_ascii=False)
    tags = tuple(sorted((str(name), str(value)) for name, value in one["tags"].items()))
    return Row(RowKey(shelf, str(one["id"])), body, tags, int(one["version"]))


def _told(row: Row) -> dict[str, Any]:
    return {
        "id": row.key.id,
        "version": row.version,
        "tags": dict(row.tags),
        "body": json.loads(row.body),
    }


def _identity(status: os.stat_result) -> Seen:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _replaced(path: Path, data: bytes) -> Seen:
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)  # of a writer that crashed; nobody else holds the lock
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        seen = _identity(os.fstat(file.fileno()))
    draft.replace(path)
    _sync_folder(path.parent)
    return seen


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows; there one process writes, which is how it is used
        return
    fcntl.flock(handle, fcntl.LOCK_EX)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable; some file systems and Windows cannot, and need not."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


__all__ = ["FORMAT", "FileStore"]
