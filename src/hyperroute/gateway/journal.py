"""The row of the journal that a request leaves: written with its money, or alone where it had none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hyperroute.canon.journal import Log
from hyperroute.canon.money import Microcredits
from hyperroute.gateway import render
from hyperroute.gateway.visit import Visit
from hyperroute.routing.plan import Plan
from hyperroute.routing.record import Record
from hyperroute.routing.selling import costs
from hyperroute.runtime.outcome import error_of
from hyperroute.usage.rows import ENDPOINTS, row_of

_WORDS: Mapping[int, str] = MappingProxyType(
    {
        402: "insufficient_credits",
        403: "forbidden",
        404: "not_found",
        409: "conflict",
        429: "rate_limited",
        503: "overloaded",
    }
)
"""What it is called that a request is refused for; anything else is a bad request."""

_CLIENT_GONE = 499
"""What nobody was told, as web servers write it."""


def run_noted(visit: Visit, plan: Plan, record: Record, charged: Microcredits | None) -> Log:
    """Write down a run that is over, as it ends: before the last of its answer is told."""
    answer = record.answer
    offer = None if answer is None else plan.table.offers.get(answer.offer)
    return Log(
        row_of(
            request_id=visit.request_id,
            at=visit.began_unix_ns,
            endpoint=ENDPOINTS.get(visit.dialect, ""),
            status=_status(visit, plan, record),
            latency_ns=record.ended_at - visit.began_at,
            owner=visit.owner,
            key=visit.key,
            record=record,
            charged=charged or 0,
            costs=costs(plan, record),
            region=None if offer is None else offer.region,
        )
    )


def refusal_noted(visit: Visit, status: int) -> Log:
    """Write down a request of a known caller that never came to a run, and so took no time."""
    return Log(
        row_of(
            request_id=visit.request_id,
            at=visit.began_unix_ns,
            endpoint=ENDPOINTS.get(visit.dialect, ""),
            status=status,
            latency_ns=0,
            owner=visit.owner,
            key=visit.key,
            asked=visit.asked,
            error=_WORDS.get(status, "bad_request"),
        )
    )


def _status(visit: Visit, plan: Plan, record: Record) -> int:
    match record.outcome:
        case "served":
            return 200
        case "abandoned":
            return _CLIENT_GONE
        case "interrupted" if record.stream:
            return 200  # which had gone out by then
        case _:
            error = error_of(plan, record, now=record.ended_at)
            told = render.told_of_run(error, dialect=visit.dialect, request_id=visit.request_id)
            return told.status


__all__ = ["refusal_noted", "run_noted"]
