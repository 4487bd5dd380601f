"""Counts and times for Prometheus, from finished visits (extra ``metrics``).

Labels hold what the table names and closed lists, never what a caller wrote, so that their number has
a bound. Several workers write to the folder that ``PROMETHEUS_MULTIPROC_DIR`` names, as the client
library demands, and any of them answers for all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final, Self

from hyperroute.canon.units import SECOND
from hyperroute.gateway.visit import Visit

_DURATIONS_S: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Counters of one gateway; ``observe`` is its observer."""

    _registry: Any
    _requests: Any
    _seconds: Any
    _first_seconds: Any
    _attempts: Any
    _tokens: Any

    @classmethod
    def new(cls) -> Self:
        """Make counters in a registry of their own.

        Raises:
            ModuleNotFoundError: The extra ``metrics`` is not installed.
        """
        from prometheus_client import CollectorRegistry, Counter, Histogram

        registry = CollectorRegistry()

        def counter(name: str, about: str, *labels: str) -> Any:
            return Counter(f"hyperroute_{name}", about, labels, registry=registry)

        def histogram(name: str, about: str, *labels: str) -> Any:
            buckets = _DURATIONS_S
            return Histogram(
                f"hyperroute_{name}", about, labels, registry=registry, buckets=buckets
            )

        return cls(
            registry,
            counter("requests", "Requests answered.", "dialect", "status", "ended"),
            histogram("request_seconds", "From arrival to the last byte.", "dialect", "model"),
            histogram("first_content_seconds", "From a run's beginning to content.", "offer"),
            counter("attempts", "Calls to providers.", "offer", "outcome"),
            counter("tokens", "Tokens that providers reported.", "offer", "direction"),
        )

    def observe(self, visit: Visit) -> None:
        """Count a finished visit."""
        self._requests.labels(visit.dialect, str(visit.status), visit.ended).inc()
        record = visit.record
        if record is None:
            return
        answer = record.answer
        model = answer.model if answer is not None else ""
        self._seconds.labels(visit.dialect, model).observe(visit.duration_ns / SECOND)
        for attempt in record.attempts:
            outcome = "ok" if attempt.failure is None else attempt.failure.kind.value
            self._attempts.labels(attempt.offer, outcome).inc()
            for direction, count in (
                ("input", attempt.usage.input_tokens),
                ("output", attempt.usage.output_tokens),
                ("cache_read", attempt.usage.cache_read_tokens),
                ("cache_write", attempt.usage.cache_write_tokens),
                ("reasoning", attempt.usage.reasoning_tokens),
            ):
                if count is not None:
                    self._tokens.labels(attempt.offer, direction).inc(count)
        if answer is not None and answer.first_content_at is not None:
            waited_ns = answer.first_content_at - record.began_at
            self._first_seconds.labels(answer.offer).observe(waited_ns / SECOND)

    def page(self) -> bytes:
        """Write what was counted, of all workers, in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


__all__ = ["Metrics"]
