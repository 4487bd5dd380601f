"""How fast offers have been lately: what ``rank: ttft.p90`` and its like go by.

A few dozen samples an offer, the latest counting; older than a quarter of an hour they say nothing.
An offer without samples has no measure, and the planner ranks it behind those that have one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hyperroute.canon.units import MINUTE, SECOND, Instant
from hyperroute.routing.record import Attempt

SAMPLES = 64
STALE_NS = 15 * MINUTE


@dataclass(slots=True)
class _Offer:
    """Samples are (ended at, time to first content, whole time, tokens a second)."""

    samples: deque[tuple[Instant, int | None, int, int | None]] = field(
        default_factory=lambda: deque(maxlen=SAMPLES)
    )
    flying: int = 0


@dataclass(slots=True)
class Measures:
    """Samples by offer. Not safe between threads: the board's lock guards it."""

    offers_max: int
    _offers: dict[str, _Offer] = field(default_factory=dict[str, _Offer])

    def begun(self, offer: str) -> None:
        """Count an attempt in flight."""
        self._of(offer).flying += 1

    def ended(self, attempt: Attempt) -> None:
        """Take the end of an attempt; only what was served is a sample of speed."""
        offer = self._of(attempt.offer)
        offer.flying = max(0, offer.flying - 1)
        if attempt.failure is not None:
            return
        first_at, ended_at = attempt.first_content_at, attempt.ended_at
        speed = None
        tokens = attempt.usage.output_tokens
        if first_at is not None and tokens is not None and ended_at > first_at:
            speed = tokens * SECOND // (ended_at - first_at)
        ttft = None if first_at is None else first_at - attempt.started_at
        offer.samples.append((ended_at, ttft, ended_at - attempt.started_at, speed))

    def answered(self, keys: Iterable[str], now: Instant) -> dict[str, Mapping[str, int]]:
        """Answer rank keys: ``load``, ``latency.pNN``, ``ttft.pNN``, ``speed.pNN``; others are not ours."""
        found: dict[str, Mapping[str, int]] = {}
        for key in keys:
            word, _, percentile = key.partition(".p")
            if key == "load":
                found[key] = {name: offer.flying for name, offer in self._offers.items()}
            elif word in _PLACES and percentile.isdigit():
                found[key] = self._percentiles(_PLACES[word], int(percentile), now)
        return found

    def _percentiles(self, place: int, percentile: int, now: Instant) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, offer in self._offers.items():
            fresh = [sample for sample in offer.samples if now - sample[0] < STALE_NS]
            values = sorted(value for sample in fresh if (value := sample[place]) is not None)
            if values:
                found[name] = values[min(len(values) - 1, len(values) * percentile // 100)]
        return found

    def _of(self, name: str) -> _Offer:
        offer = self._offers.get(name)
        if offer is None:
            offer = self._offers[name] = _Offer()
            if len(self._offers) > self.offers_max:
                del self._offers[next(iter(self._offers))]
        return offer


_PLACES: Mapping[str, int] = {"ttft": 1, "latency": 2, "speed": 3}

__all__ = ["SAMPLES", "STALE_NS", "Measures"]
