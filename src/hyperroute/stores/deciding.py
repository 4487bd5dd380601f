"""What a batch does to what is kept: one pure function, the same in every store.

A store brings what it holds and what time it is, and keeps what comes back if all of it is done.
So the meaning of a mutation is written once, and a store is only about keeping.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from hyperroute.canon.mutation import (
    Cell,
    Changed,
    Charge,
    Commit,
    Correct,
    Delete,
    Exceeded,
    Mutation,
    Outcome,
    Put,
    Row,
    State,
    Stored,
    Tat,
)
from hyperroute.canon.units import Instant
from hyperroute.routing import gcra

Changes = dict[Cell, State | None]


Find = Callable[[Cell], State | None]
"""Reads one cell as it stands."""


def decide(
    mutations: Sequence[Mutation], find: Find, *, now: Instant, version: int
) -> tuple[Commit, Changes]:
    """Say what becomes of a batch.

    Args:
        mutations: No two of the same cell.
        find: Reads a cell as it stood before the batch.
        now: On the store's clock.
        version: The number that this commit has if it is done.

    Returns:
        What to answer, and what to keep (``None``: nothing any more); nothing is to be kept of a
        commit that is not done.

    Raises:
        ValueError: Two mutations are about the same thing: their order would be their meaning.
    """
    changes: Changes = {}
    outcomes: list[Outcome] = []
    done = True
    for mutation in mutations:
        if mutation.key in changes:
            raise ValueError(f"a batch changes {mutation.key!r} twice; make it one mutation")
        outcome: Outcome
        match mutation:
            case Charge(key, pace, units):
                changes[key], outcome = gcra.charged(_counter(find(key)), pace, units, now=now)
            case Correct(key, pace, units):
                changes[key], outcome = gcra.corrected(_counter(find(key)), pace, units, now=now)
            case Put(row_key, body, tags, expected):
                changes[row_key] = Row(row_key, body, tags, version)
                outcome = _expected(find(row_key), expected, version)
            case Delete(row_key, expected):
                changes[row_key] = None
                outcome = _expected(find(row_key), expected, version)
            case _:
                assert_never(mutation)
        done = done and not isinstance(outcome, Exceeded | Changed)
        outcomes.append(outcome)
    return Commit(done, tuple(outcomes)), changes if done else {}


def _counter(state: State | None) -> Tat | None:
    assert state is None or isinstance(state, Tat)
    return state


def _expected(found: State | None, expected: int | None, version: int) -> Stored | Changed:
    assert found is None or isinstance(found, Row)
    have = 0 if found is None else found.version
    return Stored(version) if expected is None or expected == have else Changed(have)


__all__ = ["Changes", "Find", "decide"]
