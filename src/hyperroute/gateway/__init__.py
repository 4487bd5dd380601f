"""Our own server side: a function from request to response."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperroute.canon.wire import HttpRequest
    from hyperroute.gateway.awaiting import Gateway
    from hyperroute.gateway.blocking import BlockingGateway
    from hyperroute.gateway.door import Door
    from hyperroute.gateway.idempotent import Keeping
    from hyperroute.gateway.mail import sink_of
    from hyperroute.gateway.message import HttpResponse
    from hyperroute.gateway.postman import AsyncPostman, Postman
    from hyperroute.gateway.sweeper import AsyncSweeper, Sweeper

_HOMES = {
    "AsyncPostman": "gateway.postman",
    "AsyncSweeper": "gateway.sweeper",
    "BlockingGateway": "gateway.blocking",
    "Door": "gateway.door",
    "Gateway": "gateway.awaiting",
    "HttpRequest": "canon.wire",
    "HttpResponse": "gateway.message",
    "Keeping": "gateway.idempotent",
    "Postman": "gateway.postman",
    "Sweeper": "gateway.sweeper",
    "sink_of": "gateway.mail",
}

__all__ = [
    "AsyncPostman",
    "AsyncSweeper",
    "BlockingGateway",
    "Door",
    "Gateway",
    "HttpRequest",
    "HttpResponse",
    "Keeping",
    "Postman",
    "Sweeper",
    "sink_of",
]


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use.

    Raises:
        AttributeError: There is no such name.
    """
    if home := _HOMES.get(name):
        from importlib import import_module

        return getattr(import_module(f"hyperroute.{home}"), name)
    raise AttributeError(f"module 'hyperroute.gateway' has no attribute {name!r}")
