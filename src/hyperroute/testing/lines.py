"""A provider that speaks lines: the smallest wire format that can go wrong in every way.

For tests of the machine and the drivers, where a real dialect would only be in the way. A body is
text, a line an event::

    start               Started
    part text           PartStarted(Text); also tool, reasoning
    say hello           PartDelta to the last part
    end                 PartEnded of the last part
    usage 12 3          UsageReported
    finish stop         Finished
    fail rate_limited   the provider's own error, in a 200
    : anything          a comment, which is no event
    boom                the plugin itself breaks

A status of 400 or more is classified by the body's first word, if that is a failure class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from hyperroute.canon.content import Reasoning, Text, ToolUse
from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.failure import Failure, FailureClass
from hyperroute.canon.usage import Usage
from hyperroute.canon.wire import HttpRequest
from hyperroute.errors import ProviderWireError
from hyperroute.providers.classify import verdict_on
from hyperroute.providers.flow import CallError, Flow, Outbound, Provider, read, send
from hyperroute.testing.script import Script

ANSWER = ("start", "part text", "say hello", "say  world", "end", "usage 7 2", "finish stop")
"""A good answer."""

STREAM = (("content-type", "text/event-stream"),)


def lines(name: str = "lines", *, failures: Mapping[str, Failure] | None = None) -> Provider:
    """Build the provider; ``failures`` gives verdicts by word, beyond the failure classes."""
    known = failures or {}

    def flow(call: Outbound) -> Flow:
        body = f"{call.model} {call.secret} {call.attempt}".encode()
        head = yield from send(HttpRequest(method="POST", url=call.url, body=body))
        if head.status >= 400:
            raise CallError(replace(_verdict((yield from read()), known), status=head.status))
        decoder = _Lines(known)
        while chunk := (yield from read()):
            yield from decoder.feed(chunk)
        decoder.close()

    return Provider(name=name, flow=flow, url=f"https://{name}.test", secret="")


def says(*body: str, status: int = 200, wait_ns: int = 0) -> Script:
    """Script an answer, one line a chunk, each after ``wait_ns``."""
    chunks = tuple(f"{line}\n".encode() for line in body)
    return Script(status=status, headers=STREAM, chunks=chunks, chunk_after_ns=wait_ns)


def fails(word: str, *, status: int = 500) -> Script:
    """Script an error reply."""
    return Script(status=status, chunks=(f"{word}\n".encode(),))


class _Lines:
    def __init__(self, known: Mapping[str, Failure]) -> None:
        self._known = known
        self._tail = b""
        self._index = -1
        self._finished = False

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        *whole, self._tail = (self._tail + chunk).split(b"\n")
        for line in whole:
            yield from self._event(line.decode())

    def close(self) -> None:
        if not self._finished:
            raise ProviderWireError("no finish", cut=True)

    def _event(self, line: str) -> Iterator[StreamEvent]:
        word, _, rest = line.partition(" ")
        match word:
            case "start":
                yield Started("reply-1", "the-model")
            case "part":
                self._index += 1
                yield PartStarted(self._index, _part(rest))
            case "say":
                yield PartDelta(self._index, rest)
            case "end":
                yield PartEnded(self._index)
            case "usage":
                taken, given = rest.split()
                yield UsageReported(Usage(input_tokens=int(taken), output_tokens=int(given)))
            case "finish":
                self._finished = True
                yield Finished("stop", rest)
            case "fail":
                raise CallError(_verdict(rest.encode(), self._known))
            case ":":
                return
            case "boom":
                raise RuntimeError("a bug of the plugin's, with https://inside.test in it")
            case _:
                raise ProviderWireError(f"{word!r} is no word")


def _part(kind: str) -> Text | ToolUse | Reasoning:
    match kind:
        case "tool":
            return ToolUse(id="call-1", name="look")
        case "reasoning":
            return Reasoning()
        case _:
            return Text()


def _verdict(body: bytes, known: Mapping[str, Failure]) -> Failure:
    word = body.decode().strip()
    if word in known:
        return known[word]
    kinds = [kind for kind in FailureClass if kind == word]
    return verdict_on(kinds[0] if kinds else FailureClass.SERVER_ERROR)


__all__ = ["ANSWER", "STREAM", "fails", "lines", "says"]
