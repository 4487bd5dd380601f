"""What both drivers do the same way, and neither has to wait for.

``Run`` carries one plan through the machine: permits are asked of the board, ends of attempts told
to it, the one record handed to the sink. What is left for a driver is to call, to wait, to deliver.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.events import Delivery, PartDelta, Passage, Reply
from hyperroute.canon.units import SECOND, Instant
from hyperroute.catalog.card import Breaker
from hyperroute.dialects.base import Profile
from hyperroute.dialects.unsaid import Speech
from hyperroute.providers.flow import CallError, Fetched, Flow, Outbound, Pause
from hyperroute.providers.speak import chosen
from hyperroute.providers.verdicts import MALFORMED
from hyperroute.routing.attempt import step
from hyperroute.routing.candidate import Refusal
from hyperroute.routing.health import DEFAULT_BREAKER
from hyperroute.routing.plan import Candidate, Plan
from hyperroute.routing.record import Attempt, Record
from hyperroute.routing.state import (
    NOTHING_HEARD,
    Abandoned,
    Ask,
    Begin,
    Call,
    Cancel,
    Deliver,
    Ended,
    Event,
    Failed,
    Finish,
    Heard,
    Note,
    Phase,
    State,
    Wait,
)
from hyperroute.runtime.board import Board
from hyperroute.runtime.conversation import Conversation
from hyperroute.runtime.credentials import Accounts
from hyperroute.runtime.identity import another_name, is_another
from hyperroute.runtime.outcome import error_of, shown
from hyperroute.runtime.ports import AsyncTransport, Transport
from hyperroute.runtime.tab import Tab
from hyperroute.runtime.tolling import Tolling

Sink = Callable[[Record], None]
"""Takes the record of a run that is over: exactly one a run. Must not block and must not raise."""

Write = Callable[[Delivery, Conversation | None], bytes]
"""Makes frames of what a call delivers; ``b""``: a later one says it too."""

TOKENS: Final = (PartDelta, Passage)
"""What goes straight to our caller once something has."""

_OPEN = frozenset({Phase.CALLING, Phase.STREAMING})

Todo = list[Deliver | Call | Wait | Finish | Ask]
"""What a driver has to do; an ``Ask`` is a permit that other replicas are asked for (``leasing``)."""

_log = logging.getLogger("hyperroute")


def forget(_record: Record) -> None:
    """Drop the record: the sink of those who keep none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all runs of a client share.

    Attributes:
        speech: What each dialect can say of an answer, by its name.
    """

    accounts: Accounts
    speech: Mapping[str, Speech] = field(default_factory=lambda: MappingProxyType({}))
    board: Board = field(default_factory=Board)
    sink: Sink = forget
    guard: Transport | None = None
    """Fetches what callers name; ``None``: nothing is fetched. Each driver has its own colour."""
    async_guard: AsyncTransport | None = None


class Run:
    """One plan on its way through the machine. Belongs to one driver; not for two threads.

    Attributes:
        streaming: Content was delivered and nothing is held: a ``PartDelta`` may go straight to our
            caller. That is what ``step`` would do with it, and a property holds the two together.
        call: The open conversation, or the last one.
        record: Once the run is over.
        reply: The whole answer, of a run that is not streamed and was served.
        write: Makes frames of what is delivered, if our caller takes frames; set before the run begins.
        over: Nothing more comes.
        left: When our caller left a call that is heard out; else ``None``.
        tab: Its money, in the driver's colour; ``None``: nobody pays.
    """

    __slots__ = (
        "_fetched",
        "_shared",
        "_state",
        "_tolling",
        "_unsealed",
        "call",
        "left",
        "over",
        "plan",
        "record",
        "reply",
        "streaming",
        "tab",
        "write",
    )

    def __init__(self, plan: Plan, shared: Shared, *, request_id: str) -> None:
        """Take a plan; nothing happens before ``begin``.

        Args:
            plan: What may be tried.
            shared: What all runs of the client share.
            request_id: Unique; backoff is drawn from it.
        """
        self.plan = plan
        self.streaming = False
        self.write: Write | None = None
        self.tab: Tab[Any] | None = None
        self.over = False
        self._fetched: dict[str, Fetched] = {}
        self.left: Instant | None = None
        self.call: Conversation | None = None
        self.record: Record | None = None
        self.reply: Reply | None = None
        self._shared = shared
        self._state = State(plan=plan, request_id=request_id)
        self._tolling = Tolling(shared.board)
        self._unsealed = False
        """Whether sealed reasoning was refused, and is left out from now on."""

    @property
    def guard(self) -> Transport | None:
        """What fetches for the sync driver."""
        return self._shared.guard

    @property
    def async_guard(self) -> AsyncTransport | None:
        """What fetches for the async driver."""
        return self._shared.async_guard

    @property
    def board(self) -> Board:
        """What is asked for permits."""
        return self._shared.board

    @property
    def attempts(self) -> int:
        """How many calls were begun."""
        return self._state.number

    def begin(self, now: Instant, *, unix_ns: int) -> Todo:
        """Start."""
        return self.take(Begin(now, unix_ns))

    def take(self, event: Event) -> Todo:
        """Tell the machine, do what needs no waiting, and return the rest in order."""
        todo: Todo = []
        upcoming: Event | None = event
        while upcoming is not None:
            at = upcoming.at
            self._tolling.hear(upcoming)
            self._state, actions = step(self._state, upcoming)
            upcoming = None
            for action in actions:
                match action:
                    case Ask(permit):
                        told = self._tolling.permit(permit, at)
                        if told.unleased:
                            todo.append(action)
                        else:
                            upcoming = told
                    case Note(attempt):
                        self._note(attempt)
                    case Call():
                        self._shared.board.begun(action.candidate.offer.id)
                        todo.append(action)
                    case Record():
                        self._tolling.over(None, self.plan, at)
                        self.record = action
                        self._shared.sink(action)
                    case Cancel():
                        pass  # whoever abandons a run closes its exchange: the drivers' finally
                    case _:
                        todo.append(action)
        self.streaming = self._state.phase is Phase.STREAMING and not self._state.finishes
        return todo

    def decline(self, refusal: Refusal) -> None:
        """Refuse what was planned before any of it is tried."""
        self.plan = replace(self.plan, candidates=(), refusal=refusal)
        self._state = State(plan=self.plan, request_id=self._state.request_id)

    def open(self, call: Call, now: Instant, *, unix_ns: int) -> Conversation:
        """Start the provider's generator for one call."""
        outbound = self._outbound(call, unix_ns)
        provider = self._shared.accounts.by_name[call.candidate.offer.provider].provider
        try:
            flow = provider.flow(outbound)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything (invariant 31)
            flow = _broken(error)
        self.call = Conversation(
            call,
            flow,
            outbound,
            now=now,
            # Not bound to the run: a cycle would keep all of a call until the collector comes by.
            is_another=partial(is_another, self.plan, call.candidate),
        )
        return self.call

    def ended(self, now: Instant) -> Todo:
        """Take the good end of the open call; a whole answer must also fold."""
        if self.left is not None:
            return self.take(Abandoned(now, self._heard(), drained=True))
        fold = None if self.call is None else self.call.fold
        if fold is not None and fold.ending:
            try:
                self.reply = fold.reply()
            except ValueError:
                return self.take(Failed(now, MALFORMED, self._heard()))
        return self.take(Ended(now, self._heard()))

    def failed(self, error: CallError, now: Instant) -> Todo:
        """Take the bad end of the open call; nobody waits any more for another."""
        if self.left is not None:
            return self.take(Abandoned(now, self._heard()))
        return self.take(Failed(now, error.failure, self._heard()))

    def abandon(self, now: Instant) -> None:
        """Take our caller's leaving, at any time; once the run is over it changes nothing."""
        if self.record is None:
            self.take(Abandoned(now, self._heard()))

    @property
    def drains(self) -> bool:
        """Whether a call is open that bills all the same when it is hung up on.

        Hanging up stops the meter of a stream at most: whoever makes a whole answer makes it whole.
        """
        call = self.call
        if call is None or self.record is not None or self._state.phase not in _OPEN:
            return False
        account = self._shared.accounts.by_name[call.offer.provider]
        return not (self.plan.request.stream and account.cancel_stops_billing)

    def conclude(self, finish: Finish, now: Instant) -> None:
        """Raise what our caller should see, if anything.

        Raises:
            RequestError: The run was not served.
        """
        assert self.record is not None
        self.over = True
        if finish.outcome not in {"served", "abandoned"}:
            ours = self._shared.accounts.untold()
            raise error_of(self.plan, self.record, now=now, ours=ours)

    def home(self) -> tuple[str, bool] | None:
        """Say whose account the open call is with, or the last one, and whether in our caller's dialect."""
        call = self.call
        if call is None:
            return None
        name = call.offer.provider
        dialects = self._shared.accounts.by_name[name].provider.dialects
        own = self.plan.request.dialect
        return name, bool(dialects) and chosen(call.outbound, dialects).name == own

    def shown_offer(self) -> str | None:
        """Name the offer of the open call, or the last one, as our caller may know it."""
        if self.call is None:
            return None
        return shown(self.plan, self.call.offer.id, self.call.offer.provider)

    def told_model(self) -> str | None:
        """Return the model name that our caller should be told, once a call is open.

        ``None``: the provider's own, because our caller knows it by that.
        """
        return None if self.call is None else self.call.outbound.tells

    def whole_body(self) -> bytes | None:
        """Return the upstream's own bytes, where they may be told to our caller as they are."""
        call = self.call
        if call is None or not call.raw or self.record is None or self.record.served is None:
            return None
        home = self.home()
        if home is None or not home[1]:
            return None
        body = b"".join(call.raw)
        if body.lstrip()[:1] == b"{" or self._shared.accounts.by_name[home[0]].passes_sse:
            return body
        return None

    def _outbound(self, call: Call, unix_ns: int) -> Outbound:
        candidate = call.candidate
        offer = candidate.offer
        accounts = self._shared.accounts
        account = accounts.by_name[offer.provider]
        provider = account.provider
        return Outbound(
            request=self.plan.request,
            model=candidate.sends,
            url=account.url,
            secret=accounts.secret(call.credential).reveal(),
            speaks=account.speaks,
            headers=account.headers,
            options=account.options,
            parameters=candidate.parameters,
            renamed=frozenset(offer.fields.values()),
            adds=offer.adds,
            profile=Profile(
                vendor=provider.vendor_at(account.url),
                group=offer.provider,
                does=offer.does,
                model_max_output_tokens=_least(offer.output, self.plan.rules.output),
                options=account.options,
                unsealed=self._unsealed,
            ),
            # The account, not the key: rotating keys must not lose sealed thinking.
            group=offer.provider,
            passes=self.write is not None,
            tells=self._tells(candidate),
            attempt=call.number,
            unix_s=unix_ns // SECOND,
            seed=self.plan.seed,
            fetched=self._fetched,
            lossy=self.plan.rules.lossy,
            speech=self._shared.speech.get(self.plan.request.dialect),
        )

    def _tells(self, candidate: Candidate) -> str | None:
        name = self.plan.request.model or candidate.offer.model
        return None if candidate.sends == name else name

    def _note(self, attempt: Attempt) -> None:
        self._tolling.over(attempt, self.plan, attempt.ended_at)
        self._shared.board.note(attempt, breaker_of(self.plan, attempt.provider))
        failure = attempt.failure
        self._unsealed |= failure is not None and failure.unseal
        if failure is not None and failure.alarm:
            _log.warning(
                "look at %s: %s (status %s, code %s)",
                attempt.offer,
                failure.kind.value,
                failure.status,
                failure.code,
            )

    def _heard(self) -> Heard:
        if self.call is None:
            return NOTHING_HEARD
        return Heard(
            self.call.size,
            tuple(self.call.outbound.losses),
            self.call.kept(),
            another_name(self.call.answered, self.call.outbound.model, self.call.offer.model),
        )


def _least(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def _broken(error: Exception) -> Flow:
    """A flow that could not even begin."""
    yield Pause(0)
    raise error


def breaker_of(plan: Plan, provider: str) -> Breaker:
    """Return a provider's own breaker, else the policies', else the language's default."""
    entry = plan.table.providers.get(provider)
    if entry is not None and entry.breaker is not None:
        return entry.breaker
    return plan.rules.breaker or DEFAULT_BREAKER


__all__ = ["Run", "Shared", "Sink", "Todo", "breaker_of", "forget"]
