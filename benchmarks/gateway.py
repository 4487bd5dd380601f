"""The gateway under load, beside a bare proxy and whatever other gateway is named, in one run.

``uv run python -m benchmarks.gateway``: one worker each, the same loopback upstream, rounds that take
every contender in turn. The load comes from this process over raw sockets. Printed are medians over
rounds: requests a second and CPU a request of the server at 64 connections, latency at one, CPU of a
streamed answer of 1,000 chunks, and the server's memory before and after ``--soak`` requests.
Ours runs three times: for anybody, for holders of keys in a file, and with its ledger in SQLite, where
every call is held against a budget and a wallet and charged.
``--litellm PROGRAM`` and ``--portkey FOLDER`` (with ``@portkey-ai/gateway`` in it) add those two.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.calls import upstream
from hyperroute.accounts.issuing import issue
from hyperroute.accounts.keys import put
from hyperroute.accounts.pepper import pepper_of
from hyperroute.canon.money import Deposit, PostingKey
from hyperroute.ledger.book import book
from hyperroute.runtime.clock import SystemClock
from hyperroute.stores.opening import STORES, opened

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
TABLE = """
hyperroute: 1
providers:
  bench: {{plugin: openai, url: "{url}/ok/v1", keys: [env:BENCH_KEY], speaks: [chat]}}
  long: {{plugin: openai, url: "{url}/long/v1", keys: [env:BENCH_KEY], speaks: [chat]}}
prices:
  bench: {{per: 1M tok, in: 1.00, out: 10.00}}
models:
  bench-1: {{kind: chat, endpoints: [chat], context: 8k, output: 4k, offers: [{{at: bench, price: bench}}]}}
  long-1: {{kind: chat, endpoints: [chat], context: 8k, output: 4k, offers: [{{at: long, sends: bench-1, price: bench}}]}}
"""


CHAT = ("/v1/chat/completions",) * 2
STATES = (
    ("hyperroute, keys", "--keys", "keys.json"),
    ("hyperroute, ledger", "--state", "state.db"),
)

LITELLM = """
model_list:
  - model_name: bench-1
    litellm_params: {{model: openai/bench-1, api_base: "{url}/ok/v1", api_key: k}}
  - model_name: long-1
    litellm_params: {{model: openai/bench-1, api_base: "{url}/long/v1", api_key: k}}
"""


@dataclass
class Server:
    """One contender, running."""

    name: str
    port: int
    pid: int
    paths: tuple[str, str]
    """Of a whole answer and of a long stream."""
    headers: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    """Lines that the two need beside the usual ones."""
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        self.figures.setdefault(name, []).append(value)

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    def memory_mb(self) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0


class Caller(asyncio.Protocol):
    """A keep-alive connection that sends the same bytes again and again."""

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.status = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._waiter is not None and self._is_whole():
            self.status = self._buffer[9:12]
            self._buffer = b""
            self._waiter.set_result(None)
            self._waiter = None

    def _is_whole(self) -> bool:
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        at = head.lower().find(b"content-length: ")
        if at < 0:
            return body.endswith(b"0\r\n\r\n")
        return len(body) >= int(head[at + 16 :].split(b"\r\n", 1)[0])

    async def ask(self, request: bytes) -> None:
        assert self._transport is not None
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._waiter
        assert self.status == b"200", self.status

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


def request(path: str, model: str, headers: tuple[str, ...], *, stream: bool) -> bytes:
    body = json.dumps(
        {
            "model": model,
            "messages": [{"role": "user", "content": "Say hi in one word."}],
            **({"stream": True} if stream else {}),
        },
        separators=(",", ":"),
    ).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    head += "".join(f"{line}\r\n" for line in headers)
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def connected(port: int, count: int) -> list[Caller]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Caller, "127.0.0.1", port))[1] for _ in range(count)]


async def crowd(server: Server, calls: int, connections: int = 64) -> None:
    callers = await connected(server.port, connections)
    ask = request(server.paths[0], "bench-1", server.headers[0], stream=False)

    async def repeat(caller: Caller) -> None:
        for _ in range(calls // connections):
            await caller.ask(ask)

    cpu, began = server.cpu_s(), time.perf_counter()
    await asyncio.gather(*map(repeat, callers))
    wall = time.perf_counter() - began
    done = calls // connections * connections
    server.note("rps", done / wall)
    server.note("cpu_us", (server.cpu_s() - cpu) / done * 1e6)
    for caller in callers:
        caller.close()


async def alone(server: Server, calls: int) -> None:
    (caller,) = await connected(server.port, 1)
    ask = request(server.paths[0], "bench-1", server.headers[0], stream=False)
    taken = []
    for _ in range(calls):
        began = time.perf_counter()
        await caller.ask(ask)
        taken.append(time.perf_counter() - began)
    server.note("latency_ms", statistics.median(taken) * 1e3)
    caller.close()


async def streams(server: Server, count: int) -> None:
    (caller,) = await connected(server.port, 1)
    ask = request(server.paths[1], "long-1", server.headers[1], stream=True)
    cpu = server.cpu_s()
    for _ in range(count):
        await caller.ask(ask)
    server.note("stream_ms", (server.cpu_s() - cpu) / count * 1e3)
    caller.close()


@contextlib.contextmanager
def running(command: list[str], port: int, env: dict[str, str]) -> Iterator[int]:
    with subprocess.Popen(
        command,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            for _ in range(600):
                with (
                    contextlib.suppress(OSError),
                    __import__("socket").create_connection(("127.0.0.1", port), 0.1),
                ):
                    break
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()


def keyed(url: str) -> str:
    """Make a key with a budget and a wallet that last, and return its secret."""
    now = SystemClock.unix_ns()
    pepper = pepper_of(url, os.environ)
    secret, key = issue(
        name="bench", owner_type="user", owner_id="ada", pepper=pepper, now=now,
        spending_limit_microcredits=None if url.startswith("file:") else 10**15,
    )  # fmt: skip
    with contextlib.closing(opened(url, STORES, now=SystemClock.unix_ns, book=book)) as store:
        store.commit([put(key)])
        if not url.startswith("file:"):
            store.commit([Deposit(PostingKey("bench"), "user:ada", 10**15)])
    return secret


def kept(stack: contextlib.ExitStack, number: int, ours: list[str]) -> Server:
    """Start ours with keys, and with what else is kept."""
    name, option, state = STATES[number]
    place = f"{stack.enter_context(tempfile.TemporaryDirectory())}/{state}"
    url = f"file:{place}" if option == "--keys" else f"sqlite:///{place}"
    port = 8905 + number
    command = [*ours[:-1], option, place if option == "--keys" else url]
    command[command.index("8902")] = str(port)
    bearer = (f"authorization: Bearer {keyed(url)}",)
    pid = stack.enter_context(running(command, port, {"BENCH_KEY": "k"}))
    return Server(name, port, pid, CHAT, headers=(bearer, bearer))


async def measured(servers: list[Server], args: argparse.Namespace) -> None:
    for server in servers:
        await crowd(server, 640)
        if server.paths[1]:
            await streams(server, 2)
        server.figures.clear()
    for _ in range(args.rounds):
        for server in servers:
            await alone(server, args.calls // 10)
            await crowd(server, args.calls)
            if server.paths[1]:
                await streams(server, args.streams)
    if args.soak:
        for server in servers:
            if server.name != "hyperroute":
                continue
            before = server.memory_mb()
            await crowd(server, args.soak)
            server.note("soak_before_mb", before)
            server.note("soak_after_mb", server.memory_mb())


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=3_200)
    parser.add_argument("--streams", type=int, default=5)
    parser.add_argument("--soak", type=int, default=0)
    parser.add_argument("--litellm", default="")
    parser.add_argument("--portkey", default="")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(upstream())
        table = Path(f"/tmp/hyperroute-bench-{os.getpid()}.yaml")  # noqa: S108 - a benchmark's own
        table.write_text(TABLE.format(url=url))
        stack.callback(table.unlink)
        python = sys.executable
        bare = [python, "-m", "uvicorn", "benchmarks.bare_proxy:application", "--port", "8901"]
        bare += ["--no-access-log", "--log-level", "warning", "--lifespan", "off"]
        ours = [python, "-m", "hyperroute", "serve", "--port", "8902", "--tables", str(table)]
        ours += ["--no-log", "--no-keys"]
        upstream_port = int(url.rpartition(":")[2])
        servers = [Server("upstream itself", upstream_port, os.getpid(), ("/ok/", "/long/"))]
        pid = stack.enter_context(running(bare, 8901, {"BENCH_UPSTREAM": url}))
        servers.append(Server("uvicorn + pyreqwest", 8901, pid, ("/ok/v1", "/long/v1")))
        pid = stack.enter_context(running(ours, 8902, {"BENCH_KEY": "k"}))
        servers.append(Server("hyperroute", 8902, pid, CHAT))
        servers += [kept(stack, number, ours) for number in range(len(STATES))]
        if args.litellm:
            config = Path(f"/tmp/hyperroute-bench-{os.getpid()}-litellm.yaml")  # noqa: S108
            config.write_text(LITELLM.format(url=url))
            stack.callback(config.unlink)
            theirs = [args.litellm, "--config", str(config), "--port", "8903", "--num_workers", "1"]
            allowed = {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
            pid = stack.enter_context(running(theirs, 8903, allowed))
            servers.append(Server("LiteLLM proxy", 8903, pid, CHAT))
        if args.portkey:
            start = f"{args.portkey}/node_modules/@portkey-ai/gateway/build/start-server.js"
            theirs = ["node", start, "--headless", "--port=8904"]
            pid = stack.enter_context(running(theirs, 8904, {"NODE_ENV": "production"}))
            usual = ("authorization: Bearer k", "x-portkey-provider: openai")
            hosts = [f"x-portkey-custom-host: {url}/{kind}/v1" for kind in ("ok", "long")]
            lines = ((*usual, hosts[0]), (*usual, hosts[1]))
            paths = ("/v1/chat/completions", "")  # it answers these streams with 500
            servers.append(Server("Portkey gateway", 8904, pid, paths, headers=lines))
        asyncio.run(measured(servers, args))
        for server in servers:
            print(f"{server.name}")
            for name, values in server.figures.items():
                print(
                    f"  {name:<16} {statistics.median(values):10.2f}  {min(values):.2f}-{max(values):.2f}"
                )


if __name__ == "__main__":
    main()
