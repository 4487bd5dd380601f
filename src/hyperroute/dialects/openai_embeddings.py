"""OpenAI embeddings: a request and an answer that pass as bytes, and are planned and metered like others.

The canon has no words for vectors, so nothing translates: an account that does not speak this is not
asked. Of the answer only what routing lives by is read: that it is whole, its model, its usage, or
its error. All of it is one ``Opaque`` part, for whoever asks from this process.

Source: OpenAI's API reference, embeddings, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.content import Media, Opaque
from hyperroute.canon.events import Finished, PartEnded, PartStarted, Reply, Started, StreamEvent
from hyperroute.canon.events import UsageReported as Used
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Conversation, Request
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.dialects import openai_errors, relay
from hyperroute.dialects.base import (
    ClientError,
    Decoder,
    Emission,
    Encoder,
    ErrorReport,
    Profile,
)
from hyperroute.dialects.extension import read_extension
from hyperroute.dialects.filling import fill
from hyperroute.dialects.json import dumps
from hyperroute.dialects.openai_asking import pass_through
from hyperroute.dialects.openai_usage import read_usage
from hyperroute.dialects.openai_whole import read_object
from hyperroute.dialects.reading import flag, measured, text
from hyperroute.dialects.sse import BodyReader, frame
from hyperroute.dialects.unsaid import TOKENS, Speech
from hyperroute.errors import ClientWireError, ProviderWireError

NAME: Final = "openai.embeddings"
ENDPOINT: Final = "embeddings"
PATH: Final = "/embeddings"

SPEECH: Final = Speech(dialect=NAME, thinking="dropped", finishes=frozenset(), meters=TOKENS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiEmbeddings:
    """Embeddings as a server and as a client."""

    name: str = NAME
    endpoint: str = ENDPOINT

    @property
    def speech(self) -> Speech:
        """What it can say of an answer: nothing that another dialect says."""
        return SPEECH

    def parse_request(
        self, raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
    ) -> Request:
        """Read the head of a caller's request.

        Raises:
            ClientWireError: ``input`` is missing, a stream is asked for, or a member that routing
                needs has the wrong type.
        """
        del headers
        narrowing, _ = read_extension(raw)
        if not isinstance(raw.get("input"), str | list | tuple):
            raise ClientWireError("must be text, or a list of texts or tokens", pointer="/input")
        if flag(raw, "stream", ""):
            raise ClientWireError("embeddings are not streamed", pointer="/stream")
        return Request(
            kind="embed",
            model=text(raw, "model", ""),
            intent=text(raw, "intent", ""),
            dialect=NAME,
            endpoint=ENDPOINT,
            raw=raw,
            body=body,
            input_bytes=measured(raw, body),
            narrowing=narrowing,
            decode=_undecoded,
        )

    def emit_reply(self, reply: Reply, *, request: Request, model: str) -> bytes:
        """Write a whole reply: what the provider said, under the name the caller is told."""
        del request
        return dumps({**_said(reply), "model": model})

    def encoder(self, *, request: Request, model: str) -> Encoder:
        """Start writing what cannot be streamed, and so comes in one piece."""
        del request
        return _Encoder(model)

    def emit_error(self, error: ClientError) -> bytes:
        """Write an error body."""
        return openai_errors.emit_error(error)

    def needs_bytes(self, media: Media, *, profile: Profile) -> bool:  # noqa: ARG002
        """Say no: there is no media in what passes."""
        return False

    def emit_request(self, request: Request, *, model: str, profile: Profile) -> Emission:
        """Send the caller's own bytes on.

        Raises:
            ClientWireError: The request is of another dialect, or not JSON.
        """
        del profile
        if request.dialect != NAME:
            raise ClientWireError("a conversation has no embedding")
        whole = replace(request, stream=False) if request.stream else request
        return Emission(path=PATH, body=pass_through(whole, model))

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

    def decoder(self, *, stream: bool) -> Decoder:  # noqa: ARG002 - nothing streams here
        """Start reading a reply."""
        return EmbeddingsDecoder()

    def tap(self, *, request: Request, model: str | None) -> None:
        """Hand no frames on: what cannot be streamed has no frames."""
        del request, model

    def parse_error(self, head: HttpHead, body: bytes) -> ErrorReport:
        """Extract what an error reply says; total over any bytes."""
        return openai_errors.parse_error(head, body)

    def tell_model(self, body: bytes, model: str) -> bytes:
        """Splice the caller's model name into a body, every other byte kept."""
        return relay.tell_model(body, model, ("model",))


class EmbeddingsDecoder:
    """Provider bytes in, the few events that a run needs out."""

    __slots__ = ("_body",)

    def __init__(self) -> None:
        self._body = BodyReader()

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Take any number of bytes, split anywhere; nothing is told before all have come.

        Raises:
            ProviderWireError: It is an event stream, or no JSON.
        """
        for _ in self._body.feed(chunk):
            raise ProviderWireError("an event stream in place of embeddings")
        return iter(())

    def close(self) -> Iterator[StreamEvent]:
        """Take the end of the body.

        Raises:
            ProviderWireError: It is not whole, or holds no embeddings; ``cut`` is set for the first.
            ErrorInStream: The whole body was an error object.
        """
        value = read_object(self._body)
        if not isinstance(value.get("data"), list) or not value["data"]:
            raise ProviderWireError("must be a list that is not empty", pointer="/data")
        model, said = value.get("model"), value.get("id")
        yield Started(
            said if isinstance(said, str) else "", model if isinstance(model, str) else ""
        )
        yield PartStarted(0, Opaque(NAME, value))
        yield PartEnded(0)
        if (usage := read_usage(value.get("usage"))) is not None:
            yield Used(replace(usage, output_tokens=0))  # known: a vector is no output token
        # Nothing was generated that could have stopped, and an empty stop would be a fault (row 71).
        yield Finished("other", raw="embeddings")


class _Encoder:
    """Writes the one piece."""

    def __init__(self, model: str) -> None:
        self._model = model

    def feed(self, event: StreamEvent) -> bytes:
        """Emit the body with its part."""
        if isinstance(event, PartStarted) and isinstance(event.part, Opaque):
            return frame(dumps({**event.part.value, "model": self._model}))
        return b""

    def passed(self, frame: bytes) -> None:
        """Do nothing: no frame passes."""
        del frame

    def pulse(self) -> bytes:
        """Emit nothing: nobody reads a stream here."""
        return b""

    def fail(self, error: ClientError) -> bytes:
        """Emit the error alone."""
        return frame(dumps({"error": openai_errors.error_object(error)}))


def _said(reply: Reply) -> Mapping[str, Any]:
    for choice in reply.choices:
        for part in choice.parts:
            if isinstance(part, Opaque):
                return part.value
    return MappingProxyType({})


def _undecoded(_raw: Mapping[str, Any]) -> Conversation:
    """Refuse to read what only passes.

    Raises:
        ClientWireError: Always.
    """
    raise ClientWireError("a request for embeddings is no conversation")


OPENAI_EMBEDDINGS: Final = OpenAiEmbeddings()

__all__ = ["OPENAI_EMBEDDINGS", "EmbeddingsDecoder", "OpenAiEmbeddings"]
