"""Bodies as they travel: what we ask for, and how a compressed one is opened without trusting it.

We ask for ``identity``: a stream that a proxy compresses is a stream that a proxy buffers, and a
chat answer is too small to pay for inflating it. A provider that compresses all the same is
understood (gzip, deflate) within two limits, because one megabyte of gzip can hold a gigabyte.
No HTTP client below decodes anything, so that both libraries and the simulator behave alike.

Source: RFC 9110, 8.4.1 (content codings); a deflate ratio cannot exceed 1032:1 (zlib, technical
details), an honest JSON answer stays under 20:1; read 2026-11-22.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.ports import TransportError

DECODED_BYTES_MAX: Final = 64 * 1024 * 1024
"""The most that one compressed body may become (reliability.md, row 53)."""

DECODED_RATIO_MAX: Final = 100
"""The most that a compressed body may grow, once it is past ``RATIO_FREE_BYTES``."""

RATIO_FREE_BYTES: Final = 1024 * 1024
"""Small bodies may compress as well as they like: a page of spaces is not a bomb."""

PIECE_BYTES: Final = 256 * 1024
"""How much is inflated at a time, so that a bomb is noticed before it is unpacked."""

WHOLE_BYTES_MAX: Final = 256 * 1024
"""How much of a body that is not a stream one ``read`` gathers, within its one limit of time."""

USER_AGENT: Final = "hyperroute"

_RAW_DEFLATE: Final = -zlib.MAX_WBITS
_ANY_HEADER: Final = zlib.MAX_WBITS | 32  # gzip or zlib, told apart by the first bytes


class Decoder:
    """Open a compressed body piece by piece, and refuse it when it grows like a bomb."""

    __slots__ = ("_begun", "_grown", "_inflate", "_taken")

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_ANY_HEADER)
        self._begun = False
        self._taken = 0
        self._grown = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Inflate a chunk, at most ``PIECE_BYTES`` at a time.

        Raises:
            TransportError: ``encoding``, for bytes that are not compressed data and for bombs.
        """
        self._taken += len(chunk)
        while chunk:
            piece = self._piece(chunk)
            self._grown += len(piece)
            over = self._grown > max(RATIO_FREE_BYTES, DECODED_RATIO_MAX * self._taken)
            if over or self._grown > DECODED_BYTES_MAX:
                raise TransportError("encoding")
            chunk = self._inflate.unconsumed_tail
            if self._inflate.eof:
                # A gzip body may consist of several members (RFC 1952, 2.2).
                chunk = self._inflate.unused_data
                self._inflate = zlib.decompressobj(_ANY_HEADER)
                self._begun = False
            if piece:
                yield piece

    def close(self) -> None:
        """Take note that the body has ended.

        Raises:
            TransportError: ``encoding``, if compressed data stop in the middle.
        """
        if self._begun:
            raise TransportError("encoding")

    def _piece(self, chunk: bytes) -> bytes:
        fresh, self._begun = not self._begun, True
        try:
            return self._inflate.decompress(chunk, PIECE_BYTES)
        except zlib.error:
            pass
        if fresh:
            # Some servers say deflate and leave the zlib header out (RFC 9110, 8.4.1.2).
            self._inflate = zlib.decompressobj(_RAW_DEFLATE)
            try:
                return self._inflate.decompress(chunk, PIECE_BYTES)
            except zlib.error:
                pass
        raise TransportError("encoding")


class Body:
    """Between a connection and ``read``: opens what is compressed, gathers what is not a stream.

    A stream is handed over as it comes. A whole answer is handed over at once, because its reader
    can do nothing with a part, and each hand-over costs a turn through the driver.
    """

    __slots__ = ("_decoder", "_ended", "_head", "_pieces", "_size", "_want")

    def __init__(self, head: HttpHead) -> None:
        self._head: HttpHead | None = head
        self._decoder: Decoder | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._want = 1 if streams(head) else WHOLE_BYTES_MAX
        self._ended = False

    def feed(self, chunk: bytes) -> None:
        """Take what came from the connection.

        Raises:
            TransportError: ``encoding``, for a coding that we cannot open, or a bomb.
        """
        decoder = self._opened()
        for piece in (chunk,) if decoder is None else decoder.feed(chunk):
            self._pieces.append(piece)
            self._size += len(piece)

    def end(self) -> None:
        """Take note that the body has ended.

        Raises:
            TransportError: ``encoding``, if compressed data stop in the middle.
        """
        self._ended = True
        if (decoder := self._opened()) is not None:
            decoder.close()

    @property
    def ended(self) -> bool:
        """Say whether the connection has given all it had."""
        return self._ended

    def ready(self) -> bool:
        """Say whether there is enough to hand over, or the end."""
        return self._ended or self._size >= self._want

    def take(self) -> bytes:
        """Hand over what has been gathered; ``b""`` at the end."""
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self._size = 0
        return data

    def _opened(self) -> Decoder | None:
        # Not before the body: a status that can be read is worth more than a body that cannot.
        if self._head is not None:
            self._decoder = decoder_for(self._head)
            self._head = None
        return self._decoder


def decoder_for(head: HttpHead) -> Decoder | None:
    """Choose how to open a body; ``None`` for one that travels as it is.

    Raises:
        TransportError: ``encoding``, for a coding that we did not ask for and cannot open.
    """
    coding = head.header("content-encoding")
    if coding is None or coding.strip().lower() in {"", "identity"}:
        return None
    if coding.strip().lower() in {"gzip", "x-gzip", "deflate"}:
        return Decoder()
    raise TransportError("encoding")


def streams(head: HttpHead) -> bool:
    """Say whether somebody wants to see this body while it is still being made.

    Anything that is not plainly one JSON document counts, so that an unknown kind is never held
    back; a JSON array that is streamed (Gemini without ``alt=sse``) is told by its chunked framing.
    """
    kind = head.header("content-type") or ""
    return not kind.startswith("application/json") or head.header("content-length") is None


def outgoing_headers(request: HttpRequest) -> list[tuple[str, str]]:
    """Add to a request what every client would add by itself, and differently."""
    names = {name.lower() for name, _ in request.headers}
    headers = list(request.headers)
    if "accept-encoding" not in names:
        headers.append(("accept-encoding", "identity"))
    if "user-agent" not in names:
        headers.append(("user-agent", USER_AGENT))
    return headers
