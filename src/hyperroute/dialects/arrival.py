"""Headers that come in at our door: each means one thing, and only what is read here passes.

A request that two parsers could take apart differently is refused and not repaired, because a proxy
before us may have taken it the other way (reliability.md, 6). What is not on the list of headers
that somebody here reads is left behind, and so nothing travels on to a provider by accident. Values
are never quoted in an error: they are where keys are.

Source: RFC 9110, 5.5 and 7.6.1; RFC 9112, 5.1, 5.2, 6.1 and 6.3; read 2026-11-22.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.wire import Headers
from hyperroute.dialects.base import ClientError

HEADERS_MAX: Final = 128
HEADER_BYTES_MAX: Final = 64 * 1024
"""Of all names and values together."""

READ: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-beta",
        "anthropic-version",
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "openai-beta",
        "origin",
        "prefer",
        "request-id",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-api-key",
        "x-goog-api-key",
        "x-request-id",
        "x-stainless-read-timeout",
        "x-stainless-retry-count",
    }
)
"""What somebody in this house reads; all else stays outside."""

OWN_PREFIX: Final = "x-hyperroute-"
"""Headers of our own are read as well."""

ONCE: Final = frozenset(
    {
        "anthropic-version",
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "transfer-encoding",
        "x-api-key",
        "x-goog-api-key",
    }
)
"""Where a second one, even an equal one, tells that somebody reads them differently."""

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_VALUE: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def clean_headers(
    headers: Iterable[tuple[str, str]], *, allowed: frozenset[str] = READ
) -> Headers | ClientError:
    """Take over what is read here, names in lower case, values trimmed; or say what is wrong.

    Args:
        headers: As the server read them, in their order, decoded as Latin-1.
        allowed: Names that pass, beside our own; what stands between two machines never does.
    """
    pairs = [(name.lower(), value) for name, value in headers]
    if len(pairs) > HEADERS_MAX:
        return _wrong(f"more than {HEADERS_MAX} headers", status=431)
    names, values = "".join([name for name, _ in pairs]), "".join([value for _, value in pairs])
    if len(names) + len(values) > HEADER_BYTES_MAX:
        return _wrong(f"headers of more than {HEADER_BYTES_MAX} bytes", status=431)
    if _NAME.fullmatch(names or "-") is None or _NO_VALUE.search(values):
        for name, value in pairs:
            if _NAME.fullmatch(name) is None:
                return _wrong("a header name is no token")
            if _NO_VALUE.search(value):
                return _wrong("a header value has control characters or a folded line", name)
    if (fault := _ambiguous(pairs)) is not None:
        return fault
    dropped = HOP_BY_HOP
    if words := [value for name, value in pairs if name == "connection"]:
        named = frozenset(word.strip(" \t").lower() for word in ",".join(words).split(","))
        if astray := sorted(named & READ):
            return _wrong("Connection names a header that is read here", astray[0])
        dropped |= named
    return tuple(
        [
            (name, value.strip(" \t"))
            for name, value in pairs
            if (name in allowed or name.startswith(OWN_PREFIX)) and name not in dropped
        ]
    )


def _ambiguous(pairs: list[tuple[str, str]]) -> ClientError | None:
    """Find what a proxy may have understood differently."""
    once = [name for name, _ in pairs if name in ONCE or not name]
    if "" in once:
        return _wrong("a header has no name")
    found = set(once)
    if len(found) < len(once):
        return _wrong("this header is there more than once", max(once, key=once.count))
    if "content-length" in found and "transfer-encoding" in found:
        return _wrong("Content-Length beside Transfer-Encoding", "transfer-encoding")
    told = dict(pairs)
    length = told.get("content-length", "0").strip(" \t")
    if not (length.isascii() and length.isdigit() and len(length) <= 18):
        return _wrong("must be a plain number of bytes", "content-length")
    if told.get("transfer-encoding", "chunked").strip(" \t").lower() != "chunked":
        return _wrong("must be chunked, and nothing else", "transfer-encoding")
    return None


def _wrong(message: str, name: str | None = None, *, status: int = 400) -> ClientError:
    said = message if name is None else f"{name}: {message}"
    return ClientError(status=status, kind=FailureClass.BAD_REQUEST, message=said, param=name)


__all__ = [
    "HEADERS_MAX",
    "HEADER_BYTES_MAX",
    "HOP_BY_HOP",
    "ONCE",
    "OWN_PREFIX",
    "READ",
    "clean_headers",
]
