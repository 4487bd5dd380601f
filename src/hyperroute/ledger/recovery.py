"""What becomes of holds whose owner is gone: pure, and safe to do twice (invariant 52).

A hold is overdue when its owner has not renewed it in time. What it says then is all that is known:

| it says | so |
|---|---|
| held | nothing was sent: released |
| dispatched, no checkpoint | nothing was delivered: released; a cost, if there was one, is ours |
| dispatched, a checkpoint | settled by what had been delivered then |

Whoever was only slow and comes back later finds the hold ended, and is told so.
"""

from __future__ import annotations

from hyperroute.canon.money import End, Overdues


def endings(overdue: Overdues) -> tuple[End, ...]:
    """Say how each hold ends, to be committed one by one, each in a batch of its own.

    A sweeper that another has overtaken is declined, and has nothing to do.
    """
    return tuple([End(key, hold.charged, overdue=True) for key, hold in overdue.holds])


__all__ = ["endings"]
