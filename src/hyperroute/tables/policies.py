"""Policies, limits, declared facts and promises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.catalog.card import Budget, Timeouts
from hyperroute.catalog.condition import Fact
from hyperroute.routing.budgets import SPENDING_LIMIT
from hyperroute.routing.table import (
    ACCOUNT_SCOPES,
    ATTEMPTS_CEILING,
    Cap,
    DeclaredFact,
    Limit,
    Over,
    Policy,
    Promise,
    Retry,
    RetryBudget,
)
from hyperroute.tables import words
from hyperroute.tables.conditions import FactSpace, condition
from hyperroute.tables.providers import breaker, microcredits, no_polls, rates, timeouts
from hyperroute.tables.report import Spot
from hyperroute.tables.schema import PromiseDoc
from hyperroute.tables.schema_policy import CapDoc, FactDoc, LimitDoc, PolicyDoc, RetryDoc
from hyperroute.tables.vocabulary import LIMIT_SCOPES, REQUEST_FACTS, nearest

HOLD_MAX = 64_000
_ACTION = re.compile(r"(\w+)(?:\s+([0-9]+))?")
_BUDGET = re.compile(r"([0-9]{1,3})\s?%\s?\+\s?([0-9]{1,4}) per (\S+)")
_SURVIVES = re.compile(r"([1-9]) (provider|offer|region)s?")
_FACT = re.compile(r"(req|org|user|key)\.[a-z0-9_][a-z0-9_.-]*")
_OVER: tuple[Over, ...] = ("stop", "next", "disable", "observe")


@dataclass(frozen=True, slots=True)
class Policies:
    """Compiles what reads facts of requests and offers."""

    request: FactSpace
    offers: FactSpace

    def policy(self, spot: Spot, name: str, doc: PolicyDoc) -> Policy:
        """Compile one policy as written; merging is done for each request."""
        hold = doc.stream.hold if doc.stream else None
        if hold is not None and hold > HOLD_MAX:
            (spot / "stream" / "hold").error(f"at most {HOLD_MAX // 1000}k can be held back")
        return Policy(
            name=name,
            when=condition(spot / "for", doc.when, self.request),
            require=condition(spot / "require", doc.require, self.offers),
            cap=_cap(spot / "cap", doc.cap) if doc.cap else Cap(),
            timeout=timeouts(spot / "timeout", doc.timeout) or Timeouts(),
            retry=_retry(spot / "retry", doc.retry) if doc.retry else Retry(),
            errors=_errors(spot / "errors", doc.errors),
            breaker=breaker(spot / "breaker", doc.breaker) if doc.breaker else None,
            commit=doc.stream.commit if doc.stream else None,
            hold_bytes=hold,
            lossy=doc.lossy,
        )

    def limit(self, spot: Spot, name: str, doc: LimitDoc) -> Limit:
        """Compile a limit."""
        scopes = doc.per if isinstance(doc.per, list) else [doc.per]
        for index, scope in enumerate(scopes):
            if scope not in LIMIT_SCOPES:
                at = spot / "per" / index if isinstance(doc.per, list) else spot / "per"
                at.error(f"unknown scope {scope!r}{nearest(scope, LIMIT_SCOPES)}")
        if not (doc.rate or doc.at_once or doc.floor is not None or doc.budget):
            spot.error("a limit has one of rate, at_once, floor and budget", key=True)
        over, wait_ns = _over(spot / "over", doc.over)
        _agree(spot, name, doc, frozenset(scopes), over)
        return Limit(
            name=name,
            per=tuple(sorted(set(scopes))),
            when=condition(spot / "for", doc.when, self.request),
            rate=rates(doc.rate),
            at_once=doc.at_once,
            budget=self._budget(spot / "budget", doc.budget),
            floor=None if doc.floor is None else microcredits(spot / "floor", doc.floor),
            hold=doc.hold,
            warn=tuple(sorted(set(doc.warn))),
            over=over,
            wait_ns=wait_ns,
        )

    def _budget(
        self, spot: Spot, written: tuple[str, Literal["day", "month"]] | None
    ) -> Budget | None:
        if written is None:
            return None
        text, per = written
        kind = self.request.types.get(text)
        self.request.used.add(text)
        if kind == "money":
            return Budget(per=per, fact=text)
        if kind is not None:
            spot.error(f"a budget is money, and {text} is none")
        elif "." in text and not text[0].isdigit():
            spot.error(f"unknown fact {text!r}{nearest(text, self.request.types)}")
        else:
            return Budget(per=per, amount=microcredits(spot, text))
        return None

    def promise(self, spot: Spot, doc: PromiseDoc | None) -> Promise | None:
        """Compile a promise; it is proved once the table is whole."""
        if doc is None:
            return None
        survives: tuple[int, Literal["provider", "offer", "region"]] | None = None
        if doc.survives is not None:
            found = _SURVIVES.fullmatch(doc.survives)
            if found:
                survives = (int(found[1]), found[2])  # type: ignore[assignment] # by the regex
            else:
                (spot / "survives").error(
                    f"expected 1 provider, 1 offer or 1 region, found {doc.survives!r}"
                )
        if doc.attempts is not None and doc.attempts > ATTEMPTS_CEILING:
            (spot / "attempts").error(f"no request has more than {ATTEMPTS_CEILING} attempts")
        return Promise(
            attempts=doc.attempts,
            cost=doc.cost,
            time_ns=doc.time,
            survives=survives,
            never=condition(spot / "never", doc.never, self.offers),
            when=condition(spot / "for", doc.when, self.request),
        )


def _cap(spot: Spot, doc: CapDoc) -> Cap:
    if doc.attempts is not None and doc.attempts > ATTEMPTS_CEILING:
        (spot / "attempts").error(f"at most {ATTEMPTS_CEILING} attempts, found {doc.attempts}")
    if doc.time == 0:
        (spot / "time").error("a cap of 0s serves nothing")
    return Cap(
        attempts=doc.attempts, time_ns=doc.time, cost=doc.cost, input=doc.input, output=doc.output
    )


def _retry(spot: Spot, doc: RetryDoc) -> Retry:
    for key, count in (("per_offer", doc.per_offer), ("rotate", doc.rotate)):
        if count is not None and count >= ATTEMPTS_CEILING:
            (spot / key).error(f"at most {ATTEMPTS_CEILING - 1}, found {count}")
    if doc.factor is not None and doc.factor < 1:
        (spot / "factor").error("a factor below 1 would shorten the waits")
    if doc.base is not None and doc.max is not None and doc.base > doc.max:
        (spot / "base").error("base is longer than max")
    budget = None
    if doc.budget is not None:
        budget = _retry_budget(spot / "budget", doc.budget)
    return Retry(
        per_offer=doc.per_offer,
        rotate=doc.rotate,
        base_ns=doc.base,
        factor=doc.factor,
        max_ns=doc.max,
        jitter=doc.jitter,
        budget=budget,
    )


def _retry_budget(spot: Spot, text: str) -> RetryBudget | None:
    found = _BUDGET.fullmatch(text)
    if found:
        try:
            window = words.time(found[3])
        except ValueError as error:
            spot.error(str(error))
            return None
        if window and int(found[1]) <= 100:
            return RetryBudget(int(found[1]), int(found[2]), window)
    spot.error(f"expected a retry budget such as 20% + 10 per 10s, found {words.shown(text)}")
    return None


def _errors(
    spot: Spot, written: Mapping[Any, str]
) -> Mapping[FailureClass, tuple[Reaction, int | None]]:
    errors: dict[FailureClass, tuple[Reaction, int | None]] = {}
    for kind in sorted(written):
        at = spot / kind
        found = _ACTION.fullmatch(written[kind])
        word = found[1] if found else written[kind]
        if word not in Reaction.__members__.values():
            at.error(f"unknown action {word!r}{nearest(word, list(Reaction))}")
            continue
        count = int(found[2]) if found and found[2] else None
        if count is not None and (word != "retry" or not 1 <= count < ATTEMPTS_CEILING):
            at.error(f"only retry takes a count, from 1 to {ATTEMPTS_CEILING - 1}")
        errors[FailureClass(kind)] = (Reaction(word), count)
    return MappingProxyType(errors)


def _over(spot: Spot, text: str) -> tuple[Over, int]:
    """Read an action, and of ``wait`` its time."""
    for action in _OVER:
        if text == action:
            return action, 0
    head, _, tail = text.partition(" ")
    if head == "wait":
        try:
            return "wait", words.time(tail)
        except ValueError as error:
            spot.error(str(error))
            return "stop", 0
    spot.error(f"unknown action {text!r}{nearest(text, [*_OVER, 'wait TIME'])}")
    return "stop", 0


def _agree(spot: Spot, name: str, doc: LimitDoc, scopes: frozenset[str], over: Over) -> None:
    """Refuse what would be read as a promise and means nothing."""
    if name == SPENDING_LIMIT:
        spot.error(f"{name} is the name of the budget that every key may have", key=True)
    if not scopes <= set(LIMIT_SCOPES):
        return
    account = sorted(scopes & ACCOUNT_SCOPES)
    if account:
        no_polls(spot / "rate", doc.rate)
    if doc.floor is not None and (len(scopes) > 1 or not scopes <= {"user", "org"}):
        (spot / "floor").error("a floor is of a wallet: it is per user or per org")
    if doc.floor is None and "hold" in doc.model_fields_set and doc.hold != "worst":
        (spot / "hold").error(f"{doc.hold} is of a wallet, beside floor; a budget holds the worst")
    if account and over in {"wait", "disable"}:
        (spot / "over").error(
            f"beyond a limit per {account[0]} others are tried: stop, next or observe"
        )
    elif over == "wait" and not (doc.rate or doc.at_once):
        (spot / "over").error("only a rate or at_once is worth waiting for")
    elif over == "disable" and "key" not in scopes:
        (spot / "over").error("disable is about the key: the limit must be per key")
    elif over == "next" and not account and "model" not in scopes:
        (spot / "over").error("next needs another: the limit must be per model, provider or offer")


def declared(spot: Spot, name: str, doc: FactDoc) -> DeclaredFact:
    """Compile a declared fact; what is built in may only be narrowed to some words."""
    if not _FACT.fullmatch(name):
        spot.error("the name of a fact begins with req., org., user. or key.", key=True)
    built_in = REQUEST_FACTS.get(name, "word")
    if built_in != "word" or (name in REQUEST_FACTS and doc.type not in {None, "text"}):
        spot.error(f"{name} is built in ({built_in}); its type stays", key=True)
    if (doc.one_of is None) == (doc.type is None):
        spot.error("a fact has either one_of or type", key=True)
    default: Fact | None = doc.default
    try:
        if doc.one_of is not None:
            if len(set(doc.one_of)) < len(doc.one_of):
                (spot / "one_of").error("a word stands there twice")
            if default is not None and default not in doc.one_of:
                raise ValueError(  # noqa: TRY301 - one place tells it
                    f"the default {words.shown(default)} is none of its words"
                )
        elif default is not None and doc.type == "count":
            default = words.count(default)
        elif default is not None and doc.type == "money":
            default = words.money(default)
        elif default is not None and not isinstance(default, str):
            raise ValueError(f"expected text, found {words.shown(default)}; quote it")  # noqa: TRY301
    except ValueError as error:
        (spot / "default").error(str(error))
    return DeclaredFact(
        name=name,
        one_of=tuple(sorted(doc.one_of)) if doc.one_of else None,
        type=doc.type,
        default=default,
    )
