"""What readers of chat completions want of chunks that pass (dialects.md, 6; clients.md, 21).

Two edits are always due: usage that our caller did not ask for is told on the chunk with the last
``finish_reason``, never on a chunk without choices; and ``[DONE]`` ends what ended. The others
repair what would break a reader's sum: it adds strings up, so a role is said once, and a call's id and
name; it counts calls by their place; it drops what is not called a chunk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from hyperroute.canon.content import ToolUse
from hyperroute.canon.events import PartStarted, StreamEvent
from hyperroute.dialects.json import dumps, loads
from hyperroute.dialects.openai_chat_pieces import Calls
from hyperroute.dialects.relay import Edit, Remove, Set, find, splice
from hyperroute.dialects.tap import Manners

DONE: Final = b"data: [DONE]\n\n"
_FORM: Final = re.compile(rb"data: ?[^\r\n]++(?:\n\n|\r\n\r\n)")
_OBJECT: Final = b'"chat.completion.chunk"'
_FINISH: Final = re.compile(rb'"finish_reason"\s*+:\s*+"[^"]')


class ChatManners(Manners):
    """Of one stream."""

    form = _FORM

    def __init__(self, *, asked: bool) -> None:
        """Begin; ``asked``: our caller wants a chunk of usage of its own."""
        self._asked = asked
        self._usage: bytes | None = None
        self._roles: set[int] = set()
        self._calls: dict[int, tuple[Calls, set[tuple[str, int]]]] = {}
        """By choice: its calls, and which of them were given an id, or a name."""

    def mended(self, frame: bytes, events: list[StreamEvent]) -> bytes:
        """Return a chunk as readers survive it; ``b""`` if it holds nothing but usage not asked for."""
        counted = not self._asked and b'"usage"' in frame and b'"choices":[{' not in frame
        if not (
            counted
            or b'"role"' in frame
            or b'"tool_calls"' in frame
            or (_OBJECT not in frame and b"{" in frame)
        ):
            return frame
        begin, end = frame.find(b"{"), frame.rfind(b"}") + 1
        body = frame[begin:end]
        try:
            value = loads(body)
        except ValueError:
            return frame
        choices = value.get("choices") if isinstance(value, dict) else None
        if not isinstance(choices, list) or not choices:
            if not counted or not isinstance(value.get("usage"), dict):
                return frame
            place = find(body, ("usage",))
            self._usage = None if place is None else body[place[0] : place[1]]
            return b""
        edits = [*self._edits(choices, events)]
        if value.get("object") != "chat.completion.chunk":
            edits.append(Set(("object",), _OBJECT))
        return frame[:begin] + splice(body, edits) + frame[end:] if edits else frame

    def ended(self, frames: list[bytes]) -> list[bytes]:
        """Tell usage on the last chunk that finishes a choice, and end with ``[DONE]``."""
        usage = self._usage
        if usage is not None:
            for place in range(len(frames) - 1, -1, -1):
                if _FINISH.search(frame := frames[place]) is not None:
                    begin, end = frame.find(b"{"), frame.rfind(b"}") + 1
                    told = splice(frame[begin:end], [Set(("usage",), usage)])
                    frames[place] = frame[:begin] + told + frame[end:]
                    break
        if not frames or b"[DONE]" not in frames[-1][:16]:
            frames.append(DONE)
        return frames

    def _edits(self, choices: list[Any], events: list[StreamEvent]) -> Iterator[Edit]:
        for place, entry in enumerate(choices):
            if not isinstance(entry, dict) or not isinstance(delta := entry.get("delta"), dict):
                continue
            index = entry.get("index")
            if not isinstance(index, int):
                index = place
                yield Set(("choices", place, "index"), dumps(index))
            at = ("choices", place, "delta")
            if isinstance(delta.get("role"), str):
                if index in self._roles:
                    yield Remove((*at, "role"))
                self._roles.add(index)
            if isinstance(fragments := delta.get("tool_calls"), list):
                calls, given = self._calls.setdefault(index, (Calls(), set()))
                for number, fragment in enumerate(fragments):
                    if isinstance(fragment, dict):
                        where = (*at, "tool_calls", number)
                        yield from _call(calls, given, fragment, where, events)


def _call(
    calls: Calls,
    given: set[tuple[str, int]],
    fragment: dict[str, Any],
    at: tuple[str | int, ...],
    events: list[StreamEvent],
) -> Iterator[Edit]:
    call, _ = calls.take(fragment)
    if fragment.get("index") != call.number:
        yield Set((*at, "index"), dumps(call.number))
    kind = "custom" if call.custom else "function"
    inner = fragment.get(kind)
    for word, where, holder in (("id", at, fragment), ("name", (*at, kind), inner)):
        if isinstance(holder, dict) and holder.get(word):
            if (word, call.number) in given:
                yield Remove((*where, word))
            given.add((word, call.number))
    if ("id", call.number) not in given:
        # Nobody can answer a call without an id: ours is the one that the canon gives it.
        started = (event.part for event in events if isinstance(event, PartStarted))
        made = [part.id for part in started if isinstance(part, ToolUse)]
        if len(made) == 1:
            given.add(("id", call.number))
            yield Set((*at, "id"), dumps(made[0]))
