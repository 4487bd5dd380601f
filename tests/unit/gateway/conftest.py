"""A gateway of either colour in a World."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient, Client, Router
from hyperroute.gateway import BlockingGateway, Gateway, HttpResponse
from hyperroute.gateway.door import Door as Guard
from hyperroute.gateway.standing import Dependence
from hyperroute.gateway.visit import Visit
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.runtime.board import Board
from hyperroute.runtime.tab import Till, Wallets
from hyperroute.stores.base import AsyncStore, Immediate
from hyperroute.testing.world import World

TABLE = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test/v1", keys: [env:ONE], speaks: [chat, responses]}
  two: {plugin: openai, url: "https://two.test/v1", keys: [env:TWO], speaks: [chat]}
  claude: {plugin: anthropic, url: "https://claude.test", keys: [env:CLAUDE]}
  google: {plugin: gemini, url: "https://google.test/v1beta", keys: [env:GOOGLE]}
  bare: {plugin: openai, url: "https://bare.test/v1", keys: [env:BARE], speaks: [chat]}
models:
  gpt: {kind: chat, endpoints: [chat, responses, messages, gemini], offers: [{at: one, sends: gpt}, {at: two, sends: gpt}]}
  sonnet: {kind: chat, endpoints: [messages], offers: [{at: claude, sends: sonnet}]}
  flash: {kind: chat, endpoints: [gemini, chat], offers: [{at: google, sends: flash}]}
  nokey: {kind: chat, endpoints: [chat], offers: [{at: bare}]}
"""


def secret(reference: str) -> Secret | None:
    return None if reference == "env:BARE" else Secret(f"sk-canary-{reference}")


@dataclass
class Whole:
    """A response, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Door:
    """Asks a gateway of one colour, and reads what it answers."""

    world: World
    ask: Callable[[HttpRequest], Whole]
    visits: list[Visit] = field(default_factory=list)
    client: Any = None

    def post(self, path: str, body: object, *headers: tuple[str, str]) -> Whole:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = ("content-type", "application/json")
        http = HttpRequest(method="POST", url=path, headers=(kind, *headers), body=data)
        return self.ask(http)

    def get(self, path: str, *headers: tuple[str, str], method: str = "GET") -> Whole:
        return self.ask(HttpRequest(method=method, url=path, headers=headers))


@pytest.fixture(scope="session")
def registry():
    return discover(entry_points=True).with_secrets(secret)


@pytest.fixture(scope="session")
def router(registry):
    return Router.loads(TABLE, registry=registry)


@pytest.fixture(params=["blocking", "awaiting"])
def colour(request):
    return request.param


@pytest.fixture
def door(colour, router):
    return opened(colour, router, World())


def opened(
    colour: str,
    router: Router,
    world: World,
    guard: Guard | None = None,
    store: Any = None,
    *,
    wallets: Wallets | None = None,
    board: Board | None = None,
    dependences: Sequence[Dependence] = (),
) -> Door:
    """Open a gateway of a colour, behind a guard where one is given, with a till if it has a word."""
    visits: list[Visit] = []
    client: Client | AsyncClient
    if colour == "blocking":
        till = None if wallets is None else Till(store, wallets=wallets)
        client = plain = Client(router, transport=world, clock=world, till=till, board=board)
        blocking = BlockingGateway(
            plain, door=guard, store=store, observer=visits.append, dependences=dependences
        )

        def ask(http: HttpRequest) -> Whole:
            return _whole(blocking.handle(http), b"".join)

    else:
        twin = world.awaiting()
        shared: AsyncStore | None = None if store is None else Immediate(store)
        pays = None if wallets is None or shared is None else Till(shared, wallets=wallets)
        client = behind = AsyncClient(router, transport=twin, clock=twin, till=pays, board=board)
        gateway = Gateway(
            behind, door=guard, store=shared, observer=visits.append, dependences=dependences
        )

        def ask(http: HttpRequest) -> Whole:
            return asyncio.run(_asked(gateway, http))

    return Door(world, ask, visits, client)


async def _asked(gateway: Gateway, http: HttpRequest) -> Whole:
    response = await gateway.handle(http)
    pieces = response.pieces
    assert pieces is None or isinstance(pieces, AsyncIterator)
    body = b"" if pieces is None else b"".join([piece async for piece in pieces])
    return _whole(response, lambda _: body)


def _whole(response: HttpResponse, join: Callable[[Any], bytes]) -> Whole:
    body = response.body if response.pieces is None else join(response.pieces)
    return Whole(response.status, dict(response.headers), body)
