"""What a batch does to what is kept: one pure function, the same in every store.

A store brings what it holds and what time it is, and keeps what comes back if all of it is done.
So the meaning of a mutation is written once, and a store is only about keeping.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from hyperroute.canon.journal import Forget, Forgotten, Log, Logged, PastRows, UsageKey
from hyperroute.canon.money import (
    Checkpoint,
    Deposit,
    Dispatch,
    End,
    Hold,
    MoneyMutation,
    MoneyOutcome,
    Reserve,
    WalletKey,
)
from hyperroute.canon.mutation import (
    DECLINED,
    Cell,
    Changed,
    Charge,
    Commit,
    Correct,
    Delete,
    Found,
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

Book = Callable[[MoneyMutation, Find, Instant], tuple[MoneyOutcome, Changes]]
"""What a mutation of money does: ``ledger.book``, which a store is given and does not know."""


def no_book(mutation: MoneyMutation, _find: Find, _now: Instant) -> tuple[MoneyOutcome, Changes]:
    """Stand in for a book where a store keeps no money.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"this store keeps no money, and so no {type(mutation).__name__}")


def decide(
    mutations: Sequence[Mutation], find: Find, *, book: Book, now: Instant, version: int
) -> tuple[Commit, Changes]:
    """Say what becomes of a batch.

    Args:
        mutations: No two of the same cell.
        find: Reads a cell as it stood before the batch.
        book: What mutations of money do.
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
        outcome, more = _one(mutation, find, book=book, now=now, version=version)
        if not changes:
            changes = more
        elif changes.keys().isdisjoint(more):
            changes.update(more)
        else:
            (key, *_) = changes.keys() & more.keys()
            raise ValueError(f"a batch changes {key!r} twice; make it one mutation")
        done = done and not isinstance(outcome, DECLINED)
        outcomes.append(outcome)
    return Commit(done, tuple(outcomes)), changes if done else {}


def ahead(mutation: Mutation) -> tuple[Cell, ...]:
    """Name the cells that deciding a mutation reads, as far as it says so itself.

    A store may read them for many mutations together; what is not named here is found all the same.
    """
    match mutation:
        case Reserve(key, _, budgets, purse):
            counted = [one for one, _ in (*budgets, *mutation.slots)]
            return (key, *counted) if purse is None else (key, *counted, WalletKey(purse.owner))
        case Deposit(key, owner):
            return key, WalletKey(owner)
        case Log(row):
            return (UsageKey(row.id),)
        case Forget():
            return ()
        case _:
            return (mutation.key,)


def beyond(mutation: Mutation, find: Find) -> tuple[Cell, ...]:
    """Name the cells that deciding a mutation reads because of what it read: all a hold counts in."""
    hold = find(mutation.key) if isinstance(mutation, End) else None
    if not isinstance(hold, Hold):
        return ()
    counted = (*hold.budgets, *hold.slots)
    return counted if hold.owner is None else (*counted, WalletKey(hold.owner))


def _one(
    mutation: Mutation, find: Find, *, book: Book, now: Instant, version: int
) -> tuple[Outcome, Changes]:
    counter: Tat | None
    told: Outcome
    match mutation:
        case Reserve() | End() | Dispatch() | Checkpoint() | Deposit():
            return book(mutation, find, now)
        case Charge(key, pace, units):
            counter, told = gcra.charged(_counter(find(key)), pace, units, now=now)
            return told, {key: counter}
        case Correct(key, pace, units):
            counter, told = gcra.corrected(_counter(find(key)), pace, units, now=now)
            return told, {key: counter}
        case Put(row_key, body, tags, expected, keep_ns):
            told = _expected(find(row_key), expected, version, now)
            until = None if keep_ns is None else now + keep_ns
            return told, {row_key: Row(row_key, body, tags, version, until)}
        case Delete(row_key, expected):
            return _expected(find(row_key), expected, version, now), {row_key: None}
        case Log(row):
            usage_key = UsageKey(row.id)
            again = find(usage_key) is not None
            return Logged(again), {} if again else {usage_key: row}
        case Forget(before, most):
            return Forgotten(), {PastRows(before, most): None}
        case _:
            assert_never(mutation)


def _counter(state: State | None) -> Tat | None:
    assert state is None or isinstance(state, Tat)
    return state


def _expected(
    found: State | None, expected: int | None, version: int, now: Instant
) -> Stored | Changed:
    assert found is None or isinstance(found, Row)
    have = 0 if found is None or is_lapsed(found, now) else found.version
    return Stored(version) if expected is None or expected == have else Changed(have)


def is_lapsed(row: Row, now: Instant) -> bool:
    """Say whether a record was kept for only so long, and that is over."""
    return row.until is not None and row.until <= now


def there(found: Found, now: Callable[[], Instant]) -> Found:
    """Leave out what has lapsed; only where something may have does this ask for the time."""
    rows = found if isinstance(found, tuple) else (found,)
    if not any(isinstance(row, Row) and row.until is not None for row in rows):
        return found
    at = now()
    left = tuple([row for row in rows if isinstance(row, Row) and not is_lapsed(row, at)])
    if isinstance(found, tuple):
        return left
    return left[0] if left else None


__all__ = [
    "Book",
    "Changes",
    "Find",
    "ahead",
    "beyond",
    "decide",
    "is_lapsed",
    "no_book",
    "there",
]
