"""Deciding many tasks in several processes: the same answers in the same order as in one.

Workers are forked, so tasks are numbers and nothing is sent but answers.  A worker that dies takes no answer with it:
the others go on, and what it was at is decided here.  Where processes cannot be forked, everything is decided here.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from modelcheck.explore.bounds import Stop

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Answer = TypeVar("Answer")
ALONE = 0.1  # seconds
POLL = 0.2  # seconds between two looks at the workers

def _forks(workers: int) -> bool:
    if workers <= 1 or sys.platform != "linux":
        return False
    import multiprocessing

    return "fork" in multiprocessing.get_all_start_methods()


def decide_all(
    count: int,
    task: Callable[[int], Answer],
    workers: int,
    tick: Callable[[int], None],
    stop: Stop | None = None,
    alone: float = ALONE,
    about: Sequence[Hashable] = (),
) -> list[Answer]:
    """The answers of `task(0)` to `task(count - 1)`, in order; `tick` gets how many there are, now and then.

    The first `alone` seconds' worth are decided here, since starting workers takes about as long; the workers, if it
    comes to that, find ready what these tasks left in memory.  Tasks that `about` calls alike find most there, and one
    worker takes them while others have something else to do.  `stop` is made known to the workers.
    """
    answers: dict[int, Answer] = {}
    started = time.monotonic()
    for number in range(count):
        if count - number > 1 and workers > 1 and time.monotonic() - started >= alone and _forks(workers):
            _decide_forked(Waiting(range(number, count), about), task, workers, tick, stop, answers)
            break
        answers[number] = task(number)
        tick(len(answers))
    for number in range(count):
        if number not in answers:  # a worker died with it
            answers[number] = task(number)
            tick(len(answers))
    return [answers[number] for number in range(count)]


class Waiting:
    """The tasks that no worker has begun, in queues of alike ones; each task is a queue of its own where none are."""

    def __init__(self, numbers: range, about: Sequence[Hashable] = ()) -> None:
        self.count = len(numbers)
        self._queues: dict[Hashable, deque[int]] = {}
        self._taken: dict[Hashable, Hashable] = {}  # by worker, the queue it takes from
        for number in numbers:
            self._queues.setdefault(about[number] if about else number, deque()).append(number)

    def next_for(self, worker: Hashable) -> int | None:
        """The next task of the queue a worker is at, of the first that nobody is at, or the last of the longest."""
        mine = self._taken.get(worker)
        if not self._queues.get(mine):
            left = [key for key, queue in self._queues.items() if queue]
            if not left:
                return None
            free = [key for key in left if key not in self._taken.values()]
            if not free:
                return self._queues[max(left, key=lambda key: len(self._queues[key]))].pop()
            mine = self._taken[worker] = free[0]
        return self._queues[mine].popleft()


class _Worker:
    """A forked process that decides what it is given, one task at a time; it ends when nobody can give it more."""

    def __init__(self, task: Callable[[int], Any], others: Sequence[_Worker]) -> None:
        import multiprocessing

        context = multiprocessing.get_context("fork")
        self.end, theirs = context.Pipe()
        ours = (*(other.end for other in others), self.end)
        self._process = context.Process(target=_work, args=(task, theirs, ours), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, number: int) -> bool:
        """Starts a task; answers whether the worker lives."""
        try:
            self.end.send(number)
        except OSError:
            return False
        return True

    def answer(self) -> Any:
        """What came of the task; raises what that raised, and EOFError or OSError where the worker died."""
        raised, answer = self.end.recv()
        if raised:
            raise answer
        return answer

    def stop(self) -> None:
        """Ends it, whatever it is doing."""
        self.end.close()
        self._process.kill()
        self._process.join()


def _work(task: Callable[[int], Any], end: Connection, ours: Sequence[Connection]) -> None:
    for each in ours:
        each.close()  # they came with the fork, and would keep a worker waiting for a parent that is gone
    while True:
        try:
            number = end.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        try:
            answer = False, task(number)
        except Exception as error:
            answer = True, error
        end.send(answer)


def _decide_forked(
    waiting: Waiting,
    task: Callable[[int], Answer],
    workers: int,
    tick: Callable[[int], None],
    stop: Stop | None,
    answers: dict[int, Answer],
) -> None:
    """Adds what workers answer; where one of them dies, the task it was at is left."""
    from multiprocessing import Value
    from multiprocessing.connection import wait

    if stop is not None and stop.flag is None:
        stop.flag = Value("i", 0, lock=False)
    crew: list[_Worker] = []
    for _ in range(min(workers, waiting.count)):
        crew.append(_Worker(task, crew))
    idle, busy = list(crew), dict[_Worker, int]()
    try:
        while True:
            for worker in idle:
                number = waiting.next_for(worker)
                if number is not None and worker.give(number):
                    busy[worker] = number
            if not busy:
                return
            ready = wait([worker.end for worker in busy], POLL)
            idle = [worker for worker in busy if worker.end in ready]
            for worker in idle:
                with suppress(EOFError, OSError):  # it died, which the next task tells too
                    number = busy.pop(worker)
                    answers[number] = worker.answer()
            tick(len(answers))
    finally:
        for worker in crew:
            worker.stop()
