"""Replicas meet in Valkey or Redis (extra ``redis``): one script an exchange, over one connection.

Words are a stream, which gives them their order and their age; leases are keys that expire; the
replicas are a sorted set by when they were heard of. From Redis 6.2 on, and with every Valkey.
"""

from __future__ import annotations

import threading
from hashlib import sha1
from secrets import token_hex
from typing import Any, Final

from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.errors import StoreError
from hyperroute.stores.gossiping import (
    KEPT_NS,
    LEASE_NS,
    LIVE_NS,
    PAGE,
    WORDS_MAX,
    Incoming,
    Outgoing,
)
from hyperroute.stores.valkey_url import server_at

PATIENCE_NS: Final = SECOND
"""How long a connection may take to open, and the server to answer."""

EXCHANGE: Final = """
local log, replicas = KEYS[1], KEYS[2]
local me, since = ARGV[1], ARGV[2]
local live_ms, lease_ms, kept_ms = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local words_max, page = ARGV[6], tonumber(ARGV[7])
local words, wanted, kept, freed = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function text(ms) return string.format('%.0f', ms) end

redis.call('ZADD', replicas, text(now_ms), me)
redis.call('ZREMRANGEBYSCORE', replicas, '-inf', text(now_ms - live_ms))
redis.call('PEXPIRE', replicas, text(live_ms))

for at = 12, 11 + words do
  redis.call('XADD', log, 'MAXLEN', '~', words_max, '*', 'by', me, 'word', ARGV[at])
end
if words > 0 then
  redis.call('XTRIM', log, 'MINID', '~', text(now_ms - kept_ms))
  redis.call('PEXPIRE', log, text(kept_ms))
end

local granted = {}
for at = 3, #KEYS do
  local owner = redis.call('GET', KEYS[at])
  if at < 3 + wanted then
    if not owner or owner == me then
      redis.call('SET', KEYS[at], me, 'PX', text(lease_ms))
      granted[#granted + 1] = at - 3
    end
  elseif owner == me then
    if at < 3 + wanted + kept then
      redis.call('PEXPIRE', KEYS[at], text(lease_ms))
    else
      redis.call('DEL', KEYS[at])
    end
  end
end

local from = '(' .. since
if since == '' then from = text(now_ms - kept_ms) end
return {text(now_ms), redis.call('ZCARD', replicas), granted,
  redis.call('XRANGE', log, from, '+', 'COUNT', page)}
"""

_SHA: Final = sha1(EXCHANGE.encode(), usedforsecurity=False).hexdigest()


class ValkeyGossip:
    """One replica's way to the others. Safe between threads, which take turns."""

    def __init__(self, url: str, *, patience_ns: int = PATIENCE_NS) -> None:
        """Prepare to connect; nobody is told before the first exchange.

        Args:
            url: As of ``ValkeyStore``.
            patience_ns: As of ``PATIENCE_NS``.

        Raises:
            StoreError: The URL cannot be read, or the extra ``redis`` is not installed.
        """
        self._server = server_at(url)
        self._pool = self._server.pool(patience_ns / SECOND, 1)
        self._me = token_hex(8)
        self._lock = threading.Lock()

    def exchange(self, out: Outgoing) -> Incoming:
        """Say and hear.

        Raises:
            StoreError: Perhaps it was said, and nothing was heard.
        """
        words = self._spelt(out)
        with self._lock:
            try:
                try:
                    reply = self._ask("EVALSHA", _SHA, *words)
                except self._server.unloaded:
                    reply = self._ask("EVAL", EXCHANGE, *words)
            except self._server.errors as error:
                said = " ".join(str(error).split())
                raise StoreError(f"{self._server.name} does not answer: {said}") from None
        return self._heard(out, reply)

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.disconnect()

    def _ask(self, *words: str | int) -> Any:
        connection = self._pool.get_connection()
        try:
            connection.send_command(*words)
            return connection.read_response()
        except self._server.broken:
            connection.disconnect()
            raise
        finally:
            self._pool.release(connection)

    def _spelt(self, out: Outgoing) -> list[str | int]:
        tag = f"{{{self._server.prefix}}}"
        leases = [f"{tag}:probe:{name}" for name in (*out.wanted, *out.kept, *out.freed)]
        keys = [f"{tag}:words", f"{tag}:replicas", *leases]
        durations = [ns // MILLISECOND for ns in (LIVE_NS, LEASE_NS, KEPT_NS)]
        counts = [len(them) for them in (out.words, out.wanted, out.kept, out.freed)]
        arguments: list[str | int] = [
            self._me,
            out.since,
            *durations,
            WORDS_MAX,
            PAGE,
            *counts,
            *out.words,
        ]
        return [len(keys), *keys, *arguments]

    def _heard(self, out: Outgoing, reply: Any) -> Incoming:
        now_ms, replicas, granted, entries = reply
        words: list[tuple[str, int]] = []
        since = out.since
        for id_, (_, by, _, word) in entries:
            since = id_.decode()
            said_ms, _, _ = since.partition("-")
            if by.decode() != self._me:
                age_ns = max(0, int(now_ms) - int(said_ms)) * MILLISECOND
                words.append((word.decode("utf-8", "replace"), age_ns))
        return Incoming(
            words=tuple(words),
            granted=tuple([out.wanted[at] for at in granted]),
            replicas=int(replicas),
            since=since,
            more=len(entries) == PAGE,
        )


__all__ = ["EXCHANGE", "PATIENCE_NS", "ValkeyGossip"]
