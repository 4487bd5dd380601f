"""What a batch does to what is kept: one pure function, the same in every store.

A store brings what it holds and what time it is, and keeps what comes back if all of it is done.
So the meaning of a mutation is written once, and a store is only about keeping.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from hyperroute.canon.mutation import (
    Changed,
    Charge,
    Commit,
    Correct,
    Delete,
    Exceeded,
    Mutation,
    Outcome,
    Put,
    RateKey,
    Row,
    RowKey,
    Stored,
    Tat,
)
from hyperroute.canon.units import Instant
from hyperroute.routing import gcra

Rate = Callable[[RateKey], Tat | None]
Record = Callable[[RowKey], Row | None]


def decide(
    mutations: Sequence[Mutation], *, rate: Rate, record: Record, now: Instant, version: int
) -> tuple[Commit, dict[RateKey, Tat | None], dict[RowKey, Row | None]]:
    """Say what becomes of a batch.

    Args:
        mutations: No two of the same counter or record.
        rate: Reads a counter as it stands.
        record: Reads a record as it stands.
        now: On the store's clock.
        version: The number that this commit has if it is done.

    Returns:
        What to answer, and what to keep (``None``: nothing any more), which is to be forgotten
        unless the commit is done.

    Raises:
        ValueError: Two mutations are about the same thing: their order would be their meaning.
    """
    rates: dict[RateKey, Tat | None] = {}
    rows: dict[RowKey, Row | None] = {}
    outcomes: list[Outcome] = []
    done = True
    for mutation in mutations:
        if mutation.key in rates or mutation.key in rows:
            raise ValueError(f"a batch changes {mutation.key!r} twice; make it one mutation")
        outcome: Outcome
        match mutation:
            case Charge(key, pace, units):
                rates[key], outcome = gcra.charged(rate(key), pace, units, now=now)
            case Correct(key, pace, units):
                rates[key], outcome = gcra.corrected(rate(key), pace, units, now=now)
            case Put(key, body, tags, expected):
                rows[key] = Row(key, body, tags, version)
                outcome = _expected(record(key), expected, version)
            case Delete(key, expected):
                rows[key] = None
                outcome = _expected(record(key), expected, version)
            case _:
                assert_never(mutation)
        done = done and not isinstance(outcome, Exceeded | Changed)
        outcomes.append(outcome)
    return Commit(done, tuple(outcomes)), rates, rows


def _expected(found: Row | None, expected: int | None, version: int) -> Stored | Changed:
    have = 0 if found is None else found.version
    return Stored(version) if expected is None or expected == have else Changed(have)


__all__ = ["decide"]
