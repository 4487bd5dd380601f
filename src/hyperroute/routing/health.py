"""How offers, keys and providers fare: breakers, cool-downs and retry budgets, as values.

Each kind is one small value and a few pure functions; who holds them, and under which lock, is the
board's business (``runtime.board``). All of it is advisory: losing it costs attempts, never money.

*Breaker*, per offer. Failures count whole or half; faults of local origin (DNS, connect) are counted
apart, because our own network's bad day must not condemn every offer. It opens by failures in a row
or by share, for ``cool`` times the ejections remembered, at most ``cool_max``, plus up to a tenth.
One ejection is forgotten per ten healthy minutes. When its time is over one attempt at a time is let
through, and two good ones close it. That never more than half of a pool stays shut needs no rule of
its own: where everything is blocked the planner and the machine make one last-resort attempt.

*Cool-down*, per scope. Doubled by each repeat; attempts that were already in flight when it began
are no repeat. A hint lengthens it, within 1 s to 600 s. A new failure extends and never shortens.
Asking us to slow down (row 33) is a cool-down of the provider, and sets its pace (``routing.pace``).

*Retry budget*, per provider. A share of first attempts, saved up to a hundred, and a floor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from hyperroute.canon.failure import Cool, Failure
from hyperroute.canon.quick import quick
from hyperroute.canon.units import MINUTE, SECOND, Instant
from hyperroute.catalog.card import Breaker, OpenByShare, OpenInRow
from hyperroute.routing.backoff import HINT_NS_MAX, drawn
from hyperroute.routing.table import RetryBudget

DEFAULT_BREAKER: Final = Breaker(
    open=(OpenInRow(5), OpenByShare(50, 20, 30 * SECOND)),
    cool_ns=30 * SECOND,
    cool_max_ns=300 * SECOND,
)
FORGIVEN_EVERY_NS: Final = 10 * MINUTE
GOOD_PROBES: Final = 2
SLOTS: Final = 10
"""A window is counted in so many slots."""

LEASE_NS_MAX: Final = 600 * SECOND
"""A probe that was never heard of again stops blocking others."""

SAVED_MAX: Final = 100 * 100
"""Retries that a provider's bucket can hold, in hundredths."""

_HINT_NS_MIN: Final = SECOND

Verdict = Literal["good", "half", "bad", "neutral"]


# --- breakers ------------------------------------------------------------------------------------
@quick(frozen=True, slots=True, kw_only=True)
class Circuit:
    """One offer's breaker.

    Attributes:
        row: Failures in a row, in halves; ``local_row`` those of local origin.
        slots: (number, outcomes, failures in halves), oldest first, of ``width_ns`` each.
        ejections: How often it opened, less what was forgiven.
        until: It is open before, half open after; ``None``: closed.
        good: Good probes since it opened.
        probe_at: When the probe in flight was let through.
    """

    row: int = 0
    local_row: int = 0
    width_ns: int = 0
    slots: tuple[tuple[int, int, int], ...] = ()
    ejections: int = 0
    opened_at: Instant = 0
    closed_at: Instant = 0
    until: Instant | None = None
    good: int = 0
    probe_at: Instant | None = None


CLOSED: Final = Circuit()


def standing(circuit: Circuit, now: Instant) -> Literal["closed", "open", "half_open", "probing"]:
    """Say what a breaker lets through at an instant."""
    if circuit.until is None:
        return "closed"
    if now < circuit.until:
        return "open"
    leased = circuit.probe_at is not None and now < circuit.probe_at + LEASE_NS_MAX
    return "probing" if leased else "half_open"


def probing(circuit: Circuit, now: Instant) -> Circuit:
    """Lease the one probe of a half-open breaker."""
    return replace(circuit, probe_at=now)


def verdict_of(failure: Failure | None) -> Verdict:
    """Say what an attempt's end means for its offer."""
    if failure is None:
        return "good"
    match failure.health:
        case "counts":
            return "bad"
        case "half":
            return "half"
        case "neutral":
            return "neutral"


def settled(
    circuit: Circuit,
    verdict: Verdict,
    *,
    local: bool = False,
    started_at: Instant,
    now: Instant,
    breaker: Breaker = DEFAULT_BREAKER,
    name: str = "",
) -> Circuit:
    """Take the end of one attempt into account.

    Args:
        circuit: The breaker so far.
        verdict: What the end means; ``neutral`` changes nothing but frees the probe (invariant 21).
        local: The fault is of local origin.
        started_at: When the attempt began: older ones say nothing of an offer that opened since.
        now: When it ended.
        breaker: The rules; ``cool_ns`` 0 turns it off.
        name: The offer, for the jitter.
    """
    if circuit.until is not None:
        if started_at < circuit.opened_at:
            return circuit
        probe = circuit.probe_at is not None and started_at >= circuit.probe_at
        freed = replace(circuit, probe_at=None) if probe else circuit
        if verdict in {"half", "bad"} and probe:
            return _opened(freed, now, breaker, name)
        return _settled_open(freed, verdict, now)
    if verdict == "neutral":
        return circuit
    weight = {"good": 0, "half": 1, "bad": 2}[verdict]
    if local:
        counted = replace(circuit, local_row=circuit.local_row + weight)
    else:
        counted = _counted(circuit, weight, now, breaker)
    if weight and breaker.cool_ns and _trips(counted, now, breaker):
        return _opened(counted, now, breaker, name)
    return counted


def _settled_open(circuit: Circuit, verdict: Verdict, now: Instant) -> Circuit:
    if verdict != "good":
        return circuit  # neutral, or a last resort that failed and so told nothing new
    if circuit.good + 1 >= GOOD_PROBES:
        return Circuit(ejections=circuit.ejections, closed_at=now)
    return replace(circuit, good=circuit.good + 1)


def _counted(circuit: Circuit, weight: int, now: Instant, breaker: Breaker) -> Circuit:
    windows = [rule.window_ns for rule in breaker.open if isinstance(rule, OpenByShare)]
    width = max(windows, default=SLOTS * SECOND) // SLOTS or 1
    number = now // width
    slots = circuit.slots if circuit.width_ns == width else ()
    outcomes, failures = 1, weight
    if slots and slots[-1][0] == number:
        outcomes, failures = slots[-1][1] + 1, slots[-1][2] + weight
        slots = slots[:-1]
    elif slots and slots[0][0] <= number - SLOTS:
        slots = tuple(slot for slot in slots if slot[0] > number - SLOTS)
    return Circuit(
        row=circuit.row + weight if weight else 0,
        local_row=circuit.local_row if weight else 0,
        width_ns=width,
        slots=(*slots, (number, outcomes, failures)),
        ejections=circuit.ejections,
        closed_at=circuit.closed_at,
    )


def _trips(circuit: Circuit, now: Instant, breaker: Breaker) -> bool:
    for rule in breaker.open:
        match rule:
            case OpenInRow(count):
                if max(circuit.row, circuit.local_row) >= 2 * count:
                    return True
            case OpenByShare(percent, samples, window_ns):
                since = (now - window_ns) // circuit.width_ns if circuit.width_ns else 0
                counted = [slot for slot in circuit.slots if slot[0] > since]
                outcomes = sum(slot[1] for slot in counted)
                failures = sum(slot[2] for slot in counted)
                if outcomes >= samples and failures * 50 >= percent * outcomes:
                    return True
    return False


def _opened(circuit: Circuit, now: Instant, breaker: Breaker, name: str) -> Circuit:
    forgiven = 0
    if circuit.until is None:
        forgiven = (now - circuit.closed_at) // FORGIVEN_EVERY_NS
    ejections = max(0, circuit.ejections - forgiven) + 1
    lasts = min(breaker.cool_max_ns, breaker.cool_ns * ejections)
    lasts += drawn(ejections, name, now, most=lasts // 10)
    return Circuit(ejections=ejections, opened_at=now, until=now + lasts)


# --- cool-downs ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Cooling:
    """One scope's cool-down. ``keyed``: a verdict on a key, of which one probe may be made."""

    since: Instant
    until: Instant
    repeats: int = 0
    remembered_until: Instant = 0
    keyed: bool = False
    probed: bool = False


def cooled(
    old: Cooling | None,
    cool: Cool,
    *,
    hint_ns: int | None,
    started_at: Instant,
    now: Instant,
    keyed: bool = False,
) -> Cooling:
    """Begin a cool-down, or extend one.

    Args:
        old: The scope's last one, if it is remembered.
        cool: What the failure asks for.
        hint_ns: The provider's own wish.
        started_at: When the failed attempt began.
        now: When it failed.
        keyed: The failure is a verdict on the key.
    """
    repeats = 0
    if old is not None and now < old.remembered_until:
        repeats = old.repeats if started_at < old.since else old.repeats + 1
    lasts = cool.base_ns
    if cool.max_ns:
        lasts = min(cool.max_ns, cool.base_ns << min(repeats, 40))
    if hint_ns is not None:
        lasts = max(lasts, min(max(hint_ns, _HINT_NS_MIN), HINT_NS_MAX))
    until = now + lasts
    if old is not None:
        until = max(until, old.until)
    return Cooling(
        since=now,
        until=until,
        repeats=repeats,
        remembered_until=until + max(cool.max_ns, lasts),
        keyed=keyed,
        probed=old is not None and old.probed and now < old.until,
    )


def cool_key(*, scope: str, offer: str, provider: str, model: str, credential: str) -> str:
    """Name what a scope covers; an account without keys stands for its key (``Answers.blocked``)."""
    match scope:
        case "credential" if credential:
            return f"credential:{credential}"
        case "credential_model" if credential:
            return f"credential_model:{credential}/{model}"
        case "credential" | "provider":
            return f"provider:{provider}"
        case _:
            return f"offer:{offer}"


# --- retry budgets -------------------------------------------------------------------------------
@quick(frozen=True, slots=True)
class Bucket:
    """One provider's retry budget: hundredths of retries saved, and when the floor is full again."""

    saved: int = 0
    floor_full_at: Instant = 0


FULL: Final = Bucket()


def deposited(bucket: Bucket, budget: RetryBudget) -> Bucket:
    """Add what a first attempt earns."""
    return Bucket(min(SAVED_MAX, bucket.saved + budget.percent), bucket.floor_full_at)


def withdrawn(
    bucket: Bucket, budget: RetryBudget, *, charge: int, now: Instant, replicas: int = 1
) -> Bucket | None:
    """Take a retry out of the savings, else out of the floor; ``None`` if both are used up.

    Of the floor, which replicas have once and not each, everyone has its share.
    """
    if bucket.saved >= charge:
        return replace(bucket, saved=bucket.saved - charge)
    if not budget.floor:
        return None
    lasts = -(-charge * replicas * budget.floor_ns // (100 * budget.floor))
    full_at = max(bucket.floor_full_at, now) + lasts
    if full_at > now + budget.floor_ns:
        return None
    return replace(bucket, floor_full_at=full_at)


__all__ = [
    "CLOSED",
    "DEFAULT_BREAKER",
    "FULL",
    "Bucket",
    "Circuit",
    "Cooling",
    "Verdict",
    "cool_key",
    "cooled",
    "deposited",
    "probing",
    "settled",
    "standing",
    "verdict_of",
    "withdrawn",
]
