"""The public face: a pure ``Router``, and two thin clients that carry out what it plans.

A ``Client`` may be used by any number of threads at once: a run belongs to the thread that asked,
and what runs share (health, connections, the table in use) guards itself. An ``AsyncClient``
belongs to one event loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers
from hyperroute.catalog.condition import Fact
from hyperroute.dialects.base import Dialect
from hyperroute.runtime import paying
from hyperroute.runtime.answer import Answer, AsyncStream, Stream, answered
from hyperroute.runtime.board import Board
from hyperroute.runtime.clock import AsyncSystemClock, SystemClock
from hyperroute.runtime.desk import Desk, Watcher
from hyperroute.runtime.frames import AsyncFrames, Frames
from hyperroute.runtime.http import (
    Library,
    async_guard_of,
    async_transport_of,
    guard_of,
    transport_of,
)
from hyperroute.runtime.kernel import Run, Sink, forget
from hyperroute.runtime.ports import AsyncClock, AsyncTransport, Clock, Transport
from hyperroute.runtime.router import Body, Router
from hyperroute.runtime.tab import Till
from hyperroute.stores.base import AsyncStore, Store

Facts = Mapping[str, Fact]


class _Base:
    """What both clients hold."""

    def __init__(
        self,
        router: Router | None,
        *,
        watch: bool,
        warm: bool,
        sink: Sink,
        board: Board | None,
        **guards: Any,
    ) -> None:
        """Resolve accounts; watch the tables if wanted.

        ``warm``: make ready what takes time to read. Not in a World, where nothing should hang on what
        is installed.
        """
        router = router if router is not None else Router.load()
        self.desk = Desk(router, sink=sink, board=board, **guards)
        if warm:
            self.desk.warm()
        self._watcher = Watcher(self.router, self.reload) if watch else None

    @property
    def router(self) -> Router:
        """The router in use."""
        return self.desk.router

    @property
    def missing(self) -> Mapping[str, str]:
        """Providers and credentials that cannot be used, and why."""
        return self.desk.missing

    def reload(self, router: Router | None = None) -> None:
        """Use another router from now on, or read this one's paths again; all or nothing.

        Runs that have begun end under the table they began with, and health is kept.

        Raises:
            TableError: The table is wrong; nothing has changed.
            ValueError: No router was given, and this one was not read from a path.
        """
        self.desk.use(router if router is not None else self.router.reloaded())

    def _unwatch(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _prepare(  # noqa: PLR0917 - both clients hand on what they were given, in its order
        self,
        body: Body | Request,
        clock: Clock | AsyncClock,
        dialect: str | None,
        headers: Headers,
        labels: Facts | None,
        facts: Facts | None,
        request_id: str | None,
        *,
        stream: bool,
    ) -> Run:
        return self.desk.prepare(
            body,
            dialect=dialect,
            headers=headers,
            labels=labels,
            facts=facts,
            stream=stream,
            request_id=request_id,
            now=clock.now(),
            unix_ns=clock.unix_ns(),
        )

    def _spoken(self, run: Run) -> Dialect:
        return self.router.dialect(run.plan.request.dialect)


class Client(_Base):
    """Carries out a router's plans, blocking. Safe to use from many threads at once."""

    def __init__(
        self,
        router: Router | None = None,
        *,
        transport: Transport | Library | None = None,
        http: Any = None,
        clock: Clock | None = None,
        sink: Sink = forget,
        board: Board | None = None,
        watch: bool = False,
        fetch_media: bool | Transport = False,
        till: Till[Store] | None = None,
    ) -> None:
        """Start with what is given, and make the rest.

        Args:
            router: ``None``: the shipped table and the installed plugins.
            transport: ``"aiohttp"``, ``"httpx"`` or ``"pyreqwest"``: made here of that library and
                closed with the client; ``None``: of the best that is installed (runtime/http.py).
            http: The caller's own httpx client, to be used instead and left open: an
                ``httpx.Client`` here, an ``httpx.AsyncClient`` in ``AsyncClient``.
            clock: ``None``: this machine's.
            sink: Takes every run's record; must neither block nor raise.
            board: Health to go on with; ``None``: nothing known.
            watch: Reload when the table's files change (extra ``watch``).
            fetch_media: Fetch what a request names by URL where the provider needs the bytes:
                ``True`` through a guard that reaches public https addresses only, or a guard with
                rules of your own (runtime/guard.py), left open; ``False``: such a request is refused.
            till: Where runs are paid, by what ``facts`` say of the caller; its store is left open.
                ``None``: nobody pays, and budgets of the table hold nobody.

        Raises:
            ModuleNotFoundError: The library is not installed.
            TableError: The shipped table is broken.
            ValueError: ``watch`` without a path to watch, no such library, or an ``http`` beside a
                transport that is not of httpx.
        """
        self._guard, self._guards = guard_of(fetch_media)
        super().__init__(
            router,
            sink=sink,
            board=board,
            watch=watch,
            warm=clock is None,
            guard=self._guard,
            till=till,
        )
        self._transport, self._owned = transport_of(transport, client=http)
        self.clock: Clock = clock if clock is not None else SystemClock()

    @property
    def transport(self) -> Transport:
        """What carries the requests, for those who carry runs out themselves."""
        return self._transport

    def send(
        self,
        body: Body | Request,
        *,
        dialect: str | None = None,
        headers: Headers = (),
        labels: Facts | None = None,
        facts: Facts | None = None,
        request_id: str | None = None,
    ) -> Answer:
        """Return the whole answer, whatever the body says of streaming.

        Args:
            body: As the caller's dialect has it; see ``Router.read``.
            dialect: As of ``Router.read``.
            headers: The caller's own, of which the dialect keeps what it forwards.
            labels: What the caller tells of itself.
            facts: What is known of the caller, and counts more than what it tells.
            request_id: Unique; ``None``: drawn.

        Raises:
            ClientWireError: The body is none of the dialect.
            Refused: Nothing could be tried.
            Exhausted: Everything that was tried failed.
        """
        told = (dialect, headers, labels, facts, request_id)
        run = self._prepare(body, self.clock, *told, stream=False)
        for _ in paying.serve(run, transport=self._transport, clock=self.clock):
            pass
        return answered(run, self._spoken(run))

    def stream(
        self,
        body: Body | Request,
        *,
        dialect: str | None = None,
        headers: Headers = (),
        labels: Facts | None = None,
        facts: Facts | None = None,
        request_id: str | None = None,
    ) -> Stream:
        """Return the answer's events as they come, whatever the body says of streaming.

        Arguments and faults are those of ``send``; faults of the run are raised while iterating,
        ``Interrupted`` once something was delivered.

        Raises:
            ClientWireError: The body is none of the dialect.
        """
        told = (dialect, headers, labels, facts, request_id)
        run = self._prepare(body, self.clock, *told, stream=True)
        return Stream(run, self._transport, self.clock)

    def frames(
        self,
        body: Body | Request,
        *,
        dialect: str | None = None,
        headers: Headers = (),
        labels: Facts | None = None,
        facts: Facts | None = None,
        request_id: str | None = None,
    ) -> Frames:
        """Return the answer as frames of the caller's dialect, to be served as they are.

        Arguments and faults are those of ``stream``.

        Raises:
            ClientWireError: The body is none of the dialect.
        """
        told = (dialect, headers, labels, facts, request_id)
        run = self._prepare(body, self.clock, *told, stream=True)
        return Frames(run, self._spoken(run), self._transport, self.clock)

    def close(self) -> None:
        """Let go of what is owned: the transport, the guard, the watcher."""
        self._unwatch()
        if self._guard is not None and self._guards:
            self._guard.close()
        if self._owned:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncClient(_Base):
    """Carries out a router's plans, awaiting. Belongs to one event loop."""

    def __init__(
        self,
        router: Router | None = None,
        *,
        transport: AsyncTransport | Library | None = None,
        http: Any = None,
        clock: AsyncClock | None = None,
        sink: Sink = forget,
        board: Board | None = None,
        watch: bool = False,
        fetch_media: bool | AsyncTransport = False,
        till: Till[AsyncStore] | None = None,
    ) -> None:
        """Start with what is given, and make the rest; arguments and faults as of ``Client``.

        Raises:
            ModuleNotFoundError: The library is not installed.
            TableError: The shipped table is broken.
            ValueError: ``watch`` without a path to watch, no such library, or an ``http`` beside a
                transport that is not of httpx.
        """
        self._guard, self._guards = async_guard_of(fetch_media)
        super().__init__(
            router,
            sink=sink,
            board=board,
            watch=watch,
            warm=clock is None,
            async_guard=self._guard,
            till=till,
        )
        self._transport, self._owned = async_transport_of(transport, client=http)
        self.clock: AsyncClock = clock if clock is not None else AsyncSystemClock()

    @property
    def transport(self) -> AsyncTransport:
        """What carries the requests, for those who carry runs out themselves."""
        return self._transport

    async def send(
        self,
        body: Body | Request,
        *,
        dialect: str | None = None,
        headers: Headers = (),
        labels: Facts | None = None,
        facts: Facts | None = None,
        request_id: str | None = None,
    ) -> Answer:
        """Return the whole answer; arguments as of ``Client.send``.

        Raises:
            ClientWireError: The body is none of the dialect.
            Refused: Nothing could be tried.
            Exhausted: Everything that was tried failed.
        """
        told = (dialect, headers, labels, facts, request_id)
        run = self._prepare(body, self.clock, *told, stream=False)
        events = paying.serve_awaiting(run, transport=self._transport, clock=self.clock)
        async for _ in events:
            pass  # nothing is told of a whole answer before its end, so nothing is left to close
        return answered(run, self._spoken(run))

    def stream(
        self,
        body: Body | Request,
        *,
        dialect: str | None = None,
        headers: Headers = (),
        labels: Facts | None = None,
        facts: Facts | None = None,
        request_id: str | None = None,
    ) -> AsyncStream:
        """Return the answer's events as they come; as of ``Client.stream``.

        Raises:
            ClientWireError: The body is none of the dialect.
        """
        told = (dialect, headers, labels, facts, request_id)
        run = self._prepare(body, self.clock, *told, stream=True)
        return AsyncStream(run, self._transport, self.clock)

    def frames(
        self,
        body: Body | Request,
        *,
        dialect: str | None = None,
        headers: Headers = (),
        labels: Facts | None = None,
        facts: Facts | None = None,
        request_id: str | None = None,
    ) -> AsyncFrames:
        """Return the answer as frames of the caller's dialect; see ``Client.frames``.

        Raises:
            ClientWireError: The body is none of the dialect.
        """
        told = (dialect, headers, labels, facts, request_id)
        run = self._prepare(body, self.clock, *told, stream=True)
        return AsyncFrames(run, self._spoken(run), self._transport, self.clock)

    async def close(self) -> None:
        """Let go of what is owned: the transport, the guard, the watcher."""
        self._unwatch()
        if self._guard is not None and self._guards:
            await self._guard.close()
        if self._owned:
            await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


__all__ = [
    "Answer",
    "AsyncClient",
    "AsyncFrames",
    "AsyncStream",
    "Client",
    "Frames",
    "Router",
    "Stream",
]
