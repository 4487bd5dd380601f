"""An error as one dialect says it, to be said again in another (dialects.md, 7).

Nothing is judged here: what a provider's failure means for a run is the classifier's to say. This
only finds the row of the table that an error body stands in: by its code, then its type, then its
status; a body without any of them is the upstream's fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.units import SECOND
from hyperroute.dialects.base import ClientError, ErrorReport

Kind = FailureClass | str

_CODES: Final[Mapping[str, tuple[Kind, int]]] = MappingProxyType(
    {
        "context_length_exceeded": (FailureClass.CONTEXT_LENGTH, 400),
        "content_filter": (FailureClass.CONTENT_POLICY, 400),
        "content_policy_violation": (FailureClass.CONTENT_POLICY, 400),
        "invalid_api_key": ("unauthorized", 401),
        "api_key_invalid": ("unauthorized", 401),
        "insufficient_credits": ("insufficient_credits", 402),
        "insufficient_quota": ("insufficient_credits", 402),
        "model_not_found": (FailureClass.UNKNOWN_MODEL, 400),
        "wrong_endpoint": ("wrong_endpoint", 400),
        "request_too_large": ("too_large", 413),
        "rate_limit_exceeded": (FailureClass.RATE_LIMITED, 429),
        "server_is_overloaded": (FailureClass.OVERLOADED, 503),
        "timeout": (FailureClass.DEADLINE, 504),
    }
)
_TYPES: Final[Mapping[str, tuple[Kind, int]]] = MappingProxyType(
    {
        "invalid_request_error": (FailureClass.BAD_REQUEST, 400),
        "authentication_error": ("unauthorized", 401),
        "billing_error": ("insufficient_credits", 402),
        "insufficient_credits": ("insufficient_credits", 402),
        "permission_error": ("forbidden", 403),
        "not_found_error": ("not_found", 404),
        "conflict_error": ("conflict", 409),
        "request_too_large": ("too_large", 413),
        "rate_limit_error": (FailureClass.RATE_LIMITED, 429),
        "api_error": (FailureClass.SERVER_ERROR, 500),
        "server_error": (FailureClass.SERVER_ERROR, 502),
        "timeout_error": (FailureClass.DEADLINE, 504),
        "overloaded_error": (FailureClass.OVERLOADED, 503),
        "invalid_argument": (FailureClass.BAD_REQUEST, 400),
        "failed_precondition": (FailureClass.BAD_REQUEST, 400),
        "out_of_range": (FailureClass.BAD_REQUEST, 400),
        "unauthenticated": ("unauthorized", 401),
        "permission_denied": ("forbidden", 403),
        "not_found": ("not_found", 404),
        "aborted": ("conflict", 409),
        "already_exists": ("conflict", 409),
        "resource_exhausted": (FailureClass.RATE_LIMITED, 429),
        "internal": (FailureClass.SERVER_ERROR, 500),
        "unknown": (FailureClass.SERVER_ERROR, 500),
        "unavailable": (FailureClass.OVERLOADED, 503),
        "deadline_exceeded": (FailureClass.DEADLINE, 504),
        "promptfeedback": (FailureClass.CONTENT_POLICY, 400),
    }
)
_STATUSES: Final[Mapping[int, Kind]] = MappingProxyType(
    {
        401: "unauthorized",
        402: "insufficient_credits",
        403: "forbidden",
        404: "not_found",
        409: "conflict",
        413: "too_large",
        429: FailureClass.RATE_LIMITED,
        503: FailureClass.OVERLOADED,
        504: FailureClass.DEADLINE,
        529: FailureClass.OVERLOADED,
    }
)
_TOO_LONG: Final = "prompt is too long"
"""Anthropic's words for a full context, which its clients look for: it has no code of its own."""
_SAID: Final = frozenset({"error_code", "reason", "domain", "field", "retryDelay", "requestId"})
"""Details that stand elsewhere in the report."""


def retold(
    report: ErrorReport, *, source: str, status: int | None = None, request_id: str = ""
) -> ClientError:
    """Say again what an error body of ``source`` said.

    Args:
        report: What was read from it.
        source: The dialect, which is named where the body says nothing.
        status: The HTTP status that it came with, if that is known.
        request_id: As the body tells it.
    """
    known = status if status is not None else report.status
    kind, meant = _row(report, known)
    hint = report.hint_ns
    return ClientError(
        status=_settled(kind, known, meant),
        kind=kind,
        message=report.message or f"an error of {source} that says nothing",
        code=_code(report),
        param=report.param,
        retry_after_s=None if hint is None else -(-hint // SECOND),
        request_id=request_id,
        extra={name: said for name, said in report.details.items() if name not in _SAID},
    )


def status_in(dialect: str, error: ClientError) -> int:
    """Give the HTTP status of an error in a dialect: overload is 529 with Anthropic, 503 elsewhere."""
    if error.kind == FailureClass.OVERLOADED:
        return 529 if dialect == "anthropic.messages" else 503
    if error.status == 502 and dialect == "gemini.generate":
        return 500
    return error.status


def _row(report: ErrorReport, status: int | None) -> tuple[Kind, int]:
    if _TOO_LONG in report.message.lower():
        return FailureClass.CONTEXT_LENGTH, 400
    for word, table in ((report.code, _CODES), (report.type, _CODES), (report.type, _TYPES)):
        if word is not None and (row := table.get(word.lower())) is not None:
            return row
    if status is not None and (named := _STATUSES.get(status)) is not None:
        return named, status
    if status is not None and 400 <= status < 500:
        return FailureClass.BAD_REQUEST, 400
    return FailureClass.SERVER_ERROR, 502


def _settled(kind: Kind, status: int | None, meant: int) -> int:
    """Keep the status that came, unless the words say something that it cannot mean."""
    if kind == FailureClass.OVERLOADED or status is None or status < 400:
        return meant
    return status


def _code(report: ErrorReport) -> str | None:
    """Keep a code that is a word; a number is the status once more."""
    code = report.code
    return None if code is None or code.isdigit() else code.lower()
