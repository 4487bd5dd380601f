"""Compiled tables kept on disk: read again in a tenth of the time, models only when asked for.

A file is named by a digest of all source bytes, of what plugins add and of the versions that
compiled it, so that nothing stale is ever found. It is JSON, never pickled objects, and begins with
a keyed BLAKE2b of the rest; the key lies beside it in a file that only its owner can read. So
whoever can write to the folder but cannot read the key changes no price. What is not as we left
it is as if it were not there: a cache costs time when it fails, and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate
from pathlib import Path
from typing import Any

from hyperroute.routing.table import RouteTable
from hyperroute.tables.encode import decode, encode
from hyperroute.tables.lazy import LazyOffers, LazyServices
from hyperroute.tables.loaded import Files, Loaded
from hyperroute.tables.vocabulary import PluginWords

FORMAT = "hyperroute compiled table 2"
"""Raise it with every change of what is written or of what it means."""
FILES_MAX = 8
"""Older tables are removed when a new one is written."""
_SEAL_BYTES = 32
_SECTIONS = ("providers", "aliases", "intents", "chains", "policies", "limits", "facts", "patterns")


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of compiled tables."""

    folder: Path

    def key(self, found: Files, plugins: PluginWords | None, *, strict: bool) -> str:
        """Name what would be compiled: every byte of it, and what it is compiled with."""
        made = blake2b(digest_size=20)
        for part in (FORMAT, _library(), _code(), repr(strict), _words(plugins)):
            _add(made, part.encode())
        for name, data in (*found.own, *found.shipped):
            _add(made, name.encode(errors="surrogateescape"))
            _add(made, data)
        return made.hexdigest()

    def read(self, key: str) -> Loaded | None:
        """Give the table of that name, or ``None`` if it is not there as we left it."""
        try:
            secret = self._secret(make=False)
            data = self._path(key).read_bytes()
        except OSError:
            return None
        payload = memoryview(data)[_SEAL_BYTES:]
        if secret is None or not compare_digest(data[:_SEAL_BYTES], _seal(secret, key, payload)):
            return None
        return _open(data)

    def write(self, key: str, loaded: Loaded) -> None:
        """Keep a table, whole or not at all; a folder that cannot be written keeps nothing."""
        payload = _payload(loaded)
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            secret = self._secret(make=True)
            if secret is not None:
                _write(self._path(key), _seal(secret, key, payload) + payload)
                self._prune()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.table"

    def _secret(self, *, make: bool) -> bytes | None:
        """Read the key of this folder, or make it; ``None`` if others could have read it."""
        path = self.folder / "key"
        if make and not path.exists():
            _write(path, secrets.token_bytes(32))
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            theirs = hasattr(os, "geteuid") and state.st_uid != os.geteuid()
            if theirs or (os.name == "posix" and state.st_mode & 0o077):
                return None
            secret = file.read(64)
        return secret if len(secret) >= 32 else None

    def _prune(self) -> None:
        tables = sorted(self.folder.glob("*.table"), key=lambda path: path.stat().st_mtime_ns)
        for path in tables[:-FILES_MAX]:
            path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Write beside, then rename: a reader sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _add(made: Any, data: bytes) -> None:
    made.update(len(data).to_bytes(8, "big"))
    made.update(data)


def _seal(secret: bytes, key: str, payload: bytes | memoryview) -> bytes:
    made = blake2b(key=secret, digest_size=_SEAL_BYTES)
    made.update(key.encode())
    made.update(payload)
    return made.digest()


def _library() -> str:
    try:
        return version("hyperroute")
    except PackageNotFoundError:
        return "unknown"


def _code() -> str:
    """Name the very files that compile, so that a checkout never reads what older code left."""
    with contextlib.suppress(OSError):
        found = ((path.name, path.stat()) for path in sorted(Path(__file__).parent.glob("*.py")))
        return repr([(name, state.st_size, state.st_mtime_ns) for name, state in found])
    return ""


def _words(plugins: PluginWords | None) -> str:
    if plugins is None:
        return "none"
    return json.dumps(
        {
            "providers": {
                name: [sorted((words.options or {}).items()), words.options is None]
                for name, words in plugins.providers.items()
            },
            "does": {word: sorted(kinds) for word, kinds in plugins.does.items()},
            "parameters": sorted(plugins.parameters),
            "meters": dict(plugins.meters),
            "rankings": sorted(plugins.rankings),
            "tables": {name: dict(texts) for name, texts in plugins.tables.items()},
        },
        sort_keys=True,
    )


def _payload(loaded: Loaded) -> bytes:
    """Three lines, then the models: head, the rest of the table, the index of the models."""
    table = loaded.table
    lines = [(name, encode(service).encode()) for name, service in table.services.items()]
    index = [
        [name, len(line), [offer.id for offer in table.services[name].model.offers]]
        for name, line in lines
    ]
    head = encode((table.digest, table.scale, loaded.tests, loaded.warnings, loaded.sources))
    rest = encode({section: getattr(table, section) for section in _SECTIONS})
    parts = (head.encode(), rest.encode(), json.dumps(index, ensure_ascii=False).encode())
    return b"\n".join((*parts, b"".join(line for _, line in lines)))


def _open(data: bytes) -> Loaded:
    first = data.index(b"\n", _SEAL_BYTES)
    second = data.index(b"\n", first + 1)
    third = data.index(b"\n", second + 1)
    digest, scale, tests, warnings, sources = decode(data[_SEAL_BYTES:first])
    rest = decode(data[first + 1 : second])
    index = json.loads(data[second + 1 : third])
    ends = list(accumulate((length for _, length, _ in index), initial=third + 1))
    services = LazyServices(
        data,
        {
            name: (start, start + length)
            for (name, length, _), start in zip(index, ends, strict=False)
        },
    )
    table = RouteTable(
        digest=digest,
        scale=scale,
        services=services,
        offers=LazyOffers(services, {offer: name for name, _, ids in index for offer in ids}),
        **rest,
    )
    return Loaded(table=table, tests=tests, warnings=warnings, sources=sources)
