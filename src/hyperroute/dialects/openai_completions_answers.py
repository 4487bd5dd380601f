"""Answers of text completions, streamed or whole, read and written.

The success terminal is a ``finish_reason`` for every choice that began, ``[DONE]`` or not; a body
that ends before is cut. ``Finished`` is held until usage has come, as in chat completions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from hyperroute.canon.content import Text
from hyperroute.canon.events import (
    Finished,
    FinishReason,
    PartDelta,
    PartEnded,
    PartStarted,
    Reply,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects.base import ClientError, ErrorInStream
from hyperroute.dialects.json import dumps, loads
from hyperroute.dialects.openai_errors import error_object, is_error, report
from hyperroute.dialects.openai_usage import chat_usage, later, read_usage
from hyperroute.dialects.relay import Set, find, splice
from hyperroute.dialects.sse import COMMENT, BodyReader, frame
from hyperroute.dialects.tap import Manners
from hyperroute.errors import ProviderWireError

NAME: Final = "openai.completions"

CHOICES_MAX: Final = 2_048
"""Answers to all prompts of one request together."""
_DONE: Final = b"[DONE]"
_FINISH: Final = re.compile(rb'"finish_reason"\s*+:\s*+"[^"]')
_NO_ID: Final = "cmpl-unnamed"
_FINISHES: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "filter",
    "error": "error",
}
_WORDS: Final[dict[FinishReason, str]] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "pause": "stop",
    "length": "length",
    "context_full": "length",
}
"""What has no word is told as ``content_filter``, never as a plain stop."""


class CompletionsDecoder:
    """Provider bytes in, canonical events out: each choice is one part of text."""

    __slots__ = ("_body", "_finishes", "_open", "_over", "_started", "_usage")

    def __init__(self) -> None:
        self._body = BodyReader()
        self._open: dict[int, bool] = {}
        """By choice, which is also its part's index: whether it goes on."""
        self._finishes: list[Finished] = []
        self._started = False
        self._over = False
        self._usage: Usage = NO_USAGE

    @property
    def finished(self) -> bool:
        """Whether a choice began, and all that began have finished."""
        return bool(self._open) and not any(self._open.values())

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Take any number of bytes, split anywhere.

        Raises:
            ProviderWireError: The bytes do not follow the dialect.
            ErrorInStream: An error object came.
        """
        if self._over:
            return
        for _, data in self._body.feed(chunk):
            if data == _DONE:
                yield from self._end("[DONE] came before a finish_reason")
                return
            yield from self._value(data, cut=False)
            if self._ended():
                return

    def close(self) -> Iterator[StreamEvent]:
        """Take the end of the body.

        Raises:
            ProviderWireError: It came before the success terminal; ``cut`` is set.
            ErrorInStream: The whole body was an error object.
        """
        if self._over:
            return
        whole, last = self._body.close()
        if whole is not None:
            text = whole.strip()
            yield from self._value(text, cut=not text.endswith((b"}", b"]")))
        elif last is not None and last[1] != _DONE:
            yield from self._value(last[1], cut=True)
        if not self._ended():
            yield from self._end("the reply ended before a finish_reason")

    def _value(self, data: bytes, *, cut: bool) -> Iterator[StreamEvent]:
        try:
            value = loads(data)
        except (ValueError, RecursionError):
            if self.finished:
                return
            raise ProviderWireError("an answer is not JSON", cut=cut) from None
        if not isinstance(value, dict):
            raise ProviderWireError("an answer is not a JSON object")
        if is_error(value):
            if self.finished:
                return
            raise ErrorInStream(report(value))
        yield from self._chunk(value)

    def _chunk(self, value: dict[str, Any]) -> Iterator[StreamEvent]:
        choices = value.get("choices", [])
        if not isinstance(choices, list):
            raise ProviderWireError("must be a list", pointer="/choices")
        usage = read_usage(value.get("usage"))
        if not self._started and (choices or usage is not None):
            self._started = True
            created = value.get("created")
            yield Started(
                _text(value.get("id")),
                _text(value.get("model")),
                created if isinstance(created, int) and not isinstance(created, bool) else None,
            )
        for place, entry in enumerate(choices):
            if not isinstance(entry, dict):
                raise ProviderWireError("must be an object", pointer=f"/choices/{place}")
            yield from self._choice(entry, place)
        if usage is not None:
            self._usage = later(self._usage, usage)
            yield UsageReported(self._usage)
            if not choices and self.finished:
                yield from self._end("")

    def _choice(self, entry: dict[str, Any], place: int) -> Iterator[StreamEvent]:
        index = entry.get("index")
        if not isinstance(index, int) or isinstance(index, bool):
            index = place
        if self._open.get(index) is False:
            return
        if index not in self._open:
            if len(self._open) >= CHOICES_MAX:
                raise ProviderWireError(f"more than {CHOICES_MAX} choices")
            self._open[index] = True
            yield PartStarted(index, Text(), index)
        text = entry.get("text")
        if text is not None and not isinstance(text, str):
            raise ProviderWireError("must be a string", pointer=f"/choices/{place}/text")
        if text:
            yield PartDelta(index, text)
        finish = entry.get("finish_reason")
        if finish is not None and not isinstance(finish, str):
            raise ProviderWireError("must be a string", pointer=f"/choices/{place}/finish_reason")
        if finish:
            self._open[index] = False
            self._finishes.append(Finished(_FINISHES.get(finish, "other"), finish, index))
            yield PartEnded(index)

    def _ended(self) -> bool:
        return self._over

    def _end(self, otherwise: str) -> Iterator[StreamEvent]:
        if not self.finished:
            raise ProviderWireError(otherwise, cut=True)
        self._over = True
        yield from self._finishes


class CompletionsManners(Manners):
    """What readers want of chunks that pass: usage where it was asked for, and ``[DONE]`` at the end."""

    form = re.compile(rb"data: ?[^\r\n]++(?:\n\n|\r\n\r\n)")

    def __init__(self, *, asked: bool) -> None:
        """Begin; ``asked``: our caller wants a chunk of usage of its own."""
        self._asked = asked
        self._usage: bytes | None = None

    def mended(self, frame: bytes, events: list[StreamEvent]) -> bytes:
        """Withhold a chunk that holds nothing but usage not asked for."""
        if self._asked or not any(isinstance(event, UsageReported) for event in events):
            return frame
        body = frame[frame.find(b"{") : frame.rfind(b"}") + 1]
        place = find(body, ("usage",))
        if place is None or loads(body).get("choices"):
            return frame
        self._usage = body[place[0] : place[1]]
        return b""

    def ended(self, frames: list[bytes]) -> list[bytes]:
        """Tell usage on the last chunk that finishes a choice, and end with ``[DONE]``."""
        for place in range(len(frames) - 1, -1, -1):
            if self._usage is not None and _FINISH.search(told := frames[place]) is not None:
                begin, end = told.find(b"{"), told.rfind(b"}") + 1
                body = splice(told[begin:end], [Set(("usage",), self._usage)])
                frames[place] = told[:begin] + body + told[end:]
                break
        if not frames or _DONE not in frames[-1][:16]:
            frames.append(b"data: %b\n\n" % _DONE)
        return frames


class CompletionsEncoder:
    """Writes one stream for our caller."""

    def __init__(self, *, model: str, asked: bool) -> None:
        """Begin; ``asked``: our caller wants a chunk of usage of its own."""
        self._model = model
        self._asked = asked
        self._head: dict[str, Any] = {}
        self._choices: dict[int, int] = {}
        self._finished: set[int] = set()
        self._usage: Usage = NO_USAGE
        self._over = False

    def feed(self, event: StreamEvent) -> bytes:
        """Emit the bytes for one event; may be empty."""
        match event:
            case PartDelta(index, text):
                return self._said(self._choices[index], text)
            case Started():
                self._head = {
                    "id": event.id or _NO_ID,
                    "object": "text_completion",
                    "created": event.created or 0,
                    "model": self._model,
                }
            case PartStarted(index, part, choice):
                self._choices[index] = choice
                if isinstance(part, Text) and part.text:
                    return self._said(choice, part.text)
            case UsageReported(usage):
                self._usage = usage
            case Finished():
                return self._finish(event)
            case PartEnded():
                pass
        return b""

    def passed(self, frame: bytes) -> None:
        """Do nothing: an error stands alone."""
        del frame

    def pulse(self) -> bytes:
        """Emit a comment, as chat completions do."""
        return COMMENT

    def fail(self, error: ClientError) -> bytes:
        """Emit the bytes that end a broken stream, honestly: an error, and no ``[DONE]``."""
        if self._over:
            return b""
        self._over = True
        return frame(dumps({"error": error_object(error)}))

    def _said(self, choice: int, text: str, finish: str | None = None, **more: Any) -> bytes:
        entry = {"text": text, "index": choice, "logprobs": None, "finish_reason": finish}
        return frame(dumps({**self._head, "choices": [entry], **more}))

    def _finish(self, event: Finished) -> bytes:
        self._finished.add(event.choice)
        word = _WORDS.get(event.reason, "content_filter")
        if not self._finished >= set(self._choices.values()):
            return self._said(event.choice, "", word)
        self._over = True
        usage = chat_usage(self._usage)
        told = {} if usage is None else {"usage": usage}
        done = b"data: %b\n\n" % _DONE
        if not self._asked:
            return self._said(event.choice, "", word, **told) + done
        last = frame(dumps({**self._head, "choices": [], **told})) if told else b""
        return self._said(event.choice, "", word) + last + done


def emit_reply(reply: Reply, *, model: str) -> bytes:
    """Write a whole reply; ``model`` is the name the caller is told."""
    body: dict[str, Any] = {
        "id": reply.id or _NO_ID,
        "object": "text_completion",
        "created": reply.created or 0,
        "model": model,
        "choices": [
            {
                "text": choice.text,
                "index": choice.index,
                "logprobs": None,
                "finish_reason": _WORDS.get(choice.finish.reason, "content_filter"),
            }
            for choice in reply.choices
        ],
    }
    usage = chat_usage(reply.usage)
    return dumps(body if usage is None else body | {"usage": usage})


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


__all__ = ["NAME", "CompletionsDecoder", "CompletionsEncoder", "CompletionsManners", "emit_reply"]
