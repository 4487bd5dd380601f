"""The gateway as an ASGI application: ``app.mount("/ai", asgi_app(gateway))``, or by itself.

No framework stands between: a request is a scope and a body, a response two kinds of message
(ASGI 3, HTTP 2.3; https://asgi.readthedocs.io/en/latest/specs/www.html, read 2026-11-22).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, Protocol

from hyperroute.canon.wire import Headers, HttpRequest
from hyperroute.gateway import intake
from hyperroute.gateway.awaiting import Gateway
from hyperroute.gateway.message import HttpResponse
from hyperroute.gateway.pouring import Pouring, SlowReader

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Alongside(Protocol):
    """What works in the background for as long as a server runs."""

    def start(self) -> None:
        """Begin; an event loop runs."""
        ...

    async def close(self) -> None:
        """Stop, and finish what was begun."""
        ...


def asgi_app(
    gateway: Gateway, *, close: bool = False, alongside: Sequence[Alongside] = ()
) -> Application:
    """Make an application of a gateway.

    Args:
        gateway: Answers.
        close: Close the gateway's client when the server says that it stops (``lifespan``).
        alongside: Started when the server says that it starts, closed once the gateway is.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Exchange(gateway, scope, receive, send).run()
        elif scope["type"] == "lifespan":
            await _live(gateway, receive, send, close=close, alongside=alongside)
        else:
            await send({"type": "websocket.close", "code": 1003})

    return application


class _ClientGone(Exception):
    """The client left before its request was whole."""


class _TooLarge(Exception):
    """The body exceeds what is read."""


class _Exchange:
    """One request and its response."""

    def __init__(self, gateway: Gateway, scope: Scope, receive: Receive, send: Send) -> None:
        self._gateway = gateway
        self._scope = scope
        self._receive = receive
        self._send = send
        self._task = asyncio.current_task()
        self._is_gone = False

    async def run(self) -> None:
        headers: Headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in self._scope["headers"]
        )
        url = _url(self._scope)
        http = HttpRequest(method=self._scope["method"], url=url, headers=headers)
        # A body is refused by its headers where they tell, before a byte of it is read.
        problem = None if http.method in {"GET", "HEAD"} else intake.unreadable(headers)
        body = b""
        try:
            if problem is None:
                body = await self._body()
        except _ClientGone:
            return
        except _TooLarge:
            problem = intake.too_large(intake.BODY_BYTES_MAX)
        if problem is not None:
            await self._answer(self._gateway.refused(http, problem))
            return
        http = replace(http, body=body)
        watch = asyncio.ensure_future(self._watch())
        try:
            await self._answer(await self._gateway.respond(http))
        except asyncio.CancelledError:
            if not self._is_gone:
                raise  # the server stops, and not the client
            if self._task is not None and hasattr(self._task, "uncancel"):
                self._task.uncancel()
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _body(self) -> bytes:
        """Read the body.

        Raises:
            _ClientGone: The client left.
            _TooLarge: There is more of it than is read.
        """
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _ClientGone
            piece: bytes = message.get("body", b"")
            size += len(piece)
            if size > intake.BODY_BYTES_MAX:
                raise _TooLarge
            if not message.get("more_body", False):
                return b"".join((*pieces, piece)) if pieces else piece
            pieces.append(piece)

    async def _watch(self) -> None:
        """Cancel the answer when the client leaves."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._is_gone = True
                if self._task is not None:
                    self._task.cancel()
                return

    async def _answer(self, response: HttpResponse | Pouring) -> None:
        send = self._send
        headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers
        ]
        if isinstance(response, HttpResponse) and response.pieces is not None:
            await self._pass_on(response, headers)
            return
        if isinstance(response, HttpResponse):
            if response.status != 204:  # which has no body, and says nothing of its length
                headers.append((b"content-length", str(len(response.body)).encode()))
            body = b"" if self._scope["method"] == "HEAD" else response.body
            await send(
                {"type": "http.response.start", "status": response.status, "headers": headers}
            )
            await send({"type": "http.response.body", "body": body})
            return
        try:
            await send(
                {"type": "http.response.start", "status": response.status, "headers": headers}
            )

            async def write(piece: bytes) -> None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})

            await response.pour(write)
        except SlowReader:
            return  # the server ends a response that is not whole by closing the connection
        finally:
            await response.close()
        await send({"type": "http.response.body", "body": b""})

    async def _pass_on(self, response: HttpResponse, headers: list[tuple[bytes, bytes]]) -> None:
        """Send pieces as they are made; what breaks off is ended by closing the connection."""
        assert isinstance(response.pieces, AsyncGenerator)
        start = {"type": "http.response.start", "status": response.status, "headers": headers}
        async with aclosing(response.pieces) as pieces:
            await self._send(start)
            async for piece in pieces:
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})


def _url(scope: Scope) -> str:
    """Return the path as it is below where we are mounted, with its query."""
    raw: bytes | None = scope.get("raw_path")
    path = raw.decode("latin-1").partition("?")[0] if raw else scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root):
        path = path[len(root) :] or "/"
    query: bytes = scope.get("query_string", b"")
    return f"{path}?{query.decode('latin-1')}" if query else path


async def _live(
    gateway: Gateway,
    receive: Receive,
    send: Send,
    *,
    close: bool,
    alongside: Sequence[Alongside],
) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            for each in alongside:
                each.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await gateway.close()
            for each in reversed(alongside):
                await each.close()
            if close:
                await gateway.client.close()
            await send({"type": "lifespan.shutdown.complete"})
            return


__all__ = ["Alongside", "Application", "asgi_app"]
