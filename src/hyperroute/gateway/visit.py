"""One request on its way through the gateway: what the log, the metrics and the traces are told.

Laws: no prompt, no key, no query string, no address of an upstream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hyperroute.canon.money import Microcredits
from hyperroute.canon.wire import Headers
from hyperroute.routing.record import Record

MILLION = 1_000_000


@dataclass(slots=True, kw_only=True)
class Visit:
    """What is known of a request so far; whole once the response has ended.

    Attributes:
        path: As the caller wrote it, without its query.
        key: Id of the caller's key, never the key.
        owner: Of the key: ``user:ada``, ``org:acme``.
        asked: The model or intent, as the caller wrote it.
        status: What was answered; 0 until then.
        ended: How the response ended: ``whole``, ``streamed``, ``broken`` (an error told in the
            stream), ``gone`` (the caller left) or ``slow`` (the caller did not read).
        record: Of the run, where there was one and it is over.
        charged: What the caller was charged, in micro-credits; ``None``: nothing.
        limits: What the caller is told of its rates with whatever it is answered.
        traceparent: As the caller sent it (W3C Trace Context), ``""`` where it did not.
        began_unix_ns: Unix time of its arrival, for traces.
        left_at: When the caller left, where what it asked for was heard out; ``None`` where not.
        duration_ns: From the request's arrival to the response's last byte, or to the caller's leaving.
    """

    request_id: str
    method: str
    path: str
    dialect: str = ""
    key: str = ""
    owner: str = ""
    asked: str = ""
    status: int = 0
    ended: str = "whole"
    record: Record | None = None
    charged: Microcredits | None = None
    limits: Headers = ()
    traceparent: str = ""
    began_at: int = 0
    began_unix_ns: int = 0
    left_at: int | None = None
    duration_ns: int = 0


Observer = Callable[[Visit], None]
"""Told of every visit, once, when it is over. Must not block and must not raise."""


def log_entry(visit: Visit) -> dict[str, Any]:
    """Return one line of the access log; members without a value are left out."""
    record = visit.record
    entry: dict[str, Any] = {
        "request_id": visit.request_id,
        "method": visit.method,
        "path": visit.path,
        "status": visit.status,
        "ended": visit.ended,
        "ms": round(visit.duration_ns / MILLION, 3),
        "key": visit.key or None,
        "asked": visit.asked[:200] or None,
        "microcredits": visit.charged,
    }
    if record is not None:
        usage = record.usage
        entry |= {
            "served": record.served,
            "outcome": record.outcome,
            "left": record.left,
            "attempts": len(record.attempts),
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
        }
    return {name: value for name, value in entry.items() if value is not None}


def told_to(*observers: Observer) -> Observer:
    """Make one observer of several."""

    def observe(visit: Visit) -> None:
        for one in observers:
            one(visit)

    return observe


def ignore(_visit: Visit) -> None:
    """The observer of those who watch nothing."""


__all__ = ["Observer", "Visit", "ignore", "log_entry", "told_to"]
