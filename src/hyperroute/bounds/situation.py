"""One request before one table at one instant, small enough to be searched over and printed.

What a request class is represented by: the largest request in it, since every bound grows with the
sizes. Its tokens are told to nobody, so the plan estimates them from bytes, and the bytes bound them:
whatever holds of it also holds of a request of that size that was counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hyperroute.canon.request import Conversation, Kind, Narrowing, Request
from hyperroute.canon.units import HOUR, Instant
from hyperroute.catalog.condition import Fact
from hyperroute.routing.needs import BYTES_PER_TOKEN
from hyperroute.routing.plan import Plan, plan
from hyperroute.routing.questions import Answers
from hyperroute.routing.table import RouteTable
from hyperroute.routing.view import LATEST

OUTAGE: Instant = 10_000 * HOUR
"""How long what is closed is known to stay so; no run lasts as long."""

_DIALECTS: Mapping[str, str] = MappingProxyType(
    {"responses": "openai.responses", "messages": "anthropic.messages", "gemini": "gemini.generate"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A request and what is known when it is planned.

    Attributes:
        model, intent: As a caller writes them; one of the two.
        tokens: Input, as estimated from its bytes.
        max_out: Output tokens that the caller allows; ``None``: not said.
        facts: Of the caller, as the gateway knows them.
        fallback, avoid: The request's own narrowing.
        seed: Draws the arm of a split ``by: req``.
        measured: Rank key to offer to integer, where an order hangs on it.
        closed: Keys of ``Answers.blocked``: what is known to be out.
    """

    kind: Kind = "chat"
    model: str | None = None
    intent: str | None = None
    tokens: int = 0
    max_out: int | None = None
    endpoint: str = ""
    stream: bool = True
    needs: frozenset[str] = frozenset()
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    facts: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))
    fallback: bool = True
    avoid: tuple[str, ...] = ()
    seed: int = 0
    measured: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    closed: frozenset[str] = frozenset()

    def request(self) -> Request:
        """Build the request."""
        return Request(
            kind=self.kind,
            model=self.model,
            intent=self.intent,
            dialect=_DIALECTS.get(self.endpoint, "openai.chat"),
            endpoint=self.endpoint,
            raw=MappingProxyType({}),
            stream=self.stream,
            features=self.needs,
            input_bytes=self.tokens * BYTES_PER_TOKEN,
            max_output=self.max_out,
            parameters=self.parameters,
            narrowing=Narrowing(fallback=self.fallback, avoid=self.avoid),
            decode=_nothing_said,
        )

    def answers(self) -> Answers:
        """Say what is known when it is planned."""
        return Answers(
            day=LATEST,
            facts=self.facts,
            measured=self.measured,
            blocked=dict.fromkeys(sorted(self.closed), OUTAGE),
        )

    def plan(self, table: RouteTable) -> Plan:
        """Plan it."""
        return plan(self.request(), table=table, answers=self.answers(), seed=self.seed)

    def told(self) -> dict[str, Any]:
        """Return what sets this request apart, as plain values under the words of a table's tests."""
        found: dict[str, Any] = {}
        if self.model is not None:
            found["model"] = self.model
        if self.intent is not None:
            found["intent"] = self.intent
        if self.tokens:
            found["in"] = self.tokens
        if self.max_out is not None:
            found["out"] = self.max_out
        if self.needs:
            found["needs"] = sorted(self.needs)
        if self.endpoint:
            found["req.endpoint"] = self.endpoint
        if not self.stream:
            found["req.stream"] = False
        found |= {name: _plain(value) for name, value in sorted(self.facts.items())}
        found |= {name: _plain(value) for name, value in sorted(self.parameters.items())}
        if not self.fallback:
            found["fallback"] = False
        if self.avoid:
            found["providers"] = {"avoid": list(self.avoid)}
        if self.seed:
            found["seed"] = self.seed
        if self.closed:
            found["down"] = sorted(key.removeprefix("offer:") for key in self.closed)
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | frozenset | list):
        return [_plain(one) for one in (sorted(value) if isinstance(value, frozenset) else value)]
    if isinstance(value, str) and len(value) > 60:
        return f"({len(value)} characters)"
    return value


def _nothing_said(_raw: Mapping[str, Any]) -> Conversation:
    return Conversation()


__all__ = ["OUTAGE", "Situation"]
