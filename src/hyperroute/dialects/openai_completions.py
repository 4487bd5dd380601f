"""OpenAI's older text completions: requests pass as bytes, answers are read as plain text.

A prompt is no conversation (it may be half a sentence, several at once, or tokens), so nothing
translates: an account that does not speak this is not asked. Answers are texts, one for each prompt
and each of ``n``, streamed or whole.

Source: OpenAI's API reference, completions (legacy), and vLLM's, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.content import Media
from hyperroute.canon.events import Reply
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Conversation, Request
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.dialects import openai_errors, relay
from hyperroute.dialects.base import ClientError, Decoder, Emission, Encoder, ErrorReport, Profile
from hyperroute.dialects.extension import read_extension
from hyperroute.dialects.filling import fill
from hyperroute.dialects.openai_asking import pass_through
from hyperroute.dialects.openai_completions_answers import (
    NAME,
    CompletionsDecoder,
    CompletionsEncoder,
    CompletionsManners,
    emit_reply,
)
from hyperroute.dialects.reading import flag, integer, measured, number, text
from hyperroute.dialects.relay import Edit, Set
from hyperroute.dialects.tap import Tap
from hyperroute.dialects.unsaid import TOKENS, Speech
from hyperroute.errors import ClientWireError

ENDPOINT: Final = "completions"
PATH: Final = "/completions"

SPEECH: Final = Speech(
    dialect=NAME,
    choices=True,
    thinking="dropped",
    finishes=frozenset({"stop", "length", "filter"}),
    meters=TOKENS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiCompletions:
    """Text completions as a server and as a client."""

    name: str = NAME
    endpoint: str = ENDPOINT

    @property
    def speech(self) -> Speech:
        """What it can say of an answer: texts."""
        return SPEECH

    def parse_request(
        self, raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
    ) -> Request:
        """Read the head of a caller's request.

        Raises:
            ClientWireError: A member that routing needs has the wrong type.
        """
        del headers
        narrowing, _ = read_extension(raw)
        return Request(
            model=text(raw, "model", ""),
            intent=text(raw, "intent", ""),
            dialect=NAME,
            endpoint=ENDPOINT,
            raw=raw,
            body=body,
            stream=flag(raw, "stream", "") or False,
            input_bytes=measured(raw, body),
            max_output=integer(raw, "max_tokens", ""),
            parameters=_parameters(raw),
            narrowing=narrowing,
            decode=_undecoded,
        )

    def emit_reply(self, reply: Reply, *, request: Request, model: str) -> bytes:
        """Write a whole reply; ``model`` is the name the caller is told."""
        del request
        return emit_reply(reply, model=model)

    def encoder(self, *, request: Request, model: str) -> Encoder:
        """Start writing a stream."""
        return CompletionsEncoder(model=model, asked=_asks_for_usage(request))

    def emit_error(self, error: ClientError) -> bytes:
        """Write an error body."""
        return openai_errors.emit_error(error)

    def needs_bytes(self, media: Media, *, profile: Profile) -> bool:  # noqa: ARG002
        """Say no: there is no media in what passes."""
        return False

    def emit_request(self, request: Request, *, model: str, profile: Profile) -> Emission:
        """Send the caller's own bytes on; of a stream, ask for its usage.

        Raises:
            ClientWireError: The request is of another dialect, or not JSON.
        """
        del profile
        if request.dialect != NAME:
            raise ClientWireError("a conversation is no prompt to be completed")
        edits = _usage_edits(request) if request.stream else []
        return Emission(path=PATH, body=pass_through(request, model, edits))

    def fill(
        self, body: bytes, parameters: Mapping[str, Any], *, profile: Profile
    ) -> tuple[bytes, tuple[Loss, ...]]:
        """Say what a shape filled in, each under its own name.

        Raises:
            SpliceError: The body is not a JSON object.
            ValueError: A value is not JSON.
        """
        del profile
        return fill(body, parameters, MappingProxyType({}))

    def decoder(self, *, stream: bool) -> Decoder:  # noqa: ARG002 - the first byte tells
        """Start reading a reply; what comes decides whether it is streamed or whole."""
        return CompletionsDecoder()

    def tap(self, *, request: Request, model: str | None) -> Tap:
        """Start reading a stream whose frames are handed on."""
        tell = None if model is None else partial(self.tell_model, model=model)
        manners = CompletionsManners(asked=_asks_for_usage(request))
        return Tap(CompletionsDecoder(), manners, tell=tell)

    def parse_error(self, head: HttpHead, body: bytes) -> ErrorReport:
        """Extract what an error reply says; total over any bytes."""
        return openai_errors.parse_error(head, body)

    def tell_model(self, body: bytes, model: str) -> bytes:
        """Splice the caller's model name into a body or a frame, every other byte kept."""
        return relay.tell_model(body, model, ("model",))


def _parameters(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read what a shape may rule; ``n`` counts the answers, which every prompt of a list has."""
    found: dict[str, Any] = {}
    for key in ("temperature", "top_p"):
        if (said := number(raw, key, "")) is not None:
            found[key] = said
    if (seed := integer(raw, "seed", "")) is not None:
        found["seed"] = seed
    each = integer(raw, "n", "")
    prompts = _prompts(raw.get("prompt"))
    if each is not None or prompts > 1:
        found["n"] = (1 if each is None else each) * prompts
    return MappingProxyType(found)


def _prompts(prompt: Any) -> int:
    """Count the prompts: a list of texts or of token lists holds several, one of tokens is one."""
    if isinstance(prompt, list | tuple) and prompt and not isinstance(prompt[0], int):
        return len(prompt)
    return 1


def _asks_for_usage(request: Request) -> bool:
    options = request.raw.get("stream_options")
    return isinstance(options, Mapping) and options.get("include_usage") is True


def _usage_edits(request: Request) -> list[Edit]:
    """Ask for usage in a stream, which is sent only when asked for."""
    if _asks_for_usage(request):
        return []
    if isinstance(request.raw.get("stream_options"), Mapping):
        return [Set(("stream_options", "include_usage"), b"true")]
    return [Set(("stream_options",), b'{"include_usage":true}')]


def _undecoded(_raw: Mapping[str, Any]) -> Conversation:
    """Refuse to read what only passes.

    Raises:
        ClientWireError: Always.
    """
    raise ClientWireError("a prompt to be completed is no conversation")


OPENAI_COMPLETIONS: Final = OpenAiCompletions()

__all__ = ["OPENAI_COMPLETIONS", "OpenAiCompletions"]
