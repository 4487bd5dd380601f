"""Runs that are paid for: what a driver serves, with the questions of its tab around and between.

A run without a tab is what its driver makes of it, and nothing here is in its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing

from hyperroute.canon.events import Delivery
from hyperroute.errors import StoreError
from hyperroute.providers.flow import Pause
from hyperroute.runtime import awaiting, blocking
from hyperroute.runtime.kernel import Run
from hyperroute.runtime.ports import AsyncClock, AsyncTransport, Clock, Transport
from hyperroute.runtime.tab import Asking, R, Tab
from hyperroute.stores.base import AsyncStore, Store

Items = Generator[Delivery | bytes, None, None]
AsyncItems = AsyncGenerator[Delivery | bytes, None]


def serve(run: Run, *, transport: Transport, clock: Clock) -> Items:
    """Carry a run to its end and its money with it; otherwise as ``blocking.serve``."""
    items = blocking.serve(run, transport=transport, clock=clock)
    return items if run.tab is None else _paid(run, run.tab, items, clock)


def serve_awaiting(run: Run, *, transport: AsyncTransport, clock: AsyncClock) -> AsyncItems:
    """Carry a run to its end and its money with it; otherwise as ``awaiting.serve``."""
    items = awaiting.serve(run, transport=transport, clock=clock)
    return items if run.tab is None else _paid_awaiting(run, run.tab, items, clock)


def _paid(run: Run, tab: Tab[Store], items: Items, clock: Clock) -> Items:
    try:
        if (refusal := ask(tab.opening(), tab.store, clock)) is not None:
            run.decline(refusal)
        with closing(items):
            for item in items:
                if run.record is not None and not tab.over:
                    ask(
                        tab.closing(run.plan, run.record), tab.store, clock
                    )  # before the end of it is told
                elif tab.is_due(run.call, clock.now()):
                    ask(tab.noting(run.call, clock.now()), tab.store, clock)
                yield item
    finally:
        run.abandon(clock.now())
        if run.record is not None and not tab.over:
            ask(tab.closing(run.plan, run.record), tab.store, clock)


async def _paid_awaiting(
    run: Run, tab: Tab[AsyncStore], items: AsyncItems, clock: AsyncClock
) -> AsyncItems:
    try:
        if (refusal := await ask_awaiting(tab.opening(), tab.store, clock)) is not None:
            run.decline(refusal)
        async with aclosing(items):
            async for item in items:
                if run.record is not None and not tab.over:
                    await ask_awaiting(tab.closing(run.plan, run.record), tab.store, clock)
                elif tab.is_due(run.call, clock.now()):
                    await ask_awaiting(tab.noting(run.call, clock.now()), tab.store, clock)
                yield item
    finally:
        run.abandon(clock.now())
        if run.record is not None and not tab.over:
            # Whoever cancels a run does not cancel what it owes.
            await asyncio.shield(ask_awaiting(tab.closing(run.plan, run.record), tab.store, clock))


def ask(asking: Asking[R], store: Store, clock: Clock) -> R:
    """Carry out what is asked."""
    try:
        wish = next(asking)
        while True:
            if isinstance(wish, Pause):
                clock.sleep(wish.ns)
                wish = asking.send(None)
                continue
            try:
                commit = store.commit(wish)
            except StoreError as error:
                wish = asking.throw(error)
            else:
                wish = asking.send(commit)
    except StopIteration as end:
        told: R = end.value
        return told


async def ask_awaiting(asking: Asking[R], store: AsyncStore, clock: AsyncClock) -> R:
    """Carry out what is asked, awaiting."""
    try:
        wish = next(asking)
        while True:
            if isinstance(wish, Pause):
                await clock.sleep(wish.ns)
                wish = asking.send(None)
                continue
            try:
                commit = await store.commit(wish)
            except StoreError as error:
                wish = asking.throw(error)
            else:
                wish = asking.send(commit)
    except StopIteration as end:
        told: R = end.value
        return told


__all__ = ["ask", "ask_awaiting", "serve", "serve_awaiting"]
