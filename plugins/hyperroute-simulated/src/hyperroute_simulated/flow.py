"""The simulated conversation: the real client side, talking to a server in this process.

``speak`` runs unchanged; only its wishes for requests and bytes are granted here instead of by a
driver. What is left for the driver is waiting and delivering, so the flow never opens a socket.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from hyperroute.canon.wire import HttpRequest
from hyperroute.dialects.base import Dialect
from hyperroute.providers import verdicts
from hyperroute.providers.builtin import DIALECTS, PASSING
from hyperroute.providers.flow import READ, CallError, Flow, Grant, Lane, Outbound, Pause, Wish
from hyperroute.providers.sign import unsigned
from hyperroute.providers.speak import chosen, speak
from hyperroute_simulated.media import KINDS, produced
from hyperroute_simulated.server import Answered, serve
from hyperroute_simulated.simulation import OPTIONS, Simulation, with_options

URL: Final = "https://simulated.invalid"
"""A name that RFC 2606 keeps from ever existing, should anybody try."""

_WIRED: Final = frozenset(dialect.name for word, dialect in PASSING.items() if word != "images")
"""Of what is no chat, that which is answered over a wire that is simulated too."""


def simulated(
    simulation: Simulation, dialects: Mapping[str, Dialect] = DIALECTS
) -> Callable[[Outbound], Flow]:
    """Build the flow of a provider that lives in this process.

    Args:
        simulation: How it behaves; a table entry's ``options`` narrow it, where they are ours.
        dialects: What it speaks, by endpoint; of a provider that it stands in for, that one's.
    """
    inner = speak(dialects, url=URL, sign=unsigned)

    def flow(call: Outbound) -> Flow:
        try:
            ours = {name: value for name, value in call.options.items() if name in OPTIONS}
            world = with_options(simulation, ours)
        except (TypeError, ValueError) as error:
            verdict = replace(verdicts.OUR_TRANSLATION, message=str(error), explains=False)
            raise CallError(verdict) from None
        if call.request.kind in KINDS and call.request.dialect not in _WIRED:
            yield from produced(call, world)
            return
        dialect = chosen(call, dialects)
        yield from _granted(inner(call), _Line(call, dialect, world))

    return flow


def _granted(flow: Flow, line: _Line) -> Flow:
    """Run a flow, granting what concerns the network and handing everything else up."""
    try:
        wish = next(flow)
        while True:
            grant: Grant
            match wish:
                case HttpRequest():
                    grant = yield from line.open(wish)
                case Lane():  # the tap is fed by the flow what nobody takes straight
                    grant = yield from line.read()
                case _ if wish is READ:
                    grant = yield from line.read()
                case _:
                    grant = yield wish
            wish = flow.send(grant)
    except StopIteration:
        return
    finally:
        flow.close()


@dataclass(slots=True)
class _Line:
    """One exchange: what is still to come, and after how long."""

    call: Outbound
    dialect: Dialect
    world: Simulation
    answered: Answered | None = None
    next: int = field(default=0)

    def open(self, request: HttpRequest) -> Generator[Wish, Grant, Grant]:
        self.answered = serve(request, self.call, self.dialect, self.world)
        self.next = 0
        yield from _waited(self.answered.wait_ns)
        return self.answered.head

    def read(self) -> Generator[Wish, Grant, Grant]:
        assert self.answered is not None
        while self.next < len(self.answered.pieces):
            wait, piece = self.answered.pieces[self.next]
            self.next += 1
            yield from _waited(wait)
            if piece:
                return piece
        if self.answered.broken is not None:
            raise CallError(self.answered.broken)
        return b""


def _waited(ns: int) -> Generator[Wish, Grant, None]:
    if ns:
        yield Pause(ns)


__all__ = ["URL", "simulated"]
