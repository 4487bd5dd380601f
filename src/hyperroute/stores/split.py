"""Rate counters in one store, everything else in another: two stores that look like one.

Two servers have no common transaction, so a batch for both is carried out in steps: what may be
declined cheaply first, what cannot be declined last.

1. ``Charge``, and what a ``Correct`` takes: in the store of rates. Declined: nothing else is done.
2. Records and money: in the other. Declined or out of reach: step 1 is given back.
3. Any other ``Correct``: in the store of rates, which cannot decline it.

Laws. A batch that is not done counts for nothing: each counter then stands as if it had never been
charged, whatever time has passed. In between others may find it charged: a refusal too many, never
a pass too many. Money is committed before anything is answered, and never for a batch that a rate
declines. A store of rates that is out of reach in step 3, or when step 1 is given back, has lost a
correction, and money has lost nothing: such outcomes are ``Untried``. A charge of ``unknown`` fate is
not given back, because it may never have been taken.

Of one instant are only answers of one store. A batch for one of them is what that store makes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import cast

from hyperroute.canon.mutation import (
    Charge,
    Commit,
    Correct,
    Found,
    Key,
    Mutation,
    Outcome,
    RateKey,
    Untried,
)
from hyperroute.canon.quick import quick
from hyperroute.errors import StoreError
from hyperroute.stores.base import AsyncStore, Store


@quick(frozen=True, slots=True)
class _Part:
    """What is for one of the two stores."""

    of_rates: bool
    mutations: Sequence[Mutation]


_Walk = Generator[_Part, Commit | StoreError, Commit]


class SplitStore:
    """Two stores behind the two verbs."""

    def __init__(self, rates: Store, rest: Store) -> None:
        """Take over two stores; they are closed with this one.

        Args:
            rates: Keeps counters.
            rest: Keeps records and money.
        """
        self._rates, self._rest = rates, rest

    def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position; of nothing, both must answer.

        Raises:
            StoreError: One of them cannot.
        """
        rates, rest = _sorted(keys)
        of_rates: Sequence[Found] = ()
        of_rest: Sequence[Found] = ()
        try:
            of_rates = self._rates.read(rates) if rates or not rest else ()
        finally:
            of_rest = self._rest.read(rest) if rest or not rates else ()
        return _joined(keys, of_rates, of_rest)

    def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing.

        Raises:
            StoreError: One of them cannot.
            ValueError: Two mutations are about the same thing.
        """
        walk = _walk(mutations)
        try:
            part = next(walk)
            while True:
                store = self._rates if part.of_rates else self._rest
                told: Commit | StoreError
                try:
                    told = store.commit(part.mutations)
                except StoreError as error:
                    told = error
                part = walk.send(told)
        except StopIteration as end:
            return cast("Commit", end.value)

    def awaiting(self) -> AsyncStore:
        """Return the twin over the same two."""
        return AwaitingSplit(self._rates.awaiting(), self._rest.awaiting())

    def close(self) -> None:
        """Close both."""
        self._rates.close()
        self._rest.close()


class AwaitingSplit:
    """The awaiting twin."""

    def __init__(self, rates: AsyncStore, rest: AsyncStore) -> None:
        """Take over two stores; they are closed with this one."""
        self._rates, self._rest = rates, rest

    async def read(self, keys: Sequence[Key]) -> tuple[Found, ...]:
        """Answer each key by its position; of nothing, both must answer.

        Raises:
            StoreError: One of them cannot.
        """
        rates, rest = _sorted(keys)
        if rates and not rest:
            return await self._rates.read(rates)
        if rest and not rates:
            return await self._rest.read(rest)
        both = await asyncio.gather(self._rates.read(rates), self._rest.read(rest))
        return _joined(keys, *both)

    async def commit(self, mutations: Sequence[Mutation]) -> Commit:
        """Carry out all of a batch, or nothing.

        Raises:
            StoreError: One of them cannot.
            ValueError: Two mutations are about the same thing.
        """
        walk = _walk(mutations)
        try:
            part = next(walk)
            while True:
                store = self._rates if part.of_rates else self._rest
                told: Commit | StoreError
                try:
                    told = await store.commit(part.mutations)
                except StoreError as error:
                    told = error
                part = walk.send(told)
        except StopIteration as end:
            return cast("Commit", end.value)

    async def close(self) -> None:
        """Close both."""
        await self._rates.close()
        await self._rest.close()


def _walk(mutations: Sequence[Mutation]) -> _Walk:
    """Say what to commit where, step by step, and return what became of the batch.

    Raises:
        StoreError: One store could not answer, where the batch is nothing without it.
    """
    rated = [at for at, one in enumerate(mutations) if isinstance(one, Charge | Correct)]
    if len(rated) in {0, len(mutations)}:
        return _answered((yield _Part(bool(rated), mutations)))
    taking = any(isinstance(one, Charge) for one in mutations)
    first = [at for at in rated if taking and mutations[at].units > 0]  # type: ignore[union-attr]
    last = [at for at in rated if at not in first]
    rest = [at for at in range(len(mutations)) if at not in rated]
    outcomes: list[Outcome] = [Untried()] * len(mutations)
    if first:
        charged = _answered((yield _Part(True, [mutations[at] for at in first])))
        _put(outcomes, first, charged)
        if not charged.done:
            return Commit(False, tuple(outcomes))
    kept = yield _Part(False, [mutations[at] for at in rest])
    if isinstance(kept, StoreError) or not kept.done:
        if first:
            yield _Part(True, [_given_back(mutations[at]) for at in first])
        _put(outcomes, rest, _answered(kept))
        return Commit(False, tuple(outcomes))
    _put(outcomes, rest, kept)
    if last:
        corrected = yield _Part(True, [mutations[at] for at in last])
        if isinstance(corrected, Commit):
            _put(outcomes, last, corrected)
    return Commit(True, tuple(outcomes))


def _answered(told: Commit | StoreError) -> Commit:
    if isinstance(told, StoreError):
        raise told
    return told


def _put(outcomes: list[Outcome], places: Sequence[int], commit: Commit) -> None:
    for at, outcome in zip(places, commit.outcomes, strict=True):
        outcomes[at] = outcome


def _given_back(taken: Mutation) -> Correct:
    assert isinstance(taken, Charge | Correct)
    return Correct(taken.key, taken.pace, -taken.units)


def _sorted(keys: Sequence[Key]) -> tuple[Sequence[Key], Sequence[Key]]:
    rates = [key for key in keys if isinstance(key, RateKey)]
    return rates, [key for key in keys if not isinstance(key, RateKey)]


def _joined(
    keys: Sequence[Key], rates: Sequence[Found], rest: Sequence[Found]
) -> tuple[Found, ...]:
    of_rates, of_rest = iter(rates), iter(rest)
    return tuple([next(of_rates if isinstance(key, RateKey) else of_rest) for key in keys])


__all__ = ["AwaitingSplit", "SplitStore"]
