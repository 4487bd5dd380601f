"""Rate counters in Lua: one script for a batch, which decides all of it and then writes all or nothing.

What a batch means is not written a second time. The script finds out whether everything fits, which
it must know before it writes, and answers with what stood there and the time; outcomes are then told
by ``deciding.decide`` from just that, as in every other store (decision 0029).

Lua reckons in doubles, exact up to 2^53, and an instant in nanoseconds is larger. So a duration is
three integers, ``seconds``, ``nanoseconds`` and ``parts`` of ``amount``: of them the script only adds,
subtracts and compares. What would take a product is divided out before it is sent. Only a counter
that was kept under another amount is rescaled there, bit by bit, which no product enters either.

Example:
    >>> duration(7 * 1_000_000_000, amount=2)
    (3, 500000000, 0)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from hyperroute.canon.mutation import Charge, Commit, Correct, RateKey, Tat
from hyperroute.canon.units import SECOND
from hyperroute.errors import StoreError
from hyperroute.stores.deciding import decide, no_book

Rated = Charge | Correct
"""What this script can do."""

EXACT_MAX: Final = 1 << 52
"""Every number is smaller, so that a sum of two is exact in a double."""

MISFIT: Final = "MISFIT"
"""What an error of the script begins with that is about this batch and not about the server."""

BATCH: Final = """
local SECOND, EXACT_MAX = 1000000000, 4503599627370496
local now_s, now_n = tonumber(ARGV[1]), tonumber(ARGV[2])
if not now_s then
  local time = redis.call('TIME')
  now_s, now_n = tonumber(time[1]), tonumber(time[2]) * 1000
end

-- The least integer that is not below part * amount / of, without the product: long division.
local function rescaled(part, amount, of)
  local bits, rest = {}, amount
  while rest > 0 do
    bits[#bits + 1] = rest % 2
    rest = math.floor(rest / 2)
  end
  local quotient, left = 0, 0
  for at = #bits, 1, -1 do
    quotient, left = quotient * 2, left * 2
    if left >= of then quotient, left = quotient + 1, left - of end
    if bits[at] == 1 then
      left = left + part
      if left >= of then quotient, left = quotient + 1, left - of end
    end
  end
  if left > 0 then quotient = quotient + 1 end
  return quotient
end

local function sum(s, n, p, more_s, more_n, more_p, amount)
  s, n, p = s + more_s, n + more_n, p + more_p
  if p >= amount then n, p = n + 1, p - amount end
  if n >= SECOND then s, n = s + 1, n - SECOND end
  return s, n, p
end

local function rest(s, n, p, less_s, less_n, less_p, amount)
  s, n, p = s - less_s, n - less_n, p - less_p
  if p < 0 then n, p = n - 1, p + amount end
  if n < 0 then s, n = s - 1, n + SECOND end
  if s < 0 then return 0, 0, 0 end
  return s, n, p
end

-- How far a counter is ahead of now; never behind it.
local function ahead(found, amount)
  if not found then return 0, 0, 0 end
  local s, n, p, of = string.match(found, '^(%d+) (%d+) (%d+) (%d+)$')
  s, n, p, of = tonumber(s) - now_s, tonumber(n) - now_n, tonumber(p), tonumber(of)
  if n < 0 then s, n = s - 1, n + SECOND end
  if s < 0 then return 0, 0, 0 end
  if of ~= amount then p = rescaled(p, amount, of) end
  return sum(s, n, 0, 0, 0, p, amount)
end

local done, told, coming = 1, {}, {}
for at, key in ipairs(KEYS) do
  local first = 4 + (at - 1) * 8
  local way, amount = ARGV[first], tonumber(ARGV[first + 1])
  local by_s, by_n, by_p = tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3]), tonumber(ARGV[first + 4])
  local room_s, room_n, room_p = tonumber(ARGV[first + 5]), tonumber(ARGV[first + 6]), tonumber(ARGV[first + 7])
  local found = redis.call('GET', key)
  local s, n, p = ahead(found, amount)
  if way == 'back' then
    s, n, p = rest(s, n, p, by_s, by_n, by_p, amount)
  else
    s, n, p = sum(s, n, p, by_s, by_n, by_p, amount)
  end
  if s >= EXACT_MAX then return redis.error_reply('MISFIT a counter is too far ahead') end
  if way == 'fit' then
    local over = s > room_s
    if s == room_s then over = n > room_n or (n == room_n and p > room_p) end
    if over then done = 0 end
  end
  told[at] = found or ''
  coming[at] = {s, n, p, amount}
end
if done == 1 then
  for at, key in ipairs(KEYS) do
    local s, n, p, amount = unpack(coming[at])
    if s == 0 and n == 0 and p == 0 then
      redis.call('DEL', key)
    else
      local live_ms = s * 1000 + math.ceil((n + 1) / 1000000) + tonumber(ARGV[3])
      s, n, p = sum(s, n, p, now_s, now_n, 0, amount)
      redis.call('SET', key, string.format('%.0f %.0f %.0f %.0f', s, n, p, amount),
        'PX', string.format('%.0f', live_ms))
    end
  end
end
return {done, string.format('%.0f', now_s), string.format('%.0f', now_n), unpack(told)}
"""
"""``KEYS``: a counter each. ``ARGV``: the time (seconds, nanoseconds; empty: the server's own), how
many milliseconds longer than needed a counter is kept, and eight of each counter: ``fit``, ``take``
or ``back``, the amount, and two durations, by how much and what fits at most."""

_flat = json.JSONEncoder(separators=(",", ":")).encode


def duration(ahead: int, *, amount: int) -> tuple[int, int, int]:
    """Divide what is reckoned in ``1 / amount`` nanoseconds into seconds, nanoseconds and parts."""
    whole, parts = divmod(ahead, amount)
    return *divmod(whole, SECOND), parts


def place(key: RateKey, prefix: str) -> str:
    """Name a counter: every name has one hash tag, so that a batch lies in one slot of a cluster."""
    return f"{{{prefix}}}:rate:{_flat([key.limit, key.meter, key.subject])}"


def asked(
    mutations: Sequence[Rated], *, prefix: str, now: int | None, slack_ms: int
) -> list[str | int]:
    """Write what follows the script: the number of keys, the keys, the arguments.

    Args:
        mutations: No two of the same counter.
        prefix: Of the names.
        now: Nanoseconds, where they are not the server's.
        slack_ms: How much longer than needed a counter is kept.

    Raises:
        StoreError: A number is larger than the script reckons exactly.
        ValueError: Two mutations are about the same counter.
    """
    keys = [place(mutation.key, prefix) for mutation in mutations]
    if len(set(keys)) < len(keys):
        twice = next(one.key for at, one in enumerate(mutations) if keys[at] in keys[:at])
        raise ValueError(f"a batch changes {twice!r} twice; make it one mutation")
    time: tuple[str | int, str | int] = ("", "") if now is None else divmod(now, SECOND)
    arguments: list[str | int] = [*time, slack_ms]
    for mutation in mutations:
        arguments += _terms(mutation)
    return [len(keys), *keys, *arguments]


def answered(mutations: Sequence[Rated], reply: Sequence[Any]) -> Commit:
    """Read what the script answered."""
    done, seconds, nanoseconds, *texts = reply
    found = {mutation.key: tat(text) for mutation, text in zip(mutations, texts, strict=True)}

    def find(key: object) -> Tat | None:
        assert isinstance(key, RateKey)
        return found[key]

    now = int(seconds) * SECOND + int(nanoseconds)
    commit, _ = decide(mutations, find, book=no_book, now=now, version=0)
    assert commit.done == bool(done), "the script and gcra.py disagree"
    return commit


def tat(text: bytes | None) -> Tat | None:
    """Read a counter as the script wrote it."""
    if not text:
        return None
    seconds, nanoseconds, part, of = map(int, text.split())
    return Tat(seconds * SECOND + nanoseconds, part, of)


def _terms(mutation: Rated) -> tuple[str | int, ...]:
    pace, units = mutation.pace, mutation.units
    by = duration(abs(units) * pace.period_ns, amount=pace.amount)
    room = duration(pace.burst * pace.period_ns, amount=pace.amount)
    if max(pace.amount, by[0], room[0]) >= EXACT_MAX:
        raise StoreError(f"{units} units at {pace} are beyond what a counter can hold", misfit=True)
    if isinstance(mutation, Charge):
        assert units >= 1
        way = "fit"
    else:
        way = "back" if units < 0 else "take"
    return way, pace.amount, *by, *room


__all__ = ["BATCH", "EXACT_MAX", "MISFIT", "Rated", "answered", "asked", "duration", "place", "tat"]
