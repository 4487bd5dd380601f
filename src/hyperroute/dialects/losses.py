"""What a writer could not say, gathered while it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hyperroute.canon.loss import Loss, LossKind
from hyperroute.canon.request import Conversation
from hyperroute.dialects.places import place, place_of_part
from hyperroute.dialects.reading import at


@dataclass(slots=True)
class Losses:
    """Losses in the order they were met, under the places of the source ``dialect``."""

    dialect: str
    found: list[Loss] = field(default_factory=list[Loss])

    def add(self, name: str, kind: LossKind, why: str) -> None:
        """Report a member by its canonical name."""
        self.at(place(self.dialect, name), kind, why)

    def at(self, path: str, kind: LossKind, why: str) -> None:
        """Report a place; the same loss at the same place is told once."""
        loss = Loss(path, kind, why)
        if loss not in self.found:
            self.found.append(loss)

    def drop_extensions(self, conversation: Conversation) -> None:
        """Report the members that only the source dialect knows.

        A key that begins with ``/`` is the pointer of a member further inside.
        """
        for members in conversation.extensions.values():
            for key in members:
                where = key if key.startswith("/") else at("", key)
                self.at(where, "dropped", "only the source dialect knows it")

    def drop_phases(self, conversation: Conversation) -> None:
        """Report the phases of answers, which only Responses knows."""
        for number, turn in enumerate(conversation.turns):
            if turn.phase is not None:
                self.at(
                    place_of_part(self.dialect, number), "dropped", "answers have no phases here"
                )

    def drop(self, why: str, **values: object) -> None:
        """Report every one of ``values`` that the caller gave."""
        for name, value in values.items():
            if value is not None:
                self.add(name, "dropped", why)


def refusal_of(losses: Sequence[Loss]) -> str:
    """Say why a request is refused where nothing may be lost."""
    first = losses[0]
    more = f", and {len(losses) - 1} more" if len(losses) > 1 else ""
    return f"would lose {first.path}: {first.why}{more}"
