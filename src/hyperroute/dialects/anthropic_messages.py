"""Anthropic Messages: ``anthropic.messages``, the endpoint ``messages``.

A request of this dialect passes through as its own bytes. The edits are a closed list (architecture.md,
law 7): ``model``, our own members removed, one default cache breakpoint, thinking that the target
declares to refuse asked for in its own way (api.md, 3), and seals that a translated answer had tagged
opened or, another vendor's, removed (dialects.md, 1.4). A search that is only offered is taken out for
a target that is known not to search.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hyperroute.canon.content import Media
from hyperroute.canon.events import Reply
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.dialects import anthropic_messages_encode as encode
from hyperroute.dialects import anthropic_messages_errors as errors
from hyperroute.dialects import anthropic_messages_head as head
from hyperroute.dialects import json, relay, sse
from hyperroute.dialects.anthropic_messages_decode import MessagesDecoder
from hyperroute.dialects.anthropic_messages_options import PLACES, version_of
from hyperroute.dialects.anthropic_messages_passing import edits_of
from hyperroute.dialects.anthropic_messages_read import NAME
from hyperroute.dialects.anthropic_messages_speech import SPEECH
from hyperroute.dialects.anthropic_messages_write import PATH, translate
from hyperroute.dialects.base import ClientError, Emission, ErrorReport, Profile
from hyperroute.dialects.filling import fill
from hyperroute.dialects.tap import NamedManners, Tap
from hyperroute.dialects.unsaid import Speech
from hyperroute.errors import ClientWireError


class _Manners(NamedManners):
    """A message that said why it stops is also stopped, which some servers leave out."""

    quiet = b'"ping"'

    def ended(self, frames: list[bytes]) -> list[bytes]:
        """End with ``message_stop``."""
        if not frames or b'"message_stop"' not in frames[-1][:80]:
            frames.append(sse.frame(b'{"type":"message_stop"}', name="message_stop"))
        return frames


@dataclass(frozen=True, slots=True)
class AnthropicMessages:
    """The dialect as a value."""

    name: str = NAME
    endpoint: str = "messages"

    @property
    def speech(self) -> Speech:
        """What Messages can say of an answer."""
        return SPEECH

    def parse_request(
        self, raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
    ) -> Request:
        """Read the head of a caller's request.

        Raises:
            ClientWireError: A member that routing needs has the wrong type.
        """
        return head.parse_request(raw, body=body, headers=headers)

    def emit_reply(self, reply: Reply, *, request: Request, model: str) -> bytes:
        """Write a whole reply."""
        return encode.emit_reply(reply, request=request, model=model)

    def encoder(self, *, request: Request, model: str) -> encode.MessagesEncoder:
        """Start writing a stream."""
        return encode.MessagesEncoder(request, model)

    def emit_error(self, error: ClientError) -> bytes:
        """Write an error body."""
        return encode.emit_error(error)

    def needs_bytes(self, media: Media, *, profile: Profile) -> bool:
        """Say whether media that is given by its address can be said here by its bytes only."""
        del media, profile
        return False

    def emit_request(self, request: Request, *, model: str, profile: Profile) -> Emission:
        """Pass a request of this dialect through, or translate another's.

        Raises:
            ClientWireError: It cannot be said here at all, or its content is malformed.
        """
        if request.dialect != NAME:
            return translate(request, model=model, profile=profile)
        body = request.body
        try:
            if body is None:
                body = json.dumps(request.raw)
            edits, losses = edits_of(request, body, model=model, profile=profile)
            body = relay.splice(body, edits)
        except ValueError as error:
            raise ClientWireError(str(error)) from error
        return Emission(
            path=PATH, body=body, headers=tuple(_headers(request, profile)), losses=losses
        )

    def fill(
        self, body: bytes, parameters: Mapping[str, Any], *, profile: Profile
    ) -> tuple[bytes, tuple[Loss, ...]]:
        """Say what a shape filled in or changed, in Messages' own members.

        Raises:
            SpliceError: The body is not a JSON object.
            ValueError: A value is not JSON.
        """
        del profile
        return fill(body, parameters, PLACES)

    def decoder(self, *, stream: bool) -> MessagesDecoder:
        """Start reading a reply; its first byte says whether it is streamed."""
        del stream
        return MessagesDecoder()

    def tap(self, *, request: Request, model: str | None) -> Tap:
        """Start reading a stream whose frames are handed on."""
        del request
        tell = None if model is None else partial(self.tell_model, model=model)
        return Tap(MessagesDecoder(), _Manners(), tell=tell)

    def parse_error(self, head: HttpHead, body: bytes) -> ErrorReport:
        """Extract what an error reply says."""
        return errors.parse_error(head, body)

    def tell_model(self, body: bytes, model: str) -> bytes:
        """Splice the caller's model name into a whole reply or the ``message_start`` frame."""
        return relay.tell_model(body, model, ("model",), ("message", "model"))


def _headers(request: Request, profile: Profile) -> Iterator[tuple[str, str]]:
    """Forward the caller's version and betas; the version is required upstream."""
    yield from request.headers
    if not any(name == "anthropic-version" for name, _ in request.headers):
        yield "anthropic-version", version_of(profile)


ANTHROPIC_MESSAGES = AnthropicMessages()
