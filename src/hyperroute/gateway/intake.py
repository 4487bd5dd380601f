"""From an HTTP request to a routing request: content type, size, JSON, dialect.

Whatever is wrong is the caller's to mend, so every fault is a ``ClientError`` with its own status,
or a ``ClientWireError`` with the place in the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers, HttpRequest
from hyperroute.dialects.base import ClientError
from hyperroute.dialects.strict_json import read_object
from hyperroute.errors import ClientWireError
from hyperroute.gateway.paths import CHAT, GEMINI, Place
from hyperroute.runtime.router import Router

BODY_BYTES_MAX: Final = 32 * 1024 * 1024
"""The largest JSON body that is read (reliability.md, 6; Anthropic's own limit)."""

_OLDER: Final[Mapping[str, Any]] = {
    "model": "claude-sonnet-4-6",
    "stream": True,
    "temperature": 0.8,
    "max_tokens": 4096,
}
"""What the first generation's ``/chat`` assumed (api.md, 2)."""

_FORM: Final = "application/x-www-form-urlencoded"
"""What curl says of ``-d`` where nobody told it better."""


def header(headers: Headers, name: str) -> str | None:
    """Return the first value of a header, by its lower-case name."""
    for key, value in headers:
        if key == name:
            return value
    return None


def unreadable(headers: Headers, *, bytes_max: int = BODY_BYTES_MAX) -> ClientError | None:
    """Say why a body is not even read, from its headers alone."""
    length = header(headers, "content-length")
    if length is not None and not (length.isascii() and length.isdigit() and len(length) < 19):
        return _refused(400, FailureClass.BAD_REQUEST, "The header content-length is no number.")
    if length is not None and int(length) > bytes_max:
        return too_large(bytes_max)
    coding = (header(headers, "content-encoding") or "identity").strip().lower()
    if coding != "identity":
        return _refused(
            415,
            FailureClass.BAD_REQUEST,
            f"Content-Encoding {coding[:40]!r} is not read here: send the body as it is (identity).",
        )
    kind, _, rest = (header(headers, "content-type") or "").partition(";")
    kind = kind.strip().lower()
    if kind not in {"", "application/json", _FORM} and not kind.endswith("+json"):
        return _refused(
            415,
            FailureClass.BAD_REQUEST,
            f"Content-Type {kind[:80]!r} is not read here: send application/json.",
        )
    charset = _charset(rest)
    if charset not in {"", "utf-8", "utf8", "us-ascii", "ascii"}:
        return _refused(
            415, FailureClass.BAD_REQUEST, f"charset {charset[:40]!r} is not read here: send utf-8."
        )
    return None


def too_large(bytes_max: int) -> ClientError:
    """Say how much a body may hold."""
    return _refused(413, "too_large", f"The request body exceeds {bytes_max} bytes.")


def read(router: Router, place: Place, http: HttpRequest) -> Request:
    """Read a body as its place demands.

    Raises:
        ClientWireError: It is no JSON object, of no dialect, or a member is of the wrong type.
    """
    raw = read_object(http.body)
    name = place.dialect
    body: bytes | None = http.body
    if place.either:
        name = _told(raw)
    if place.older:
        raw, body = {**_OLDER, **raw}, None
    if place.model is not None:
        raw = {**raw, "model": place.model, "stream": place.stream}
    request = router.dialect(name).parse_request(raw, body=body, headers=http.headers)
    if place.older:
        return replace(request, endpoint="")
    if place.either and name != GEMINI:
        return replace(request, endpoint="gemini")
    return request


def _told(raw: Mapping[str, Any]) -> str:
    """Say which of its two dialects the bare Gemini path was given (api.md, 9)."""
    native, chat = "contents" in raw, "messages" in raw
    if native == chat:
        said = "both contents and messages" if native else "neither contents nor messages"
        raise ClientWireError(f"the body has {said}: contents is Gemini's, messages is OpenAI's")
    return GEMINI if native else CHAT


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


def _refused(status: int, kind: FailureClass | str, message: str) -> ClientError:
    return ClientError(status=status, kind=kind, message=message)


__all__ = ["BODY_BYTES_MAX", "header", "read", "too_large", "unreadable"]
