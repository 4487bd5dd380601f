"""Google Gemini generateContent: ``gemini.generate``, the endpoint ``gemini``.

A request of this dialect passes through as its own bytes. The edits are a closed list (architecture.md,
law 7): ``model`` and ``stream``, which the upstream path says, and our own members are removed, and
seals that a translated answer had tagged are opened or, another vendor's, removed (dialects.md, 1.4);
a search that is only offered is taken out for a target that is known not to search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hyperroute.canon.content import Media
from hyperroute.canon.events import Reply
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Request
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.dialects import gemini_encode as encode
from hyperroute.dialects import gemini_errors as errors
from hyperroute.dialects import gemini_filling as filling
from hyperroute.dialects import gemini_head as head
from hyperroute.dialects import json, relay
from hyperroute.dialects.base import ClientError, Emission, ErrorReport, Profile
from hyperroute.dialects.gemini_decode import GeminiDecoder
from hyperroute.dialects.gemini_parts import takes_address
from hyperroute.dialects.gemini_passing import edits_of
from hyperroute.dialects.gemini_spelling import NAME
from hyperroute.dialects.gemini_write import path_of, translate
from hyperroute.dialects.tap import Manners, Tap
from hyperroute.dialects.unsaid import Speech
from hyperroute.errors import ClientWireError


@dataclass(frozen=True, slots=True)
class GeminiGenerate:
    """The dialect as a value."""

    name: str = NAME
    endpoint: str = "gemini"

    @property
    def speech(self) -> Speech:
        """What Gemini can say of an answer."""
        return encode.SPEECH

    def parse_request(
        self, raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
    ) -> Request:
        """Read the head of a caller's request; ``raw`` holds the path's model, and ``stream``.

        Raises:
            ClientWireError: A member that routing needs has the wrong type.
        """
        return head.parse_request(raw, body=body, headers=headers)

    def emit_reply(self, reply: Reply, *, request: Request, model: str) -> bytes:
        """Write a whole reply."""
        return encode.emit_reply(reply, request=request, model=model)

    def encoder(self, *, request: Request, model: str) -> encode.GeminiEncoder:
        """Start writing a stream."""
        return encode.GeminiEncoder(request, model)

    def emit_error(self, error: ClientError) -> bytes:
        """Write an error body."""
        return encode.emit_error(error)

    def needs_bytes(self, media: Media, *, profile: Profile) -> bool:
        """Say whether media that is given by its address can be said here by its bytes only."""
        return not takes_address(media.value, profile)

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
            edits, losses = edits_of(request, body, profile=profile)
            body = relay.splice(body, edits)
        except ValueError as error:
            raise ClientWireError(str(error)) from error
        return Emission(path=path_of(model, stream=request.stream), body=body, losses=losses)

    def fill(
        self, body: bytes, parameters: Mapping[str, Any], *, profile: Profile
    ) -> tuple[bytes, tuple[Loss, ...]]:
        """Say what a shape filled in or changed, in ``generationConfig``.

        Raises:
            SpliceError: The body is not a JSON object.
            ValueError: A value is not JSON.
        """
        return filling.fill_config(body, parameters, profile)

    def decoder(self, *, stream: bool) -> GeminiDecoder:
        """Start reading a reply; its first byte says whether it is streamed."""
        del stream
        return GeminiDecoder()

    def tap(self, *, request: Request, model: str | None) -> Tap:
        """Start reading a stream whose frames are handed on."""
        del request
        tell = None if model is None else partial(self.tell_model, model=model)
        return Tap(GeminiDecoder(), Manners(), tell=tell)

    def parse_error(self, head: HttpHead, body: bytes) -> ErrorReport:
        """Extract what an error reply says."""
        return errors.parse_error(head, body)

    def tell_model(self, body: bytes, model: str) -> bytes:
        """Splice the caller's model name into a whole reply or the chunks of a stream."""
        return relay.tell_model(body, model, ("modelVersion",), ("model_version",))


GEMINI_GENERATE = GeminiGenerate()
