"""Whatever a provider answers, a run has one clean end (invariants 13, 14, 24, 27 and 31).

Rubbish, damaged answers of all four dialects, and any status and header go through the whole
client, under both drivers. Worlds are drawn from seeds: ``HYPERROUTE_WORLDS=100000`` is the long
run, and the seed in a failed assertion brings its world back.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from hyperroute.canon.events import Finished, StreamEvent
from hyperroute.canon.grammar import violations
from hyperroute.client import AsyncClient, Client
from hyperroute.errors import RequestError
from hyperroute.routing.record import Record
from hyperroute.testing.faults import catalogue
from hyperroute.testing.replies import DIALECTS, streamed, whole
from hyperroute.testing.script import SECOND, Script
from hyperroute.testing.world import World

WORLDS = int(os.environ.get("HYPERROUTE_WORLDS", "1000"))
CHUNKS = 10
WORDS = dict(zip(("chat", "responses", "messages", "gemini"), DIALECTS, strict=True))
BODIES: dict[str, dict[str, Any]] = {
    "openai.chat": {"messages": [{"role": "user", "content": "hi"}]},
    "openai.responses": {"input": "hi"},
    "anthropic.messages": {"max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]},
    "gemini.generate": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}
STATUSES = (200,) * 6 + (201, 202, 204, 206, 300, 301, 304, 307, 400, 401, 402, 403, 404, 405, 408)
MORE_STATUSES = (
    409,
    410,
    413,
    418,
    422,
    424,
    425,
    429,
    451,
    499,
    500,
    501,
    502,
    503,
    504,
    529,
    599,
)
HEADERS = (
    ("content-type", "application/json"),
    ("content-type", "text/event-stream"),
    ("content-type", "text/html"),
    ("content-type", ""),
    ("content-encoding", "gzip"),
    ("content-encoding", "klingon"),
    ("retry-after", "3600"),
    ("retry-after", "-1"),
    ("retry-after", "nan"),
    ("retry-after", "Mon, 99 Foo"),
    ("retry-after-ms", "9" * 400),
    ("x-ratelimit-reset-tokens", "6m0s"),
    ("anthropic-ratelimit-tokens-reset", "2026-13-45T99:99:99Z"),
    ("x-should-retry", "false"),
    ("date", "\xff"),
    ("location", "https://elsewhere.test/"),
    ("set-cookie", "a=b"),
)
PIECES = (
    b"null", b"[]", b"{}", b'""', b"-1", b"1e999", b"NaN", b"9" * 30, b"true", b'"\\ud800"', b"\x00",
    b"\xff\xfe", b"\r", b"\n\n", b"data: ", b"data: [DONE]\n\n", b"event: error\n", b"}{", b"[[[[[[[[",
    b'{"error":', b'{"error":{"message":7}}', b'"type"', b'"index":-5', b'"content":[null]', b": hi\n\n",
)  # fmt: skip


class Sunk(list[Record]):
    """A sink that counts."""

    def __call__(self, record):
        self.append(record)


def mutated(dice, data):
    data = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(data) + 1)
        to = min(len(data), at + dice.choice((1, 2, 7, 40)))
        match dice.randrange(5):
            case 0:
                del data[at:to]
            case 1:
                data[at:at] = dice.choice(PIECES)
            case 2:
                data[at:to] = dice.randbytes(to - at)
            case 3:
                data[at:at] = data[at:to]
            case _:
                places = [at for at, byte in enumerate(data) if byte in b':,"{}[]']
                if places:
                    at = dice.choice(places)
                    data[at : at + 1] = dice.choice(PIECES)
    return bytes(data)


def drawn(dice, dialect, rows):
    """One answer: rubbish, a damaged one, a row of the catalogue, or a good one."""
    kind = dice.choice(("rubbish", "damaged", "damaged", "damaged", "row", "good"))
    if kind == "row":
        return dice.choice(rows).script
    good = dice.choice((whole, streamed))(dice.choice((*[dialect] * 6, *DIALECTS)))
    if kind == "good":
        return good
    body = dice.randbytes(dice.randrange(200)) if kind == "rubbish" else mutated(dice, good.body)
    status = dice.choice((*STATUSES, *MORE_STATUSES))
    headers = good.headers if kind == "damaged" and dice.random() < 0.7 else ()
    script = Script(
        status=200 if headers else status,
        headers=(*headers, *dice.sample(HEADERS, dice.randrange(3))),
        chunks=(body,),
        head_after_ns=dice.choice((0, 0, 0, SECOND, 70 * SECOND)),
        chunk_after_ns=dice.choice((0, 0, 0, SECOND)),
        end=dice.choice(("clean",) * 6 + ("cut", "reset", "stall")),
    )
    script = script.split(dice.choice((1, 7, 4096))) if body else replace(script, chunks=())
    return script if dice.random() < 0.8 else replace(script, length=max(0, len(body) - 1))


def world_of(seed, rows):
    """A world, and what is asked in it."""
    dice = random.Random(seed)  # noqa: S311 - it must repeat
    caller, word = dice.choice(DIALECTS), dice.choice(tuple(WORDS))
    world = World()
    for at in ("one", "two"):
        scripts = [drawn(dice, WORDS[word], rows[WORDS[word]]) for _ in range(dice.choice((1, 3)))]
        world.serve(f"https://{word}-{at}.canary-host.internal", scripts)
    return world, {"model": f"m-{word}", **BODIES[caller]}, caller, dice.random() < 0.5


def written(router, stream, events):
    """Whatever a provider said, it can be said to the caller in the caller's dialect."""
    dialect = router.dialect(stream.request.dialect)
    encoder = dialect.encoder(request=stream.request, model=stream.model or "m")
    assert b"".join(map(encoder.feed, events))


def blocking(router, seed, rows):
    world, body, caller, stream = world_of(seed, rows)
    records, answer, error = Sunk(), None, None
    events: list[StreamEvent] = []
    with Client(router, transport=world, clock=world, sink=records) as client:
        try:
            if stream:
                events.extend(answered := client.stream(body, dialect=caller, request_id="r"))
                written(router, answered, events)
            else:
                answer = client.send(body, dialect=caller, request_id="r")
        except RequestError as raised:
            error = raised
    return world, records, events, answer, error


async def awaiting(router, seed, rows):
    world, body, caller, stream = world_of(seed, rows)
    there = world.awaiting()
    records, answer, error = Sunk(), None, None
    events: list[StreamEvent] = []
    async with AsyncClient(router, transport=there, clock=there, sink=records) as client:
        try:
            if stream:
                async for event in client.stream(body, dialect=caller, request_id="r"):
                    events.append(event)  # noqa: PERF401 - those before an error are kept
            else:
                answer = await client.send(body, dialect=caller, request_id="r")
        except RequestError as raised:
            error = raised
    return world, records, events, answer, error


def check(story):
    """One record, nothing open, at most eight attempts, and an end that says what it is."""
    world, records, events, answer, error = story
    (record,) = records
    assert world.open_now == 0
    assert len(record.attempts) == len(world.sent) <= 8
    assert violations(events, whole=False) == []
    assert (error is None) == (record.outcome == "served")
    if error is not None:
        assert error.record is record
        assert error.status not in {401, 402, 403, 404}
        assert not any(isinstance(event, Finished) for event in events)
        return
    if answer is None:
        assert isinstance(events[-1], Finished)
        return
    assert answer.record is record
    assert isinstance(json.loads(answer.body), dict)


def told(story):
    world, records, events, answer, error = story
    sent = [(sent.at, sent.request.url, sent.request.body, sent.fault) for sent in world.sent]
    said = None if error is None else (type(error), error.status, error.code, str(error))
    whole_answer = None if answer is None else (answer.body, answer.reply)
    return sent, records[0].to_json(), events, whole_answer, said


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_invariant_31_every_fuzzed_answer_has_one_clean_end_under_both_drivers(
    four_dialects, chunk
):
    rows = {
        dialect: [row for row in catalogue(dialect) if len(row.script.body) < 100_000]
        for dialect in DIALECTS
    }
    ends: Counter[str] = Counter()
    with asyncio.Runner() as runner:
        for seed in range(chunk, WORLDS, CHUNKS):
            try:
                one = blocking(four_dialects, seed, rows)
                other = runner.run(awaiting(four_dialects, seed, rows))
                check(one)
                check(other)
                assert told(one) == told(other)
            except Exception as error:
                error.add_note(f"seed {seed}")
                raise
            ends[one[1][0].outcome] += 1
    # Worlds in which nothing went wrong, or nothing right, would prove nothing.
    assert min(ends["served"], ends["exhausted"], ends["interrupted"]) >= 1
