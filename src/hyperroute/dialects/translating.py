"""One document of one dialect, said in another: what a request, a reply or an error goes through.

The way is that of the router: one side is read into the canon and the other written from it, by the
same readers and writers, with the same losses. This module is the only one that knows all four
dialects; they do not know one another. A document of the target's own dialect comes back as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal, NoReturn

from hyperroute.canon.events import Started, StreamEvent, collect
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.loss import Loss
from hyperroute.canon.request import Conversation, Request
from hyperroute.canon.wire import Headers, HttpHead
from hyperroute.dialects import json
from hyperroute.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from hyperroute.dialects.base import ClientError, Dialect, Encoder, ErrorInStream, Profile
from hyperroute.dialects.error_words import retold, status_in
from hyperroute.dialects.gemini import GEMINI_GENERATE
from hyperroute.dialects.losses import refusal_of
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES
from hyperroute.dialects.profiling import asks_usage, one_of, profile_of
from hyperroute.dialects.reading import wrong
from hyperroute.dialects.returning import Returning, sent_custom
from hyperroute.dialects.sse import SseReader, frame
from hyperroute.dialects.unread import unread
from hyperroute.dialects.unsaid import Unsaid
from hyperroute.errors import ClientWireError, ProviderWireError, Untranslatable

Kind = Literal["request", "response", "stream", "error"]
KINDS: Final = ("request", "response", "stream", "error")

DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI_GENERATE)
    }
)
"""By name."""

_DONE: Final = "[DONE]"


@dataclass(frozen=True, slots=True)
class Translation:
    """What came of it.

    Attributes:
        document: In the target's words, as parsed JSON.
        losses: What it could not say.
        path: Of a request: where to send it, behind the provider's base URL; Gemini's model is there.
        headers: Of a request: those that belong to it (``anthropic-version``).
        status: Of an error: the HTTP status that it goes with.
    """

    document: Any
    losses: tuple[Loss, ...] = ()
    path: str = ""
    headers: Headers = ()
    status: int | None = None


def translate(
    document: Any,
    *,
    source: str,
    target: str,
    kind: Kind,
    profile: Mapping[str, Any] | None = None,
    request: Mapping[str, Any] | None = None,
    lossy: Literal["report", "refuse"] = "report",
) -> Translation:
    """Say a document of one dialect in another.

    Args:
        document: Parsed JSON. A stream is ``{"events": [{"event": name or null, "data": object or
            text}]}``.
        source: The dialect it is in: ``openai.chat``, ``openai.responses``, ``anthropic.messages`` or
            ``gemini.generate``.
        target: The dialect it shall be in.
        kind: What it is. A request goes from a client to a provider; all others come back.
        profile: What is known of the other side, by the names of ``profiling.NAMES``: of the provider
            that a request goes to, or of the one that a reply is from. ``None``: the dialect's own
            vendor, and nothing else.
        request: Of a reply: what the client had asked, in the target's dialect. It gives tools back
            their names and their free form, and Responses what it repeats.
        lossy: ``refuse``: a loss is as good as an error.

    Returns:
        The document in the target's dialect. Where source and target are one it is the one that was
        given, and nothing is lost.

    Raises:
        Untranslatable: It is malformed, or must not be lost (dialects.md, 9), or would lose something
            that ``lossy`` forbids; it holds the error that the client would get.
        ValueError: A dialect, a kind or a name in ``profile`` is unknown.
    """
    pair = _Pair(_dialect(source), _dialect(target), kind)
    if kind not in KINDS:
        raise ValueError(f"there is no kind {kind!r}; {one_of(kind, KINDS)}")
    known = dict(profile or {})
    toward = profile_of(known, dialect=target if kind == "request" else source)
    if source == target:
        return Translation(document)
    if not isinstance(document, Mapping):
        pair.refuse(wrong("an object", ""))
    if kind == "request":
        made = _request(document, pair, toward, model=known.get("model"))
    elif kind == "error":
        made = _error(document, pair, status=known.get("status"))
    else:
        answer = _Answer(pair, known, toward, request)
        made = (_response if kind == "response" else _stream)(document, pair, answer)
    if made.losses and lossy == "refuse":
        pair.refuse_lossy(made.losses)
    return made


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two dialects; a client that is refused is told so in its own."""

    source: Dialect
    target: Dialect
    kind: Kind

    @property
    def client(self) -> Dialect:
        """Whose words the client speaks: the source's on the way in, the target's on the way back."""
        return self.source if self.kind == "request" else self.target

    def refuse(self, fault: ClientWireError, losses: tuple[Loss, ...] = ()) -> NoReturn:
        """Refuse for a fault of the document.

        Raises:
            Untranslatable: Always.
        """
        said = ClientError(
            status=400,
            kind=FailureClass.BAD_REQUEST,
            message=str(fault),
            param=fault.pointer or None,
        )
        self.fail(said, fault.pointer, losses)

    def refuse_lossy(self, losses: tuple[Loss, ...]) -> NoReturn:
        """Refuse because something would be lost.

        Raises:
            Untranslatable: Always.
        """
        fault = ClientWireError(refusal_of(losses))
        fault.pointer = losses[0].path  # which the words name already
        self.refuse(fault, losses)

    def fail(
        self, error: ClientError, pointer: str = "", losses: tuple[Loss, ...] = ()
    ) -> NoReturn:
        """Tell the client what it gets instead.

        Raises:
            Untranslatable: Always.
        """
        raise Untranslatable(
            error.message,
            pointer=pointer,
            status=status_in(self.client.name, error),
            error=error,
            dialect=self.client.name,
            body=json.loads(self.client.emit_error(error)),
            losses=losses,
        ) from None


def _dialect(name: str) -> Dialect:
    if name not in DIALECTS:
        raise ValueError(f"there is no dialect {name!r}; {one_of(name, tuple(DIALECTS))}")
    return DIALECTS[name]


def _request(
    document: Mapping[str, Any], pair: _Pair, profile: Profile, *, model: str | None
) -> Translation:
    try:
        asked = pair.source.parse_request(document)
        name = model or asked.model
        emission = pair.target.emit_request(asked, model=name or "", profile=profile)
    except ClientWireError as error:
        pair.refuse(error)
    body = json.loads(emission.body)
    if name is None:
        body.pop("model", None)
    return Translation(
        body,
        emission.losses,
        path="" if name is None else emission.path,
        headers=emission.headers,
    )


def _error(document: Mapping[str, Any], pair: _Pair, *, status: int | None) -> Translation:
    head = HttpHead(status if status is not None else 200)
    report = pair.source.parse_error(head, json.dumps(document))
    told = document.get("request_id")
    error = retold(
        report,
        source=pair.source.name,
        status=status if status is not None else report.status if report.status != 200 else None,
        request_id=told if isinstance(told, str) else "",
    )
    body = json.loads(pair.target.emit_error(error))
    return Translation(body, status=status_in(pair.target.name, error))


class _Answer:
    """What both kinds of reply need: who asked, and what is watched on the way."""

    def __init__(
        self,
        pair: _Pair,
        known: Mapping[str, Any],
        profile: Profile,
        request: Mapping[str, Any] | None,
    ) -> None:
        self.target = pair.target
        if pair.target is OPENAI_CHAT and known.get("reasoning_content"):
            self.target = replace(OPENAI_CHAT, shows_thinking=True)
        try:
            if request is None:
                self.asked = _nobody(pair.target, asks_usage=asks_usage(known))
            else:
                self.asked = pair.target.parse_request(request)
            custom = sent_custom(self.asked)
        except ClientWireError as error:
            pair.refuse(error)
        self.losses: list[Loss] = []
        speech, source = self.target.speech, pair.source.name
        self.returning = Returning(
            profile.vendor,
            profile.group,
            custom,
            objects=speech.objects,
            losses=self.losses,
            unsaid=Unsaid(speech, self.losses, source=source),
        )

    def found(self, unread: Iterable[Loss]) -> tuple[Loss, ...]:
        """All losses, each once."""
        return tuple(dict.fromkeys((*unread, *self.losses)))


def _nobody(dialect: Dialect, *, asks_usage: bool) -> Request:
    """Stand in for a request that is not known."""
    raw = {"stream_options": {"include_usage": True}} if asks_usage else {}
    return Request(
        dialect=dialect.name,
        endpoint=dialect.endpoint,
        raw=raw,
        decode=lambda _: Conversation(),
    )


def _response(document: Mapping[str, Any], pair: _Pair, answer: _Answer) -> Translation:
    decoder = pair.source.decoder(stream=False)
    try:
        events = list(answer.returning.passed(decoder.feed(json.dumps(document))))
        events.extend(answer.returning.passed(decoder.close()))
        reply = collect(events)
    except ErrorInStream as error:
        pair.fail(retold(error.report, source=pair.source.name))
    except (ProviderWireError, ValueError) as error:
        pair.fail(_broken(error))
    body = answer.target.emit_reply(reply, request=answer.asked, model=reply.model)
    return Translation(json.loads(body), answer.found(unread(document, pair.source.name)))


def _stream(document: Mapping[str, Any], pair: _Pair, answer: _Answer) -> Translation:
    frames = _frames(document, pair)
    decoder = pair.source.decoder(stream=True)
    writer = _Writer(answer)
    try:
        for data, _ in frames:
            writer.write(answer.returning.passed(decoder.feed(data)))
        writer.write(answer.returning.passed(decoder.close()))
    except ErrorInStream as error:
        writer.fail(retold(error.report, source=pair.source.name))
    except ProviderWireError as error:
        writer.fail(_broken(error))
    beyond = _beyond(frames, pair.source.name)
    return Translation({"events": list(_events(writer.out))}, answer.found(beyond))


def _beyond(frames: Iterable[tuple[bytes, object]], dialect: str) -> Iterator[Loss]:
    """Name what the frames hold and nobody reads, each member where it stands first."""
    seen: set[str] = set()
    for index, (_, event) in enumerate(frames):
        for loss in unread(event, dialect) if isinstance(event, Mapping) else ():
            if loss.path not in seen:
                seen.add(loss.path)
                yield replace(loss, path=f"/events/{index}/data{loss.path}")


class _Writer:
    """Writes a stream; its encoder is made when the model is known."""

    def __init__(self, answer: _Answer) -> None:
        self.out: list[bytes] = []
        self._answer = answer
        self._encoder: Encoder | None = None

    def write(self, events: Iterable[StreamEvent]) -> None:
        """Write events as they come."""
        for event in events:
            if self._encoder is None:
                self._begin(event.model if isinstance(event, Started) else "")
            assert self._encoder is not None
            self.out.append(self._encoder.feed(event))

    def fail(self, error: ClientError) -> None:
        """End it honestly."""
        if self._encoder is None:
            self._begin("")
        assert self._encoder is not None
        self.out.append(self._encoder.fail(error))

    def _begin(self, model: str) -> None:
        self._encoder = self._answer.target.encoder(request=self._answer.asked, model=model)


def _broken(error: Exception) -> ClientError:
    """Tell of a reply that its dialect cannot read: the upstream's fault."""
    cut = isinstance(error, ProviderWireError) and error.cut
    kind = FailureClass.TRUNCATED if cut else FailureClass.MALFORMED_OUTPUT
    return ClientError(status=502, kind=kind, message=f"the reply cannot be read: {error}")


def _frames(document: Mapping[str, Any], pair: _Pair) -> list[tuple[bytes, object]]:
    """Write the events as a provider sends them; each with what its data holds."""
    events = document.get("events")
    if not isinstance(events, list | tuple):
        pair.refuse(wrong("a list of events", "/events"))
    frames: list[tuple[bytes, object]] = []
    for index, event in enumerate(events):
        where = f"/events/{index}"
        if not isinstance(event, Mapping):
            pair.refuse(wrong("an object", where))
        name, data = event.get("event"), event.get("data")
        if not (name is None or (isinstance(name, str) and "\n" not in name)):
            pair.refuse(wrong("a name or null", f"{where}/event"))
        if isinstance(data, Mapping):
            written = json.dumps(data)
        elif isinstance(data, str):
            written = data.encode("utf-8", "replace").replace(b"\r", b"\n")
        else:
            pair.refuse(wrong("an object or text", f"{where}/data"))
        lines = written.replace(b"\n", b"\ndata: ")
        frames.append((frame(lines, name=name or ""), data))
    return frames


def _events(out: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Read back what was written, as a document."""
    reader = SseReader()
    for chunk in out:
        for name, data in reader.feed(chunk):
            said: object = _DONE if data == _DONE.encode() else json.loads(data)
            yield {"event": name or None, "data": said}


__all__ = ["DIALECTS", "KINDS", "Kind", "Translation", "translate"]
