"""What must be known before planning, and what was known.

``Questions`` says which facts this request's plan could read; the runtime answers as much as it can
at one instant. An unanswered question is unknown, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from hyperroute.canon.quick import quick
from hyperroute.canon.request import Request
from hyperroute.canon.units import Instant
from hyperroute.catalog.condition import Fact
from hyperroute.routing.candidate import Refusal
from hyperroute.routing.inquiry import inquiry_of
from hyperroute.routing.resolve import resolve_name
from hyperroute.routing.table import RouteTable


@quick(frozen=True, slots=True, kw_only=True)
class Questions:
    """What to find out.

    Attributes:
        count_tokens: A counted input would sharpen the plan (a context or tier boundary is near).
        limits: Names of limits whose use the plan reads (``limit.NAME.used``).
        measures: Rank keys beyond price (``ttft.p90``, …).
    """

    count_tokens: bool = False
    limits: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()


@quick(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was known at one instant. Advisory state only ever removes or reorders.

    Attributes:
        at: Monotonic instant.
        day: Days since 1970-01-01 UTC, for dated prices.
        input_tokens: Counted input, ``None`` if not counted (then estimated from bytes).
        blocked: Until when to leave alone, by key ``offer:ID``, ``provider:NAME``,
            ``credential:ID`` or ``credential_model:ID/MODEL``; only what is troubled is in it.
        full: Until when a limit of the table is used up, by key as ``blocked``, or ``model:NAME``.
        probing: Offers whose breaker is half open and whose one probe is already in flight.
        missing: Provider names and credential ids that cannot be used, with the variable to set, or
            other words that follow "needs".
        facts: What the gateway knows of the caller beyond the request's own labels.
        measured: Rank key to offer id to integer (nanoseconds, tokens per second, requests).
    """

    at: Instant = 0
    day: int = 0
    input_tokens: int | None = None
    blocked: Mapping[str, Instant] = field(default_factory=dict[str, Instant])
    full: Mapping[str, Instant] = field(default_factory=dict[str, Instant])
    probing: frozenset[str] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])
    measured: Mapping[str, Mapping[str, int]] = field(
        default_factory=dict[str, "Mapping[str, int]"]
    )


NOTHING_KNOWN = Answers()


def questions(request: Request, table: RouteTable) -> Questions:
    """Say what this request's plan could read.

    Cheap on purpose: everything but two comparisons is prepared once per table. What is asked
    without need costs a look-up; what is not asked stays unknown.
    """
    prepared = inquiry_of(table)
    limits = prepared.limits
    resolved = resolve_name(request, table)
    if isinstance(resolved, Refusal):
        return Questions(limits=limits)
    if resolved.service is None and resolved.intent is None:
        return Questions(limits=limits)
    asked = prepared.about(resolved)
    return Questions(
        count_tokens=asked.near(request.input_bytes, request.max_output or 0),
        limits=limits,
        measures=asked.measures,
    )
