"""One request before one table at one instant: everything a decision may read, read once.

A view belongs to one call of ``plan`` and dies with it, unless somebody asks the plan why.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hyperroute.canon.request import Request
from hyperroute.catalog.card import Model, Offer
from hyperroute.catalog.condition import Fact
from hyperroute.catalog.pricing import cost, sheet_on, sold
from hyperroute.routing.index import Index, index_of
from hyperroute.routing.needs import (
    ASSUMED_OUTPUT,
    UNKNOWN_WINDOW,
    answers_wanted,
    estimated_tokens,
    expected_usage,
)
from hyperroute.routing.questions import Answers
from hyperroute.routing.readings import read
from hyperroute.routing.resolve import Resolved, is_open
from hyperroute.routing.shapes import Fitted, Misfit, fit
from hyperroute.routing.table import RouteTable

NO_PARAMETERS = Fitted({})

LATEST = 1 << 30
"""The day when no day was told: the newest row of every price counts."""


class View:
    """The inputs of one decision, and what was derived from them on the way."""

    __slots__ = (
        "_fitted",
        "_given",
        "_prices",
        "answers",
        "applied",
        "at_risk",
        "counted",
        "day",
        "defaults",
        "expected_output",
        "index",
        "input_tokens",
        "pattern",
        "pinned",
        "request",
        "rules",
        "seed",
        "table",
    )

    def __init__(self, request: Request, table: RouteTable, answers: Answers, seed: int) -> None:
        """Take the numbers off the request."""
        self.request = request
        self.table = table
        self.index: Index = index_of(table)
        self.answers = answers
        self.seed = seed
        self.day = answers.day or LATEST
        self.counted = answers.input_tokens is not None
        self.input_tokens = (
            estimated_tokens(request.input_bytes)
            if answers.input_tokens is None
            else answers.input_tokens
        )
        self.pinned = False
        self.pattern: tuple[str, str] | None = None
        """The pinned model where it is a pattern, and the name as asked for."""
        self.defaults: Mapping[str, Any] = {}
        """The intent's, filled in where the caller says nothing."""
        self._given: Fitted | None = None
        self._fitted: dict[str, Fitted | Misfit] = {}
        self._prices: dict[str, int | None] = {}
        self.at_risk = bool(answers.blocked or answers.full or answers.probing or answers.missing)
        self.applied = self.index.gates.rules_for(self.fact)
        self.rules = self.applied.rules
        self.expected_output = self._expected_output()

    def meant(self, resolved: Resolved) -> None:
        """Take in what the request names: a pin, its pattern, or an intent's own parameters."""
        service, intent = resolved.service, resolved.intent
        if service is not None:
            self.pinned = True
            if service.model.is_pattern:
                self.pattern = (service.model.name, resolved.name)
        elif intent is not None:
            self.defaults = intent.default

    def fact(self, name: str) -> Fact | None:
        """Read a fact of the request or its caller.

        What the gateway knows wins over what the request says of itself; a declared default comes
        last. ``None`` is unknown.
        """
        if name == "req.kind":
            return self.request.kind
        if name[:4] == "req.":
            return self._request_fact(name[4:])
        found = self.answers.facts.get(name)
        if found is None:
            label = self.request.labels.get(name)
            found = label if type(label) is str else as_fact(label)
        if found is None and name in self.table.facts:
            found = self.table.facts[name].default
        return found

    def _request_fact(self, name: str) -> Fact | None:
        request = self.request
        match name:
            case "endpoint":
                return request.endpoint or None
            case "tokens":
                return self.input_tokens
            case "max_out":
                return request.max_output
            case "needs":
                return request.features
            case "stream":
                return request.stream
            case _:
                told = self.answers.facts.get(f"req.{name}")
                return as_fact(request.labels.get(f"req.{name}")) if told is None else told

    def _expected_output(self) -> int:
        declared, capped = self.request.max_output, self.rules.output
        if declared is None:
            return ASSUMED_OUTPUT if capped is None else capped
        return declared if capped is None else min(declared, capped)

    def name_of(self, offer: Offer) -> str:
        """Name the model of an offer, as asked for where it is the pattern that matched."""
        pattern = self.pattern
        return pattern[1] if pattern is not None and offer.model == pattern[0] else offer.model

    def fact_of(self, offer: Offer, name: str) -> Fact | None:
        """Read a fact of an offer; a pattern's model is called as the caller called it."""
        return self.name_of(offer) if name == "model" else self.index.fact_of(offer, name)

    def may_guess(self, tokens: int) -> bool:
        """Say whether a request of this size may go to an offer whose limit is unknown."""
        return self.pinned or tokens <= UNKNOWN_WINDOW

    def may_use(self, model: str) -> bool:
        """Say whether the caller's key is open to a model."""
        return is_open(self.request.narrowing.models, model)

    @property
    def retries(self) -> int:
        """How often an offer may be tried again, at most; a client that repeats itself does it."""
        return 0 if self.request.narrowing.again else self.applied.retries

    @property
    def context_needed(self) -> int:
        """Input and declared output together."""
        return self.input_tokens + (self.request.max_output or 0)

    # --- shapes and prices -----------------------------------------------------------------------
    def fitted(self, offer: Offer) -> Fitted | Misfit:
        """Fit the request into the model's shape, then the offer's own; remembered by offer."""
        found = self._fitted.get(offer.id)
        if found is None:
            found = self.fitted_model(self.index.model_of(offer))
            if offer.takes is not None and isinstance(found, Fitted):
                found = fit(offer.takes, found)
            self._fitted[offer.id] = found
        return found

    def fitted_model(self, model: Model) -> Fitted | Misfit:
        """Fit the request into a model's shape; remembered by name."""
        found = self._fitted.get(model.name)
        if found is None:
            found = self.given if model.takes is None else fit(model.takes, self.given)
            self._fitted[model.name] = found
        return found

    @property
    def copies(self) -> int:
        """How many answers are asked for, by the caller or else by the intent."""
        wanted = self.given.parameters if self.defaults else self.request.parameters
        return answers_wanted(wanted)

    def copies_at(self, offer: Offer) -> int:
        """How many answers an offer is asked for, where its shape may fill that in."""
        fitted = self.fitted(offer)
        return 1 if isinstance(fitted, Misfit) else answers_wanted(fitted.parameters)

    @property
    def given(self) -> Fitted:
        """The caller's parameters as read, over what the intent fills in."""
        if self._given is None:
            self._given = NO_PARAMETERS
            if self.request.parameters or self.defaults:
                given = read(self.request.parameters)
                filled = {name: v for name, v in self.defaults.items() if name not in given}
                self._given = Fitted({**filled, **given}, frozenset(filled))
        return self._given

    def price(self, offer: Offer) -> int | None:
        """Price this very request at an offer, in ``1 / scale`` USD; ``None`` is unknown."""
        prices = self._prices
        if offer.id not in prices:
            prices[offer.id] = self._price(offer)
        return prices[offer.id]

    def _price(self, offer: Offer) -> int | None:
        if self.request.kind == "chat":
            line = self.index.line_of(offer, self.day)
            if line is not None:
                rate_in, rate_out = line.at(self.input_tokens)
                return rate_in * self.input_tokens + rate_out * self.expected_output * self.copies
        sheet = sheet_on(offer.price, self.day)
        fitted = self.fitted(offer)
        if sheet is None or isinstance(fitted, Misfit):
            return None
        model = self.index.model_of(offer)
        tokens = (self.input_tokens, self.expected_output)
        usage = expected_usage(self.request, offer, model, fitted.parameters, tokens)
        return cost(usage, sheet, fitted.parameters)

    def learn(self, offer: Offer, price: int) -> None:
        """Remember a price that an index worked out."""
        self._prices[offer.id] = price

    def selling_price(self, offer: Offer) -> int | None:
        """Price what the caller would pay for this request, served by this offer."""
        model = self.index.model_of(offer)
        paid = self.price(offer) if model.sell.price is None else None
        fitted = self.fitted(offer)
        if isinstance(fitted, Misfit):
            return None
        tokens = (self.input_tokens, self.expected_output)
        usage = expected_usage(self.request, offer, model, fitted.parameters, tokens)
        return sold(model.sell, usage, self.day, paid, fitted.parameters)

    def scaled(self, usd: Decimal | str) -> Decimal:
        """Turn dollars into units of ``1 / scale``, exactly."""
        return Decimal(usd) * self.table.scale

    # --- availability ----------------------------------------------------------------------------
    def usable(self, offer: Offer) -> bool:
        """Say whether the account of an offer has any credential that is set."""
        missing = self.answers.missing
        if not missing:
            return True
        if offer.provider in missing:
            return False
        return any(key not in missing for key in self.credentials_of(offer))

    def open(self, offer: Offer) -> bool:
        """Say whether nothing known at this instant speaks against trying an offer now."""
        answers = self.answers
        if offer.id in answers.probing or not self.usable(offer):
            return False
        if self.used_up(offer):
            return False
        if not answers.blocked and not answers.full:
            return True
        return not (
            self.blocked(f"offer:{offer.id}")
            or self.blocked(f"provider:{offer.provider}")
            or not self.warm(offer)
        )

    def blocked(self, key: str) -> bool:
        """Say whether something is to be left alone now; an instant that has come is over."""
        until = self.answers.blocked.get(key)
        return until is not None and until > self.answers.at

    def used_up(self, offer: Offer) -> bool:
        """Say whether a limit on an offer, its account or its model leaves nothing now.

        Unlike health this is no guess: not even a last resort goes beyond it.
        """
        return bool(self.answers.full) and any(
            self.is_full(key)
            for key in (f"offer:{offer.id}", f"provider:{offer.provider}", f"model:{offer.model}")
        )

    def is_full(self, key: str) -> bool:
        """Say whether a limit is used up now; an instant that has come is over."""
        until = self.answers.full.get(key)
        return until is not None and until > self.answers.at

    def credentials_of(self, offer: Offer) -> tuple[str, ...]:
        """List the credential ids of an offer's account, in declared order.

        An account that does not say its keys has the one its plugin names.
        """
        keys = self.table.providers[offer.provider].keys
        if keys is None:
            return (f"{offer.provider}#0",)
        return tuple([key.id for key in keys]) or ("",)

    def spare_keys(self, offer: Offer) -> int:
        """Count the credentials beyond the first that could be turned to."""
        keys = self.table.providers[offer.provider].keys
        if keys is None or len(keys) < 2:
            return 0
        return max(0, len(self.warm(offer)) - 1) if self.at_risk else len(keys) - 1

    def warm(self, offer: Offer) -> tuple[str, ...]:
        """List the credentials that are set, not cooling and not used up, in declared order."""
        if not self.at_risk:
            return self.credentials_of(offer)
        missing = self.answers.missing
        return tuple(
            key
            for key in self.credentials_of(offer)
            if key not in missing
            and not self.blocked(f"credential:{key}")
            and not self.is_full(f"credential:{key}")
            and not self.blocked(f"credential_model:{key}/{offer.model}")
        )


def as_fact(value: object) -> Fact | None:
    """Take a caller's JSON value as a fact; what is no fact (objects, null) is unknown."""
    if isinstance(value, str | bool | int | Decimal):
        return value
    if isinstance(value, float):
        return Decimal(float.__repr__(value))
    if isinstance(value, frozenset | set):
        return frozenset(str(member) for member in value)
    if isinstance(value, list | tuple):
        members = tuple(as_fact(member) for member in value)
        return tuple(one for one in members if isinstance(one, str | bool | int | Decimal))
    return None
