"""How each dialect's provider refuses: a status and a body per failure class, as data.

The bodies are of the shape and in the words that the real ones use, so that what a simulation
exercises is the reading and the judging of them, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.failure import FailureClass as Is
from hyperroute.dialects.json import dumps

Refusal = tuple[int, str, str | None, str]
"""Status, type (Google: the status word), code, message."""

_OPENAI: Final[Mapping[Is, Refusal]] = MappingProxyType(
    {
        Is.RATE_LIMITED: (429, "requests", "rate_limit_exceeded", "Rate limit reached."),
        Is.OVERLOADED: (503, "server_error", "server_is_overloaded", "The server is overloaded."),
        Is.SERVER_ERROR: (500, "server_error", None, "The server had an error."),
        Is.SLOW_START: (504, "server_error", None, "The upstream did not answer in time."),
        Is.CONTEXT_LENGTH: (
            400,
            "invalid_request_error",
            "context_length_exceeded",
            "This model's maximum context length is 8192 tokens.",
        ),
        Is.CONTENT_POLICY: (400, "invalid_request_error", "content_filter", "Flagged."),
        Is.BAD_REQUEST: (400, "invalid_request_error", None, "This request is invalid."),
        Is.UNKNOWN_MODEL: (404, "invalid_request_error", "model_not_found", "No such model."),
        Is.PROVIDER_AUTH: (401, "invalid_request_error", "invalid_api_key", "Incorrect API key."),
        Is.PROVIDER_FUNDS: (429, "insufficient_quota", "insufficient_quota", "Quota exceeded."),
        Is.PROVIDER_REGION: (
            403,
            "request_forbidden",
            "unsupported_country_region_territory",
            "Country, region, or territory not supported.",
        ),
    }
)
_ANTHROPIC: Final[Mapping[Is, Refusal]] = MappingProxyType(
    {
        Is.RATE_LIMITED: (429, "rate_limit_error", None, "This would exceed your rate limit."),
        Is.OVERLOADED: (529, "overloaded_error", None, "Overloaded"),
        Is.SERVER_ERROR: (500, "api_error", None, "Internal server error"),
        Is.SLOW_START: (504, "timeout_error", None, "The request timed out."),
        Is.CONTEXT_LENGTH: (
            400,
            "invalid_request_error",
            None,
            "prompt is too long: 8193 tokens > 8192 maximum",
        ),
        Is.CONTENT_POLICY: (
            400,
            "invalid_request_error",
            None,
            "Output blocked by content filtering policy",
        ),
        Is.BAD_REQUEST: (400, "invalid_request_error", None, "messages: field required"),
        Is.UNKNOWN_MODEL: (404, "not_found_error", None, "model: no such model"),
        Is.PROVIDER_AUTH: (401, "authentication_error", None, "invalid x-api-key"),
        Is.PROVIDER_FUNDS: (402, "billing_error", None, "Your credit balance is too low."),
        Is.PROVIDER_REGION: (403, "forbidden", None, "Request not allowed"),
    }
)
_GEMINI: Final[Mapping[Is, Refusal]] = MappingProxyType(
    {
        Is.RATE_LIMITED: (429, "RESOURCE_EXHAUSTED", None, "Resource has been exhausted."),
        Is.OVERLOADED: (503, "UNAVAILABLE", None, "The model is overloaded."),
        Is.SERVER_ERROR: (500, "INTERNAL", None, "An internal error has occurred."),
        Is.SLOW_START: (504, "DEADLINE_EXCEEDED", None, "Deadline expired."),
        Is.CONTEXT_LENGTH: (
            400,
            "INVALID_ARGUMENT",
            None,
            "The input token count (8193) exceeds the maximum number of tokens allowed (8192).",
        ),
        Is.BAD_REQUEST: (400, "INVALID_ARGUMENT", None, "Request contains an invalid argument."),
        Is.UNKNOWN_MODEL: (404, "NOT_FOUND", None, "models/none is not found."),
        Is.PROVIDER_AUTH: (400, "INVALID_ARGUMENT", "API_KEY_INVALID", "API key not valid."),
        Is.PROVIDER_FUNDS: (403, "PERMISSION_DENIED", "BILLING_DISABLED", "Billing is disabled."),
        Is.PROVIDER_REGION: (
            400,
            "FAILED_PRECONDITION",
            None,
            "User location is not supported for the API use.",
        ),
    }
)
_TABLES: Final = MappingProxyType(
    {
        "chat": _OPENAI,
        "responses": _OPENAI,
        "embeddings": _OPENAI,
        "completions": _OPENAI,
        "messages": _ANTHROPIC,
        "gemini": _GEMINI,
    }
)


def refusal(endpoint: str, kind: Is) -> tuple[int, bytes] | None:
    """Return status and body of a refusal; ``None`` if no refusal of this dialect means that."""
    found = _TABLES.get(endpoint, {}).get(kind)
    if found is None:
        return None
    status, word, code, message = found
    return status, dumps(_body(endpoint, status, word, code, message))


def _body(endpoint: str, status: int, word: str, code: str | None, message: str) -> dict[str, Any]:
    match endpoint:
        case "messages":
            return {"type": "error", "error": {"type": word, "message": message}}
        case "gemini":
            info = "type.googleapis.com/google.rpc.ErrorInfo"
            details = [{"@type": info, "reason": code, "domain": "googleapis.com"}] if code else []
            error = {"code": status, "message": message, "status": word, "details": details}
            return {"error": error}
        case _:
            return {"error": {"message": message, "type": word, "param": None, "code": code}}


__all__ = ["refusal"]
