"""What each vendor's client makes of silence, of a cut and of an error inside a stream."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import anthropic
import openai
import pytest
from google.genai import errors as google
from tests.e2e.clients.standing import MODELS
from tests.e2e.clients.talks import CALLS, TALKS, Chat, Responses

from hyperroute.canon.units import SECOND
from hyperroute.gateway.pacing import DEFAULT_PACE, Pace
from hyperroute.testing.replies import DIALECTS, Said, error_event, refusal, streamed
from hyperroute.testing.script import MS, End, Script

HURRIED = Pace(first_ns=40 * MS, then_ns=40 * MS)
RAISED = {
    "openai.chat": openai.APIError,
    "openai.responses": RuntimeError,  # the client's own, behind a ``response.failed``
    "anthropic.messages": anthropic.APIStatusError,
    "gemini.generate": google.APIError,
}


@pytest.fixture
def hurried(server, upstream, router):
    with server.standing(upstream, router, pace=HURRIED) as place:
        yield place


def silent(dialect: str, said: Said, *, head_ns: int, first_ns: int, then_ns: int) -> Script:
    """Play a stream that is silent before its head, behind it, and before its last events."""
    script = streamed(dialect, said)
    waits = [0] * len(script.chunks)
    waits[0] = first_ns
    waits[len(waits) // 2] = then_ns
    return replace(script, head_after_ns=head_ns, waits_ns=tuple(waits))


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
def test_silence_changes_nothing_for_a_client(hurried, client, provider):
    slow = silent(provider, CALLS, head_ns=60 * MS, first_ns=60 * MS, then_ns=100 * MS)
    hurried.answers(provider, slow, CALLS)
    with closing(TALKS[client](hurried.url, MODELS[provider])) as talk:
        late = talk.ask(stream=True)
        del talk.history[1:]
        assert late == talk.ask(stream=True)


@pytest.mark.skipif(os.environ.get("HYPERROUTE_LONG") != "1", reason="HYPERROUTE_LONG=1: 40 s")
def test_forty_silent_seconds_change_nothing_for_any_client(server, upstream, router):
    def ask(place, dialect):
        with closing(TALKS[dialect](place.url, MODELS[dialect])) as talk:
            late = talk.ask(stream=True)
            del talk.history[1:]
            return late, talk.ask(stream=True)

    with server.standing(upstream, router, pace=DEFAULT_PACE) as place:
        for dialect in DIALECTS:
            slow = silent(dialect, CALLS, head_ns=40 * SECOND, first_ns=0, then_ns=40 * SECOND)
            place.answers(dialect, slow, CALLS)
        with ThreadPoolExecutor() as pool:
            for late, quick in pool.map(lambda dialect: ask(place, dialect), DIALECTS):
                assert late == quick


@pytest.mark.parametrize("end", ["cut", "reset", "missing", "told"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_that_breaks_off_is_an_exception_and_never_an_end(place, dialect, end):
    whole = streamed(dialect)
    chunks = whole.chunks[: {"openai.responses": 6, "gemini.generate": 2}.get(dialect, 4)]
    if end == "told":
        kind = {"anthropic.messages": "overloaded_error", "gemini.generate": "UNAVAILABLE"}
        event = error_event(dialect, kind=kind.get(dialect, "server_error"), message="dead at sk-1")
        chunks = (*chunks, event)
    ending: dict[str, End] = {"cut": "cut", "reset": "reset"}
    place.answers(dialect, replace(whole, chunks=chunks, end=ending.get(end, "clean")))
    with closing(TALKS[dialect](place.url, MODELS[dialect])) as talk:
        with pytest.raises(RAISED[dialect]) as raised:
            talk.ask(stream=True)
        assert not isinstance(talk, Responses) or talk.ended == "response.failed"
        assert "sk-" not in str(raised.value)
        assert place.upstream.url not in str(raised.value)
    assert [visit.ended for visit in place.over()] == ["broken"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_failure_behind_a_keep_alive_is_told_inside_the_stream(hurried, dialect):
    broken = refusal(dialect, 500, kind="server_error", message="secret words of the provider")
    hurried.answers(dialect, replace(broken, head_after_ns=200 * MS))
    with closing(TALKS[dialect](hurried.url, MODELS[dialect])) as talk:
        with pytest.raises(RAISED[dialect]) as raised:
            talk.ask(stream=True)
        assert "secret words" not in str(raised.value)
    assert [(visit.status, visit.ended) for visit in hurried.over()] == [(200, "broken")]


def test_a_client_that_leaves_ends_the_call_upstream(place):
    slow = replace(streamed("openai.chat"), chunk_after_ns=20 * SECOND, waits_ns=(0, 0, 0))
    place.answers("openai.chat", slow)
    with closing(Chat(place.url, MODELS["openai.chat"])) as talk:
        stream = talk.client.chat.completions.create(**talk.asked, stream=True)
        next(stream)
        stream.close()
    [seen] = place.upstream.seen
    assert seen.wait_over()
    assert seen.gone_at is not None
