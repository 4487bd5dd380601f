"""What a provider does with one request, as a value. World and Upstream play the same scripts.

Everything that a provider can do wrong is a switch of ``Script``; ``faults.py`` names the rows of
the fault catalogue with it. ``Book`` chooses the script of a request for both players, so that a
schedule which fails in the simulator can be replayed over sockets without being written again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from hyperroute.canon.wire import Headers, HttpHead, HttpRequest
from hyperroute.runtime.ports import TransportFault

MS = 1_000_000
SECOND = 1_000 * MS

End = Literal["clean", "cut", "reset", "stall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How a provider answers one request.

    Attributes:
        fault: Nothing is answered: what the transport reports instead. Over sockets only
            ``connect`` and ``reset`` can be played; the others exist in a World.
        status: Of the head; 1xx have no place here, they are not an answer.
        headers: Of the head, names in lower case. Framing is added by whoever plays the script.
        chunks: The body, as it goes onto the wire (compressed, if the headers say so).
        length: The content-length that is promised; ``None`` means chunked. A longer promise than
            the chunks keep is row 52.
        head_after_ns: From the request to the head.
        chunk_after_ns: Before each chunk.
        waits_ns: Before the chunk of the same index; the rest wait ``chunk_after_ns``.
        end: After the last chunk: as promised; the connection closed without the end that the
            framing demands; reset; silence for ever.
        raw: Bytes to send in the place of the whole answer, head and all (row 60's ugly cousin:
            somebody answers who does not speak HTTP).
    """

    fault: TransportFault | None = None
    status: int = 200
    headers: Headers = ()
    chunks: tuple[bytes, ...] = ()
    length: int | None = None
    head_after_ns: int = 0
    chunk_after_ns: int = 0
    waits_ns: tuple[int, ...] = ()
    end: End = "clean"
    raw: bytes | None = None

    @property
    def body(self) -> bytes:
        """Return the chunks as one."""
        return b"".join(self.chunks)

    def head(self) -> HttpHead:
        """Return the head as a transport shows it, framing included."""
        framing = (
            ("transfer-encoding", "chunked")
            if self.length is None
            else ("content-length", str(self.length))
        )
        bare = self.status in {204, 304}
        return HttpHead(self.status, self.headers if bare else (*self.headers, framing))

    def wait_ns(self, index: int) -> int:
        """Return how long the chunk of this index lets wait."""
        return self.waits_ns[index] if index < len(self.waits_ns) else self.chunk_after_ns

    def split(self, size: int) -> Script:
        """Return the same body in chunks of ``size`` bytes, cut wherever that falls."""
        body = self.body
        return replace(
            self,
            chunks=tuple(body[at : at + size] for at in range(0, len(body), size)),
            waits_ns=(),
        )

    def cut_at(self, size: int, *, end: End = "cut") -> Script:
        """Return a script that sends ``size`` bytes of the body, chunk by chunk, and then ends."""
        chunks: list[bytes] = []
        for chunk in self.chunks:
            if size <= 0:
                break
            chunks.append(chunk[:size])
            size -= len(chunk)
        return replace(self, chunks=tuple(chunks), end=end)


Answer = Script | Sequence[Script] | Callable[[HttpRequest], Script]
"""One script for ever; one after another, the last for ever; or whatever a function says."""


@dataclass(slots=True)
class Book:
    """Which script answers which request: the longest prefix of the URL or path decides."""

    _pages: dict[str, Answer] = field(default_factory=dict[str, Answer])
    _turns: dict[str, int] = field(default_factory=dict[str, int])

    def serve(self, prefix: str, answer: Answer) -> None:
        """Set what is answered below a prefix, from its first script on.

        Raises:
            ValueError: The sequence is empty.
        """
        if isinstance(answer, Sequence) and not answer:
            raise ValueError(f"nothing to play for {prefix!r}")
        self._pages[prefix] = answer
        self._turns[prefix] = 0

    def choose(self, request: HttpRequest) -> Script:
        """Return the script of a request, and turn the page.

        Raises:
            LookupError: Nobody said what to answer there.
        """
        fitting = [prefix for prefix in self._pages if request.url.startswith(prefix)]
        if not fitting:
            raise LookupError(f"no script for {request.url!r}; serve() one of its prefixes")
        prefix = max(fitting, key=len)
        answer = self._pages[prefix]
        turn = self._turns[prefix]
        self._turns[prefix] = turn + 1
        if isinstance(answer, Script):
            return answer
        if callable(answer):
            return answer(request)
        return answer[min(turn, len(answer) - 1)]
