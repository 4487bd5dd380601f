"""From a request to a response, without waiting: what has to be waited for is yielded.

Both gateways drive this one generator. It yields a wish and is sent what it got, or has the run's
``RequestError`` thrown in::

    yield Read(…)      -> tuple       what a store holds
    yield Commit(…)    -> Commit      what it made of mutations
    yield Sleep(…)     -> None        until a limit has room again
    yield Recall(…)    -> tuple       who keeps what a request refers to
    yield Remember(…)  -> None        who keeps what an answer made
    yield Whole(…)     -> Answer      carry a run out
    yield Streamed(…)  -> Opening     begin one, until its first frames or the first keep-alive

Laws: no failure of a provider is told as it came; every response names its request; the body that a
dialect wrote is sent as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex
from typing import Any

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.money import Microcredits
from hyperroute.canon.mutation import Mutation
from hyperroute.canon.request import Request
from hyperroute.canon.units import Instant
from hyperroute.canon.wire import Headers, HttpRequest
from hyperroute.dialects.arrival import clean_headers
from hyperroute.dialects.base import ClientError, Dialect
from hyperroute.errors import ClientWireError, RequestError, StoreError
from hyperroute.gateway import (
    asking,
    intake,
    kept,
    keys_api,
    paths,
    render,
    standing,
    telling,
    usage_api,
)
from hyperroute.gateway.array import ArrayFraming
from hyperroute.gateway.door import ANYBODY, Caller, Commit, Door, Read, Sleep, Unwelcome, settled
from hyperroute.gateway.idempotent import HEADER, Claim, Copy, Keeping, claim_of, once
from hyperroute.gateway.journal import refusal_noted, run_noted
from hyperroute.gateway.kept import Kept, Recall, Remember
from hyperroute.gateway.message import AnyFrames, Flowing, HttpResponse, Opening, Paged
from hyperroute.gateway.paths import GEMINI, MESSAGES, Place
from hyperroute.gateway.settling import carried, learned
from hyperroute.gateway.visit import Visit
from hyperroute.gateway.wishes import Streamed, Whole
from hyperroute.routing.plan import Plan
from hyperroute.routing.record import Record
from hyperroute.runtime.answer import Answer
from hyperroute.runtime.desk import Desk
from hyperroute.runtime.router import Router

Wish = Whole | Streamed | Read | Commit | Sleep | Recall | Remember
Reply = HttpResponse | Flowing[Any] | Paged
Handling = Generator[Wish, Any, Reply]

_log = logging.getLogger("hyperroute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What both gateways share.

    Attributes:
        desk: Tables and accounts in use.
        tells_route: Send ``x-hyperroute-served-by``, ``-attempts`` and ``-decision``.
        metrics: Writes the page of counters; ``None``: there is none.
        keeping: How answers are kept for idempotency keys; ``None``: nobody heeds such a key.
        door: Who may enter; ``None``: anybody, as often as they like.
        dependences: What must answer for this to be ready; all of them are asked through the store.
    """

    desk: Desk
    door: Door | None = None
    dependences: Sequence[standing.Dependence] = ()
    tells_route: bool = True
    metrics: Callable[[], bytes] | None = None
    keeping: Keeping | None = None

    def visit(self, http: HttpRequest, *, at: Instant, unix_ns: int) -> Visit:
        """Begin to note what becomes of a request."""
        return Visit(
            # The time first, so that what a store writes of requests at one time lies together.
            request_id=f"req_{unix_ns // 1_000:013x}{token_hex(8)}",
            method=http.method,
            path=http.url.partition("?")[0],
            traceparent=intake.header(http.headers, "traceparent") or "",
            began_at=at,
            began_unix_ns=unix_ns,
        )

    def refused(self, http: HttpRequest, error: ClientError, visit: Visit) -> HttpResponse:
        """Refuse a request whose body is not even read, in the words of its path."""
        dialect = self.desk.router.dialect(_dialect_of(paths.find(http.url), http.headers))
        visit.dialect, visit.status = dialect.name, error.status
        return render.refusal(dialect, replace(error, request_id=visit.request_id))

    def respond(self, http: HttpRequest, visit: Visit) -> Handling:
        """Answer one request."""
        place = paths.find(http.url)
        if place is None:
            return self._not_found(http, visit)
        dialect = self.desk.router.dialect(_dialect_of(place, http.headers))
        visit.dialect = dialect.name
        headers = clean_headers(http.headers)
        if isinstance(headers, ClientError):
            return render.refusal(dialect, replace(headers, request_id=visit.request_id))
        http = replace(http, headers=headers)
        if http.method not in place.methods:
            allow = ", ".join(place.methods)
            error = asking.error(405, f"{http.method} is not answered here; {allow} is.", visit)
            return render.refusal(dialect, error, headers=(("allow", allow),))
        if place.verb in {"probe", "health", "ready"}:
            return (yield from self._standing(place, visit))
        if place.verb == "metrics" and self.metrics is not None:
            text = (("content-type", "text/plain; version=0.0.4; charset=utf-8"),)
            return HttpResponse(status=200, headers=text, body=self.metrics())
        reply = yield from self._told(place, dialect, http, visit)
        if self._is_to_be_noted(place, reply, visit):
            with suppress(StoreError):  # the refusal is told all the same
                yield Commit((refusal_noted(visit, reply.status),))
        return reply

    def _is_to_be_noted(self, place: Place, reply: Reply, visit: Visit) -> bool:
        """Say whether a request of a known caller was refused before any run of it began."""
        asked = place.verb == "answer" and visit.key and self.desk.till is not None
        return bool(asked) and visit.record is None and reply.status >= 400

    def _told(self, place: Place, dialect: Dialect, http: HttpRequest, visit: Visit) -> Handling:
        try:
            return (yield from self._served(place, dialect, http, visit))
        except ClientWireError as error:
            told = render.told_of_body(error, request_id=visit.request_id)
            return render.refusal(dialect, told)
        except RequestError as error:
            return self._failed(dialect, error, visit)
        except Unwelcome as why:
            told = replace(why.error, request_id=visit.request_id)
            never = told.status == 429 and told.retry_after_s is None
            retry = False if never else None
            return render.refusal(dialect, told, headers=why.headers, retry=retry)
        except StoreError as error:
            # Exact state fails closed; why is for the log, and not for a caller.
            _log.error("the store does not answer: %s", error)
            closed = ClientError(
                status=503,
                kind=FailureClass.OVERLOADED,
                message="Keys and limits cannot be checked now. Try again shortly.",
                request_id=visit.request_id,
            )
            return render.refusal(dialect, closed)

    def _served(self, place: Place, dialect: Dialect, http: HttpRequest, visit: Visit) -> Handling:
        caller = ANYBODY
        if self.door is not None and place.verb in _GUARDED:
            caller = yield from self.door.enter(http, place, visit)
        match place.verb:
            case "models" | "model":
                caller = yield from self._polled(caller, visit)
                return asking.models_told(self.desk, place, dialect, caller, visit)
            case "usage" | "export" if self.door is not None:
                caller = yield from self._polled(caller, visit)
                providers = self.desk.router.table.providers
                hidden = frozenset([name for name, one in providers.items() if one.hidden])
                return (yield from usage_api.answered(place, http, caller, hidden, visit))
            case "keys" if self.door is not None:
                return (yield from keys_api.answered(place, http, self.door.pepper, visit))
            case "answer" | "count":
                problem = intake.unreadable(http.headers)
                if problem is None and len(http.body) > intake.BODY_BYTES_MAX:
                    problem = intake.too_large(intake.BODY_BYTES_MAX)
                if problem is not None:
                    return render.refusal(dialect, replace(problem, request_id=visit.request_id))
                request = caller.narrowed(intake.read(self.desk.router, place, http), http.headers)
                visit.asked = request.model or request.intent or ""
                if place.verb == "count":
                    caller = yield from self._polled(caller, visit)
                    return asking.counted(self.desk, request, caller, visit)
                admitted = partial(self._admitted, place, request, caller, visit)
                if self.keeping is None or intake.header(http.headers, HEADER) is None:
                    return (yield from admitted(None))
                claim = claim_of(http, place, caller, visit.request_id, self.keeping)
                return (yield from once(claim, admitted))
            case _:
                return self._not_found(http, visit)

    def _admitted(
        self, place: Place, request: Request, caller: Caller, visit: Visit, claim: Claim | None
    ) -> Handling:
        if self.door is not None:
            table = self.desk.router.table
            caller = yield from self.door.admit(request, table, caller, visit)
        yield from learned(self.desk, visit)
        providers = self.desk.router.table.providers
        request = yield from kept.placed(request, visit.key, providers)
        return (yield from self._answered(place, request, caller, visit, claim))

    def _polled(self, caller: Caller, visit: Visit) -> Generator[Wish, Any, Caller]:
        """Let a caller ask for what makes nothing."""
        if self.door is None:
            return caller
        return (yield from self.door.poll(self.desk.router.table, caller, visit))

    def _answered(
        self, place: Place, request: Request, caller: Caller, visit: Visit, claim: Claim | None
    ) -> Handling:
        name, facts, table = visit.request_id, caller.facts, self.desk.router.table

        def journal(plan: Plan, record: Record, charged: Microcredits | None) -> Sequence[Mutation]:
            visit.charged = charged
            return (*settled(caller, request, record), run_noted(visit, plan, record, charged))

        def unpaid(record: Record) -> Sequence[Mutation]:
            return settled(caller, request, record) if self.desk.till is None else ()

        if not request.stream:
            copy = None if claim is None else Copy(claim, (render.JSON, render.NO_STORE))
            whole = Whole(request, name, facts, journal, copy)
            answer: Answer = yield from carried(whole, caller, table, unpaid)
            visit.record = answer.record
            if mutations := unpaid(answer.record):
                # An answer that was paid for is worth more than a counter.
                with suppress(StoreError):
                    yield Commit(mutations)
            read = kept.made_in if answer.is_sse else kept.made
            ids = read(answer.body) if kept.stores(request) else ()
            if ids and answer.home is not None:
                yield Remember(visit.key, ids, Kept(*answer.home))
            more = telling.served_by(answer.record, answer.served) if self.tells_route else ()
            lost = telling.losses_of(answer.record.losses)
            return HttpResponse(
                status=200,
                headers=(
                    *render.ids(name),
                    *(render.SSE if answer.is_sse else (render.JSON,)),
                    render.NO_STORE,
                    *caller.headers,
                    *lost,
                    *more,
                ),
                body=answer.body,
            )
        reframing, again = (ArrayFraming(), ArrayFraming()) if place.array else (None, None)
        kind = (render.JSON,) if place.array else render.SSE
        copy = None if claim is None else Copy(claim, (*kind, render.NO_STORE), again)
        streamed = Streamed(request, name, facts, journal, copy)
        opening: Opening[Any] = yield from carried(streamed, caller, table, unpaid)
        route = telling.delivering(opening) if self.tells_route else ()
        lost = telling.losses_of(opening.frames.losses) if opening.first is not None else ()

        def told(error: RequestError) -> ClientError:
            return render.told_of_run(error, dialect=request.dialect, request_id=name)

        headers = (*render.ids(name), *kind, render.NO_STORE, *caller.headers, *lost, *route)
        if copy is not None:
            copy.headers = headers
        return Flowing(
            status=200,
            headers=headers,
            opening=opening,
            told=told,
            noting=partial(_noted, opening.frames, visit.key) if kept.stores(request) else None,
            settle=unpaid,
            keep=None if copy is None else copy.ended,
            reframing=reframing,
        )

    def _failed(self, dialect: Dialect, error: RequestError, visit: Visit) -> HttpResponse:
        if isinstance(error.record, Record):
            visit.record = error.record
        told = render.told_of_run(error, dialect=dialect.name, request_id=visit.request_id)
        more = visit.limits
        if self.tells_route and visit.record is not None:
            more = (*more, ("x-hyperroute-attempts", str(len(visit.record.attempts))))
        retry = False if render.hopeless(error) else None
        return render.refusal(dialect, told, headers=more, retry=retry)

    def _standing(self, place: Place, visit: Visit) -> Handling:
        if place.verb != "ready":
            return asking.told(200, b'{"status":"ok"}', visit)
        usable = set(self.desk.router.table.providers) - set(self.desk.missing)
        status, body = yield from standing.ready(self.dependences, usable=bool(usable))
        return asking.told(status, body, visit)

    def _not_found(self, http: HttpRequest, visit: Visit) -> HttpResponse:
        near = paths.nearest(http.url)
        hint = f" Did you mean {near}?" if near else ""
        error = asking.error(404, f"Nothing is served at {visit.path[:200]!r}.{hint}", visit)
        router: Router = self.desk.router
        return render.refusal(router.dialect(_dialect_of(None, http.headers)), error)


_GUARDED = frozenset({"models", "model", "answer", "count", "usage", "export", "keys"})


def _dialect_of(place: Place | None, headers: Headers) -> str:
    """Say whose words to answer in where the path leaves it open."""
    if place is not None and (place.verb in {"answer", "count"} or place.dialect != paths.CHAT):
        return place.dialect
    for name, _ in headers:
        if name == "anthropic-version":
            return MESSAGES
        if name == "x-goog-api-key":
            return GEMINI
    return paths.CHAT


def _noted(source: AnyFrames, owner: str, frames: bytes) -> Remember | None:
    """Say what is to be remembered of a stream before these frames are told."""
    home = source.home
    ids = () if home is None else kept.made_in(frames)
    return Remember(owner, ids, Kept(*home)) if home is not None and ids else None


__all__ = ["Handler", "Handling", "Reply", "Wish"]
