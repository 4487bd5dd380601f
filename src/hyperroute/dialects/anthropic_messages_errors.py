"""Errors of Messages: what a provider's says, and how ours are told (dialects.md, 7).

Clients branch on the HTTP status and on ``error.details.error_code``, never on the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.wire import HttpHead
from hyperroute.dialects import json
from hyperroute.dialects.base import ClientError, ErrorReport
from hyperroute.dialects.hints import pushback, wait_ns

THREAD_POINTER = "/thread"

_BY_STATUS: Mapping[int, str] = MappingProxyType(
    {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        409: "conflict_error",
        413: "request_too_large",
        429: "rate_limit_error",
        500: "api_error",
        502: "api_error",
        503: "overloaded_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)


def parse_error(head: HttpHead, body: bytes) -> ErrorReport:
    """Extract what an error reply says; total over any bytes."""
    try:
        obj = json.loads(body)
    except ValueError:
        obj = None
    return report_of(obj, head)


def report_of(obj: object, head: HttpHead | None = None) -> ErrorReport:
    """Read an error object, of a reply with status or met inside a 200."""
    error = obj.get("error") if isinstance(obj, Mapping) else None
    hint = None if head is None else wait_ns(head.headers)
    stop = head is not None and pushback(head.headers)
    status = None if head is None else head.status
    if isinstance(error, str):
        return ErrorReport(status=status, message=error, hint_ns=hint, pushback=stop)
    if not isinstance(error, Mapping):
        return ErrorReport(status=status, hint_ns=hint, pushback=stop, json=False)
    details = error.get("details")
    found = _texts(details) if isinstance(details, Mapping) else {}
    return ErrorReport(
        status=status,
        code=found.get("error_code") or _text(error.get("code")),
        type=_text(error.get("type")),
        param=_text(error.get("param")),
        message=_text(error.get("message")) or "",
        hint_ns=hint,
        pushback=stop,
        details=MappingProxyType(found),
    )


def error_object(error: ClientError) -> dict[str, Any]:
    """Build the body of an error as we tell it; what is beside it stands at the top too (api.md, 10)."""
    details: dict[str, Any] = dict(error.extra)
    if error.code is not None:
        details["error_code"] = error.code
    if error.param == THREAD_POINTER:
        # With this code the SDK's tool runners stop threading and send whole conversations.
        details["error_code"] = "thread_unsupported_request"
    if error.param is not None:
        details["param"] = error.param
    told: dict[str, Any] = {"type": type_of(error), "message": error.message}
    if details:
        told["details"] = details
    written: dict[str, Any] = {"type": "error", "error": told, **error.extra}
    if error.request_id:
        written["request_id"] = error.request_id
    return written


def type_of(error: ClientError) -> str:
    """Name the error's type: overload is overload whatever status carries it."""
    if error.kind == FailureClass.OVERLOADED:
        return "overloaded_error"
    if error.status in _BY_STATUS:
        return _BY_STATUS[error.status]
    return "api_error" if error.status >= 500 else "invalid_request_error"


def _texts(details: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(key): str(value)
        for key, value in details.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
