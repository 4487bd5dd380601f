"""Acme speaks OpenAI's chat dialect and takes its key as a bearer."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.plugins.hookspecs import hookimpl
from hyperroute.providers.flow import Provider
from hyperroute.providers.sign import bearer
from hyperroute.providers.speak import speak

URL: Final = "https://api.acme.example/v1"
_DIALECTS: Final = MappingProxyType({"chat": OPENAI_CHAT})

ACME: Final = Provider(
    name="acme",
    flow=speak(_DIALECTS, url=URL, sign=bearer),
    url=URL,
    speaks=("chat",),
    secret="env:ACME_API_KEY",
    dialects=_DIALECTS,
)


@hookimpl
def hyperroute_providers() -> Iterable[Provider]:
    """Add Acme."""
    return (ACME,)
