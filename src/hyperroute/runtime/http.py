"""HTTP behind one door: which client carries our requests is decided here and known nowhere else.

``aiohttp`` (extra ``fast``) is used where it is installed: the fastest that can be cancelled at any
moment. ``httpx`` is always there, and carries what aiohttp cannot: SOCKS proxies, and a caller's
own client. ``pyreqwest`` (extra ``pyreqwest``) is there by name, for those who want its network
stack and can live without cancellation before the head. Nothing below these transports retries,
follows a redirect, keeps a cookie or opens a compressed body (http_body.py does that).
"""

from __future__ import annotations

from typing import Any, Literal

from hyperroute.runtime.ports import AsyncTransport, Transport

Library = Literal["aiohttp", "httpx", "pyreqwest"]


def default_transport(library: Library | None = None, *, client: Any = None) -> Transport:
    """Make the sync transport.

    Args:
        library: What carries the requests; ``None`` takes ``aiohttp`` where it is installed, else
            ``httpx``, and that too where the environment names a SOCKS proxy or a ``client`` is
            given.
        client: The caller's own ``httpx.Client`` (or httpx2), which stays the caller's to close.

    Raises:
        ModuleNotFoundError: ``library`` is not installed.
        ValueError: No such library, or a ``client`` was given for another than httpx.
    """
    library = _use(library, client)
    if library == "httpx":
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
        ValueError: No such library, or a ``client`` was given for another than httpx.
    """
    match _use(library, client):
        case "aiohttp":
            from hyperroute.runtime.http_aiohttp import AsyncAiohttpTransport

            return AsyncAiohttpTransport()
        case "httpx":
            from hyperroute.runtime.http_httpx import AsyncHttpxTransport

            return AsyncHttpxTransport(client)
        case "pyreqwest":
            from hyperroute.runtime.http_pyreqwest import AsyncPyreqwestTransport

            return AsyncPyreqwestTransport()


def transport_of(
    given: Transport | Library | None, *, client: Any = None
) -> tuple[Transport, bool]:
    """Return the sync transport that a caller wants, and whether it was made here.

    Raises:
        ModuleNotFoundError: The library is not installed.
        ValueError: No such library, or a ``client`` beside a transport that is not of httpx.
    """
    if given is None or isinstance(given, str):
        return default_transport(given, client=client), True
    _refuse_both(client)
    return given, False


def async_transport_of(
    given: AsyncTransport | Library | None, *, client: Any = None
) -> tuple[AsyncTransport, bool]:
    """Return the async transport that a caller wants, as ``transport_of``.

    Raises:
        ModuleNotFoundError: The library is not installed.
        ValueError: No such library, or a ``client`` beside a transport that is not of httpx.
    """
    if given is None or isinstance(given, str):
        return default_async_transport(given, client=client), True
    _refuse_both(client)
    return given, False


def guard_of(given: bool | Transport) -> tuple[Transport | None, bool]:
    """Return what fetches media for a sync caller, if anything does, and whether it was made here."""
    if given is True:
        from hyperroute.runtime.guard import guard

        return guard(), True
    return (None if given is False else given), False


def async_guard_of(given: bool | AsyncTransport) -> tuple[AsyncTransport | None, bool]:
    """Return what fetches media for an async caller, as ``guard_of``."""
    if given is True:
        from hyperroute.runtime.guard import async_guard

        return async_guard(), True
    return (None if given is False else given), False


def _refuse_both(client: Any) -> None:
    if client is not None:
        raise ValueError("give a transport or an http client, not both")


def _use(library: Library | None, client: Any) -> Library:
    if library not in {None, "aiohttp", "httpx", "pyreqwest"}:
        raise ValueError(f"no such HTTP library: {library!r}; take aiohttp, httpx or pyreqwest")
    if client is not None:
        if library not in {None, "httpx"}:
            raise ValueError("a client of your own must be one of httpx; leave library out")
        return "httpx"
    if library is not None:
        return library
    from importlib.util import find_spec

    if find_spec("aiohttp") is None:
        return "httpx"
    from hyperroute.runtime.http_aiohttp import environment_proxies

    schemes = {url.partition("://")[0].lower() for url in environment_proxies().values()}
    return "aiohttp" if schemes <= {"http", "https"} else "httpx"
