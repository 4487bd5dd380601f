"""The advisory state that all runs of a client share: in memory, behind one lock, bounded.

Nothing here is needed to be right: losing it costs attempts. It survives a reload of the tables,
because it is kept by name (invariant 51).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, Protocol

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.units import Instant
from hyperroute.catalog.card import Breaker
from hyperroute.routing import gossip
from hyperroute.routing.health import (
    CLOSED,
    DEFAULT_BREAKER,
    FULL,
    Bucket,
    Circuit,
    Cooling,
    cool_key,
    cooled,
    deposited,
    probing,
    settled,
    standing,
    verdict_of,
    withdrawn,
)
from hyperroute.routing.pace import EVEN, Pace, asks_to_slow_down, counted, due, slowed
from hyperroute.routing.quotas import Toll, Used
from hyperroute.routing.record import Attempt, Barrier
from hyperroute.routing.state import Permit, Told
from hyperroute.runtime.measures import Measures
from hyperroute.runtime.quotas import Counters, Quotas

ENTRIES_MAX = 10_000
"""Of each kind; beyond it the longest untouched is forgotten."""

Lease = Literal["granted", "denied"]
"""What is known of the one probe over all replicas: it is ours to make, or another's."""

_QUIET: Mapping[str, Instant] = MappingProxyType({})
_SCOPES: tuple[Barrier, ...] = ("provider", "offer", "credential", "credential_model")
_KEY_SCOPES: tuple[Barrier, ...] = ("credential", "credential_model")
_KEYED = frozenset({FailureClass.PROVIDER_AUTH, FailureClass.PROVIDER_FUNDS})


class Leases(Protocol):
    """Asks other replicas for what only one of them may have."""

    def wake(self) -> None:
        """Hear that there are news; must not wait."""
        ...

    def permitted(self, permit: Permit) -> Told:
        """Judge a permit that is ``unleased``."""
        ...

    async def permitting(self, permit: Permit) -> Told:
        """Judge a permit that is ``unleased``, awaiting."""
        ...


class Board:
    """Breakers by offer, cool-downs by scope, budgets and paces by provider. Safe between threads.

    Attributes:
        leases: Asks the other replicas (``runtime.sharing``), and is woken when there are ``news`` for
            them; ``None``: there are none.
    """

    def __init__(self, *, entries_max: int = ENTRIES_MAX, counters: Counters | None = None) -> None:
        """Begin with nothing known.

        ``counters``: who counts what limits of the table leave; ``None``: this process alone.
        """
        self._counters: Counters = Quotas() if counters is None else counters
        self._lock = threading.Lock()
        self._entries_max = entries_max
        self._circuits: dict[str, Circuit] = {}
        self._troubled: set[str] = set()
        self._coolings: dict[str, Cooling] = {}
        self._buckets: dict[str, Bucket] = {}
        self._paces: dict[str, Pace] = {}
        self._measures = Measures(entries_max)
        self._news: dict[tuple[str, str], None] = {}
        self.leases: Leases | None = None
        self._replicas = 1

    def blocked(self, now: Instant) -> tuple[Mapping[str, Instant], frozenset[str]]:
        """Return what to leave alone until when, and whose one probe is in flight (``Answers``)."""
        if not self._troubled and not self._coolings:
            return _QUIET, frozenset()
        with self._lock:
            until = {key: c.until for key, c in self._coolings.items() if c.until > now}
            busy: list[str] = []
            for offer in self._troubled:
                circuit = self._circuits[offer]
                state = standing(circuit, now)
                if state == "probing":
                    busy.append(offer)
                elif state == "open" and circuit.until is not None:
                    key = f"offer:{offer}"
                    until[key] = max(until.get(key, 0), circuit.until)
        return MappingProxyType(until), frozenset(busy)

    def permit(self, permit: Permit, now: Instant, *, lease: Lease | None = None) -> Told:
        """Grant an attempt or say what is in its way; a grant takes what it costs.

        What it took from limits goes back by ``paid``, whether it is made or not. ``lease``: what
        was heard of it, by whoever was told that the permit is ``unleased``.
        """
        if not permit.tolls:
            return self._permitted(permit, now, lease)
        full = self._counters.take(permit.tolls, now)
        if full is not None:
            return Told(now, granted=False, why=full.barrier, until=full.until)
        told = self._permitted(permit, now, lease)
        if not told.granted:
            self._counters.settle(permit.tolls, None, now)
        return told

    def paid(self, tolls: Sequence[Toll], used: Used | None, now: Instant) -> None:
        """Take what an attempt that was granted really used; ``None``: it was never sent."""
        self._counters.settle(tolls, used, now)

    def full(self, now: Instant) -> Mapping[str, Instant]:
        """Return which limits are used up, and until when (``Answers``)."""
        return self._counters.full(now)

    @property
    def counters(self) -> Counters:
        """Who counts what limits of the table leave."""
        return self._counters

    def _permitted(self, permit: Permit, now: Instant, lease: Lease | None) -> Told:
        with self._lock:
            pace = self._paces.get(permit.provider, EVEN)
            if pace.limit is not None and permit.kind != "last_resort":
                later = due(pace, permit.at)
                if later is not None:
                    return Told(now, granted=False, why="provider", until=later)
            told = self._judged(permit, now, lease)
            if told.granted:
                self._paces[permit.provider] = counted(pace, permit.at)
            return told

    def measured(self, keys: Iterable[str], now: Instant) -> Mapping[str, Mapping[str, int]]:
        """Answer rank keys such as ``ttft.p90`` and ``load``, by offer (``Answers``)."""
        with self._lock:
            return self._measures.answered(keys, now)

    def begun(self, offer: str) -> None:
        """Take the beginning of an attempt: it is in flight until its end is noted."""
        with self._lock:
            self._measures.begun(offer)

    def note(self, attempt: Attempt, breaker: Breaker = DEFAULT_BREAKER) -> None:
        """Take the end of an attempt into account."""
        failure = attempt.failure
        now = attempt.ended_at
        with self._lock:
            before = self._circuits.pop(attempt.offer, CLOSED)
            after = settled(
                before,
                verdict_of(failure),
                local=failure is not None and failure.cool is not None and failure.cool.local,
                started_at=attempt.started_at,
                now=now,
                breaker=breaker,
                name=attempt.offer,
            )
            self._put(attempt.offer, after)
            if (after.until, after.good) != (before.until, before.good):
                self._changed("circuit", attempt.offer)
            self._measures.ended(attempt)
            if failure is None:
                self._warm(attempt)
            elif failure.cool is not None:
                key = _key(failure.cool.scope, attempt)
                self._coolings[key] = cooled(
                    self._coolings.pop(key, None),
                    failure.cool,
                    hint_ns=failure.hint_ns,
                    started_at=attempt.started_at,
                    now=now,
                    keyed=failure.kind in _KEYED,
                )
                self._changed("cooling", key)
                if asks_to_slow_down(failure):
                    pace = self._paces.get(attempt.provider, EVEN)
                    until = self._coolings[key].until
                    self._paces[attempt.provider] = slowed(pace, now, until=until)
                self._bound(now)

    # --- other replicas --------------------------------------------------------------------------
    def joined(self, replicas: int) -> None:
        """Hear how many processes there are: each has its share of a retry floor, and of quotas."""
        self._replicas = replicas
        self._counters.share(replicas)

    def news(self, now: Instant) -> tuple[gossip.Word, ...]:
        """Return what has changed since this was last asked, each thing once."""
        with self._lock:
            subjects, self._news = self._news, {}
            return tuple([self._word(*subject, now) for subject in subjects])

    def untold(self, words: Iterable[gossip.Word]) -> None:
        """Keep as news what nobody could be told."""
        with self._lock:
            self._news = dict.fromkeys((word.kind, word.name) for word in words) | self._news

    def hear(self, word: gossip.Word, at: Instant) -> None:
        """Take in what another replica said at an instant of our clock."""
        with self._lock:
            if word.kind == "circuit":
                mine = self._circuits.get(word.name, CLOSED)
                heard = gossip.circuit_of(word, mine, at=at)
                if heard is not mine:
                    self._circuits.pop(word.name, None)
                    self._put(word.name, heard)
                return
            cooling = gossip.cooling_of(word, self._coolings.get(word.name), at=at)
            self._coolings.pop(word.name, None)
            if cooling is not None:
                self._coolings[word.name] = cooling
                self._bound(at)

    def probes(self, offer: str, now: Instant) -> bool:
        """Say whether our probe of a half-open breaker is in flight."""
        circuit = self._circuits.get(offer, CLOSED)
        return circuit.until is not None and standing(circuit, now) == "probing"

    def unused(self, offer: str) -> None:
        """Take back a grant of which no attempt came, so that another may probe."""
        with self._lock:
            circuit = self._circuits.get(offer, CLOSED)
            if circuit.probe_at is not None:
                self._circuits[offer] = replace(circuit, probe_at=None)

    def _changed(self, kind: Literal["circuit", "cooling"], name: str) -> None:
        if self.leases is not None and len(self._news) < self._entries_max:
            self._news[kind, name] = None
            self.leases.wake()

    def _word(self, kind: str, name: str, now: Instant) -> gossip.Word:
        if kind == "circuit":
            return gossip.of_circuit(name, self._circuits.get(name, CLOSED), now=now)
        return gossip.of_cooling(name, self._coolings.get(name), now=now)

    # --- permits ---------------------------------------------------------------------------------
    def _judged(self, permit: Permit, now: Instant, lease: Lease | None) -> Told:
        match permit.kind:
            case "retry":
                return self._retry(permit, now)
            case "last_resort":
                return self._last_resort(permit, now, lease)
            case _:
                return self._attempt(permit, now, lease)

    def _attempt(self, permit: Permit, now: Instant, lease: Lease | None) -> Told:
        for scope in _SCOPES if self._coolings else ():
            cooling = self._coolings.get(_key(scope, permit))
            if cooling is not None and cooling.until > permit.at:
                return Told(now, granted=False, why=scope, until=cooling.until)
        denied = self._leased(permit, now, lease, open_passes=False)
        if denied is None and permit.kind != "rotate":
            bucket = self._buckets.get(permit.provider, FULL)
            self._buckets[permit.provider] = deposited(bucket, permit.budget)
        return denied or Told(now, granted=True)

    def _retry(self, permit: Permit, now: Instant) -> Told:
        circuit = self._circuits.get(permit.offer, CLOSED)
        if circuit.until is not None:
            return Told(now, granted=False, why="breaker", until=circuit.until)
        for _, why, cooling in self._verdicts(permit):
            return Told(now, granted=False, why=why, until=cooling.until)
        bucket = self._buckets.get(permit.provider, FULL)
        left = withdrawn(
            bucket, permit.budget, charge=permit.charge, now=now, replicas=self._replicas
        )
        if left is None:
            return Told(now, granted=False, why="budget", until=bucket.floor_full_at)
        self._buckets[permit.provider] = left
        return Told(now, granted=True)

    def _last_resort(self, permit: Permit, now: Instant, lease: Lease | None) -> Told:
        verdicts = self._verdicts(permit)
        for _, why, cooling in verdicts:
            if cooling.probed:
                return Told(now, granted=False, why=why, until=cooling.until)
        denied = self._leased(permit, now, lease, open_passes=True)
        if denied is None:
            for key, _, cooling in verdicts:
                self._coolings[key] = replace(cooling, probed=True)
                self._changed("cooling", key)
        return denied or Told(now, granted=True)

    def _verdicts(self, permit: Permit) -> list[tuple[str, Barrier, Cooling]]:
        """List the cool-downs of a key that got a verdict; not those of mere load."""
        found: list[tuple[str, Barrier, Cooling]] = []
        for scope in _KEY_SCOPES:
            key = _key(scope, permit)
            cooling = self._coolings.get(key)
            if cooling is not None and cooling.keyed and cooling.until > permit.at:
                found.append((key, scope, cooling))
        return found

    def _leased(
        self, permit: Permit, now: Instant, lease: Lease | None, *, open_passes: bool
    ) -> Told | None:
        """Let the breaker say no, or lease its probe."""
        circuit = self._circuits.get(permit.offer)
        if circuit is None or circuit.until is None:
            return None
        match standing(circuit, now):
            case "open" if not open_passes:
                return Told(now, granted=False, why="breaker", until=circuit.until)
            case "probing":
                return Told(now, granted=False, why="probing")
            case "half_open" if self.leases is not None and lease != "granted":
                return Told(now, granted=False, why="probing", unleased=lease is None)
            case "half_open":
                self._circuits[permit.offer] = probing(circuit, now)
            case _:
                pass
        return None

    def _put(self, offer: str, circuit: Circuit) -> None:
        self._circuits[offer] = circuit
        if circuit.until is None:
            self._troubled.discard(offer)
        else:
            self._troubled.add(offer)
        if len(self._circuits) > self._entries_max:
            oldest = next(iter(self._circuits))
            del self._circuits[oldest]
            self._troubled.discard(oldest)

    def _warm(self, attempt: Attempt) -> None:
        """Forget the cool-downs that a success disproves; it must have begun after them."""
        if not self._coolings:
            return
        for scope in _SCOPES:
            key = _key(scope, attempt)
            cooling = self._coolings.get(key)
            if cooling is not None and attempt.started_at >= cooling.since:
                del self._coolings[key]
                self._changed("cooling", key)

    def _bound(self, now: Instant) -> None:
        if len(self._coolings) > self._entries_max:
            kept = {k: c for k, c in self._coolings.items() if c.remembered_until > now}
            while len(kept) > self._entries_max:
                del kept[next(iter(kept))]
            self._coolings = kept
        for by_provider in (self._buckets, self._paces):
            while len(by_provider) > self._entries_max:
                del by_provider[next(iter(by_provider))]


def _key(scope: str, about: Attempt | Permit) -> str:
    return cool_key(
        scope=scope,
        offer=about.offer,
        provider=about.provider,
        model=about.model,
        credential=about.credential,
    )
