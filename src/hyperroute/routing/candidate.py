"""What a plan is made of: offers to try, offers not used and why, and the refusal of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.money import Microcredits
from hyperroute.catalog.card import Offer, Timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An offer that qualifies, with everything an attempt needs.

    Attributes:
        sends: The upstream id, a pattern's ``*`` filled in.
        parameters: What the shape filled in or changed, under upstream names; ``None`` takes a
            member out of the body. Members the caller gave and no shape touched are not in it.
        expected: Price of this very request as estimated, in ``1 / table.scale`` USD; None unknown.
        worst: An upper bound of one attempt's price, likewise.
        worst_charge: An upper bound of what its answer costs the caller; None unknown.
        credentials: Ids in the order to use them; ``("",)`` for an account without credentials.
        timeouts: Merged: policies, provider entry, offer.
        retries: Same-offer retries after the first attempt.
        rotations: Attempts with another credential, at most.
        after: Only tried when the last failure is one of these; empty: always.
        context: For ``larger``: the effective window, None unknown.
        last_resort: Everything was blocked, and this is the one attempt made all the same.
    """

    offer: Offer
    sends: str
    parameters: Mapping[str, Any]
    expected: int | None
    worst: int | None
    credentials: tuple[str, ...]
    timeouts: Timeouts
    retries: int
    rotations: int
    after: frozenset[FailureClass] = frozenset()
    last_resort: bool = False
    worst_charge: Microcredits | None = None

    @property
    def context(self) -> int | None:
        """The effective window in tokens."""
        return self.offer.context


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An offer that was not used: the first requirement that failed, what was needed, what it had.

    ``requirement`` is the word of the language it fell over: ``does``, ``context``, ``region``,
    ``cost``, ``credential``, ``health``, ``take``, a parameter, …
    """

    offer: str
    requirement: str
    needed: str
    had: str
    by: str = ""
    """Who asked for it: the request, a policy's name, an intent's ``require``."""

    def __str__(self) -> str:
        """One line for people."""
        source = f" ({self.by})" if self.by else ""
        return f"{self.offer}: {self.requirement} needs {self.needed}, has {self.had}{source}"


RefusalCode = Literal[
    "model_not_found",
    "wrong_endpoint",
    "invalid_parameter",
    "no_candidate",
    "no_credential",
    "context_length",
    "over_cap",
    "missing_model",
    "intent_not_found",
    "insufficient_credits",
    "too_many_at_once",
    "overtaken",
    "store_down",
]
"""What a plan can be refused for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a plan is empty, or the request is not one: an error the caller gets as it stands."""

    status: int
    code: RefusalCode
    message: str
    param: str = ""
    available: tuple[str, ...] = ()
    retry_after_s: int | None = None
    limit: str = ""
    """Name of the budget or of the limit at once that was reached, where that is why."""
    looked: bool = False
    """Offers were looked at, and each has a rejection that says why not."""
