"""Errors as OpenAI says them, and the many servers that nearly do: read, and written.

Both OpenAI dialects share this one form, ``{"error": {message, type, param, code}}``.

Source: dialects.md, section 7; api.md, section 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.dialects.base import ClientError, ErrorReport
from hyperroute.dialects.hints import pushback, wait_ns
from hyperroute.dialects.json import dumps, loads

_TEXT_MAX = 2_000
_DETAILS_MAX = 32

_WORDS: Final[Mapping[str, tuple[str, str | None]]] = MappingProxyType(
    {
        FailureClass.BAD_REQUEST: ("invalid_request_error", None),
        FailureClass.CONTEXT_LENGTH: ("invalid_request_error", "context_length_exceeded"),
        FailureClass.CONTENT_POLICY: ("invalid_request_error", "content_filter"),
        FailureClass.UNKNOWN_MODEL: ("invalid_request_error", "model_not_found"),
        FailureClass.RATE_LIMITED: ("rate_limit_error", "rate_limit_exceeded"),
        FailureClass.OVERLOADED: ("overloaded_error", "server_is_overloaded"),
        FailureClass.DEADLINE: ("timeout_error", "timeout"),
        FailureClass.SLOW_START: ("timeout_error", "timeout"),
        FailureClass.STALLED: ("timeout_error", "timeout"),
        "unauthorized": ("authentication_error", "invalid_api_key"),
        "insufficient_credits": ("insufficient_credits", "insufficient_credits"),
        "forbidden": ("permission_error", None),
        "not_found": ("not_found_error", None),
        "conflict": ("conflict_error", None),
        "too_large": ("invalid_request_error", "request_too_large"),
        "wrong_endpoint": ("invalid_request_error", "wrong_endpoint"),
    }
)
"""``type`` and ``code`` by kind; every other failure is an upstream's and reads ``server_error``."""


def error_object(error: ClientError) -> dict[str, Any]:
    """Build the inner object, all four keys always there."""
    kind, code = _WORDS.get(error.kind, ("server_error", None))
    return {
        "message": error.message,
        "type": kind,
        "param": error.param,
        "code": error.code or code,
        **error.extra,
    }


def emit_error(error: ClientError) -> bytes:
    """Write an error body; what goes beside the four keys stands at the top too (api.md, 10)."""
    body: dict[str, Any] = {"error": error_object(error), **error.extra}
    if error.request_id:
        body["request_id"] = error.request_id
    return dumps(body)


def parse_error(head: HttpHead, body: bytes) -> ErrorReport:
    """Extract what an error reply says; total over any bytes."""
    try:
        value = loads(body.strip())
    except (ValueError, RecursionError):
        text = body[:_TEXT_MAX].decode("utf-8", "replace").strip()
        return _report({}, head.status, head.headers, message=text, shaped=False)
    return report(value, status=head.status, headers=head.headers)


def report(value: object, *, status: int | None = None, headers: Headers = ()) -> ErrorReport:
    """Extract from a parsed body, or from an error event of a stream.

    Also read: a one-element list; ``error`` as bare text; the members without the outer object
    (vLLM's ``{"object": "error", …}``, an ``error`` event of Responses); ``detail`` (FastAPI).
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        return _report({}, status, headers, message=_text(value), shaped=False)
    inner = value.get("error")
    if isinstance(inner, dict):
        return _report(inner, status, headers)
    if isinstance(inner, str) and inner:
        return _report(value, status, headers, message=inner)
    for key in ("message", "detail", "error_description"):
        if value.get(key):
            shaped = key == "message" and ("code" in value or "type" in value)
            return _report(value, status, headers, message=_text(value[key]), shaped=shaped)
    return _report(value, status, headers, message=_text(value), shaped=False)


def is_error(value: Mapping[str, Any]) -> bool:
    """Tell an error object inside a 200 from a reply; ``"error": null`` is none."""
    return bool(value.get("error")) or value.get("object") == "error"


def _report(
    inner: Mapping[str, Any],
    status: int | None,
    headers: Headers,
    *,
    message: str | None = None,
    shaped: bool = True,
) -> ErrorReport:
    code = inner.get("code")
    if (status is None or status < 400) and (shown := _status(code)) is not None:
        status = shown  # aggregators put the true status into the body of a 200
    return ErrorReport(
        status=status,
        code=_word(code),
        type=_word(inner.get("type")) or _word(inner.get("status")),
        param=_word(inner.get("param")),
        message=_text(inner.get("message")) if message is None else message[:_TEXT_MAX],
        hint_ns=wait_ns(headers, retry_delay=_retry_delay(inner.get("details"))),
        pushback=pushback(headers),
        details=_details(inner),
        json=shaped,
    )


def _details(inner: Mapping[str, Any]) -> Mapping[str, str]:
    """Flatten the vendors' further members: Azure's inner error, aggregators' metadata, Google's."""
    found: dict[str, str] = {}
    for group in ("innererror", "metadata"):
        members = inner.get(group)
        for key, value in members.items() if isinstance(members, dict) else ():
            if isinstance(value, str | int) and len(found) < _DETAILS_MAX:
                found[f"{group}.{key}"] = str(value)[:_TEXT_MAX]
    details = inner.get("details")
    for entry in details if isinstance(details, list) else ():
        for key in ("reason", "quotaId", "domain"):
            value = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(value, str) and len(found) < _DETAILS_MAX:
                found.setdefault(key, value[:_TEXT_MAX])
    return MappingProxyType(found)


def _retry_delay(details: object) -> object:
    for entry in details if isinstance(details, list) else ():
        if isinstance(entry, dict) and "retryDelay" in entry:
            return entry["retryDelay"]
    return None


def _status(code: object) -> int | None:
    if isinstance(code, str) and len(code) == 3 and code.isdecimal() and code.isascii():
        code = int(code)
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599:
        return code
    return None


def _word(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)[:_TEXT_MAX] or None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value[:_TEXT_MAX]
    if value is None:
        return ""
    try:
        return dumps(value)[:_TEXT_MAX].decode("utf-8", "replace")
    except ValueError:
        return ""
