"""What waits for a database: batches and questions, the thread that takes them, who is told.

Whoever takes one first has it: the thread, which then carries it out, or the caller who gives up,
and then nobody does. What has gathered while the thread was busy is one group, and the callers of a
group are told together, so that a loop is woken once for all of its tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Waiting(Generic[Q, A]):
    """Something that was asked, by a thread that waits for its answer."""

    __slots__ = ("_answer", "_taken", "_told", "asked")

    def __init__(self, asked: Q) -> None:
        """Begin to wait."""
        self.asked = asked
        self._answer: A | Exception | None = None
        self._taken, self._told = Lock(), Lock()
        self._told.acquire()

    def take(self) -> bool:
        """Have it, unless somebody else has it."""
        return self._taken.acquire(blocking=False)

    def running(self) -> bool:
        """Say whether somebody has it."""
        return self._taken.locked()

    def tell(self, answer: A | Exception) -> None:
        """Answer, once."""
        self._answer = answer
        self._told.release()

    def result(self, seconds: float) -> A:
        """Wait for the answer.

        Raises:
            TimeoutError: There is none yet.
            Exception: What was told instead of an answer.
        """
        if not self._told.acquire(timeout=seconds):
            raise TimeoutError
        self._told.release()
        if isinstance(self._answer, Exception):
            raise self._answer
        assert self._answer is not None
        return self._answer


class WaitingTask(Waiting[Q, A]):
    """The same of a task; ``future`` is of its loop, and used there alone."""

    __slots__ = ("future", "loop")

    def __init__(self, asked: Q, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to wait."""
        self.asked = asked
        self._answer = None
        self._taken = Lock()
        self.loop = loop
        self.future: asyncio.Future[A] = loop.create_future()

    def tell(self, answer: A | Exception) -> None:
        """Answer in the loop's own thread; whoever has gone, or gave up, is told nothing."""
        if self.future.done():
            return
        if isinstance(answer, Exception):
            self.future.set_exception(answer)
        else:
            self.future.set_result(answer)


class Gathering(Generic[Q, A]):
    """A thread, and what waits for it."""

    def __init__(
        self, name: str, carry_out: Callable[[Sequence[Waiting[Q, A]]], None], *, most: int
    ) -> None:
        """Begin.

        Args:
            name: Of the thread.
            carry_out: Carries a group out in that thread, tells its callers, and raises nothing.
            most: Of one group, so that the first of it need not wait for all.
        """
        self._carry_out, self._most = carry_out, most
        self._queue: SimpleQueue[Waiting[Q, A] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Count what waits, roughly."""
        return self._queue.qsize()

    def put(self, waiting: Waiting[Q, A]) -> None:
        """Hand over what a thread or a task waits for."""
        self._queue.put(waiting)

    def close(self) -> None:
        """Finish what was handed over."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        more = True
        while more:
            more, group = self._gathered()
            taken = [one for one in group if one.take()]
            if taken:
                self._carry_out(taken)

    def _gathered(self) -> tuple[bool, list[Waiting[Q, A]]]:
        one, group = self._queue.get(), list[Waiting[Q, A]]()
        with suppress(Empty):
            while one is not None:
                group.append(one)
                if len(group) == self._most:
                    return True, group
                one = self._queue.get_nowait()
            return False, group
        return True, group


def halves(group: Sequence[Waiting[Q, A]]) -> tuple[Sequence[Waiting[Q, A]], ...]:
    """Part a group in two, to find out whose fault it is."""
    middle = len(group) // 2
    return group[:middle], group[middle:]


def tell(group: Iterable[Waiting[Q, A]], answers: Iterable[A | Exception]) -> None:
    """Answer the callers of a group, by position."""
    tasks: dict[asyncio.AbstractEventLoop, list[tuple[WaitingTask[Q, A], A | Exception]]] = {}
    for waiting, answer in zip(group, answers, strict=True):
        if isinstance(waiting, WaitingTask):
            tasks.setdefault(waiting.loop, []).append((waiting, answer))
        else:
            waiting.tell(answer)
    for loop, some in tasks.items():
        with suppress(RuntimeError):  # a loop that is closed has nobody who waits
            loop.call_soon_threadsafe(_tell_tasks, some)


def _tell_tasks(answers: Iterable[tuple[WaitingTask[Q, A], A | Exception]]) -> None:
    for waiting, answer in answers:
        waiting.tell(answer)


__all__ = ["Gathering", "Waiting", "WaitingTask", "halves", "tell"]
