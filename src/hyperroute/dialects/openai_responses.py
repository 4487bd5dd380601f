"""OpenAI Responses: the dialect value.

Source: dialects.md (openai-python 3.54.0 types and readers, measured), read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from hyperroute.canon.content import Media
from hyperroute.canon.events import Reply, replay
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.dialects import (
    openai_errors,
    openai_responses_head,
    openai_responses_reply,
    openai_responses_settings,
    openai_responses_writing,
    relay,
)
from hyperroute.dialects.base import ClientError, Decoder, Emission, Encoder, ErrorReport, Profile
from hyperroute.dialects.filling import fill
from hyperroute.dialects.openai_asking import hears
from hyperroute.dialects.openai_responses_decoding import ResponsesDecoder
from hyperroute.dialects.openai_responses_encoding import ResponsesEncoder
from hyperroute.dialects.tap import NamedManners, Tap
from hyperroute.dialects.unsaid import Speech


class _Manners(NamedManners):
    """A keep-alive is an event of its own (clients.md, 7)."""

    quiet = b'"keepalive"'


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiResponses:
    """Responses as a server and as a client."""

    name: str = openai_responses_head.NAME
    endpoint: str = openai_responses_head.ENDPOINT

    @property
    def speech(self) -> Speech:
        """What Responses can say of an answer."""
        return openai_responses_reply.SPEECH

    def parse_request(
        self, raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
    ) -> Request:
        """Read the head of a caller's request; content is decoded on first use.

        Raises:
            ClientWireError: A member that routing needs has the wrong type.
        """
        return openai_responses_head.parse_request(raw, body=body, headers=headers)

    def emit_reply(self, reply: Reply, *, request: Request, model: str) -> bytes:
        """Write a whole reply; ``model`` is the name the caller is told.

        It is the last event of the reply's own stream, so that the two can never differ.
        """
        encoder = ResponsesEncoder(request=request, model=model)
        for event in replay(reply):
            encoder.feed(event)
        return encoder.whole()

    def encoder(self, *, request: Request, model: str) -> Encoder:
        """Start writing a stream."""
        return ResponsesEncoder(request=request, model=model)

    def emit_error(self, error: ClientError) -> bytes:
        """Write an error body."""
        return openai_errors.emit_error(error)

    def needs_bytes(self, media: Media, *, profile: Profile) -> bool:
        """Say whether media that is given by its address can be said here by its bytes only."""
        return media.kind == "audio" and hears(profile)

    def emit_request(self, request: Request, *, model: str, profile: Profile) -> Emission:
        """Write a provider request for the upstream id ``model``.

        Raises:
            ClientWireError: The request cannot be said here at all, or its content is malformed.
        """
        return openai_responses_writing.emit_request(request, model=model, profile=profile)

    def fill(
        self, body: bytes, parameters: Mapping[str, Any], *, profile: Profile
    ) -> tuple[bytes, tuple[Loss, ...]]:
        """Say what a shape filled in or changed, in Responses' own members.

        Raises:
            SpliceError: The body is not a JSON object.
            ValueError: A value is not JSON.
        """
        del profile
        return fill(body, parameters, openai_responses_settings.PLACES)

    def decoder(self, *, stream: bool) -> Decoder:  # noqa: ARG002 - the first byte tells
        """Start reading a reply; what comes decides whether it is streamed or whole."""
        return ResponsesDecoder()

    def tap(self, *, request: Request, model: str | None) -> Tap:
        """Start reading a stream whose frames are handed on."""
        del request
        tell = None if model is None else partial(self.tell_model, model=model)
        decoder = ResponsesDecoder()
        return Tap(decoder, _Manners(), tell=tell, skip=decoder.skip)

    def parse_error(self, head: HttpHead, body: bytes) -> ErrorReport:
        """Extract what an error reply says; total over any bytes."""
        return openai_errors.parse_error(head, body)

    def tell_model(self, body: bytes, model: str) -> bytes:
        """Splice the caller's model name into a body or a frame, every other byte kept."""
        return relay.tell_model(body, model, ("model",), ("response", "model"))


OPENAI_RESPONSES: Final = OpenAiResponses()
