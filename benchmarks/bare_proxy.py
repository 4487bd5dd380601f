"""The least a Python gateway can do: uvicorn, and pyreqwest to the upstream. No parsing, no routing.

The measure for ``benchmarks.gateway``; serves what ``BENCH_UPSTREAM`` names.
"""

from __future__ import annotations

import os
from typing import Any

from pyreqwest.client import Client, ClientBuilder

UPSTREAM = os.environ.get("BENCH_UPSTREAM", "")
_state: dict[str, Client] = {}


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Send a request on, and its answer back as it comes."""
    if scope["type"] != "http":
        await receive()
        await send({"type": f"{scope['type']}.startup.complete"})
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    client = _state.get("client")
    if client is None:
        client = _state["client"] = ClientBuilder().build()
    request = (
        client.post(f"{UPSTREAM}{scope['path']}")
        .body_bytes(body)
        .header("content-type", "application/json")
        .build_streamed()
    )
    async with request as response:
        headers = [(b"content-type", response.headers["content-type"].encode())]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        while (piece := await response.body_reader.read_chunk()) is not None:
            await send({"type": "http.response.body", "body": bytes(piece), "more_body": True})
    await send({"type": "http.response.body", "body": b""})
