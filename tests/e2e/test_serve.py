"""``hyperroute serve`` as a process: first key, streams, workers, and a clean end."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest

from hyperroute.testing.replies import streamed
from hyperroute.testing.script import SECOND, Script
from hyperroute.testing.upstream import Upstream

TABLE = """
hyperroute: 1
providers:
  one: {{plugin: openai, url: "{url}/v1", keys: [env:ONE_KEY], speaks: [chat], options: {{cancel_stops_billing: true}}}}
models:
  gpt: {{kind: chat, endpoints: [chat, messages], offers: [{{at: one}}]}}
"""
BODY = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    folder: Path,
    *options: str,
    port: int | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Served]:
    place = port or free_port()
    command = [sys.executable, "-m", "hyperroute", "serve", "--port", str(place), *options]
    env = {"PATH": "/usr/bin:/bin", "ONE_KEY": "sk-canary", "HOME": str(folder), **more}
    with subprocess.Popen(
        command, cwd=folder, env=env, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        served = Served(process, place)
        try:
            yield served
        finally:
            if process.poll() is None:
                process.kill()
            served.ended()  # its last words are read before the pipe is closed


class Served:
    """A server, and what it said."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    def ready(self) -> Served:
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/healthz").status_code == 200:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError("".join(self.lines))

    def ended(self) -> int:
        code = self.process.wait(timeout=20)
        self._reader.join(timeout=5)
        return code

    @property
    def said(self) -> str:
        return "".join(self.lines)


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        upstream.serve("/", streamed("openai.chat"))
        yield upstream


@pytest.fixture
def folder(tmp_path, upstream):
    (tmp_path / "table.yaml").write_text(TABLE.format(url=upstream.url))
    return tmp_path


def test_the_first_key_is_shown_once_and_opens_the_door(folder):
    (folder / "hyperroute-keys.json").write_text("{}")
    with serving(folder, "--simulated", "--tables", "table.yaml") as served:
        served.ready()
        assert "note: the keys in hyperroute-keys.json are not used" in served.said
        (key,) = re.findall(r"ck_[0-9a-f]{64}", served.said)
        headers = {"authorization": f"Bearer {key}"}
        url = f"{served.url}/v1/chat/completions"
        assert httpx.post(url, json=BODY).status_code == 401
        answer = httpx.post(url, json=BODY, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["x-hyperroute-served-by"] == "gpt@one"
        served.process.send_signal(signal.SIGTERM)
        assert served.ended() == 0
    kept = folder / "hyperroute.db"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert key.encode() not in kept.read_bytes()
    with serving(folder, "--simulated", "--tables", "table.yaml") as again:
        again.ready()
        assert "ck_" not in again.said
        assert httpx.get(f"{again.url}/v1/models", headers=headers).status_code == 200


def test_a_stream_ends_before_the_server_does(folder, upstream):
    script = streamed("openai.chat")
    slow = Script(headers=script.headers, chunks=script.chunks, chunk_after_ns=SECOND // 4)
    upstream.serve("/", slow)
    with serving(folder, "--no-keys", "--tables", "table.yaml") as served:
        served.ready()
        body = {**BODY, "stream": True}
        with httpx.stream("POST", f"{served.url}/v1/chat/completions", json=body) as answer:
            pieces = answer.iter_bytes()
            got = next(pieces)
            served.process.send_signal(signal.SIGTERM)
            got += b"".join(pieces)
        assert got.endswith(b"data: [DONE]\n\n")
        assert served.ended() == 0
    (entry,) = [json.loads(line) for line in served.lines if '"POST"' in line]
    assert (entry["ended"], entry["status"]) == ("streamed", 200)
    assert "canary" not in served.said


def test_a_client_that_leaves_is_told_upstream_within_a_second(folder, upstream):
    script = streamed("openai.chat")
    upstream.serve("/", Script(headers=script.headers, chunks=script.chunks[:2], end="stall"))
    with serving(folder, "--no-keys", "--tables", "table.yaml") as served:
        served.ready()
        body = {**BODY, "stream": True}
        with httpx.stream("POST", f"{served.url}/v1/chat/completions", json=body) as answer:
            next(answer.iter_bytes())
            left_at = time.monotonic_ns()
        (seen,) = upstream.seen
        assert seen.wait_over(5)
        assert seen.gone_at is not None
        assert seen.gone_at - left_at < SECOND


def test_two_workers_answer(folder):
    options = ("--simulated", "--no-keys", "--workers", "2", "--tables", "table.yaml")
    with serving(folder, *options) as served:
        served.ready()
        for _ in range(4):
            answer = httpx.post(f"{served.url}/v1/chat/completions", json=BODY)
            assert answer.status_code == 200
        served.process.send_signal(signal.SIGTERM)
        assert served.ended() == 0


def test_a_port_that_is_taken_is_said_in_one_line(folder):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with serving(folder, "--no-keys", "--tables", "table.yaml", port=port) as served:
            assert served.ended() == 1
    assert "Traceback" not in served.said
    assert str(port) in served.said


def test_a_broken_table_is_told_before_anything_listens(folder):
    (folder / "table.yaml").write_text("hyperroute: 1\nmodles: {}\n")
    with serving(folder, "--tables", "table.yaml") as served:
        assert served.ended() == 1
    assert "table.yaml:2:1" in served.said
    assert not (folder / "hyperroute.db").exists()


def test_where_mails_cannot_go_is_told_before_anything_listens(folder):
    url = "smtp://ada:hushhush@mail.example.org?from=a@b.c&too=d@e.f"
    with serving(folder, "--tables", "table.yaml", "--mail", url) as served:
        assert served.ended() == 2
    assert "--mail: there is no parameter 'too'; did you mean 'to'?" in served.said
    assert "hushhush" not in served.said
