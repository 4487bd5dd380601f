"""When a silent stream says that it is alive, and when a reader is too slow (reliability.md, 5.12).

Pure: instants in, decisions out. A keep-alive before the first content commits the status, so that
the first waits a little, for ordinary errors to keep theirs (clients.md, 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hyperroute.canon.units import SECOND, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long silence may last.

    Attributes:
        first_ns: Before the response has begun: then its head goes out, and a keep-alive.
        then_ns: Since the last byte to the client.
        slow_ns: One write that takes longer means that the client does not read (row 86).
    """

    first_ns: int = 10 * SECOND
    then_ns: int = 15 * SECOND
    slow_ns: int = 30 * SECOND


DEFAULT_PACE: Final = Pace()


@dataclass(slots=True)
class Pulse:
    """One stream's silence.

    Attributes:
        last_at: When the last byte went to the client, or the response began.
        writing_at: When the write that goes on began; ``None`` while none does.
    """

    pace: Pace
    last_at: Instant
    writing_at: Instant | None = None

    def wait_ns(self, now: Instant) -> int:
        """Return how long nothing needs to be looked at."""
        if self.writing_at is not None:
            return max(0, self.writing_at + self.pace.slow_ns - now)
        return max(0, self.last_at + self.pace.then_ns - now)

    def is_due(self, now: Instant) -> bool:
        """Say whether a keep-alive is to be written now."""
        return self.writing_at is None and now - self.last_at >= self.pace.then_ns

    def is_slow(self, now: Instant) -> bool:
        """Say whether the client has not read for too long."""
        return self.writing_at is not None and now - self.writing_at >= self.pace.slow_ns


__all__ = ["DEFAULT_PACE", "Pace", "Pulse"]
