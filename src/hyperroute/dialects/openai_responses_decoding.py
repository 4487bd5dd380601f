"""Replies of the Responses dialect, streamed or whole, as canonical events.

A stream tells items by ``output_index``, each between its ``added`` and its ``done``. They may
interleave; the canon's parts may not, so the first open item is told as it comes and the others wait
until it is done. Every ``done`` repeats the whole: what its deltas left out is added from there, so
that servers which send fewer events than OpenAI are read too, down to one that sends only the last.

Success is ``response.completed`` or ``response.incomplete`` and nothing else; behind it nothing is
read any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from hyperroute.canon.events import (
    Finished,
    FinishReason,
    PartDelta,
    Started,
    StreamEvent,
    UsageReported,
)
from hyperroute.canon.usage import NO_USAGE, Usage
from hyperroute.dialects.base import ErrorInStream, ErrorReport
from hyperroute.dialects.json import loads
from hyperroute.dialects.openai_errors import is_error, report
from hyperroute.dialects.openai_responses_items import Item, Numbers
from hyperroute.dialects.openai_usage import later, read_usage
from hyperroute.dialects.sse import BODY_BYTES_MAX, BodyReader
from hyperroute.errors import ProviderWireError

ITEMS_MAX: Final = 4_096
"""More items in one answer are a fault of the provider."""
_BEGUN: Final = frozenset({"response.created", "response.in_progress", "response.queued"})
_DELTAS: Final = frozenset(
    {
        "response.output_text.delta",
        "response.refusal.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
    }
)
_INCOMPLETE: Final[dict[str, FinishReason]] = {
    "max_output_tokens": "length",
    "content_filter": "filter",
}


class ResponsesDecoder:
    """Provider bytes in, canonical events out."""

    __slots__ = ("_body", "_held", "_items", "_live", "_numbers", "_over", "_started", "_usage")

    def __init__(self) -> None:
        self._body = BodyReader()
        self._items: dict[int, Item] = {}
        self._live: Item | None = None
        self._numbers = Numbers()
        self._started = False
        self._over = False
        self._held = 0
        self._usage: Usage = NO_USAGE

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Take any number of bytes, split anywhere.

        Raises:
            ProviderWireError: The bytes do not follow the dialect.
            ErrorInStream: The response failed, or an error object came.
        """
        if self._over:
            return
        for name, data in self._body.feed(chunk):
            if data == b"[DONE]":
                continue
            value = _parsed(data)
            # The token's way: more text for the part that is open and told as it comes.
            live = self._live
            if (
                live is not None
                and live.speaking
                and value.get("type") == "response.output_text.delta"
                and value.get("output_index") == live.index
                and value.get("content_index") == live.place
                and (text := value.get("delta")).__class__ is str
            ):
                if text:
                    live.told += len(text)
                    yield PartDelta(live.part, text)
                continue
            yield from self._event(name, value)
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
            yield from self._whole(whole)
            return
        if last is not None and last[1] != b"[DONE]":
            try:
                value = _parsed(last[1])
            except ProviderWireError as error:
                raise ProviderWireError(str(error), cut=True) from None
            yield from self._event(last[0], value)
        if not self._ended():
            raise ProviderWireError("the stream ended before response.completed", cut=True)

    def _whole(self, body: bytes) -> Iterator[StreamEvent]:
        text = body.strip()
        try:
            value = loads(text)
        except (ValueError, RecursionError):
            raise ProviderWireError("the body is not JSON", cut=not text.endswith(b"}")) from None
        if not isinstance(value, dict):
            raise ProviderWireError("the body is not a JSON object")
        # A whole response has an "error" member of its own, null unless it failed.
        if is_error(value):
            raise ErrorInStream(report(value))
        if not isinstance(value.get("output"), list):
            raise ProviderWireError("must be a list", pointer="/output")
        status = value.get("status")
        yield from self._terminal(f"response.{status}", value)
        if not self._over:
            raise ProviderWireError(f"the response is not complete but {status!r}")

    def _event(self, name: str, value: dict[str, Any]) -> Iterator[StreamEvent]:
        kind = value.get("type")
        if not isinstance(kind, str):
            kind = name
        if kind == "error" or is_error(value):
            raise ErrorInStream(report(value))
        if kind in _BEGUN:
            yield from self._start(_object(value, "response"))
        elif kind in _DELTAS:
            text = value.get("delta")
            if not isinstance(text, str):
                raise ProviderWireError("must be text", pointer="/delta")
            item = self._item(value)
            yield from self._tell(item, item.delta(kind, _place(value), text))
        elif kind == "response.output_item.added":
            item = self._item(value)
            yield from self._tell(item, item.added(_object(value, "item")))
        elif kind == "response.output_item.done":
            yield from self._done(self._item(value), _object(value, "item"))
        elif kind == "response.content_part.added":
            item = self._item(value)
            yield from self._tell(item, item.begin(_object(value, "part"), _place(value)))
        elif kind == "response.reasoning_summary_part.added":
            item = self._item(value)
            yield from self._tell(item, item.begin({"type": "summary_text"}, _place(value)))
        elif kind == "response.output_text.annotation.added":
            if isinstance(note := value.get("annotation"), dict):
                self._item(value).citations.append(note)
        elif kind.startswith("response.") and isinstance(value.get("response"), dict):
            yield from self._terminal(kind, value["response"])

    def _start(self, response: dict[str, Any]) -> Iterator[StreamEvent]:
        if self._started:
            return
        self._started = True
        made = response.get("created_at")
        known = isinstance(made, int | float) and not isinstance(made, bool) and made > 0
        identity, model = response.get("id"), response.get("model")
        yield Started(
            identity if isinstance(identity, str) else "",
            model if isinstance(model, str) else "",
            int(made) if known and made is not None else None,
        )

    def _terminal(self, kind: str, response: dict[str, Any]) -> Iterator[StreamEvent]:
        if kind in {"response.failed", "response.cancelled"}:
            inner = response.get("error")
            if isinstance(inner, dict):
                raise ErrorInStream(report({"error": inner}))
            raise ErrorInStream(ErrorReport(code=kind.partition(".")[2]))
        if kind not in {"response.completed", "response.incomplete"}:
            return
        yield from self._start(response)
        output = response.get("output")
        for index, whole in enumerate(output if isinstance(output, list) else ()):
            if isinstance(whole, dict) and (
                index not in self._items or not self._items[index].over
            ):
                yield from self._done(self._item({"output_index": index}), whole)
        for item in list(self._items.values()):
            if not item.over:
                yield from self._done(item, {})
        if (usage := read_usage(response.get("usage"))) is not None:
            self._usage = later(self._usage, usage)
            yield UsageReported(self._usage)
        self._over = True
        yield self._finish(kind, response)

    def _finish(self, kind: str, response: dict[str, Any]) -> Finished:
        items = self._items.values()
        if kind == "response.incomplete":
            details = response.get("incomplete_details")
            raw = details.get("reason") if isinstance(details, dict) else None
            word = raw if isinstance(raw, str) else "incomplete"
            return Finished(_INCOMPLETE.get(word, "other"), word)
        if any(item.called for item in items):
            return Finished("tool_calls", "completed")
        return Finished("refusal" if any(item.refused for item in items) else "stop", "completed")

    def _item(self, value: dict[str, Any]) -> Item:
        index = value.get("output_index")
        if not isinstance(index, int) or isinstance(index, bool):
            raise ProviderWireError("must be an integer", pointer="/output_index")
        item = self._items.get(index)
        if item is None:
            if len(self._items) >= ITEMS_MAX:
                raise ProviderWireError(f"more than {ITEMS_MAX} output items")
            item = self._items[index] = Item(index, self._numbers)
        return item

    def _tell(self, item: Item, events: Iterator[StreamEvent]) -> Iterator[StreamEvent]:
        """Pass an item's events on if it is the one being told, else let them wait."""
        if item.over:
            return
        if self._live is None:
            self._live = item
            if not self._started:
                yield from self._start({})
        if self._live is item:
            yield from events
            return
        for event in events:
            item.waiting.append(event)
            self._held += len(event.text) if isinstance(event, PartDelta) else 1
            if self._held > BODY_BYTES_MAX:
                raise ProviderWireError(f"more than {BODY_BYTES_MAX} bytes wait for an item to end")

    def _done(self, item: Item, whole: dict[str, Any]) -> Iterator[StreamEvent]:
        if item.over:
            return
        yield from self._tell(item, item.done(whole))
        item.over = True
        if self._live is not item:
            return
        self._live = None
        for index in sorted(self._items):
            following = self._items[index]
            if not following.waiting and (following.over or not following.known):
                continue
            yield from following.waiting
            following.waiting = []
            if not following.over:
                self._live = following
                return

    @property
    def finished(self) -> bool:
        """Whether the response is complete, or as complete as it will be."""
        return self._over

    def skip(self, size: int) -> None:
        """Take so many characters of the part that is told as they come as read."""
        assert self._live is not None
        self._live.told += size

    def _ended(self) -> bool:
        return self._over


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        value = loads(data)
    except (ValueError, RecursionError):
        raise ProviderWireError("an event is not JSON") from None
    if not isinstance(value, dict):
        raise ProviderWireError("an event is not a JSON object")
    return value


def _object(value: dict[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    if not isinstance(inner, dict):
        raise ProviderWireError("must be an object", pointer=f"/{key}")
    return inner


def _place(value: dict[str, Any]) -> int:
    for key in ("content_index", "summary_index"):
        place = value.get(key)
        if isinstance(place, int) and not isinstance(place, bool):
            return place
    return 0
