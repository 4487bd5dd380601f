"""Ways to sign a request. A signature is a function from a request and its call to a request.

Without a secret nothing is added: local servers take none, and an account may carry its own
``authorization`` among the headers of its table entry.
"""

from __future__ import annotations

from collections.abc import Callable

from hyperroute.canon.wire import Headers, HttpRequest
from hyperroute.providers.flow import Outbound

Sign = Callable[[HttpRequest, Outbound], HttpRequest]


def bearer(request: HttpRequest, call: Outbound) -> HttpRequest:
    """Put the secret into ``Authorization: Bearer`` (RFC 6750, 2.1)."""
    return _signed(request, call, "authorization", "Bearer ")


def in_header(name: str) -> Sign:
    """Build a signature that sends the bare secret in header ``name``, given in lower case."""

    def sign(request: HttpRequest, call: Outbound) -> HttpRequest:
        return _signed(request, call, name, "")

    return sign


def unsigned(request: HttpRequest, call: Outbound) -> HttpRequest:
    """Add nothing."""
    del call
    return request


def merged(*layers: Headers) -> Headers:
    """Merge headers by lower-case name: the later layer wins, whole."""
    found: dict[str, str] = {}
    for layer in layers:
        for name, value in layer:
            found[name.lower()] = value
    return tuple(found.items())


def _signed(request: HttpRequest, call: Outbound, name: str, prefix: str) -> HttpRequest:
    if not call.secret:
        return request
    headers = merged(request.headers, ((name, f"{prefix}{call.secret}"),))
    return HttpRequest(method=request.method, url=request.url, headers=headers, body=request.body)


__all__ = ["Sign", "bearer", "in_header", "merged", "unsigned"]
