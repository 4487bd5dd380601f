"""What a group of batches has read and changed, as it stands within the group's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from hyperroute.canon.mutation import Cell, State
from hyperroute.canon.units import Instant
from hyperroute.stores import sql
from hyperroute.stores.sql import Values


class Cells(dict[Cell, State | None]):
    """The cells that a group has read or changed, as they stand within its transaction."""

    def __init__(self, read_one: Callable[[Cell], State | None]) -> None:
        """Begin with none; ``read_one`` reads what was not read ahead."""
        super().__init__()
        self.now: Instant = 0
        self.version = 0
        self.numbered = False
        self.changed: dict[Cell, State | None] = {}
        self._read_one = read_one

    def __missing__(self, cell: Cell) -> State | None:
        """Read what was not read ahead."""
        found = self[cell] = self._read_one(cell)
        return found

    def read(
        self, questions: Mapping[str, Mapping[Values, Cell]], answers: Iterable[Sequence[Any]]
    ) -> None:
        """Hold what a database answered to questions of ``sql.asked``."""
        for of_question, rows in zip(questions.values(), answers, strict=True):
            self.update(cast("Any", sql.answered(of_question, rows)))


__all__ = ["Cells"]
