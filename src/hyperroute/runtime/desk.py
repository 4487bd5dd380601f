"""From a body to a run: what both clients do the same way, and neither has to wait for.

Tables and the accounts resolved for them are swapped together, in one assignment: a run that began
under the old table ends under it, and a table that does not load changes nothing (invariant 5).
Health outlives both (invariant 51).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from hyperroute.canon.mutation import Mutation
from hyperroute.canon.request import Request
from hyperroute.canon.units import DAY, Instant
from hyperroute.canon.wire import Headers
from hyperroute.catalog.condition import Fact
from hyperroute.errors import HyperrouteError
from hyperroute.routing.plan import plan
from hyperroute.routing.questions import Answers, questions
from hyperroute.runtime.board import Board
from hyperroute.runtime.credentials import resolve
from hyperroute.runtime.kernel import Run, Shared, Sink, forget
from hyperroute.runtime.ports import AsyncTransport, Transport
from hyperroute.runtime.router import Body, Router
from hyperroute.runtime.tab import Journal, Till, no_journal
from hyperroute.runtime.tokens import Measured, Tokens

_log = logging.getLogger("hyperroute")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    router: Router
    shared: Shared


class Desk:
    """Holds what the runs of one client share. Safe between threads."""

    def __init__(
        self,
        router: Router,
        *,
        sink: Sink = forget,
        board: Board | None = None,
        guard: Transport | None = None,
        async_guard: AsyncTransport | None = None,
        till: Till[Any] | None = None,
    ) -> None:
        """Resolve the accounts of a router; what is missing is left out of plans."""
        self.till = till
        self.board = board if board is not None else Board()
        self._sink = sink
        self._guards = guard, async_guard
        self._tokens = Tokens()
        self._setting = self._settled(router)

    @property
    def router(self) -> Router:
        """The router in use."""
        return self._setting.router

    @property
    def missing(self) -> Mapping[str, str]:
        """Providers and credentials that cannot be used, and why."""
        return self._setting.shared.accounts.missing

    def use(self, router: Router) -> None:
        """Let runs that begin from now on use this router."""
        self._setting = self._settled(router)

    def warm(self) -> None:
        """Make ready to count tokens."""
        self._tokens.warm()

    def measure(self, request: Request) -> Measured:
        """Count the tokens of a request, or estimate them and say so."""
        return self._tokens.measure(request)

    def answers(
        self,
        request: Request,
        now: Instant,
        *,
        unix_ns: int,
        facts: Mapping[str, Fact] | None = None,
    ) -> Answers:
        """Tell the planner what it could read of this request and what is known at this instant."""
        return self._answers(self._setting, request, now, unix_ns, facts)

    def prepare(
        self,
        body: Body | Request,
        *,
        dialect: str | None,
        headers: Headers,
        labels: Mapping[str, Fact] | None,
        facts: Mapping[str, Fact] | None,
        stream: bool,
        request_id: str | None,
        now: Instant,
        unix_ns: int,
        journal: Journal = no_journal,
        with_hold: Sequence[Mutation] = (),
    ) -> Run:
        """Read, plan, and make a run of it that has not begun.

        Args:
            body: As of ``Router.read``, like the next three.
            dialect: Of the body.
            headers: Of the caller.
            labels: What the caller tells of itself.
            facts: What is known of the caller.
            stream: Whether the answer is to be streamed, whatever the body says.
            request_id: Unique; ``None``: drawn.
            now: The instant of the plan.
            unix_ns: The same on the calendar.
            journal: What is to be written with the end of the run's money, where there is a till.
            with_hold: What must be granted together with its hold, or it is refused.

        Raises:
            ClientWireError: The body is not one of the dialect.
        """
        setting = self._setting
        if isinstance(body, Request):
            request = body if body.stream == stream else body.but(stream=stream)
        else:
            request = setting.router.read(
                body, dialect=dialect, headers=headers, labels=labels, stream=stream
            )
        name = request_id or os.urandom(12).hex()
        decided = plan(
            request,
            table=setting.router.table,
            answers=self._answers(setting, request, now, unix_ns, facts),
            seed=int.from_bytes(blake2b(name.encode(), digest_size=6).digest()),
        )
        run = Run(decided, setting.shared, request_id=name)
        if self.till is not None:
            run.tab = self.till.tab(
                decided,
                request_id=name,
                unix_ns=unix_ns,
                journal=journal,
                with_hold=with_hold,
            )
        return run

    def _answers(
        self,
        setting: _Setting,
        request: Request,
        now: Instant,
        unix_ns: int,
        facts: Mapping[str, Fact] | None,
    ) -> Answers:
        asked = questions(request, setting.router.table)
        blocked, probing = self.board.blocked(now)
        return Answers(
            at=now,
            day=unix_ns // DAY,
            input_tokens=self._tokens.count(request) if asked.count_tokens else None,
            blocked=blocked,
            full=self.board.full(now),
            probing=probing,
            missing=setting.shared.accounts.wanted,
            facts=facts or {},
            measured=self.board.measured(asked.measures, now) if asked.measures else {},
        )

    def _settled(self, router: Router) -> _Setting:
        accounts = resolve(router.table, router.registry)
        speech = {name: spoken.speech for name, spoken in router.registry.dialects.items()}
        guard, async_guard = self._guards
        shared = Shared(
            accounts=accounts,
            speech=speech,
            board=self.board,
            sink=self._sink,
            guard=guard,
            async_guard=async_guard,
        )
        return _Setting(router=router, shared=shared)


class Watcher:
    """Reloads when the files of a table change; a table that does not load is logged, not used."""

    def __init__(self, router: Router, reload: Callable[[], Any]) -> None:
        """Begin to watch, in a thread of its own.

        Raises:
            ValueError: The router was not read from any path.
            ModuleNotFoundError: The extra ``watch`` is not installed.
        """
        if not router.paths:
            raise ValueError("a router that was read from a text has no path to watch")
        from watchfiles import watch

        self._stop = threading.Event()
        self._reload = reload
        changes = watch(*router.paths, stop_event=self._stop, debounce=200)
        self._thread = threading.Thread(
            target=self._watch, args=(changes,), name="hyperroute-watch", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _watch(self, changes: Any) -> None:
        for _ in changes:
            try:
                self._reload()
            except (HyperrouteError, OSError) as error:
                _log.error("the changed table is not used:\n%s", error)
            else:
                _log.info("the changed table is in use")


__all__ = ["Desk", "Watcher"]
