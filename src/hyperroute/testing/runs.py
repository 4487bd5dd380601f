"""Runs in a World, told as stories: what was delivered, sent, waited for and recorded.

A story is all that anybody outside can observe of a run. Two drivers are equal if they tell the
same one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from hyperroute.canon.events import PartStarted, Reply, StreamEvent, replay
from hyperroute.canon.request import Conversation, Kind, Request
from hyperroute.catalog.card import Breaker, KeyEntry, Offer, ProviderEntry, Timeouts
from hyperroute.errors import RequestError
from hyperroute.plugins.secret import Secret
from hyperroute.providers.flow import Provider
from hyperroute.routing.plan import Candidate, Plan
from hyperroute.routing.questions import NOTHING_KNOWN
from hyperroute.routing.record import Record
from hyperroute.routing.table import RouteTable, Rules
from hyperroute.runtime import awaiting, blocking
from hyperroute.runtime.board import Board
from hyperroute.runtime.credentials import Account, Accounts
from hyperroute.runtime.kernel import Run, Shared
from hyperroute.testing.lines import lines
from hyperroute.testing.script import Answer
from hyperroute.testing.world import World

NOTHING: Mapping[str, Any] = MappingProxyType({})


def candidate(
    id: str,  # noqa: A002 - the offer's own word
    *,
    keys: int = 0,
    retries: int = 1,
    rotations: int = 1,
    context: int | None = None,
    timeouts: Timeouts | None = None,
    **more: Any,
) -> Candidate:
    """Build a candidate from ``model@provider`` and what matters of it."""
    model, _, where = id.partition("@")
    provider = where.partition("/")[0]
    offer = Offer(
        id=id,
        model=model,
        provider=provider,
        sends=model,
        kind="chat",
        does=frozenset(),
        endpoints=frozenset({"chat"}),
        context=context,
        quality=NOTHING,
        fields=NOTHING,
        adds=NOTHING,
    )
    return Candidate(
        offer=offer,
        sends=model,
        parameters=NOTHING,
        expected=None,
        worst=None,
        credentials=tuple(f"{provider}#{index}" for index in range(keys)) or ("",),
        timeouts=timeouts or Timeouts(),
        retries=retries,
        rotations=rotations,
        **more,
    )


def plan_of(
    *candidates: Candidate,
    rules: Rules | None = None,
    stream: bool = True,
    kind: Kind = "chat",
    seed: int = 0,
    pinned: bool = False,
    hidden: bool = False,
    breakers: Mapping[str, Breaker] = MappingProxyType({}),
) -> Plan:
    """Build a plan from candidates."""
    rules = rules or Rules()
    providers = {
        each.offer.provider: ProviderEntry(
            name=each.offer.provider,
            plugin="lines",
            keys=tuple(KeyEntry(id=key, secret="env:NONE") for key in each.credentials if key),
            breaker=breakers.get(each.offer.provider),
            hidden=hidden,
            headers=MappingProxyType({}),
            options=NOTHING,
        )
        for each in candidates
    }
    request = Request(
        kind=kind,
        model="m",
        dialect="openai.chat",
        endpoint="chat",
        raw=NOTHING,
        stream=stream,
        decode=lambda _raw: Conversation(),
    )
    return Plan(
        request=request,
        table=RouteTable(digest="d1", scale=1_000_000, providers=providers, services={}),
        answers=NOTHING_KNOWN,
        seed=seed,
        name="m",
        via=(),
        pinned=pinned,
        rules=rules,
        candidates=candidates,
        input_tokens=10,
        counted=False,
        attempts_max=rules.attempts,
        deadline_ns=rules.time_ns,
    )


def accounts_of(plan: Plan, provider: Provider | None = None) -> Accounts:
    """Resolve a plan's providers to ``https://NAME.test``, each key to ``key of ID``."""
    provider = provider or lines()
    return Accounts(
        by_name={
            name: Account(
                provider=provider,
                url=f"https://{name}.test/",
                speaks=(),
                options=NOTHING,
            )
            for name in plan.table.providers
        },
        secrets={
            key.id: Secret(f"key of {key.id}")
            for entry in plan.table.providers.values()
            for key in entry.keys or ()
        },
        missing={},
    )


@dataclass(frozen=True, slots=True)
class Story:
    """What anybody can see of one run.

    ``sent`` tells of every request: when, where, when it ended, and how.
    """

    events: tuple[StreamEvent, ...]
    reply: Reply | None
    error: tuple[str, int, str, int | None, str] | None
    records: tuple[Record, ...]
    sent: tuple[tuple[int, str, bytes, int | None, str | None, bool], ...]
    ended_at: int

    @property
    def record(self) -> Record:
        """The one record (invariant 24)."""
        (record,) = self.records
        return record

    @property
    def outcome(self) -> str:
        """The record's outcome."""
        return self.record.outcome

    @property
    def offers(self) -> list[str]:
        """Offers in the order they were tried."""
        return [attempt.offer for attempt in self.record.attempts]

    @property
    def text(self) -> str:
        """All text delivered."""
        told = replay(self.reply) if self.reply is not None else self.events
        parts = [event.part if isinstance(event, PartStarted) else event for event in told]
        return "".join(getattr(part, "text", getattr(part, "arguments", "")) for part in parts)


@dataclass(slots=True)
class Stage:
    """A world, a board and a plan, ready to be played by either driver.

    Attributes:
        answers: What each provider does, by its name.
        hang_up_after: The caller leaves after so many events; ``None``: never.
        fetches: Media that a request names is fetched, from this same world.
    """

    plan: Plan
    answers: Mapping[str, Answer]
    provider: Provider | None = None
    hang_up_after: int | None = None
    board: Board = field(default_factory=Board)
    world: World = field(default_factory=World)
    fetches: bool = False

    def blocking(self, request_id: str = "r1") -> Story:
        """Play with the sync driver."""
        run, records = self._run(request_id)
        delivered: list[StreamEvent] = []
        error: RequestError | None = None
        events = blocking.serve(run, transport=self.world, clock=self.world)
        stream = cast("Generator[StreamEvent, None, None]", events)  # a run that takes no frames
        try:
            if self.hang_up_after != 0:
                for event in stream:
                    delivered.append(event)
                    if len(delivered) == self.hang_up_after:
                        break
        except RequestError as raised:
            error = raised
        finally:
            stream.close()
        return self._story(run, delivered, error, records)

    def awaiting(self, request_id: str = "r1") -> Story:
        """Play with the async driver."""
        return asyncio.run(self.awaited(request_id))

    async def awaited(self, request_id: str = "r1") -> Story:
        """Play with the async driver, in the loop that is running."""
        run, records = self._run(request_id)
        world = self.world.awaiting()
        delivered: list[StreamEvent] = []
        error: RequestError | None = None
        events = awaiting.serve(run, transport=world, clock=world)
        stream = cast("AsyncGenerator[StreamEvent, None]", events)  # a run that takes no frames
        try:
            if self.hang_up_after != 0:
                async for event in stream:
                    delivered.append(event)
                    if len(delivered) == self.hang_up_after:
                        break
        except RequestError as raised:
            error = raised
        finally:
            await stream.aclose()
        return self._story(run, delivered, error, records)

    def _run(self, request_id: str) -> tuple[Run, list[Record]]:
        for name, answer in self.answers.items():
            self.world.serve(f"https://{name}.test", answer)
        records: list[Record] = []
        shared = Shared(
            accounts=accounts_of(self.plan, self.provider),
            board=self.board,
            sink=records.append,
            guard=self.world if self.fetches else None,
            async_guard=self.world.awaiting() if self.fetches else None,
        )
        return Run(self.plan, shared, request_id=request_id), records

    def _story(
        self,
        run: Run,
        delivered: Sequence[StreamEvent],
        error: RequestError | None,
        records: list[Record],
    ) -> Story:
        told = None
        if error is not None:
            name = type(error).__name__
            told = (name, error.status, error.code, error.retry_after_s, str(error))
        return Story(
            events=tuple(delivered),
            reply=run.reply,
            error=told,
            records=tuple(records),
            sent=tuple(
                (s.at, s.request.url, s.request.body, s.ended_at, s.fault, s.complete)
                for s in self.world.sent
            ),
            ended_at=self.world.now(),
        )


__all__ = ["NOTHING", "Stage", "Story", "accounts_of", "candidate", "plan_of"]
