"""The fault catalogue of reliability.md 3 as data: each row a name and a script that shows it.

``catalogue`` lists what every dialect's providers are known to do, in that dialect; ``FAULTS`` is
its chat edition. World and Upstream play the scripts, so a row proves the same thing in simulation
and over sockets. Statuses and their bodies are rows 10 to 47, bodies that are not what they should
be 48 to 53, streams that go wrong 54 to 66; below the status are 1 to 9.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from hyperroute.canon.failure import FailureClass as Is
from hyperroute.canon.wire import Headers
from hyperroute.runtime.ports import TransportFault
from hyperroute.testing.bodies import to_json
from hyperroute.testing.replies import DIALECTS, JSON, SSE, error_event, refusal, streamed, whole
from hyperroute.testing.script import SECOND, Script
from hyperroute.testing.upstream import SOCKET_FAULTS

FOREVER_NS: Final = 3600 * SECOND
HTML: Final[Headers] = (("content-type", "text/html; charset=utf-8"),)
PAGE: Final = b"<!DOCTYPE html><html><title>502 Bad Gateway</title><h1>Bad Gateway</h1></html>\n"
DATE: Final = "Mon, 21 Sep 2026 14:13:20 GMT"
"""``date`` of answers whose hint is an instant: only together do they say how long to wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail.

    Attributes:
        row: In the catalogue.
        name: Says what happens, unique within a catalogue.
        script: Plays it.
        kinds: What the attempt may be classified as; empty if it must be served in spite.
        serves: The answer may also be served, repaired or ignored.
        stream: It shows itself to a streaming request (true), a whole one (false), or both.
    """

    row: int
    name: str
    script: Script
    kinds: frozenset[Is] = frozenset()
    serves: bool = False
    stream: bool | None = None

    @property
    def sockets(self) -> bool:
        """Say whether an Upstream can play it; what happens below TCP needs a World."""
        return self.script.fault is None or self.script.fault in SOCKET_FAULTS


def catalogue(dialect: str) -> tuple[Fault, ...]:
    """List the faults of one dialect's providers, in the order of the catalogue.

    Raises:
        KeyError: There is no such dialect.
    """
    rows = (
        *_below_status(),
        *_statuses(dialect),
        *_throttles(dialect),
        *_bodies(dialect),
        *_streams(dialect),
    )
    return tuple(sorted(rows, key=lambda fault: fault.row))


def _below_status() -> Iterator[Fault]:
    def row(number: int, name: str, fault: TransportFault, *kinds: Is) -> Fault:
        return Fault(row=number, name=name, script=Script(fault=fault), kinds=frozenset(kinds))

    yield row(1, "dns failure", "dns", Is.NET_UNSENT)
    yield row(2, "connect refused", "connect", Is.NET_UNSENT)
    yield row(3, "connect timeout", "connect_timeout", Is.NET_UNSENT, Is.SLOW_START)
    yield row(4, "tls failure", "tls", Is.NET_UNSENT)
    yield row(5, "pool exhausted", "pool", Is.NET_UNSENT)
    yield row(6, "reset before any request byte", "unsent", Is.NET_UNSENT)
    yield row(7, "reset after the request", "reset", Is.NET_AMBIGUOUS)
    yield row(9, "http/2 stream refused", "goaway", Is.NET_UNSENT)
    yield row(54, "slow first byte", "first_byte", Is.SLOW_START)


def _words(dialect: str, status: int) -> str:
    """Say how a provider of this dialect calls a status (dialects.md, 7)."""
    a, g = {
        400: ("invalid_request_error", "INVALID_ARGUMENT"),
        401: ("authentication_error", "UNAUTHENTICATED"),
        402: ("billing_error", "FAILED_PRECONDITION"),
        403: ("permission_error", "PERMISSION_DENIED"),
        404: ("not_found_error", "NOT_FOUND"),
        413: ("request_too_large", "INVALID_ARGUMENT"),
        429: ("rate_limit_error", "RESOURCE_EXHAUSTED"),
        503: ("overloaded_error", "UNAVAILABLE"),
        504: ("timeout_error", "DEADLINE_EXCEEDED"),
        529: ("overloaded_error", "UNAVAILABLE"),
    }.get(status, ("api_error", "INTERNAL"))
    if dialect == "anthropic.messages":
        return a
    if dialect == "gemini.generate":
        return g
    return "server_error" if status >= 500 else "invalid_request_error"


def _statuses(dialect: str) -> Iterator[Fault]:
    def row(
        number: int, name: str, status: int, *kinds: Is, code: str | None = None, says: str = ""
    ) -> Fault:
        script = refusal(
            dialect,
            status,
            kind=_words(dialect, status),
            message=says or f"scripted: {name}",
            code=code,
        )
        return Fault(row=number, name=name, script=script, kinds=frozenset(kinds))

    openai = dialect in {"openai.chat", "openai.responses"}
    too_long = {"anthropic.messages": "prompt is too long: 210000 tokens > 200000 maximum"}.get(
        dialect, "The input token count (2000000) exceeds the maximum number of tokens allowed"
    )
    yield row(10, "408", 408, Is.SLOW_START, Is.SERVER_ERROR)
    yield row(12, "413", 413, Is.BAD_REQUEST, Is.CONTEXT_LENGTH)
    yield row(13, "400 invalid request", 400, Is.BAD_REQUEST)
    length_code = "context_length_exceeded" if openai else None
    yield row(14, "400 too long", 400, Is.CONTEXT_LENGTH, code=length_code, says=too_long)
    if dialect == "openai.chat":
        yield row(16, "400 content filter", 400, Is.CONTENT_POLICY, code="content_filter")
    if dialect == "anthropic.messages":
        says = "Your credit balance is too low to access the Anthropic API."
        yield row(17, "400 credit too low", 400, Is.PROVIDER_FUNDS, says=says)
    if dialect == "gemini.generate":
        says = "API key not valid. Please pass a valid API key."
        yield row(18, "400 bad key", 400, Is.PROVIDER_AUTH, code="API_KEY_INVALID", says=says)
    yield row(22, "401", 401, Is.PROVIDER_AUTH, code="invalid_api_key" if openai else None)
    yield row(24, "402", 402, Is.PROVIDER_FUNDS)
    yield row(25, "403", 403, Is.PROVIDER_AUTH)
    yield row(28, "404 model", 404, Is.UNKNOWN_MODEL, code="model_not_found" if openai else None)
    yield row(30, "422", 422, Is.BAD_REQUEST)
    yield row(39, "500", 500, Is.SERVER_ERROR)
    page = Script(status=502, headers=HTML, chunks=(PAGE,), length=len(PAGE))
    yield Fault(row=40, name="502 html", script=page, kinds=frozenset({Is.SERVER_ERROR}))
    yield row(41, "503", 503, Is.OVERLOADED, code="server_is_overloaded" if openai else None)
    yield row(42, "504", 504, Is.SLOW_START)
    cdn = replace(page, status=524)
    yield Fault(row=43, name="524", script=cdn, kinds=frozenset({Is.SERVER_ERROR, Is.SLOW_START}))
    yield row(44, "529", 529, Is.OVERLOADED)
    moved = Script(status=302, headers=(("location", "https://elsewhere.invalid/"),), length=0)
    yield Fault(row=46, name="302", script=moved, kinds=frozenset({Is.MALFORMED_OUTPUT}))
    yield Fault(
        row=47, name="204", script=Script(status=204), kinds=frozenset({Is.MALFORMED_OUTPUT})
    )


def _throttles(dialect: str) -> Iterator[Fault]:
    kind = "rate_limit_error" if dialect == "anthropic.messages" else "RESOURCE_EXHAUSTED"
    if dialect.startswith("openai"):
        kind = "rate_limit_exceeded"
    limited = frozenset({Is.RATE_LIMITED})
    hints: tuple[tuple[str, Headers], ...] = (
        ("retry-after", (("retry-after", "20"),)),
        ("retry-after-ms", (("retry-after-ms", "20000"), ("retry-after", "7"))),
        ("a date", (("date", DATE), ("retry-after", "Mon, 21 Sep 2026 14:13:40 GMT"))),
        ("x-ratelimit-reset", (("x-ratelimit-reset-requests", "20s"),)),
        ("anthropic reset", (("date", DATE), ("anthropic-ratelimit-requests-reset",
                                              "2026-09-21T14:13:40Z"))),
        ("x-amz-retry-after", (("x-amz-retry-after", "20000"),)),
        ("an unreadable hint", (("retry-after", "NaN"),)),
        ("a boundless hint", (("retry-after", "4294967"),)),
    )  # fmt: skip
    for name, headers in hints:
        script = refusal(dialect, 429, kind=kind, headers=headers)
        yield Fault(row=31, name=f"429 with {name}", script=script, kinds=limited)
    if dialect == "gemini.generate":
        retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "20s"}
        error = {"code": 429, "message": "quota", "status": kind, "details": [retry]}
        body = to_json({"error": error})
        script = Script(status=429, headers=JSON, chunks=(body,), length=len(body))
        yield Fault(row=31, name="429 with RetryInfo", script=script, kinds=limited)
    yield Fault(row=32, name="429 bare", script=refusal(dialect, 429, kind=kind), kinds=limited)
    if dialect == "gemini.generate":
        return
    money = "insufficient_quota" if dialect.startswith("openai") else kind
    code = "insufficient_quota" if dialect.startswith("openai") else "enforced_spend_limit_reached"
    script = refusal(dialect, 429, kind=money, code=code)
    yield Fault(row=35, name="429 money", script=script, kinds=frozenset({Is.PROVIDER_FUNDS}))
    if dialect.startswith("openai"):
        script = refusal(dialect, 429, kind="tokens", code="slow_down")
        yield Fault(row=33, name="429 slow_down", script=script, kinds=limited)
        says = "Your request reached max organization concurrency: 3"
        script = refusal(dialect, 429, kind="rate_limit_reached_error", message=says)
        yield Fault(row=37, name="429 concurrency", script=script, kinds=limited)


def _bodies(dialect: str) -> Iterator[Fault]:
    good = whole(dialect)
    body = good.body
    malformed = frozenset({Is.MALFORMED_OUTPUT})
    cut = frozenset({Is.TRUNCATED, Is.MALFORMED_OUTPUT})

    def row(number: int, name: str, script: Script, kinds: frozenset[Is]) -> Fault:
        return Fault(row=number, name=name, script=script, kinds=kinds, stream=False)

    def of(data: bytes, headers: Headers = JSON) -> Script:
        return Script(headers=headers, chunks=(data,), length=len(data))

    page = of(PAGE, HTML)
    yield Fault(row=48, name="200 html", script=page, kinds=malformed)
    yield row(49, "200 truncated json", of(body[: len(body) // 2]), cut)
    yield row(50, "200 wrong shape", of(b'{"surprise":[]}'), cut)
    yield row(50, "200 not an object", of(b"[1,2]"), malformed)
    kind = _words(dialect, 503)
    inner = refusal(dialect, 503, kind=kind, message="The engine is currently overloaded")
    yield row(51, "200 with an error object", replace(inner, status=200),
              frozenset({Is.OVERLOADED, Is.SERVER_ERROR}))  # fmt: skip
    yield row(52, "content-length mismatch", replace(good, length=len(body) + 100), cut)
    zipped = (*JSON, ("content-encoding", "gzip"))
    yield row(53, "bad gzip", of(b"this is not gzip at all", zipped), malformed)
    bomb = gzip.compress(b" " * (8 * 1024 * 1024), 9, mtime=0)
    yield row(53, "gzip bomb", of(bomb, zipped), malformed)
    called = replace(good, headers=(("content-type", "application/octet-stream"),))
    yield Fault(row=48, name="200 json by another name", script=called, kinds=malformed,
                serves=True, stream=False)  # fmt: skip


def _streams(dialect: str) -> Iterator[Fault]:
    good = streamed(dialect)
    events = good.chunks
    begun = _begun(dialect)
    broken = frozenset({Is.TRUNCATED, Is.NET_AMBIGUOUS})
    malformed = frozenset({Is.MALFORMED_OUTPUT})
    late = frozenset({Is.STALLED, Is.SLOW_START})
    inner = frozenset({Is.OVERLOADED, Is.SERVER_ERROR})

    def row(number: int, name: str, script: Script, *kinds: frozenset[Is]) -> Fault:
        merged = frozenset[Is]().union(*kinds)
        return Fault(
            row=number, name=name, script=script, kinds=merged, serves=not kinds, stream=True
        )

    def of(*chunks: bytes) -> Script:
        return replace(good, chunks=chunks)

    yield row(55, "status but no event", Script(headers=SSE, end="stall"), late)
    yield row(56, "slow loris", replace(good.split(1), chunk_after_ns=SECOND * 3 // 2), late)
    yield row(57, "idle in mid stream", replace(of(*events[:begun]), end="stall"), late)
    pings = replace(of(*events[:begun], *[b": keep-alive\n\n"] * 400), chunk_after_ns=5 * SECOND)
    yield row(57, "keep-alive comments only", replace(pings, end="stall"), late)
    yield row(59, "end without a terminal", of(*events[:begun]), broken)
    yield row(59, "end before anything", of(), broken, malformed)
    half = replace(of(*events[:begun]), end="cut")
    yield row(59, "cut between two events", half, broken)
    size = sum(map(len, events[:begun])) - 7
    yield row(59, "cut within an event", good.cut_at(size), broken)
    yield row(60, "reset in mid stream", replace(half, end="reset"), broken)
    error = error_event(dialect, kind=_words(dialect, 503), message="Overloaded")
    yield row(61, "error event first", of(error), inner)
    yield row(61, "error after the opening", of(events[0], error), inner)
    yield row(62, "error event later", of(*events[:begun], error), inner)
    ends = {"openai.chat": 3, "anthropic.messages": 2}.get(dialect, 1)
    yield row(63, "two terminals", of(*events, *events[-ends:]))
    yield row(64, "content after the terminal", of(*events, events[begun - 1]))
    umlaut = events[begun].replace(b"\xc3\xb6", b"\xff\xfe")
    yield row(65, "invalid utf-8", of(*events[:begun], umlaut, *events[begun + 1 :]), malformed)
    yield row(65, "bad json", of(*events[:begun], b'data: {"a": \n\n', *events[begun:]), malformed)
    piece = b"x" * (1024 * 1024)
    giant = (*events[:begun], b'data: {"a": "', *[piece] * 17, b'"}\n\n')
    yield row(66, "giant event", of(*giant, *events[begun:]), malformed)
    if dialect == "openai.chat":
        yield row(67, "tool calls without ids or places", of(*_calls(*_STRAY)))
        yield row(68, "tool arguments that are no json", of(*_calls(*_UNREADABLE)))


_STRAY: Final[tuple[dict[str, object], ...]] = (
    {"function": {"name": "look", "arguments": '{"at":'}},
    {"function": {"arguments": '"a"}'}},
    {"index": 7, "function": {"name": "look", "arguments": '{"at":"b"}'}},
)
_UNREADABLE: Final[tuple[dict[str, object], ...]] = (
    {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": '{"at": "a", at'}},
    {"index": 0, "function": {"arguments": ": b}"}},
    {"index": 1, "id": "call_2", "function": {"name": "run", "arguments": "ls -l"}},
)


def _calls(*fragments: dict[str, object]) -> Iterator[bytes]:
    """Stream an answer of chat that calls tools, as servers do that only look compatible."""

    def chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "model-1"}
        return b"data: " + to_json({**body, "choices": [choice]}) + b"\n\n"

    yield chunk({"role": "assistant", "content": None})
    for fragment in fragments:
        yield chunk({"tool_calls": [{"type": "function", **fragment}]})
    yield chunk({}, "tool_calls")
    yield b"data: [DONE]\n\n"


def _begun(dialect: str) -> int:
    """Count the events up to the first that holds content, it included."""
    return {
        "openai.chat": 2,
        "openai.responses": 5,
        "anthropic.messages": 4,
        "gemini.generate": 1,
    }[dialect]


FAULTS: Final = catalogue("openai.chat")

__all__ = ["DIALECTS", "FAULTS", "Fault", "catalogue"]
