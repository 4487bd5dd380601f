"""A world without sockets and without waiting: scripted providers and a clock that we move.

``World`` is the sync clock and the sync transport at once; ``World.awaiting()`` gives the same
world behind the async ports. Time moves only when everybody waits, and then straight to the next
thing that happens, so that an hour passes in a microsecond and always in the same order. Both
colours play one state machine (``_Play``); only the waiting differs.

Nothing here is random: whatever is, comes from ``World.dice``, which the seed determines.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from dataclasses import dataclass, field
from typing import Final

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.http_body import Body
from hyperroute.runtime.ports import Limits, TransportError, TransportFault
from hyperroute.testing.script import Answer, Book, Script

UNIX_NS: Final = 1_790_000_000_000_000_000
"""Unix time at the world's beginning: 21 September 2026, so that dates in tests look like dates."""

QUIET_TURNS: Final = 6
"""How many turns of the event loop must pass without anybody waiting anew before time moves."""


@dataclass(slots=True, eq=False)
class Sent:
    """A request as the world saw it.

    Attributes:
        at: When the connection was asked for.
        ended_at: When the exchange was over, for whatever reason; ``None`` while it is open.
        fault: What the transport reported, if it failed.
        complete: The body was read to its end; false after a fault or a cancellation.
    """

    request: HttpRequest
    script: Script
    at: int
    ended_at: int | None = None
    fault: TransportFault | None = None
    complete: bool = False


Outcome = bytes | HttpHead | TransportFault
Step = tuple[int, Outcome]


class _Play:
    """One exchange as a machine: each step says how long it takes, and what then."""

    def __init__(self, script: Script, limits: Limits) -> None:
        self._script = script
        self._limits = limits
        self._body = Body(script.head())
        self._index = 0

    def begin(self, now: int) -> Step:
        """Connect, send, and wait for the head."""
        script, limits = self._script, self._limits
        left = max(0, limits.total_until - now)
        if script.fault == "connect_timeout":
            return min(limits.connect_ns, left), "connect_timeout"
        patience = min(limits.first_byte_ns, left)
        if script.head_after_ns > patience or script.fault == "first_byte":
            return patience, "first_byte"
        if script.fault is not None:
            return script.head_after_ns, script.fault
        if script.raw is not None:
            return script.head_after_ns, "protocol"
        return script.head_after_ns, script.head()

    def proceed(self, timeout_ns: int, now: int) -> Step:
        """Wait for some body, gathered and opened as the real transports do it."""
        patience = max(0, min(timeout_ns, self._limits.total_until - now))
        waited = 0
        body = self._body
        while not body.ready():
            wait = self._wait_ns()
            if wait is None or waited + wait > patience:
                return patience, "idle"
            waited += wait
            try:
                fault = self._next()
            except TransportError as error:
                fault = error.fault
            if fault is not None:
                return waited, fault
        return waited, body.take()

    def _wait_ns(self) -> int | None:
        script = self._script
        if self._index < len(script.chunks):
            return script.wait_ns(self._index)
        return None if script.end == "stall" else 0

    def _next(self) -> TransportFault | None:
        script = self._script
        if self._index < len(script.chunks):
            self._body.feed(script.chunks[self._index])
            self._index += 1
            return None
        if script.end == "reset":
            return "reset"
        short = script.length is not None and len(script.body) < script.length
        if script.end == "cut" or short:
            return "cut"
        self._body.end()
        return None


@dataclass(slots=True)
class World:
    """Clock and transport, sync; see ``awaiting`` for the async twin.

    Attributes:
        seed: Decides ``dice`` and nothing else.
        at: The current instant.
        sent: Every request in order, also those that found nobody.
    """

    seed: int = 0
    at: int = 0
    unix_at_zero_ns: int = UNIX_NS
    sent: list[Sent] = field(default_factory=list[Sent])
    book: Book = field(default_factory=Book)
    dice: random.Random = field(init=False)
    _twin: AsyncWorld | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - it must repeat

    def serve(self, prefix: str, answer: Answer) -> None:
        """Say what is answered at URLs that begin so; the longest prefix decides.

        Raises:
            ValueError: The sequence of scripts is empty.
        """
        self.book.serve(prefix, answer)

    def now(self) -> int:
        """Return the world's instant."""
        return self.at

    def unix_ns(self) -> int:
        """Return Unix time, which never jumps here."""
        return self.unix_at_zero_ns + self.at

    def sleep(self, ns: int) -> None:
        """Move the clock."""
        self.at += max(0, ns)

    @property
    def open_now(self) -> int:
        """Count the exchanges that nobody has ended: a leak, once a run is over."""
        return sum(sent.ended_at is None for sent in self.sent)

    def open(self, request: HttpRequest, *, limits: Limits) -> WorldExchange:
        """Play the script of the URL up to its head.

        Raises:
            TransportError: As the script or the limits demand.
            LookupError: ``serve`` was told nothing about this URL.
        """
        line = _Line(self, request, limits)
        wait, outcome = line.play.begin(self.at)
        self.sleep(wait)
        return WorldExchange(line, line.head(outcome))

    def close(self) -> None:
        """Do nothing: there are no connections to let go of."""

    def awaiting(self) -> AsyncWorld:
        """Return this world behind the async ports, the same object every time."""
        if self._twin is None:
            self._twin = AsyncWorld(self)
        return self._twin


class _Line:
    """What both colours know of one exchange, and what they write down about it."""

    def __init__(self, world: World, request: HttpRequest, limits: Limits) -> None:
        script = world.book.choose(request)
        self.sent = Sent(request, script, world.at)
        self.play = _Play(script, limits)
        self.world = world
        world.sent.append(self.sent)

    def head(self, outcome: Outcome) -> HttpHead:
        """Return the head, or raise what came in its place."""
        if isinstance(outcome, HttpHead):
            return outcome
        assert not isinstance(outcome, bytes)
        self.end(outcome)
        raise TransportError(outcome)

    def chunk(self, outcome: Outcome) -> bytes:
        """Return some body, or raise what came in its place."""
        if isinstance(outcome, bytes):
            if not outcome:
                self.sent.complete = True
                self.end()
            return outcome
        assert not isinstance(outcome, HttpHead)
        self.end(outcome)
        raise TransportError(outcome)

    def after_the_end(self) -> bytes:
        """Answer a read that comes too late: the end once more, or the fault."""
        if self.sent.complete:
            return b""
        raise TransportError(self.sent.fault or "cut")

    def end(self, fault: TransportFault | None = None) -> None:
        """Write down that it is over; the first to say so is right."""
        if self.sent.ended_at is None:
            self.sent.ended_at = self.world.at
            self.sent.fault = fault


class WorldExchange:
    """An open exchange of a World."""

    def __init__(self, line: _Line, head: HttpHead) -> None:
        self.head = head
        self._line = line

    def read(self, *, timeout_ns: int) -> bytes:
        """Return the next chunk of the script, or ``b""``.

        Raises:
            TransportError: As the script or the limits demand.
        """
        line = self._line
        if line.sent.ended_at is not None:
            return line.after_the_end()
        wait, outcome = line.play.proceed(timeout_ns, line.world.at)
        line.world.sleep(wait)
        return line.chunk(outcome)

    def close(self) -> None:
        """End the exchange."""
        self._line.end()


class AsyncWorld:
    """A World behind the async ports: tasks wait together, and time moves when all of them do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._asked = 0
        self._turning: asyncio.AbstractEventLoop | None = None

    def now(self) -> int:
        """Return the world's instant."""
        return self.world.at

    def unix_ns(self) -> int:
        """Return Unix time, which never jumps here."""
        return self.world.unix_ns()

    async def sleep(self, ns: int) -> None:
        """Wait until the clock has moved so far; others go first."""
        self._asked += 1
        if ns <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        if self._turning is not loop:
            # The first to wait, or the first since another loop was closed over its waiters.
            self._waiting.clear()
            self._turning = loop
            loop.call_soon(self._turn, self._asked, 0)
        done = loop.create_future()
        heapq.heappush(self._waiting, (self.world.at + ns, self._asked, done))
        await done

    async def open(self, request: HttpRequest, *, limits: Limits) -> AsyncWorldExchange:
        """Play the script of the URL up to its head.

        Raises:
            TransportError: As the script or the limits demand.
            LookupError: ``serve`` was told nothing about this URL.
        """
        line = _Line(self.world, request, limits)
        wait, outcome = line.play.begin(self.now())
        try:
            await self.sleep(wait)
        except BaseException:
            line.end()
            raise
        return AsyncWorldExchange(self, line, line.head(outcome))

    async def close(self) -> None:
        """Do nothing: there are no connections to let go of."""

    def _turn(self, seen: int, quiet: int) -> None:
        """Let the loop turn until nobody asks for anything new; then move to the next waker."""
        if self._asked != seen:
            quiet = 0
        elif quiet >= QUIET_TURNS:
            self._wake()
            quiet = 0
        if self._waiting and self._turning is not None:
            self._turning.call_soon(self._turn, self._asked, quiet + 1)
        else:
            self._turning = None

    def _wake(self) -> None:
        while self._waiting:
            due, _, done = heapq.heappop(self._waiting)
            if done.done():
                continue  # cancelled: its time does not count
            self.world.at = max(self.world.at, due)
            done.set_result(None)
            return


class AsyncWorldExchange:
    """An open exchange of a World, awaited."""

    def __init__(self, here: AsyncWorld, line: _Line, head: HttpHead) -> None:
        self.head = head
        self._here = here
        self._line = line

    async def read(self, *, timeout_ns: int) -> bytes:
        """Return the next chunk of the script, or ``b""``.

        Raises:
            TransportError: As the script or the limits demand.
        """
        line = self._line
        if line.sent.ended_at is not None:
            return line.after_the_end()
        wait, outcome = line.play.proceed(timeout_ns, self._here.now())
        try:
            await self._here.sleep(wait)
        except BaseException:
            line.end()
            raise
        return line.chunk(outcome)

    async def close(self) -> None:
        """End the exchange."""
        self._line.end()
