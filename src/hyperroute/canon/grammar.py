"""The grammar of a stream, as a checker: for tests, for conformance, for suspicious drivers."""

from __future__ import annotations

from collections.abc import Iterable

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
    wrong: list[str] = []
    seen: set[int] = set()
    active: dict[int, int] = {}
    """Open part of each choice, by choice."""
    finished: set[int] = set()
    choices: set[int] = set()
    started = False
    for number, event in enumerate(events):
        if isinstance(event, Started) == started:
            wrong.append(f"{number}: {'second' if started else 'no'} Started")
        started = True
        match event:
            case Started():
                pass
            case UsageReported():
                if finished and finished >= choices:
                    wrong.append(f"{number}: usage after the last Finished")
            case PartStarted(index, _, choice):
                choices.add(choice)
                if index in seen:
                    wrong.append(f"{number}: part {index} starts twice")
                if choice in active:
                    wrong.append(f"{number}: part {index} overlaps part {active[choice]}")
                if choice in finished:
                    wrong.append(f"{number}: part {index} after its choice finished")
                seen.add(index)
                active[choice] = index
            case PartDelta(index):
                if index not in active.values():
                    wrong.append(f"{number}: part {index} is not open")
            case PartEnded(index):
                owner = [choice for choice, part in active.items() if part == index]
                if not owner:
                    wrong.append(f"{number}: part {index} is not open")
                for choice in owner:
                    del active[choice]
            case Finished(choice=choice):
                if choice in finished:
                    wrong.append(f"{number}: choice {choice} finishes twice")
                if choice in active:
                    wrong.append(
                        f"{number}: choice {choice} finishes with part {active[choice]} open"
                    )
                finished.add(choice)
    if whole and (not finished or choices - finished):
        wrong.append(f"no Finished for choices {sorted(choices - finished) or [0]}")
    return wrong
