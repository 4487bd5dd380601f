"""One adapter a contender: how to make a call, a stream and a fallback with it.

Every adapter talks to the same loopback upstream and reads the same bytes. A peer that is not
installed is left out and said so.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import hyperroute
from hyperroute.runtime.http import Library

MESSAGES = [{"role": "user", "content": "Say hello, please."}]
BODY = {"model": "bench-1", "messages": MESSAGES}


class Contender(Protocol):
    """What is timed."""

    async def call(self) -> None:
        """Make one call and read the whole answer."""

    async def stream(self) -> int:
        """Read one stream and return how many pieces came."""
        ...

    async def fallback(self) -> None:
        """Ask a target that answers 500, then one that answers."""


@dataclass(slots=True)
class Httpx:
    """Raw httpx, JSON decoded: the yardstick."""

    client: Any
    base: str

    async def call(self) -> None:
        response = await self.client.post(f"{self.base}/ok/v1/chat/completions", json=BODY)
        assert response.json()["choices"]

    async def stream(self) -> int:
        url, pieces = f"{self.base}/ok/v1/chat/completions", 0
        async with self.client.stream("POST", url, json=BODY | {"stream": True}) as response:
            async for line in response.aiter_lines():
                pieces += line.startswith("data: ")
        return pieces

    async def fallback(self) -> None:
        response = await self.client.post(f"{self.base}/fail/v1/chat/completions", json=BODY)
        assert response.status_code == 500
        await self.call()


@dataclass(slots=True)
class Aiohttp:
    """Raw aiohttp, JSON decoded: below it nothing that calls through aiohttp can come."""

    session: Any
    base: str

    async def call(self) -> None:
        url = f"{self.base}/ok/v1/chat/completions"
        async with self.session.post(url, json=BODY) as response:
            assert (await response.json())["choices"]

    async def stream(self) -> int:
        url, pieces = f"{self.base}/ok/v1/chat/completions", 0
        async with self.session.post(url, json=BODY | {"stream": True}) as response:
            async for line in response.content:
                pieces += line.startswith(b"data: ")
        return pieces

    async def fallback(self) -> None:
        url = f"{self.base}/fail/v1/chat/completions"
        async with self.session.post(url, json=BODY) as response:
            await response.read()
            assert response.status == 500
        await self.call()


@dataclass(slots=True)
class Hyperroute:
    """Our client over one of its transports."""

    client: Any

    async def call(self) -> None:
        answer = await self.client.send(BODY)
        assert answer.body

    async def stream(self) -> int:
        pieces = 0
        async for _event in self.client.stream(BODY):
            pieces += 1
        return pieces

    async def fallback(self) -> None:
        await self.client.send({"model": "fall-1", "messages": MESSAGES})


@dataclass(slots=True)
class LiteLlm:
    """LiteLLM's Router, retries off, one fallback."""

    router: Any

    async def call(self) -> None:
        assert (await self.router.acompletion(model="bench-1", messages=MESSAGES)).choices

    async def stream(self) -> int:
        pieces = 0
        async for _chunk in await self.router.acompletion(
            model="bench-1", messages=MESSAGES, stream=True
        ):
            pieces += 1
        return pieces

    async def fallback(self) -> None:
        assert (await self.router.acompletion(model="fall-1", messages=MESSAGES)).choices


@dataclass(slots=True)
class TensorZero:
    """TensorZero's embedded client, observability off."""

    client: Any

    async def call(self) -> None:
        await self.client.inference(model_name="bench-1", input={"messages": MESSAGES})

    async def stream(self) -> int:
        pieces = 0
        async for _chunk in await self.client.inference(
            model_name="bench-1", input={"messages": MESSAGES}, stream=True
        ):
            pieces += 1
        return pieces

    async def fallback(self) -> None:
        await self.client.inference(model_name="fall-1", input={"messages": MESSAGES})


Opener = Callable[[str], AbstractAsyncContextManager[Contender]]

TABLE = """
hyperroute: 1
providers:
  good: {{plugin: openai, url: "{base}/ok/v1", keys: [env:BENCH_KEY], speaks: [chat]}}
  bad: {{plugin: openai, url: "{base}/fail/v1", keys: [env:BENCH_KEY], speaks: [chat]}}
models:
  bench-1:
    kind: chat
    context: 128k
    output: 8k
    offers: [{{at: good, price: {{per: 1M tok, in: 1.00, out: 2.00}}}}]
  fall-1:
    kind: chat
    context: 128k
    output: 8k
    offers:
      - {{at: bad, sends: bench-1, price: {{per: 1M tok, in: 1.00, out: 2.00}}}}
      - {{at: good, sends: bench-1, price: {{per: 1M tok, in: 1.00, out: 2.00}}}}
policies:
  # The breaker is off so that the failing target is really asked each time.
  base: {{errors: {{server_error: next}}, breaker: {{cool: 0s}}}}
"""


@asynccontextmanager
async def _httpx(base: str) -> AsyncIterator[Contender]:
    import httpx

    async with httpx.AsyncClient() as client:
        yield Httpx(client, base)


@asynccontextmanager
async def _aiohttp(base: str) -> AsyncIterator[Contender]:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        yield Aiohttp(session, base)


def _hyperroute(transport: Library) -> Opener:
    @asynccontextmanager
    async def opened(base: str) -> AsyncIterator[Contender]:
        os.environ["BENCH_KEY"] = "sk-bench"
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(TABLE.format(base=base))
            file.flush()
            router = hyperroute.Router.load(file.name)
        async with hyperroute.AsyncClient(router, transport=transport) as client:
            yield Hyperroute(client)

    return opened


@asynccontextmanager
async def _litellm(base: str) -> AsyncIterator[Contender]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    litellm: Any = import_module("litellm")
    litellm.suppress_debug_info = True

    def entry(name: str, path: str) -> dict[str, Any]:
        params = {"model": "openai/bench-1", "api_base": f"{base}/{path}/v1", "api_key": "sk"}
        return {"model_name": name, "litellm_params": params}

    yield LiteLlm(
        litellm.Router(
            model_list=[entry("bench-1", "ok"), entry("fall-1", "fail")],
            fallbacks=[{"fall-1": ["bench-1"]}],
            num_retries=0,
            disable_cooldowns=True,
        )
    )


@asynccontextmanager
async def _tensorzero(base: str) -> AsyncIterator[Contender]:
    gateway = import_module("tensorzero").AsyncTensorZeroGateway

    def provider(model: str, name: str, path: str) -> str:
        return (
            f'[models.{model}.providers.{name}]\ntype = "openai"\nmodel_name = "bench-1"\n'
            f'api_base = "{base}/{path}/v1/"\napi_key_location = "none"\n'
        )

    text = (
        '[models.bench-1]\nrouting = ["good"]\n'
        + provider("bench-1", "good", "ok")
        + '[models.fall-1]\nrouting = ["bad", "good"]\n'
        + provider("fall-1", "bad", "fail")
        + provider("fall-1", "good", "ok")
    )
    async with AsyncExitStack() as stack:
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(text)
            file.flush()
            built = await gateway.build_embedded(config_file=file.name)
        yield TensorZero(await stack.enter_async_context(built))


CONTENDERS: dict[str, tuple[str, Opener]] = {
    "httpx": ("httpx", _httpx),
    "aiohttp": ("aiohttp", _aiohttp),
    "hyperroute/httpx": ("hyperroute", _hyperroute("httpx")),
    "hyperroute/aiohttp": ("aiohttp", _hyperroute("aiohttp")),
    "hyperroute/pyreqwest": ("pyreqwest", _hyperroute("pyreqwest")),
    "litellm": ("litellm", _litellm),
    "tensorzero": ("tensorzero", _tensorzero),
}
"""Name to the module it needs and how to open it."""


def installed() -> dict[str, Opener]:
    """Give those that can run here."""
    return {name: opener for name, (module, opener) in CONTENDERS.items() if find_spec(module)}
