"""Both clients over real sockets: what was sent is what was recorded, and hanging up is felt."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest

from hyperroute.client import AsyncClient, Client, Router
from hyperroute.errors import Exhausted
from hyperroute.plugins.registry import discover
from hyperroute.routing.record import Record
from hyperroute.testing.replies import HELLO, refusal, streamed, whole
from hyperroute.testing.script import MS
from hyperroute.testing.upstream import Upstream
from hyperroute.testing.world import World

CHAT = "openai.chat"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def routed(*upstreams: Upstream) -> Router:
    names = [f"p{number}" for number, _ in enumerate(upstreams)]
    providers = "\n".join(
        f'  {name}: {{plugin: openai, url: "{upstream.url}", keys: [], speaks: [chat]}}'
        for name, upstream in zip(names, upstreams, strict=True)
    )
    offers = ", ".join(f"{{at: {name}}}" for name in names)
    text = f"hyperroute: 1\nproviders:\n{providers}\nmodels:\n  m: {{kind: chat, offers: [{offers}]}}\n"
    return Router.loads(text, registry=discover())


def test_invariant_14_over_sockets_requests_sent_are_attempts_recorded():
    records: list[Record] = []
    broken = refusal(CHAT, 500, kind="server_error")
    with Upstream(broken) as one, Upstream(whole(CHAT)) as two:
        client = Client(routed(one, two), sink=records.append)
        answer = client.send(BODY)
        client.close()
    assert answer.reply.text == "".join(HELLO.text)
    assert [attempt.provider for attempt in records[0].attempts] == ["p0", "p0", "p1"]
    assert (len(one.seen), len(two.seen)) == (2, 1)


def test_a_stream_comes_through_and_hanging_up_is_felt():
    slow = replace(streamed(CHAT), chunk_after_ns=50 * MS)
    with Upstream(slow) as upstream, Client(routed(upstream)) as client:
        assert "".join(getattr(e, "text", "") for e in client.stream(BODY)) == "".join(HELLO.text)
        stream = client.stream(BODY)
        next(stream)
        stream.close()
        assert upstream.seen[1].wait_over()
        assert upstream.seen[1].gone_at is not None


def test_the_async_client_is_cancelled_to_the_wire():
    slow = replace(streamed(CHAT), chunk_after_ns=200 * MS)

    async def main(router: Router, upstream: Upstream) -> None:
        async with AsyncClient(router) as client:
            answer = await client.send(BODY)
            assert answer.reply.text == "".join(HELLO.text)
            task = asyncio.create_task(client.send(BODY))
            while len(upstream.seen) < 2:  # noqa: ASYNC110 - a socket has no event to wait for
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with Upstream(slow) as upstream:
        asyncio.run(main(routed(upstream), upstream))
        assert upstream.seen[1].wait_over()
        assert not upstream.seen[1].answered


def test_nobody_there_is_an_honest_error():
    with Upstream(whole(CHAT)) as upstream:
        router = routed(upstream)
    with Client(router) as client, pytest.raises(Exhausted) as exhausted:
        client.send(BODY)
    assert exhausted.value.status == 502


@pytest.mark.parametrize("library", ["aiohttp", "httpx", "pyreqwest"])
def test_a_client_takes_its_http_library_by_name(library):
    async def main(router: Router) -> str:
        async with AsyncClient(router, transport=library) as client:
            return (await client.send(BODY)).reply.text

    with Upstream(whole(CHAT)) as upstream:
        assert asyncio.run(main(routed(upstream))) == "".join(HELLO.text)
        with Client(routed(upstream), transport=library) as client:
            assert client.send(BODY).reply.text == "".join(HELLO.text)


def test_an_httpx_client_of_the_caller_is_used_and_left_open():
    async def main(router: Router) -> bool:
        async with httpx.AsyncClient(headers={"x-mine": "2"}) as mine:
            async with AsyncClient(router, http=mine) as client:
                await client.send(BODY)
            return mine.is_closed

    with Upstream(whole(CHAT)) as upstream:
        with httpx.Client(headers={"x-mine": "1"}) as mine:
            with Client(routed(upstream), http=mine) as client:
                client.send(BODY)
            assert not mine.is_closed
        assert not asyncio.run(main(routed(upstream)))
        assert [dict(seen.request.headers)["x-mine"] for seen in upstream.seen] == ["1", "2"]


def test_a_transport_and_an_httpx_client_at_once_are_refused():
    with Upstream(whole(CHAT)) as upstream, httpx.Client() as mine:
        with pytest.raises(ValueError, match="not both"):
            Client(routed(upstream), transport=World(), http=mine)
        with pytest.raises(ValueError, match="one of httpx"):
            Client(routed(upstream), transport="aiohttp", http=mine)
