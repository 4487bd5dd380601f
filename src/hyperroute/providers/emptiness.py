"""Watch for replies that are none: an empty success, or a call that the model botched.

A finish that nothing preceded is held back until it is known to be the end, because another choice
of the same reply may still speak; only then is it row 71.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from hyperroute.canon.content import Opaque, Part, Reasoning, Refusal, Text
from hyperroute.canon.events import Delivery, Finished, PartDelta, PartStarted
from hyperroute.canon.failure import Failure
from hyperroute.providers import verdicts
from hyperroute.providers.flow import CallError


@dataclass(slots=True)
class Emptiness:
    """One reply's memory: has anything been said yet?"""

    _said: bool = False
    _held: list[Finished] = field(default_factory=list[Finished])

    def passed(self, events: Iterable[Delivery]) -> Iterator[Delivery]:
        """Hand events on, without the finishes of choices that said nothing yet.

        Raises:
            CallError: The provider itself calls the answer malformed (row 72) or failed.
        """
        for event in events:
            if self._said and type(event) is PartDelta:
                yield event  # the token's way
                continue
            if isinstance(event, Finished):
                match event.reason:
                    case "malformed":
                        raise _verdict(verdicts.MALFORMED_CALL, event)
                    case "error":
                        raise _verdict(verdicts.SERVER_ERROR, event)
                    case "stop" if not self._said:
                        self._held.append(event)
                        continue
                    case _:
                        pass
            elif not self._said and isinstance(event, PartStarted | PartDelta) and _speaks(event):
                self._said = True
                yield from self._held
            yield event

    def ended(self) -> None:
        """Take the end of the reply.

        Raises:
            CallError: Nothing was said, and the provider called that a stop (row 71).
        """
        if self._held and not self._said:
            raise _verdict(verdicts.EMPTY, self._held[0])


def _verdict(verdict: Failure, event: Finished) -> CallError:
    message = f"the reply finished as {event.raw or event.reason!r} without an answer"
    return CallError(replace(verdict, message=message, code=event.raw or event.reason))


def _speaks(event: PartStarted | PartDelta) -> bool:
    return event.text != "" if isinstance(event, PartDelta) else _holds(event.part)


def _holds(part: Part) -> bool:
    match part:
        case Text() | Refusal():
            return bool(part.text)
        case Reasoning():
            return bool(part.text) or part.redacted
        case Opaque():
            return False
        case _:
            return True
