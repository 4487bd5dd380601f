"""Declarative routing for AI providers: public names, imported lazily (PEP 562)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperroute.client import (
        Answer,
        AsyncClient,
        AsyncFrames,
        AsyncStream,
        Client,
        Frames,
        Router,
        Stream,
    )
    from hyperroute.errors import (
        ClientWireError,
        Exhausted,
        HyperrouteError,
        Interrupted,
        PluginError,
        Refused,
        RequestError,
        TableError,
        Untranslatable,
    )
    from hyperroute.plugins.hookspecs import hookimpl
    from hyperroute.routing.plan import Plan
    from hyperroute.routing.record import Record

_HOMES = {
    "Answer": "client",
    "AsyncClient": "client",
    "AsyncFrames": "client",
    "AsyncStream": "client",
    "Client": "client",
    "ClientWireError": "errors",
    "Exhausted": "errors",
    "Frames": "client",
    "HyperrouteError": "errors",
    "Interrupted": "errors",
    "Plan": "routing.plan",
    "PluginError": "errors",
    "Record": "routing.record",
    "Refused": "errors",
    "RequestError": "errors",
    "Router": "client",
    "Stream": "client",
    "TableError": "errors",
    "Untranslatable": "errors",
    "hookimpl": "plugins.hookspecs",
}

__all__ = [
    "Answer",
    "AsyncClient",
    "AsyncFrames",
    "AsyncStream",
    "Client",
    "ClientWireError",
    "Exhausted",
    "Frames",
    "HyperrouteError",
    "Interrupted",
    "Plan",
    "PluginError",
    "Record",
    "Refused",
    "RequestError",
    "Router",
    "Stream",
    "TableError",
    "Untranslatable",
    "hookimpl",
]


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use.

    Raises:
        AttributeError: There is no such name.
    """
    if home := _HOMES.get(name):
        from importlib import import_module

        return getattr(import_module(f"hyperroute.{home}"), name)
    raise AttributeError(f"module 'hyperroute' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
