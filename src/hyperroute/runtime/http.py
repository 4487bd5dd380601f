"""HTTP behind one door: which client carries our requests is decided here and known nowhere else.

``direct`` is our own HTTP/1.1 client, the default: the fastest of the three, and a cancelled call
reaches the provider at once. ``httpx`` carries what it cannot: proxies, and a caller's own client.
``pyreqwest`` (extra ``fast``) is there for those who want its network stack and can live without
cancellation before the head. Nothing below these transports retries, follows a redirect, keeps a
cookie or opens a compressed body (http_body.py does that).
"""

from __future__ import annotations

from typing import Any, Literal

from hyperroute.runtime.ports import AsyncTransport, Transport

Library = Literal["direct", "httpx", "pyreqwest"]


def default_transport(library: Library | None = None, *, client: Any = None) -> Transport:
    """Make the sync transport.

    Args:
        library: What carries the requests; ``None`` takes ``direct``, or ``httpx`` where the
            environment names a proxy or a ``client`` is given.
        client: The caller's own ``httpx.Client`` (or httpx2), which stays the caller's to close.

    Raises:
        ModuleNotFoundError: ``library`` is not installed.
        ValueError: A ``client`` was given for another library than httpx.
    """
    if _use(library, client) == "httpx":
        from hyperroute.runtime.http_httpx import HttpxTransport

        return HttpxTransport(client)
    from hyperroute.runtime.http_bridge import BridgedTransport

    return BridgedTransport(lambda: default_async_transport(library))


def default_async_transport(
    library: Library | None = None, *, client: Any = None
) -> AsyncTransport:
    """Make the async transport; arguments as of ``default_transport``.

    Raises:
        ModuleNotFoundError: ``library`` is not installed.
        ValueError: A ``client`` was given for another library than httpx.
    """
    match _use(library, client):
        case "direct":
            from hyperroute.runtime.http_direct import AsyncDirectTransport

            return AsyncDirectTransport()
        case "httpx":
            from hyperroute.runtime.http_httpx import AsyncHttpxTransport

            return AsyncHttpxTransport(client)
        case "pyreqwest":
            from hyperroute.runtime.http_pyreqwest import AsyncPyreqwestTransport

            return AsyncPyreqwestTransport()


def _use(library: Library | None, client: Any) -> Library:
    if client is not None:
        if library not in {None, "httpx"}:
            raise ValueError("a client of your own must be one of httpx; leave library out")
        return "httpx"
    if library is not None:
        return library
    from urllib.request import getproxies  # it loads half of the standard library

    return "httpx" if any(name in getproxies() for name in ("http", "https", "all")) else "direct"
