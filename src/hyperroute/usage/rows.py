"""A row of the journal: how it is made of a run, and how it is told.

Laws: nothing of a prompt, an answer, a secret or a query string is in a row; what a caller or a
provider made up (a model's name, a count) is cut to a size that every store can keep and add up.

Example:
    >>> row = row_of(request_id="req_1", at=0, endpoint="chat", status=401, latency_ns=250_000)
    >>> told(row)["status"], told(row)["servedModel"]
    (401, None)
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.journal import UsageRow
from hyperroute.canon.money import MICROCREDITS_PER_CREDIT, Cost, Microcredits
from hyperroute.canon.units import MILLISECOND, SECOND, Instant
from hyperroute.canon.usage import Usage
from hyperroute.routing.record import Attempt, Record

WORD_MAX: Final = 200
"""Characters that are kept of a name that a caller wrote."""

COUNT_MAX: Final = 10**12
"""No request used more of anything: a larger count is a provider's mistake, and would spoil sums."""

ENDPOINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "openai.chat": "chat",
        "openai.responses": "responses",
        "anthropic.messages": "messages",
        "gemini.generate": "gemini",
        "openai.embeddings": "embeddings",
        "openai.images": "images",
        "openai.completions": "completions",
    }
)
"""By dialect, as tables call them."""

_SIZES = tuple(each.name for each in fields(Usage) if each.name != "estimated")


def row_of(
    *,
    request_id: str,
    at: Instant,
    endpoint: str,
    status: int,
    latency_ns: int,
    owner: str = "",
    key: str = "",
    asked: str = "",
    record: Record | None = None,
    charged: Microcredits = 0,
    costs: tuple[Cost, ...] = (),
    region: str | None = None,
    error: str | None = None,
    job: str | None = None,
) -> UsageRow:
    """Write down what a request came to.

    Args:
        request_id: As the response names it.
        at: Unix nanoseconds of its arrival.
        endpoint: As of ``ENDPOINTS``.
        status: That was answered.
        latency_ns: From its arrival to its last byte.
        owner: ``user:ada``, ``org:acme``; ``""``: nobody is known.
        key: Its id.
        asked: The model or intent, where there is no record that knows it.
        record: Of the run; ``None``: there was none.
        charged: To the owner.
        costs: What each attempt costs us; what is missing is unknown.
        region: Of the offer that served.
        error: What went wrong, where the record does not know it.
        job: Of work that outlives its connection.
    """
    answer = None if record is None else record.answer
    attempts = () if record is None else record.attempts
    last = attempts[-1] if attempts else None
    return UsageRow(
        id=request_id,
        at=at,
        owner=owner,
        key=key,
        endpoint=endpoint,
        requested=_word(asked if record is None else record.asked),
        model=last.model if last is not None else "",
        offer=None if answer is None else answer.offer,
        provider=None if answer is None else answer.provider,
        region=region if answer is not None else None,
        status=status,
        latency_ms=latency_ns // MILLISECOND,
        ttft_ms=None if record is None else _first_content_ms(record, answer),
        usage=_within(answer.usage) if answer is not None else Usage(),
        credits=charged,
        cost=_sum(costs, served=True, of=int(answer is not None)),
        lost=_sum(costs, served=False, of=len(attempts) - int(answer is not None)),
        attempts=len(attempts),
        stream=record is not None and record.stream,
        job=job,
        error=_error(record) or error,
        left=None if record is None else record.left,
    )


def told(
    row: UsageRow, *, hidden: Container[str] = (), to_operator: bool = False
) -> dict[str, Any]:
    """Return a row as its members are called outside; money is exact, ``credits`` a ``Decimal``.

    Args:
        row: What to tell.
        hidden: Providers that callers do not know.
        to_operator: Tell also who delivered, and what it cost us.
    """
    kind, _, owner = row.owner.partition(":")
    is_hidden = not to_operator and row.provider is not None and row.provider in hidden
    usage = row.usage
    members: dict[str, Any] = {
        "id": row.id,
        "ts": moment(row.at),
        "userId": owner if kind == "user" else None,
        "orgId": owner if kind == "org" else None,
        "keyId": row.key or None,
        "endpoint": row.endpoint or None,
        "requestedModel": row.requested or None,
        "servedModel": row.served,
        "provider": None if is_hidden else row.provider,
        "region": None if is_hidden else row.region,
        "status": row.status,
        "latencyMs": row.latency_ms,
        "ttftMs": row.ttft_ms,
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "cacheReadTokens": usage.cache_read_tokens,
        "cacheWriteTokens": usage.cache_write_tokens,
        "units": units(usage),
        "credits": in_credits(row.credits),
        "attempts": row.attempts,
        "stream": row.stream,
        "jobId": row.job,
        "errorType": row.error,
        "estimated": usage.estimated,
        "left": row.left,
    }
    if to_operator:
        members["offer"] = row.offer
        members["costCredits"] = None if row.cost is None else in_credits(row.cost)
        members["lostCredits"] = None if row.lost is None else in_credits(row.lost)
    return members


def units(usage: Usage) -> int | Decimal | None:
    """Say how much of something other than tokens was made: images, clips, or else seconds."""
    for count in (usage.images, usage.clips):
        if count is not None:
            return count
    for lasted_ms in (usage.made_ms, usage.run_ms, usage.received_ms):
        if lasted_ms is not None:
            return _exact(lasted_ms, 1_000)
    return None


def in_credits(amount: Microcredits) -> Decimal:
    """Turn parts of a credit into credits, exactly and without zeros at the end."""
    return _exact(amount, MICROCREDITS_PER_CREDIT)


def moment(at: Instant) -> str:
    """Write Unix nanoseconds as ``2026-11-22T18:00:00.000Z``, the millisecond that has begun."""
    whole, rest = divmod(at, SECOND)
    second = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{second}.{rest // MILLISECOND:03}Z"


def _exact(amount: int, parts: int) -> Decimal:
    whole, rest = divmod(amount, parts)
    return Decimal(whole) if rest == 0 else (Decimal(amount) / parts).normalize()


def _word(text: str) -> str:
    """Cut what a caller wrote, and take out of it what no database keeps or no line shows."""
    short = text[:WORD_MAX]
    if short.isprintable():
        return short
    return "".join([one if one.isprintable() else "�" for one in short])


def _within(usage: Usage) -> Usage:
    """Cut counts that nobody can have used."""
    wrong: dict[str, Any] = {
        name: COUNT_MAX for name in _SIZES if (getattr(usage, name) or 0) > COUNT_MAX
    }
    return replace(usage, **wrong) if wrong else usage


def _first_content_ms(record: Record, answer: Attempt | None) -> int | None:
    if answer is None or answer.first_content_at is None:
        return None
    return (answer.first_content_at - record.began_at) // MILLISECOND


def _sum(costs: tuple[Cost, ...], *, served: bool, of: int) -> Microcredits | None:
    """Add up the costs of so many attempts, unknown as soon as one of them is."""
    amounts = [cost.amount for cost in costs if cost.served == served]
    return sum(amounts) if len(amounts) == of else None


def _error(record: Record | None) -> str | None:
    if record is None:
        return None
    if record.refusal is not None:
        return record.refusal
    return None if record.failure is None else record.failure.kind.value


__all__ = ["COUNT_MAX", "ENDPOINTS", "WORD_MAX", "in_credits", "moment", "row_of", "told", "units"]
