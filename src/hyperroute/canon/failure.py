"""Why an attempt failed, as a value the pure core can reason about (reliability.md, 3 and 5.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from hyperroute.canon.quick import quick


class FailureClass(StrEnum):
    """The closed list. A provider that fits none of them is a bug in its classifier."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    NET_UNSENT = "net_unsent"
    NET_AMBIGUOUS = "net_ambiguous"
    SLOW_START = "slow_start"
    STALLED = "stalled"
    TRUNCATED = "truncated"
    MALFORMED_OUTPUT = "malformed_output"
    EMPTY_COMPLETION = "empty_completion"
    CONTEXT_LENGTH = "context_length"
    CONTENT_POLICY = "content_policy"
    BAD_REQUEST = "bad_request"
    UNKNOWN_MODEL = "unknown_model"
    PROVIDER_AUTH = "provider_auth"
    PROVIDER_FUNDS = "provider_funds"
    PROVIDER_REGION = "provider_region"
    CLIENT_GONE = "client_gone"
    DEADLINE = "deadline"


class Reaction(StrEnum):
    """What to do next, from the strictest: merging policies takes the one further left."""

    STOP = "stop"
    INSTEAD = "instead"
    LARGER = "larger"
    NEXT = "next"
    ROTATE = "rotate"
    RETRY = "retry"


REACTIONS: MappingProxyType[FailureClass, Reaction] = MappingProxyType(
    {
        FailureClass.RATE_LIMITED: Reaction.NEXT,
        FailureClass.OVERLOADED: Reaction.NEXT,
        FailureClass.SERVER_ERROR: Reaction.RETRY,
        FailureClass.NET_UNSENT: Reaction.RETRY,
        FailureClass.NET_AMBIGUOUS: Reaction.NEXT,
        FailureClass.SLOW_START: Reaction.NEXT,
        FailureClass.STALLED: Reaction.NEXT,
        FailureClass.TRUNCATED: Reaction.NEXT,
        FailureClass.MALFORMED_OUTPUT: Reaction.NEXT,
        FailureClass.EMPTY_COMPLETION: Reaction.RETRY,
        FailureClass.CONTEXT_LENGTH: Reaction.LARGER,
        FailureClass.CONTENT_POLICY: Reaction.STOP,
        FailureClass.BAD_REQUEST: Reaction.STOP,
        FailureClass.UNKNOWN_MODEL: Reaction.NEXT,
        FailureClass.PROVIDER_AUTH: Reaction.NEXT,
        FailureClass.PROVIDER_FUNDS: Reaction.NEXT,
        FailureClass.PROVIDER_REGION: Reaction.NEXT,
        FailureClass.CLIENT_GONE: Reaction.STOP,
        FailureClass.DEADLINE: Reaction.STOP,
    }
)
"""What a table that says nothing gets, where the fault itself advises nothing."""

Scope = Literal["credential", "credential_model", "offer", "provider"]
Health = Literal["counts", "half", "neutral"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cool:
    """Leave something alone for a while: ``base_ns``, doubled with each repeat up to ``max_ns``."""

    scope: Scope
    base_ns: int
    max_ns: int = 0
    """0: no doubling, always ``base_ns``."""
    local: bool = False
    """The fault is of local origin (DNS, connect); counted apart (reliability.md, 5.4)."""


@quick(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed attempt.

    Attributes:
        kind: The class.
        message: What the provider said; may hold account text, so it never leaves the process
            unless ``explains`` (invariant 29).
        explains: The message tells our caller what is wrong with the caller's own request, and
            may be shown after scrubbing (clients.md, 19).
        status: The provider's HTTP status, ``None`` if there was none.
        code: The provider's own code or type, for records.
        hint_ns: The provider's own wish for a wait, already read from whichever field carried it.
        pushback: The provider said not to try this again (invariant 19).
        advice: The reaction that the fault catalogue names for this row where it is finer than its
            class; a table's ``errors`` entry for the class still wins.
        cool: What to leave alone, and how long; a hint lengthens it within 1 s to 600 s.
        health: Whether it counts against the offer's breaker.
        alarm: Somebody should look: our credentials, our money, our translation.
        unseal: Sealed reasoning was refused; without it the same request may pass (row 21).
    """

    kind: FailureClass
    message: str = field(default="", repr=False)
    explains: bool = False
    status: int | None = None
    code: str | None = None
    hint_ns: int | None = None
    pushback: bool = False
    advice: Reaction | None = None
    cool: Cool | None = None
    health: Health = "neutral"
    alarm: bool = False
    unseal: bool = False


__all__ = [
    "REACTIONS",
    "Cool",
    "Failure",
    "FailureClass",
    "Health",
    "Reaction",
    "Scope",
]
