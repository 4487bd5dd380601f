"""A gateway on a real socket, over a scripted provider of each dialect on another.

Every model is named after the dialect that its provider speaks, and may be asked in all four, so
that a client of one dialect meets a provider of any.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

import uvicorn

from hyperroute.accounts.issuing import issue
from hyperroute.accounts.keys import put
from hyperroute.canon.wire import HttpRequest
from hyperroute.client import AsyncClient, Router
from hyperroute.gateway import Gateway
from hyperroute.gateway.asgi import Application, Receive, Scope, Send, asgi_app
from hyperroute.gateway.door import Door
from hyperroute.gateway.pacing import DEFAULT_PACE, Pace
from hyperroute.gateway.visit import Visit
from hyperroute.plugins.registry import Registry, discover
from hyperroute.plugins.secret import Secret
from hyperroute.stores.base import Immediate
from hyperroute.stores.memory import MemoryStore
from hyperroute.testing.replies import Said, streamed, whole
from hyperroute.testing.script import Script
from hyperroute.testing.upstream import Upstream

T = TypeVar("T")
_NONE: Mapping[str, str] = MappingProxyType({})
PEPPER = Secret("pepper of a test, long enough")
KEY, _KEPT = issue(name="test", owner_type="user", owner_id="u1", pepper=PEPPER, now=0)
CANARY = "sk-canary-of-the-provider"
ROOT = Path(__file__).parents[3]
_SECRETS = {"env:CANARY", "env:OPENAI_API_KEY", "env:ANTHROPIC_API_KEY", "env:GEMINI_API_KEY"}
MODELS: Mapping[str, str] = {
    "openai.chat": "at-chat",
    "openai.responses": "at-responses",
    "anthropic.messages": "at-messages",
    "gemini.generate": "at-gemini",
}
_PATHS: Mapping[str, str] = {
    "openai.chat": "/openai/v1/chat/completions",
    "openai.responses": "/openai/v1/responses",
    "anthropic.messages": "/anthropic",
    "gemini.generate": "/google",
}
_FORM = """
hyperroute: 1
providers:
  chat: {plugin: openai, keys: [env:CANARY], speaks: [chat]}
  responses: {plugin: openai, keys: [env:CANARY], speaks: [responses]}
  messages: {plugin: anthropic, keys: [env:CANARY]}
  gemini: {plugin: gemini, keys: [env:CANARY]}
policies:
  quick: {retry: {per_offer: 0, rotate: 0}}
models:
"""
_MODEL = (
    "  {name}: {{kind: chat, endpoints: [chat, responses, messages, gemini], context: 200k, "
    "output: 64k, does: [{does}], offers: [{{at: {provider}, sends: sent-{name}}}]}}\n"
)
_DOES = "tools, parallel_tools, json_object, json_schema, vision, pdf, thinking, effort"

Answers = Said | Script | Callable[[HttpRequest], Said | Script]


@dataclass
class Standing:
    """Where clients are pointed at, and what came of it.

    Attributes:
        url: Of the gateway, without a path.
        upstream: Plays the four providers.
        visits: What the gateway noted of each request that is over.
    """

    url: str
    upstream: Upstream
    visits: list[Visit] = field(default_factory=list)

    def answers(self, dialect: str, *said: Answers) -> None:
        """Let the provider of a dialect say one thing after another, streamed where it is asked to."""
        turns = iter(said)
        last: list[Answers] = []

        def answer(http: HttpRequest) -> Script:
            last[:] = [next(turns, None) or last[0]]
            came = last[0](http) if callable(last[0]) else last[0]
            if isinstance(came, Script):
                return came
            return streamed(dialect, came) if is_streamed(http) else whole(dialect, came)

        self.upstream.serve(_PATHS[dialect], answer)

    def over(self, count: int = 1) -> list[Visit]:
        """Wait for requests to be over, which a client may know before we do."""
        for _ in range(500):
            if len(self.visits) >= count:
                break
            time.sleep(0.01)
        return self.visits

    @property
    def asked(self) -> list[HttpRequest]:
        """What the providers were asked, in order."""
        return [seen.request for seen in self.upstream.seen]

    @property
    def bodies(self) -> list[Any]:
        """The JSON of what the providers were asked."""
        return [json.loads(request.body) for request in self.asked]


def is_streamed(http: HttpRequest) -> bool:
    """Say whether a provider was asked for a stream."""
    return "streamGenerateContent" in http.url or bool(json.loads(http.body).get("stream"))


def routed(url: str, aliases: Mapping[str, str] = _NONE) -> Router:
    """Load the table of four models, each at a provider of its own."""
    models = "".join(
        _MODEL.format(name=name, does=_DOES, provider=name.removeprefix("at-"))
        for name in MODELS.values()
    )
    also = f"aliases: {json.dumps(dict(aliases))}\n" if aliases else ""
    return Router.loads(_FORM + models + also, registry=_moved(url))


def shipped(url: str) -> Router:
    """Load the shipped table; its vendors have credentials, nobody else does."""
    return Router.load(ROOT / "routes", registry=_moved(url))


def _moved(url: str) -> Registry:
    """Return the installed plugins, with the vendors' own addresses moved to one of ours.

    A vendor gets its sealed state back only at its own address, so that a ``url`` in the table would
    not do.
    """

    def secret(reference: str) -> Secret | None:
        return Secret(CANARY) if reference in _SECRETS else None

    found = discover(entry_points=True).with_secrets(secret)
    homes = {"openai": "/openai/v1", "anthropic": "/anthropic", "gemini": "/google/v1beta"}
    return found.with_providers(
        {name: replace(found.providers[name], url=f"{url}{home}") for name, home in homes.items()}
    )


class Server:
    """uvicorn in a thread, in front of one gateway after another; a context manager."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._app: Application | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        config = uvicorn.Config(
            self._serve, interface="asgi3", log_config=None, access_log=False, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=asyncio.run, args=(self._run(),), name="gateway")

    @contextmanager
    def standing(
        self, upstream: Upstream, router: Router, *, pace: Pace = DEFAULT_PACE
    ) -> Iterator[Standing]:
        """Put a new gateway behind the address: what it learns of health ends with the block."""
        place = Standing(self.url, upstream)
        upstream.seen.clear()
        upstream.errors.clear()

        async def begin() -> Gateway:
            store = MemoryStore(now=time.time_ns)
            store.commit((put(_KEPT),))
            gateway = Gateway(
                AsyncClient(router),
                door=Door(pepper=PEPPER),
                store=Immediate(store),
                observer=place.visits.append,
                pace=pace,
            )
            self._app = asgi_app(gateway)
            return gateway

        gateway = self._waited(begin())
        try:
            yield place
        finally:
            self._waited(gateway.client.close())
        assert upstream.errors == []

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None
        await self._app(scope, receive, send)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._server.serve([self._listener])

    def _waited(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)
