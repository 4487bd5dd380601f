"""Images in OpenAI's shape, and in the spellings of those who came before and after it.

A caller may write references as ``image``, ``images``, ``image_urls`` or ``reference_images``, may wrap
its members in ``input``, and may ask by size, by ratio or by tier; a provider gets one flat body, with
references under ``images`` unless the offer says otherwise (``fields``). Pictures are Media of the
canon, so whoever makes some can answer, in whatever way it speaks itself.

What may be asked of a model is its shape's affair (tables.md); here only ``n`` is judged, because it
says how many answers there are.

Source: api.md 6; OpenAI's API reference, images, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from hyperroute.canon.content import Media
from hyperroute.canon.events import Finished, PartEnded, PartStarted, Reply, Started, StreamEvent
from hyperroute.canon.events import UsageReported as Used
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Conversation, Request
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.catalog.shape import SPELLINGS
from hyperroute.dialects import openai_errors
from hyperroute.dialects.base import (
    ClientError,
    Decoder,
    Emission,
    Encoder,
    ErrorReport,
    Profile,
)
from hyperroute.dialects.extension import EXTENSIONS, read_extension
from hyperroute.dialects.filling import fill
from hyperroute.dialects.json import dumps
from hyperroute.dialects.openai_usage import read_usage
from hyperroute.dialects.openai_whole import read_object
from hyperroute.dialects.reading import flag, measured, text
from hyperroute.dialects.sse import BodyReader, frame
from hyperroute.dialects.unsaid import TOKENS, Speech
from hyperroute.errors import ClientWireError, ProviderWireError

NAME: Final = "openai.images"
ENDPOINT: Final = "images"
PATH: Final = "/images/generations"

MOST: Final = 10
"""Pictures of one request; who asks for more gets so many (api.md, 6)."""

SPEECH: Final = Speech(dialect=NAME, thinking="dropped", finishes=frozenset(), meters=TOKENS)

_OURS: Final = frozenset({*EXTENSIONS, "model", "intent", "stream", "user"})
"""Members that no shape rules; the last is about a person, and no provider's business."""

_PERSON: Final = Loss("/user", "dropped", "who asks is not told to whoever draws")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiImages:
    """Images as a server and as a client."""

    name: str = NAME
    endpoint: str = ENDPOINT

    @property
    def speech(self) -> Speech:
        """What it can say of an answer: pictures, and no words."""
        return SPEECH

    def parse_request(
        self, raw: Mapping[str, Any], *, body: bytes | None = None, headers: Headers = ()
    ) -> Request:
        """Read a caller's request.

        Raises:
            ClientWireError: ``prompt`` is missing, a stream is asked for, references are an empty list
                or none of text, or ``n`` is no number from 1.
        """
        del headers
        narrowing, _ = read_extension(raw)
        members = _unwrapped(raw)
        if flag(members, "stream", ""):
            raise ClientWireError("images are not streamed", pointer="/stream")
        if not text(members, "prompt", ""):
            raise ClientWireError("must be text, and not empty", pointer="/prompt")
        return Request(
            kind="image",
            model=text(members, "model", ""),
            intent=text(members, "intent", ""),
            dialect=NAME,
            endpoint=ENDPOINT,
            raw=raw,
            body=body,
            input_bytes=measured(raw, body),
            parameters=MappingProxyType(_parameters(members)),
            narrowing=narrowing,
            decode=_undecoded,
        )

    def emit_reply(self, reply: Reply, *, request: Request, model: str) -> bytes:
        """Write a whole reply: a list of pictures, by address or by their bytes."""
        del model
        wants = request.parameters.get("response_format")
        data = [
            _told(part, wants)
            for choice in reply.choices
            for part in choice.parts
            if isinstance(part, Media)
        ]
        members: dict[str, Any] = {"created": reply.created or 0, "data": data}
        if (usage := _usage_told(reply.usage)) is not None:
            members["usage"] = usage
        return dumps(members)

    def encoder(self, *, request: Request, model: str) -> Encoder:
        """Start writing what cannot be streamed, and so never begins."""
        del request, model
        return _Encoder()

    def emit_error(self, error: ClientError) -> bytes:
        """Write an error body."""
        return openai_errors.emit_error(error)

    def needs_bytes(self, media: Media, *, profile: Profile) -> bool:  # noqa: ARG002
        """Say no: references are handed on as they were given."""
        return False

    def emit_request(self, request: Request, *, model: str, profile: Profile) -> Emission:
        """Write one flat body.

        Raises:
            ClientWireError: The request is none for images, or holds what is not JSON.
        """
        del profile
        if request.dialect != NAME:
            raise ClientWireError("a conversation is no request for images")
        lost = (_PERSON,) if _unwrapped(request.raw).get("user") is not None else ()
        try:
            body = dumps({"model": model, **request.parameters})
            return Emission(path=PATH, body=body, losses=lost)
        except ValueError as error:
            raise ClientWireError(f"the request is not JSON: {error}") from None

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
        return ImagesDecoder()

    def tap(self, *, request: Request, model: str | None) -> None:
        """Hand no frames on: what cannot be streamed has no frames."""
        del request, model

    def parse_error(self, head: HttpHead, body: bytes) -> ErrorReport:
        """Extract what an error reply says; total over any bytes."""
        return openai_errors.parse_error(head, body)

    def tell_model(self, body: bytes, model: str) -> bytes:
        """Leave a body as it is: it names no model."""
        del model
        return body


class ImagesDecoder:
    """Provider bytes in, one choice of one picture each out."""

    __slots__ = ("_body",)

    def __init__(self) -> None:
        self._body = BodyReader()

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Take any number of bytes, split anywhere; nothing is told before all have come.

        Raises:
            ProviderWireError: It is an event stream.
        """
        for _ in self._body.feed(chunk):
            raise ProviderWireError("an event stream in place of images")
        return iter(())

    def close(self) -> Iterator[StreamEvent]:
        """Take the end of the body.

        Raises:
            ProviderWireError: It is not whole, or holds no picture; ``cut`` is set for the first.
            ErrorInStream: The whole body was an error object.
        """
        value = read_object(self._body)
        kind = value.get("output_format")
        mime = f"image/{kind}" if isinstance(kind, str) else None
        pictures = _pictures(value.get("data"), mime)
        created = value.get("created")
        yield Started("", "", created if isinstance(created, int) else None)
        for index, picture in enumerate(pictures):
            yield PartStarted(index, picture, index)
            yield PartEnded(index)
        usage = read_usage(value.get("usage")) or NO_USAGE
        yield Used(replace(usage, images=len(pictures)))
        for index in range(len(pictures)):
            yield Finished("stop", choice=index)


class _Encoder:
    """Writes nothing but an error: whole answers have no frames."""

    def feed(self, event: StreamEvent) -> bytes:
        """Emit nothing."""
        del event
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


def _unwrapped(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take members out of ``input``, where the older generation of clients puts them."""
    wrapped = raw.get("input")
    if not isinstance(wrapped, Mapping):
        return raw
    return {**{name: raw[name] for name in raw if name != "input"}, **wrapped}


def _parameters(members: Mapping[str, Any]) -> dict[str, Any]:
    """Name what a shape may rule, references in one list whatever they are called."""
    found: dict[str, Any] = {}
    references: list[Any] = []
    for name, value in members.items():
        if name in _OURS or value is None:
            continue
        if SPELLINGS.get(name, name) == "images":
            references += _references(name, value)
        else:
            found[name] = value
    if references:
        found["images"] = references
    if "n" in found:
        found["n"] = _count(found["n"])
    return found


def _references(name: str, value: Any) -> list[str]:
    listed = value if isinstance(value, list | tuple) else [value]
    if not listed or not all(isinstance(one, str) and one for one in listed):
        raise ClientWireError("must be a URL, or a list of some", pointer=f"/{name}")
    return list(listed)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ClientWireError(f"must be a number from 1 to {MOST}", pointer="/n")
    return min(value, MOST)


def _pictures(data: Any, mime: str | None) -> list[Media]:
    """Read the pictures of a reply.

    Raises:
        ProviderWireError: There is none.
    """
    pictures: list[Media] = []
    for each in data if isinstance(data, list) else ():
        if not isinstance(each, dict):
            continue
        extra = {name: each[name] for name in ("revised_prompt",) if each.get(name)}
        if isinstance(coded := each.get("b64_json"), str) and coded:
            pictures.append(
                Media(
                    kind="image", source="data", value=coded, mime=mime or "image/png", extra=extra
                )
            )
        elif isinstance(url := each.get("url"), str) and url:
            pictures.append(Media(kind="image", source="url", value=url, mime=mime, extra=extra))
    if not pictures:
        raise ProviderWireError("must hold a picture", pointer="/data")
    return pictures


def _told(picture: Media, wants: object) -> dict[str, Any]:
    """Write one picture; bytes that are wanted by address become one that holds them."""
    said = dict(picture.extra)
    if picture.source != "data":
        return {"url": picture.value, **said}
    if wants == "url":
        return {"url": f"data:{picture.mime or 'image/png'};base64,{picture.value}", **said}
    return {"b64_json": picture.value, **said}


def _usage_told(usage: Usage) -> dict[str, int] | None:
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    read, made = usage.input_tokens or 0, usage.output_tokens or 0
    return {"input_tokens": read, "output_tokens": made, "total_tokens": read + made}


def _undecoded(_raw: Mapping[str, Any]) -> Conversation:
    """Refuse to read what is no conversation.

    Raises:
        ClientWireError: Always.
    """
    raise ClientWireError("a request for images is no conversation")


OPENAI_IMAGES: Final = OpenAiImages()

__all__ = ["MOST", "OPENAI_IMAGES", "ImagesDecoder", "OpenAiImages"]
