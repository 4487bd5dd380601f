"""Every name of a table proved: its bounds, and each trace played before it is called attained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from hyperroute.bounds.reach import proved_names
from hyperroute.bounds.told import outage, run, said
from hyperroute.bounds.worst import Bounds, Trace, Worst, bounds_of
from hyperroute.proving.played import play
from hyperroute.routing.table import RouteTable

Key = Literal["attempts", "cost", "time"]
KEYS: tuple[Key, ...] = ("attempts", "cost", "time")
_OF_RECORD = {"attempts": "attempts", "cost": "cost", "time": "time_ns"}


@dataclass(frozen=True, slots=True)
class Proved:
    """One bound.

    Attributes:
        bound: In attempts, ``1 / scale`` USD or nanoseconds; ``None``: nothing bounds it.
        attained: What the trace came to when it was played.
        trace: The run; ``None``: no request is served at all, or none was found.
    """

    bound: int | None
    attained: int | None
    trace: Trace | None

    @property
    def exact(self) -> bool:
        """Whether a run that was played comes to the bound."""
        return self.bound is not None and self.bound == self.attained


@dataclass(frozen=True, slots=True)
class Proof:
    """What any one request of a name may come to."""

    name: str
    what: Literal["model", "intent"]
    bounds: Bounds
    attempts: Proved
    cost: Proved
    time: Proved

    def of(self, key: Key) -> Proved:
        """Give one of the three."""
        return {"attempts": self.attempts, "cost": self.cost, "time": self.time}[key]


def prove(
    table: RouteTable,
    names: Iterable[str] | None = None,
    *,
    progress: Callable[[], None] = lambda: None,
) -> Iterator[Proof]:
    """Prove names one after the other; all that can be asked for, if none are given."""
    for name in proved_names(table) if names is None else names:
        found = bounds_of(table, name, progress=progress)
        if found is not None:
            attempts, cost, time = (_played(table, key, getattr(found, key)) for key in KEYS)
            what: Literal["model", "intent"] = "model" if name in table.services else "intent"
            yield Proof(name, what, found, attempts, cost, time)


def _played(table: RouteTable, key: Key, worst: Worst) -> Proved:
    if worst.trace is None:
        return Proved(worst.bound, 0 if worst.bound == 0 else None, None)
    came = getattr(play(worst.trace, table), _OF_RECORD[key])
    return Proved(worst.bound, came, worst.trace)


def document(proof: Proof, table: RouteTable) -> dict[str, Any]:
    """Return a proof as plain data; money as exact decimals, time in milliseconds."""
    return {
        "name": proof.name,
        "kind": proof.what,
        "classes": proof.bounds.classes,
        "looked_at": proof.bounds.looked,
        "complete": proof.bounds.complete,
        **{_WORDS[key]: _document(key, proof.of(key), table) for key in KEYS},
    }


_WORDS = {"attempts": "attempts", "cost": "cost_usd", "time": "time_ms"}


def _document(key: Key, proved: Proved, table: RouteTable) -> dict[str, Any]:
    return {
        "bound": plain(key, proved.bound, table),
        "attained": plain(key, proved.attained, table),
        "exact": proved.exact,
        "trace": None if proved.trace is None else trace_document(proved.trace),
    }


def plain(key: Key, value: int | None, table: RouteTable) -> int | Decimal | None:
    """Turn an amount into its plain unit: attempts, USD, milliseconds."""
    if value is None or key == "attempts":
        return value
    return Decimal(value) / table.scale if key == "cost" else value // 1_000_000


def trace_document(trace: Trace) -> dict[str, Any]:
    """Return a trace as plain data."""
    return {
        "request": trace.situation.told(),
        "attempts": [
            {
                "offer": attempt.offer,
                "failure": None if attempt.failure is None else attempt.failure.kind.value,
                "lasts_ms": attempt.duration_ns // 1_000_000,
            }
            for attempt in trace.attempts
        ],
    }


def told(trace: Trace) -> str:
    """Tell a trace in one line."""
    return f"{said(trace.situation)}{outage(trace.situation)}: {run(trace)}"


__all__ = ["KEYS", "Key", "Proof", "Proved", "document", "plain", "prove", "told", "trace_document"]
