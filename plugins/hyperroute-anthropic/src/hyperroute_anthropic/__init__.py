"""Anthropic, and by ``url`` every host that speaks Messages.

Source: platform.claude.com/docs/en/api/overview (``x-api-key``; ``anthropic-version`` is required,
and comes from the caller or the dialect), read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from hyperroute.canon.wire import HttpRequest
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.plugins.hookspecs import hookimpl
from hyperroute.providers.flow import Outbound, Provider
from hyperroute.providers.sign import bearer, in_header
from hyperroute.providers.speak import speak

URL: Final = "https://api.anthropic.com"
_DIALECTS: Final = MappingProxyType({"messages": ANTHROPIC_MESSAGES})
_API_KEY: Final = in_header("x-api-key")


def sign(request: HttpRequest, call: Outbound) -> HttpRequest:
    """Add the key in Anthropic's header, or as a bearer for hosts that want that."""
    return (bearer if call.options.get("auth") == "bearer" else _API_KEY)(request, call)


ANTHROPIC: Final = Provider(
    name="anthropic",
    flow=speak(_DIALECTS, url=URL, sign=sign),
    url=URL,
    speaks=tuple(_DIALECTS),
    vendor="anthropic",
    secret="env:ANTHROPIC_API_KEY",
    options=MappingProxyType(
        {"auth": str, "anthropic_version": str, "thinking_types": list, "prefill": bool}
    ),
    cancel_stops_billing=True,  # of streams: openrouter.ai/docs, stream cancellation, read 2026-11-22
    dialects=_DIALECTS,
)


@hookimpl
def hyperroute_providers() -> Iterable[Provider]:
    """Add Anthropic."""
    return (ANTHROPIC,)


__all__ = ["ANTHROPIC", "URL", "hyperroute_providers", "sign"]
