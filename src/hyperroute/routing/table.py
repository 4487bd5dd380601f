"""The compiled table: what YAML became after it was checked. Immutable, and named by a digest.

Terms of the algebra are kept as written; what they denote for one request is ``chains.py``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.canon.money import Microcredits
from hyperroute.canon.request import Kind
from hyperroute.catalog.card import Breaker, Budget, Model, Offer, ProviderEntry, Rate, Timeouts
from hyperroute.catalog.condition import Condition, Fact, Scalar

ATTEMPTS_CEILING = 8
"""No request causes more attempts than this, whatever a table says (invariant 13)."""


# --- terms ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class NoOffers:
    """``none``: the empty list, the identity of ``first``."""


@dataclass(frozen=True, slots=True)
class ModelTerm:
    """A model's own offers in its own order, without its ``instead``."""

    name: str


@dataclass(frozen=True, slots=True)
class OfferTerm:
    """One offer, by id."""

    id: str


@dataclass(frozen=True, slots=True)
class IntentTerm:
    """What an intent denotes."""

    name: str


@dataclass(frozen=True, slots=True)
class ChainTerm:
    """What a chain denotes."""

    name: str


@dataclass(frozen=True, slots=True)
class From:
    """All listed offers of models of this kind whose facts satisfy the condition, by offer id order.

    ``models`` is the condition resolved at load: the names that satisfy it, in their order.
    """

    condition: Condition
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class First:
    """Left to right, later duplicates dropped."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """``share`` of the traffic, an exact fraction; all arms of a split make 1."""

    name: str
    share: Decimal
    term: Term


@dataclass(frozen=True, slots=True)
class Split:
    """Pick an arm by a rendezvous hash of (salt, the ``by`` fact); ``rest`` lists the others behind."""

    by: Literal["req", "user", "key", "org", "session"]
    arms: tuple[Arm, ...]
    salt: str = ""
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """The first arm whose condition holds; the last has the empty condition."""

    arms: tuple[tuple[Condition, Term], ...]


@dataclass(frozen=True, slots=True)
class RankKey:
    """One key of an order. ``grid`` compares on a geometric grid of that many percent; 0 exactly."""

    name: str
    """cost, sell, latency.p90, ttft.p90, load, speed.p90, quality.NAME, or a plugin's."""
    grid: int = 0


@dataclass(frozen=True, slots=True)
class Restrict:
    """require, then rank, then take, always in that order."""

    term: Term
    require: Condition = ()
    rank: tuple[RankKey, ...] = ()
    take: int | None = None


Term = (
    NoOffers
    | ModelTerm
    | OfferTerm
    | IntentTerm
    | ChainTerm
    | From
    | First
    | Split
    | Match
    | Restrict
)


# --- policies ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """``cost`` is USD, exact; sizes are tokens. ``None``: not said."""

    attempts: int | None = None
    time_ns: int | None = None
    cost: Decimal | None = None
    input: int | None = None
    output: int | None = None


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """``percent`` of first attempts, plus ``floor`` per ``floor_ns`` (reliability.md, 5.3)."""

    percent: int = 20
    floor: int = 10
    floor_ns: int = 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What a policy says of repeating; ``None``: not said. ``factor`` is exact."""

    per_offer: int | None = None
    rotate: int | None = None
    base_ns: int | None = None
    factor: Decimal | None = None
    max_ns: int | None = None
    jitter: Literal["full", "none"] | None = None
    budget: RetryBudget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy as written: where ``when`` holds, everything it says applies, and only tightens."""

    name: str
    when: Condition = ()
    require: Condition = ()
    cap: Cap = Cap()
    timeout: Timeouts = Timeouts()
    retry: Retry = Retry()
    errors: Mapping[FailureClass, tuple[Reaction, int | None]] = field(
        default_factory=dict[FailureClass, "tuple[Reaction, int | None]"]
    )
    """Class to reaction, and for ``retry 3`` its count."""
    breaker: Breaker | None = None
    commit: Literal["first_content", "first_byte"] | None = None
    hold_bytes: int | None = None
    lossy: Literal["report", "refuse"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All policies that apply to one request, merged, with the language's defaults filled in."""

    require: tuple[tuple[str, Condition], ...] = ()
    """By the policy's name, for explanations."""
    attempts: int = 6
    time_ns: int = 300_000_000_000
    cost: Decimal | None = None
    input: int | None = None
    output: int | None = None
    timeouts: Timeouts = Timeouts(
        connect_ns=5_000_000_000, first_byte_ns=60_000_000_000, idle_ns=60_000_000_000
    )
    per_offer: int = 1
    rotate: int = 1
    base_ns: int = 500_000_000
    base_said: bool = False
    """Whether a policy named ``base``; if not, throttled retries start from 1 s (5.2)."""
    factor: Decimal = Decimal(2)
    max_ns: int = 8_000_000_000
    jitter: Literal["full", "none"] = "full"
    budget: RetryBudget = RetryBudget()
    errors: Mapping[FailureClass, tuple[Reaction, int | None]] = field(
        default_factory=dict[FailureClass, "tuple[Reaction, int | None]"]
    )
    """Only what policies say; else the fault's own advice, else ``canon.failure.REACTIONS``."""
    breaker: Breaker | None = None
    """``None``: the language's default, ``routing.health.DEFAULT_BREAKER``."""
    commit: Literal["first_content", "first_byte"] = "first_content"
    hold_bytes: int = 64_000
    lossy: Literal["report", "refuse"] = "report"


# --- names ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another name for a model or an intent; renames, decides nothing.

    ``to`` is final: aliases of aliases are followed at load. It may be a name that only a
    pattern matches.
    """

    name: str
    to: str
    listed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A bound that is proved when the table is loaded."""

    attempts: int | None = None
    cost: Decimal | None = None
    time_ns: int | None = None
    survives: tuple[int, Literal["provider", "offer", "region"]] | None = None
    never: Condition = ()
    when: Condition = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A capability bucket that a client names instead of a model."""

    name: str
    kind: Kind
    term: Term
    """``use`` as written, or ``Restrict(From(…), …)``."""
    default: Mapping[str, Scalar]
    listed: bool = True
    promise: Promise | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A named term."""

    name: str
    term: Term
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class Instead:
    """A declared equivalent. ``after`` empty: after the model's own offers, on any ``next``."""

    term: ModelTerm | OfferTerm
    after: frozenset[FailureClass] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How routing serves one model: its own order, its equivalents, its promise."""

    model: Model
    use: Term | None = None
    """A term over its own offers; ``None``: the declared order."""
    instead: tuple[Instead, ...] = ()
    promise: Promise | None = None


Over = Literal["stop", "wait", "next", "disable", "observe"]

ACCOUNT_SCOPES = frozenset({"provider", "offer", "credential"})
"""Scopes of what an attempt is made with; all others are known before there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A counter with a scope, and what happens beyond it.

    Attributes:
        per: Whose counter it is; ``model`` and those of ``ACCOUNT_SCOPES`` beside those who ask.
        floor: What a wallet must hold to enter, in micro-credits.
        hold: What of a wallet is set aside; a budget always holds the worst case.
        warn: In per cent.
        over: ``wait`` is for ``wait_ns`` at most; ``disable`` is about the key.
    """

    name: str
    per: tuple[str, ...]
    when: Condition = ()
    rate: tuple[Rate, ...] = ()
    at_once: int | None = None
    budget: Budget | None = None
    floor: Microcredits | None = None
    hold: Literal["worst", "estimate", "none"] = "worst"
    warn: tuple[int, ...] = ()
    over: Over = "stop"
    wait_ns: int = 0

    @property
    def of_attempts(self) -> bool:
        """Whether attempts count in it one by one, so that others may be tried beyond it."""
        return self.over == "next" or not ACCOUNT_SCOPES.isdisjoint(self.per)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFact:
    """What the caller may tell about itself beyond the built-in facts."""

    name: str
    one_of: tuple[str, ...] | None = None
    type: Literal["text", "count", "money"] | None = None
    default: Fact | None = None


@dataclass(frozen=True, kw_only=True)
class RouteTable:
    """Everything routing knows. Not slotted: indexes hang on it as cached properties.

    Attributes:
        digest: Hex digest of the meaning: independent of file names, order and formatting.
        scale: Money inside is an integer in units of ``1 / scale`` USD.
        services: By model name, in the order of names (the order of files says nothing); patterns
            are among them. Offers of a model keep their declared order.
        patterns: Names with ``*``, most fixed characters first.
    """

    digest: str
    scale: int
    providers: Mapping[str, ProviderEntry]
    services: Mapping[str, Service]
    patterns: tuple[str, ...] = ()
    aliases: Mapping[str, Alias] = field(default_factory=dict[str, Alias])
    intents: Mapping[str, Intent] = field(default_factory=dict[str, Intent])
    chains: Mapping[str, Chain] = field(default_factory=dict[str, Chain])
    policies: tuple[Policy, ...] = ()
    limits: tuple[Limit, ...] = ()
    facts: Mapping[str, DeclaredFact] = field(default_factory=dict[str, DeclaredFact])
    offers: Mapping[str, Offer] = field(default_factory=dict[str, Offer])
    """By id, over all models."""
