"""A plan in words and in JSON: what will be tried, and of every other offer the first thing it failed.

Laws: equal plans give equal bytes in any process; no prompt text, no secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Protocol

from hyperroute.canon.request import Request
from hyperroute.canon.units import MILLISECOND
from hyperroute.routing.candidate import Candidate, Refusal, Rejection
from hyperroute.routing.considered import all_reasons
from hyperroute.routing.questions import Answers
from hyperroute.routing.readings import redacted
from hyperroute.routing.resolve import resolve_name
from hyperroute.routing.table import RouteTable, Rules
from hyperroute.routing.view import View
from hyperroute.routing.why import plain

_SHOWN = 40
"""Rejections written out for people; the JSON form has all."""


class Decision(Protocol):
    """What is explained: a ``Plan``, which offers these explanations itself."""

    @property
    def request(self) -> Request:
        """Of the caller."""
        ...

    @property
    def table(self) -> RouteTable:
        """Decided by."""
        ...

    @property
    def answers(self) -> Answers:
        """Known then."""
        ...

    @property
    def rules(self) -> Rules:
        """Merged."""
        ...

    @property
    def seed(self) -> int:
        """Drawn with."""
        ...

    @property
    def name(self) -> str:
        """Resolved."""
        ...

    @property
    def via(self) -> tuple[str, ...]:
        """Names passed on the way."""
        ...

    @property
    def pinned(self) -> bool:
        """Whether a model was named."""
        ...

    @property
    def counted(self) -> bool:
        """Whether the input was counted."""
        ...

    @property
    def input_tokens(self) -> int:
        """Counted or estimated."""
        ...

    @property
    def attempts_max(self) -> int:
        """At most."""
        ...

    @property
    def deadline_ns(self) -> int:
        """From the start."""
        ...

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """In order."""
        ...

    @property
    def rejections(self) -> tuple[Rejection, ...]:
        """Of all others."""
        ...

    @property
    def refusal(self) -> Refusal | None:
        """Where nothing is tried."""
        ...


def rejections(plan: Decision) -> tuple[Rejection, ...]:
    """Derive every rejection from the inputs of the plan, in the order offers were looked at.

    A request that was refused before any offer was looked at has none.
    """
    view = View(plan.request, plan.table, plan.answers, plan.seed)
    resolved = resolve_name(plan.request, plan.table)
    if isinstance(resolved, Refusal):
        return ()
    if plan.refusal is not None and not plan.refusal.looked:
        return ()
    view.meant(resolved)
    used = frozenset(candidate.offer.id for candidate in plan.candidates)
    return tuple(reason.rejection for reason in all_reasons(view, resolved, used))


def usd(units: int | None, table: RouteTable) -> str | None:
    """Show money inside a plan as exact decimal text; ``None`` is unknown."""
    return None if units is None else plain(Decimal(units) / table.scale)


def explain(plan: Decision) -> str:
    """Write for people: the answer first, then the reasons."""
    lines = [_headline(plan)]
    if plan.refusal is not None:
        lines.append(f"  refused: {plan.refusal.status} {plan.refusal.code}")
        lines.append(f"  {plan.refusal.message}")
    for at, candidate in enumerate(plan.candidates, 1):
        lines.append(f"  {at}. {_line(candidate, plan.table)}")
    if plan.candidates:
        lines.append(
            f"  at most {_plural(plan.attempts_max, 'attempt')} within "
            f"{plain(Decimal(plan.deadline_ns) / 10**9)} s"
        )
    rejected = plan.rejections
    if rejected:
        lines.append("not used:")
        lines += [f"  {one}" for one in rejected[:_SHOWN]]
    if len(rejected) > _SHOWN:
        lines.append(f"  and {len(rejected) - _SHOWN} more")
    return "\n".join(lines)


def _headline(plan: Decision) -> str:
    said = "counted" if plan.counted else "estimated"
    through = f" (through {', '.join(plan.via)})" if plan.via else ""
    pinned = "pinned model" if plan.pinned else "intent"
    if plan.refusal is not None and not plan.name:
        return "no model and no intent"
    return f"{plan.name}{through}: {pinned}, {plan.input_tokens} tokens of input {said}"


def _line(candidate: Candidate, table: RouteTable) -> str:
    expected = usd(candidate.expected, table)
    price = "price unknown" if expected is None else f"about {expected} usd"
    worst = usd(candidate.worst, table)
    if worst is not None:
        price += f", at most {worst} usd"
    told = f"{candidate.offer.id}: {price}"
    if candidate.after:
        told += f", only after {' or '.join(sorted(candidate.after))}"
    if candidate.last_resort:
        told += ", the last resort: everything is closed"
    return told


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def to_json(plan: Decision) -> Mapping[str, Any]:
    """Write for machines: plain JSON values in a fixed order, money as decimal text in dollars."""
    rules = plan.rules
    return {
        "name": plan.name,
        "via": list(plan.via),
        "pinned": plan.pinned,
        "kind": plan.request.kind,
        "endpoint": plan.request.endpoint,
        "table": plan.table.digest,
        "seed": plan.seed,
        "input_tokens": plan.input_tokens,
        "counted": plan.counted,
        "attempts_max": plan.attempts_max,
        "deadline_ms": plan.deadline_ns // MILLISECOND,
        "commit": rules.commit,
        "lossy": rules.lossy,
        "refusal": None if plan.refusal is None else _refusal(plan.refusal),
        "candidates": [_candidate(one, plan.table) for one in plan.candidates],
        "rejections": [asdict(one) for one in plan.rejections],
    }


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {
        "status": refusal.status,
        "code": refusal.code,
        "message": refusal.message,
        "param": refusal.param,
        "available": list(refusal.available),
    }


def _candidate(candidate: Candidate, table: RouteTable) -> dict[str, Any]:
    offer, limits = candidate.offer, candidate.timeouts
    return {
        "offer": offer.id,
        "model": offer.model,
        "provider": offer.provider,
        "sends": candidate.sends,
        "parameters": {
            name: jsonable(redacted(name, value))
            for name, value in sorted(candidate.parameters.items())
        },
        "expected_usd": usd(candidate.expected, table),
        "worst_usd": usd(candidate.worst, table),
        "credentials": list(candidate.credentials),
        "timeouts_ms": {
            name.removesuffix("_ns"): value // MILLISECOND
            for name, value in asdict(limits).items()
            if value is not None
        },
        "retries": candidate.retries,
        "rotations": candidate.rotations,
        "after": sorted(candidate.after),
        "last_resort": candidate.last_resort,
    }


def jsonable(value: Any) -> Any:
    """Turn exact values into JSON ones: decimals as text."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, list | tuple):
        return [jsonable(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): jsonable(one) for name, one in value.items()}
    return value


def canonical(plan: Decision) -> bytes:
    """Write a plan as the bytes that equal plans share (invariant 3)."""
    return json.dumps(
        to_json(plan), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode("utf-8", "backslashreplace")
