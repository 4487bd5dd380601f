"""The grammar of a stream, as a checker: for tests, for conformance, for suspicious drivers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hyperroute.canon.events import (
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    StreamEvent,
    UsageReported,
)


def violations(events: Iterable[StreamEvent], *, whole: bool = True) -> list[str]:
    """List what is wrong with a stream; ``whole=False`` forgives a missing end."""
    checker = _Checker()
    for number, event in enumerate(events):
        checker.take(number, event)
    unfinished = sorted(checker.choices - checker.finished)
    if whole and (not checker.finished or unfinished):
        checker.wrong.append(f"no Finished for choices {unfinished or [0]}")
    return checker.wrong


@dataclass(slots=True)
class _Checker:
    wrong: list[str] = field(default_factory=list[str])
    started: bool = False
    seen: set[int] = field(default_factory=set[int])
    owner: dict[int, int] = field(default_factory=dict[int, int])
    """Choice of each open part."""
    choices: set[int] = field(default_factory=set[int])
    finished: set[int] = field(default_factory=set[int])

    def take(self, number: int, event: StreamEvent) -> None:
        if isinstance(event, Started) == self.started:
            self._blame(number, "second Started" if self.started else "no Started")
        self.started = True
        match event:
            case Started():
                pass
            case UsageReported():
                if self.finished and self.finished >= self.choices:
                    self._blame(number, "usage after the last Finished")
            case PartStarted(index, _, choice):
                self._part(number, index, choice)
            case PartDelta(index):
                if index not in self.owner:
                    self._blame(number, f"part {index} is not open")
            case PartEnded(index):
                if self.owner.pop(index, None) is None:
                    self._blame(number, f"part {index} is not open")
            case Finished(choice=choice):
                self._finish(number, choice)

    def _part(self, number: int, index: int, choice: int) -> None:
        self.choices.add(choice)
        if index in self.seen:
            self._blame(number, f"part {index} starts twice")
        if choice in self.owner.values():
            self._blame(number, f"part {index} overlaps another of choice {choice}")
        if choice in self.finished:
            self._blame(number, f"part {index} after its choice finished")
        self.seen.add(index)
        self.owner[index] = choice

    def _finish(self, number: int, choice: int) -> None:
        if choice in self.finished:
            self._blame(number, f"choice {choice} finishes twice")
        if choice in self.owner.values():
            self._blame(number, f"choice {choice} finishes with a part open")
        self.finished.add(choice)

    def _blame(self, number: int, what: str) -> None:
        self.wrong.append(f"{number}: {what}")
