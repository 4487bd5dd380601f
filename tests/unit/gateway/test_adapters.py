"""The same answers through ASGI and WSGI, without a server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from tests.unit.gateway.asking import CHAT

from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient, Client
from hyperroute.gateway import BlockingGateway, Gateway, pouring, pulling
from hyperroute.gateway.asgi import asgi_app
from hyperroute.gateway.intake import BODY_BYTES_MAX
from hyperroute.gateway.visit import Visit
from hyperroute.gateway.wsgi import wsgi_app
from hyperroute.testing.replies import streamed, whole
from hyperroute.testing.script import SECOND, Script
from hyperroute.testing.world import World


def asgi(router, world: World, visits: list[Visit] | None = None) -> Any:
    twin = world.awaiting()
    client = AsyncClient(router, transport=twin, clock=twin)
    return asgi_app(Gateway(client, observer=(visits if visits is not None else []).append))


def through_asgi(router, world: World, path: str, body: bytes) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=asgi(router, world))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            headers = {"content-type": "application/json"}
            return await client.post(path, content=body, headers=headers)

    return asyncio.run(ask())


def through_wsgi(router, world: World, path: str, body: bytes) -> httpx.Response:
    app = wsgi_app(BlockingGateway(Client(router, transport=world, clock=world)))
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://here") as client:
        return client.post(path, content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize("through", [through_asgi, through_wsgi])
def test_a_whole_answer_comes_through(router, through):
    world = World()
    world.serve("https://one.test", whole("openai.chat"))
    answer = through(router, world, "/v1/chat/completions", json.dumps(CHAT).encode())
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["role"] == "assistant"
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("through", [through_asgi, through_wsgi])
def test_a_stream_comes_through(router, through):
    world = World()
    world.serve("https://one.test", streamed("openai.chat"))
    body = json.dumps({**CHAT, "stream": True}).encode()
    answer = through(router, world, "/v1/chat/completions", body)
    assert answer.content.endswith(b"data: [DONE]\n\n")
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("through", [through_asgi, through_wsgi])
def test_a_body_beyond_the_limit_is_413(router, through):
    answer = through(router, World(), "/v1/messages", b" " * (BODY_BYTES_MAX + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "request_too_large"


def scope(**more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "raw_path": b"/v1/chat/completions",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        **more,
    }


def test_a_body_without_a_length_is_not_read_beyond_the_limit(router):
    async def ask() -> tuple[list[Any], int]:
        sent: list[Any] = []
        given = 0

        async def receive() -> Any:
            nonlocal given
            given += 1
            return {"type": "http.request", "body": b" " * 2**20, "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        await asgi(router, World())(scope(), receive, send)
        return sent, given

    sent, given = asyncio.run(ask())
    assert sent[0]["status"] == 413
    assert given == BODY_BYTES_MAX // 2**20 + 1


def test_a_client_who_leaves_ends_the_upstream_exchange(router):
    world = World()
    script = streamed("openai.chat")
    hanging = Script(headers=script.headers, chunks=script.chunks[:3], end="stall")
    world.serve("https://one.test", hanging)
    visits: list[Visit] = []

    async def ask() -> None:
        body = json.dumps({**CHAT, "stream": True}).encode()
        messages = [{"type": "http.request", "body": body}]
        pieces = 0

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await world.awaiting().sleep(5 * SECOND)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal pieces
            pieces += message["type"] == "http.response.body"

        await asgi(router, world, visits)(scope(), receive, send)
        assert pieces >= 1

    asyncio.run(ask())
    assert world.open_now == 0
    assert world.sent[0].ended_at == 5 * SECOND
    assert [visit.ended for visit in visits] == ["gone"]
    assert visits[0].record is not None
    assert visits[0].record.outcome == "abandoned"


def test_a_client_that_does_not_read_is_left_after_30_s(router):
    """Row 86: nothing is gathered for a reader who does not come."""
    world = World()
    script = streamed("openai.chat")
    world.serve("https://one.test", Script(headers=script.headers, chunks=script.chunks * 50))
    visits: list[Visit] = []

    async def ask() -> None:
        async def receive() -> Any:
            if not visits and not given:
                given.append(True)
                body = json.dumps({**CHAT, "stream": True}).encode()
                return {"type": "http.request", "body": body}
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                await world.awaiting().sleep(3600 * SECOND)

        given: list[bool] = []
        await asgi(router, world, visits)(scope(), receive, send)

    asyncio.run(ask())
    assert [visit.ended for visit in visits] == ["slow"]
    assert 30 * SECOND <= visits[0].duration_ns <= 46 * SECOND
    assert world.open_now == 0


def test_a_streamed_body_that_nobody_reads_is_let_go(router):
    world = World()
    world.serve("https://one.test", streamed("openai.chat"))
    body = json.dumps({**CHAT, "stream": True}).encode()
    http = HttpRequest(method="POST", url="/v1/chat/completions", body=body)
    visits: list[Visit] = []
    client = Client(router, transport=world, clock=world)
    blocking = BlockingGateway(client, observer=visits.append)
    response = blocking.handle(http)
    assert isinstance(response.pieces, pulling.Pieces)
    response.pieces.close()
    blocking.close()

    async def ask() -> None:
        twin = world.awaiting()
        behind = AsyncClient(router, transport=twin, clock=twin)
        gateway = Gateway(behind, observer=visits.append)
        response = await gateway.handle(http)
        assert isinstance(response.pieces, pouring.Pieces)
        await response.pieces.aclose()
        await gateway.close()

    asyncio.run(ask())
    assert [visit.ended for visit in visits] == ["gone", "gone"]
    assert [visit.record and visit.record.left for visit in visits] == ["drained", "drained"]


@pytest.mark.parametrize("through", [through_asgi, through_wsgi])
def test_what_is_refused_unread_is_told_in_the_callers_dialect(router, through):
    answer = through(router, World(), "/v1beta/models/flash:generateContent", b" " * (2**25 + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_mounted_gateway_does_not_see_the_mount(router):
    world = World()
    world.serve("https://one.test", whole("openai.chat"))

    async def ask() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            if not sent:
                sent.append(None)
                return {"type": "http.request", "body": json.dumps(CHAT).encode()}
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        path = "/ai/v1/chat/completions"
        mounted = scope(path=path, raw_path=path.encode(), root_path="/ai")
        await asgi(router, world)(mounted, receive, send)
        return sent[1:]

    assert asyncio.run(ask())[0]["status"] == 200


def test_lifespan_is_answered(router):
    async def live() -> list[Any]:
        said: list[Any] = []
        told = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> Any:
            return {"type": next(told)}

        async def send(message: Any) -> None:
            said.append(message["type"])

        await asgi(router, World())({"type": "lifespan"}, receive, send)
        return said

    assert asyncio.run(live()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
