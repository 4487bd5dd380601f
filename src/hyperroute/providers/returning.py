"""What a translated answer needs before our caller sees it.

A decoder cannot know for whom it reads. So where the caller's dialect is not the upstream's, this is
the one place that tells each seal its maker, so that encoders tag it and it comes back to that vendor
and account only (dialects.md, 1.4), that turns a call of a free-form tool, which was offered as a
function of one string, into the free-form call that the caller asked for, and that keeps arguments an
object for a caller whose dialect has one there (reliability.md, row 68).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from hyperroute.canon.content import Part, Reasoning, Sealed, Text, ToolUse
from hyperroute.canon.events import Delivery, Finished, PartDelta, PartEnded, PartStarted
from hyperroute.canon.loss import Loss
from hyperroute.dialects import json
from hyperroute.providers.arguments import Arguments


@dataclass(slots=True)
class Returning:
    """Events of one translated answer, on their way up.

    Attributes:
        vendor: Who made its seals; ``""``: nobody can say, and they return to nobody.
        group: The account they were made at.
        custom: Names of the caller's free-form tools.
        objects: Whether arguments are an object in the caller's dialect.
        losses: Where it is left what could not be handed on.
    """

    vendor: str
    group: str
    custom: frozenset[str] = frozenset()
    objects: bool = False
    losses: list[Loss] = field(default_factory=list[Loss])
    _calls: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    _objects: dict[int, tuple[int, Arguments]] = field(
        default_factory=dict[int, tuple[int, Arguments]]
    )
    _broken: set[int] = field(default_factory=set[int])
    """Choices with a call whose arguments were no object."""

    def passed(self, events: Iterable[Delivery]) -> Iterator[Delivery]:
        """Hand events on, changed where they must be."""
        for event in events:
            match event:
                case PartDelta(index, text):
                    if index in self._calls:
                        self._calls[index].append(text)
                    elif index in self._objects:
                        if sure := self._objects[index][1].feed(text):
                            yield PartDelta(index, sure)
                    else:
                        yield event
                case PartStarted():
                    yield self._started(event)
                case PartEnded(index):
                    if said := spoken("".join(self._calls.pop(index, ()))) or self._closed(index):
                        yield PartDelta(index, said)
                    yield replace(event, sealed=self._sealed(event.sealed))
                case Finished(reason="tool_calls" | "stop") if event.choice in self._broken:
                    yield replace(event, reason="other")
                case _:
                    yield event

    def repaired(self, calls: int) -> None:
        """Leave word of tool calls that the decoder had to give an id or a place (row 67)."""
        if calls:
            why = f"{calls} tool calls came without an id or out of their order"
            self.losses.append(Loss("/tool_calls", "synthesised", why))

    def _started(self, event: PartStarted) -> PartStarted:
        part: Part = event.part
        if isinstance(part, Text | Reasoning | ToolUse) and part.sealed is not None:
            part = replace(part, sealed=self._sealed(part.sealed))
        if isinstance(part, ToolUse) and not part.custom and part.name in self.custom:
            self._calls[event.index] = [part.arguments]
            part = replace(part, custom=True, arguments="")
        elif isinstance(part, ToolUse) and not part.custom and self.objects:
            arguments = Arguments()
            part = replace(part, arguments=arguments.feed(part.arguments))
            self._objects[event.index] = (event.choice, arguments)
        return event if part is event.part else replace(event, part=part)

    def _closed(self, index: int) -> str:
        """End the arguments of a call; an answer with broken ones does not ask to be acted on."""
        if index not in self._objects:
            return ""
        choice, arguments = self._objects.pop(index)
        whole = arguments.whole
        missing = arguments.close()
        if not whole:
            self._broken.add(choice)
            why = f"no JSON object; {arguments.lost} characters are left out"
            self.losses.append(Loss("/arguments", "approximated", why))
        return missing

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
