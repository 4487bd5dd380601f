"""Who may enter, and how often: keys and limits, asked of a store and never of a copy.

What is kept here is exact, so a store that does not answer lets nobody in (architecture.md, law 10).
A refused call takes nothing from any counter.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hyperroute.accounts import keys
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.mutation import Correct, Key, Mutation
from hyperroute.canon.quick import quick
from hyperroute.canon.request import Request
from hyperroute.canon.units import SECOND
from hyperroute.canon.wire import Headers, HttpRequest
from hyperroute.catalog.condition import Fact
from hyperroute.dialects.base import ClientError
from hyperroute.gateway import auth, hints
from hyperroute.gateway.paths import Place
from hyperroute.gateway.visit import Visit
from hyperroute.plugins.secret import Secret
from hyperroute.routing.candidate import Refusal
from hyperroute.routing.limiting import Demand, charges, granted
from hyperroute.routing.needs import estimated_tokens
from hyperroute.routing.questions import Answers
from hyperroute.routing.record import Record
from hyperroute.routing.resolve import is_open, resolve_name
from hyperroute.routing.table import RouteTable
from hyperroute.routing.view import View


@quick(frozen=True, slots=True)
class Read:
    """Ask the store: answered with what it found, by position."""

    keys: Sequence[Key]


@quick(frozen=True, slots=True)
class Commit:
    """Tell the store: answered with its ``Commit``."""

    mutations: Sequence[Mutation]


class Unwelcome(Exception):
    """A caller is not let in, and is told why."""

    def __init__(self, error: ClientError, headers: Headers = ()) -> None:
        """Carry what the caller is told."""
        super().__init__(error.message)
        self.error = error
        self.headers = headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks.

    Attributes:
        facts: What is known of the caller, for conditions of the table.
        models: Patterns of the models that its key may ask for; ``None``: all.
        owner: ``user:ada``, ``org:acme``; ``""``: nobody is known.
        scopes: What its key may do beyond the data plane, such as ``admin``.
        headers: What every answer to this caller carries.
        demands: What this request took from the counters.
    """

    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])
    models: tuple[str, ...] | None = None
    owner: str = ""
    scopes: frozenset[str] = frozenset()
    headers: Headers = ()
    demands: tuple[Demand, ...] = ()

    def may_name(self, model: str) -> bool:
        """Say whether a model is open to the caller."""
        return is_open(self.models, model)

    def narrowed(self, request: Request, headers: Headers) -> Request:
        """Take from a request what its caller has no right to, or no patience for."""
        narrowing = hints.heeded(request.narrowing, headers, stream=request.stream)
        if self.models is not None:
            narrowing = replace(narrowing, models=self.models)
        return request if narrowing is request.narrowing else replace(request, narrowing=narrowing)


ANYBODY = Caller()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where callers are let in.

    Attributes:
        pepper: Of the keys; ``None``: nobody needs one, and limits per user hold nobody.
        workers: How many processes share each rate without sharing the store.
        query_everywhere: Take ``?key=`` on every path, and not only on Gemini's.
    """

    pepper: Secret | None
    workers: int = 1
    query_everywhere: bool = False

    def enter(self, http: HttpRequest, place: Place, visit: Visit) -> Generator[Read, Any, Caller]:
        """Find out who asks.

        Raises:
            Unwelcome: Nobody we know.
        """
        if self.pepper is None:
            return ANYBODY
        secret = auth.presented(http, place, query_everywhere=self.query_everywhere)
        found = yield Read((keys.wanted(secret),))
        told = keys.verdict(secret, found[0], now=visit.began_unix_ns, pepper=self.pepper)
        if isinstance(told, keys.Denied):
            error = ClientError(status=401, kind="unauthorized", message=_sentence(told.message))
            raise Unwelcome(error, (("www-authenticate", "Bearer"),))
        key = told.key
        visit.key, visit.owner = key.id, f"{key.owner_type}:{key.owner_id}"
        return Caller(
            facts=told.facts,
            models=key.allowed_models,
            owner=visit.owner,
            scopes=key.scopes,
        )

    def admit(
        self, request: Request, table: RouteTable, caller: Caller, visit: Visit
    ) -> Generator[Commit, Any, Caller]:
        """Take what the request costs from every counter that it meets.

        Raises:
            Unwelcome: One of them has not enough left.
        """
        if not table.limits:
            return caller
        view = View(request, table, Answers(facts=caller.facts), 0)
        costs = {"req": 1, "tok": _estimate(request)}
        model = _model(request, table) if any("model" in one.per for one in table.limits) else None
        demands = charges(table.limits, view.fact, costs, model=model, workers=self.workers)
        if not demands:
            return caller
        commit = yield Commit([demand.mutation for demand in demands])
        verdict = granted(demands, commit)
        headers = tuple(
            (name.lower(), value)
            for name, value in verdict.headers(visit.began_unix_ns)
            if name != "Retry-After"
        )
        if verdict.allowed:
            return replace(caller, headers=headers, demands=demands)
        wait_ns = verdict.wait_ns
        rate = verdict.rate
        said = "" if rate is None else f" of {rate.amount} {rate.unit} / {rate.per}"
        hint = "It never fits." if wait_ns is None else f"Try again in {_seconds(wait_ns)} s."
        error = ClientError(
            status=429,
            kind=FailureClass.RATE_LIMITED,
            message=f"The rate limit {verdict.limit!r}{said} is reached. {hint}",
            retry_after_s=None if wait_ns is None else _seconds(wait_ns),
        )
        raise Unwelcome(error, headers)


def settled(caller: Caller, request: Request, record: Record) -> list[Mutation]:
    """Correct what was charged by estimate, once it is known what was used.

    Input that nobody reported stays estimated; of output nothing was charged.
    """
    usage, estimate = record.usage, _estimate(request)
    read = estimate if usage.input_tokens is None else usage.input_tokens
    difference = read + (usage.output_tokens or 0) - estimate
    return [
        Correct(demand.mutation.key, demand.mutation.pace, difference)
        for demand in caller.demands
        if demand.rate.unit == "tok" and difference
    ]


def _model(request: Request, table: RouteTable) -> str | None:
    """Name the model as the table does, so that an alias is no other quota, nor is any word.

    ``None``: an intent, or nothing that the table knows.
    """
    resolved = resolve_name(request, table)
    if isinstance(resolved, Refusal) or resolved.service is None:
        return None
    return resolved.service.model.name


def _estimate(request: Request) -> int:
    """Estimate the tokens of a request before it is made: its input, and nothing of its output."""
    return max(1, estimated_tokens(request.input_bytes))


def _seconds(ns: int) -> int:
    return max(1, -(-ns // SECOND))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


__all__ = ["ANYBODY", "Caller", "Commit", "Door", "Read", "Unwelcome", "settled"]
