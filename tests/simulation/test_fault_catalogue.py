"""The fault catalogue (reliability.md 3), row by row, through dialects, classifiers and machine.

Each row meets a chain of two hosts, the first of which shows the fault. What must happen is data:
where the run goes, what is left alone for how long, and whether it counts against the offer. Rows
that need a store or a job (8 but for its reaction, 23, 29, 77 to 90) are proved where
those are built; docs/proof.md says why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from hyperroute.canon.content import ToolUse
from hyperroute.canon.events import collect
from hyperroute.canon.units import SECOND
from hyperroute.client import Client, Router
from hyperroute.errors import RequestError
from hyperroute.plugins.registry import discover
from hyperroute.routing.record import Record
from hyperroute.testing.bodies import to_json
from hyperroute.testing.faults import catalogue
from hyperroute.testing.replies import JSON, refusal, streamed, whole
from hyperroute.testing.script import Script
from hyperroute.testing.world import World

PLUGINS = {
    "openai.chat": ("openai", "chat"),
    "anthropic.messages": ("anthropic", "messages"),
    "gemini.generate": ("gemini", "gemini"),
}
ENDPOINTS = {"chat": "[chat]", "messages": "[messages]", "gemini": "[gemini]"}
TABLE = """
hyperroute: 1
providers:
  one: {{plugin: {plugin}, url: "https://one.test", keys: [env:ONE], speaks: [{endpoint}]}}
  two: {{plugin: {plugin}, url: "https://two.test", keys: [env:TWO], speaks: [{endpoint}]}}
models:
  model-1: {{kind: chat, endpoints: [{endpoint}], offers: [{{at: one}}, {{at: two}}]}}
  model-2: {{kind: chat, endpoints: [{endpoint}], offers: [{{at: one}}]}}
intents: {{any: {{kind: chat, use: model-1}}}}
"""
BODIES: dict[str, dict[str, Any]] = {
    "openai.chat": {"model": "model-1", "messages": [{"role": "user", "content": "hi"}]},
    "anthropic.messages": {
        "model": "model-1",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "hi"}],
    },
    "gemini.generate": {"model": "model-1", "contents": [{"parts": [{"text": "hi"}]}]},
}
OFFER, KEY, KEY_MODEL = "offer:model-1@one", "credential:one#0", "credential_model:one#0/model-1"
PROVIDER = "provider:one"


@dataclass(frozen=True)
class Expected:
    """What a row demands. ``goes``: next, same, fail, served, or interrupted once committed."""

    goes: str
    cools: tuple[str, int] | None = None
    """What is left alone, and for how many seconds."""
    health: str = "neutral"
    alarm: bool = False


def nxt(cools: tuple[str, int] | None = None, health: str = "counts", *, alarm: bool = False):
    return Expected("next", cools, health, alarm)


SAME, HALF = Expected("same", None, "counts"), Expected("same", None, "half")
FAIL, SERVED = Expected("fail"), Expected("served")
FINAL = Expected("same")
BROKEN = Expected("interrupted", None, "counts")
BUSY = (OFFER, 5)

ROWS: dict[int, Expected] = {
    1: Expected("same", (OFFER, 5), "counts"),
    2: nxt((OFFER, 5)),
    3: nxt((OFFER, 10)),
    4: nxt((OFFER, 300), alarm=True),
    5: nxt(health="neutral"),
    6: HALF,
    7: nxt(),
    9: Expected("same"),
    10: SAME,
    11: Expected("same"),
    12: FAIL,
    13: FAIL,
    14: FAIL,
    15: Expected("fail", alarm=True),
    16: FAIL,
    17: nxt((KEY, 15 * 60), "neutral", alarm=True),
    18: nxt((KEY, 10 * 60), "neutral", alarm=True),
    19: nxt((OFFER, 3600), alarm=True),
    20: Expected("fail", alarm=True),
    21: FINAL,
    22: nxt((KEY, 10 * 60), "neutral", alarm=True),
    24: nxt((KEY, 15 * 60), "neutral", alarm=True),
    25: nxt((KEY_MODEL, 10 * 60), "neutral", alarm=True),
    26: nxt((OFFER, 3600)),
    27: FAIL,
    28: nxt((OFFER, 10 * 60), alarm=True),
    30: FAIL,
    31: nxt((KEY_MODEL, 20), "neutral"),
    32: nxt((KEY_MODEL, 5), "neutral"),
    33: nxt((PROVIDER, 15), "neutral"),
    34: Expected("same", (OFFER, 10), "counts"),
    35: nxt((KEY, 15 * 60), "neutral", alarm=True),
    36: nxt((KEY_MODEL, 3600), "neutral"),
    37: nxt((OFFER, 5), "neutral"),
    38: nxt(),
    39: SAME,
    40: SAME,
    41: nxt(BUSY),
    42: nxt(),
    43: nxt(),
    44: nxt(BUSY),
    45: nxt(),
    46: nxt((OFFER, 10 * 60), alarm=True),
    47: nxt(),
    48: nxt(),
    49: nxt(),
    50: nxt(alarm=True),
    51: nxt(BUSY),
    52: nxt(),
    53: nxt((OFFER, 10 * 60), alarm=True),
    54: nxt(),
    55: nxt(),
    56: nxt(),
    57: BROKEN,
    58: Expected("interrupted"),
    59: BROKEN,
    60: BROKEN,
    61: nxt(BUSY),
    62: Expected("interrupted", BUSY, "counts"),
    63: SERVED,
    64: SERVED,
    65: BROKEN,
    66: BROKEN,
    67: SERVED,
    68: SERVED,
    69: SERVED,
    70: SERVED,
    71: HALF,
    72: HALF,
    73: SERVED,
    74: SERVED,
    75: SERVED,
    76: nxt((OFFER, 10 * 60), alarm=True),
}

FINER: dict[tuple[int, str, str], Expected] = {
    (31, "429 with an unreadable hint", ""): nxt((KEY_MODEL, 5), "neutral"),
    (31, "429 with a boundless hint", ""): nxt((KEY_MODEL, 600), "neutral"),
    (48, "200 json by another name", ""): SERVED,
    (50, "200 wrong shape", "gemini.generate"): nxt(),  # a chunk without candidates may come
    (59, "end before anything", ""): nxt(),
    (59, "cut within an event", ""): nxt(),  # the first with content never got through
    (61, "error after the opening", "gemini.generate"): Expected("interrupted", BUSY, "counts"),
    # Without a status its type "server_error" is all that the error object says.
    (51, "200 with an error object", "openai.chat"): SAME,
    (61, "error event first", "openai.chat"): SAME,
    (61, "error after the opening", "openai.chat"): SAME,
    (62, "error event later", "openai.chat"): BROKEN,
}
"""Where a variation of a row, or a dialect, differs from it; ``""`` is any dialect."""

NEVER_SENT = {(24, "gemini.generate"), (30, "anthropic.messages"), (30, "gemini.generate")}
"""Statuses that these providers have no words for."""


def chat(finish: str | None = "stop", **message: object) -> Script:
    body = to_json(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": message.pop("model", "model-1"),
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "hi", **message},
                    "finish_reason": finish,
                }
            ],
        }
    )
    return Script(headers=JSON, chunks=(body,), length=len(body))


def frames(*texts: str) -> Script:
    return replace(streamed("openai.chat"), chunks=tuple(f"data: {t}\n\n".encode() for t in texts))


def gemini(**candidate: object) -> Script:
    body = to_json({"candidates": [{"index": 0, **candidate}], "modelVersion": "model-1"})
    return Script(headers=JSON, chunks=(body,), length=len(body))


def saying(dialect: str, status: int, kind: str, message: str = "no", code: str | None = None):
    return refusal(dialect, status, kind=kind, message=message, code=code)


OPENAI, CLAUDE, GEMINI = PLUGINS
DELTA = '{"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":%s}]%s}'
ENDED = DELTA % ('"stop"', "")
MORE: list[tuple[int, str, str, bool, Script]] = [
    (11, "409", OPENAI, False, saying(OPENAI, 409, "conflict")),
    (15, "unknown parameter", OPENAI, False,
     saying(OPENAI, 400, "invalid_request_error", code="unsupported_parameter")),
    (19, "location", GEMINI, False,
     saying(GEMINI, 400, "FAILED_PRECONDITION", "User location is not supported for the API use.")),
    (20, "thought signature", GEMINI, False,
     saying(GEMINI, 400, "INVALID_ARGUMENT", "Function call is missing a thought_signature")),
    (21, "seal", CLAUDE, False, saying(CLAUDE, 400, "invalid_request_error",
     "messages.1.content.0: Invalid `signature` in `thinking` block")),
    (21, "seal", GEMINI, False,
     saying(GEMINI, 400, "INVALID_ARGUMENT", "Corrupted thought signature.")),
    (21, "seal", OPENAI, False,
     saying(OPENAI, 400, "invalid_request_error", code="invalid_encrypted_content")),
    (26, "country", OPENAI, False,
     saying(OPENAI, 403, "request_forbidden", code="unsupported_country_region_territory")),
    (27, "moderation", OPENAI, False,
     saying(OPENAI, 403, "forbidden", "The model requires moderation on its input")),
    (34, "high demand", OPENAI, False,
     saying(OPENAI, 429, "x", "The service is in high demand, try later")),
    (36, "daily", OPENAI, False,
     saying(OPENAI, 429, "requests", "Limit reached: requests per day", "rate_limit_exceeded")),
    (38, "499", OPENAI, False, saying(OPENAI, 499, "cancelled")),
    (45, "424", OPENAI, False, saying(OPENAI, 424, "ModelErrorException")),
    (58, "too long in all", OPENAI, True,
     replace(frames(*[DELTA % ("null", "")] * 9), chunk_after_ns=50 * SECOND)),
    (69, "no usage", OPENAI, False, chat()),
    (70, "usage falls below zero", OPENAI, True, frames(
        DELTA % ("null", ',"usage":{"prompt_tokens":5,"completion_tokens":-3,"total_tokens":2}'),
        DELTA % ('"stop"', ',"usage":{"prompt_tokens":5,"completion_tokens":-7,"total_tokens":2}'),
        "[DONE]")),
    (71, "empty stop", OPENAI, False, chat(content="")),
    (71, "empty stop in a stream", OPENAI, True, frames(
        '{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', "[DONE]")),
    (71, "no parts", GEMINI, False, gemini(finishReason="STOP")),
    (72, "malformed call", GEMINI, False, gemini(finishReason="MALFORMED_FUNCTION_CALL")),
    (73, "refusal", OPENAI, False, chat(content=None, refusal="I cannot")),
    (74, "filtered", OPENAI, True, frames(
        DELTA % ("null", ""),
        '{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}',
        "[DONE]")),
    (75, "pause", CLAUDE, False, replace(
        whole(CLAUDE), length=None,
        chunks=(whole(CLAUDE).body.replace(b'"end_turn"', b'"pause_turn"'),))),
    (76, "another model", OPENAI, False, chat(model="model-2")),
]  # fmt: skip


def cases():
    for dialect in PLUGINS:
        for fault in catalogue(dialect):
            if (fault.row, dialect) in NEVER_SENT:
                continue
            for stream in (True, False) if fault.stream is None else (fault.stream,):
                yield fault.row, fault.name, dialect, stream, fault.script
    yield from MORE


CASES = list(cases())


@pytest.fixture(scope="module")
def routers():
    registry = discover().with_secrets(lambda reference: f"the key of {reference}")
    return {
        dialect: Router.loads(TABLE.format(plugin=plugin, endpoint=endpoint), registry=registry)
        for dialect, (plugin, endpoint) in PLUGINS.items()
    }


def test_every_row_below_77_that_a_run_can_meet_is_here():
    assert {row for row, *_ in CASES} == set(ROWS)
    elsewhere = {8, 23, 29}
    assert set(ROWS) | elsewhere == set(range(1, 77))


@pytest.mark.parametrize(
    ("row", "name", "dialect", "stream", "script"),
    CASES,
    ids=[f"{row}-{name}-{dialect}-{'stream' if s else 'whole'}" for row, name, dialect, s, _ in CASES],
)  # fmt: skip
def test_a_row_of_the_catalogue_is_met_as_it_says(
    *, routers, caplog, row, name, dialect, stream, script
):
    any_dialect = FINER.get((row, name, ""), ROWS[row])
    expected = FINER.get((row, name, dialect), any_dialect)
    world, records = World(), list[Record]()
    world.serve("https://one.test", script)
    world.serve("https://two.test", streamed(dialect) if stream else whole(dialect))
    client = Client(routers[dialect], transport=world, clock=world, sink=records.append)
    error = None
    try:
        if stream:
            list(client.stream(BODIES[dialect], dialect=dialect))
        else:
            client.send(BODIES[dialect], dialect=dialect)
    except RequestError as raised:
        error = raised
    (record,) = records
    first = record.attempts[0]
    assert went(record) == expected.goes, record.to_json()
    if expected.goes == "served":
        assert first.failure is None
        assert error is None
        return
    assert first.failure is not None
    assert first.failure.health == expected.health
    assert first.failure.alarm == expected.alarm
    assert cooled(client, record, script) == expected.cools
    assert bool(caplog.records) == expected.alarm
    assert (error is None) == (record.outcome == "served")


def went(record) -> str:
    if record.outcome == "interrupted":
        return "interrupted"
    if len(record.attempts) == 1:
        return "served" if record.outcome == "served" else "fail"
    return "same" if record.attempts[1].kind == "retry" else record.attempts[1].kind


def cooled(client: Client, record, script) -> tuple[str, int] | None:
    """Say what the first failure left alone, seen by an offer that is not tried again."""
    first = record.attempts[0]
    board = type(client.desk.board)()
    board.note(first)
    blocked, _ = board.blocked(first.ended_at)
    if not blocked:
        return None
    ((key, until),) = blocked.items()
    return key, (until - first.ended_at) // SECOND


def test_a_slow_first_byte_costs_no_more_than_its_limit(routers):
    world = World()
    world.serve("https://one.test", Script(head_after_ns=3600 * SECOND))
    world.serve("https://two.test", whole(OPENAI))
    Client(routers[OPENAI], transport=world, clock=world).send(BODIES[OPENAI])
    assert world.now() == 60 * SECOND


@pytest.mark.parametrize(
    ("asked", "answered"), [("any", "model-2"), ("model-1", "model-1-2026"), ("model-1", "prod-7")]
)
def test_row_76_only_a_known_other_model_in_the_place_of_a_pinned_one_fails(
    routers, asked, answered
):
    world = World()
    world.serve("https://one.test", chat(model=answered))
    client = Client(routers[OPENAI], transport=world, clock=world)
    assert len(client.send({**BODIES[OPENAI], "model": asked}).record.attempts) == 1


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        ("prod-7", "prod-7"),
        ("model-1", None),
        ("model-1-2026-04-23", None),
        ("openai/model-1", None),
        ("", None),
    ],
)
def test_row_76_a_clearly_different_name_is_a_warning_in_the_record(routers, answered, told):
    world = World()
    world.serve("https://one.test", chat(model=answered))
    client = Client(routers[OPENAI], transport=world, clock=world)
    (attempt,) = client.send({**BODIES[OPENAI], "model": "model-1"}).record.attempts
    assert attempt.answered == told
    assert attempt.to_json().get("answered") == told


def test_a_negative_count_never_reaches_the_record(routers):
    world, records = World(), list[Record]()
    world.serve("https://one.test", next(script for row, _, _, _, script in MORE if row == 70))
    client = Client(routers[OPENAI], transport=world, clock=world, sink=records.append)
    list(client.stream(BODIES[OPENAI]))
    assert (records[0].usage.output_tokens or 0) >= 0


TRANSLATED = TABLE.replace(
    "endpoints: [{endpoint}]", "endpoints: [chat, responses, messages, gemini]"
)


def told(dialect: str, row: int, *, stream: bool) -> tuple[list[tuple[str, str]], str, Any]:
    """Let a compatible server show a row to a caller of another dialect.

    Give the calls as the caller's own reader puts them together, why the answer ended, and the
    record.
    """
    registry = discover().with_secrets(lambda reference: f"the key of {reference}")
    table = TRANSLATED.format(plugin="openai", endpoint="chat")
    (script,) = (fault.script for fault in catalogue(OPENAI) if fault.row == row)
    world = World()
    world.serve("https://one.test", script)
    client = Client(Router.loads(table, registry=registry), transport=world, clock=world)
    asked: dict[str, Any] = {
        CLAUDE: {**BODIES[CLAUDE], "max_tokens": 9},
        GEMINI: BODIES[GEMINI],
        "openai.responses": {"model": "model-1", "input": "hi"},
    }[dialect]
    if stream:
        events = client.stream(asked, dialect=dialect)
        (choice,) = collect(events).choices
        parts = [part for part in choice.parts if isinstance(part, ToolUse)]
        return [(part.id, part.arguments) for part in parts], choice.finish.reason, events.record
    answer = client.send(asked, dialect=dialect)
    said = json.loads(answer.body)
    if dialect == GEMINI:
        (candidate,) = said["candidates"]
        found = [part["functionCall"] for part in candidate["content"]["parts"]]
        calls = [(call["id"], json.dumps(call["args"])) for call in found]
        return calls, candidate["finishReason"], answer.record
    found = [block for block in said["content"] if block["type"] == "tool_use"]
    return (
        [(block["id"], json.dumps(block["input"])) for block in found],
        said["stop_reason"],
        answer.record,
    )


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", [CLAUDE, GEMINI])
def test_row_67_a_call_without_an_id_or_a_place_gets_one_and_is_counted(dialect, stream):
    calls, finish, record = told(dialect, 67, stream=stream)
    assert [json.loads(said) for _, said in calls] == [{"at": "a"}, {"at": "b"}]
    assert all(name for name, _ in calls)
    assert len({name for name, _ in calls}) == 2
    assert finish in {"tool_calls", "tool_use", "STOP"}
    (loss,) = [loss for loss in record.losses if loss.path == "/tool_calls"]
    assert (loss.kind, loss.why[0]) == ("synthesised", "2")


def test_row_68_arguments_that_are_no_json_pass_as_text_where_text_is_due():
    calls, finish, record = told("openai.responses", 68, stream=True)
    assert [said for _, said in calls] == ['{"at": "a", at: b}', "ls -l"]
    assert finish == "tool_calls"
    assert not [loss for loss in record.losses if loss.path == "/arguments"]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", [CLAUDE, GEMINI])
def test_row_68_arguments_that_are_no_json_reach_a_reader_of_objects_as_one(dialect, stream):
    calls, finish, record = told(dialect, 68, stream=stream)
    assert [json.loads(said) for _, said in calls] == [{"at": "a"}, {"arguments": "ls -l"}]
    assert finish in {"other", "refusal", "OTHER"}
    assert [loss.kind for loss in record.losses if loss.path == "/arguments"] == [
        "approximated"
    ] * 2


SEALED: dict[str, dict[str, Any]] = {
    "anthropic.messages": {
        "model": "model-1",
        "max_tokens": 9_000,
        "thinking": {"type": "enabled", "budget_tokens": 2_000},
        "messages": [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "mine", "signature": "c2VhbA=="},
                    {"type": "redacted_thinking", "data": "c2VhbA=="},
                    {"type": "text", "text": "hello"},
                ],
            },
            {"role": "user", "content": "again"},
        ],
    },
    "gemini.generate": {
        "model": "model-1",
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "mine", "thought": True, "thoughtSignature": "c2VhbA=="},
                    {"text": "hello", "thoughtSignature": "c2VhbA=="},
                ],
            },
            {"role": "user", "parts": [{"text": "again"}]},
        ],
    },
    "openai.responses": {
        "model": "model-1",
        "input": [
            {"role": "user", "content": "hi"},
            {"type": "reasoning", "summary": [], "encrypted_content": "c2VhbA=="},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "again"},
        ],
    },
}
REFUSED = {
    "anthropic.messages": ("Invalid `signature` in `thinking` block", "invalid_request_error"),
    "gemini.generate": ("Thought signature is not valid", "INVALID_ARGUMENT"),
    "openai.responses": ("The encrypted content could not be verified.", "invalid_request_error"),
}


def refusing(dialect: str, *answers: Script) -> tuple[World, Client]:
    plugin, endpoint = {**PLUGINS, "openai.responses": ("openai", "responses")}[dialect]
    registry = discover().with_secrets(lambda reference: f"the key of {reference}")
    table = TABLE.replace("kind: chat, end", "kind: chat, does: [thinking, effort], end")
    router = Router.loads(table.format(plugin=plugin, endpoint=endpoint), registry=registry)
    world, left = World(), list(answers)
    world.serve("https://one.test", lambda _request: left.pop(0))
    world.serve("https://two.test", whole(dialect))
    return world, Client(router, transport=world, clock=world)


@pytest.mark.parametrize("dialect", SEALED)
def test_row_21_a_refused_seal_is_left_out_and_the_same_offer_asked_again(dialect):
    says, kind = REFUSED[dialect]
    world, client = refusing(dialect, saying(dialect, 400, kind, says), whole(dialect))
    record = client.send(SEALED[dialect], dialect=dialect).record
    assert [attempt.offer for attempt in record.attempts] == ["model-1@one"] * 2
    first, second = (sent.request.body for sent in world.sent)
    assert b"c2VhbA==" in first
    assert b"c2VhbA==" not in second
    assert b"mine" not in second
    assert b"hello" in second
    assert b"budget_tokens" not in second
    assert {loss.kind for loss in record.losses} == {"dropped"}


@pytest.mark.parametrize("dialect", SEALED)
def test_row_21_a_second_refusal_is_the_callers_own(dialect):
    says, kind = REFUSED[dialect]
    no = saying(dialect, 400, kind, says)
    world, client = refusing(dialect, no, no)
    with pytest.raises(RequestError) as caught:
        client.send(SEALED[dialect], dialect=dialect)
    assert caught.value.status == 400
    assert len(world.sent) == 2
