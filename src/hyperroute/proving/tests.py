"""The ``tests`` section of a table: a given and an expected, run in virtual time.

The plan is the real plan, the machine is the real machine under the blocking driver; only the
providers are scripted and the clock is a World's. What is ``down`` is known to be down before the
plan is made, as after an outage that was noticed; what a ``script`` lets fail is found out by trying.
Every credential is taken to be set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hyperroute.canon.request import Conversation, Kind, Narrowing, Request
from hyperroute.canon.units import DAY, HOUR, Instant
from hyperroute.canon.usage import Usage
from hyperroute.catalog.facts import first_failing, offer_fact
from hyperroute.errors import RequestError
from hyperroute.proving.scripted import Stage, accounts
from hyperroute.routing.needs import expected_usage
from hyperroute.routing.plan import Plan, plan
from hyperroute.routing.questions import Answers
from hyperroute.routing.record import Record
from hyperroute.routing.resolve import Resolved, resolve_name
from hyperroute.routing.state import Call
from hyperroute.routing.table import RouteTable
from hyperroute.runtime import blocking, kernel
from hyperroute.runtime.conversation import Conversation as Talk
from hyperroute.tables.testcases import Expect, Given, TestCase
from hyperroute.testing.world import World

OUTAGE: Instant = HOUR
"""How long what is down is known to stay so; no plan looks further ahead."""

LATEST = 1 << 30
"""The day when none was told: the newest row of every price counts."""

BYTES_PER_TOKEN = 4
"""What a request of so many tokens weighs; the plan is told the tokens as well."""

WORDS_SAID = 100
"""Output tokens of an answer when the case says none."""

DIALECTS: Mapping[str, str] = MappingProxyType(
    {
        "chat": "openai.chat",
        "responses": "openai.responses",
        "messages": "anthropic.messages",
        "gemini": "gemini.generate",
    }
)
ENDPOINTS: Mapping[str, str] = MappingProxyType(
    {
        "chat": "chat",
        "image": "images",
        "video": "videos",
        "audio": "audio",
        "embed": "embeddings",
        "gpu": "gpu",
    }
)
"""Where a request of a kind enters, when nothing says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one case.

    Attributes:
        wrong: One line for each expectation that was not met.
        record: The run.
        plan: The decision, for explanations.
    """

    case: TestCase
    wrong: tuple[str, ...]
    record: Record
    plan: Plan

    @property
    def passed(self) -> bool:
        """Whether everything that was expected came."""
        return not self.wrong


def run(case: TestCase, table: RouteTable) -> Result:
    """Play one case of a table."""
    made = plan(request_of(case.given, table), table=table, answers=answers_of(case.given), seed=0)
    stage = Stage(
        script=case.given.script,
        down=frozenset(case.given.down),
        usage=_usage(made, case.given),
    )
    records: list[Record] = []
    shared = kernel.Shared(accounts=accounts(table, stage), sink=records.append)
    world = World(unix_at_zero_ns=(case.given.day or 0) * DAY) if case.given.day else World()
    world.serve("https://", stage.answer)
    error = _drained(_Played(made, shared, stage), world)
    (record,) = records
    wrong = tuple(_wrong(case.expect, made, record, error))
    return Result(case=case, wrong=wrong, record=record, plan=made)


def request_of(given: Given, table: RouteTable) -> Request:
    """Build the request that a case describes."""
    kind, endpoint = entry(table, model=given.model, intent=given.intent)
    told = given.facts.get("req.endpoint")
    endpoint = told if isinstance(told, str) else endpoint
    return Request(
        kind=kind,
        model=given.model,
        intent=given.intent,
        dialect=DIALECTS.get(endpoint, endpoint),
        endpoint=endpoint,
        raw=MappingProxyType({}),
        stream=bool(given.facts.get("req.stream", True)),
        features=frozenset(given.needs),
        input_bytes=(given.input or 0) * BYTES_PER_TOKEN,
        max_output=given.output,
        parameters=given.parameters,
        narrowing=Narrowing(
            fallback=given.fallback is not False,
            only=given.only,
            avoid=given.avoid,
            max_cost=None if given.max_cost is None else format(given.max_cost, "f"),
            deadline_ns=given.deadline_ns,
            cache=given.cache is not False,
        ),
        decode=_nothing_said,
    )


def answers_of(given: Given) -> Answers:
    """Say what is known when the plan of a case is made."""
    down = {f"offer:{word}" if "@" in word else f"provider:{word}": OUTAGE for word in given.down}
    return Answers(
        day=given.day or LATEST,
        input_tokens=given.input,
        blocked=down,
        facts=dict(given.facts),
    )


class _Played(kernel.Run):
    """A run that tells the stage whose turn it is."""

    __slots__ = ("_stage",)

    def __init__(self, made: Plan, shared: kernel.Shared, stage: Stage) -> None:
        super().__init__(made, shared, request_id="req_played")
        self._stage = stage

    def open(self, call: Call, now: Instant, *, unix_ns: int) -> Talk:
        self._stage.offer = call.candidate.offer.id
        return super().open(call, now, unix_ns=unix_ns)


def _drained(played: _Played, world: World) -> RequestError | None:
    events = blocking.serve(played, transport=world, clock=world)
    try:
        for _ in events:
            pass
    except RequestError as error:
        return error
    return None


def entry(
    table: RouteTable, *, model: str | None = None, intent: str | None = None
) -> tuple[Kind, str]:
    """Say of which kind a name is, and the endpoint where a request for it may enter."""
    probe = Request(
        model=model,
        intent=intent,
        dialect="openai.chat",
        endpoint="chat",
        raw=MappingProxyType({}),
        decode=_nothing_said,
    )
    resolved = resolve_name(probe, table)
    if isinstance(resolved, Resolved) and resolved.service is not None:
        found = resolved.service.model
        own = ENDPOINTS[found.kind]
        if own in found.endpoints or not found.endpoints:
            return found.kind, own
        spoken = (word for word in DIALECTS if word in found.endpoints)
        return found.kind, next(spoken, min(found.endpoints))
    if isinstance(resolved, Resolved) and resolved.intent is not None:
        return resolved.intent.kind, ENDPOINTS[resolved.intent.kind]
    return "chat", "chat"


def _usage(made: Plan, given: Given) -> Usage:
    """Say what an answer to this request consumes, by the measure of the plan's first offer."""
    if made.request.kind in ("chat", "embed") or not made.candidates:
        said = given.output if given.output is not None else WORDS_SAID
        return Usage(input_tokens=made.input_tokens, output_tokens=said)
    first = made.candidates[0]
    model = made.table.services[first.offer.model].model
    return expected_usage(
        made.request, first.offer, model, first.parameters, (made.input_tokens, given.output or 0)
    )


def _wrong(expect: Expect, made: Plan, record: Record, error: RequestError | None) -> Iterator[str]:
    found: tuple[tuple[str, object, object], ...] = (
        ("served", expect.served, record.served if record.outcome == "served" else None),
        ("attempts", expect.attempts, len(record.attempts)),
        ("ends", expect.ends, record.outcome),
        ("error", expect.error, error.code if error else None),
        ("status", expect.status, error.status if error else 200),
    )
    for key, wanted, came in found:
        if wanted is not None and wanted != came:
            yield f"{key}: expected {wanted}, came {came if came is not None else 'none'}"
    yield from _wrong_order(expect, made)
    yield from _wrong_cost(expect, record)
    for attempt in record.attempts:
        offer = made.table.offers[attempt.offer]
        if expect.never and first_failing(expect.never, _reader(offer)) is None:
            yield f"never: {attempt.offer} was attempted"
    rejected = (
        {rejection.offer: rejection for rejection in made.rejections} if expect.rejected else {}
    )
    for offer_id, key in expect.rejected.items():
        rejection = rejected.get(offer_id)
        if rejection is None:
            yield f"rejected: {offer_id} was not rejected"
        elif rejection.requirement != key:
            yield f"rejected: expected {key}, came {rejection}"


def _wrong_order(expect: Expect, made: Plan) -> Iterator[str]:
    if expect.order is None:
        return
    came = tuple(candidate.offer.id for candidate in made.candidates)
    if came != expect.order:
        yield f"order: expected {', '.join(expect.order)}; came {', '.join(came) or 'nothing'}"


def _wrong_cost(expect: Expect, record: Record) -> Iterator[str]:
    if expect.cost is None:
        return
    if record.cost is None:
        yield f"cost: expected at most {expect.cost} usd, came an unknown cost"
        return
    cost = Decimal(record.cost) / record.scale
    if cost > expect.cost:
        yield f"cost: expected at most {expect.cost} usd, came {cost:f}"


def _reader(offer: Any) -> Any:
    return lambda name: offer_fact(offer, name)


def _nothing_said(_raw: Mapping[str, Any]) -> Conversation:
    return Conversation()


__all__ = ["DIALECTS", "Result", "answers_of", "entry", "request_of", "run"]
