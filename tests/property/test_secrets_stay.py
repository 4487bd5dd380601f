"""Invariant 29: no credential, account text, provider URL or internal host is ever told.

Every key, every account header and every host of the router holds the word canary, and so does
whatever providers say when they fail: in bodies, in codes and types, in headers, whole and streamed.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient, Client
from hyperroute.errors import RequestError
from hyperroute.plugins.secret import Secret
from hyperroute.providers.flow import Outbound
from hyperroute.routing.record import Record
from hyperroute.runtime.desk import Desk
from hyperroute.testing.replies import DIALECTS, error_event, refusal, streamed, whole
from hyperroute.testing.world import World
from hyperroute.usage import export, rows

WORDS = dict(zip(("chat", "responses", "messages", "gemini"), DIALECTS, strict=True))
BODIES: dict[str, dict[str, Any]] = {
    "openai.chat": {"messages": [{"role": "user", "content": "hi"}]},
    "openai.responses": {"input": "hi"},
    "anthropic.messages": {"max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]},
    "gemini.generate": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}
CANARIES = (
    "canary7 for CANARY_{word}_one!",
    "{word}-one.canary-host.internal",
    "https://{word}-one.canary-host.internal:8443/v1?key=canary",
    "sk-canary-9f8e7d6c5b4a",
    "org-canary0123456789",
    "projects/canary-4711",
    "canary@example.com",
    "Bearer canary",
)
KINDS = {
    "openai.chat": ("invalid_request_error", "server_error", "insufficient_quota", "requests"),
    "openai.responses": ("invalid_request_error", "server_error", "insufficient_quota", "requests"),
    "anthropic.messages": (
        "invalid_request_error", "api_error", "authentication_error", "overloaded_error",
    ),
    "gemini.generate": ("INVALID_ARGUMENT", "INTERNAL", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED"),
}  # fmt: skip
STATUSES = (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503, 529, 302)


def scripts(word, canary, kind, status, code):
    """How a provider leaks: in an error, in a stream before and after its first words, in a page."""
    dialect = WORDS[word]
    message = f"failed for {canary}, ask {canary}."
    headers = (("x-account", canary), ("location", canary), ("retry-after", canary))
    error = refusal(dialect, status, kind=kind, message=message, code=code, headers=headers)
    event = error_event(dialect, kind=kind, message=message, code=code)
    good = streamed(dialect)
    page = f"<html><title>{canary}</title>{canary}</html>".encode()
    yield error
    yield replace(good, chunks=(event,))
    yield replace(good, chunks=(*good.chunks[: len(good.chunks) // 2], event))
    yield replace(error, chunks=(page,), length=len(page))
    yield replace(whole(dialect), headers=(*headers, ("content-type", "text/html")), chunks=(page,), length=None)  # fmt: skip
    yield replace(error, status=200)


def asked(word, caller):
    return {"model": f"m-{word}", **BODIES[caller]}


def everything_of(records, error, answer):
    yield from (str(record.to_json()) + repr(record) for record in records)
    for record in records:
        row = rows.row_of(
            request_id="r1", at=0, endpoint="chat", status=200, latency_ns=1, record=record
        )
        yield repr(row) + str(rows.told(row, to_operator=True)) + export.lines([row]).decode()
    if error is not None:
        yield "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)
        yield repr(vars(error))
    if answer is not None:
        yield answer.body.decode() + repr(answer) + repr(answer.reply)


def blocking(router, script, word, caller, *, stream):
    world, error, answer = World(), None, None
    records: list[Record] = []
    world.serve("https://", script)
    with Client(router, transport=world, clock=world, sink=records.append) as client:
        try:
            if stream:
                list(client.stream(asked(word, caller), dialect=caller))
            else:
                answer = client.send(asked(word, caller), dialect=caller)
        except RequestError as raised:
            error = raised
    return "\n".join(everything_of(records, error, answer))


def awaiting(router, script, word, caller, *, stream):
    world, error, answer = World(), None, None
    records: list[Record] = []
    world.serve("https://", script)

    async def main():
        nonlocal error, answer
        there = world.awaiting()
        async with AsyncClient(router, transport=there, clock=there, sink=records.append) as client:
            try:
                if stream:
                    async for _ in client.stream(asked(word, caller), dialect=caller):
                        pass
                else:
                    answer = await client.send(asked(word, caller), dialect=caller)
            except RequestError as raised:
                error = raised

    asyncio.run(main())
    return "\n".join(everything_of(records, error, answer))


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("word", WORDS)
def test_invariant_29_no_canary_leaves_by_any_door(four_dialects, caplog, word, canary):
    """The table: every dialect, every canary, every kind of error with a status of its own."""
    caplog.set_level(logging.INFO)
    canary = canary.format(word=word)
    dialect = WORDS[word]
    for kind, status in zip(KINDS[dialect], (400, 500, 401, 429), strict=True):
        for number, script in enumerate(scripts(word, canary, kind, status, canary)):
            for stream in (False, True):
                play = blocking if (number + stream) % 2 else awaiting
                told = play(four_dialects, script, word, dialect, stream=stream)
                assert "canary" not in told.lower(), (kind, status, script, stream)
    assert "canary" not in caplog.text.lower()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_invariant_29_whoever_asks_and_however_it_fails(four_dialects, caplog, data):
    caplog.clear()
    caplog.set_level(logging.INFO)
    word, caller = data.draw(st.sampled_from(sorted(WORDS))), data.draw(st.sampled_from(DIALECTS))
    canaries = data.draw(st.lists(st.sampled_from(CANARIES), min_size=1, max_size=3))
    canary = data.draw(st.sampled_from((" ", ", ", "\n", '"', "'; "))).join(canaries)
    canary = canary.format(word=word)
    script = data.draw(
        st.sampled_from(
            list(
                scripts(
                    word,
                    canary,
                    data.draw(st.sampled_from(KINDS[WORDS[word]]) | st.just(canary)),
                    data.draw(st.sampled_from(STATUSES)),
                    data.draw(st.none() | st.just(canary)),
                )
            )
        )
    )
    play = data.draw(st.sampled_from((blocking, awaiting)))
    told = play(four_dialects, script, word, caller, stream=data.draw(st.booleans()))
    assert "canary" not in told.lower()
    assert "canary" not in caplog.text.lower()


@pytest.mark.parametrize("word", WORDS)
def test_invariant_29_a_plan_explains_itself_without_a_secret(four_dialects, word):
    body = asked(word, WORDS[word])
    made = four_dialects.plan(body, dialect=WORDS[word])
    assert len(made.candidates) == 2
    for told in (made.explain(), str(made.to_json()), made.capsule().decode("latin-1")):
        assert "canary" not in told.lower()


def test_invariant_29_what_is_printed_in_a_debugger_holds_no_secret(four_dialects):
    client = Client(four_dialects)
    desk = Desk(four_dialects)
    shared = desk._setting.shared
    assert len(shared.accounts.secrets) == 8
    outbound = Outbound(
        request=four_dialects.read(asked("chat", "openai.chat")),
        model="m",
        url="https://x.test",
        secret="canary7",
        headers=(("x-team", "canary7"),),
    )
    request = HttpRequest(
        method="POST",
        url="https://x.test",
        headers=(("authorization", "canary7"),),
        body=b"canary7",
    )
    things = (client, client.desk, client.router, desk, desk._setting, shared, shared.accounts)
    for thing in (*things, *shared.accounts.by_name.values(), outbound, request, Secret("canary7")):
        for told in (repr(thing), str(thing), f"{thing}"):
            assert "canary7" not in told
    client.close()
