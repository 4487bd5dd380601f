"""Two hundred streams at once through one gateway, for as long as you like, with random faults.

``uv run python -m benchmarks.soak --seconds 600``. Three processes: an upstream that cuts, resets,
stalls, refuses and breaks off at random; the gateway; and this one, which opens streams, leaves some
of them early, and checks how each ended. Counted before, during and after: the gateway's tasks, file
descriptors and resident memory. It fails (exit 1) if anything is left over once all is quiet, if
memory grew by more than 2 % over the second half, or if a stream that was cut looked whole.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.server import STREAM, STREAM_HEAD

PATIENCE_S = 45.0
QUIET_S = 25.0
"""Before anything is counted: idle connections to a provider are kept for 15 seconds."""
TABLE = """
hyperroute: 1
providers:
  one: {{plugin: openai, url: "{url}/one/v1", keys: [env:BENCH_KEY], speaks: [chat], timeout: {{idle: 2s}}}}
  two: {{plugin: openai, url: "{url}/two/v1", keys: [env:BENCH_KEY], speaks: [chat], timeout: {{idle: 2s}}}}
models:
  bench-1: {{kind: chat, endpoints: [chat, messages], offers: [{{at: one}}, {{at: two}}]}}
"""


# --- the upstream ----------------------------------------------------------------------------------
async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    dice = random.Random()  # noqa: S311 - not for secrets
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            at = head.find(b"content-length:")
            await reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))
            fate = dice.choices(
                ("good", "500", "429", "cut", "reset", "stall", "broken"), (70, 6, 4, 7, 5, 3, 5)
            )[0]
            if fate in {"500", "429"}:
                body = b'{"error":{"message":"no","type":"server_error","param":null,"code":null}}'
                line = b"HTTP/1.1 %s X\r\ncontent-length: %d\r\n\r\n" % (fate.encode(), len(body))
                writer.write(line + b"" + body)
                await writer.drain()
                continue
            writer.write(STREAM_HEAD)
            stop = len(STREAM) if fate == "good" else dice.randrange(len(STREAM) - 2)
            for frame in STREAM[:stop]:
                if writer.is_closing():
                    return
                writer.write(b"%x\r\n%s\r\n" % (len(frame), frame))
                if dice.random() < 0.05:
                    await writer.drain()
                    await asyncio.sleep(dice.random() * 0.05)
            if fate == "broken":
                frame = b'data: {"error":{"message":"broke","type":"server_error"}}\n\n'
                writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(frame), frame))
            elif fate == "stall":
                await writer.drain()
                await asyncio.sleep(4)
                break
            elif fate == "reset":
                writer.transport.abort()
                break
            elif fate == "cut":
                break
            else:
                writer.write(b"0\r\n\r\n")
            await writer.drain()
    writer.close()


async def upstream() -> None:
    server = await asyncio.start_server(misbehave, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# --- the gateway -----------------------------------------------------------------------------------
async def gateway(table: str) -> None:
    import uvicorn

    from hyperroute.client import AsyncClient, Router
    from hyperroute.gateway import Gateway
    from hyperroute.gateway.asgi import asgi_app

    app = asgi_app(Gateway(AsyncClient(Router.load(table))), close=True)
    config = uvicorn.Config(app, port=0, log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody, so it is looked at
        await asyncio.sleep(0.05)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        gc.collect()
        print(json.dumps({"tasks": len(asyncio.all_tasks()), **counted(os.getpid())}), flush=True)
    server.should_exit = True
    await serving


def counted(pid: int) -> dict[str, float]:
    status = Path(f"/proc/{pid}/status").read_text()
    rss = next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]
    return {
        "fds": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "rss_mb": round(int(rss) / 1024, 1),
    }


# --- the callers -----------------------------------------------------------------------------------
async def caller(port: int, number: int, until: float, ends: Counter[str]) -> None:
    dice = random.Random(number)  # noqa: S311
    body = json.dumps(
        {"model": "bench-1", "stream": True, "messages": [{"role": "user", "content": "go"}]}
    ).encode()
    ask = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: soak\r\ncontent-type: application/json\r\n"
        b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
    ) + body
    while time.monotonic() < until:
        leaves_at = dice.randrange(60_000) if dice.random() < 0.1 else None
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        got = b""
        try:
            writer.write(ask)
            async with asyncio.timeout(PATIENCE_S):
                while piece := await reader.read(65_536):
                    got += piece
                    if leaves_at is not None and len(got) > leaves_at:
                        break
        except TimeoutError:
            ends["hung"] += 1
        except ConnectionError:
            ends["reset"] += 1
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        ends[ended(got, left=leaves_at is not None and len(got) > leaves_at)] += 1


def ended(got: bytes, *, left: bool) -> str:
    """Say how an answer ended, as an honest client would."""
    if left:
        return "left"
    status = got[9:12]
    if status != b"200":
        return f"status {status.decode()}"
    said = got.replace(b'": ', b'":')  # relayed or written, with or without a space
    whole = b"data: [DONE]" in said and b'"finish_reason":"stop"' in said
    broken = b'data: {"error"' in said
    words = said.count(b'"content":" word')
    if whole and not broken:
        return "whole" if words == len(STREAM) - 4 else "FALSE FINISH"
    return "broken, and said so" if broken and not whole else "SILENT CUT"


@contextlib.contextmanager
def process(*role: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "benchmarks.soak", *role]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if "upstream" in role else None,
        text=True,
        bufsize=1,
        env={**os.environ, **env},
    ) as made:
        assert made.stdout is not None
        try:
            yield made, int(made.stdout.readline())
        finally:
            made.kill()


def asked(server: subprocess.Popen[str]) -> dict[str, Any]:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write("\n")
    found: dict[str, Any] = json.loads(server.stdout.readline())
    return found


async def soak(server: subprocess.Popen[str], port: int, args: argparse.Namespace) -> bool:
    ends: Counter[str] = Counter()
    warm = time.monotonic() + min(15.0, args.seconds / 4)
    await asyncio.gather(*(caller(port, n, warm, ends) for n in range(args.streams)))
    await asyncio.sleep(QUIET_S)
    before = await asyncio.to_thread(asked, server)
    ends.clear()
    began = time.monotonic()
    until = began + args.seconds
    callers = [caller(port, n, until, ends) for n in range(args.streams)]
    running = asyncio.gather(*callers)
    memory: list[tuple[float, float]] = []
    while not running.done():
        await asyncio.wait({running}, timeout=max(1.0, args.seconds / 40))
        now = await asyncio.to_thread(asked, server)
        memory.append((time.monotonic() - began, now["rss_mb"]))
    await running
    await asyncio.sleep(QUIET_S)
    after = await asyncio.to_thread(asked, server)
    half = [mb for at, mb in memory if at > args.seconds / 2]
    first = statistics.median(half[: max(1, len(half) // 4)])
    last = statistics.median(half[-max(1, len(half) // 4) :])
    growth = (last - first) / first * 100
    total = sum(ends.values())
    print(f"{total} streams in {args.seconds:.0f} s: {dict(ends.most_common())}")
    print(f"before {before}\nafter  {after}")
    print(f"memory over the second half: {first:.1f} → {last:.1f} MB ({growth:+.2f} %)")
    leaked = after["tasks"] > before["tasks"] or after["fds"] > before["fds"]
    return not leaked and growth < 2 and not {"FALSE FINISH", "SILENT CUT", "hung"} & ends.keys()


def main() -> None:
    """Soak, and say whether anything was left over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--role", choices=("upstream", "gateway"))
    parser.add_argument("--table", default="")
    args = parser.parse_args()
    if args.role == "upstream":
        asyncio.run(upstream())
        return
    if args.role == "gateway":
        asyncio.run(gateway(args.table))
        return
    with process("--role", "upstream") as (_, port):
        table = Path(f"/tmp/hyperroute-soak-{os.getpid()}.yaml")  # noqa: S108 - a benchmark's own
        table.write_text(TABLE.format(url=f"http://127.0.0.1:{port}"))
        role = ("--role", "gateway", "--table", str(table))
        with process(*role, BENCH_KEY="k") as (server, at):
            fine = asyncio.run(soak(server, at, args))
        table.unlink()
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
