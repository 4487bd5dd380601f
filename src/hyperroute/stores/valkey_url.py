"""Where a Valkey or Redis server is, read from a URL; what connects to it. No password in a message.

Schemes: ``redis`` and ``valkey``; ``rediss`` and ``valkeys`` over TLS. The path is the number of a
database. The one option is ``?prefix=``, for gateways that share a server and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from hyperroute.errors import StoreError

SCHEMES = ("redis", "rediss", "valkey", "valkeys")

PREFIX = "hyperroute"
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server.

    Attributes:
        name: For messages.
        prefix: Of every name that is kept there.
    """

    name: str
    host: str
    port: int
    database: int
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    tls: bool
    prefix: str

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Everything that can go wrong with a connection or a command."""
        import redis

        return (redis.RedisError, OSError, ValueError)

    @property
    def broken(self) -> tuple[type[Exception], ...]:
        """Of these, after what a connection is of no use, and whether it was carried out unknown."""
        import redis

        return (redis.ConnectionError, redis.TimeoutError, redis.InvalidResponse, OSError)

    @property
    def unloaded(self) -> type[Exception]:
        """What the server says of a script that it does not have: nothing was carried out."""
        from redis.exceptions import NoScriptError

        return NoScriptError

    def pool(self, patience_s: float, connections_max: int) -> Any:
        """Make the connections of blocking callers; none is opened yet."""
        from redis.backoff import NoBackoff
        from redis.connection import BlockingConnectionPool, Connection, SSLConnection
        from redis.retry import Retry

        connections: Any = BlockingConnectionPool
        return connections(
            connection_class=SSLConnection if self.tls else Connection,
            max_connections=connections_max,
            timeout=patience_s,
            retry=Retry(NoBackoff(), 0),
            **self._settings(patience_s),
        )

    def awaiting_connection(self, patience_s: float) -> Any:
        """Make the connection of an event loop; it is not opened yet."""
        from redis.asyncio.connection import Connection, SSLConnection
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        kind: Any = SSLConnection if self.tls else Connection
        return kind(retry=Retry(NoBackoff(), 0), **self._settings(patience_s))

    def _settings(self, patience_s: float) -> dict[str, Any]:
        return {
            "host": self.host,
            "port": self.port,
            "db": self.database,
            "username": self.username,
            "password": self.password,
            "socket_timeout": patience_s,
            "socket_connect_timeout": patience_s,
            "retry_on_error": [],
            "protocol": 2,
            "client_name": PREFIX,
        }


def server_at(url: str) -> Server:
    """Read a URL.

    Raises:
        StoreError: It cannot be read, or the extra ``redis`` is not installed.
    """
    if find_spec("redis") is None:
        raise StoreError("Valkey and Redis need an extra: pip install 'hyperroute[redis]'")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "localhost", parts.port or 6379
        options = dict(
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        )
    except ValueError:
        raise StoreError("the URL of the Valkey or Redis server cannot be read") from None
    if parts.scheme not in SCHEMES or not url.startswith(f"{parts.scheme}://"):
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise StoreError(
            f"the URL of a Valkey or Redis server begins with one of {known}, not {parts.scheme!r}"
        )
    number = parts.path.removeprefix("/") or "0"
    if not (number.isascii() and number.isdecimal()):
        raise StoreError(
            f"the path of a Valkey or Redis URL is a database's number, not {number!r}"
        )
    prefix = options.pop("prefix", PREFIX)
    if options:
        raise StoreError(f"a Valkey or Redis URL has no option {min(options)!r}; only prefix")
    if not _WORD.fullmatch(prefix):
        raise StoreError(f"the prefix of a Valkey or Redis URL is a word, not {prefix!r}")
    shown = f"[{host}]" if ":" in host else host
    return Server(
        name=f"Valkey at {shown}:{port}/{number}",
        host=host,
        port=port,
        database=int(number),
        username=None if not parts.username else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        tls=parts.scheme in {"rediss", "valkeys"},
        prefix=prefix,
    )


__all__ = ["PREFIX", "SCHEMES", "Server", "server_at"]
