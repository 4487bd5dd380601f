"""What an answer's headers tell of how it was made: who served, after how many attempts, what is lost."""

from __future__ import annotations

from typing import Any

from hyperroute.canon.loss import Loss
from hyperroute.canon.wire import Headers
from hyperroute.gateway.message import Opening
from hyperroute.routing.record import Record


def served_by(record: Record, served: str | None) -> Headers:
    """Tell the route of a whole answer."""
    return (
        ("x-hyperroute-served-by", served or ""),
        ("x-hyperroute-attempts", str(len(record.attempts))),
        ("x-hyperroute-decision", _decision(record.digest, record.seed)),
    )


def delivering(opening: Opening[Any]) -> Headers:
    """Tell the route of a stream, as far as it is known when its head goes out."""
    frames = opening.frames
    decision = ("x-hyperroute-decision", _decision(frames.plan.table.digest, frames.plan.seed))
    if opening.first is None or frames.served is None:
        return (decision,)  # the head goes out before anybody answered
    return (
        ("x-hyperroute-served-by", frames.served),
        ("x-hyperroute-attempts", str(frames.attempts)),
        decision,
    )


def losses_of(losses: tuple[Loss, ...]) -> Headers:
    """Tell what the translation lost, shortly; the whole list is in the record.

    Of a stream it is what was lost by the time its head goes out: of the request, all.
    """
    if not losses:
        return ()
    said = ", ".join(f"{loss.kind} {loss.path}" for loss in losses)
    plain = said.encode("ascii", "replace").decode()
    return (("x-hyperroute-losses", plain[:1_000]),)


def _decision(digest: str, seed: int) -> str:
    """Name a decision: from the table and the seed it can be made again."""
    return f"{digest[:16]}.{seed:x}"


__all__ = ["delivering", "losses_of", "served_by"]
