"""What the store of every SQL database asks of one connection, each a round trip at most.

A group of commits is ``begin``, ``look_up`` if something that was read leads further, and
``finish``: three journeys to a server, however many commits there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from hyperroute.canon.units import Instant
from hyperroute.stores.bulk import Questions
from hyperroute.stores.sql import Statement, Values


class Database(Protocol):
    """One connection. What it raises is one of ``errors``."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What can go wrong with it."""
        ...

    @property
    def misfits(self) -> tuple[type[Exception], ...]:
        """Of these, what says that a value does not fit into a column: one batch's own fault."""
        ...

    @property
    def doubtful(self) -> bool:
        """Whether what went wrong last may have been made durable all the same."""
        ...

    def now(self) -> Instant:
        """Return Unix nanoseconds of the clock that all who share the database share."""
        ...

    def read(self, statements: Sequence[Statement]) -> list[Sequence[Any]]:
        """Return the rows of each statement, all of one instant."""
        ...

    def begin(self, questions: Questions) -> tuple[Instant, list[Sequence[Any]]]:
        """Keep other writers out from now on; only then read the clock, and look up."""
        ...

    def look_up(self, questions: Questions) -> list[Sequence[Any]]:
        """Return the rows of each question, as they stand in this transaction."""
        ...

    def execute(self, text: str, values: Values) -> Sequence[Any]:
        """Carry out a statement of ``sql`` in this transaction, and return its rows."""
        ...

    def finish(self, writings: Iterable[tuple[str, Sequence[Values]]]) -> None:
        """Carry out each text for all of its rows, and make it durable."""
        ...

    def rollback(self) -> None:
        """Undo what was written; of a connection that is gone, prepare to make another."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


__all__ = ["Database"]
