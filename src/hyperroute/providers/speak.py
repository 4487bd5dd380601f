"""The whole HTTP conversation of any provider that speaks known dialects.

The upstream dialect is the request's own if the account speaks it, because then its bytes pass
through (law 7); else the first that the account speaks. A success whose body is not what was asked
for is read as what it is: a stream where none was asked (``collect`` folds it, clients.md 23), a
whole body where a stream was. Whatever fails ends as ``CallError`` with the verdict of ``classify``;
redirects are never followed, because a signature must not travel to where a reply points.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import replace
from typing import Final, NoReturn, cast

from hyperroute.canon.events import Delivery, StreamEvent
from hyperroute.canon.failure import Failure
from hyperroute.canon.wire import Headers, HttpHead, HttpRequest
from hyperroute.dialects.base import Dialect, Emission, ErrorInStream, Repairing
from hyperroute.dialects.losses import refusal_of
from hyperroute.dialects.relay import SpliceError, merge_top
from hyperroute.dialects.returning import Returning, sent_custom
from hyperroute.dialects.unsaid import Unsaid
from hyperroute.errors import ClientWireError, ProviderWireError
from hyperroute.providers import verdicts
from hyperroute.providers.builtin import PASSING
from hyperroute.providers.classify import Classify, by_dialect
from hyperroute.providers.emptiness import Emptiness
from hyperroute.providers.flow import (
    BODY_BYTES_MAX,
    READ,
    CallError,
    Flow,
    Grant,
    Lane,
    Outbound,
    Wish,
    read,
    send,
)
from hyperroute.providers.media import with_bytes
from hyperroute.providers.sign import Sign, bearer, merged

ERROR_BYTES_MAX: Final = 1024 * 1024
"""Of an error body no more is read: what an error says, it says at its beginning."""

_OWN: Final[Headers] = (("content-type", "application/json"), ("accept", "application/json"))
_OWN_STREAM: Final[Headers] = (
    ("content-type", "application/json"),
    ("accept", "text/event-stream"),
)
_SSE_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_SPACE: Final = b" \t\r\n"


def speak(
    dialects: Mapping[str, Dialect],
    *,
    url: str = "",
    sign: Sign = bearer,
    classify: Classify = by_dialect,
) -> Callable[[Outbound], Flow]:
    """Build the flow of a provider from its dialects by endpoint, best first.

    Args:
        dialects: What the plugin can speak; the account's ``speaks`` narrows and orders it.
        url: Where to, if the call does not say.
        sign: Adds the credential, last of all, so that it may cover every other header.
        classify: Gives the verdict on an error reply.
    """

    def flow(call: Outbound) -> Flow:
        dialect = chosen(call, dialects)
        if dialect.name != call.request.dialect:
            try:
                call = yield from with_bytes(call, dialect)
            except ClientWireError as error:
                fail(verdicts.BAD_REQUEST, str(error))
        head = yield from send(sign(request_of(call, dialect, url=url), call))
        if not 200 <= head.status < 300 or head.status in (204, 205):
            body = yield from _error_body()
            verdict = classify(dialect.parse_error(head, body), dialect.name)
            raise CallError(_final(verdict) if call.profile.unsealed else verdict)
        try:
            yield from _answer(call, dialect, head)
        except ErrorInStream as error:
            raise CallError(classify(error.report, dialect.name)) from None
        except ProviderWireError as error:
            verdict = verdicts.TRUNCATED if error.cut else _malformed(call)
            fail(verdict, str(error), status=head.status)

    return flow


def chosen(call: Outbound, dialects: Mapping[str, Dialect]) -> Dialect:
    """Return the dialect to speak upstream: the request's own, else the account's first.

    Raises:
        CallError: The account speaks none of the plugin's dialects, or none that could say what only
            passes; the table is at fault.
    """
    spoken = [dialects[word] for word in (call.speaks or tuple(dialects)) if word in dialects]
    for dialect in spoken:
        if dialect.name == call.request.dialect:
            return dialect
    # What only passes says nothing but its own: it is no dialect to translate into, or out of.
    able = [dialect for dialect in spoken if dialect.endpoint not in PASSING]
    if not able or call.request.endpoint in PASSING:
        fail(
            verdicts.UNSPOKEN,
            f"speaks {list(call.speaks)!r}, its plugin knows {sorted(dialects)!r}, and asked was "
            f"{call.request.dialect}",
        )
    return able[0]


def request_of(call: Outbound, dialect: Dialect, *, url: str = "") -> HttpRequest:
    """Write the unsigned HTTP request of a call; losses are left in ``call.losses``.

    The headers of the table entry win over the dialect's: the operator wrote them for this account.

    Raises:
        CallError: The request cannot be said in this dialect, or not without the losses that the
            policy refuses, and nothing was sent.
    """
    try:
        profile = replace(call.profile, group="") if call.profile.unsealed else call.profile
        emission = dialect.emit_request(call.request, model=call.model, profile=profile)
        body = _filled(emission, dialect, call)
    except (ClientWireError, SpliceError, ValueError) as error:
        fail(verdicts.BAD_REQUEST, str(error))
    call.losses.extend(emission.losses)
    if call.lossy == "refuse" and call.losses:
        fail(verdicts.LOSSY, refusal_of(call.losses))
    headers = _OWN_STREAM if call.request.stream else _OWN
    if emission.headers or call.headers:
        headers = merged(headers, emission.headers, call.headers)
    return HttpRequest(
        method="POST", url=joined(call.url or url, emission.path), headers=headers, body=body
    )


def joined(base: str, path: str) -> str:
    """Put a dialect's path behind a base URL.

    A query of the base (Azure's ``api-version``) stays a query, and a version that both name is
    written once: people paste base URLs with and without ``/v1``.
    """
    address, _, query = base.partition("?")
    place, _, more = path.partition("?")
    address = address.rstrip("/")
    version, _, rest = place.lstrip("/").partition("/")
    if rest and address.endswith(f"/{version}"):
        place = rest
    both = f"{query}&{more}" if query and more else query or more
    return f"{address}/{place.lstrip('/')}" + (f"?{both}" if both else "")


def same_model(asked: str, answered: str) -> bool:
    """Say whether an answer may come from the model that was asked (row 76), generously.

    Providers add dates, vendor prefixes and tags (``gpt-5.5`` → ``gpt-5.5-2026-04-23``,
    ``openai/gpt-5.5``, ``models/gemini-3-pro``), and resolve aliases; so one name within the other
    is enough. The flow does not judge: ``Started.model`` carries the answer's name, and whether a
    pinned request may accept another is known to the run alone.
    """
    one, other = (_bare(name) for name in (asked, answered))
    return not one or not other or one in other or other in one


def fail(verdict: Failure, message: str, *, status: int | None = None) -> NoReturn:
    """End the attempt with a verdict.

    Raises:
        CallError: Always.
    """
    raise CallError(replace(verdict, message=message, status=status)) from None


def _filled(emission: Emission, dialect: Dialect, call: Outbound) -> bytes:
    """Fill in what the shape says in the dialect's words, then what the entry says in its own."""
    body = emission.body
    own = {name: call.parameters[name] for name in call.parameters if name in call.renamed}
    filled = {name: value for name, value in call.parameters.items() if name not in own}
    if filled:
        body, losses = dialect.fill(body, filled, profile=call.profile)
        call.losses.extend(losses)
    members = {**own, **call.adds}
    return merge_top(body, members) if members else body


def _error_body() -> Generator[Wish, Grant, bytes]:
    body = bytearray()
    while len(body) < ERROR_BYTES_MAX and (chunk := (yield from read())):
        body += chunk
    return bytes(body[:ERROR_BYTES_MAX])


def _returning(call: Outbound, dialect: Dialect) -> Returning | None:
    """Say what an answer needs on its way back; nothing where the caller speaks this dialect."""
    if call.request.dialect == dialect.name:
        return None
    speech = call.speech
    return Returning(
        call.profile.vendor,
        call.profile.group,
        sent_custom(call.request),
        objects=speech is not None and speech.objects,
        losses=call.losses,
        unsaid=None if speech is None else Unsaid(speech, call.losses, source=dialect.name),
    )


def _answer(call: Outbound, dialect: Dialect, head: HttpHead) -> Flow:
    """Read a success: find out what its body is, then hand its events up.

    Frames of our caller's own dialect go up with them, if our caller takes frames.
    """
    whole = not call.request.stream
    opening = b""
    while chunk := (yield from read()):
        opening += chunk
        if _begun(opening):
            break
        if not opening.strip(_SPACE):
            opening = b""  # spaces keep a line alive, for ever if they like; they are not kept
    if not opening.strip(_SPACE):
        fail(verdicts.TRUNCATED, "a success without a body", status=head.status)
    stream = _is_stream(opening, head)
    returning = _returning(call, dialect)
    tap = None
    if stream and call.passes and returning is None:
        tap = dialect.tap(request=call.request, model=call.tells)
    decoder = dialect.decoder(stream=stream) if tap is None else tap
    emptiness = Emptiness()
    size = 0
    wish: Wish = READ if tap is None else Lane(tap)
    chunk = opening
    while chunk:
        size += len(chunk)
        if not stream and size > BODY_BYTES_MAX:
            fail(verdicts.BOMB, f"a body beyond {BODY_BYTES_MAX} bytes", status=head.status)
        events = emptiness.passed(_passed(decoder.feed(chunk), returning))
        yield from _together(events) if whole else events
        more = yield wish  # as ``read`` does, without a generator for every chunk
        assert isinstance(more, bytes)
        chunk = more
    events = emptiness.passed(_passed(decoder.close(), returning))
    yield from _together(events) if whole else events
    if returning is not None and isinstance(decoder, Repairing):
        returning.repaired(decoder.repairs)
    emptiness.ended()


def _together(events: Iterable[Delivery]) -> Flow:
    """Hand up in one go what came in one piece, and what came before a fault all the same."""
    said: list[Delivery] = []
    try:
        said.extend(events)
    finally:
        if said:
            yield tuple(said)


def _passed(events: Iterable[Delivery], returning: Returning | None) -> Iterable[Delivery]:
    # Frames pass only where nothing is translated, so what returns holds none.
    return events if returning is None else returning.passed(cast("Iterable[StreamEvent]", events))


def _begun(opening: bytes) -> bool:
    # Six bytes tell the longest field name of an event stream from a word of prose.
    bare = opening.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
    return bare[:1] in (b"{", b"[", b":", b"<") or len(bare) >= 6


def _is_stream(opening: bytes, head: HttpHead) -> bool:
    """Say whether a success is an event stream, by its first bytes before its content type.

    Compatible servers mislabel both ways. What is neither JSON nor events is row 48.

    Raises:
        CallError: It is HTML or prose.
    """
    bare = opening.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
    kind = (head.header("content-type") or "").partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml"):
        if bare[:1] in (b"{", b"["):
            return False
        if bare.startswith(_SSE_FIELDS):
            return True
    fail(verdicts.MALFORMED, f"a success that holds {kind or 'text'!r}", status=head.status)


def _malformed(call: Outbound) -> Failure:
    return verdicts.MALFORMED if call.request.stream else verdicts.WRONG_SHAPE


def _final(verdict: Failure) -> Failure:
    """Take a second refusal of what was sent without reasoning for what its class says (row 21)."""
    return replace(verdict, advice=None, unseal=False) if verdict.unseal else verdict


def _bare(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0].lower()


__all__ = ["ERROR_BYTES_MAX", "chosen", "fail", "joined", "request_of", "same_model", "speak"]
