"""The key that a request carries: three headers, and for Gemini a query (api.md, 1)."""

from __future__ import annotations

from hyperroute.canon.wire import HttpRequest
from hyperroute.gateway.paths import GEMINI, Place, query_of


def presented(http: HttpRequest, place: Place, *, query_everywhere: bool = False) -> str | None:
    """Return the secret that counts, ``None`` if none was sent.

    Of several the first counts in this order: ``Authorization: Bearer``, ``x-api-key``,
    ``x-goog-api-key``, ``?key=``. Another scheme than Bearer is no key of ours.
    """
    found: dict[str, str] = {}
    for name, value in http.headers:
        if name in _HEADERS:
            found.setdefault(name, value)
    scheme, _, token = found.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    for name in ("x-api-key", "x-goog-api-key"):
        if secret := found.get(name, "").strip():
            return secret
    if query_everywhere or place.dialect == GEMINI:
        return query_of(http.url, "key") or None
    return None


_HEADERS = frozenset({"authorization", "x-api-key", "x-goog-api-key"})

__all__ = ["presented"]
