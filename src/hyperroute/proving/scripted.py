"""Accounts whose providers follow a script: what an offer does, attempt by attempt.

A step is a word of the language's TEST reference: ``ok``; a failure class, which fails at once with
the verdict that the fault catalogue gives it; ``cut after 20 tok``; ``slow 5s``, an answer that
begins only then. The last step stays for all further attempts, and an offer without a script is
well. Whatever is named ``down`` refuses the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from hyperroute.canon.content import Text
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.units import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from hyperroute.canon.usage import Usage
from hyperroute.canon.wire import HttpRequest
from hyperroute.plugins.secret import Secret
from hyperroute.providers import verdicts
from hyperroute.providers.flow import CallError, Flow, Outbound, Provider, read, send
from hyperroute.routing.table import RouteTable
from hyperroute.runtime.credentials import Account, Accounts
from hyperroute.testing.script import Script

UNITS = (("ms", MILLISECOND), ("s", SECOND), ("m", MINUTE), ("h", HOUR), ("d", DAY))
SAID = ("All", " is", " well.")
WELL = Script()

VERDICTS: Mapping[FailureClass, Failure] = MappingProxyType(
    {
        FailureClass.RATE_LIMITED: verdicts.RATE_LIMITED,
        FailureClass.OVERLOADED: verdicts.OVERLOADED,
        FailureClass.SERVER_ERROR: verdicts.SERVER_ERROR,
        FailureClass.NET_UNSENT: verdicts.CONNECT,
        FailureClass.NET_AMBIGUOUS: verdicts.RESET,
        FailureClass.SLOW_START: verdicts.SLOW_START,
        FailureClass.TRUNCATED: verdicts.TRUNCATED,
        FailureClass.MALFORMED_OUTPUT: verdicts.MALFORMED,
        FailureClass.CONTEXT_LENGTH: verdicts.CONTEXT_LENGTH,
        FailureClass.CONTENT_POLICY: verdicts.CONTENT_POLICY,
        FailureClass.BAD_REQUEST: verdicts.BAD_REQUEST,
        FailureClass.UNKNOWN_MODEL: verdicts.UNKNOWN_MODEL,
        FailureClass.PROVIDER_AUTH: verdicts.AUTH,
        FailureClass.PROVIDER_FUNDS: verdicts.FUNDS,
        FailureClass.PROVIDER_REGION: verdicts.REGION,
    }
)
"""The commonest row of the catalogue for each class; a class without one fails plainly."""


@dataclass(slots=True)
class Stage:
    """What the scripted providers of one run know.

    Attributes:
        script: Offer id to its steps.
        down: Providers and offer ids that refuse the connection.
        usage: What an answer is said to have used.
        offer: Whose conversation begins next; the run says so.
        turns: Attempts so far, by offer.
    """

    script: Mapping[str, tuple[str, ...]]
    down: frozenset[str]
    usage: Usage
    offer: str = ""
    turns: dict[str, int] = field(default_factory=dict[str, int])
    next: Script = WELL

    def step(self) -> str:
        """Return what the current offer does this time, and count it."""
        offer = self.offer
        provider = offer.partition("@")[2].partition("/")[0]
        turn = self.turns.get(offer, 0)
        self.turns[offer] = turn + 1
        if offer in self.down or provider in self.down:
            return FailureClass.NET_UNSENT
        steps = self.script.get(offer, ("ok",))
        return steps[min(turn, len(steps) - 1)]

    def answer(self, _request: HttpRequest) -> Script:
        """Say how the world answers the current conversation."""
        return self.next


def accounts(table: RouteTable, stage: Stage) -> Accounts:
    """Build an account for every provider entry, with all its keys, played on a stage."""
    return accounts_of(table, lambda call: _flow(call, stage))


def accounts_of(table: RouteTable, flow: Callable[[Outbound], Flow]) -> Accounts:
    """Build an account for every provider entry, with all its keys, each speaking the same flow."""
    by_name = {
        name: Account(
            provider=Provider(name=entry.plugin, flow=flow),
            url=f"https://{name}.test",
            speaks=entry.speaks or (),
            options=entry.options,
        )
        for name, entry in table.providers.items()
    }
    keys = [
        key
        for entry in table.providers.values()
        for key in (
            [f"{entry.name}#0"] if entry.keys is None else [listed.id for listed in entry.keys]
        )
    ]
    return Accounts(
        by_name=MappingProxyType(by_name),
        secrets=MappingProxyType({key: Secret("played") for key in keys}),
        missing=MappingProxyType({}),
    )


def duration(text: str) -> int:
    """Read a time of the language, ``500ms`` or ``1.5s``, which the loader has checked.

    Raises:
        ValueError: It is none.
    """
    for unit, ns in UNITS:
        number = text.removesuffix(unit).strip()
        if text.endswith(unit) and number and number[-1].isdigit():
            return int(Decimal(number) * ns)
    raise ValueError(f"{text!r} is no time")


def _flow(call: Outbound, stage: Stage) -> Flow:
    step = stage.step()
    if step in FailureClass.__members__.values():
        kind = FailureClass(step)
        raise CallError(VERDICTS.get(kind) or Failure(kind=kind, health="counts"))
    wait = duration(step.removeprefix("slow ")) if step.startswith("slow ") else 0
    stage.next = Script(
        headers=(("content-type", "text/event-stream"),), chunks=(b"played",), head_after_ns=wait
    )
    yield from send(HttpRequest(method="POST", url=f"{call.url}/"))
    while (yield from read()):
        pass
    cut = int(step.split()[2]) if step.startswith("cut after ") else None
    yield from answer(call.model, stage.usage, cut=cut)
    if cut is not None:
        raise CallError(verdicts.TRUNCATED)


def answer(model: str, usage: Usage, *, cut: int | None = None) -> Iterator[StreamEvent]:
    """Say an answer that used so much; ``cut``: so many words of it, and no end."""
    yield Started("played", model)
    if cut == 0:
        return
    yield PartStarted(0, Text())
    for text in SAID if cut is None else ("word ",) * cut:
        yield PartDelta(0, text)
    if cut is None:
        yield PartEnded(0)
        yield UsageReported(usage)
        yield Finished("stop", "stop")


__all__ = ["Stage", "accounts", "accounts_of", "answer", "duration"]
