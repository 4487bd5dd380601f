"""Media that a caller names by its address and a provider takes by its bytes only.

Which parts those are the upstream dialect says (``needs_bytes``); that they may be fetched at all is
for whoever runs us to say, and without a word nothing is (the grant is ``None``): the dialect then
refuses with the place of the part. What comes is held to be hostile: it must be what it was asked
for by its own first bytes, within limits of size and pixels, and each redirect goes back through
the guard that the first address went through. Media that comes as data is held to the same.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Final, Literal
from urllib.parse import urljoin

from hyperroute.canon.content import Media, Part, ToolResult
from hyperroute.canon.media import (
    IMAGE_BYTES_MAX,
    MEDIA_BYTES_MAX,
    agree,
    base64_bytes,
    fault,
    plain,
    sniffed,
)
from hyperroute.canon.request import Conversation, Request
from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.dialects.base import Dialect
from hyperroute.dialects.places import place_of_part
from hyperroute.errors import ClientWireError
from hyperroute.providers.flow import READ, Fetch, Fetched, Grant, Outbound, Read, Wish

REDIRECTS_MAX: Final = 3

FETCHES_MAX: Final = 16
"""Addresses that are fetched for one request."""

FETCHED_BYTES_MAX: Final = 20 * 1024 * 1024
"""Bytes that are fetched for one request; Gemini takes as many inline."""

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ACCEPT: Final = {"image": "image/*", "audio": "audio/*", "video": "video/*"}
_FILES: Final = frozenset({"application/pdf", "text/plain"})

Fetching = Generator[HttpRequest | Literal[Read.READ], object, Fetched]


def with_bytes(call: Outbound, dialect: Dialect) -> Generator[Wish, Grant, Outbound]:
    """``call = yield from with_bytes(call, dialect)``: the same call, its media ready to be said.

    For translations: what is passed on as bytes, the provider sees to itself.

    Raises:
        ClientWireError: Media is not what it claims to be, or too much.
    """
    conversation = call.request.conversation
    wanted: dict[str, Media] = {}
    for part, where in _media(conversation, call.request.dialect):
        if part.source == "data":
            _check_data(part, where)
        elif part.source == "url" and dialect.needs_bytes(part, profile=call.profile):
            yield from _fetched(call, part, where)
            if part.value in call.fetched:
                wanted[part.value] = part
    if not wanted:
        return call
    return replace(call, request=_inlined(call.request, wanted, call.fetched))


def fetching(wish: Fetch) -> Fetching:
    """Fetch one address, as a conversation: yields requests and ``READ``, returns what came.

    Raises:
        ClientWireError: What came is not what was asked for.
    """
    url = wish.url
    accept = _ACCEPT.get(wish.kind, "application/pdf, text/plain")
    for _ in range(REDIRECTS_MAX + 1):
        head = yield HttpRequest(method="GET", url=url, headers=(("accept", accept),))
        assert isinstance(head, HttpHead)
        location = head.header("location") if head.status in _REDIRECTS else None
        if location is None:
            break
        url = _joined(url, location, wish)
    else:
        raise _no(wish, "redirects more often than is followed")
    if head.status != 200:
        raise _no(wish, f"answers with status {head.status}")
    length = head.header("content-length") or ""
    body = bytearray()
    if not (length.isascii() and length.isdigit() and _over(int(length[:20]), wish)):
        while chunk := (yield READ):
            assert isinstance(chunk, bytes)
            body += chunk
            if _over(len(body), wish):
                break
        else:
            return _taken(bytes(body), head.header("content-type"), wish)
    raise _no(wish, f"has more than the {wish.bytes_max} bytes that are taken")


def _joined(url: str, location: str, wish: Fetch) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise _no(wish, "redirects to no address") from None


def _over(size: int, wish: Fetch) -> bool:
    return size > wish.bytes_max


def _taken(data: bytes, claim: str | None, wish: Fetch) -> Fetched:
    """Say what came, by its own bytes; what nobody can tell is not handed on."""
    if (wrong := fault(data, kind=wish.kind, claim=claim)) is not None:
        raise _no(wish, wrong)
    mime, told = sniffed(data), plain(claim)
    if mime is not None and told.startswith(wish.kind) and agree(mime, told):
        mime = told  # of a container only its sender knows whether there is a film in it
    if mime is None and told == "text/plain" and _is_text(data):
        mime = "text/plain"
    if mime is None or not (mime in _FILES if wish.kind == "file" else mime.startswith(wish.kind)):
        raise _no(wish, f"is no {wish.kind} of a kind that is known here")
    return Fetched(data, mime)


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _fetched(call: Outbound, part: Media, where: str) -> Generator[Wish, Grant, None]:
    """Ask for an address that was not fetched before, in this attempt or one that failed."""
    if part.value in call.fetched:
        return
    left = FETCHED_BYTES_MAX - sum(len(one.data) for one in call.fetched.values())
    if len(call.fetched) >= FETCHES_MAX or left <= 0:
        raise ClientWireError(
            f"no more than {FETCHES_MAX} addresses and {FETCHED_BYTES_MAX} bytes are fetched "
            "for one request",
            pointer=where,
        )
    most = IMAGE_BYTES_MAX if part.kind == "image" else MEDIA_BYTES_MAX
    got = yield Fetch(url=part.value, pointer=where, kind=part.kind, bytes_max=min(most, left))
    assert got is None or isinstance(got, Fetched)
    if got is not None:
        call.fetched[part.value] = got


def _media(asked: Conversation, dialect: str) -> Iterator[tuple[Media, str]]:
    for number, turn in enumerate(asked.turns):
        for index, part in enumerate(turn.parts):
            if isinstance(part, Media):
                yield part, place_of_part(dialect, number, index)
            elif isinstance(part, ToolResult):
                for inner in part.parts:
                    if isinstance(inner, Media):
                        yield inner, place_of_part(dialect, number, index)


def _check_data(part: Media, where: str) -> None:
    data = base64_bytes(part.value)
    if data is None:
        raise ClientWireError("must be base64 of the standard alphabet, padded", pointer=where)
    if (wrong := fault(data, kind=part.kind, claim=part.mime)) is not None:
        raise ClientWireError(f"the {part.kind} {wrong}", pointer=where)


def _inlined(request: Request, wanted: dict[str, Media], fetched: dict[str, Fetched]) -> Request:
    """Make a request whose conversation holds the bytes; its own words stay as they came."""
    said = {
        url: (b64encode(fetched[url].data).decode("ascii"), fetched[url].mime) for url in wanted
    }

    def inline(part: Part) -> Part:
        if isinstance(part, ToolResult):
            return replace(part, parts=tuple(map(inline, part.parts)))
        if isinstance(part, Media) and part.source == "url" and part.value in said:
            value, mime = said[part.value]
            return replace(part, source="data", value=value, mime=mime)
        return part

    asked = request.conversation
    turns = tuple(replace(turn, parts=tuple(map(inline, turn.parts))) for turn in asked.turns)
    ready = replace(asked, turns=turns)
    return replace(request, decode=lambda _raw: ready)


def _no(wish: Fetch, why: str) -> ClientWireError:
    return ClientWireError(f"what this address leads to {why}", pointer=wish.pointer)


__all__ = [
    "FETCHED_BYTES_MAX",
    "FETCHES_MAX",
    "REDIRECTS_MAX",
    "Fetching",
    "fetching",
    "with_bytes",
]
