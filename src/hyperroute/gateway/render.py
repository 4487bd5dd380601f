"""What a caller is told of a failure, in its own dialect and with its own words kept.

Everything here is about the caller: its key, its request, its rights (invariants 29 and 30). A status
follows the dialect (dialects.md, 7), and ``x-should-retry`` stops SDKs from repeating what cannot
help (reliability.md, 2.1 and 2.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.wire import Headers
from hyperroute.dialects.base import ClientError, Dialect
from hyperroute.errors import ClientWireError, RequestError
from hyperroute.gateway.message import HttpResponse
from hyperroute.gateway.paths import GEMINI, MESSAGES

JSON: Final = ("content-type", "application/json")
NO_STORE: Final = ("cache-control", "no-store")
SSE: Final[Headers] = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("x-accel-buffering", "no"),
)

RETRY_AFTER_MAX_S: Final = 60
"""What we forward at most: some SDKs wait for as long as they are told (reliability.md, 2.1)."""

_KINDS: Final[Mapping[str, FailureClass | str]] = MappingProxyType(
    {
        "model_not_found": FailureClass.UNKNOWN_MODEL,
        "missing_model": FailureClass.BAD_REQUEST,
        "intent_not_found": FailureClass.UNKNOWN_MODEL,
        "invalid_parameter": FailureClass.BAD_REQUEST,
        "previous_response_not_found": FailureClass.BAD_REQUEST,
        "over_cap": FailureClass.BAD_REQUEST,
        "context_length": FailureClass.CONTEXT_LENGTH,
        "wrong_endpoint": "wrong_endpoint",
        "no_candidate": FailureClass.BAD_REQUEST,
        "no_credential": FailureClass.OVERLOADED,
        "insufficient_credits": "insufficient_credits",
        "too_many_at_once": FailureClass.RATE_LIMITED,
        "overtaken": "conflict",
        "store_down": FailureClass.OVERLOADED,
    }
)
"""Refusals of a plan as dialects know them."""

_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {"missing_model": "model_required", "context_length": "context_length_exceeded"}
)
"""Refusal codes that clients know under another name (api.md, 10)."""

_SAID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "no_credential": "No provider of this model has a credential here; its operator has to set one."
    }
)
"""What is said in the place of words that name the operator's settings."""

_ITSELF: Final = frozenset(FailureClass)
_HOPELESS: Final = frozenset(
    {
        FailureClass.PROVIDER_AUTH,
        FailureClass.PROVIDER_FUNDS,
        FailureClass.PROVIDER_REGION,
        FailureClass.UNKNOWN_MODEL,
        "no_credential",
    }
)
"""What no client can mend by asking again."""
_AGAIN: Final = frozenset({408, 409, 429})


def told_of_run(error: RequestError, *, dialect: str, request_id: str) -> ClientError:
    """Say what ended a run, to a caller of this dialect."""
    code = error.code
    kind: FailureClass | str
    if code in _KINDS:
        kind = "forbidden" if error.status == 403 else _KINDS[code]
    else:
        kind = FailureClass(code) if code in _ITSELF else FailureClass.SERVER_ERROR
    if kind is FailureClass.BAD_REQUEST and error.status >= 500:
        kind = FailureClass.OVERLOADED  # everything that could serve is resting
    wait = error.retry_after_s
    return ClientError(
        status=_status(error.status, kind, dialect),
        kind=kind,
        message=_SAID.get(code, str(error)),
        code=_CODES.get(code, code) if code in _KINDS else None,
        param=error.param or None,
        retry_after_s=None if wait is None else min(wait, RETRY_AFTER_MAX_S),
        request_id=request_id,
        extra=_extra(error),
    )


def told_of_body(error: ClientWireError, *, request_id: str) -> ClientError:
    """Say what is wrong with a body."""
    return ClientError(
        status=400,
        kind=FailureClass.BAD_REQUEST,
        message=str(error),
        param=error.pointer or None,
        request_id=request_id,
    )


def refusal(
    dialect: Dialect, error: ClientError, *, headers: Headers = (), retry: bool | None = None
) -> HttpResponse:
    """Write an error response.

    Args:
        dialect: The caller's.
        error: What it is told.
        headers: More of them.
        retry: Whether asking again can help; ``None``: the status tells.
    """
    more = list(headers)
    if error.retry_after_s is not None:
        more.append(("retry-after", str(error.retry_after_s)))
    if retry is False or (retry is None and error.status < 500 and error.status not in _AGAIN):
        more.append(("x-should-retry", "false"))
    return HttpResponse(
        status=error.status,
        headers=(*ids(error.request_id), JSON, NO_STORE, *more),
        body=dialect.emit_error(error),
    )


def hopeless(error: RequestError) -> bool:
    """Say whether asking again cannot help, whatever the status suggests."""
    return error.code in _HOPELESS


def ids(request_id: str) -> Headers:
    """Name the request under both headers that SDKs read (dialects.md, 8)."""
    return (("x-request-id", request_id), ("request-id", request_id))


def _status(status: int, kind: FailureClass | str, dialect: str) -> int:
    if dialect == MESSAGES and kind is FailureClass.OVERLOADED and status == 503:
        return 529
    if dialect == GEMINI:
        return {502: 500, 529: 503}.get(status, status)
    return status


def _extra(error: RequestError) -> Mapping[str, object]:
    if not error.available and error.code != "model_not_found":
        return MappingProxyType({})
    name = "available_intents" if error.code == "intent_not_found" else "available_models"
    return MappingProxyType({name: list(error.available)})


__all__ = ["JSON", "NO_STORE", "SSE", "hopeless", "ids", "refusal", "told_of_body", "told_of_run"]
