"""HTTP/1.1 without I/O: bytes of a request, and a strict reader of the response.

Strict means that whatever could be read in two ways is refused: both framings at once, two
lengths, folded headers, bare line feeds in the head, transfer codings other than ``chunked``. A
provider that sends such a thing, or somebody in between who does, gets a ``protocol`` fault and no
second connection to be confused about.

Source: RFC 9112 (2 to 7), RFC 9110 (5, 6.4, 15.2); read 2026-11-22.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import SplitResult

from hyperroute.canon.wire import HttpHead, HttpRequest
from hyperroute.runtime.http_body import outgoing_headers
from hyperroute.runtime.ports import TransportError, TransportFault

HEAD_BYTES_MAX: Final = 128 * 1024
TRAILER_BYTES_MAX: Final = 16 * 1024
CHUNK_LINE_BYTES_MAX: Final = 1024

_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\r\n\x00]*)?")
_FIELD: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\x00]*?)[ \t]*")
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\x00]*)?")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_TARGET: Final = re.compile(r"[!-~]+")
_OURS: Final = frozenset({"host", "connection", "content-length", "transfer-encoding"})


def request_bytes(request: HttpRequest, url: SplitResult) -> bytes:
    """Write a request.

    Raises:
        TransportError: ``protocol``, for an address or a header that would not stay in its line.
    """
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    if not (_TARGET.fullmatch(target) and _TARGET.fullmatch(url.netloc)) or "@" in url.netloc:
        raise TransportError("protocol")
    lines = [f"{request.method} {target} HTTP/1.1", f"host: {url.netloc}"]
    for name, value in outgoing_headers(request):
        if name.lower() not in _OURS:
            lines.append(f"{name}: {value}")
    if request.body or request.method not in {"GET", "HEAD", "DELETE"}:
        lines.append(f"content-length: {len(request.body)}")
    head = "\r\n".join(lines)
    breaks = len(lines) - 1
    if head.count("\n") != breaks or head.count("\r") != breaks or "\0" in head:
        raise TransportError("protocol")
    try:
        return head.encode("latin-1") + b"\r\n\r\n" + request.body
    except UnicodeEncodeError:
        raise TransportError("protocol") from None


class ResponseReader:
    """Bytes in; a head, then pieces of body, then ``done``.

    Attributes:
        head: Once it is complete.
        done: The body has ended as its framing says.
        keeps: Another request may follow on the connection.
    """

    __slots__ = ("_at", "_bare", "_buffer", "_left", "_step", "done", "head", "keeps")

    def __init__(self, method: str) -> None:
        self.head: HttpHead | None = None
        self.done = False
        self.keeps = False
        self._bare = method == "HEAD"
        self._buffer = b""
        self._at = 0
        self._left = 0
        self._step: Callable[[list[bytes]], bool] = self._read_head

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived and return the body in it.

        Raises:
            TransportError: ``protocol``.
        """
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0
        pieces: list[bytes] = []
        while self._at < len(self._buffer) and not self.done and self._step(pieces):
            pass
        if self.done and self._at < len(self._buffer):
            self.keeps = False  # it talks without being asked: nothing it says next is an answer
        return pieces

    def eof(self) -> TransportFault | None:
        """Take note that the connection has ended; return what that breaks, if anything."""
        if self.done:
            return None
        if self.head is None:
            return "reset"
        if self._step == self._read_to_end:
            self.done = True
            return None
        return "cut"

    def _read_head(self, _: list[bytes]) -> bool:
        start = self._at
        end = self._buffer.find(b"\r\n\r\n", start)
        if end < 0:
            begun = self._buffer[start : start + 5]
            if len(self._buffer) - start > HEAD_BYTES_MAX or not b"HTTP/".startswith(begun):
                raise TransportError("protocol")
            return False
        first, *lines = self._buffer[start:end].split(b"\r\n")
        self._at = end + 4
        status = _STATUS.fullmatch(first)
        fields = [_FIELD.fullmatch(line) for line in lines]
        if status is None or end - start > HEAD_BYTES_MAX or None in fields:
            raise TransportError("protocol")
        code = int(status[2])
        if 100 <= code < 200 and code != 101:
            return True  # an interim answer: the real one follows
        head = HttpHead(
            code,
            tuple((f[1].decode().lower(), f[2].decode("latin-1")) for f in fields if f is not None),
        )
        self._frame(head, modern=status[1] == b"1")
        self.head = head
        return True

    def _frame(self, head: HttpHead, *, modern: bool) -> None:
        codings = [value for name, value in head.headers if name == "transfer-encoding"]
        lengths = {value for name, value in head.headers if name == "content-length"}
        said = ",".join(value for name, value in head.headers if name == "connection").lower()
        self.keeps = modern and "close" not in said
        bad = head.status == 101 or len(lengths) > 1 or (codings and lengths)
        if bad or (codings and (len(codings) > 1 or codings[0].lower() != "chunked")):
            raise TransportError("protocol")
        if self._bare or head.status in {204, 304}:
            self.done = True
        elif codings:
            self._step = self._read_size
        elif lengths:
            length = lengths.pop()
            if not _LENGTH.fullmatch(length):
                raise TransportError("protocol")
            self._left = int(length)
            self.done = self._left == 0
            self._step = self._read_length
        else:
            self.keeps = False
            self._step = self._read_to_end

    def _read_length(self, pieces: list[bytes]) -> bool:
        self._take(pieces)
        self.done = self._left == 0
        return False

    def _read_to_end(self, pieces: list[bytes]) -> bool:
        pieces.append(self._buffer[self._at :])
        self._at = len(self._buffer)
        return False

    def _read_size(self, _: list[bytes]) -> bool:
        line = self._line(CHUNK_LINE_BYTES_MAX)
        if line is None:
            return False
        size = _SIZE.fullmatch(line)
        if size is None:
            raise TransportError("protocol")
        self._left = int(size[1], 16)
        self._step = self._read_chunk if self._left else self._read_trailer
        return True

    def _read_chunk(self, pieces: list[bytes]) -> bool:
        if self._left:
            self._take(pieces)
            if self._left:
                return False
        if len(self._buffer) - self._at < 2:
            return False
        if not self._buffer.startswith(b"\r\n", self._at):
            raise TransportError("protocol")
        self._at += 2
        self._step = self._read_size
        return True

    def _read_trailer(self, _: list[bytes]) -> bool:
        line = self._line(TRAILER_BYTES_MAX)
        if line is None:
            return False
        self._left += len(line)  # free by now: it counts the trailer
        if self._left > TRAILER_BYTES_MAX:
            raise TransportError("protocol")
        self.done = not line
        return True

    def _take(self, pieces: list[bytes]) -> None:
        piece = self._buffer[self._at : self._at + self._left]
        if piece:
            self._at += len(piece)
            self._left -= len(piece)
            pieces.append(piece)

    def _line(self, most: int) -> bytes | None:
        end = self._buffer.find(b"\r\n", self._at)
        if end < 0:
            if len(self._buffer) - self._at > most:
                raise TransportError("protocol")
            return None
        line = self._buffer[self._at : end]
        self._at = end + 2
        return line
