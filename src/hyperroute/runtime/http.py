"""HTTP behind one door: which client carries our requests is decided here and known nowhere else.

pyreqwest where it is installed (extra ``fast``), httpx everywhere. Nothing below these transports
retries, follows a redirect, keeps a cookie or opens a compressed body (http_body.py does).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal

from hyperroute.runtime.ports import AsyncTransport, Transport

Library = Literal["httpx", "pyreqwest"]


def default_transport(library: Library | None = None, *, client: Any = None) -> Transport:
    """Make the sync transport.

    Args:
        library: Which client to use; ``None`` takes the fastest that is installed.
        client: The caller's own ``httpx.Client`` (or httpx2), which stays the caller's to close.

    Raises:
        ModuleNotFoundError: ``library`` is not installed.
        ValueError: A ``client`` was given for another library than httpx.
    """
    if _use(library, client) == "pyreqwest":
        from hyperroute.runtime.http_pyreqwest import PyreqwestTransport

        return PyreqwestTransport()
    from hyperroute.runtime.http_httpx import HttpxTransport

    return HttpxTransport(client)


def default_async_transport(
    library: Library | None = None, *, client: Any = None
) -> AsyncTransport:
    """Make the async transport; arguments and faults as of ``default_transport``.

    Raises:
        ModuleNotFoundError: ``library`` is not installed.
        ValueError: A ``client`` was given for another library than httpx.
    """
    if _use(library, client) == "pyreqwest":
        from hyperroute.runtime.http_pyreqwest import AsyncPyreqwestTransport

        return AsyncPyreqwestTransport()
    from hyperroute.runtime.http_httpx import AsyncHttpxTransport

    return AsyncHttpxTransport(client)


def _use(library: Library | None, client: Any) -> Library:
    if client is not None:
        if library == "pyreqwest":
            raise ValueError("a client of your own must be one of httpx; leave library out")
        return "httpx"
    if library is not None:
        return library
    return "pyreqwest" if find_spec("pyreqwest") else "httpx"
