"""Spans for OpenTelemetry, from finished visits (extra ``otel``).

One span for the request, one below it for each attempt, with the conventions' names for generative
AI. They are written when the visit is over, with the times that the record kept, so that a run pays
nothing for being traced. A caller's ``traceparent`` makes the request's span its child. The provider
that traces go to is the process's own, as OpenTelemetry has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hyperroute.canon.units import SECOND
from hyperroute.gateway import conventions as names
from hyperroute.gateway.visit import Observer, Visit
from hyperroute.routing.record import Attempt, Record


def tracer_of(provider: Any = None) -> Observer:
    """Make an observer that writes spans.

    Args:
        provider: An OpenTelemetry ``TracerProvider``; ``None``: the process's own.

    Raises:
        ModuleNotFoundError: The extra ``otel`` is not installed.
    """
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    tracer = trace.get_tracer("hyperroute", tracer_provider=provider)
    propagator = TraceContextTextMapPropagator()

    def observe(visit: Visit) -> None:
        carried = {"traceparent": visit.traceparent} if visit.traceparent else {}
        record = visit.record
        began_ns = visit.began_unix_ns
        span = tracer.start_span(
            f"{visit.method} {visit.dialect or visit.path}",
            context=propagator.extract(carried),
            kind=trace.SpanKind.SERVER,
            start_time=began_ns,
            attributes=_of_visit(visit),
        )
        if visit.status >= 500 or visit.ended == "broken":
            span.set_status(trace.StatusCode.ERROR)
        if record is not None:
            within = trace.set_span_in_context(span)
            for attempt in record.attempts:
                at = _wall(record)
                inner = tracer.start_span(
                    f"{_operation(record)} {attempt.model}",
                    context=within,
                    kind=trace.SpanKind.CLIENT,
                    start_time=at(attempt.started_at),
                    attributes=_of_attempt(attempt, record),
                )
                if attempt.failure is not None:
                    inner.set_status(trace.StatusCode.ERROR, attempt.failure.kind.value)
                inner.end(end_time=at(attempt.ended_at))
        span.end(end_time=began_ns + visit.duration_ns)

    return observe


def _wall(record: Record) -> Callable[[int], int]:
    """Turn the record's monotonic instants into Unix time."""
    return lambda instant: record.began_unix_ns + instant - record.began_at


def _operation(record: Record) -> str:
    return names.OPERATIONS.get(record.kind, record.kind)


def _of_visit(visit: Visit) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        names.METHOD: visit.method,
        names.PATH: visit.path,
        names.STATUS: visit.status,
        "hyperroute.request_id": visit.request_id,
        "hyperroute.ended": visit.ended,
    }
    record = visit.record
    if record is not None:
        found |= {
            names.OPERATION: _operation(record),
            names.REQUEST_MODEL: record.name,
            names.REQUEST_STREAM: record.stream,
            "hyperroute.outcome": record.outcome,
            "hyperroute.attempts": len(record.attempts),
        }
        if record.failure is not None:
            found[names.ERROR_TYPE] = record.failure.kind.value
    return found


def _of_attempt(attempt: Attempt, record: Record) -> Mapping[str, Any]:
    usage = attempt.usage
    found: dict[str, Any] = {
        names.OPERATION: _operation(record),
        names.PROVIDER: attempt.provider,
        names.REQUEST_MODEL: attempt.model,
        names.REQUEST_STREAM: record.stream,
        names.RESPONSE_MODEL: attempt.answered,
        names.INPUT_TOKENS: usage.input_tokens,
        names.OUTPUT_TOKENS: usage.output_tokens,
        names.CACHE_READ_TOKENS: usage.cache_read_tokens,
        names.CACHE_WRITE_TOKENS: usage.cache_write_tokens,
        names.REASONING_TOKENS: usage.reasoning_tokens,
        "hyperroute.offer": attempt.offer,
        "hyperroute.attempt": attempt.number,
        "hyperroute.kind": attempt.kind,
    }
    if attempt.first_content_at is not None:
        found[names.FIRST_CHUNK] = (attempt.first_content_at - attempt.started_at) / SECOND
    if attempt.failure is not None:
        found[names.ERROR_TYPE] = attempt.failure.kind.value
        found[names.STATUS] = attempt.failure.status
    return {name: value for name, value in found.items() if value is not None}


__all__ = ["tracer_of"]
