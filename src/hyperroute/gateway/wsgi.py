"""The gateway as a WSGI application, for Flask and Django: ``wsgi_app(BlockingGateway(client))``.

Source: PEP 3333, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from hyperroute.canon.wire import HttpRequest
from hyperroute.gateway import intake
from hyperroute.gateway.blocking import BlockingGateway
from hyperroute.gateway.message import HttpResponse

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_BARE = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


def wsgi_app(gateway: BlockingGateway) -> Application:
    """Make an application of a blocking gateway."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        response = _respond(gateway, environ)
        status = f"{response.status} {_phrase(response.status)}"
        headers = list(response.headers)
        if response.pieces is None:
            if response.status != 204:
                headers.append(("content-length", str(len(response.body))))
            start_response(status, headers)
            return (b"",) if environ["REQUEST_METHOD"] == "HEAD" else (response.body,)
        start_response(status, headers)
        assert isinstance(response.pieces, Iterator)
        return response.pieces

    return application


def _respond(gateway: BlockingGateway, environ: Environ) -> HttpResponse:
    method, headers = environ["REQUEST_METHOD"], tuple(_headers(environ))
    http = HttpRequest(method=method, url=_url(environ), headers=headers)
    if method in {"GET", "HEAD"}:
        return gateway.handle(http)
    problem = intake.unreadable(headers)
    body = b"" if problem is not None else _body(environ)
    if len(body) > intake.BODY_BYTES_MAX:
        problem = intake.too_large(intake.BODY_BYTES_MAX)
    if problem is not None:
        return gateway.refused(http, problem)
    return gateway.handle(replace(http, body=body))


def _body(environ: Environ) -> bytes:
    """Read what was announced, or to the end where the server knows it; one byte more than allowed."""
    length = environ.get("CONTENT_LENGTH") or ""
    source = environ["wsgi.input"]
    if length:
        return bytes(source.read(int(length)))
    if environ.get("wsgi.input_terminated"):
        return bytes(source.read(intake.BODY_BYTES_MAX + 1))
    return b""


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-").lower(), value
        elif name in _BARE and value:
            yield _BARE[name], value


def _url(environ: Environ) -> str:
    path = str(environ.get("PATH_INFO", "")) or "/"
    query = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else "Status"


__all__ = ["Application", "wsgi_app"]
