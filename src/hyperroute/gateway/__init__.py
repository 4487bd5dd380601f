"""Our own server side: a function from request to response."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperroute.canon.wire import HttpRequest
    from hyperroute.gateway.awaiting import Gateway
    from hyperroute.gateway.blocking import BlockingGateway
    from hyperroute.gateway.message import HttpResponse

_HOMES = {
    "BlockingGateway": "gateway.blocking",
    "Gateway": "gateway.awaiting",
    "HttpRequest": "canon.wire",
    "HttpResponse": "gateway.message",
}

__all__ = ["BlockingGateway", "Gateway", "HttpRequest", "HttpResponse"]


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use.

    Raises:
        AttributeError: There is no such name.
    """
    if home := _HOMES.get(name):
        from importlib import import_module

        return getattr(import_module(f"hyperroute.{home}"), name)
    raise AttributeError(f"module 'hyperroute.gateway' has no attribute {name!r}")
