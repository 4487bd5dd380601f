"""Every way in which a first offer fails over a real socket: the second serves, nothing is multiplied.

Invariant 14 in the open: requests that the fake providers saw are the attempts of the record, under
both drivers and every library that can carry the requests.
"""

from __future__ import annotations

import asyncio
import typing
from dataclasses import dataclass, replace

import pytest

from hyperroute.canon.failure import FailureClass as Is
from hyperroute.client import AsyncClient, Client, Router
from hyperroute.errors import Interrupted
from hyperroute.plugins.registry import discover
from hyperroute.routing.record import Record
from hyperroute.runtime.http import Library, default_async_transport, default_transport
from hyperroute.testing.faults import HTML, PAGE
from hyperroute.testing.replies import HELLO, refusal, streamed, whole
from hyperroute.testing.script import MS, SECOND, Script
from hyperroute.testing.upstream import Upstream

PLUGINS = {
    "openai.chat": ("openai", "chat"),
    "anthropic.messages": ("anthropic", "messages"),
    "gemini.generate": ("gemini", "gemini"),
}
CHAT, CLAUDE, GEMINI = PLUGINS
TABLE = """
hyperroute: 1
providers:
  first:  {{plugin: {plugin}, url: "{first}", keys: [], speaks: [{word}]}}
  second: {{plugin: {plugin}, url: "{second}", keys: [], speaks: [{word}]}}
models:
  m: {{kind: chat, offers: [{{at: first}}, {{at: second}}]}}
policies:
  quick: {{retry: {{per_offer: 0, rotate: 0}}, timeout: {{first_byte: 250ms, idle: 250ms}}}}
"""
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def limited(dialect, *headers):
    kind = {CHAT: "requests", CLAUDE: "rate_limit_error"}.get(dialect, "RESOURCE_EXHAUSTED")
    return refusal(dialect, 429, kind=kind, headers=headers)


def retry_info():
    info = b'{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}'
    body = b'{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":[%b]}}'
    return replace(limited(GEMINI), chunks=(body % info,), length=None)


@dataclass(frozen=True)
class Case:
    """What the first provider does, as what it counts, and which wait it asked for."""

    script: Script
    kind: Is | None
    dialect: str = CHAT
    hint_ns: int | None = None


DATE = "Mon, 21 Sep 2026 14:13:20 GMT"
LATER = "Mon, 21 Sep 2026 14:13:40 GMT"
INSTANT = ("anthropic-ratelimit-requests-reset", "2026-09-21T14:13:35Z")
WHOLE = {
    "200": Case(whole(CHAT), None),
    "429 retry-after in seconds": Case(
        limited(CHAT, ("retry-after", "7")), Is.RATE_LIMITED, hint_ns=7 * SECOND
    ),
    "429 retry-after as a date": Case(
        limited(CHAT, ("retry-after", LATER), ("date", DATE)),
        Is.RATE_LIMITED,
        hint_ns=20 * SECOND,
    ),
    "429 retry-after-ms": Case(
        limited(CHAT, ("retry-after-ms", "1500")), Is.RATE_LIMITED, hint_ns=1500 * MS
    ),
    "429 x-ratelimit-reset": Case(
        limited(CHAT, ("x-ratelimit-reset-requests", "6m0s")), Is.RATE_LIMITED, hint_ns=360 * SECOND
    ),
    "429 anthropic reset": Case(
        limited(CLAUDE, INSTANT, ("date", DATE)), Is.RATE_LIMITED, CLAUDE, 15 * SECOND
    ),
    "429 google RetryInfo": Case(retry_info(), Is.RATE_LIMITED, GEMINI, 34_500 * MS),
    "429 that is money": Case(
        refusal(CHAT, 429, kind="insufficient_quota", code="insufficient_quota"), Is.PROVIDER_FUNDS
    ),
    "500": Case(refusal(CHAT, 500, kind="server_error"), Is.SERVER_ERROR),
    "529": Case(refusal(CLAUDE, 529, kind="overloaded_error"), Is.OVERLOADED, CLAUDE),
    "reset": Case(Script(fault="reset"), Is.NET_AMBIGUOUS),
    "slow first byte": Case(Script(fault="first_byte"), Is.SLOW_START),
    "cut in the body": Case(whole(CHAT).split(9).cut_at(100), Is.TRUNCATED),
    "html with 200": Case(Script(headers=HTML, chunks=(PAGE,)), Is.MALFORMED_OUTPUT),
}


def play(library, colour, router, *, stream):
    """Ask once; return what was said, what was raised, and the records."""
    records: list[Record] = []

    def blocking():
        transport = default_transport(library)
        try:
            with Client(router, transport=transport, sink=records.append) as client:
                if not stream:
                    return client.send(BODY, dialect=CHAT).reply.text, None
                return drained(client.stream(BODY, dialect=CHAT))
        finally:
            transport.close()

    async def awaiting():
        transport = default_async_transport(library)
        try:
            async with AsyncClient(router, transport=transport, sink=records.append) as client:
                if not stream:
                    return (await client.send(BODY, dialect=CHAT)).reply.text, None
                text = []
                try:
                    async for event in client.stream(BODY, dialect=CHAT):
                        text.append(getattr(event, "text", ""))  # noqa: PERF401 - kept if it breaks
                except Interrupted as error:
                    return "".join(text), error
                return "".join(text), None
        finally:
            await transport.close()

    text, error = blocking() if colour == "sync" else asyncio.run(awaiting())
    return text, error, records


def drained(events):
    text = []
    try:
        for event in events:
            text.append(getattr(event, "text", ""))  # noqa: PERF401 - kept if it breaks
    except Interrupted as error:
        return "".join(text), error
    return "".join(text), None


def router_of(dialect, first, second, registry=None):
    plugin, word = PLUGINS[dialect]
    text = TABLE.format(plugin=plugin, word=word, first=first.url, second=second.url)
    return Router.loads(text, registry=registry or discover())


@pytest.fixture(scope="module", params=typing.get_args(Library))
def library(request):
    default_transport(request.param).close()  # the first one loads libraries
    return request.param


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("case", WHOLE.values(), ids=WHOLE)
def test_invariant_14_the_second_serves_and_every_request_was_an_attempt(library, colour, case):
    with Upstream(case.script) as first, Upstream(whole(case.dialect)) as second:
        router = router_of(case.dialect, first, second)
        text, _, (record,) = play(library, colour, router, stream=False)
        seen = (len(first.seen), len(second.seen))
        assert first.errors == second.errors == []
    assert text == "".join(HELLO.text)
    assert record.outcome == "served"
    if case.kind is None:
        assert seen == (1, 0)
        return
    one, two = record.attempts
    assert seen == (1, 1)
    assert (one.provider, two.provider) == ("first", "second")
    assert one.failure is not None
    assert one.failure.kind is case.kind
    assert one.failure.hint_ns == case.hint_ns


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("at", [0, 1, 60, 250, 420, 610])
def test_invariants_25_and_27_a_stream_cut_at_any_byte_is_served_by_one_or_ends_honestly(
    library, colour, at
):
    cut = streamed(CHAT).cut_at(at)
    with Upstream(cut) as first, Upstream(streamed(CHAT)) as second:
        text, error, (record,) = play(library, colour, router_of(CHAT, first, second), stream=True)
        assert len(record.attempts) == len(first.seen) + len(second.seen)
    if error is None:
        assert text == "".join(HELLO.text)
        assert record.served == "m@second"
    else:
        assert text
        assert "".join(HELLO.text).startswith(text)
        assert (record.outcome, len(second.seen)) == ("interrupted", 0)
