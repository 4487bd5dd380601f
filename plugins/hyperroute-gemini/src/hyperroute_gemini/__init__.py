"""Google's Gemini API, and by ``url`` every host that speaks ``generateContent``.

Source: ai.google.dev/api (``x-goog-api-key``; the key in the query would end in logs), read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.plugins.hookspecs import hookimpl
from hyperroute.providers.flow import Provider
from hyperroute.providers.sign import in_header
from hyperroute.providers.speak import speak

URL: Final = "https://generativelanguage.googleapis.com/v1beta"
_DIALECTS: Final = MappingProxyType({"gemini": GEMINI_GENERATE})

GEMINI: Final = Provider(
    name="gemini",
    flow=speak(_DIALECTS, url=URL, sign=in_header("x-goog-api-key")),
    url=URL,
    speaks=tuple(_DIALECTS),
    vendor="google",
    secret="env:GEMINI_API_KEY",
    options=MappingProxyType({"thinking_types": list, "file_urls": bool, "prefill": bool}),
    dialects=_DIALECTS,
)


@hookimpl
def hyperroute_providers() -> Iterable[Provider]:
    """Add Gemini."""
    return (GEMINI,)


__all__ = ["GEMINI", "URL", "hyperroute_providers"]
