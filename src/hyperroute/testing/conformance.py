"""The kit that judges providers, ours and strangers' alike.

In a provider's own tests it reads::

    @pytest.mark.parametrize("case", provider_suite(ACME), ids=str)
    def test_acme_conforms(case: Case) -> None:
        case.check()

A provider that speaks known dialects is played through good answers, whole and streamed, in any
chunks, and through every row of the fault catalogue. One that answers without a network (an SDK, a
model in this process) is judged by its events, its determinism and its manners alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.content import Text, ToolUse
from hyperroute.canon.events import Reply, collect
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.grammar import violations
from hyperroute.canon.request import Request
from hyperroute.dialects.base import Dialect
from hyperroute.providers.builtin import DIALECTS
from hyperroute.providers.flow import SPEC, Outbound, Provider
from hyperroute.testing.conformance_play import Heard, Nonconforming, no_waiting, play
from hyperroute.testing.faults import Fault, catalogue
from hyperroute.testing.replies import HELLO, Call, Said, streamed, whole
from hyperroute.testing.script import Script

CANARY: Final = "sk-canary-7f3a9c51d2"
"""The credential of every call; wherever it is found but in a header, it has leaked."""

URL: Final = "https://upstream.invalid/v1"
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_TOOL: Final = "get_weather"
_SCHEMA: Final = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
_ASK: Final = "What is the weather in Oslo?"
_BODIES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "openai.chat": {
            "messages": [{"role": "user", "content": _ASK}],
            "tools": [{"type": "function", "function": {"name": _TOOL, "parameters": _SCHEMA}}],
        },
        "openai.responses": {
            "input": _ASK,
            "tools": [{"type": "function", "name": _TOOL, "parameters": _SCHEMA, "strict": False}],
        },
        "anthropic.messages": {
            "max_tokens": 512,
            "messages": [{"role": "user", "content": _ASK}],
            "tools": [{"name": _TOOL, "input_schema": _SCHEMA}],
        },
        "gemini.generate": {
            "contents": [{"role": "user", "parts": [{"text": _ASK}]}],
            "tools": [{"functionDeclarations": [{"name": _TOOL, "parametersJsonSchema": _SCHEMA}]}],
        },
    }
)
_FILLED: Final[Mapping[str, Any]] = MappingProxyType(
    {"temperature": 0.5, "top_p": 0.25, "service_tier": "flex"}
)
"""Parameters that every known dialect has a word for."""
_GARBAGE: Final = (
    b"",
    b"\x00\xff\xfe",
    b"null",
    b"[]",
    b"{}",
    b'{"error":null}',
    b'{"error":[1]}',
    b'"text"',
    b"data: {}\n\n",
    b"data: [1]\n\ndata: null\n\n",
    b"event: error\ndata: oops\n\n",
    b"{" * 5_000,
    b"<!DOCTYPE html>",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a provider must do; its text names it in a test report."""

    name: str
    check: Callable[[], None] = field(repr=False)

    def __str__(self) -> str:
        return self.name


def provider_suite(
    provider: Provider,
    *,
    options: Mapping[str, Any] = MappingProxyType({}),
    requests: Mapping[str, Request] = MappingProxyType({}),
) -> tuple[Case, ...]:
    """List the cases of a provider.

    Args:
        provider: Who is judged.
        options: A table entry's ``options`` to judge it under.
        requests: Further requests by name, for what no known dialect can ask (images, jobs); they
            are judged without an upstream, by events and manners.
    """
    return tuple(_Suite(provider, options, requests).cases())


@dataclass(frozen=True, slots=True)
class _Suite:
    provider: Provider
    options: Mapping[str, Any]
    requests: Mapping[str, Request]

    def cases(self) -> Iterator[Case]:
        """Yield all cases, the plainest first."""
        yield Case("the value is well formed", self.well_formed)
        for word, dialect in self.spoken().items():
            for stream in (False, True):
                call = self.call(dialect, stream=stream)
                script = (streamed if stream else whole)(dialect.name)
                yield from self.manners(_label(word, stream=stream), call, script)
                yield from self.upstream(word, dialect, stream=stream)
        for name, request in self.requests.items():
            yield from self.manners(name, self.outbound(request), Script(status=500))

    def spoken(self) -> Mapping[str, Dialect]:
        """Return the dialects that can be played: their upstream's words are known to the kit."""
        words = self.provider.speaks
        found = self.provider.dialects or {w: DIALECTS[w] for w in words if w in DIALECTS}
        return {word: dialect for word, dialect in found.items() if dialect.name in _BODIES}

    def call(self, dialect: Dialect, *, stream: bool) -> Outbound:
        """Ask the same question in one dialect."""
        raw = {"model": "model-1", "stream": stream, **_BODIES[dialect.name]}
        return self.outbound(dialect.parse_request(raw, body=json.dumps(raw).encode()))

    def outbound(self, request: Request) -> Outbound:
        """Make an attempt of a request."""
        return Outbound(
            request=request,
            model="model-1",
            url=self.provider.url or URL,
            secret=CANARY,
            speaks=(request.endpoint,) if request.endpoint in self.provider.speaks else (),
            options=self.options,
            unix_s=1_790_000_000,
            seed=7,
        )

    def well_formed(self) -> None:
        """Judge the value itself."""
        provider = self.provider
        _that(bool(_NAME.fullmatch(provider.name)), f"the name {provider.name!r} is no table word")
        _that(provider.spec <= SPEC, f"it is written for contract {provider.spec}, not {SPEC}")
        _that(bool(provider.speaks) or not provider.dialects, "it speaks nothing")
        silent = set(provider.speaks) - set(provider.dialects or provider.speaks)
        _that(not silent, f"it says it speaks {sorted(silent)} without a dialect")
        _that(
            not provider.url or provider.url.startswith(("https://", "http://")),
            f"the url {provider.url!r} is not absolute",
        )
        _that(not provider.url.endswith("/"), "the url ends in a slash")
        _that(
            not provider.secret or ":" in provider.secret,
            f"the secret {provider.secret!r} is no reference such as 'env:ACME_API_KEY'",
        )

    def manners(self, label: str, call: Outbound, script: Script) -> Iterator[Case]:
        """Judge what holds for any flow, with a network or without."""

        def good() -> None:
            heard = play(self.provider, call, script)
            if heard.failure is None:
                _well_told(heard)
            else:
                _classified(heard)

        def repeatable() -> None:
            before = deepcopy(dict(call.request.raw))
            first = play(self.provider, replace(call, losses=[]), script)
            second = play(self.provider, replace(call, losses=[]), script)
            _that(first.wishes == second.wishes, "equal calls led to different conversations")
            _that(dict(call.request.raw) == before, "the flow changed the request")

        def closable() -> None:
            wishes = len(play(self.provider, call, script).wishes)
            for number in range(wishes):
                play(self.provider, call, script, stop_after=number)

        def quiet() -> None:
            play(self.provider, call, script)  # what is imported on first use may touch the disk
            with no_waiting():
                play(self.provider, call, script)

        def discreet() -> None:
            _discreet(play(self.provider, call, script))

        yield Case(f"{label}: an answer follows the grammar", good)
        yield Case(f"{label}: equal calls go equally", repeatable)
        yield Case(f"{label}: the flow closes quietly at any point", closable)
        yield Case(f"{label}: the flow never waits by itself", quiet)
        yield Case(f"{label}: the credential stays in the headers", discreet)

    def upstream(self, word: str, dialect: Dialect, *, stream: bool) -> Iterator[Case]:
        """Judge what holds for a flow that talks to an upstream in a known dialect."""
        call = self.call(dialect, stream=stream)
        label = _label(word, stream=stream)
        answer = streamed if stream else whole
        if not self.asks_an_upstream(call, answer(dialect.name)):
            return

        def said(text: Said) -> Callable[[], None]:
            def check() -> None:
                script = answer(dialect.name, text)
                plain = _reply(play(self.provider, call, script))
                _says(plain, text)
                for size in (1, 2, 7, 64):
                    again = _reply(play(self.provider, call, script.split(size)))
                    _that(again == plain, f"chunks of {size} bytes change the answer")

            return check

        def mismatched() -> None:
            other = whole if stream else streamed
            _says(_reply(play(self.provider, call, other(dialect.name))), HELLO)

        def garbage() -> None:
            for status in (200, 400, 429, 500):
                for body in _GARBAGE:
                    for kind in ("application/json", "text/event-stream", "text/plain"):
                        script = Script(
                            status=status, headers=(("content-type", kind),), chunks=(body,)
                        )
                        heard = play(self.provider, call, script)
                        _that(heard.failure is not None, f"{status} {body[:20]!r} was an answer")
                        _discreet(heard)

        def signed() -> None:
            heard = play(self.provider, call, answer(dialect.name))
            shown = any(CANARY in value for name, value in heard.sent[0].headers)
            _that(shown or not self.provider.secret, "no header carries the credential")

        def filled() -> None:
            asked = replace(call, parameters=_FILLED, losses=[])
            sent = play(self.provider, asked, answer(dialect.name)).sent[0]
            body = json.loads(sent.body or b"null")
            _that(isinstance(body, dict), "the request's body is no JSON object")
            read = dialect.parse_request(body).parameters
            wrong = {name for name, value in _FILLED.items() if read.get(name) != value}
            _that(not wrong, f"what a shape fills in cannot be read back: {sorted(wrong)}")

        yield Case(f"{label}: what a shape fills in is said", filled)
        yield Case(f"{label}: text arrives in any chunks", said(HELLO))
        yield Case(
            f"{label}: tool calls arrive in any chunks", said(Said(text=(), calls=(Call(),)))
        )
        yield Case(f"{label}: an answer in the other form is read, too", mismatched)
        yield Case(f"{label}: any bytes end in a verdict", garbage)
        yield Case(f"{label}: the request is signed", signed)
        for fault in catalogue(dialect.name):
            if fault.stream in (None, stream) and not _needs_transport(fault):
                name = f"{label}: row {fault.row}, {fault.name}"
                yield Case(name, self.fault(call, fault))

    def asks_an_upstream(self, call: Outbound, script: Script) -> bool:
        """Say whether anything that an upstream does can reach the flow at all."""
        try:
            return bool(play(self.provider, call, script).sent)
        except Nonconforming:
            return False  # the cases of manners say why; a list of cases must not fail itself

    def fault(self, call: Outbound, fault: Fault) -> Callable[[], None]:
        """Judge the verdict on one row of the catalogue."""

        def check() -> None:
            heard = play(self.provider, call, fault.script)
            _discreet(heard)
            if heard.failure is None:
                _that(fault.serves or not fault.kinds, f"a {fault.name} was taken for an answer")
                _well_told(heard)
                return
            kinds = sorted(fault.kinds)
            _that(heard.failure.kind in fault.kinds, f"it is {heard.failure.kind}, not {kinds}")

        return check


def _needs_transport(fault: Fault) -> bool:
    """Say whether a flow alone cannot show it: time, or what a transport decodes before."""
    script = fault.script
    if script.chunk_after_ns or script.head_after_ns or script.waits_ns:
        return True
    return any(name == "content-encoding" for name, _ in script.headers)


def _label(word: str, *, stream: bool) -> str:
    return f"{word}, {'streamed' if stream else 'whole'}"


def _that(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Nonconforming(otherwise)


def _classified(heard: Heard) -> None:
    assert heard.failure is not None
    _that(heard.failure.kind in FailureClass, f"{heard.failure.kind!r} is no failure class")


def _well_told(heard: Heard) -> None:
    wrong = violations(heard.events)
    _that(not wrong, f"the events break the grammar: {'; '.join(wrong)}")


def _reply(heard: Heard) -> Reply:
    if heard.failure is not None:
        raise Nonconforming(f"a good answer failed: {heard.failure} {heard.failure.message}")
    _well_told(heard)
    return collect(heard.events)


def _says(reply: Reply, said: Said) -> None:
    _that(reply.text == "".join(said.text), f"the text arrived as {reply.text!r}")
    calls = [_meaning(p) for p in reply.choices[0].parts if isinstance(p, ToolUse)]
    wanted = [_meaning(call) for call in said.calls]
    _that(calls == wanted, f"the tool calls arrived as {calls!r}")
    finish = reply.choices[0].finish.reason
    _that(finish == ("tool_calls" if wanted else "stop"), f"it finished as {finish!r}")
    _that(
        (reply.usage.input_tokens, reply.usage.output_tokens)
        == (said.input_tokens, said.output_tokens),
        f"the usage arrived as {reply.usage!r}",
    )
    _that(all(p.text for p in reply.choices[0].parts if isinstance(p, Text)), "an empty text part")


def _meaning(call: Call | ToolUse) -> tuple[str, object]:
    try:
        return call.name, json.loads(call.arguments)
    except ValueError:
        return call.name, call.arguments


def _discreet(heard: Heard) -> None:
    for request in heard.sent:
        _that(CANARY not in request.url, "the credential is in a URL, and so in everybody's logs")
        _that(CANARY not in repr(request), "the credential is in the repr of a request")
        _that(CANARY.encode() not in request.body, "the credential is in a body")
    _that(CANARY not in repr(heard.events), "the credential is in an event")
    if heard.failure is not None:
        told = f"{heard.failure!r} {heard.failure.message} {heard.failure.code}"
        _that(CANARY not in told, "the credential is in a failure")


__all__ = ["CANARY", "Case", "Nonconforming", "provider_suite"]
