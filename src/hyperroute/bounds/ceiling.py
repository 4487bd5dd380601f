"""Bounds without looking at a single request: sound for every table, often not attained.

Policies only tighten, so what applies to everybody is the widest that anybody gets; only what it
leaves unsaid may be widened from the language's default by another policy.
"""

from __future__ import annotations

from dataclasses import dataclass

from hyperroute.bounds.reach import Reach
from hyperroute.bounds.sizes import SPOKEN
from hyperroute.canon.failure import Reaction
from hyperroute.canon.units import MILLISECOND
from hyperroute.canon.usage import Usage
from hyperroute.catalog.card import Offer
from hyperroute.catalog.pricing import bound
from hyperroute.routing.attempt import ANSWER_NS
from hyperroute.routing.needs import UNKNOWN_WINDOW
from hyperroute.routing.table import ATTEMPTS_CEILING, Policy, Rules

_LANGUAGE = Rules()


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What no request of a name can exceed; ``cost`` of ``None``: nothing is known."""

    attempts: int
    cost: int | None
    time_ns: int


def ceiling(reach: Reach) -> Ceiling:
    """Bound everything that a name can reach, all at once."""
    policies = reach.policies
    attempts = _widest(policies, [p.cap.attempts for p in policies], _LANGUAGE.attempts)
    longest = _widest(policies, [p.cap.time_ns for p in policies], _LANGUAGE.time_ns)
    repeats = _widest(policies, [p.retry.per_offer for p in policies], _LANGUAGE.per_offer)
    counts = [
        count or 0
        for policy in policies
        for reaction, count in policy.errors.values()
        if reaction is Reaction.RETRY
    ]
    repeats = max([repeats, *counts])
    rotate = _widest(policies, [p.retry.rotate for p in policies], _LANGUAGE.rotate)
    attempts = min(attempts, ATTEMPTS_CEILING)
    tries = {offer.id: 1 + repeats + min(_spare(reach, offer), rotate) for offer in reach.offers}
    attempts = min(attempts, sum(tries.values()))
    prices = [(_dearest(reach, offer), tries[offer.id]) for offer in reach.offers]
    cost: int | None = 0
    left = attempts
    for price, times in sorted(prices, key=lambda one: -(one[0] or 0)):
        if price is None or cost is None:
            cost = None
            break
        cost += price * min(left, times)
        left -= min(left, times)
    longest -= min(ANSWER_NS, longest // 20)
    return Ceiling(attempts, cost, -(-longest // MILLISECOND) * MILLISECOND)


def _widest(policies: tuple[Policy, ...], said: list[int | None], default: int) -> int:
    """Take what those who apply to everybody say; else the widest that anybody could get."""
    always = [
        value
        for policy, value in zip(policies, said, strict=True)
        if value is not None and all(line.fact == "req.kind" for line in policy.when)
    ]
    if always:
        return min(always)
    return max([default, *(value for value in said if value is not None)])


def _spare(reach: Reach, offer: Offer) -> int:
    keys = reach.table.providers[offer.provider].keys
    return 0 if keys is None else max(0, len(keys) - 1)


def _dearest(reach: Reach, offer: Offer) -> int | None:
    """Bound one attempt by what its card allows; of media nothing is known without a request."""
    if not offer.price or reach.kind not in SPOKEN:
        return None
    shaped = offer.takes is not None or reach.table.services[offer.model].model.takes is not None
    windows = [limit for limit in (offer.context, offer.input) if limit is not None]
    if not windows:
        caps = [p.cap.input for p in reach.policies if p.cap.input is not None and not p.when]
        if reach.service is not None and not caps:
            return None
        windows = [4 * min([UNKNOWN_WINDOW, *caps] if reach.service is None else caps)]
    outputs = [limit for limit in (offer.output, offer.context) if limit is not None]
    most = Usage(
        input_tokens=min(windows),
        output_tokens=0 if reach.kind == "embed" else min(outputs, default=None),
    )
    return None if shaped else bound(most, offer.price[-1])


__all__ = ["Ceiling", "ceiling"]
