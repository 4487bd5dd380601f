"""OpenAI chat completions, and the many servers that speak it: the dialect value.

Source: dialects.md (openai-python 3.54.0 types and readers, measured), read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from hyperroute.canon.content import Media
from hyperroute.canon.events import Reply
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.dialects import (
    openai_chat_encoding,
    openai_chat_head,
    openai_chat_settings,
    openai_chat_writing,
    openai_errors,
    relay,
)
from hyperroute.dialects.base import ClientError, Decoder, Emission, Encoder, ErrorReport, Profile
from hyperroute.dialects.filling import fill
from hyperroute.dialects.openai_asking import hears
from hyperroute.dialects.openai_chat_decoding import ChatDecoder
from hyperroute.dialects.openai_chat_passing import ChatManners
from hyperroute.dialects.tap import Tap
from hyperroute.dialects.unsaid import Speech


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiChat:
    """Chat completions as a server and as a client.

    Attributes:
        shows_thinking: Tell thinking as ``reasoning_content``, as several compatible servers do;
            OpenAI itself shows none.
    """

    name: str = openai_chat_head.NAME
    endpoint: str = openai_chat_head.ENDPOINT
    shows_thinking: bool = False

    @property
    def speech(self) -> Speech:
        """What chat can say of an answer."""
        return _SHOWING if self.shows_thinking else openai_chat_encoding.SPEECH

    def parse_request(
        self, raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
    ) -> Request:
        """Read the head of a caller's request; content is decoded on first use.

        Raises:
            ClientWireError: A member that routing needs has the wrong type.
        """
        return openai_chat_head.parse_request(raw, body=body, headers=headers)

    def emit_reply(self, reply: Reply, *, request: Request, model: str) -> bytes:
        """Write a whole reply; ``model`` is the name the caller is told."""
        return openai_chat_encoding.emit_reply(
            reply, request=request, model=model, shows_thinking=self.shows_thinking
        )

    def encoder(self, *, request: Request, model: str) -> Encoder:
        """Start writing a stream."""
        return openai_chat_encoding.ChatEncoder(
            request=request, model=model, shows_thinking=self.shows_thinking
        )

    def emit_error(self, error: ClientError) -> bytes:
        """Write an error body."""
        return openai_errors.emit_error(error)

    def needs_bytes(self, media: Media, *, profile: Profile) -> bool:
        """Say whether media that is given by its address can be said here by its bytes only."""
        return media.kind == "file" or (media.kind == "audio" and hears(profile))

    def emit_request(self, request: Request, *, model: str, profile: Profile) -> Emission:
        """Write a provider request for the upstream id ``model``.

        Raises:
            ClientWireError: The request cannot be said here at all, or its content is malformed.
        """
        return openai_chat_writing.emit_request(request, model=model, profile=profile)

    def fill(
        self, body: bytes, parameters: Mapping[str, Any], *, profile: Profile
    ) -> tuple[bytes, tuple[Loss, ...]]:
        """Say what a shape filled in or changed, in chat's own members.

        Raises:
            SpliceError: The body is not a JSON object.
            ValueError: A value is not JSON.
        """
        return fill(body, parameters, openai_chat_settings.places(profile))

    def decoder(self, *, stream: bool) -> Decoder:  # noqa: ARG002 - the first byte tells
        """Start reading a reply; what comes decides whether it is streamed or whole."""
        return ChatDecoder()

    def tap(self, *, request: Request, model: str | None) -> Tap:
        """Start reading a stream whose frames are handed on."""
        tell = None if model is None else partial(self.tell_model, model=model)
        asked = openai_chat_encoding.asks_for_usage(request)
        return Tap(ChatDecoder(), ChatManners(asked=asked), tell=tell)

    def parse_error(self, head: HttpHead, body: bytes) -> ErrorReport:
        """Extract what an error reply says; total over any bytes."""
        return openai_errors.parse_error(head, body)

    def tell_model(self, body: bytes, model: str) -> bytes:
        """Splice the caller's model name into a body or a frame, every other byte kept."""
        return relay.tell_model(body, model, ("model",))


_SHOWING: Final = replace(openai_chat_encoding.SPEECH, thinking="said")

OPENAI_CHAT: Final = OpenAiChat()
