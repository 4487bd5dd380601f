"""Where replicas meet: one exchange tells and asks everything at once.

What is told are words, which whoever keeps them does not look into. A lease is one replica's at a
time, runs out by itself unless it is kept, and is given back by nobody but who has it. Who was heard
of lately counts as a replica.
"""

from __future__ import annotations

from typing import Final, Protocol

from hyperroute.canon.quick import quick
from hyperroute.canon.units import DAY, SECOND

BEGINNING: Final = ""
"""Whoever has heard nothing yet hears everything that is still kept."""

LEASE_NS: Final = 15 * SECOND
"""How long a lease is another's obstacle after its owner was heard of last."""

LIVE_NS: Final = 5 * SECOND
"""How long a silent replica still counts as one."""

KEPT_NS: Final = DAY
"""How long a word is kept: as long as the longest cool-down lasts, for those who join meanwhile."""

WORDS_MAX: Final = 10_000
"""How many words are kept, about."""

PAGE: Final = 1_000
"""How many words are heard at once."""


@quick(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What one replica says.

    Attributes:
        words: News.
        wanted: Leases that it would like to have.
        kept: Leases that it has and still needs.
        freed: Leases that it has, if any, and gives back.
        since: ``Incoming.since`` of the last time.
    """

    words: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()
    since: str = BEGINNING


@quick(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What it hears.

    Attributes:
        words: Of the others since the last time, each with its age in nanoseconds, oldest first.
        granted: Of the leases that it wanted, those that it has now.
        replicas: How many there are, this one included.
        since: To be said the next time.
        more: There are more words than were told.
    """

    words: tuple[tuple[str, int], ...]
    granted: tuple[str, ...]
    replicas: int
    since: str
    more: bool = False


class Gossip(Protocol):
    """One replica's way to the others. Safe between threads."""

    def exchange(self, out: Outgoing) -> Incoming:
        """Say and hear. Raises ``StoreError``: perhaps it was said, and nothing was heard."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


__all__ = [
    "BEGINNING",
    "KEPT_NS",
    "LEASE_NS",
    "LIVE_NS",
    "PAGE",
    "WORDS_MAX",
    "Gossip",
    "Incoming",
    "Outgoing",
]
