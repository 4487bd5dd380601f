"""How the callers of a group are told, whoever they are and wherever they have gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from hyperroute.canon.mutation import Commit, Mutation
from hyperroute.stores.waiting import Waiting, WaitingTask, tell

Batch = Waiting[Sequence[Mutation], Commit]
BatchOfTask = WaitingTask[Sequence[Mutation], Commit]
DONE = Commit(done=True, outcomes=())


def test_a_batch_is_had_by_one() -> None:
    waiting = Batch([])
    assert not waiting.running()
    assert waiting.take()
    assert waiting.running()
    assert not waiting.take()


def test_a_thread_is_told_as_often_as_it_asks() -> None:
    waiting, broken = Batch([]), Batch([])
    with pytest.raises(TimeoutError):
        waiting.result(0)
    answers: list[Commit | Exception] = [DONE, ValueError("no")]
    tell([waiting, broken], answers)
    assert waiting.result(0) is waiting.result(0) is DONE
    with pytest.raises(ValueError, match="no"):
        broken.result(0)


def test_a_loop_is_woken_once_for_all_of_its_tasks() -> None:
    async def run() -> list[object]:
        loop, woken = asyncio.get_running_loop(), list[object]()
        threadsafe = loop.call_soon_threadsafe

        def wake(callback: Callable[..., object], *args: object) -> object:
            woken.append(callback)
            return threadsafe(callback, *args)

        loop.call_soon_threadsafe = wake  # type: ignore[method-assign,assignment]
        tasks = [BatchOfTask([], loop) for _ in range(4)]
        tasks[3].future.cancel()
        await asyncio.to_thread(
            tell, tasks, [ValueError("no") if one is tasks[2] else DONE for one in tasks]
        )
        answers = await asyncio.gather(*[one.future for one in tasks[:3]], return_exceptions=True)
        assert woken.count(woken[0]) == 1
        return list(answers)

    first, second, third = asyncio.run(run())
    assert first is second is DONE
    assert isinstance(third, ValueError)


def test_a_loop_that_is_closed_keeps_nobody_else_from_being_told() -> None:
    async def ask() -> BatchOfTask:
        return BatchOfTask([], asyncio.get_running_loop())

    gone, here = asyncio.run(ask()), Batch([])
    tell([gone, here], [DONE, DONE])
    assert here.result(0) is DONE
    assert not gone.future.done()
