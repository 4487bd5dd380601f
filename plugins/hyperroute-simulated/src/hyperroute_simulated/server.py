"""The other side of the wire, in this process: a request comes in as bytes, an answer goes out.

The server reads what the client side wrote with the same dialect's own server side, and writes its
answer with that dialect's encoder; so nothing but the socket is simulated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from hyperroute.canon.events import PartDelta, PartStarted, Started, StreamEvent, collect
from hyperroute.canon.failure import Failure
from hyperroute.canon.failure import FailureClass as Is
from hyperroute.canon.request import Request
from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.dialects.base import ClientError, Dialect
from hyperroute.dialects.json import loads
from hyperroute.errors import ClientWireError
from hyperroute.providers.classify import classify_transport, verdict_on
from hyperroute.providers.flow import CallError, Outbound
from hyperroute_simulated.answer import answer
from hyperroute_simulated.passing import continued, embedded
from hyperroute_simulated.refusals import refusal
from hyperroute_simulated.simulation import Simulation, Step, draw

JSON: Final = (("content-type", "application/json"),)
SSE: Final = (("content-type", "text/event-stream"),)
HTML: Final = (("content-type", "text/html"),)
PAGE: Final = b"<html><title>simulated</title></html>"
CUT_AFTER_TOKENS: Final = 3
"""Where a fault in mid stream strikes, if a script does not say."""

_OPENING: Final = (Started, PartStarted, PartDelta)
"""What a stream that is cut may still hold: nothing that ends anything."""

Piece = tuple[int, bytes]
"""Some body, and how many nanoseconds it takes to come."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply as a schedule. ``broken`` is how its body ends, if not well."""

    wait_ns: int
    head: HttpHead
    pieces: tuple[Piece, ...] = ()
    broken: Failure | None = None


def serve(request: HttpRequest, call: Outbound, dialect: Dialect, world: Simulation) -> Answered:
    """Answer one request.

    Raises:
        CallError: The network fails before a reply begins.
    """
    fingerprint = b"\0".join((call.model.encode(), str(call.seed).encode(), request.body))
    step = world.step(attempt=call.attempt, fingerprint=fingerprint)
    if step.kind in (Is.NET_UNSENT, Is.NET_AMBIGUOUS):
        raise CallError(classify_transport("unsent" if step.kind is Is.NET_UNSENT else "reset"))
    wait = world.latency_ns + step.slow_ns
    if step.kind is Is.MALFORMED_OUTPUT:
        return Answered(wait, HttpHead(200, HTML), ((0, PAGE),))
    if step.kind is not None and (refused := refusal(dialect.endpoint, step.kind)):
        return Answered(wait, HttpHead(refused[0], JSON), ((0, refused[1]),))
    if step.kind not in (None, Is.EMPTY_COMPLETION, Is.TRUNCATED, Is.STALLED):
        raise CallError(replace(verdict_on(step.kind), message="simulated"))
    try:
        raw = {"model": call.model, "stream": call.request.stream, **loads(request.body)}
        asked = dialect.parse_request(raw, body=request.body, headers=request.headers)
        writer = _Writer(asked=asked, model=call.model, dialect=dialect, world=world, step=step)
        if dialect.endpoint == "embeddings":
            pieces = tuple(writer.sent(embedded(asked.raw, model=call.model), 0))
        else:
            told: dict[str, Any] = {
                "reply_id": f"sim-{draw(world.seed, fingerprint, b'id'):016x}",
                "model": call.model,
                "created": call.unix_s,
                "fixed": "" if step.kind is Is.EMPTY_COMPLETION else world.answer,
            }
            events = (
                continued(asked.raw, **told)
                if dialect.endpoint == "completions"
                else answer(asked.conversation, **told)
            )
            pieces = tuple((writer.streamed if call.request.stream else writer.whole)(events))
    except (ClientWireError, ValueError) as error:
        refused_as = ClientError(status=400, kind=Is.BAD_REQUEST, message=str(error))
        return Answered(wait, HttpHead(400, JSON), ((0, dialect.emit_error(refused_as)),))
    broken = classify_transport("idle", begun=True) if step.kind is Is.STALLED else None
    return Answered(wait, HttpHead(200, SSE if call.request.stream else JSON), pieces, broken)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Writes one good answer, or as much of it as the step lets through."""

    asked: Request
    model: str
    dialect: Dialect
    world: Simulation
    step: Step

    @property
    def stops(self) -> int | None:
        """After how many tokens the line breaks; ``None`` = never."""
        if self.step.kind in (Is.TRUNCATED, Is.STALLED):
            return CUT_AFTER_TOKENS
        return self.step.cut_after

    def whole(self, events: Iterable[StreamEvent]) -> Iterator[Piece]:
        """Write one body, after all of it has been thought."""
        reply = collect(events)
        body = self.dialect.emit_reply(reply, request=self.asked, model=self.model)
        yield from self.sent(body, reply.usage.output_tokens or 0)

    def sent(self, body: bytes, spent: int) -> Iterator[Piece]:
        """Send one body, as much of it as comes through."""
        if self.stops is not None:
            body, spent = body[: len(body) // 2], min(spent, self.stops)
        yield self.world.pause_ns(spent), body

    def streamed(self, events: Iterable[StreamEvent]) -> Iterator[Piece]:
        """Write the frames of a stream, each after its token's time."""
        encoder = self.dialect.encoder(request=self.asked, model=self.model)
        said = 0
        for event in events:
            if self.stops is not None and (said >= self.stops or not isinstance(event, _OPENING)):
                return
            token = isinstance(event, PartDelta)
            said += token
            yield self.world.pause_ns(1) if token else 0, encoder.feed(event)


__all__ = ["Answered", "Piece", "serve"]
