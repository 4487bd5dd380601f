"""The sync driver: performs the machine's actions, one after the other.

Its twin is ``awaiting``, line by line; one property holds the two together (tests/simulation).
"""

from __future__ import annotations

from collections.abc import Generator

from hyperroute.canon.events import Delivery
from hyperroute.canon.wire import HttpRequest
from hyperroute.providers.flow import READ, CallError, Fetch, Grant, Lane, Pause, Run
from hyperroute.routing.state import Arrived, Ask, Call, Deliver, Elapsed, Finish, Wait
from hyperroute.runtime import kernel
from hyperroute.runtime.conversation import Conversation
from hyperroute.runtime.fetching import fetch
from hyperroute.runtime.leasing import permitted
from hyperroute.runtime.ports import Clock, Exchange, Transport

Events = Generator[Delivery | bytes, None, None]


def pump(  # noqa: C901, PLR0912, PLR0915 - one flat loop over the wishes
    call: Conversation,
    transport: Transport,
    clock: Clock,
    guard: Transport | None = None,
) -> Events:
    """Carry out one provider conversation, and hand its events up; of a whole answer it keeps them.

    Raises:
        CallError: It failed, for whatever reason; nothing else that a provider can cause.
    """
    exchange: Exchange | None = None
    grant: Grant = None
    send = call.flow.send
    try:
        while True:
            try:
                wish = send(grant)
                if wish is READ:
                    source = call.source(exchange)
                    grant = source.read(timeout_ns=call.patience(clock.now()))
                    call.received(grant)
                    continue
                if isinstance(wish, Lane):
                    call.lane, straight = wish, wish.tap.straight
                    source = call.source(exchange)
                    while True:
                        grant = source.read(timeout_ns=call.patience(clock.now()))
                        if (frames := straight(grant)) is None:
                            break
                        call.fed = True
                        yield frames  # the token's way
                    call.received(grant)
                    continue
                if isinstance(wish, HttpRequest):
                    if exchange is not None:
                        exchange.close()
                        exchange = None
                    exchange = transport.open(wish, limits=call.limits(clock.now()))
                    grant = exchange.head
                    call.opened(exchange.head, clock.now())
                    continue
                if isinstance(wish, Pause | Run | Fetch):
                    grant = None
                    if isinstance(wish, Pause):
                        clock.sleep(call.pause(wish.ns, clock.now()))
                    elif isinstance(wish, Run):
                        grant = wish.function()
                    else:
                        grant = fetch(wish, guard, clock, until=call.until)
                    call.resumed(clock.now())
                    continue
                grant = None
                if call.whole:
                    call.keep(wish, clock.now())
                    continue
                if not call.admit(wish):
                    continue
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything (invariant 31)
                if call.is_whole_despite(error):
                    return
                # Not named before it is raised: its traceback holds this frame, which would hold it.
                raise call.failed(error, clock.now()) from None
            yield wish
    finally:
        call.close()
        if exchange is not None:
            exchange.close()


def serve(  # noqa: C901, PLR0912 - one flat match over the actions
    run: kernel.Run, *, transport: Transport, clock: Clock
) -> Events:
    """Carry a run to its end, yielding what our caller may have; a whole answer is ``run.reply``.

    Closing the generator closes the open exchange at once and records the run as abandoned.

    Raises:
        RequestError: It was not served.
    """
    events: Events | None = None
    write = run.write
    try:
        todo = run.begin(clock.now(), unix_ns=clock.unix_ns())
        while True:
            for action in todo:
                match action:
                    case Deliver(event):
                        if told := event if write is None else write(event, run.call):
                            yield told
                    case Call():
                        call = run.open(action, clock.now(), unix_ns=clock.unix_ns())
                        events = pump(call, transport, clock, run.guard)
                    case Wait(until):
                        clock.sleep(max(0, until - clock.now()))
                    case Ask():
                        pass  # the last of them, like Wait: answered below
                    case Finish():
                        run.conclude(action, clock.now())
                        return
            if todo and isinstance(todo[-1], Wait):
                todo = run.take(Elapsed(clock.now()))
                continue
            if todo and isinstance(todo[-1], Ask):
                todo = permitted(run, todo[-1])
                continue
            assert events is not None, "the machine asked for nothing"
            todo = []
            try:
                for item in events:
                    if isinstance(item, bytes):
                        yield item
                        continue
                    if run.streaming and isinstance(item, kernel.TOKENS):
                        # What step would say, without asking it for every token.
                        if told := item if write is None else write(item, run.call):
                            yield told
                        continue
                    todo = run.take(Arrived(clock.now(), item))
                    break
                else:
                    todo = run.ended(clock.now())
            except CallError as error:
                todo = run.failed(error, clock.now())
    finally:
        run.abandon(clock.now())
        if events is not None:
            events.close()


__all__ = ["pump", "serve"]
