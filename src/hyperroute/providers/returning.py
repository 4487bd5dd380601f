"""What a translated answer needs before our caller sees it.

A decoder cannot know for whom it reads. So where the caller's dialect is not the upstream's, this is
the one place that tells each seal its maker, so that encoders tag it and it comes back to that vendor
and account only (dialects.md, 1.4), and that turns a call of a free-form tool, which was offered as a
function of one string, into the free-form call that the caller asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from hyperroute.canon.content import Part, Reasoning, Sealed, Text, ToolUse
from hyperroute.canon.events import PartDelta, PartEnded, PartStarted, StreamEvent
from hyperroute.dialects import json


@dataclass(slots=True)
class Returning:
    """Events of one translated answer, on their way up.

    Attributes:
        vendor: Who made its seals; ``""``: nobody can say, and they return to nobody.
        group: The account they were made at.
        custom: Names of the caller's free-form tools.
    """

    vendor: str
    group: str
    custom: frozenset[str] = frozenset()
    _calls: dict[int, list[str]] = field(default_factory=dict[int, list[str]])

    def passed(self, events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
        """Hand events on, changed where they must be."""
        for event in events:
            match event:
                case PartDelta(index, text):
                    if index in self._calls:
                        self._calls[index].append(text)
                    else:
                        yield event
                case PartStarted():
                    yield self._started(event)
                case PartEnded(index):
                    if said := spoken("".join(self._calls.pop(index, ()))):
                        yield PartDelta(index, said)
                    yield replace(event, sealed=self._sealed(event.sealed))
                case _:
                    yield event

    def _started(self, event: PartStarted) -> PartStarted:
        part: Part = event.part
        if isinstance(part, Text | Reasoning | ToolUse) and part.sealed is not None:
            part = replace(part, sealed=self._sealed(part.sealed))
        if isinstance(part, ToolUse) and not part.custom and part.name in self.custom:
            self._calls[event.index] = [part.arguments]
            part = replace(part, custom=True, arguments="")
        return event if part is event.part else replace(event, part=part)

    def _sealed(self, sealed: Sealed | None) -> Sealed | None:
        return None if sealed is None else replace(sealed, vendor=self.vendor, group=self.group)


def spoken(arguments: str) -> str:
    """Take the one string out of a function's arguments; what has another form stays as it came."""
    try:
        said = json.loads(arguments.encode())
    except ValueError:
        return arguments
    text = said.get("input") if isinstance(said, dict) else None
    return text if isinstance(text, str) else arguments


__all__ = ["Returning", "spoken"]
