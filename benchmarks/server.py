"""A loopback upstream that costs almost nothing: fixed bytes, one process, keep-alive.

Paths: ``/ok/…`` answers a chat completion (a stream of ``CHUNKS`` chunks if the body asks for one),
``/long/…`` streams 1,000 chunks, ``/fail/…`` answers 500. Prints its port and serves until its standard input closes.
"""

from __future__ import annotations

import asyncio
import json
import sys

CHUNKS = 200
WHOLE = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": "bench-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello there.", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    }
).encode()
ERROR = b'{"error":{"message":"boom","type":"server_error","param":null,"code":null}}'


def _chunk(delta: dict[str, str], finish: str | None, **more: object) -> bytes:
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_780_000_000,
        "model": "bench-1",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        **more,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _stream(chunks: int) -> list[bytes]:
    usage = {"prompt_tokens": 12, "completion_tokens": chunks, "total_tokens": 12 + chunks}
    return [
        _chunk({"role": "assistant", "content": ""}, None),
        *(_chunk({"content": f" word{number}"}, None) for number in range(chunks)),
        _chunk({}, "stop"),
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1780000000,'
        b'"model":"bench-1","choices":[],"usage":' + json.dumps(usage).encode() + b"}\n\n",
        b"data: [DONE]\n\n",
    ]


STREAM, LONG = _stream(CHUNKS), _stream(1_000)


def _whole(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


OK, FAIL = _whole(b"200 OK", WHOLE), _whole(b"500 Internal Server Error", ERROR)
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lowered = head.lower()
            length = 0
            if (at := lowered.find(b"content-length:")) >= 0:
                length = int(lowered[at + 15 : lowered.index(b"\r\n", at)])
            body = await reader.readexactly(length)
            if b" /fail/" in head[:64]:
                writer.write(FAIL)
            elif b'"stream":true' in body.replace(b" ", b""):
                writer.write(STREAM_HEAD)
                for frame in LONG if b" /long/" in head[:64] else STREAM:
                    writer.write(b"%x\r\n%s\r\n" % (len(frame), frame))
                    await writer.drain()
                    await asyncio.sleep(0)
                writer.write(b"0\r\n\r\n")
            else:
                writer.write(OK)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve until the parent goes away."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
