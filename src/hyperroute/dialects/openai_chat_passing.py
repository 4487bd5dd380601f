"""What readers of chat completions want of chunks that pass (dialects.md, 6; clients.md, 21).

Two edits are always due: usage that our caller did not ask for is told on the chunk with the last
``finish_reason``, never on a chunk without choices; and ``[DONE]`` ends what ended. The others
repair what would break a reader's sum: it adds strings up, so a role is said once, and a call's id and
name; it counts calls by their place; it drops what is not called a chunk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hyperroute.dialects.json import dumps, loads
from hyperroute.dialects.openai_chat_pieces import Calls, text_of
from hyperroute.dialects.relay import Edit, Path, Remove, Set, find, splice
from hyperroute.dialects.tap import Manners

DONE: Final = b"data: [DONE]\n\n"
_FORM: Final = re.compile(rb"data: ?[^\r\n]++(?:\n\n|\r\n\r\n)")
_OBJECT: Final = b'"chat.completion.chunk"'
_FINISH: Final = re.compile(rb'"finish_reason"\s*+:\s*+"[^"]')


@dataclass(slots=True)
class _Choice:
    """What was told of one choice's calls."""

    calls: Calls = field(default_factory=Calls)
    given: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    """``id`` or ``name``, and of which call."""

    def edits(
        self, fragment: dict[str, Any], at: Path, *, reply: str, choice: int
    ) -> Iterator[Edit]:
        """Count a call by its place, and give its name and id once."""
        call, piece = self.calls.take(fragment)
        if fragment.get("index") != call.number:
            yield Set((*at, "index"), dumps(call.number))
        kind = "custom" if call.custom else "function"
        inner = fragment.get(kind)
        if isinstance(inner, dict) and inner.get("name"):
            if ("name", call.number) in self.given:
                yield Remove((*at, kind, "name"))
            self.given.add(("name", call.number))
        told = fragment.get("id")
        if ("id", call.number) in self.given:
            if told:
                yield Remove((*at, "id"))
        elif told or (call.name and piece):
            # Nobody can answer a call without an id of its own: this is what the canon calls it.
            self.given.add(("id", call.number))
            identity = self.calls.identity(reply, choice, call)
            if told != identity:
                yield Set((*at, "id"), dumps(identity))


class ChatManners(Manners):
    """Of one stream."""

    form = _FORM

    def __init__(self, *, asked: bool) -> None:
        """Begin; ``asked``: our caller wants a chunk of usage of its own."""
        self._asked = asked
        self._usage: bytes | None = None
        self._roles: set[int] = set()
        self._choices: dict[int, _Choice] = {}

    def mended(self, frame: bytes) -> bytes:
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
        edits = [*self._edits(choices, text_of(value.get("id")))]
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

    def _edits(self, choices: list[Any], reply: str) -> Iterator[Edit]:
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
                told = self._choices.setdefault(index, _Choice())
                for number, fragment in enumerate(fragments):
                    if isinstance(fragment, dict):
                        where = (*at, "tool_calls", number)
                        yield from told.edits(fragment, where, reply=reply, choice=index)
