"""What our caller is told of a run that was not served: about the caller, never about us.

A provider's 401 is our credential and none of the caller's business: it becomes 502 (invariant 30).
Only where a failure explains the caller's own request are the provider's words passed on, and then
without addresses, keys and account names (invariant 29).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.units import SECOND, Instant
from hyperroute.errors import Exhausted, Interrupted, Refused, RequestError
from hyperroute.routing.plan import Plan
from hyperroute.routing.record import Attempt, Record

STATUSES: Final = MappingProxyType(
    {
        FailureClass.RATE_LIMITED: 429,
        FailureClass.OVERLOADED: 503,
        FailureClass.SERVER_ERROR: 502,
        FailureClass.NET_UNSENT: 502,
        FailureClass.NET_AMBIGUOUS: 502,
        FailureClass.SLOW_START: 504,
        FailureClass.STALLED: 504,
        FailureClass.TRUNCATED: 502,
        FailureClass.MALFORMED_OUTPUT: 502,
        FailureClass.EMPTY_COMPLETION: 502,
        FailureClass.CONTEXT_LENGTH: 400,
        FailureClass.CONTENT_POLICY: 400,
        FailureClass.BAD_REQUEST: 400,
        FailureClass.UNKNOWN_MODEL: 502,
        FailureClass.PROVIDER_AUTH: 502,
        FailureClass.PROVIDER_FUNDS: 502,
        FailureClass.PROVIDER_REGION: 502,
        FailureClass.CLIENT_GONE: 499,
        FailureClass.DEADLINE: 504,
    }
)
"""What a gateway answers with (conventions.md, 4)."""

EXPLANATION_MAX: Final = 1_000
RETRY_AFTER_MAX: Final = 600

_LOAD: Final = frozenset({FailureClass.RATE_LIMITED, FailureClass.OVERLOADED})
_SECRETS: Final = re.compile(
    r"""
      [a-z][a-z0-9+.-]*://\S+                                        # any URL
    | \b(?:[a-z0-9-]+\.)+(?:com|net|org|io|ai|dev|cloud|app|internal|local|svc|co|cn|eu|us)\b\S*
    | \b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b                           # addresses
    | \[?(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}\]?
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                                   # mail
    | \bbearer\s+\S+
    | \b(?:sk|pk|rk|ck|gsk|xai|hf|r8|fw|pplx|nvapi)[-_][\w*.-]{4,}   # keys by their prefix
    | \b(?:AIza|AKIA|ASIA)[\w-]{8,}
    | \b(?:org|proj|project|user|acct|account|team|wrkspc|workspace|req|request|resp|chatcmpl|msg)
      [-_](?=[\w-]*\d)[\w-]{6,}                                      # ids of people and accounts
    | \b(?:projects?|accounts?|organi[sz]ations?)/[\w.:-]+
    | \b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b
    | (?<![\w+/=-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])[\w+/=-]{28,}    # whatever else looks random
    """,
    re.VERBOSE | re.IGNORECASE,
)


def error_of(plan: Plan, record: Record, *, now: Instant, ours: Iterable[str] = ()) -> RequestError:
    """Build what a run that was not served raises.

    Args:
        plan: For its refusal, and to know whose names are hidden.
        record: The run.
        now: From when ``retry_after_s`` counts.
        ours: Keys and hosts as they are, whatever they look like; asked only for an explanation.
    """
    if plan.refusal is not None:
        refusal = plan.refusal
        return Refused(
            refusal.message,
            status=refusal.status,
            code=refusal.code,
            record=record,
            param=refusal.param,
            available=refusal.available,
            retry_after_s=refusal.retry_after_s,
        )
    asked = record.asked or record.name
    if record.outcome == "refused":
        return _refused(plan, record, asked, now)
    decisive = deciding(record)
    status = STATUSES[decisive.kind]
    code = decisive.kind.value
    story = "; ".join(_told(plan, attempt) for attempt in record.attempts)
    if record.outcome == "interrupted":
        said = f"the answer for {asked!r} broke off: {story}"
        return Interrupted(said, status=status, code=code, record=record)
    said = f"every candidate for {asked!r} failed: {story}"
    if decisive.explains and status == 400 and decisive.message:
        said = scrubbed(decisive.message, hide=_hidden(plan), ours=ours)
    wait = _retry_after(record, now) if decisive.kind in _LOAD else None
    return Exhausted(said, status=status, code=code, record=record, retry_after_s=wait)


def deciding(record: Record) -> Failure:
    """Choose the failure that the caller is told of.

    A rate limit counts only if nothing else went wrong anywhere: 429 tells the caller to slow down,
    which is no cure for a broken provider. Otherwise the last that was no rate limit.
    """
    failures = [attempt.failure for attempt in record.attempts if attempt.failure is not None]
    if record.outcome == "interrupted" or not failures:
        return record.failure or Failure(kind=FailureClass.SERVER_ERROR)
    others = [failure for failure in failures if failure.kind is not FailureClass.RATE_LIMITED]
    return others[-1] if others else failures[-1]


def shown(plan: Plan, offer: str, provider: str) -> str:
    """Name an offer to a caller; a hidden provider by a digest, the same one every time."""
    entry = plan.table.providers.get(provider)
    if entry is None or not entry.hidden:
        return offer
    model, _, where = offer.partition("@")
    variant = where.removeprefix(provider)
    return f"{model}@{_digest(provider)}{variant}"


def scrubbed(text: str, *, hide: tuple[str, ...] = (), ours: Iterable[str] = ()) -> str:
    """Remove addresses, keys, and names of accounts from a provider's explanation."""
    for word in ours:
        text = re.sub(re.escape(word), "…", text, flags=re.IGNORECASE)
    for name in hide:
        text = re.sub(rf"\b{re.escape(name)}\b", _digest(name), text, flags=re.IGNORECASE)
    text = _SECRETS.sub("…", text)
    return text if len(text) <= EXPLANATION_MAX else text[:EXPLANATION_MAX] + "…"


def _refused(plan: Plan, record: Record, asked: str, now: Instant) -> Refused:
    reasons = "; ".join(
        f"{shown(plan, denial.offer, denial.offer.partition('@')[2].partition('/')[0])}: {denial.why}"
        for denial in record.denials
    )
    if not reasons:
        said = f"no time was left to try {asked!r}"
        return Refused(said, status=504, code=FailureClass.DEADLINE.value, record=record)
    said = f"everything that could serve {asked!r} is resting: {reasons}"
    ends = [denial.until for denial in record.denials if denial.until is not None]
    wait = _seconds(min(ends) - now) if ends else None
    return Refused(
        said,
        status=503,
        code=FailureClass.OVERLOADED.value,
        record=record,
        retry_after_s=wait,
    )


def _told(plan: Plan, attempt: Attempt) -> str:
    failure = attempt.failure
    where = shown(plan, attempt.offer, attempt.provider)
    what = failure.kind.value if failure is not None else "ok"
    return f"{attempt.number}. {where} {what}"


def _retry_after(record: Record, now: Instant) -> int | None:
    """Return the least wait that any provider asked for, counted from now."""
    waits = [
        attempt.ended_at + attempt.failure.hint_ns - now
        for attempt in record.attempts
        if attempt.failure is not None and attempt.failure.hint_ns is not None
    ]
    return _seconds(min(waits)) if waits else None


def _seconds(ns: int) -> int:
    return min(RETRY_AFTER_MAX, max(1, -(-ns // SECOND)))


def _hidden(plan: Plan) -> tuple[str, ...]:
    return tuple(name for name, entry in plan.table.providers.items() if entry.hidden)


def _digest(name: str) -> str:
    return blake2b(name.encode(), digest_size=4).hexdigest()


__all__ = ["STATUSES", "deciding", "error_of", "scrubbed", "shown"]
