"""A batch on its way to the writer, and how its caller is told: a thread, or a task of a loop.

Who takes a batch first has it: the writer, who then carries it out, or the caller who gives up, and
then nobody does. The callers of a group are told together, so that a loop is woken once for all of
its tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from threading import Lock

from hyperroute.canon.mutation import Commit, Mutation

Answer = Commit | Exception


class Waiting:
    """A batch that a thread waits for."""

    __slots__ = ("_answer", "_taken", "_told", "mutations")

    def __init__(self, mutations: Sequence[Mutation]) -> None:
        """Begin to wait."""
        self.mutations = mutations
        self._answer: Answer | None = None
        self._taken, self._told = Lock(), Lock()
        self._told.acquire()

    def take(self) -> bool:
        """Have the batch, unless somebody else has it."""
        return self._taken.acquire(blocking=False)

    def running(self) -> bool:
        """Say whether somebody has it."""
        return self._taken.locked()

    def tell(self, answer: Answer) -> None:
        """Answer, once."""
        self._answer = answer
        self._told.release()

    def result(self, seconds: float) -> Commit:
        """Wait for the answer.

        Raises:
            TimeoutError: There is none yet.
            Exception: What was answered instead of a commit.
        """
        if not self._told.acquire(timeout=seconds):
            raise TimeoutError
        self._told.release()
        if isinstance(self._answer, Commit):
            return self._answer
        assert self._answer is not None
        raise self._answer


class WaitingTask(Waiting):
    """A batch that a task waits for; ``future`` is of its loop, and used there alone."""

    __slots__ = ("future", "loop")

    def __init__(self, mutations: Sequence[Mutation], loop: asyncio.AbstractEventLoop) -> None:
        """Begin to wait."""
        self.mutations = mutations
        self._answer = None
        self._taken = Lock()
        self.loop = loop
        self.future: asyncio.Future[Commit] = loop.create_future()

    def tell(self, answer: Answer) -> None:
        """Answer in the loop's own thread; whoever has gone, or gave up, is told nothing."""
        if self.future.done():
            return
        if isinstance(answer, Commit):
            self.future.set_result(answer)
        else:
            self.future.set_exception(answer)


def tell(answers: Iterable[tuple[Waiting, Answer]]) -> None:
    """Answer the callers of a group."""
    tasks: dict[asyncio.AbstractEventLoop, list[tuple[WaitingTask, Answer]]] = {}
    for waiting, answer in answers:
        if isinstance(waiting, WaitingTask):
            tasks.setdefault(waiting.loop, []).append((waiting, answer))
        else:
            waiting.tell(answer)
    for loop, some in tasks.items():
        with suppress(RuntimeError):  # a loop that is closed has nobody who waits
            loop.call_soon_threadsafe(_tell_tasks, some)


def _tell_tasks(answers: Iterable[tuple[WaitingTask, Answer]]) -> None:
    for waiting, answer in answers:
        waiting.tell(answer)


__all__ = ["Answer", "Waiting", "WaitingTask", "tell"]
