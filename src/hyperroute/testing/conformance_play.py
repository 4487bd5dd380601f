"""Play a flow by hand: a driver without a clock, a transport without a socket.

What a driver would do at each wish is done here in the plainest way, and everything that passed is
kept, so that a case can judge the flow by what it asked for and by what it told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.failure import Failure
from hyperroute.canon.wire import HttpRequest
from hyperroute.providers.classify import classify_transport
from hyperroute.providers.flow import READ, CallError, Fetch, Outbound, Pause, Provider, Run
from hyperroute.testing.script import Script

WISHES_MAX: Final = 100_000
"""A flow that wishes for more on a short answer does not end (invariant 31)."""

EVENTS: Final = (Started, PartStarted, PartDelta, PartEnded, UsageReported, Finished)


class Nonconforming(AssertionError):
    """The provider breaks its contract; the message says which part of it."""


@dataclass(slots=True)
class Heard:
    """One conversation as it went.

    Attributes:
        events: What was handed up.
        sent: Requests, in order.
        failure: The verdict, if it failed; of the flow, or of a transport that broke.
        wishes: Everything that was wished for, in order.
    """

    events: list[StreamEvent] = field(default_factory=list[StreamEvent])
    sent: list[HttpRequest] = field(default_factory=list[HttpRequest])
    failure: Failure | None = None
    wishes: list[object] = field(default_factory=list[object])


def play(
    provider: Provider, call: Outbound, script: Script, *, stop_after: int | None = None
) -> Heard:
    """Play one call against a script.

    Args:
        provider: Whose flow.
        call: What is asked.
        script: What every request of the flow is answered with.
        stop_after: Close the flow after so many wishes; ``None`` = play to the end.

    Raises:
        Nonconforming: The flow wished for something that is no wish, raised what is not ours, did
            not close, or did not end.
    """
    heard = Heard()
    try:
        flow = provider.flow(call)
        _drive(flow, script, heard, stop_after)
    except CallError as error:
        heard.failure = error.failure
    except Nonconforming:
        raise
    except Exception as error:
        raise Nonconforming(f"the flow raised {type(error).__name__}: {error}") from error
    return heard


def _drive(flow: Any, script: Script, heard: Heard, stop_after: int | None) -> None:
    body = iter(script.chunks)
    grant: object = None
    try:
        while True:
            try:
                wish = flow.send(grant)
            except StopIteration:
                return
            # Functions differ by identity; that one was to be run is what counts.
            heard.wishes.append(Run if isinstance(wish, Run) else wish)
            if stop_after is not None and len(heard.wishes) > stop_after:
                return
            if len(heard.wishes) > WISHES_MAX:
                raise Nonconforming(f"the flow did not end after {WISHES_MAX} wishes")
            grant = None
            match wish:
                case HttpRequest():
                    heard.sent.append(wish)
                    if script.fault is not None:
                        heard.failure = classify_transport(script.fault)
                        return
                    body = iter(script.chunks)
                    grant = script.head()
                case _ if wish is READ:
                    chunk = next(body, b"")
                    if not chunk and (broken := _broken(script)):
                        heard.failure = classify_transport(broken, begun=bool(script.chunks))
                        return
                    grant = chunk
                case Pause(ns) if ns < 0:
                    raise Nonconforming(f"the flow wants to pause for {ns} ns")
                case Pause() | Fetch():
                    pass  # nobody allowed a fetch: the flow must be able to go on, or to refuse
                case Run(function):
                    grant = function()
                case _ if isinstance(wish, EVENTS):
                    heard.events.append(wish)
                case tuple() if all(isinstance(one, EVENTS) for one in wish):
                    heard.events.extend(wish)
                case _:
                    raise Nonconforming(f"the flow yielded {wish!r}, which is no wish")
    finally:
        _close(flow)


def _broken(script: Script) -> str | None:
    if script.end != "clean":
        return {"cut": "cut", "reset": "reset", "stall": "idle"}[script.end]
    if script.length is not None and script.length > len(script.body):
        return "cut"
    return None


def _close(flow: Any) -> None:
    try:
        flow.close()
    except Exception as error:
        raise Nonconforming(
            f"closing the flow raised {type(error).__name__}: {error}; it must let go quietly"
        ) from error


_WAITING: Final = frozenset(
    {
        ("time", "sleep"),
        ("_socket", "socket"),
        ("_socket", "getaddrinfo"),
        ("select", "select"),
        ("select", "poll"),
        ("_posixsubprocess", "fork_exec"),
        ("_thread", "start_new_thread"),
    }
)


@contextmanager
def no_waiting() -> Iterator[None]:
    """Watch for calls that wait or touch the network, in this thread.

    Raises:
        Nonconforming: One was made; only ``Run`` may do such a thing, where a driver expects it.
    """
    caught: list[str] = []
    before: Callable[..., Any] | None = sys.getprofile()

    def watch(frame: FrameType, event: str, arg: Any) -> None:
        del frame
        if event == "c_call":
            module = getattr(arg, "__module__", None)
            name = getattr(arg, "__qualname__", "")
            owner = type(getattr(arg, "__self__", None)).__module__
            if (module, name) in _WAITING or owner in {"_socket", "socket"}:
                caught.append(f"{module or owner}.{name}")

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)
    if caught:
        raise Nonconforming(f"the flow called {caught[0]}; waiting is the driver's, wish for it")


__all__ = ["EVENTS", "WISHES_MAX", "Heard", "Nonconforming", "no_waiting", "play"]
