"""Who may enter, and how often: keys and limits, asked of a store and never of a copy.

What is kept here is exact, so a store that does not answer lets nobody in (architecture.md, law 10).
A refused call takes nothing from any counter.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from hyperroute.accounts import keys
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.mutation import Correct, Key, Mutation, Put
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
from hyperroute.routing.budgets import disables, share, wanted
from hyperroute.routing.candidate import Refusal
from hyperroute.routing.inquiry import inquiry_of
from hyperroute.routing.limiting import (
    Demand,
    Verdict,
    charges,
    estimated,
    granted,
    patience,
    refusing,
    shares,
    used,
)
from hyperroute.routing.needs import estimated_tokens
from hyperroute.routing.questions import Answers
from hyperroute.routing.record import Record
from hyperroute.routing.resolve import is_open, resolve_name
from hyperroute.routing.table import RouteTable
from hyperroute.routing.view import View
from hyperroute.runtime.tab import NOT_ADMITTED


@quick(frozen=True, slots=True)
class Read:
    """Ask the store: answered with what it found, by position."""

    keys: Sequence[Key]


@quick(frozen=True, slots=True)
class Commit:
    """Tell the store: answered with its ``Commit``."""

    mutations: Sequence[Mutation]


@quick(frozen=True, slots=True)
class Sleep:
    """Wait, and be answered with nothing."""

    ns: int


Wish = Read | Commit | Sleep
"""What the door asks of a driver."""


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
        key: The key's record, and the version of it that was read.
    """

    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])
    models: tuple[str, ...] | None = None
    owner: str = ""
    scopes: frozenset[str] = frozenset()
    headers: Headers = ()
    demands: tuple[Demand, ...] = ()
    key: tuple[keys.Key, int] | None = None

    def may_name(self, model: str) -> bool:
        """Say whether a model is open to the caller."""
        return is_open(self.models, model)

    def narrowed(self, request: Request, headers: Headers) -> Request:
        """Take from a request what its caller has no right to, or no patience for."""
        narrowing = hints.heeded(request.narrowing, headers, stream=request.stream)
        if self.models is not None:
            narrowing = replace(narrowing, models=self.models)
        return request if narrowing is request.narrowing else replace(request, narrowing=narrowing)

    def disabling(self, table: RouteTable, limit: str) -> tuple[Put, ...]:
        """Say what makes the key inactive if it does so beyond that limit.

        Unless somebody has changed it meanwhile.
        """
        if self.key is None:
            return ()
        key, version = self.key
        if not disables(table.limits, limit, own=key.auto_disable):
            return ()
        return (keys.put(replace(key, active=False), expected=version),)


ANYBODY = Caller()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where callers are let in.

    Attributes:
        pepper: Of the keys; ``None``: nobody needs one, and limits per user hold nobody.
        workers: How many processes share each rate without sharing the store.
        query_everywhere: Take ``?key=`` on every path, and not only on Gemini's.
        money: Whether the store keeps budgets; if not, how much of one is used is unknown.
    """

    pepper: Secret | None
    workers: int = 1
    query_everywhere: bool = False
    money: bool = False

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
        version = next(row.version for row in found[0] if row.key.id == key.id)
        return Caller(
            facts=told.facts,
            models=key.allowed_models,
            owner=visit.owner,
            scopes=key.scopes,
            key=(key, version),
        )

    def admit(
        self, request: Request, table: RouteTable, caller: Caller, visit: Visit
    ) -> Generator[Wish, Any, Caller]:
        """Take what the request costs from every counter that it meets.

        Raises:
            Unwelcome: One of them has not enough left.
        """
        if not table.limits:
            return caller
        view = View(request, table, Answers(facts=caller.facts), 0)
        model = _model(request, table) if any("model" in one.per for one in table.limits) else None
        costs = estimated(request, view.input_tokens)
        demands = charges(table.limits, view.fact, costs, model=model, workers=self.workers)
        deadline = request.narrowing.deadline_ns
        charged = yield from _charged(demands, table, caller, visit, deadline)
        names = inquiry_of(table).limits
        if not names:
            return charged.caller
        parts = {name: charged.shares[name] for name in names if name in charged.shares}
        if self.money:
            asked = wanted(table.limits, view.fact, names, unix_ns=visit.began_unix_ns, model=model)
            found = (yield Read([each.key for each in asked])) if asked else ()
            for each, state in zip(asked, found, strict=True):
                part = share(each, state)
                parts[each.key.limit] = max(part, parts.get(each.key.limit, part))
        used = {f"limit.{name}.used": part for name, part in parts.items()}
        return replace(charged.caller, facts={**caller.facts, **used})

    def poll(self, table: RouteTable, caller: Caller, visit: Visit) -> Generator[Wish, Any, Caller]:
        """Take one poll: what makes nothing has counters of its own, so that it starves no request.

        Raises:
            Unwelcome: One of them has not enough left.
        """

        def known(name: str) -> Fact | None:
            declared = table.facts.get(name)
            return caller.facts.get(name, None if declared is None else declared.default)

        demands = charges(table.limits, known, {"poll": 1}, workers=self.workers)
        charged = yield from _charged(demands, table, caller, visit, None)
        return charged.caller


@quick(frozen=True, slots=True)
class _Charged:
    """A caller that was let in, and how much of each rate was used before."""

    caller: Caller
    shares: Mapping[str, Decimal]


def _charged(
    demands: tuple[Demand, ...],
    table: RouteTable,
    caller: Caller,
    visit: Visit,
    deadline_ns: int | None,
) -> Generator[Wish, Any, _Charged]:
    """Take all of it or nothing; where every limit that refuses says so, wait and try again."""
    if not demands:
        return _Charged(caller, {})
    waited = 0
    while True:
        commit = yield Commit([demand.mutation for demand in demands])
        verdict = granted(demands, commit)
        headers = tuple(
            (name.lower(), value)
            for name, value in verdict.headers(visit.began_unix_ns + waited)
            if name != "Retry-After"
        )
        if verdict.allowed:
            visit.limits = headers
            made = replace(caller, headers=headers, demands=demands)
            return _Charged(made, shares(demands, commit))
        names = refusing(demands, commit)
        longest = patience(table.limits, names)
        if deadline_ns is not None:
            longest = min(longest, deadline_ns)
        if verdict.wait_ns is None or waited + verdict.wait_ns > longest:
            break
        yield Sleep(verdict.wait_ns)
        waited += verdict.wait_ns
    closing = next((put for name in sorted(names) if (put := caller.disabling(table, name))), ())
    if closing:
        yield Commit(closing)
    raise _refused(verdict, headers, disabled=bool(closing))


def _refused(verdict: Verdict, headers: Headers, *, disabled: bool) -> Unwelcome:
    wait_ns = None if disabled else verdict.wait_ns
    rate = verdict.rate
    said = "" if rate is None else f" of {rate.amount} {rate.unit} / {rate.per}"
    hint = "It never fits." if wait_ns is None else f"Try again in {_seconds(wait_ns)} s."
    if disabled:
        hint = "The key is disabled until its owner enables it."
    error = ClientError(
        status=429,
        kind=FailureClass.RATE_LIMITED,
        message=f"The rate limit {verdict.limit!r}{said} is reached. {hint}",
        retry_after_s=None if wait_ns is None else _seconds(wait_ns),
    )
    return Unwelcome(error, headers)


def settled(caller: Caller, request: Request, record: Record) -> list[Mutation]:
    """Correct what was charged by estimate, once it is known what was used.

    What nobody reported stays estimated; of output nothing was charged. What was never tried used
    nothing but its request, and what was refused for want of money not even that.
    """
    estimate = estimated(request, estimated_tokens(request.input_bytes))
    real = used(estimate, record.usage)
    if not record.attempts:
        real = {} if record.refusal in NOT_ADMITTED else {"req": 1}
    return [
        Correct(demand.mutation.key, demand.mutation.pace, difference)
        for demand in caller.demands
        if (difference := real.get(demand.rate.unit, 0) - estimate.get(demand.rate.unit, 0))
    ]


def _model(request: Request, table: RouteTable) -> str | None:
    """Name the model as the table does, so that an alias is no other quota, nor is any word.

    ``None``: an intent, or nothing that the table knows.
    """
    resolved = resolve_name(request, table)
    if isinstance(resolved, Refusal) or resolved.service is None:
        return None
    return resolved.service.model.name


def _seconds(ns: int) -> int:
    return max(1, -(-ns // SECOND))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


__all__ = ["ANYBODY", "Caller", "Commit", "Door", "Read", "Sleep", "Unwelcome", "settled"]
