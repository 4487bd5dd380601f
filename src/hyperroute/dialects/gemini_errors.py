"""Errors of Gemini: what Google's say, and how ours are told (dialects.md, 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.wire import HttpHead
from hyperroute.dialects import json
from hyperroute.dialects.base import ClientError, ErrorReport
from hyperroute.dialects.gemini_spelling import pick
from hyperroute.dialects.hints import proto_duration_ns, pushback, wait_ns

_STATUSES: Mapping[int, str] = MappingProxyType(
    {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        402: "RESOURCE_EXHAUSTED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        409: "ABORTED",
        413: "INVALID_ARGUMENT",
        429: "RESOURCE_EXHAUSTED",
        499: "CANCELLED",
        500: "INTERNAL",
        501: "UNIMPLEMENTED",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
)
_TYPE = "type.googleapis.com/google.rpc."


def parse_error(head: HttpHead, body: bytes) -> ErrorReport:
    """Extract what an error reply says; total over any bytes."""
    try:
        obj = json.loads(body)
    except ValueError:
        obj = None
    return report_of(obj, head)


def report_of(obj: object, head: HttpHead | None = None) -> ErrorReport:
    """Read an error object, of a reply with status or met inside a 200; a list of one is accepted."""
    if isinstance(obj, list) and obj:
        obj = obj[0]
    error = obj.get("error") if isinstance(obj, Mapping) else None
    headers = () if head is None else head.headers
    status = None if head is None else head.status
    stop = pushback(headers)
    if isinstance(error, str):
        return ErrorReport(status=status, message=error, hint_ns=wait_ns(headers), pushback=stop)
    if not isinstance(error, Mapping):
        return ErrorReport(status=status, hint_ns=wait_ns(headers), pushback=stop, json=False)
    details, delay = _details(error.get("details"))
    code = error.get("code")
    inner = code if isinstance(code, int) and not isinstance(code, bool) else None
    named = error.get("status")
    message = error.get("message")
    return ErrorReport(
        status=inner if status in {None, 200} and inner is not None else status,
        code=details.get("reason"),
        type=named if isinstance(named, str) else None,
        param=details.get("field"),
        message=message if isinstance(message, str) else "",
        hint_ns=wait_ns(headers, retry_delay=delay),
        pushback=stop,
        details=MappingProxyType(details),
    )


def _details(value: object) -> tuple[dict[str, str], object]:
    """Read ``ErrorInfo``, ``QuotaFailure``, ``BadRequest`` and ``RetryInfo``."""
    found: dict[str, str] = {}
    delay: object = None
    for detail in _objects(value):
        for name in ("reason", "domain"):
            if isinstance(detail.get(name), str):
                found.setdefault(name, detail[name])
        if isinstance(metadata := detail.get("metadata"), Mapping):
            for name, said in metadata.items():
                if isinstance(said, str):
                    found.setdefault(str(name), said)
        for violation in _objects(detail.get("violations")):
            for name in ("quotaId", "quotaMetric", "quotaValue"):
                if isinstance(said := pick(violation, name), str):
                    found.setdefault(name, said)
        for violation in _objects(pick(detail, "fieldViolations")):
            if isinstance(violation.get("field"), str):
                found.setdefault("field", violation["field"])
        if delay is None and proto_duration_ns(pick(detail, "retryDelay")) is not None:
            delay = pick(detail, "retryDelay")
            found.setdefault("retryDelay", str(delay))
    return found, delay


def error_object(error: ClientError) -> dict[str, Any]:
    """Build the body of an error as we tell it; what is beside it stands at the top too (api.md, 10)."""
    status = 503 if error.kind == FailureClass.OVERLOADED else error.status
    status = {502: 500, 529: 503}.get(status, status)
    fallback = "INTERNAL" if status >= 500 else "INVALID_ARGUMENT"
    told: dict[str, Any] = {
        "code": status,
        "message": error.message,
        "status": _STATUSES.get(status, fallback),
        "details": list(_told(error)),
    }
    return {"error": told, **error.extra}


def _told(error: ClientError) -> Iterator[dict[str, Any]]:
    if error.code is not None or error.extra or error.request_id:
        info: dict[str, Any] = {"@type": f"{_TYPE}ErrorInfo", "domain": "hyperroute"}
        info["reason"] = (error.code or str(error.kind)).upper()
        metadata = {name: _plain(value) for name, value in error.extra.items()}
        if error.request_id:
            metadata["requestId"] = error.request_id
        yield {**info, "metadata": metadata}
    if error.param is not None:
        violation = {"field": error.param, "description": error.message}
        yield {"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]}
    if error.retry_after_s is not None:
        yield {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{error.retry_after_s}s"}


def _plain(value: object) -> str:
    """Metadata values are text."""
    return value if isinstance(value, str) else json.dumps(value).decode()


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for item in value:
            if isinstance(item, Mapping):
                yield item
