"""A place in memory where replicas of a test meet, which goes down when it is told to.

It keeps what ``stores.gossiping`` says, on a clock that we move; one suite holds it and Valkey
together (tests/conformance).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hyperroute.canon.units import Instant
from hyperroute.errors import StoreError
from hyperroute.stores.gossiping import KEPT_NS, LEASE_NS, LIVE_NS, PAGE, Incoming, Outgoing


@dataclass(slots=True)
class Meeting:
    """What all replicas share.

    Attributes:
        now: Of the store.
        down: Nobody is answered.
    """

    now: Callable[[], Instant]
    down: bool = False
    _words: list[tuple[Instant, str, str]] = field(default_factory=list[tuple[Instant, str, str]])
    _leases: dict[str, tuple[str, Instant]] = field(default_factory=dict[str, tuple[str, Instant]])
    _heard: dict[str, Instant] = field(default_factory=dict[str, Instant])

    def replica(self, name: str) -> Replica:
        """Return one replica's way here."""
        return Replica(self, name)

    def owner(self, lease: str) -> str | None:
        """Say who has a lease."""
        owner, until = self._leases.get(lease, ("", 0))
        return owner if until > self.now() else None

    def take(self, me: str, out: Outgoing) -> Incoming:
        """Carry out one exchange."""
        now = self.now()
        self._heard[me] = now
        self._words += [(now, me, word) for word in out.words]
        granted = [name for name in out.wanted if self.owner(name) in {None, me}]
        for name in (*granted, *[name for name in out.kept if self.owner(name) == me]):
            self._leases[name] = (me, now + LEASE_NS)
        for name in out.freed:
            if self.owner(name) == me:
                del self._leases[name]
        first = int(out.since or 0)
        page = self._words[first : first + PAGE]
        return Incoming(
            words=tuple(
                [(text, now - at) for at, by, text in page if by != me and at >= now - KEPT_NS]
            ),
            granted=tuple(granted),
            replicas=sum(at > now - LIVE_NS for at in self._heard.values()),
            since=str(first + len(page)),
            more=len(page) == PAGE,
        )


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica's way to a ``Meeting``."""

    meeting: Meeting
    name: str

    def exchange(self, out: Outgoing) -> Incoming:
        """Say and hear.

        Raises:
            StoreError: The meeting is down.
        """
        if self.meeting.down:
            raise StoreError("the meeting is down")
        return self.meeting.take(self.name, out)

    def close(self) -> None:
        """There is nothing to let go of."""


__all__ = ["Meeting", "Replica"]
