"""OpenAI, and by ``url`` everything that is compatible with it.

A table entry such as ``{plugin: openai, url: https://api.deepseek.com/v1, speaks: [chat]}`` is all
that a compatible host needs. Azure's v1 endpoint is one with ``options: {auth: api-key}``.

Source: platform.openai.com/docs/api-reference/authentication and learn.microsoft.com, "Azure OpenAI
in Azure AI Foundry Models v1 API", read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from hyperroute.canon.wire import HttpRequest
from hyperroute.dialects.base import Dialect
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_completions import OPENAI_COMPLETIONS
from hyperroute.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from hyperroute.dialects.openai_images import OPENAI_IMAGES
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES
from hyperroute.plugins.hookspecs import hookimpl
from hyperroute.providers.flow import Outbound, Provider
from hyperroute.providers.sign import bearer, in_header, merged
from hyperroute.providers.speak import speak

URL: Final = "https://api.openai.com/v1"
_DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "chat": OPENAI_CHAT,
        "responses": OPENAI_RESPONSES,
        "embeddings": OPENAI_EMBEDDINGS,
        "completions": OPENAI_COMPLETIONS,
        "images": OPENAI_IMAGES,
    }
)
_HEADERS: Final = (("organization", "openai-organization"), ("project", "openai-project"))
_API_KEY: Final = in_header("api-key")


def sign(request: HttpRequest, call: Outbound) -> HttpRequest:
    """Add the key as a bearer, or as Azure wants it, and whom the call is billed to."""
    options = call.options
    if not options:
        return bearer(request, call)
    signed = (_API_KEY if options.get("auth") == "api-key" else bearer)(request, call)
    payers = tuple((header, str(options[name])) for name, header in _HEADERS if options.get(name))
    url, version = signed.url, options.get("api_version")
    if not payers and not version:
        return signed
    if version:
        url += ("&" if "?" in url else "?") + f"api-version={version}"
    return replace(signed, url=url, headers=merged(signed.headers, payers))


OPENAI: Final = Provider(
    name="openai",
    flow=speak(_DIALECTS, url=URL, sign=sign),
    url=URL,
    speaks=tuple(_DIALECTS),
    vendor="openai",
    secret="env:OPENAI_API_KEY",
    options=MappingProxyType(
        {
            "auth": str,
            "api_version": str,
            "organization": str,
            "project": str,
            "reasoning_content": bool,
            "max_tokens": bool,
            "prefill": bool,
            "top_k": bool,
            "stream_options": bool,
        }
    ),
    cancel_stops_billing=True,  # of streams: openrouter.ai/docs, stream cancellation, read 2026-11-22
    dialects=_DIALECTS,
)


@hookimpl
def hyperroute_providers() -> Iterable[Provider]:
    """Add OpenAI."""
    return (OPENAI,)


__all__ = ["OPENAI", "URL", "hyperroute_providers", "sign"]
