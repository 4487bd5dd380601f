"""How long to wait before the same offer is tried again (reliability.md, 5.2).

Without a hint the k-th wait is drawn from 0 to ``min(max, base * factor**k)``. A provider's own hint
``r`` is clamped to ten minutes and lengthened by up to a tenth, one second at most, so that those
who were told the same thing do not all come back at once. Draws are a hash of (seed, request id,
attempt): the same run waits the same time on every replica and in every replay.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from typing import Literal

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.units import SECOND
from hyperroute.routing.table import Rules

HINT_NS_MAX = 600 * SECOND
"""No provider puts us to sleep for longer; some ask for days."""

SPREAD_NS_MAX = SECOND
THROTTLED_BASE_NS = SECOND
"""Where no policy says ``base``, a rate limit starts from twice the usual half second."""


def wait_ns(
    rules: Rules,
    kind: FailureClass,
    *,
    hint_ns: int | None,
    repeat: int,
    draw_from: tuple[int, str, int],
) -> int:
    """Draw the wait before an offer is tried again.

    Args:
        rules: Merged policies.
        kind: Why the attempt before failed.
        hint_ns: The provider's own wish; ``None`` if it had none.
        repeat: Starts at 0: how often this offer was tried again already.
        draw_from: Seed, request id and number of the failed attempt.
    """
    if hint_ns is not None:
        hint = min(max(hint_ns, 0), HINT_NS_MAX)
        return hint + jittered(min(SPREAD_NS_MAX, hint // 10), rules.jitter, draw_from)
    most = envelope_ns(rules, kind, repeat)
    return jittered(most, "full", draw_from) if rules.jitter == "full" else most


def envelope_ns(rules: Rules, kind: FailureClass, repeat: int) -> int:
    """Return the longest wait that may be drawn; it never falls as ``repeat`` grows."""
    throttled = kind is FailureClass.RATE_LIMITED and not rules.base_said
    base = THROTTLED_BASE_NS if throttled else rules.base_ns
    factor = Fraction(max(rules.factor, Decimal(1)))
    return min(rules.max_ns, int(base * factor**repeat))


def jittered(most: int, jitter: Literal["full", "none"], draw_from: tuple[int, str, int]) -> int:
    """Draw from 0 to ``most``; without jitter, 0."""
    return drawn(*draw_from, most=most) if jitter == "full" else 0


def drawn(seed: int, name: str, number: int, *, most: int) -> int:
    """Draw an integer from 0 to ``most``, both included, the same one for the same arguments."""
    if most <= 0:
        return 0
    digest = blake2b(f"{seed}\0{name}\0{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) * (most + 1) >> 64


__all__ = ["HINT_NS_MAX", "drawn", "envelope_ns", "wait_ns"]
